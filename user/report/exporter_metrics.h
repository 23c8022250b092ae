/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_EXPORTER_METRICS_H
#define SYNWARD_REPORT_EXPORTER_METRICS_H

#include "report.h"

#include <stdio.h>

/*
 * Whether what is attached could be read, as the first metrics of a page: error is 0, or the
 * enum sw_failure or errno, of either sign, for which it could not.
 */
void sw_prometheus_up(FILE *out, int error, enum sw_metrics_format format);

#endif
