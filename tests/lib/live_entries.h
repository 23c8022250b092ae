/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_LIVE_ENTRIES_H
#define SYNWARD_TESTS_LIVE_ENTRIES_H

/* What is in the tables. */

#include "../../bpf/core/follow.h"

/* Attempts whose outcome is still to come. */
static inline __u32 live_attempts(const struct sw_handshake_bucket *buckets, __u32 count)
{
	__u32 live = 0;

	for (__u32 i = 0; i < count * SW_WAYS; i++) {
		const struct sw_attempt *attempt = &buckets[i / SW_WAYS].attempts[i % SW_WAYS];

		live += buckets[i / SW_WAYS].tags[i % SW_WAYS] &&
			attempt->phase != SW_PHASE_STRAY && !(attempt->seen & SW_IS_REPORTED);
	}
	return live;
}

static inline __u32 live_connections(const struct sw_connection_bucket *buckets, __u32 count)
{
	__u32 live = 0;

	for (__u32 i = 0; i < count * SW_WAYS; i++)
		live += !!buckets[i / SW_WAYS].tags[i % SW_WAYS];
	return live;
}

#endif
