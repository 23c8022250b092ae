/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONFIG_CHECK_H
#define SYNWARD_CONFIG_CHECK_H

#include "source.h"

#include <cyaml/cyaml.h>

/*
 * Does the file fit the schema? libcyaml asks the same, but what it says about it names neither the
 * value's line nor what was expected; so it is asked here first, and libcyaml has nothing to refuse.
 * Knows mappings, sequences and strings. Returns 0, or -EINVAL with the line recorded.
 */
int sw_source_check(struct sw_file_text *source, const cyaml_schema_value_t *schema);

#endif
