/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_LOAD_H
#define SYNWARD_BENCH_LOAD_H

/* Loads synward's programs as attach does, with the policy of a target; attaches and pins nothing. */

#include "../bpf/core/prefixes.h"
#include "../user/base/cleanup.h"
#include "../user/base/error.h"
#include "../user/model/policy.h"
#include "../user/maps/table_sizes.h"
#include "cases.h"
#include "heard.h"
#include "listed.h"

#include <synward/anomaly.h>
#include <synward/config.h>
#include <synward/cookie.h>
#include <synward/list.h>
#include <synward/load.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define LARGE_TABLE (1U << 20)

/* What the programs of a target are made for; no handshakes: they are not synward's. */
static const struct bench_setup {
	uint32_t handshakes;
	uint64_t drop; /* anomalies; any: the policy enforces */
	bool flood;
	uint32_t blocked; /* so many of the listed sources, 1: all, by one prefix */
	bool elsewhere;	  /* not those, but as many others */
	uint32_t allowed;
} setups[TARGET_COUNT] = {
	[TARGET_SYNWARD] = { .handshakes = SW_DEFAULT_HANDSHAKES },
	[TARGET_SYNWARD_LARGE] = { .handshakes = LARGE_TABLE },
	[TARGET_SYNWARD_STRICT] = { .handshakes = SW_DEFAULT_HANDSHAKES,
				    .drop = SW_MASK_DROP | SW_MASK_DROP_SYM | SW_MASK_STRICT },
	[TARGET_SYNWARD_BLOCK] = { .handshakes = SW_DEFAULT_HANDSHAKES,
				   .drop = SW_MASK_DROP,
				   .blocked = BENCH_LISTED },
	[TARGET_SYNWARD_ALLOW] = { .handshakes = SW_DEFAULT_HANDSHAKES,
				   .drop = SW_MASK_DROP,
				   .blocked = BENCH_LISTED,
				   .elsewhere = true,
				   .allowed = BENCH_LISTED },
	[TARGET_SYNWARD_BOTH] = { .handshakes = SW_DEFAULT_HANDSHAKES,
				  .drop = SW_MASK_DROP,
				  .blocked = 1,
				  .allowed = BENCH_LISTED },
	[TARGET_SYNWARD_FLOOD] = { .handshakes = SW_DEFAULT_HANDSHAKES,
				   .drop = SW_MASK_DROP,
				   .flood = true },
};

static inline int load_failed(int error)
{
	if (error == -EPERM)
		return sw_error(error,
				"the kernel lets nobody but root load and run programs here: "
				"run as root");
	return sw_error(error, "the kernel refused the programs: %s", sw_errno_text(error));
}

static inline int run_once(int program, struct frame *frame, __u32 *verdict)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->bytes, .data_size_in = frame->length);

	if (bpf_prog_test_run_opts(program, &run))
		return sw_error(errno, "BPF_PROG_TEST_RUN failed: %s", sw_errno_text(errno));
	*verdict = run.retval;
	return 0;
}

static inline int write_key(const struct bpf_map *map, __u32 key, const void *value)
{
	if (bpf_map_update_elem(bpf_map__fd(map), &key, value, BPF_ANY))
		return sw_error(errno, "cannot write the map %s: %s", bpf_map__name(map),
				sw_errno_text(errno));
	return 0;
}

static inline int random_bytes(void *to, size_t size)
{
	if (getrandom(to, size, 0) == (ssize_t)size)
		return 0;
	return sw_error(errno, "the kernel gives no random numbers: %s", sw_errno_text(errno));
}

/* ---- lists */

/* The memory of a table of a list, as it is written to the maps. */
struct list_memory {
	struct sw_list_table about;
	struct sw_list_bucket *buckets;
	struct sw_list_filter *filter;
};

