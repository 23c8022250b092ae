/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_METRIC_H
#define SYNWARD_REPORT_METRIC_H

/*
 * Pieces of a page of metrics, in Prometheus' text format or in OpenMetrics. Names are without their
 * "synward_", and counters' end in "_total".
 */

#include "report.h"

#include <stdint.h>
#include <stdio.h>

/* A sample that is being written: of some pieces, which go to the page as one. */
struct sw_metric_line {
	size_t length;
	char text[512];
};

/* Where a page goes, and how it is written. */
struct sw_metrics {
	FILE *out;
	enum sw_metrics_format format;
	struct sw_metric_line *line;
};

/* The two lines that go before the samples of a metric. */
void sw_metric_head(const struct sw_metrics *to, const char *name, const char *type,
		    const char *help);

/* A sample with one label, whose value needs no escape. */
void sw_metric_labelled(const struct sw_metrics *to, const char *name, const char *label,
			const char *value, uint64_t number);

/* A metric of one sample without labels. */
void sw_metric_single(const struct sw_metrics *to, const char *name, const char *type,
		      const char *help, uint64_t number);

/* The name of a sample of an interface's or a service's, and its first labels; more may come, and then its number. */
void sw_metric_interface(const struct sw_metrics *to, const char *name,
			 const struct sw_interface *record);
void sw_metric_service(const struct sw_metrics *to, const char *name, const char *service);

/* One more label, whose value needs no escape. */
void sw_metric_more(const struct sw_metrics *to, const char *label, const char *value);

/* A sample's number, behind its last label. */
void sw_metric_number(const struct sw_metrics *to, uint64_t number);

/* The same of a fraction, with that many digits behind the point. */
void sw_metric_fraction(const struct sw_metrics *to, double number, int digits);

/*
 * Of records that are called the same, as they are if an interface was renamed and another one has its
 * name now, only the one that was attached last stays: the others become NULL.
 */
void sw_metric_choose(const struct sw_interface *records[], uint32_t count);

/* The samples of one stage of a histogram of seconds. */
void sw_metric_duration(const struct sw_metrics *to, const char *name, const char *stage,
			const struct sw_histogram *histogram);

#endif
