/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_REPORT_H
#define SYNWARD_REPORT_REPORT_H

/*
 * How things look: each function turns plain data into text, a JSON object on one line (indented
 * with pretty), or a metrics page. None of them asks the kernel for anything.
 */

#include "../model/entries.h"
#include "../model/scrape.h"
#include "../model/snapshot.h"

#include <synward/event.h>
#include <synward/list.h>
#include <synward/policy.h>

#include <stdbool.h>
#include <stdio.h>

/* In a report of this schema no field ever changes its meaning. */
#define SW_SCHEMA 1

/* all: rows that are zero, too. */
void sw_text_stats(FILE *out, const struct sw_snapshot *snapshot, bool all);
void sw_json_stats(FILE *out, const struct sw_snapshot *snapshot, bool pretty);

/* Prometheus' text format 0.0.4, and OpenMetrics 1.0, to which whoever serves it adds "# EOF". */
enum sw_metrics_format { SW_METRICS_TEXT, SW_METRICS_OPENMETRICS };

/* All metrics. */
void sw_prometheus_print(FILE *out, const struct sw_scrape *scrape, enum sw_metrics_format format);

void sw_text_status(FILE *out, const struct sw_status *status);

/* Of sw_status_faults() one line each: what is wrong, where, and what to do. */
void sw_text_status_faults(FILE *out, const struct sw_status *status);
void sw_json_status(FILE *out, const struct sw_status *status, bool pretty);

void sw_text_list(FILE *out, const struct sw_handshake_list *list);
void sw_json_list(FILE *out, const struct sw_handshake_list *list, bool pretty);

/* The first entries of a list, at most limit (0: all), in the order in which they are. */
void sw_text_entries(FILE *out, enum sw_list list, const struct sw_entries *entries,
		     uint64_t limit);
void sw_json_entries(FILE *out, enum sw_list list, const struct sw_entries *entries, uint64_t limit,
		     bool pretty);

/* Which entries of the lists an address meets, and what the policy makes of that. */
void sw_text_list_check(FILE *out, const struct sw_addr *addr,
			const struct sw_entries met[SW_LIST_COUNT],
			const struct sw_policy_view *view);
void sw_json_list_check(FILE *out, const struct sw_addr *addr,
			const struct sw_entries met[SW_LIST_COUNT],
			const struct sw_policy_view *view, bool pretty);

/* What a change of a list has done. The view tells whether more is dropped now; NULL: that is not asked. */
void sw_text_list_change(FILE *out, enum sw_list list, const struct sw_list_change *change,
			 const struct sw_policy_view *view);
void sw_json_list_change(FILE *out, enum sw_list list, const struct sw_list_change *change,
			 const struct sw_policy_view *view, bool pretty);

/* A compiled policy: its services, their limits, and what is dropped. */
void sw_text_policy(FILE *out, const struct sw_policy *policy);

/* A line for each key that does nothing, and why. */
void sw_text_policy_idle(FILE *out, const struct sw_policy *policy);

/* All of it; file is what it was read from, or NULL. */
void sw_json_policy(FILE *out, const struct sw_policy *policy, const char *file, bool pretty);

/* What the numbers of an event are called; "" where that is not known. */
struct sw_event_names {
	const char *interface;
	const char *service;
};

/* One line for one event; of a flood it is a struct sw_flood_event. wall_ns is its time. */
void sw_text_event(FILE *out, const struct sw_event *event, const struct sw_event_names *names,
		   uint64_t wall_ns);
void sw_json_event(FILE *out, const struct sw_event *event, const struct sw_event_names *names,
		   uint64_t wall_ns);

/* The same as an entry of systemd's journal: a line NAME=value for each field, the first is MESSAGE. */
void sw_journal_event(FILE *out, const struct sw_event *event, const struct sw_event_names *names,
		      uint64_t wall_ns);

void sw_json_attach(FILE *out, const struct sw_attach_result *results, uint32_t count, bool pretty);
void sw_json_upgrade(FILE *out, const struct sw_upgrade *upgrade, bool pretty);
void sw_json_detach(FILE *out, const struct sw_detach_result *results, uint32_t count, bool pretty);

/* What became of a hook in an upgrade, and what hooks are called. */
const char *sw_upgraded_name(enum sw_upgraded upgraded);
const char *sw_hook_name(enum sw_hook hook);

/* tcx, clsact or none. */
const char *sw_tc_hook_name(uint32_t tc_hook);

/* By what is seen what comes in, for people; and the hook of that: xdp, tcx or clsact. */
const char *sw_attach_mode_words(enum sw_mode mode, bool frags);
const char *sw_ingress_hook_name(const struct sw_interface *record);

/* ok, missing, detached, gone, moved or unknown. */
const char *sw_health_name(enum sw_health health);

/*
 * What an attempt has shown so far, as the names of its SW_SAW_* bits; index counts from 0, and
 * NULL follows the last.
 */
const char *sw_evidence_name(uint16_t seen, unsigned int index);

#endif
