/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_PROG_LOAD_H
#define SYNWARD_TESTS_PROG_LOAD_H

/* How the tests of the loaded program load it. */

#include "../../include/synward/load.h"
#include "../../include/synward/replay.h"
#include "../../user/base/cleanup.h"
#include "../../user/model/policy.h"
#include "../../user/hooks/handover.h"
#include "../../user/maps/event_journal.h"
#include "../../user/maps/map_name.h"
#include "../../user/maps/percpu.h"
#include "../../user/maps/table_sizes.h"
#include "host.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "synward_tc.skel.h"

enum hook {
	HOOK_XDP,
	HOOK_EGRESS,
	HOOK_TC, /* of what comes in */
};

struct prog {
	struct setup setup;
	struct synward_bpf *skeleton;
	struct synward_tc_bpf *tc;     /* NULL, unless the setup wants it */
	struct bpf_link *kept;	       /* see prog_keep() */
	struct sw_replay_frame *batch; /* the map replay_batch */
	struct sw_event_journal journal;
	__u64 now_ns;
	__u8 after[FRAME_MAX]; /* the packet as the program left it */
	__u32 after_length;
};

/* The value of the map replay_state, as bpf/replay.h has it. */
struct prog_clock {
	__u64 now_ns;
	__u32 length;
	__u32 next;
};

static inline void must(bool worked, const char *what)
{
	if (worked)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	abort();
}

static inline void prog_set(const struct bpf_map *map, const void *value)
{
	__u32 zero = 0;

	must(bpf_map_update_elem(bpf_map__fd(map), &zero, value, BPF_ANY) == 0, bpf_map__name(map));
}

/* Of the kernel's coarse clock. */
static inline __u32 prog_tick_ms(void)
{
	struct timespec resolution;

	must(!clock_getres(CLOCK_MONOTONIC_COARSE, &resolution), "clock_getres");
	return (resolution.tv_nsec + 500000) / 1000000;
}

/* All maps but its own are those of another object, as attach shares them by their pins. */
static inline void prog_share_maps(struct bpf_object *object, const struct synward_bpf *of)
{
	const struct bpf_map *theirs;
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		theirs = bpf_object__find_map_by_name(of->obj, bpf_map__name(map));
		must(sw_map_is_private(map) || !theirs ||
			     !bpf_map__reuse_fd(map, bpf_map__fd(theirs)),
		     bpf_map__name(map));
	}
}

static inline void prog_set_constants(const struct prog *prog, __u8 slot, __u32 event_records,
				      struct load_constants *load)
{
	load->slot = slot;
	load->seed[0] = prog->setup.seed[0];
	load->seed[1] = prog->setup.seed[1];
	load->handshake_buckets = prog->setup.handshake_buckets;
	load->connection_buckets = prog->setup.connection_buckets;
	load->event_records = event_records;
	load->followed = prog->setup.followed;
	load->burst = prog->setup.burst;
	load->replay = !prog->setup.live;
	load->tick_ms_q20 = prog_tick_ms() << 20;
	load->ordered_stores = SW_ORDERED_STORES;
	load->checksums = prog->setup.checksums;
	load->raw_cookies = sw_raw_cookies_are_possible();
	load->handover = sw_handover_is_possible();
}

static inline void prog_set_sizes(const struct prog *prog, struct bpf_object *object)
{
	must(sw_size_tables(object, prog->setup.handshake_buckets,
			    prog->setup.connection_buckets) == 0,
	     "set the sizes of the tables");
}

/* of: whose maps they are to be; NULL: its own. */
static inline void prog_load(struct prog *prog, __u8 slot, __u32 event_records,
			     const struct synward_bpf *of)
{
	struct synward_bpf *skeleton = synward_bpf__open();

	must(skeleton, "open");
	prog_set_constants(prog, slot, event_records, &skeleton->rodata->load);
	bpf_program__set_autoload(skeleton->progs.sw_handover, sw_handover_is_possible());
	bpf_program__set_autoload(skeleton->progs.sw_xdp_frags, prog->setup.frags);
	prog_set_sizes(prog, skeleton->obj);
	bpf_map__set_max_entries(skeleton->maps.replay_batch, SW_REPLAY_BATCH);
	bpf_map__set_max_entries(skeleton->maps.events, event_records);
	if (of)
		prog_share_maps(skeleton->obj, of);
	must(synward_bpf__load(skeleton) == 0, "load");
	prog->skeleton = skeleton;
}

static inline void prog_load_tc(struct prog *prog, __u32 event_records)
{
	prog->tc = synward_tc_bpf__open();
	must(prog->tc, "open");
	prog_set_constants(prog, 0, event_records, &prog->tc->rodata->load);
	prog_set_sizes(prog, prog->tc->obj);
	prog_share_maps(prog->tc->obj, prog->skeleton);
	must(synward_tc_bpf__load(prog->tc) == 0, "load");
}

#endif
