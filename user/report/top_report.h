/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_TOP_REPORT_H
#define SYNWARD_REPORT_TOP_REPORT_H

/*
 * What `top` shows. The pages are for people, on a screen or on paper; with rates, there is a column
 * of events a second since an earlier reading, before. At most limit rows are made. The caller frees
 * the page.
 */

#include "../model/snapshot.h"
#include "../model/top.h"
#include "../text/page.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * now is ranked by the same. before: NULL without rates, else sorted by address, and with nothing in
 * it at first: then rates are means of the whole time.
 */
void sw_page_sources(struct sw_page *page, const struct sw_top *now, const struct sw_top *before,
		     enum sw_top_by by, size_t limit);

/* before: NULL at first; then there is no rate yet. */
void sw_page_services(struct sw_page *page, const struct sw_snapshot *now,
		      const struct sw_snapshot *before, enum sw_top_by by, bool rates,
		      size_t limit);
void sw_page_anomalies(struct sw_page *page, const struct sw_snapshot *now,
		       const struct sw_snapshot *before, bool rates, size_t limit);

/* Prints a page as text; on a terminal, as much of each row as fits, and never half a cell. */
void sw_text_page(FILE *out, const struct sw_page *page);

void sw_json_top_sources(FILE *out, const struct sw_top *top, enum sw_top_by by, size_t limit,
			 bool pretty);
void sw_json_top_services(FILE *out, const struct sw_snapshot *snapshot, enum sw_top_by by,
			  size_t limit, bool pretty);
void sw_json_top_anomalies(FILE *out, const struct sw_snapshot *snapshot, size_t limit,
			   bool pretty);

/* syns, anomalies or weight; after them, NULL. */
extern const char *const sw_top_by_names[];
const char *sw_top_by_name(enum sw_top_by by);

/* A source as people write it: 192.0.2.1 or 2001:db8:1:2::/64. Returns text. */
#define SW_SOURCE_SIZE 52
const char *sw_format_source(char text[SW_SOURCE_SIZE], const struct sw_addr *addr);

/*
 * The services of the policy, none if it has only a default, or the anomalies that were seen at all,
 * in the order of a ranking: their positions. Returns how many.
 */
size_t sw_rank_services(const struct sw_snapshot *snapshot, enum sw_top_by by,
			unsigned int order[SW_SERVICE_SLOTS]);
size_t sw_rank_anomalies(const struct sw_counters *counters, unsigned int order[SW_ANOMALY_COUNT]);

#endif
