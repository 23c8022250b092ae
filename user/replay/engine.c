// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/percpu.h"
#include "../maps/table_sizes.h"
#include "../model/policy.h"
#include "../platform/bpf_log.h"
#include "../platform/netns.h"
#include "../platform/preflight.h"

#include <synward/load.h>
#include <synward/tables.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

/* Where the program cannot be made known, see below, each batch waits for the kernel: so few do. */
#define BATCH_FRAMES (32 * SW_REPLAY_BATCH)
#define BATCH_BYTES  (BATCH_FRAMES * sizeof(struct sw_replay_frame))

#define EVENT_RECORDS (2 * BATCH_FRAMES) /* a frame makes two events at most: none is ever lost */
#define EVENT_BYTES   (EVENT_RECORDS * sizeof(struct sw_event_record))
#define NS_PER_MS     1000000ULL
#define NS_PER_S      1000000000ULL
#define SWEEP_EVERY_S 3600ULL

#define SWEEP_CHUNK 2048U /* buckets, each of which may end SW_WAYS attempts */

_Static_assert(!(EVENT_RECORDS & (EVENT_RECORDS - 1)), "a power of two");
_Static_assert(SWEEP_CHUNK *SW_WAYS <= EVENT_RECORDS, "room for the events of a chunk");

/* What the map "replay_state" holds. */
struct feed_state {
	uint64_t now_ns;
	uint32_t length;
	uint32_t next;
};

struct sw_engine {
	struct sw_engine_setup setup;
	struct synward_bpf *skeleton;
	int known; /* the link that makes sw_feed known to the kernel, or -1 */
	const struct sw_event_record *events; /* as many as EVENT_RECORDS */
	uint64_t next_event;
	struct sw_replay_frame *batch;
	struct feed_state state;
	uint64_t swept_ns; /* the last sweep; 0: there was no frame yet */
	uint64_t seen_ns;  /* the last frame */
};

static int load_failed(const struct sw_engine *engine, int error)
{
	const char *reason = sw_bpf_log_reason();

	if (error == -ENOMEM || error == -E2BIG)
		return sw_error(error, "not enough memory for a replay with room for %u handshakes",
				engine->setup.handshakes);
	return sw_error(error, "the kernel refused the programs: %s%s%s; --verbose shows its log",
			sw_errno_text(error), reason[0] ? ": " : "", reason);
}

/* Each replay has its own seed: no capture can be made to fill one bucket. */
static int set_constants(struct sw_engine *engine)
{
	struct load_constants *load = &engine->skeleton->rodata->load;

	if (getrandom(load->seed, sizeof(load->seed), 0) != sizeof(load->seed))
		return sw_error(errno, "no random numbers: %s", sw_errno_text(errno));
	load->handshake_buckets = (engine->setup.handshakes + SW_WAYS - 1) / SW_WAYS;
	load->connection_buckets = (engine->setup.connections + SW_WAYS - 1) / SW_WAYS;
	load->event_records = EVENT_RECORDS;
	load->replay = 1;
	load->checksums = engine->setup.checksums;
	load->ordered_stores = SW_ORDERED_STORES;
	return 0;
}

static int set_sizes(struct synward_bpf *skeleton)
{
	const struct load_constants *load = &skeleton->rodata->load;
	int error = sw_size_tables(skeleton->obj, load->handshake_buckets,
				   load->connection_buckets);

	if (!error)
		error = bpf_map__set_max_entries(skeleton->maps.replay_batch, BATCH_FRAMES);
	if (!error)
		error = bpf_map__set_max_entries(skeleton->maps.events, EVENT_RECORDS);
	return error;
}

static void choose_programs(struct synward_bpf *skeleton)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, skeleton->obj) bpf_program__set_autoload(
		program, program == skeleton->progs.sw_xdp || program == skeleton->progs.sw_feed ||
				 program == skeleton->progs.sw_sweep);
}

static int fill_maps(const struct sw_engine *engine)
{
	const struct synward_bpf *skeleton = engine->skeleton;
	int program = bpf_program__fd(skeleton->progs.sw_xdp);
	SW_AUTO_FREE struct sw_policy *policy = calloc(1, sizeof(*policy));
	struct sw_settings settings = {};
	__u32 zero = 0;

	if (!policy)
		return -ENOMEM;
	sw_policy_default(policy);
	memcpy(settings.timeout_ms, engine->setup.timeout_ms, sizeof(settings.timeout_ms));
	if (bpf_map_update_elem(bpf_map__fd(skeleton->maps.policies), &zero, policy, BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(skeleton->maps.data_settings), &zero, &settings,
				BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(skeleton->maps.replay_target), &zero, &program,
				BPF_ANY))
		return sw_error(errno, "cannot set up the replay: %s", sw_errno_text(errno));
	return 0;
}

