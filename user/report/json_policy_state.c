// SPDX-License-Identifier: GPL-2.0-or-later
#include "flood_report.h"
#include "json.h"
#include "policy_report.h"

#include "../base/error.h"
#include "../model/names.h"

#include <string.h>

const char *sw_readiness_name(enum sw_readiness readiness)
{
	static const char *const names[] = {
		[SW_STRICT_OFF] = "off",	 [SW_STRICT_WARMING_UP] = "warming_up",
		[SW_STRICT_UNSURE] = "unsure",	 [SW_STRICT_SUSPENDED] = "suspended",
		[SW_STRICT_LOWERED] = "lowered", [SW_STRICT_READY] = "ready",
	};

	return names[readiness];
}

bool sw_has_limit(const struct sw_policy_view *view, unsigned int limit)
{
	for (uint32_t i = 0; i < view->row_count; i++) {
		const struct sw_rules *rules = &view->rows[i].rules;

		if ((limit == SW_LIMIT_SYN_RATE && rules->syn_rate) ||
		    (limit == SW_LIMIT_HALF_OPEN_SOURCE && rules->half_open_source) ||
		    (limit == SW_LIMIT_HALF_OPEN_SERVICE && rules->half_open_service))
			return true;
	}
	return limit == SW_LIMIT_AUTO_BLOCK && view->auto_block.enabled;
}

static json_t *limits(const struct sw_policy_view *view)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < SW_LIMIT_COUNT; i++)
		if (sw_has_limit(view, i))
			json_array_append_new(array, json_string(sw_limit_words[i].name));
	return array;
}

static json_t *lists(const struct sw_policy_view *view)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < SW_LIST_COUNT; i++)
		sw_json_put_number(object, sw_list_words[i].name, view->list_entries[i]);
	return object;
}

const char *sw_flood_way_name(uint32_t way)
{
	return way < SW_FLOOD_WAY_COUNT ? sw_flood_way_words[way].name : "mixed";
}

/* Ids by which hosts can be compared; nothing of a key can be found out from them. */
static json_t *secret_ids(const uint32_t ids[2])
{
	json_t *array = json_array();
	char id[16];

	for (unsigned int i = 0; i < 2 && ids[i]; i++) {
		sw_format(id, sizeof(id), "%08x", ids[i]);
		json_array_append_new(array, json_string(id));
	}
	return array;
}

static json_t *shared_secret(const struct sw_policy_view *view)
{
	json_t *object = json_object();

	sw_json_put_bool(object, "wanted", sw_policy_shares(view));
	sw_json_put(object, "loaded", secret_ids(view->secret_ids));
	sw_json_put_bool(object, "clock_synchronised", view->clock_synchronised);
	sw_json_put_bool(object, "tai_changed", view->tai_changed);
	return object;
}

json_t *sw_json_policy_state(const struct sw_policy_view *view)
{
	json_t *object = json_object();

	sw_json_put_text(object, "mode", sw_mode_name(sw_policy_mode(view)));
	sw_json_put_bool(object, "armed", view->armed);
	sw_json_put_bool(object, "drops", sw_policy_drops(view));
	sw_json_put_number(object, "generation", view->generation);
	sw_json_put_number(object, "active_ms", view->active_ms);
	sw_json_put_bool(object, "pending", view->pending);
	sw_json_put_number(object, "pending_ms", view->pending_left_ms);
	sw_json_put_bool(object, "can_roll_back", view->can_roll_back);
	sw_json_put_number(object, "rolled_back", view->rolled_back);
	sw_json_put_number(object, "service_count", view->row_count - 1);
	sw_json_put(object, "limits", limits(view));
	sw_json_put(object, "lists", lists(view));
	sw_json_put_bool(object, "auto_block", view->auto_block.enabled);
	sw_json_put_number(object, "auto_blocks", view->auto_blocks);
	sw_json_put_text(object, "flood_way", sw_flood_way_name(view->flood_way));
	sw_json_put(object, "shared_secret", shared_secret(view));
	return object;
}

