/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_RESULTS_H
#define SYNWARD_BENCH_RESULTS_H

/* The file in which each benchmark leaves what it has found, beside what others have left there. */

#include "../user/base/error.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>

#define RESULTS_PATH "build/bench.json"

/* A number with so many digits behind the point as mean something. */
static inline json_t *result_number(double value, int digits)
{
	double unit = pow(10, -digits);

	return json_real(round(value / unit) * unit);
}

/*
 * Replaces the keys of the file that found has by its own; takes over found. What is there and is no JSON is
 * given up.
 */
static inline int results_write(json_t *found)
{
	json_t *all = json_load_file(RESULTS_PATH, 0, NULL);
	int failed;

	if (!json_is_object(all)) {
		json_decref(all);
		all = json_object();
	}
	failed = json_object_set_new(all, "schema", json_integer(1)) ||
		 json_object_update(all, found);
	json_decref(found);
	errno = ENOMEM;
	failed = failed || json_dump_file(all, RESULTS_PATH, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(all);
	if (failed)
		return sw_error(errno, "cannot write %s: %s; run it where build/ is", RESULTS_PATH,
				sw_errno_text(errno));
	return 0;
}

#endif
