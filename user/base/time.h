/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_TIME_H
#define SYNWARD_BASE_TIME_H

#include <stdint.h>

/* CLOCK_MONOTONIC, the clock of everything that is measured or stored. */
uint64_t sw_monotonic_ns(void);

/* CLOCK_REALTIME of a moment on CLOCK_MONOTONIC, as the two clocks stand to each other now. */
uint64_t sw_wall_ns(uint64_t monotonic_ns);

/* CLOCK_BOOTTIME in seconds: the clock of what expires after days, also while the machine sleeps. */
uint64_t sw_boot_s(void);

/* The time of day, in seconds. */
uint64_t sw_wall_s(void);

/* The time of day in seconds less CLOCK_BOOTTIME's, as the two clocks stand to each other now. */
int64_t sw_boot_to_wall_s(void);

#define SW_TIMESTAMP_SIZE 40

/* A wall time as in Suricata's EVE: 2026-01-31T12:00:00.123456+0100, local time. Returns text. */
const char *sw_format_timestamp(char text[SW_TIMESTAMP_SIZE], uint64_t wall_ns);

/* The same for people: 2026-01-31 12:00:00. Returns text. */
const char *sw_format_moment(char text[SW_TIMESTAMP_SIZE], uint64_t wall_ns);

#endif
