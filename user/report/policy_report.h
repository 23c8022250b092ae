/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_POLICY_REPORT_H
#define SYNWARD_REPORT_POLICY_REPORT_H

/* How the commands about policies look; see report.h. */

#include "../model/policy_changes.h"
#include "../model/policy_view.h"
#include "../model/snapshot.h"

#include <stdbool.h>
#include <stdio.h>

/* What a verb has done. */
struct sw_policy_done {
	const char *action; /* applied, confirmed, rolled_back or reset */
	bool saved;	    /* false: also if that is still to come */
	const struct sw_policy_view *view;
	const struct sw_changes *changes;
	const struct sw_policy *policy; /* that is active now */
	bool secret_changed;		/* to those whose ids the view has */
	bool waited;			/* of confirmed: the policy was on trial until now */
	bool untried; /* of applied: a trial was asked for, and there is no new policy to try */
};

/* What a file would change: in the policy, and by the secret that goes along with it. */
struct sw_policy_difference {
	const char *file;
	const struct sw_changes *changes;
	bool secret_compared;			    /* false also if the file wants no secret */
	uint32_t secret_before[2], secret_after[2]; /* public ids, in order; 0: none */
};

void sw_text_policy_done(FILE *out, const struct sw_policy_done *done);
void sw_json_policy_done(FILE *out, const struct sw_policy_done *done, bool pretty);

/* Comments to stand before a policy file: whether it drops, and whether it is confirmed. */
void sw_text_policy_comment(FILE *out, const struct sw_policy_view *view);

/* All of the active policy, and its state. */
void sw_json_policy_active(FILE *out, const struct sw_policy *policy,
			   const struct sw_policy_view *view, bool pretty);

/* Whether the secret differs, and whether anything does. */
bool sw_secret_differs(const struct sw_policy_difference *difference);
bool sw_policy_differs(const struct sw_policy_difference *difference);

void sw_text_policy_diff(FILE *out, const struct sw_policy_difference *difference);
void sw_json_policy_diff(FILE *out, const struct sw_policy_difference *difference, bool pretty);

/* all: rules that nothing met, too. */
void sw_text_score(FILE *out, const struct sw_snapshot *snapshot, bool all);
void sw_json_score(FILE *out, const struct sw_snapshot *snapshot, bool pretty);

/* What arm or disarm did. */
void sw_json_armed(FILE *out, bool armed, bool attached, bool saved, bool pretty);

/* What status says about it: in the first line, and in lines of its own. */
const char *sw_status_words(const struct sw_policy_view *view);
void sw_text_status_policy(FILE *out, const struct sw_policy_view *view);

/* By the ids of the secrets: what cookies are made with, without an end of the line. */
void sw_text_secret(FILE *out, const struct sw_policy_view *view);

/* What keeps other hosts from knowing the cookies of this one, if the policy wants them to. */
void sw_text_secret_problems(FILE *out, const struct sw_policy_view *view);

/* monitor, enforce or mixed. */
const char *sw_mode_name(enum sw_policy_mode mode);

/* off, warming_up, unsure, suspended or ready. */
const char *sw_readiness_name(enum sw_readiness readiness);

/* mixed: not one for all interfaces. */
const char *sw_flood_way_name(uint32_t way);

/* Whether any row has a limit. */
bool sw_has_limit(const struct sw_policy_view *view, unsigned int limit);

#endif
