/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_PROMETHEUS_SECTIONS_H
#define SYNWARD_REPORT_PROMETHEUS_SECTIONS_H

/* What the page of metrics has beside what is in prometheus.c. */

#include "../model/scrape.h"
#include "metric.h"

/* Limits, the policy and its services. */
void sw_prometheus_policy(const struct sw_metrics *to, const struct sw_snapshot *snapshot);

/* Cookies, and the floods of the services that the policy defends. */
void sw_prometheus_flood(const struct sw_metrics *to, const struct sw_snapshot *snapshot);

/* What status says: what is wrong, the hooks, how full the tables are. */
void sw_prometheus_status(const struct sw_metrics *to, const struct sw_scrape *scrape);

/* What is around: drops before any program, what the programs cost, accept queues. */
void sw_prometheus_around(const struct sw_metrics *to, const struct sw_scrape *scrape);

#endif
