// SPDX-License-Identifier: GPL-2.0-or-later
/* What the evidence of a flood says. */
#include "policy_view.h"

#include <math.h>

/* Fewer SYNs a second say nothing about how many are completed. */
#define QUIET_RATE 20

#define MANY_SOURCES 200

const char *const sw_flood_verdict_names[SW_FLOOD_VERDICT_COUNT] = {
	[SW_FLOOD_QUIET] = "quiet",
	[SW_FLOOD_HEALTHY] = "healthy",
	[SW_FLOOD_SPOOFED] = "attack_spoofed",
	[SW_FLOOD_FEW] = "attack_few_sources",
	[SW_FLOOD_STRUGGLING] = "busy_or_broken",
};

const char *const sw_flood_verdict_texts[SW_FLOOD_VERDICT_COUNT] = {
	[SW_FLOOD_QUIET] = "quiet: hardly any SYNs",
	[SW_FLOOD_HEALTHY] = "healthy: most SYNs become connections",
	[SW_FLOOD_SPOOFED] = "an attack, most likely spoofed: hardly any of very many sources "
			     "completes a handshake",
	[SW_FLOOD_FEW] = "an attack of a few sources, or a client that cannot hear the answers: "
			 "hardly any handshake is completed",
	[SW_FLOOD_STRUGGLING] = "busy or broken: many handshakes are completed, but many are not",
};

/* Linear counting: of n sources a bit stays clear with probability exp(-n / bits). */
uint32_t sw_flood_sources(const struct sw_flood_state *flood)
{
	uint32_t set = 0;

	for (size_t i = 0; i < SW_FLOOD_SKETCH_BITS / 64; i++)
		set += (uint32_t)__builtin_popcountll(flood->sources_before[i]);
	if (set >= SW_FLOOD_SKETCH_BITS)
		set = SW_FLOOD_SKETCH_BITS - 1;
	return (uint32_t)lround(-(double)SW_FLOOD_SKETCH_BITS *
				log1p(-(double)set / SW_FLOOD_SKETCH_BITS));
}

enum sw_flood_verdict sw_flood_judge(const struct sw_flood_state *flood)
{
	if (flood->syn_rate < QUIET_RATE)
		return SW_FLOOD_QUIET;
	if (flood->completed_rate >= flood->syn_rate / 2)
		return SW_FLOOD_HEALTHY;
	if (flood->completed_rate >= flood->syn_rate / 10)
		return SW_FLOOD_STRUGGLING;
	return sw_flood_sources(flood) >= MANY_SOURCES ? SW_FLOOD_SPOOFED : SW_FLOOD_FEW;
}
