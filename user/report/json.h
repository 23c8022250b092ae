/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPORT_JSON_H
#define SYNWARD_REPORT_JSON_H

#include "../base/address.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* An object that begins with the schema. */
json_t *sw_json_root(void);

/* Without memory these do nothing, and sw_output_lacks() is told. */
void sw_json_put_number(json_t *object, const char *key, uint64_t number);
/* Text that is not UTF-8 is written as sw_printable() does. */
void sw_json_put_text(json_t *object, const char *key, const char *text);
void sw_json_put_bool(json_t *object, const char *key, bool value);

/*
 * A time of day: as text for people and for what reads Suricata's EVE, and as KEY_unix_ms, the milliseconds
 * since 1970, for jq and whoever calculates.
 */
void sw_json_put_time(json_t *object, const char *key, uint64_t wall_ns);

/* The ends of a handshake by the names that EVE has for them: src_ip and so on; ports in host order. */
void sw_json_put_ends(json_t *object, const struct sw_addr *orig, uint16_t orig_port,
		      const struct sw_addr *resp, uint16_t resp_port);

/* Takes the reference to value. Returns it, borrowed. */
json_t *sw_json_put(json_t *object, const char *key, json_t *value);

struct sw_policy;
struct sw_policy_view;
struct sw_snapshot;

/* All sections of `stats -j`, for a report that has more of its own. */
json_t *sw_json_stats_root(const struct sw_snapshot *snapshot);

/* Whether the active policy drops, is confirmed and so on; and its rows by themselves. */
json_t *sw_json_policy_state(const struct sw_policy_view *view);
json_t *sw_json_policy_rows(const struct sw_policy_view *view);

/* What a policy says without effect: an array of keys, each with the reason. */
json_t *sw_json_policy_idle(const struct sw_policy *policy);

/* Prints on one line, or indented, and drops the reference. */
void sw_json_print(FILE *out, json_t *root, bool pretty);

/*
 * An object whose last member is an array, printed row by row: there may be millions, and as one tree they
 * would take a kilobyte each. Indented, each row is a line.
 */
struct sw_json_rows {
	FILE *out;
	bool pretty;
	bool any;
};

/* Prints all members of the root before the array, whose name is key, and drops the reference. */
void sw_json_rows_begin(struct sw_json_rows *rows, FILE *out, json_t *root, const char *key,
			bool pretty);

/* Prints a row and drops the reference. */
void sw_json_rows_add(struct sw_json_rows *rows, json_t *row);

void sw_json_rows_end(struct sw_json_rows *rows);

#endif
