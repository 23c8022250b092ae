/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_HISTORY_REPORT_H
#define SYNWARD_REPORT_HISTORY_REPORT_H

#include "../model/history.h"

#include <stdio.h>

/* The samples from a number on, or all that there are. */
void sw_json_history(FILE *out, const struct sw_history *history, uint64_t from);

#endif
