/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_EXPORTER_METRICS_H
#define SYNWARD_REPORT_EXPORTER_METRICS_H

#include <stdio.h>

/*
 * Whether what is attached could be read, in Prometheus' text format 0.0.4: error is 0, or the
 * enum sw_failure or errno, of either sign, for which it could not.
 */
void sw_prometheus_up(FILE *out, int error);

#endif
