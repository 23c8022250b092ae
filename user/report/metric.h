/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_METRIC_H
#define SYNWARD_REPORT_METRIC_H

/* Pieces of Prometheus' text format. Names are without their "synward_". */

#include <stdint.h>
#include <stdio.h>

/* The two lines that go before the samples of a metric. */
void sw_metric_head(FILE *out, const char *name, const char *type, const char *help);

/* A sample with one label, whose value needs no escape. */
void sw_metric_labelled(FILE *out, const char *name, const char *label, const char *value,
			uint64_t number);

/* A metric of one sample without labels. */
void sw_metric_single(FILE *out, const char *name, const char *type, const char *help,
		      uint64_t number);

/* A label's value, escaped. */
void sw_metric_label(FILE *out, const char *value);

#endif
