/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_PROMETHEUS_SECTIONS_H
#define SYNWARD_REPORT_PROMETHEUS_SECTIONS_H

/* What the page of metrics has beside what is in prometheus.c. */

#include "../model/snapshot.h"

#include <stdio.h>

/* Limits, the policy and its services. */
void sw_prometheus_policy(FILE *out, const struct sw_snapshot *snapshot);

/* Cookies, and the floods of the services that the policy defends. */
void sw_prometheus_flood(FILE *out, const struct sw_snapshot *snapshot);

#endif
