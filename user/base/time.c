// SPDX-License-Identifier: GPL-2.0-or-later
#include "time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S       1000000000ULL
#define CLOCK_READINGS 8
#define NEAR_NS	       500U /* so long three readings take at most, if nothing comes between */
#define APART_STEP_NS  10000U

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t sw_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/*
 * How far the clocks are apart. Whoever is kept from running between reading one and the other has read them at two
 * times: the closest of some readings counts. It is to the nearest of steps, so that whoever asks again, or another
 * process, mostly gets the same.
 */
uint64_t sw_wall_ns(uint64_t monotonic_ns)
{
	uint64_t apart_ns = 0, closest_ns = UINT64_MAX;

	for (int i = 0; i < CLOCK_READINGS && closest_ns > NEAR_NS; i++) {
		uint64_t before_ns = clock_ns(CLOCK_MONOTONIC);
		uint64_t wall_ns = clock_ns(CLOCK_REALTIME);
		uint64_t took_ns = clock_ns(CLOCK_MONOTONIC) - before_ns;

		if (took_ns < closest_ns) {
			closest_ns = took_ns;
			apart_ns = wall_ns - before_ns - took_ns / 2;
		}
	}
	return (apart_ns + APART_STEP_NS / 2) / APART_STEP_NS * APART_STEP_NS + monotonic_ns;
}

uint64_t sw_boot_s(void)
{
	return clock_ns(CLOCK_BOOTTIME) / NS_PER_S;
}

uint64_t sw_wall_s(void)
{
	return clock_ns(CLOCK_REALTIME) / NS_PER_S;
}

int64_t sw_boot_to_wall_s(void)
{
	int64_t apart_ns = (int64_t)(clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME));

	/* to the nearest second, so that times which go there and back stay as they are */
	return (apart_ns + (int64_t)(NS_PER_S / 2)) / (int64_t)NS_PER_S;
}

const char *sw_format_timestamp(char text[SW_TIMESTAMP_SIZE], uint64_t wall_ns)
{
	time_t seconds = wall_ns / NS_PER_S;
	char zone[8] = "";
	struct tm local;
	size_t length;

	localtime_r(&seconds, &local);
	length = strftime(text, SW_TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &local);
	strftime(zone, sizeof(zone), "%z", &local);
	snprintf(text + length, SW_TIMESTAMP_SIZE - length, ".%06u%s",
		 (unsigned int)(wall_ns % NS_PER_S / 1000), zone);
	return text;
}

const char *sw_format_moment(char text[SW_TIMESTAMP_SIZE], uint64_t wall_ns)
{
	time_t seconds = wall_ns / NS_PER_S;
	struct tm local;

	localtime_r(&seconds, &local);
	strftime(text, SW_TIMESTAMP_SIZE, "%Y-%m-%d %H:%M:%S", &local);
	return text;
}
