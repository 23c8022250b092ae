/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_DECIDE_H
#define SYNWARD_CORE_DECIDE_H

#include "../../include/synward/anomaly.h"
#include "../../include/synward/verdict.h"

/* What is to be done about a packet, and what would be done if the policy were armed. */
struct sw_decision {
	__u64 would_drop; /* the anomalies that the default actions drop */
	__u64 dropped;	  /* the anomalies that dropped it: none, while synward only watches */
	enum sw_verdict verdict;
};

/*
 * symmetric: both directions of the flow have been seen, and its SYN. Deciding is one AND a mask,
 * so it costs the same whatever the policy says.
 */
static __always_inline struct sw_decision sw_decide(__u64 anomalies, bool symmetric)
{
	struct sw_decision decision = { .verdict = SW_VERDICT_PASSED };

	decision.would_drop = anomalies &
			      (symmetric ? SW_MASK_DROP | SW_MASK_DROP_SYM : SW_MASK_DROP);
	return decision;
}

#endif
