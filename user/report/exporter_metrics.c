// SPDX-License-Identifier: GPL-2.0-or-later
/* What only the exporter says, since a command that cannot read says nothing but an error. */
#include "exporter_metrics.h"

#include "../base/error.h"
#include "metric.h"

#include <stdbool.h>
#include <stdlib.h>

#define OTHER "other" /* descriptors or memory have run out, say */

void sw_prometheus_up(FILE *out, int error, enum sw_metrics_format format)
{
	const struct sw_metrics to = { out, format, &(struct sw_metric_line){} };
	int failure = abs(error);
	bool named = failure >= SW_NOT_ATTACHED && failure < SW_FAILURE_END;

	sw_metric_single(&to, "up", "gauge",
			 "1 if what is attached could be read at this scrape, else 0.", !error);
	sw_metric_head(
		&to, "down_reason", "gauge",
		"1 for why it could not be read, 0 for the others, and for all if it could.");
	for (int reason = SW_NOT_ATTACHED; reason < SW_FAILURE_END; reason++)
		sw_metric_labelled(&to, "down_reason", "reason", sw_errno_text(reason),
				   failure == reason);
	sw_metric_labelled(&to, "down_reason", "reason", OTHER, error && !named);
}
