// SPDX-License-Identifier: GPL-2.0-or-later
#include "metric.h"

#include "../base/printable.h"

#include <inttypes.h>

#define LABEL_SIZE 64 /* names of interfaces and services are shorter */

void sw_metric_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP synward_%s %s\n# TYPE synward_%s %s\n", name, help, name, type);
}

/* The vocabulary's texts hold neither quotes nor backslashes: nothing needs an escape. */
void sw_metric_labelled(FILE *out, const char *name, const char *label, const char *value,
			uint64_t number)
{
	fprintf(out, "synward_%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value, number);
}

void sw_metric_single(FILE *out, const char *name, const char *type, const char *help,
		      uint64_t number)
{
	sw_metric_head(out, name, type, help);
	fprintf(out, "synward_%s %" PRIu64 "\n", name, number);
}

void sw_metric_label(FILE *out, const char *value)
{
	for (value = SW_PRINTABLE(value, LABEL_SIZE); *value; value++) {
		if (*value == '"' || *value == '\\')
			putc('\\', out);
		putc(*value, out);
	}
}
