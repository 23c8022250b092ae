/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_BOOKINGS_H
#define SYNWARD_TESTS_BOOKINGS_H

/* A program whose half-open handshakes are counted, and what its books say of them. */

#include "sequences.h"
#include "enforce.h"

#define BUCKETS	      16
#define EVENT_RECORDS 1024U
#define OF(number)    .from = FIRST_NUMBERED + (number)
#define TO(number)    .to = FIRST_NUMBERED + (number)

static struct prog prog;
static bool v6;

static inline int reset(void **state)
{
	struct setup setup = setup_ordinary();

	v6 = *state;
	prog_reset_policies(&prog, &setup);
	return 0;
}

/* Limits so high that they are never reached, and each address is a source. */
static inline struct sw_policy *counting_policy(void)
{
	struct sw_policy *policy = policy_new();
	struct sw_rules *rules = policy_default_rules(policy);

	rules->drop = 0;
	rules->enforce = 1;
	rules->prefix6 = 128;
	rules->half_open_source = 1000;
	rules->half_open_service = 100000;
	return policy;
}

static inline bool passes(struct segment segment)
{
	return prog_segment(&prog, HOOK_XDP, &segment, v6) == XDP_PASS;
}

static inline void open_from(__u32 number, __u32 first_port, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		assert_true(passes(A_SYN(OF(number), .sport = first_port + i)));
}

static inline void complete_of(__u32 number, __u32 port)
{
	assert_true(passes(A_SYNACK(TO(number), .dport = port)));
	assert_true(passes(AN_ACK(OF(number), .sport = port)));
}

/* What the service in a slot, and all sources together, have on their books. */
static inline void expect_books(__u32 slot, __s64 of_service, __u64 of_sources)
{
	assert_int_equal(prog_half_open(&prog, slot, SW_SERVICE_DEFAULT), of_service);
	assert_int_equal(prog_half_open_of_sources(&prog), of_sources);
}

#endif
