// SPDX-License-Identifier: GPL-2.0-or-later
#include "top.h"

#include "../base/cleanup.h"

#include <math.h>
#include <string.h>

/*
 * The variance of a count n of which one in N was taken at random distances is at most 1.27 * N * n,
 * whatever N and the order of the events: a sum over any subset of them varies no more than the
 * largest value of the spectrum of the samples allows. That of distances uniform from 1 to 2N - 1 is
 * 1.264 times a Poisson process's at most, met by a source that sends every 1.66 N-th event; one that
 * sends nearly all has a third.
 */
#define SPECTRUM 1.27
#define Z95	 1.96

/* What one entry of one CPU adds to its source. */
struct share {
	struct sw_addr addr;
	uint32_t kind;
	uint32_t count;
	uint32_t samples;
	bool current;
	int64_t inherited; /* beyond what every source of the set may have had */
};

struct shares {
	struct share *list;
	size_t count;
	size_t room;
	uint64_t
		floors[SW_TOP_KIND_COUNT]; /* what any source of the set may have had, unfollowed */
};

uint64_t sw_top_sampling_error(uint64_t samples)
{
	/*
	 * The score interval: all n for which N * samples is within Z95 standard deviations of n.
	 * It also holds for few samples, and for none.
	 */
	double c = Z95 * Z95 * SPECTRUM;

	return (uint64_t)ceil(SW_TOP_SAMPLE * (c / 2 + sqrt(c * (double)samples + c * c / 4)));
}

unsigned int sw_top_prefix(const struct sw_addr *addr)
{
	return sw_addr_is_v4(addr) ? SW_TOP_PREFIX4 : SW_TOP_PREFIX6;
}

bool sw_top_settled(const struct sw_top_set *a, const struct sw_top_set *b, unsigned int way)
{
	const struct sw_top_entry *x = &a->entries[way], *y = &b->entries[way];

	return a->window == b->window && x->error == y->error && x->count <= y->count &&
	       sw_addr_equal(&x->source, &y->source);
}

void sw_top_settle(struct sw_top_set *set, const struct sw_top_set *later)
{
	struct sw_top_set settled = *later;

	for (unsigned int way = 0; way < SW_TOP_WAYS; way++) {
		struct sw_top_entry *entry = &settled.entries[way];

		if (!sw_top_settled(set, later, way))
			*entry = (struct sw_top_entry){ .count = entry->count,
							.error = entry->count };
	}
	*set = settled;
}

static int add_share(struct shares *shares, const struct share *share)
{
	size_t room = shares->room ? shares->room * 2 : 1024;
	struct share *list;

	if (shares->count == shares->room) {
		list = realloc(shares->list, room * sizeof(*list));
		if (!list)
			return -ENOMEM;
		shares->list = list;
		shares->room = room;
	}
	shares->list[shares->count++] = *share;
	return 0;
}

static int add_set(struct shares *shares, const struct sw_top_set *set, uint32_t window,
		   bool current, enum sw_top_kind kind, struct sw_top_measure *total)
{
	uint32_t floor = sw_top_floor(set, window);
	int error = 0;

	if (set->window != window)
		return 0;
	shares->floors[kind] += floor;
	for (unsigned int way = 0; way < SW_TOP_WAYS && !error; way++) {
		const struct sw_top_entry *entry = &set->entries[way];
		struct share share;

		if (!entry->count)
			continue;
		share = (struct share){
			.addr = entry->source,
			.kind = kind,
			.count = entry->count - entry->error,
			.samples = entry->samples,
			.current = current,
			.inherited = (int64_t)entry->error - floor,
		};

		total->count += entry->count;
		total->current += current ? entry->count : 0;
		if (share.count)
			error = add_share(shares, &share);
	}
	return error;
}

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct sw_addr)); /* of either structure the first member */
}

