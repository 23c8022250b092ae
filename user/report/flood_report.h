/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_FLOOD_REPORT_H
#define SYNWARD_REPORT_FLOOD_REPORT_H

/*
 * How floods look: what is known of those of a service, the events of their begin and end, and how they
 * are kept off at each interface.
 */

#include "../model/snapshot.h"

#include <synward/event.h>

#include <jansson.h>
#include <stdio.h>

/* Why TC sends by an interface. */
const char *sw_by_tc_words(const struct sw_interface *record);

void sw_text_flood(FILE *out, const struct sw_policy_view *view, const struct sw_row_view *row);
json_t *sw_json_flood(const struct sw_policy_view *view, const struct sw_row_view *row);

/* What is behind the time and the type; service may be "". */
void sw_text_flood_event(FILE *out, const struct sw_flood_event *event, const char *service);
void sw_json_flood_event(json_t *object, const struct sw_flood_event *event, const char *service);

/* How they are kept off, in status; and one line for each thing that is wrong with that. */
void sw_text_status_ways(FILE *out, const struct sw_status *status);
void sw_text_flood_problems(FILE *out, const struct sw_status_interface *interface);
json_t *sw_json_status_flood(const struct sw_status_interface *interface);

#endif
