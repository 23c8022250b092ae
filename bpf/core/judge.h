/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_JUDGE_H
#define SYNWARD_CORE_JUDGE_H

/* What an attempt amounts to as it stands: how it ends if nothing more comes, and how long it is kept for what may. */

#include "../../include/synward/config.h"
#include "../../include/synward/outcome.h"
#include "../../include/synward/tables.h"

#define SW_OUTCOME_NONE SW_OUTCOME_COUNT

/* How an attempt ends if nothing more comes. */
static __always_inline enum sw_outcome sw_judge(const struct sw_attempt *attempt)
{
	__u16 seen = attempt->seen;

	if (attempt->phase == SW_PHASE_STRAY)
		return attempt->extra;
	if (seen & (SW_SAW_RST_ACKING | SW_SAW_ICMP_ERROR))
		return SW_OUTCOME_REJECTED;
	if (seen & SW_SAW_CANCEL)
		return SW_OUTCOME_CANCELLED;
	if (attempt->phase == SW_PHASE_SYNACK_FIRST)
		return SW_OUTCOME_UNSOLICITED_SYNACK;
	if (seen & SW_SAW_ABORT_ORIG)
		return SW_OUTCOME_ABORTED_ORIG;
	if (seen & SW_SAW_ABORT_RESP)
		return SW_OUTCOME_ABORTED_RESP;
	if (attempt->phase != SW_PHASE_SYN_SENT)
		return seen & SW_SAW_FIN ? SW_OUTCOME_FIN_IN_HANDSHAKE : SW_OUTCOME_HALF_OPEN;
	if (seen & SW_SAW_BAD_SYNACK)
		return SW_OUTCOME_BAD_SYNACK;
	if (seen & SW_SAW_RST_UNVERIFIED)
		return SW_OUTCOME_REJECTED_UNVERIFIED;
	if (seen & SW_SAW_FIN)
		return SW_OUTCOME_FIN_IN_HANDSHAKE;
	if (seen & SW_SAW_RESP_OTHER)
		return SW_OUTCOME_RESP_NO_SYNACK;
	if (seen & SW_SAW_ORIG_ACK)
		return SW_OUTCOME_ONE_SIDED;
	return SW_OUTCOME_NO_RESPONSE;
}

/* Does its opener go on, although nothing was seen of the other end? Then it may do so for long. */
static __always_inline bool opener_goes_on(const struct sw_attempt *attempt)
{
	return attempt->phase == SW_PHASE_SYN_SENT && attempt->seen & SW_SAW_GOES_ON &&
	       !(attempt->seen & SW_IS_REPORTED);
}

/* Was its end seen, and is it kept only for what might belie that? An ICMP error that may pass ends nothing. */
static __always_inline bool saw_end(const struct sw_attempt *attempt)
{
	return attempt->seen & (SW_SAW_END & ~SW_SAW_ICMP_ERROR);
}

/* How long an attempt is kept from its last segment on. */
static __always_inline __u32 sw_attempt_timeout(const struct sw_attempt *attempt,
						const __u32 *timeout_ms)
{
	__u32 timeout;

	if (attempt->phase == SW_PHASE_STRAY)
		return timeout_ms[SW_TIMEOUT_ESTABLISHED];
	/* what comes now is a straggler: nothing is left to be decided sooner */
	if (attempt->seen & SW_IS_REPORTED)
		return timeout_ms[SW_TIMEOUT_CLOSED];
	timeout = attempt->phase == SW_PHASE_SYN_SENT ? timeout_ms[SW_TIMEOUT_SYN_SENT] :
							timeout_ms[SW_TIMEOUT_SYN_RECEIVED];
	if (saw_end(attempt) && timeout > timeout_ms[SW_TIMEOUT_RST_GRACE])
		timeout = timeout_ms[SW_TIMEOUT_RST_GRACE];
	return timeout;
}

#endif
