/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONFIG_SERVICE_H
#define SYNWARD_CONFIG_SERVICE_H

#include "schema.h"
#include "source.h"

/*
 * Fills in which packets each service of the file is about, in the order of the file: names,
 * families, prefixes and ports, and that no two are the same. policy has its service_count already.
 * Returns 0, or -EINVAL with the line recorded.
 */
int sw_file_services(struct sw_file_text *source, const struct sw_file *file,
		     struct sw_policy *policy);

#endif