/* One source from all its shares, which follow each other. Returns how many there were. */
static size_t fold(const struct shares *shares, size_t first, struct sw_top_source *source)
{
	uint64_t samples[SW_TOP_KIND_COUNT] = {};
	size_t i = first;

	*source = (struct sw_top_source){ .addr = shares->list[first].addr };
	for (int kind = 0; kind < SW_TOP_KIND_COUNT; kind++)
		source->kinds[kind].inherited = shares->floors[kind];
	for (; i < shares->count && sw_addr_equal(&shares->list[i].addr, &source->addr); i++) {
		const struct share *share = &shares->list[i];
		struct sw_top_measure *to = &source->kinds[share->kind];

		to->count += share->count;
		to->current += share->current ? share->count : 0;
		to->inherited += (uint64_t)share->inherited;
		samples[share->kind] += share->samples;
	}
	for (int kind = 0; kind < SW_TOP_KIND_COUNT; kind++)
		source->kinds[kind].sampling = sw_top_sampling_error(samples[kind]);
	return i - first;
}

/* All sources of one set, which is the same on each CPU. */
static int fold_set(struct shares *shares, struct sw_top *top)
{
	struct sw_top_source *sources;

	if (!shares->count)
		return 0;
	sources = realloc(top->sources, (top->count + shares->count) * sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	top->sources = sources;
	qsort(shares->list, shares->count, sizeof(*shares->list), by_address);
	for (size_t i = 0; i < shares->count;)
		i += fold(shares, i, &top->sources[top->count++]);
	return 0;
}

static int merge_set(const struct sw_top_part *parts, size_t count, uint32_t set,
		     struct shares *shares, struct sw_top *top)
{
	shares->count = 0;
	memset(shares->floors, 0, sizeof(shares->floors));
	for (size_t i = 0; i < count * SW_TOP_KIND_COUNT * SW_TOP_BANKS; i++) {
		const struct sw_top_part *part = &parts[i / (SW_TOP_KIND_COUNT * SW_TOP_BANKS)];
		enum sw_top_kind kind = i / SW_TOP_BANKS % SW_TOP_KIND_COUNT;
		uint32_t ago = i % SW_TOP_BANKS;
		uint32_t window = (top->window - ago) & SW_TOP_WINDOW_MASK;
		int error = add_set(shares, &part->sets[sw_top_key(kind, window, set)], window,
				    !ago, kind, &top->totals[kind]);

		if (error)
			return error;
	}
	return fold_set(shares, top);
}

/* Where every event was counted, no sample can be off. */
static void forget_sampling(const struct sw_top_part *parts, size_t count, uint32_t now_ms,
			    enum sw_top_kind kind, struct sw_top *top)
{
	for (size_t i = 0; i < count; i++) {
		const struct sw_top_sampler *sampler = &parts[i].samplers.kinds[kind];

		/* drawn long ago, a gap may still be passing over what comes */
		if (sampler->gap > 1 ||
		    (sampler->drawn_ms && now_ms + 1 - sampler->drawn_ms <= 2 * SW_TOP_WINDOW_MS))
			return;
	}
	top->totals[kind].sampling = 0;
	for (size_t i = 0; i < top->count; i++)
		top->sources[i].kinds[kind].sampling = 0;
}

int sw_top_merge(const struct sw_top_part *parts, size_t count, uint32_t now_ms, uint64_t age_ms,
		 struct sw_top *top)
{
	uint32_t span_ms = SW_TOP_WINDOW_MS + now_ms % SW_TOP_WINDOW_MS;
	struct sw_top made = {
		.window = sw_top_window(now_ms),
		.span_ms = age_ms < span_ms ? (uint32_t)age_ms : span_ms,
	};
	struct shares shares = {};
	int error = 0;

	for (uint32_t set = 0; set < SW_TOP_SETS && !error; set++)
		error = merge_set(parts, count, set, &shares, &made);
	free(shares.list);
	if (error) {
		free(made.sources);
		return error;
	}
	for (int kind = 0; kind < SW_TOP_KIND_COUNT; kind++) {
		for (size_t i = 0; i < made.count; i++)
			made.followed[kind] += made.sources[i].kinds[kind].count;
		made.totals[kind].sampling =
			sw_top_sampling_error(made.totals[kind].count / SW_TOP_SAMPLE);
		forget_sampling(parts, count, now_ms, kind, &made);
	}
	sw_top_sort(&made, SW_TOP_BY_WEIGHT);
	*top = made;
	return 0;
}

struct sw_top_measure sw_top_measure(const struct sw_top_measure kinds[SW_TOP_KIND_COUNT],
				     enum sw_top_by by)
{
	struct sw_top_measure sum = {};

	for (int kind = 0; kind < SW_TOP_KIND_COUNT; kind++) {
		if ((by == SW_TOP_BY_SYNS && kind != SW_TOP_SYNS) ||
		    (by == SW_TOP_BY_ANOMALIES && kind != SW_TOP_ANOMALIES))
			continue;
		sum.count += kinds[kind].count;
		sum.inherited += kinds[kind].inherited;
		sum.sampling += kinds[kind].sampling;
		sum.current += kinds[kind].current;
	}
	return sum;
}

uint64_t sw_top_error(const struct sw_top_measure *measure)
{
	return measure->inherited + measure->sampling;
}

/* The larger count first, then the larger possible one, then by address, so that nothing jumps. */
static int compare(const struct sw_top_source *a, const struct sw_top_source *b, enum sw_top_by by)
{
	struct sw_top_measure x = sw_top_measure(a->kinds, by), y = sw_top_measure(b->kinds, by);

	if (x.count != y.count)
		return x.count < y.count ? 1 : -1;
	if (x.inherited != y.inherited)
		return x.inherited < y.inherited ? 1 : -1;
	return by_address(a, b);
}

static int by_syns(const void *a, const void *b)
{
	return compare(a, b, SW_TOP_BY_SYNS);
}

static int by_anomalies(const void *a, const void *b)
{
	return compare(a, b, SW_TOP_BY_ANOMALIES);
}

static int by_weight(const void *a, const void *b)
{
	return compare(a, b, SW_TOP_BY_WEIGHT);
}

void sw_top_sort(struct sw_top *top, enum sw_top_by by)
{
	static int (*const orders[])(const void *, const void *) = {
		[SW_TOP_BY_SYNS] = by_syns,
		[SW_TOP_BY_ANOMALIES] = by_anomalies,
		[SW_TOP_BY_WEIGHT] = by_weight,
	};

	if (top->count)
		qsort(top->sources, top->count, sizeof(*top->sources), orders[by]);
}

void sw_top_sort_by_address(struct sw_top *top)
{
	if (top->count)
		qsort(top->sources, top->count, sizeof(*top->sources), by_address);
}

double sw_top_rate(const struct sw_top *now, const struct sw_top_source *of,
		   const struct sw_top *before, enum sw_top_by by)
{
	uint32_t windows = (now->window - before->window) & SW_TOP_WINDOW_MASK;
	struct sw_top_measure new = sw_top_measure(of->kinds, by), old = {};
	const struct sw_top_source *found = NULL;
	uint64_t count, seen;

	if (windows >= SW_TOP_BANKS || !before->taken_ns) /* what was then is not there any more */
		return now->span_ms ? 1e3 * (double)new.count / now->span_ms : 0;
	if (before->count)
		found = bsearch(of, before->sources, before->count, sizeof(*of), by_address);
	if (found)
		old = sw_top_measure(found->kinds, by);
	/* the current window of then is in the count of now */
	count = windows ? new.count : new.current;
	seen = old.current;
	if (count <= seen || now->taken_ns <= before->taken_ns)
		return 0;
	return 1e9 * (double)(count - seen) / (double)(now->taken_ns - before->taken_ns);
}

void sw_top_free(struct sw_top *top)
{
	free(top->sources);
	*top = (struct sw_top){};
}
