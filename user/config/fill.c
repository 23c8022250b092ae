// SPDX-License-Identifier: GPL-2.0-or-later
#include "fill.h"

#include "../base/error.h"
#include "check.h"
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct said {
	char text[256];
};

/* What libcyaml says first. */
static void listen(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
	struct said *said = ctx;

	if (level < CYAML_LOG_ERROR || said->text[0])
		return;
	vsnprintf(said->text, sizeof(said->text), format, args);
	said->text[strcspn(said->text, "\n")] = '\0';
}

static const cyaml_config_t quiet = {
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_ERROR,
};

int sw_source_fill(struct sw_file_text *source, const cyaml_schema_value_t *schema, void **data)
{
	int refused = sw_source_check(source, schema);
	struct said said = {};
	cyaml_config_t config = quiet;
	cyaml_err_t error;

	if (refused)
		return refused;
	config.log_fn = listen;
	config.log_ctx = &said;
	error = cyaml_load_data((const uint8_t *)source->text, source->length, &config, schema,
				data, NULL);
	if (error == CYAML_ERR_OOM)
		return sw_error(ENOMEM, "no memory to read %s", source->path);
	if (error)
		return sw_error(EINVAL, "%s: libcyaml does not take this file: %s (%s)",
				source->path, cyaml_strerror(error), said.text);
	return 0;
}

int sw_source_check_version(struct sw_file_text *source, const char *version)
{
	char shown[SW_SHOWN_SIZE];

	if (!strcmp(version, "1"))
		return 0;
	return sw_source_error(source, sw_source_line(source, "version"),
			       "version: %s: expected %d, the only one that this synward knows",
			       sw_source_shown(shown, version), SW_CONFIG_VERSION);
}

void sw_source_free_data(const cyaml_schema_value_t *schema, void *data)
{
	cyaml_free(&quiet, schema, data, 0);
}
