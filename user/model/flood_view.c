// SPDX-License-Identifier: GPL-2.0-or-later
/* What the evidence of a flood says. */
#include "flood_view.h"

#include <math.h>

/* Fewer SYNs a second say nothing about how many are completed. */
#define QUIET_RATE 20

#define MANY_SOURCES 200

/* Of fewer handshakes the answers may just not have come yet. */
#define FEW_ATTEMPTS 10

/*
 * A handshake that is late is so by a second: in less time than twice that, none of them need have been
 * completed, and they look like those of an attack of a few sources.
 */
#define EARLY_MS 2000

/* So many SYN-ACKs repeated after the last ACK may be lost segments, or ACKs that crossed them. */
#define FEW_UNACCEPTED 3

/* Linear counting: of n sources a bit stays clear with probability exp(-n / bits). */
uint32_t sw_flood_sources(const struct sw_flood_evidence *evidence)
{
	uint32_t set = evidence->source_bits;

	if (set >= SW_FLOOD_SKETCH_BITS)
		set = SW_FLOOD_SKETCH_BITS - 1;
	return (uint32_t)lround(-(double)SW_FLOOD_SKETCH_BITS *
				log1p(-(double)set / SW_FLOOD_SKETCH_BITS));
}

uint64_t sw_flood_rate(const struct sw_flood_evidence *evidence, enum sw_evidence which)
{
	return evidence->ms ? evidence->counts[which] * 1000 / evidence->ms : 0;
}

uint64_t sw_flood_lasted_ms(const struct sw_flood_state *flood)
{
	return flood->whole.ms - flood->began.ms;
}

enum sw_flood_deed sw_flood_deed(const struct sw_flood_state *flood, bool only_watches,
				 bool stands_aside)
{
	const __u64 *counts = flood->whole.counts, *now = flood->period.counts;

	if (only_watches)
		return SW_FLOOD_DEED_WATCHED; /* whatever was answered before */
	if (stands_aside)
		return SW_FLOOD_DEED_ASIDE;
	if (now[SW_EVIDENCE_UNHEARD] && !now[SW_EVIDENCE_ANSWERED])
		return SW_FLOOD_DEED_UNHEARD; /* the same */
	if (counts[SW_EVIDENCE_ANSWERED])
		return SW_FLOOD_DEED_ANSWERED;
	return counts[SW_EVIDENCE_UNHEARD] ? SW_FLOOD_DEED_UNHEARD : SW_FLOOD_DEED_NONE;
}

/*
 * Do connections wait in vain to be accepted? On this host the kernel says so. Behind a gateway the
 * server does: it goes on to ask for an ACK that it has had.
 */
static bool is_queue_full(const struct sw_flood_evidence *evidence)
{
	const __u64 *counts = evidence->counts;
	uint64_t by_server = counts[SW_EVIDENCE_COMPLETED] - counts[SW_EVIDENCE_BY_COOKIE];

	if (counts[SW_EVIDENCE_QUEUE_FULL] &&
	    counts[SW_EVIDENCE_QUEUE_FULL] * 4 >= counts[SW_EVIDENCE_QUEUE_LOOKS])
		return true;
	return counts[SW_EVIDENCE_UNACCEPTED] >= FEW_UNACCEPTED &&
	       counts[SW_EVIDENCE_UNACCEPTED] * 16 >= by_server;
}

/* What the server did with what it was asked for. SW_FLOOD_VERDICT_COUNT: nothing special. */
static enum sw_flood_verdict judge_server(const struct sw_flood_evidence *evidence)
{
	const __u64 *counts = evidence->counts;
	uint64_t asked = counts[SW_EVIDENCE_ATTEMPTS];

	if (is_queue_full(evidence))
		return SW_FLOOD_QUEUE_FULL;
	if (asked < FEW_ATTEMPTS)
		return SW_FLOOD_VERDICT_COUNT;
	if (counts[SW_EVIDENCE_REFUSED] * 2 >= asked)
		return SW_FLOOD_REFUSING;
	/* under any attack a server that lives answers some */
	if (counts[SW_EVIDENCE_SYNACKS] * 100 <= asked && !counts[SW_EVIDENCE_REFUSED])
		return SW_FLOOD_SILENT;
	if (counts[SW_EVIDENCE_LATE] * 4 >= asked)
		return SW_FLOOD_LATE;
	return SW_FLOOD_VERDICT_COUNT;
}

enum sw_flood_verdict sw_flood_judge(const struct sw_flood_evidence *evidence)
{
	uint64_t syns = evidence->counts[SW_EVIDENCE_SYNS];
	uint64_t completed = evidence->counts[SW_EVIDENCE_COMPLETED];
	enum sw_flood_verdict of_server = judge_server(evidence);

	if (!syns)
		return SW_FLOOD_QUIET;
	if (of_server != SW_FLOOD_VERDICT_COUNT)
		return of_server;
	if (completed * 2 >= syns)
		return SW_FLOOD_HEALTHY;
	if (completed * 10 >= syns)
		return SW_FLOOD_STRUGGLING;
	if (sw_flood_sources(evidence) >= MANY_SOURCES)
		return SW_FLOOD_SPOOFED;
	return evidence->ms < EARLY_MS ? SW_FLOOD_EARLY : SW_FLOOD_FEW;
}

enum sw_flood_verdict sw_flood_judge_now(const struct sw_flood_state *flood)
{
	enum sw_flood_verdict verdict = sw_flood_judge(&flood->period);

	if (sw_flood_rate(&flood->period, SW_EVIDENCE_SYNS) < QUIET_RATE)
		return SW_FLOOD_QUIET;
	/* a period by itself is always too short; what has come before it is known of a flood */
	if (verdict == SW_FLOOD_EARLY && flood->on)
		return sw_flood_judge(&flood->whole);
	return verdict;
}
