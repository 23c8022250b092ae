/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_COOKIE_H
#define SYNWARD_BENCH_COOKIE_H

/* Loads cookie.bpf.c, which is measured by itself. */

#include "../user/base/error.h"

#include <synward/cookie.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/random.h>
#include <time.h>

#include "cookie.skel.h"

/* The value of its map "states". */
struct cookie_state {
	struct sw_cookie_keys keys;
	struct sw_cookie_offer offer;
	__u32 pad;
	__u64 good;
	__u64 bad;
};

/* In the order of the targets in cases.h. */
enum cookie_program {
	COOKIE_ANSWERS,
	COOKIE_IS_SURE, /* of a bad ACK: it does not ask the kernel */
	COOKIE_CHALLENGES,
	COOKIE_PROGRAMS,
};

/* With random keys and the usual offer of a Linux host. */
static inline int load_cookies(enum cookie_program which, struct cookie_bpf **loaded)
{
	struct cookie_state state = { .offer = { .mss4 = 1460,
						 .mss6 = 1440,
						 .window = 64240,
						 .wscale = 7,
						 .ttl = 64,
						 .options = SW_OFFER_ALL } };
	struct cookie_bpf *skeleton = cookie_bpf__open();
	struct timespec tick = { .tv_nsec = 4000000 };
	__u32 zero = 0;

	if (!skeleton)
		return sw_error(errno, "cannot open the cookie program: %s", sw_errno_text(errno));
	*loaded = skeleton;
	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	skeleton->rodata->tick_ms_q20 = (__u32)((((__u64)tick.tv_nsec << 20) + 500000) / 1000000);
	skeleton->rodata->challenge = which == COOKIE_CHALLENGES;
	skeleton->rodata->ask_kernel = which != COOKIE_IS_SURE;
	if (getrandom(state.keys.secrets, sizeof(state.keys.secrets), 0) !=
		    sizeof(state.keys.secrets) ||
	    cookie_bpf__load(skeleton) ||
	    bpf_map_update_elem(bpf_map__fd(skeleton->maps.states), &zero, &state, BPF_ANY))
		return sw_error(errno, "cannot load the cookie program: %s", sw_errno_text(errno));
	return 0;
}

#endif
