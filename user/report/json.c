// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/printable.h"
#include "../base/time.h"
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

void sw_json_put_ends(json_t *object, const struct sw_addr *orig, uint16_t orig_port,
		      const struct sw_addr *resp, uint16_t resp_port)
{
	char text[SW_ADDRESS_SIZE];

	sw_json_put_text(object, "src_ip", sw_format_address(text, orig));
	sw_json_put_number(object, "src_port", orig_port);
	sw_json_put_text(object, "dest_ip", sw_format_address(text, resp));
	sw_json_put_number(object, "dest_port", resp_port);
}

void sw_json_put_time(json_t *object, const char *key, uint64_t wall_ns)
{
	char text[SW_TIMESTAMP_SIZE], number[64];

	sw_json_put_text(object, key, sw_format_timestamp(text, wall_ns));
	sw_format(number, sizeof(number), "%s_unix_ms", key);
	sw_json_put_number(object, number, wall_ns / 1000000);
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

void sw_json_rows_begin(struct sw_json_rows *rows, FILE *out, json_t *root, const char *key,
			bool pretty)
{
	SW_AUTO_FREE char *text = json_dumps(root, pretty ? JSON_INDENT(2) : JSON_COMPACT);
	size_t closing = pretty ? strlen("\n}") : strlen("}");

	*rows = (struct sw_json_rows){ .out = out, .pretty = pretty };
	json_decref(root);
	if (!text)
		sw_output_lacks();
	fprintf(out, "%.*s,%s\"%s\":%s[", text ? (int)(strlen(text) - closing) : 1,
		text ? text : "{", pretty ? "\n  " : "", key, pretty ? " " : "");
}

void sw_json_rows_add(struct sw_json_rows *rows, json_t *row)
{
	fputs(rows->any ? "," : "", rows->out);
	fputs(rows->pretty ? "\n    " : "", rows->out);
	json_dumpf(row, rows->out, JSON_COMPACT);
	json_decref(row);
	rows->any = true;
}

void sw_json_rows_end(struct sw_json_rows *rows)
{
	fputs(rows->pretty ? "\n  ]\n}\n" : "]}\n", rows->out);
}