static int map_memory(struct sw_engine *engine)
{
	const struct synward_bpf *skeleton = engine->skeleton;
	void *batch = mmap(NULL, BATCH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			   bpf_map__fd(skeleton->maps.replay_batch), 0);
	void *events;

	if (batch == MAP_FAILED)
		return sw_error(errno, "cannot map the replay's frames: %s", sw_errno_text(errno));
	engine->batch = batch;
	events = mmap(NULL, EVENT_BYTES, PROT_READ, MAP_SHARED, bpf_map__fd(skeleton->maps.events),
		      0);
	if (events == MAP_FAILED)
		return sw_error(errno, "cannot open the events: %s", sw_errno_text(errno));
	engine->events = events;
	return 0;
}

static int load(struct sw_engine *engine)
{
	int error = sw_preflight_attach(); /* a replay needs what attaching needs */

	if (error)
		return error;
	engine->skeleton = synward_bpf__open();
	if (!engine->skeleton)
		return load_failed(engine, -errno);
	error = set_constants(engine);
	if (error)
		return error;
	choose_programs(engine->skeleton);
	error = set_sizes(engine->skeleton);
	if (!error)
		error = synward_bpf__load(engine->skeleton);
	if (error)
		return load_failed(engine, error);
	error = fill_maps(engine);
	return error ? error : map_memory(engine);
}

#define LOOPBACK 1 /* the first interface of each network namespace */

/*
 * A run of a program more than once makes the kernel wait, twice, for every CPU to let go of what it dispatched to before
 * (the dispatcher of XDP), which takes tens of milliseconds; but for a program that is attached somewhere. So it is, in a
 * network namespace of our own, where nothing comes by. Whoever may not make one waits.
 */
static void make_known(struct sw_engine *engine)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);

	if (!sw_netns_make(0))
		engine->known = bpf_link_create(bpf_program__fd(engine->skeleton->progs.sw_feed),
						LOOPBACK, BPF_XDP, &options);
}

int sw_engine_load(const struct sw_engine_setup *setup, struct sw_engine **engine)
{
	SW_AUTO_ENGINE struct sw_engine *made = calloc(1, sizeof(*made));
	int error;

	if (!made)
		return -ENOMEM;
	made->setup = *setup;
	made->known = -1;
	error = load(made);
	if (error)
		return error;
	make_known(made);
	*engine = made;
	made = NULL;
	return 0;
}

void sw_engine_free(struct sw_engine *engine)
{
	if (!engine)
		return;
	if (engine->events)
		munmap((void *)(uintptr_t)engine->events, EVENT_BYTES);
	if (engine->batch)
		munmap(engine->batch, BATCH_BYTES);
	sw_close_fd(&engine->known);
	synward_bpf__destroy(engine->skeleton);
	free(engine);
}

struct sw_replay_frame *sw_engine_batch(struct sw_engine *engine, uint32_t *room)
{
	*room = BATCH_FRAMES;
	return engine->batch;
}

/* Nobody writes events now, and there is room for all that were written. */
static int drain(struct sw_engine *engine)
{
	struct sw_event_head head;
	__u32 zero = 0;
	int answer = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(engine->skeleton->maps.data_event_head), &zero, &head))
		return sw_error(errno, "cannot read the events: %s", sw_errno_text(errno));
	while (!answer && engine->next_event < head.next)
		answer = engine->setup.take(
			&engine->events[engine->next_event++ & (EVENT_RECORDS - 1)].event,
			engine->setup.context);
	return answer;
}

/* Runs a program repeat times on a packet of its own. */
static int run(const struct bpf_program *program, const void *packet, size_t size, uint32_t repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = (__u32)size,
		    .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options))
		return sw_error(errno, "cannot run the program: %s", sw_errno_text(errno));
	if (options.retval != XDP_PASS)
		return sw_error(EIO, "the program %s failed in the kernel",
				bpf_program__name(program));
	return 0;
}

/* retval tells only of the last run, the state of how many took their frame. */
int sw_engine_feed(struct sw_engine *engine, uint32_t count)
{
	static const uint8_t packet[64];
	int state_fd = bpf_map__fd(engine->skeleton->maps.replay_state), error;
	__u32 zero = 0;

	if (!count)
		return 0;
	engine->state.next = 0;
	if (bpf_map_update_elem(state_fd, &zero, &engine->state, BPF_ANY))
		return sw_error(errno, "cannot start a batch: %s", sw_errno_text(errno));
	error = run(engine->skeleton->progs.sw_feed, packet, sizeof(packet), count);
	if (error)
		return error;
	if (bpf_map_lookup_elem(state_fd, &zero, &engine->state))
		return sw_error(errno, "cannot end a batch: %s", sw_errno_text(errno));
	if (engine->state.next != count)
		return sw_error(EIO, "the program took %u frames of %u", engine->state.next, count);
	return drain(engine);
}

