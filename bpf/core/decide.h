/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_DECIDE_H
#define SYNWARD_CORE_DECIDE_H

#include "../../include/synward/anomaly.h"
#include "../../include/synward/verdict.h"

/* What is to be done about a packet, and what would be done if the default actions were armed. */
struct sw_decision {
	__u64 would_drop; /* its anomalies that would drop it, but are not armed */
	__u64 dropped;	  /* its anomalies that did */
	enum sw_verdict verdict;
};

/*
 * armed: the anomalies that drop. symmetric: both directions of the flow have been seen, and its
 * SYN; some anomalies mean nothing otherwise. Deciding is one AND a mask, so it costs the same
 * whatever the policy says.
 */
static __always_inline struct sw_decision sw_decide(__u64 anomalies, __u64 armed, bool symmetric)
{
	__u64 certain = symmetric ? anomalies : anomalies & ~SW_MASK_DROP_SYM;
	struct sw_decision decision = { .verdict = SW_VERDICT_PASSED };

	decision.dropped = certain & armed;
	decision.would_drop = certain & (SW_MASK_DROP | SW_MASK_DROP_SYM) & ~armed;
	if (decision.dropped)
		decision.verdict = SW_VERDICT_DROPPED;
	return decision;
}

#endif
