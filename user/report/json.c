// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/printable.h"
#include "report.h"

#include <string.h>

/* What jansson gets its memory from: it leaves out what it gets none for, and so says nothing of it. */
static void *allocate(size_t size)
{
	void *memory = malloc(size);

	if (!memory)
		sw_output_lacks();
	return memory;
}

__attribute__((constructor)) static void watch_allocations(void)
{
	json_set_alloc_funcs(allocate, free);
}

json_t *sw_json_root(void)
{
	json_t *root = json_object();

	sw_json_put_number(root, "schema", SW_SCHEMA);
	return root;
}

json_t *sw_json_put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
	return value;
}

void sw_json_put_number(json_t *object, const char *key, uint64_t number)
{
	sw_json_put(object, key, json_integer((json_int_t)number));
}

void sw_json_put_text(json_t *object, const char *key, const char *text)
{
	json_t *value = json_string(text);

	if (!value) { /* not UTF-8 */
		size_t size = SW_PRINTABLE_GROWTH * strlen(text) + 1;
		SW_AUTO_FREE char *shown = allocate(size);

		if (shown)
			value = json_string(sw_printable(shown, size, text));
	}
	sw_json_put(object, key, value);
}

void sw_json_put_bool(json_t *object, const char *key, bool value)
{
	sw_json_put(object, key, json_boolean(value));
}

void sw_json_print(FILE *out, json_t *root, bool pretty)
{
	json_dumpf(root, out, pretty ? JSON_INDENT(2) : JSON_COMPACT);
	putc('\n', out);
	json_decref(root);
}
