// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the half-open handshakes out of their table. */
#include "readers.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/sweeper.h"
#include "../platform/instance.h"

#include <synward/tables.h>

#include <bpf/bpf.h>
#include <string.h>

#define BATCH 256U
#define LOOKS 3 /* at a bucket, until its entries hold still */

struct collection {
	struct sw_handshake_view *views;
	uint64_t total;
	uint64_t count;
	uint64_t room;
	uint64_t limit; /* 0: none */
	uint32_t now_ms;
};

static int older_first(const void *a, const void *b)
{
	uint32_t x = ((const struct sw_handshake_view *)a)->age_ms;
	uint32_t y = ((const struct sw_handshake_view *)b)->age_ms;

	return x < y ? 1 : x > y ? -1 : 0;
}

static void keep_oldest(struct collection *all)
{
	qsort(all->views, all->count, sizeof(*all->views), older_first);
	if (all->limit && all->count > all->limit)
		all->count = all->limit;
}

/* With a limit, twice as many and some are held, so that a million need not be. */
static int make_room(struct collection *all)
{
	uint64_t room = all->room ? all->room * 2 : 1024;
	struct sw_handshake_view *views;

	if (all->count < all->room)
		return 0;
	if (all->limit && all->count >= 2 * all->limit + 512) {
		keep_oldest(all);
		return 0;
	}
	views = realloc(all->views, room * sizeof(*views));
	if (!views)
		return sw_error(ENOMEM, "not enough memory for the list: use --limit");
	all->views = views;
	all->room = room;
	return 0;
}

static int collect(struct collection *all, const struct sw_handshake_bucket *bucket)
{
	for (unsigned int way = 0; way < SW_WAYS; way++) {
		const struct sw_attempt *attempt = &bucket->attempts[way];
		int32_t left = (int32_t)(bucket->expires_ms[way] - all->now_ms);
		int32_t age = (int32_t)(all->now_ms - attempt->started_ms);
		int error;

		if (!bucket->tags[way] || attempt->phase == SW_PHASE_NONE ||
		    attempt->phase == SW_PHASE_STRAY || left <= 0 ||
		    attempt->seen & (SW_IS_REPORTED | SW_SAW_END))
			continue;
		all->total++;
		error = make_room(all);
		if (error)
			return error;
		all->views[all->count++] = (struct sw_handshake_view){
			.attempt = *attempt,
			.age_ms = age > 0 ? (uint32_t)age :
					    0, /* made since we asked for the time */
			.expires_ms = (uint32_t)left,
		};
	}
	return 0;
}

/* Whether an entry was the same in two looks; one that was written meanwhile may be torn. */
static bool is_settled(const struct sw_handshake_bucket *a, const struct sw_handshake_bucket *b,
		       unsigned int way)
{
	return a->tags[way] == b->tags[way] && a->expires_ms[way] == b->expires_ms[way] &&
	       !memcmp(&a->attempts[way], &b->attempts[way], sizeof(a->attempts[way]));
}

/* A flood may well change an entry between any two looks: after a few it is left out. */
static void settle(int fd, __u32 key, struct sw_handshake_bucket *bucket)
{
	struct sw_handshake_bucket again;

	for (int look = 0; look < LOOKS; look++) {
		bool settled = true;

		if (bpf_map_lookup_elem(fd, &key, &again))
			return;
		for (unsigned int way = 0; way < SW_WAYS; way++) {
			if (is_settled(bucket, &again, way))
				continue;
			settled = false;
			if (look == LOOKS - 1)
				again.tags[way] = 0;
		}
		*bucket = again;
		if (settled)
			return;
	}
}

static bool is_empty(const struct sw_handshake_bucket *bucket)
{
	return !(bucket->tags[0] | bucket->tags[1] | bucket->tags[2] | bucket->tags[3]);
}

static int walk(int fd, struct collection *all)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	SW_AUTO_FREE struct sw_handshake_bucket *buckets = calloc(BATCH, sizeof(*buckets));
	__u32 keys[BATCH], position = 0, count;
	bool first = true, last = false;
	int error;

	if (!buckets)
		return -ENOMEM;
	while (!last) {
		count = BATCH;
		error = bpf_map_lookup_batch(fd, first ? NULL : &position, &position, keys, buckets,
					     &count, &options);
		if (error && error != -ENOENT)
			return sw_error(error, "cannot read the handshakes: %s",
					sw_errno_text(error));
		last = error == -ENOENT;
		first = false;
		for (__u32 i = 0; i < count; i++) {
			if (is_empty(&buckets[i]))
				continue;
			settle(fd, keys[i], &buckets[i]);
			error = collect(all, &buckets[i]);
			if (error)
				return error;
		}
	}
	return 0;
}

int sw_handshakes_read(const char *pin_dir, uint64_t limit, struct sw_handshake_list *list)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	struct collection all = { .limit = limit };
	SW_AUTO_FD int fd = -1;
	int error;

	error = sw_instance_open(pin_dir, SW_ACCESS_READ, &instance);
	if (!error)
		error = sw_instance_map(&instance, "handshakes", sizeof(struct sw_handshake_bucket),
					&fd);
	if (!error)
		error = sw_entry_clock(&instance, &all.now_ms);
	if (!error)
		error = walk(fd, &all);
	if (error) {
		free(all.views);
		return error;
	}
	keep_oldest(&all);
	*list = (struct sw_handshake_list){ all.total, all.count, all.views };
	return 0;
}
