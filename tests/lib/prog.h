/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_PROG_H
#define SYNWARD_TESTS_PROG_H

/*
 * The loaded program, fed by BPF_PROG_TEST_RUN with a clock of our own, attached and pinned
 * nowhere. It takes the same setup as host.h and gives the same result. A test cannot go on when
 * the kernel refuses something here, so that ends it, with the reason.
 */

#include "prog_load.h"

/* The policy of a setup: one row for everything. It is active from here on. */
static inline void prog_set_policy(struct prog *prog, struct setup *setup)
{
	struct sw_policy *policy = malloc(sizeof(*policy));
	const __u32 armed = 1;

	must(policy, "malloc");
	sw_policy_default(policy);
	policy->rules[SW_SERVICE_DEFAULT] = setup->rules;
	memcpy(policy->rules[SW_SERVICE_DEFAULT].timeout_ms, setup->settings.timeout_ms,
	       sizeof(setup->settings.timeout_ms));
	must(sw_policy_compile(policy) == 0, "compile");
	setup->settings.policy = policy->features << SW_POLICY_FEATURE_SHIFT;
	prog_set(prog->skeleton->maps.policies, policy);
	prog_set(prog->skeleton->maps.data_armed, &armed);
	prog_set(prog->skeleton->maps.data_settings, &setup->settings);
	free(policy);
}

/* Another reader of the events, who sees those that are still there. */
static inline void prog_open_journal(const struct prog *prog, struct sw_event_journal *journal)
{
	must(!sw_event_journal_open(dup(bpf_map__fd(prog->skeleton->maps.data_event_head)),
				    dup(bpf_map__fd(prog->skeleton->maps.events)), journal),
	     "sw_event_journal_open");
}

#define LOOPBACK 1 /* that of the world's own network namespace, by which nothing comes */

/*
 * Makes the kernel know a program as one that is in use. To know a new one, or one no more, it waits for all processors (the
 * dispatcher of XDP), and it does both for each run of more than one packet whose program is not: some 30 ms, for which
 * it does nothing. Where another one is attached already, they are waited for.
 */
static inline void prog_keep(struct prog *prog, const struct bpf_program *program)
{
	prog->kept = bpf_program__attach_xdp(program, LOOPBACK);
}

/* Loads a program of its own, with a journal of so many events, a power of two. */
static inline void prog_open(struct prog *prog, const struct setup *setup, __u32 event_records)
{
	size_t size = SW_REPLAY_BATCH * sizeof(*prog->batch);
	int target;

	memset(prog, 0, sizeof(*prog));
	prog->setup = *setup;
	prog->now_ns = setup->start_ns;
	prog_load(prog, 0, event_records, NULL);
	if (setup->tc)
		prog_load_tc(prog, event_records);
	target = bpf_program__fd(prog->skeleton->progs.sw_xdp);
	prog_set(prog->skeleton->maps.replay_target, &target);
	prog_keep(prog, setup->live ? prog->skeleton->progs.sw_xdp : prog->skeleton->progs.sw_feed);
	prog_set_policy(prog, &prog->setup);
	prog->batch = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			   bpf_map__fd(prog->skeleton->maps.replay_batch), 0);
	must(prog->batch != MAP_FAILED, "mmap");
	prog_open_journal(prog, &prog->journal);
}

/* Reads the next event, if there is one. */
static inline bool prog_next_event(struct prog *prog, struct sw_event_record *record)
{
	return sw_event_journal_next(&prog->journal, record);
}

/* Those that were before are not read. */
static inline void prog_skip_events(struct prog *prog)
{
	prog->journal.next = sw_event_journal_head(&prog->journal);
	prog->journal.missed = 0;
}

/*
 * The programs of another interface of the same host, in another slot; they have no batch. The clock is the
 * one that was set last.
 */