/* The sources of a /8 that are listed, or for count 1 all of it. */
static inline void fill_list(struct list_memory *list, uint32_t count, uint8_t net,
			     const __u64 seed[2])
{
	struct sw_prefixes table = { .about = &list->about,
				     .buckets = list->buckets,
				     .filter = list->filter,
				     .seed = { seed[0], seed[1] } };

	for (uint32_t i = 0; i < count; i++) {
		struct sw_list_key key = { .length = count == 1 ? 96 + 8 : 128 };

		key.addr.words[2] = SW_V4_MAPPED_WORD;
		key.addr.words[3] = count == 1 ? 10 : bench_listed(i);
		key.addr.bytes[12] = net;
		sw_list_key_hash(&key, seed);
		sw_prefixes_insert(&table, &key, 0, 0);
	}
}

/* Makes an inner map of the rows and puts it into its map of maps. */
static inline int write_rows(const struct bpf_map *outer, __u32 key, const void *rows,
			     uint32_t count, uint32_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	SW_AUTO_FREE __u32 *keys = malloc(count * sizeof(*keys));
	SW_AUTO_FD int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bench_list", sizeof(*keys), size,
					    count, &options);
	__u32 written = count;

	for (uint32_t i = 0; keys && i < count; i++)
		keys[i] = i;
	if (!keys || map < 0 || bpf_map_update_batch(map, keys, rows, &written, NULL))
		return sw_error(errno, "cannot make a list: %s", sw_errno_text(errno));
	return write_key(outer, key, &map);
}

static inline int write_list(const struct synward_bpf *skeleton, enum sw_list which, uint32_t count,
			     uint8_t net, struct sw_settings *settings)
{
	struct list_memory list = { .about.buckets = SW_MIN_BUCKETS };
	struct sw_list_header header = {};
	uint32_t rows;
	int error;

	while (list.about.buckets * SW_LIST_WAYS < count * 2)
		list.about.buckets *= 2;
	rows = sw_list_filter_rows(list.about.buckets);
	list.buckets = calloc(list.about.buckets, sizeof(*list.buckets));
	list.filter = calloc(rows, sizeof(*list.filter));
	if (!list.buckets || !list.filter)
		return -ENOMEM;
	fill_list(&list, count, net, skeleton->rodata->load.seed);
	error = list.about.entries == count ? 0 : sw_error(EIO, "the list is not whole");
	if (!error)
		error = write_rows(skeleton->maps.list_buckets, sw_list_index(which, 0),
				   list.buckets, list.about.buckets, sizeof(*list.buckets));
	if (!error)
		error = write_rows(skeleton->maps.list_filters, sw_list_index(which, 0),
				   list.filter, rows, sizeof(*list.filter));
	header.tables[0] = list.about;
	if (!error)
		error = write_key(skeleton->maps.list_headers, which, &header);
	settings->lists |= 1U << which;
	free(list.buckets);
	free(list.filter);
	return error;
}

/* ---- the policy */

static inline int write_policy(const struct synward_bpf *skeleton, const struct bench_setup *setup,
			       struct sw_settings *settings)
{
	SW_AUTO_FREE struct sw_policy *policy = malloc(sizeof(*policy));
	struct sw_rules *rules;
	const __u32 armed = 1;
	int error;

	if (!policy)
		return -ENOMEM;
	sw_policy_default(policy);
	rules = &policy->rules[SW_SERVICE_DEFAULT];
	if (setup->drop)
		rules->drop = setup->drop;
	rules->enforce = !!setup->drop;
	rules->flood.mode = setup->flood ? SW_FLOOD_ALWAYS : SW_FLOOD_OFF;
	error = sw_policy_compile(policy);
	settings->policy = policy->features << SW_POLICY_FEATURE_SHIFT;
	if (!error)
		error = write_key(skeleton->maps.policies, 0, policy);
	return error ? error : write_key(skeleton->maps.data_armed, 0, &armed);
}