bool sw_engine_is_due(struct sw_engine *engine, uint64_t time_ns)
{
	if (!engine->swept_ns)
		engine->swept_ns = engine->seen_ns = time_ns;
	if (time_ns - engine->swept_ns >= SWEEP_EVERY_S * NS_PER_S)
		return true;
	engine->seen_ns = time_ns;
	return false;
}

static int sweep(struct sw_engine *engine, uint32_t buckets, struct sw_sweep_request request)
{
	int error = 0;

	for (uint32_t first = 0; first < buckets && !error; first += SWEEP_CHUNK) {
		request.first = first;
		request.count = buckets - first < SWEEP_CHUNK ? buckets - first : SWEEP_CHUNK;
		error = run(engine->skeleton->progs.sw_sweep, &request, sizeof(request), 1);
		if (!error)
			error = drain(engine);
	}
	return error;
}

static int sweep_both(struct sw_engine *engine, bool force)
{
	const struct load_constants *load = &engine->skeleton->rodata->load;
	int error = sweep(engine, load->handshake_buckets,
			  (struct sw_sweep_request){ .force = force });

	return error ? error :
		       sweep(engine, load->connection_buckets,
			     (struct sw_sweep_request){ .force = force, .connections = 1 });
}

static int set_clock(struct sw_engine *engine, uint64_t now_ns)
{
	__u32 zero = 0;

	engine->state.now_ns = now_ns;
	if (bpf_map_update_elem(bpf_map__fd(engine->skeleton->maps.replay_state), &zero,
				&engine->state, BPF_ANY))
		return sw_error(errno, "cannot start a batch: %s", sw_errno_text(errno));
	return 0;
}

/*
 * After a silence that no timeout outlasts nothing is left, whatever the tables' times may say:
 * they cannot tell 50 days from none. The second round takes away what the first one left for
 * stragglers.
 *
 * Otherwise the sweeper's clock is behind the frame's by as long as what it judges is kept: that
 * is then over, and a new attempt with the numbers of one that is long past is not one of its
 * stragglers. What ends in between is left to the next round. No other time is as old as half the
 * modulus: that is longer than SW_MAX_TIMEOUT_MS and the time between two rounds.
 */
int sw_engine_pass_time(struct sw_engine *engine, uint64_t time_ns)
{
	const uint32_t *timeout_ms = engine->setup.timeout_ms;
	uint64_t behind_ns = (timeout_ms[SW_TIMEOUT_CLOSED] + 1) * NS_PER_MS, longest_ns = 0;
	bool force;
	int error;

	for (int i = 0; i < SW_TIMEOUT_COUNT; i++)
		if (timeout_ms[i] * NS_PER_MS > longest_ns)
			longest_ns = timeout_ms[i] * NS_PER_MS;
	force = time_ns - engine->seen_ns > longest_ns + NS_PER_MS;
	if (force || behind_ns > SWEEP_EVERY_S * NS_PER_S)
		behind_ns = 0;
	error = set_clock(engine, time_ns - behind_ns);
	if (!error)
		error = sweep_both(engine, force);
	if (!error && force)
		error = sweep_both(engine, force);
	engine->swept_ns = engine->seen_ns = time_ns;
	return error;
}

int sw_engine_finish(struct sw_engine *engine)
{
	return sweep(engine, engine->skeleton->rodata->load.handshake_buckets,
		     (struct sw_sweep_request){ .force = 1 });
}

int sw_engine_counters(const struct sw_engine *engine, struct sw_counters *counters)
{
	int error = sw_percpu_sum(bpf_map__fd(engine->skeleton->maps.counters), 0, counters,
				  sizeof(*counters));

	if (error)
		return sw_error(error, "cannot read the counters: %s", sw_errno_text(error));
	return 0;
}

int sw_engine_traffic(const struct sw_engine *engine, struct sw_interface_traffic *traffic)
{
	int error = sw_percpu_sum(bpf_map__fd(engine->skeleton->maps.traffic), 0, traffic,
				  sizeof(*traffic));

	return error ? sw_error(error, "cannot read the traffic: %s", sw_errno_text(error)) : 0;
}
