/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CMD_TIMEOUTS_H
#define SYNWARD_CMD_TIMEOUTS_H

/*
 * Parses the argument of --timeout, NAME=DURATION, and stores the milliseconds in timeouts, an
 * array of SW_TIMEOUT_COUNT uint32_t by enum sw_timeout, which is where an option's value points.
 * Returns 0 or -EINVAL with the line recorded.
 */
int sw_parse_timeout(const char *argument, void *timeouts);

#endif
