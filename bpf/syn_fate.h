/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_SYN_FATE_H
#define SYNWARD_SYN_FATE_H

/* What becomes of a SYN under a flood, and how that is counted. */

#include "count.h"
#include "inquiry.h"
#include "policy.h"

/* What becomes of a SYN that came in, under a flood. */
enum syn_fate {
	SYN_PASSES,
	SYN_GETS_COOKIE,
	SYN_GETS_CHALLENGE,
	SYN_UNSENT,  /* it was to be answered, and cannot be: dropped */
	SYN_NO_ROOM, /* dropped, as its listener would do */
};

static __always_inline enum sw_verdict verdict_on_syn(enum syn_fate fate)
{
	switch (fate) {
	case SYN_GETS_COOKIE:
	case SYN_GETS_CHALLENGE:
		return SW_VERDICT_ANSWERED;
	case SYN_UNSENT:
	case SYN_NO_ROOM:
		return SW_VERDICT_DROPPED;
	default:
		return SW_VERDICT_PASSED;
	}
}

/* Counts a SYN that came in for its service, which is known, and what became of it. */
static __always_inline void count_syn(const struct inquiry *inquiry, enum syn_fate fate)
{
	struct sw_service_counters *mine = service_counters(inquiry->policy, inquiry->service);
	enum sw_verdict verdict = verdict_on_syn(fate);
	struct sw_counters *all = my_counters();

	if (!mine || !all)
		return;
	all->tallies[SW_TALLY_COOKIES_SENT] += fate == SYN_GETS_COOKIE;
	all->tallies[SW_TALLY_CHALLENGES_SENT] += fate == SYN_GETS_CHALLENGE;
	all->tallies[SW_TALLY_COOKIES_UNSENT] += fate == SYN_UNSENT;
	mine->evidence[SW_EVIDENCE_SYNS]++;
	mine->evidence[SW_EVIDENCE_ANSWERED] += verdict == SW_VERDICT_ANSWERED;
	mine->dropped += verdict == SW_VERDICT_DROPPED;
	mine->cookies_sent += fate == SYN_GETS_COOKIE;
	mine->challenges_sent += fate == SYN_GETS_CHALLENGE;
	mine->cookies_unsent += fate == SYN_UNSENT;
}

#endif
