// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the half-open handshakes out of their table. */
#include "readers.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/policy_slot.h"
#include "../maps/sweeper.h"
#include "../model/policy.h"
#include "../model/snapshot.h"
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
	const struct sw_handshake_filter *filter;
	const struct sw_policy *policy; /* NULL: no service is asked for */
	unsigned int service;
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
	if (all->filter->limit && all->count > all->filter->limit)
		all->count = all->filter->limit;
}

/* With a limit, twice as many and some are held, so that a million need not be. */
static int make_room(struct collection *all)
{
	uint64_t room = all->room ? all->room * 2 : 1024;
	struct sw_handshake_view *views;

	if (all->count < all->room)
		return 0;
	if (all->filter->limit && all->count >= 2 * all->filter->limit + 512) {
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

static bool is_meant(const struct collection *all, const struct sw_handshake_view *view)
{
	const struct sw_handshake_filter *filter = all->filter;
	const struct sw_attempt *from = &view->attempt;

	return view->age_ms >= filter->min_age_ms &&
	       (!filter->port || from->resp_port == filter->port) &&
	       (filter->phase == SW_PHASE_NONE || from->phase == filter->phase) &&
	       (!all->policy ||
		sw_policy_find(all->policy, &from->resp, from->resp_port) == all->service);
}

static int collect(struct collection *all, const struct sw_handshake_bucket *bucket)
{
	for (unsigned int way = 0; way < SW_WAYS; way++) {
		const struct sw_attempt *attempt = &bucket->attempts[way];
		int32_t left = (int32_t)(bucket->expires_ms[way] - all->now_ms);
		int32_t age = (int32_t)(all->now_ms - attempt->started_ms);
		struct sw_handshake_view view = {
			.attempt = *attempt,
			/* less than nothing: made since we asked for the time */
			.age_ms = age > 0 ? (uint32_t)age : 0,
			.expires_ms = (uint32_t)left,
		};
		int error;

		if (!bucket->tags[way] || attempt->phase == SW_PHASE_NONE ||
		    attempt->phase == SW_PHASE_STRAY || left <= 0 ||
		    attempt->seen & (SW_IS_REPORTED | SW_SAW_END) || !is_meant(all, &view))
			continue;
		all->total++;
		error = make_room(all);
		if (error)
			return error;
		all->views[all->count++] = view;
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

/* Names the service by its number in the active policy, which is read into policy. */
static int find_service(const struct sw_instance *instance, struct collection *all,
			struct sw_policy *policy)
{
	struct sw_policy_state state;
	int error = policy ? sw_policy_read(instance, policy, &state) : -ENOMEM, found;

	if (error)
		return error;
	found = sw_policy_service(policy, all->filter->service);
	if (found < 0)
		return sw_error(ESRCH,
				"the active policy has no service %s: 'synward policy show' prints "
				"it",
				all->filter->service);
	all->service = (unsigned int)found;
	all->policy = policy;
	return 0;
}

int sw_handshakes_read(const char *pin_dir, const struct sw_handshake_filter *filter,
		       struct sw_handshake_list *list)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	SW_AUTO_FREE struct sw_policy *policy = NULL;
	struct collection all = { .filter = filter };
	SW_AUTO_FD int fd = -1;
	int error;

	if (filter->service)
		policy = malloc(sizeof(*policy));

	error = sw_instance_open(pin_dir, SW_ACCESS_READ, &instance);
	if (!error)
		error = sw_instance_map(&instance, "handshakes", sizeof(struct sw_handshake_bucket),
					&fd);
	if (!error && filter->service)
		error = find_service(&instance, &all, policy);
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