static inline void prog_open_beside(struct prog *prog, const struct prog *first, __u8 slot)
{
	memset(prog, 0, sizeof(*prog));
	prog->setup = first->setup;
	prog->now_ns = first->now_ns;
	prog_load(prog, slot, bpf_map__max_entries(first->skeleton->maps.events), first->skeleton);
}

static inline void prog_close_beside(struct prog *prog)
{
	synward_bpf__destroy(prog->skeleton);
}

/* Which interface has the slot, as attach notes it. */
static inline void prog_note_interface(const struct prog *prog, __u32 slot, __u32 ifindex)
{
	const struct sw_interface interface = { .ifindex = ifindex, .tc_hook = SW_TC_TCX };
	const struct sw_interface_key key = { .ifindex = ifindex };

	must(!bpf_map_update_elem(bpf_map__fd(prog->skeleton->maps.interfaces), &slot, &interface,
				  BPF_ANY),
	     "interfaces");
	must(!bpf_map_update_elem(bpf_map__fd(prog->skeleton->maps.attached), &key, &slot, BPF_ANY),
	     "attached");
}

/* The host has an address in a network namespace, or has it no more. */
static inline void prog_note_address(const struct prog *prog, const struct sw_addr *addr,
				     __u32 netns)
{
	const struct sw_own_address own = { .addr = *addr, .netns = netns };
	const __u32 here = 1;

	must(!bpf_map_update_elem(bpf_map__fd(prog->skeleton->maps.own_addresses), &own, &here,
				  BPF_ANY),
	     "own_addresses");
}

static inline void prog_forget_address(const struct prog *prog, const struct sw_addr *addr,
				       __u32 netns)
{
	const struct sw_own_address own = { .addr = *addr, .netns = netns };

	bpf_map_delete_elem(bpf_map__fd(prog->skeleton->maps.own_addresses), &own);
}

static inline void prog_close(struct prog *prog)
{
	sw_event_journal_close(&prog->journal);
	munmap(prog->batch, SW_REPLAY_BATCH * sizeof(*prog->batch));
	bpf_link__destroy(prog->kept);
	synward_tc_bpf__destroy(prog->tc);
	synward_bpf__destroy(prog->skeleton);
}

/* All of a test program: its cases, by cmocka, with a program that is loaded once. How many failed. */
#define prog_run(prog, setup, event_records, tests)                                                \
	({                                                                                         \
		int failed_cases;                                                                  \
                                                                                                   \
		prog_open(prog, setup, event_records);                                             \
		failed_cases = cmocka_run_group_tests(tests, NULL, NULL);                          \
		prog_close(prog);                                                                  \
		failed_cases;                                                                      \
	})

/* ---- time and tables */

static inline void prog_set_clock(struct prog *prog, __u32 length)
{
	struct prog_clock clock = { .now_ns = prog->now_ns, .length = length };

	prog_set(prog->skeleton->maps.replay_state, &clock);
}

/* All zeros into each element; of a map of each CPU's, for all of them. */
static inline void prog_clear(const struct bpf_map *map, __u32 copies)
{
	__u32 count = bpf_map__max_entries(map), n = count;
	SW_AUTO_FREE __u32 *keys = calloc(count, sizeof(*keys));
	SW_AUTO_FREE void *zeros = calloc((size_t)count * copies,
					  (bpf_map__value_size(map) + 7) / 8 * 8);

	must(keys && zeros, "calloc");
	for (__u32 i = 0; i < count; i++)
		keys[i] = i;
	must(bpf_map_update_batch(bpf_map__fd(map), keys, zeros, &n, NULL) == 0 && n == count,
	     bpf_map__name(map));
}