/* Keys, what is offered, and that there is a flood already. */
static inline int write_cookies(const struct synward_bpf *skeleton)
{
	const struct sw_cookie_offer offer = { .mss4 = 1460,
					       .mss6 = 1440,
					       .window = 64240,
					       .wscale = 7,
					       .ttl = 64,
					       .options = SW_OFFER_ALL,
					       .ways = { SW_WAY_HANDOVER } };
	const struct sw_flood_state flood = { .on = 1, .honour = 1 };
	struct sw_cookie_keys keys = {};
	int error = random_bytes(keys.secrets, sizeof(keys.secrets));

	if (!error)
		error = write_key(skeleton->maps.cookie_keys, 0, &keys);
	if (!error)
		error = write_key(skeleton->maps.cookie_offers, 0, &offer);
	return error ? error : write_key(skeleton->maps.floods, SW_SERVICE_DEFAULT, &flood);
}

static inline int configure(const struct synward_bpf *skeleton, const struct bench_setup *setup)
{
	struct sw_settings settings = {
		.timeout_ms = {
#define X(id, name, ms, meaning) [SW_TIMEOUT_##id] = ms,
			SW_TIMEOUTS(X)
#undef X
		},
		.events_per_second = SW_DEFAULT_EVENTS_PER_SECOND,
		.event_anomalies = SW_MASK_DROP | SW_MASK_DROP_SYM,
		.cookies_sent = setup->flood,
	};
	int error = write_policy(skeleton, setup, &settings);

	if (!error && setup->flood)
		error = write_cookies(skeleton);
	if (!error && setup->blocked)
		error = write_list(skeleton, SW_LIST_BLOCK, setup->blocked,
				   setup->elsewhere ? 11 : 10, &settings);
	if (!error && setup->allowed)
		error = write_list(skeleton, SW_LIST_ALLOW, setup->allowed, 10, &settings);
	return error ? error : write_key(skeleton->maps.data_settings, 0, &settings);
}

/* A SYN is answered only in the stead of who was heard: just now, which counts for a second. */
static inline int hear_responder(const struct synward_bpf *skeleton)
{
	struct frame frame = frame_make(FRAME_UDP, false);
	__u32 now_ms = 0;
	int error = run_once(bpf_program__fd(skeleton->progs.sw_clock), &frame, &now_ms);

	return error ? error :
		       write_heard(bpf_map__fd(skeleton->maps.addressees),
				   (const struct load_constants *)&skeleton->rodata->load, now_ms);
}

static inline int load_synward(const struct bench_setup *setup, struct synward_bpf **loaded)
{
	struct synward_bpf *skeleton = synward_bpf__open();
	struct timespec tick = { .tv_nsec = 4000000 };
	struct frame frame = frame_make(FRAME_UDP, false);
	struct load_constants *load;
	__u32 verdict = 0;
	int error;

	if (!skeleton)
		return load_failed(-errno);
	*loaded = skeleton;
	bpf_program__set_autoload(skeleton->progs.sw_handover, false);
	load = &skeleton->rodata->load;
	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	load->tick_ms_q20 = (__u32)((((__u64)tick.tv_nsec << 20) + 500000) / 1000000);
	load->ordered_stores = SW_ORDERED_STORES;
	load->handshake_buckets = setup->handshakes / SW_WAYS;
	error = random_bytes(load->seed, sizeof(load->seed));
	if (error)
		return error;
	error = sw_size_tables(skeleton->obj, load->handshake_buckets, load->connection_buckets);
	if (!error)
		error = synward_bpf__load(skeleton);
	if (error)
		return load_failed(error);
	error = configure(skeleton, setup);
	if (error)
		return error;
	error = run_once(bpf_program__fd(skeleton->progs.sw_arm), &frame, &verdict);
	if (!error && verdict != XDP_PASS)
		return sw_error(EIO, "the kernel did not start the sweeper's timer");
	return error;
}

#endif
