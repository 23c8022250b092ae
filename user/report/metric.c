// SPDX-License-Identifier: GPL-2.0-or-later
#include "metric.h"

#include <inttypes.h>

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

/* A device's name may hold any byte but '/' and white space. */
void sw_metric_label(FILE *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			putc('\\', out);
		putc(*value, out);
	}
}