/* Everything as after loading; settings may be others, sizes and seed may not. */
static inline void prog_reset(struct prog *prog, const struct setup *setup)
{
	prog->setup.settings = setup->settings;
	prog->setup.rules = setup->rules;
	prog->setup.start_ns = setup->start_ns;
	prog->now_ns = setup->start_ns;
	prog_set_policy(prog, &prog->setup);
	prog_clear(prog->skeleton->maps.handshakes, 1);
	prog_clear(prog->skeleton->maps.handshake_hints, 1);
	prog_clear(prog->skeleton->maps.glimpses, 1);
	prog_clear(prog->skeleton->maps.connections, 1);
	prog_clear(prog->skeleton->maps.connection_filter, 1);
	prog_clear(prog->skeleton->maps.connection_hints, 1);
	prog_clear(prog->skeleton->maps.service_state, 1);
	prog_clear(prog->skeleton->maps.counters, sw_cpu_count());
	prog_clear(prog->skeleton->maps.traffic, sw_cpu_count());
	prog_clear(prog->skeleton->maps.budgets, sw_cpu_count());
}

/* Copies a whole table out; the caller frees it. */
static inline void *prog_table(const struct bpf_map *map)
{
	__u32 count = bpf_map__max_entries(map), size = bpf_map__value_size(map), out, n = count;
	SW_AUTO_FREE __u32 *keys = calloc(count, sizeof(*keys));
	char *table = calloc(count, size);

	must(keys && table, "calloc");
	must(bpf_map_lookup_batch(bpf_map__fd(map), NULL, &out, keys, table, &n, NULL) == 0 ||
		     errno == ENOENT,
	     bpf_map__name(map));
	must(n == count, "the whole table");
	return table;
}

/* Of how many buckets does a hint or the filter not say what is in them? That of handshakes may say more. */
static inline __u32 prog_wrong_hints(const struct prog *prog)
{
	SW_AUTO_FREE struct sw_connection_bucket *buckets =
		prog_table(prog->skeleton->maps.connections);
	SW_AUTO_FREE struct sw_connection_filter *rows =
		prog_table(prog->skeleton->maps.connection_filter);
	SW_AUTO_FREE struct sw_hints *hints = prog_table(prog->skeleton->maps.connection_hints);
	SW_AUTO_FREE struct sw_handshake_bucket *attempts =
		prog_table(prog->skeleton->maps.handshakes);
	SW_AUTO_FREE struct sw_hints *said = prog_table(prog->skeleton->maps.handshake_hints);
	__u32 wrong = 0;

	for (__u32 i = 0; i < prog->setup.connection_buckets; i++) {
		bool right = hints[i / SW_HINTED].of[i % SW_HINTED] == sw_hint_of(buckets[i].tags);

		for (__u32 way = 0; way < SW_WAYS; way++)
			right &= !buckets[i].tags[way] ||
				 sw_filter_has(rows[i].all, buckets[i].tags[way]);
		wrong += !right;
	}
	for (__u32 i = 0; i < prog->setup.handshake_buckets; i++)
		wrong += sw_hint_of(attempts[i].tags) & ~said[i / SW_HINTED].of[i % SW_HINTED] ? 1 :
												 0;
	return wrong;
}

static inline struct result prog_result(const struct prog *prog)
{
	struct sw_interface_traffic traffic = {};
	struct result result = {};
	const __u64 *tallies = result.counters.tallies;

	must(sw_percpu_sum(bpf_map__fd(prog->skeleton->maps.counters), 0, &result.counters,
			   sizeof(result.counters)) == 0,
	     "counters");
	must(sw_percpu_sum(bpf_map__fd(prog->skeleton->maps.traffic), 0, &traffic,
			   sizeof(traffic)) == 0,
	     "traffic");
	memcpy(result.traffic, traffic.directions, sizeof(result.traffic));
	result.events = tallies[SW_TALLY_EVENTS_SENT] + tallies[SW_TALLY_EVENTS_SUPPRESSED] +
			tallies[SW_TALLY_EVENTS_LOST];
	return result;
}

/* ---- packets */

