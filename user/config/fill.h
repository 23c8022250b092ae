/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONFIG_FILL_H
#define SYNWARD_CONFIG_FILL_H

#include "source.h"

#include <cyaml/cyaml.h>

/*
 * Checks a file by a schema and makes the structure that this describes. Returns 0 and *data, which
 * sw_source_free_data() frees; or -EINVAL with the line recorded, or -ENOMEM.
 */
int sw_source_fill(struct sw_file_text *source, const cyaml_schema_value_t *schema, void **data);

/* Is it the version of files that this program knows? 0, or -EINVAL with the line recorded. */
int sw_source_check_version(struct sw_file_text *source, const char *version);

/* NULL is fine. */
void sw_source_free_data(const cyaml_schema_value_t *schema, void *data);

#endif
