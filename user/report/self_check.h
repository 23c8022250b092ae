/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_SELF_CHECK_H
#define SYNWARD_REPORT_SELF_CHECK_H

/* What the defence of a service has found out about itself. */

#include "../model/policy_view.h"

#include <synward/event.h>

#include <jansson.h>
#include <stdio.h>

/* null if the policy does not have it look. */
json_t *sw_json_self_check(const struct sw_row_view *row);

/* One line for each service whose defence has stepped aside: why, and what may be the cause. */
void sw_text_self_checks(FILE *out, const struct sw_policy_view *view);

/* Of SW_EVENT_FLOOD_STEPS_ASIDE and SW_EVENT_FLOOD_RESUMES: what is behind the service's name. */
void sw_text_self_check_event(FILE *out, const struct sw_flood_event *event);
void sw_json_self_check_event(json_t *object, const struct sw_flood_event *event);

#endif
