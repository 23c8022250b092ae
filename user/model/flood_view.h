/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_FLOOD_VIEW_H
#define SYNWARD_MODEL_FLOOD_VIEW_H

/* What the evidence of a flood says, in numbers and in words. */

#include <synward/flood.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * What the evidence of a flood looks like. What the server does goes before what its clients do: where
 * it does not answer, or accept, no handshake can be completed, whoever asks for it.
 */
enum sw_flood_verdict sw_flood_judge(const struct sw_flood_evidence *evidence);

/* Of the last period, flood or not. */
enum sw_flood_verdict sw_flood_judge_now(const struct sw_flood_state *flood);

/* How many sources sent SYNs in a period, of several in the one with most; an estimate, at most 7,098. */
uint32_t sw_flood_sources(const struct sw_flood_evidence *evidence);

/* So many a second. */
uint64_t sw_flood_rate(const struct sw_flood_evidence *evidence, enum sw_evidence which);

/* What became of the SYNs of a flood that is on, as far as it was counted. */
enum sw_flood_deed {
	SW_FLOOD_DEED_ANSWERED,
	SW_FLOOD_DEED_WATCHED, /* they pass: nothing may be done about them */
	SW_FLOOD_DEED_ASIDE,   /* they pass: the defence has stepped aside */
	SW_FLOOD_DEED_UNHEARD, /* they passed: no server was heard that one could answer for */
	SW_FLOOD_DEED_NONE,    /* none was there to be answered yet */
};

enum sw_flood_deed sw_flood_deed(const struct sw_flood_state *flood, bool only_watches,
				 bool stands_aside);

/* For how long it is on, or the last time was. */
uint64_t sw_flood_lasted_ms(const struct sw_flood_state *flood);

#endif
