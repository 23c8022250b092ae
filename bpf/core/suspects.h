/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_SUSPECTS_H
#define SYNWARD_CORE_SUSPECTS_H

/*
 * What arming a rule would have cost: sources that met it are remembered until they complete a
 * handshake. There is no lock: what two CPUs write at a time may credit a bit to the wrong source,
 * which changes a statistic by one.
 */

#include "../../include/synward/tables.h"
#include "hash.h"

static __always_inline __u64 sw_suspect_hash(const struct sw_addr *source, const __u64 seed[2])
{
	return mix_end(source, 0, seed);
}

/* Remembers what a source met. Returns true if another source was pushed out for it. */
static __always_inline bool sw_suspect_note(struct sw_suspect *suspect, __u64 source,
					    __u64 *anomalies, __u64 *limits)
{
	bool forgets = false;

	if (suspect->source != source) {
		forgets = suspect->anomalies || suspect->limits;
		suspect->source = source;
		suspect->anomalies = 0;
		suspect->limits = 0;
	}
	/* what was known of it before counts once */
	*anomalies &= ~suspect->anomalies;
	*limits &= ~suspect->limits;
	suspect->anomalies |= *anomalies;
	suspect->limits |= *limits;
	return forgets;
}

/* A source has completed a handshake. Returns what it had met, and forgets that. */
static __always_inline void sw_suspect_clear(struct sw_suspect *suspect, __u64 source,
					     __u64 *anomalies, __u64 *limits)
{
	*anomalies = 0;
	*limits = 0;
	if (suspect->source != source)
		return;
	*anomalies = suspect->anomalies;
	*limits = suspect->limits;
	suspect->anomalies = 0;
	suspect->limits = 0;
}

#endif
