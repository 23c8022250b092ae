/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_TOP_EVENTS_H
#define SYNWARD_TESTS_TOP_EVENTS_H

#include "../../include/synward/top.h"

/* What top.bpf.c is told of one event. */
struct top_event {
	struct sw_addr source;
	__u32 kind;
	__u32 now_ms;
};

#define TOP_EVENTS 65536U

#endif