static inline __u32 prog_test_run(struct prog *prog, const struct bpf_program *program,
				  const void *bytes, __u32 length, __u32 repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = bytes, .data_size_in = length,
		    .data_out = prog->after, .data_size_out = sizeof(prog->after),
		    .repeat = repeat);

	must(bpf_prog_test_run_opts(bpf_program__fd(program), &run) == 0,
	     bpf_program__name(program));
	prog->after_length = run.data_size_out;
	return run.retval;
}

static inline const struct bpf_program *prog_of(const struct prog *prog, enum hook hook)
{
	switch (hook) {
	case HOOK_EGRESS:
		return prog->skeleton->progs.sw_egress;
	case HOOK_TC:
		return prog->tc->progs.sw_tc;
	default:
		return prog->skeleton->progs.sw_xdp;
	}
}

/* One frame by itself. Returns the verdict of the program. */
static inline __u32 prog_frame(struct prog *prog, enum hook hook, const struct frame *frame)
{
	prog_set_clock(prog, frame->length);
	return prog_test_run(prog, prog_of(prog, hook), frame->bytes, frame->captured, 1);
}

/* A frame that came in by another interface, which is attached or not, leaves by this one. */
static inline void prog_forward(struct prog *prog, const struct frame *frame, __u32 came_by)
{
	struct __sk_buff context = { .ingress_ifindex = came_by };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->bytes,
		    .data_size_in = frame->captured, .ctx_in = &context,
		    .ctx_size_in = sizeof(context));

	prog_set_clock(prog, frame->length);
	must(bpf_prog_test_run_opts(bpf_program__fd(prog->skeleton->progs.sw_egress), &run) == 0 &&
		     (int)run.retval == TC_ACT_UNSPEC,
	     "sw_egress");
}

/* From here on the kernel's timer sweeps, until the program is closed. */
static inline void prog_start_sweeper(struct prog *prog)
{
	static const __u8 packet[64];

	must(prog_test_run(prog, prog->skeleton->progs.sw_arm, packet, sizeof(packet), 1) ==
		     XDP_PASS,
	     "sw_arm");
}

/* count frames in one call, as a replay feeds them. Returns the verdict on the last. */
static inline __u32 prog_feed(struct prog *prog, __u32 count)
{
	static const __u8 room[SW_REPLAY_MAX_FRAME];

	must(count <= SW_REPLAY_BATCH, "batch");
	prog_set_clock(prog, 0);
	return count ? prog_test_run(prog, prog->skeleton->progs.sw_feed, room, sizeof(room),
				     count) :
		       XDP_PASS;
}

/* Puts a frame into the batch; what does not fit is cut off, as a capture would. */
static inline void prog_batch(struct prog *prog, __u32 at, const struct frame *frame, __u64 now_ns)
{
	struct sw_replay_frame *to = &prog->batch[at];

	to->time_ns = now_ns;
	to->length = frame->length;
	to->captured = frame->captured < SW_REPLAY_MAX_FRAME ? frame->captured :
							       SW_REPLAY_MAX_FRAME;
	memcpy(to->bytes, frame->bytes, to->captured);
}

static inline void prog_sweep_some(struct prog *prog, const struct sw_sweep_request *request)
{
	prog_set_clock(prog, 0);
	must(prog_test_run(prog, prog->skeleton->progs.sw_sweep, request, sizeof(*request), 1) ==
		     XDP_PASS,
	     "sw_sweep");
}

/* Sweeps all handshakes at the current time; as host_sweep(). */
static inline void prog_sweep(struct prog *prog, bool force)
{
	struct sw_sweep_request request = { .count = prog->setup.handshake_buckets,
					    .force = force };

	prog_sweep_some(prog, &request);
}

/* And all connections; as host_sweep_connections(). */
static inline void prog_sweep_connections(struct prog *prog, bool force)
{
	struct sw_sweep_request request = { .count = prog->setup.connection_buckets,
					    .force = force,
					    .connections = 1 };

	prog_sweep_some(prog, &request);
}

#endif
