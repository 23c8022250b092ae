// SPDX-License-Identifier: GPL-2.0-or-later
/* The half-open handshakes of `list`. */
#include "json.h"
#include "report.h"

#include "../base/address.h"
#include "../base/number.h"
#include "../model/names.h"
#include "../text/table.h"

#include <stdio.h>

/* ---- JSON */

static json_t *endpoint(const struct sw_addr *addr, uint16_t port, const char *state)
{
	char text[SW_ADDRESS_SIZE];
	json_t *object = json_object();

	sw_json_put_text(object, "ip", sw_format_address(text, addr));
	sw_json_put_number(object, "port", port);
	sw_json_put_text(object, "state", state);
	return object;
}

static json_t *attempt(const struct sw_handshake_view *view)
{
	const struct sw_attempt *from = &view->attempt;
	json_t *one = json_object(), *part, *seen;
	const char *name;

	sw_json_put_ends(one, &from->orig, from->orig_port, &from->resp, from->resp_port);
	part = sw_json_put(
		one, "orig",
		endpoint(&from->orig, from->orig_port, sw_orig_state(sw_phase_shown(from))));
	sw_json_put_number(part, "isn", from->isn_orig);
	part = sw_json_put(
		one, "resp",
		endpoint(&from->resp, from->resp_port, sw_resp_state(sw_phase_shown(from))));
	if (from->phase != SW_PHASE_SYN_SENT)
		sw_json_put_number(part, "isn", from->isn_resp[0]);
	if (from->seen & SW_HAS_TWO_RESP_ISNS)
		sw_json_put_number(part, "isn_before", from->isn_resp[1]);
	sw_json_put_text(one, "phase", sw_name(sw_phase_words, from->phase));
	sw_json_put_number(one, "age_ms", view->age_ms);
	sw_json_put_number(one, "expires_ms", view->expires_ms);
	seen = sw_json_put(one, "seen", json_array());
	for (unsigned int i = 0; (name = sw_evidence_name(from->seen, i)); i++)
		json_array_append_new(seen, json_string(name));
	return one;
}

void sw_json_list(FILE *out, const struct sw_handshake_list *list, bool pretty)
{
	json_t *root = sw_json_root();
	struct sw_json_rows rows;

	sw_json_put_number(root, "total", list->total);
	sw_json_put_number(root, "shown", list->count);
	sw_json_put_bool(root, "truncated", list->count < list->total);
	sw_json_rows_begin(&rows, out, root, "handshakes", pretty);
	for (uint64_t i = 0; i < list->count; i++)
		sw_json_rows_add(&rows, attempt(&list->views[i]));
	sw_json_rows_end(&rows);
}

/* ---- text */

#define SEEN_SIZE 256

/* What else it has shown, in words. */
static const char *seen_words(char words[SEEN_SIZE], uint16_t seen)
{
	int length = 0;
	const char *name;

	words[0] = '\0';
	for (unsigned int i = 0; (name = sw_evidence_name(seen, i)); i++)
		length += snprintf(words + length, SEEN_SIZE - (size_t)length, "%s%s",
				   i ? ", " : "", name);
	return words;
}

static void add_row(struct sw_table *table, const struct sw_handshake_view *view)
{
	const struct sw_attempt *from = &view->attempt;
	char text[SW_ENDPOINT_SIZE], age[SW_NUMBER_SIZE], seen[SEEN_SIZE];

	sw_table_cell(table, "%s", sw_format_duration(age, view->age_ms));
	sw_table_cell(table, "%s", sw_format_endpoint(text, &from->orig, from->orig_port));
	sw_table_cell(table, "%s", sw_format_endpoint(text, &from->resp, from->resp_port));
	sw_table_cell(table, "%s/%s", sw_orig_state(sw_phase_shown(from)),
		      sw_resp_state(sw_phase_shown(from)));
	if (from->phase == SW_PHASE_SYN_SENT)
		sw_table_cell(table, "%u/-", from->isn_orig);
	else
		sw_table_cell(table, "%u/%u", from->isn_orig, from->isn_resp[0]);
	sw_table_cell(table, "%s", seen_words(seen, from->seen));
}

/* Row by row: the first walk finds out how wide the columns are, the second one prints. */
void sw_text_list(FILE *out, const struct sw_handshake_list *list)
{
	static const char *const headings[] = {
		"AGE", "OPENER", "RESPONDER", "STATE", "ISN", "SEEN"
	};
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("rlllll");
	char text[SW_NUMBER_SIZE], shown[SW_NUMBER_SIZE];

	if (!list->total) {
		fprintf(out, "no half-open handshakes\n");
		return;
	}
	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
		sw_table_cell(table, "%s", headings[i]);
	for (uint64_t i = 0; i < list->count; i++) {
		add_row(table, &list->views[i]);
		sw_table_forget(table);
	}
	for (uint64_t i = 0; i < list->count; i++) {
		add_row(table, &list->views[i]);
		sw_table_flush(table, out);
	}
	if (list->count < list->total)
		fprintf(out, "the oldest %s of %s; --all shows all\n",
			sw_format_count(shown, list->count), sw_format_count(text, list->total));
}