/* The interfaces for which strict rules have still to warm up. */
static json_t *warming_up(const struct sw_policy_view *view, const struct sw_row_view *row)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < view->watcher_count; i++) {
		uint64_t left_ms = sw_warm_up_left_ms(&view->watchers[i], row);
		json_t *one;

		if (!left_ms)
			continue;
		one = json_object();
		sw_json_put_text(one, "interface", view->watchers[i].name);
		sw_json_put_number(one, "left_ms", left_ms);
		json_array_append_new(array, one);
	}
	return array;
}

json_t *sw_json_policy_rows(const struct sw_policy_view *view)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < view->row_count; i++) {
		const struct sw_row_view *row = &view->rows[i];
		json_t *one = json_object();
		uint64_t left_ms;

		sw_json_put_text(one, "name", row->name);
		sw_json_put_text(one, "mode", row->rules.enforce ? "enforce" : "monitor");
		sw_json_put_text(one, "strict",
				 sw_readiness_name(sw_policy_readiness(view, row, &left_ms)));
		sw_json_put_number(one, "strict_left_ms", left_ms);
		sw_json_put_number(one, "both_sided", row->both_sided);
		sw_json_put(one, "warming_up", warming_up(view, row));
		if (row->moved)
			sw_json_put_number(one, "moved_ms", row->moved_ms);
		if (row->one_sided)
			sw_json_put_number(one, "one_sided_ms", row->one_sided_ms);
		sw_json_put(one, "flood", sw_json_flood(view, row));
		json_array_append_new(array, one);
	}
	return array;
}

static json_t *changes_array(const struct sw_changes *changes)
{
	static const char *const kinds[] = {
		[SW_CHANGE_ADDED] = "added",
		[SW_CHANGE_REMOVED] = "removed",
		[SW_CHANGE_CHANGED] = "changed",
	};
	json_t *array = json_array();

	for (size_t i = 0; i < changes->count; i++) {
		const struct sw_change *change = &changes->changes[i];
		json_t *one = json_object();

		sw_json_put_text(one, "kind", kinds[change->kind]);
		sw_json_put_text(one, "path", change->path);
		if (*change->before)
			sw_json_put_text(one, "before", change->before);
		if (*change->after)
			sw_json_put_text(one, "after", change->after);
		json_array_append_new(array, one);
	}
	return array;
}

void sw_json_policy_done(FILE *out, const struct sw_policy_done *done, bool pretty)
{
	json_t *root = sw_json_root();

	sw_json_put_text(root, "action", done->action);
	sw_json_put_bool(root, "saved", done->saved && !done->view->pending);
	sw_json_put(root, "state", sw_json_policy_state(done->view));
	sw_json_put(root, "changes", changes_array(done->changes));
	sw_json_put_bool(root, "secret_changed", done->secret_changed);
	if (strcmp(done->action, "confirmed") == 0)
		sw_json_put_bool(root, "waited", done->waited);
	sw_json_put(root, "does_nothing", sw_json_policy_idle(done->policy));
	sw_json_print(out, root, pretty);
}

void sw_json_policy_diff(FILE *out, const struct sw_policy_difference *difference, bool pretty)
{
	json_t *root = sw_json_root();

	sw_json_put_text(root, "file", difference->file);
	sw_json_put_bool(root, "same", !sw_policy_differs(difference));
	sw_json_put(root, "changes", changes_array(difference->changes));
	if (difference->secret_compared) {
		sw_json_put_bool(root, "secret_differs", sw_secret_differs(difference));
		sw_json_put(root, "secret_before", secret_ids(difference->secret_before));
		sw_json_put(root, "secret_after", secret_ids(difference->secret_after));
	}
	sw_json_print(out, root, pretty);
}

void sw_json_armed(FILE *out, bool armed, bool attached, bool saved, bool pretty)
{
	json_t *root = sw_json_root();

	sw_json_put_text(root, "action", armed ? "armed" : "disarmed");
	sw_json_put_bool(root, "attached", attached);
	sw_json_put_bool(root, "saved", saved);
	sw_json_print(out, root, pretty);
}
