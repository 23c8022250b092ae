// SPDX-License-Identifier: GPL-2.0-or-later
#include "flood_report.h"
#include "json.h"
#include "report.h"

#include "../model/names.h"
#include "../model/policy_keys.h"

static json_t *lacks(const struct sw_status_flood *flood)
{
	json_t *object = json_object();
	char text[SW_WAY_LACK_SIZE];

	for (unsigned int way = 0; way < SW_FLOOD_WAY_COUNT; way++) {
		const char *lack = sw_way_lack(text, &flood->host, (enum sw_flood_way)way);

		if (lack)
			sw_json_put_text(object, sw_flood_way_words[way].name, lack);
	}
	return object;
}

static json_t *syncookies(const struct sw_status_flood *flood)
{
	static const char *const owners[] = {
		[SW_SYNCOOKIES_OTHERS] = "others",
		[SW_SYNCOOKIES_OURS] = "ours",
		[SW_SYNCOOKIES_CHANGED] = "changed",
	};
	const struct sw_syncookies_view *view = &flood->syncookies;
	json_t *object = json_object();

	if (view->now >= 0)
		sw_json_put_number(object, "value", (uint64_t)view->now);
	sw_json_put_text(object, "owner", owners[view->owner]);
	sw_json_put_number(object, "needed", (uint64_t)flood->syncookies_needed);
	if (view->owner == SW_SYNCOOKIES_OURS)
		sw_json_put_number(object, "before", (uint64_t)view->before);
	sw_json_put_bool(object, "to_be_restored", sw_syncookies_are_left(flood));
	return object;
}

static json_t *handover(const struct sw_status_flood *flood)
{
	json_t *object = json_object();

	sw_json_put_bool(object, "needed", flood->handover_needed);
	sw_json_put_text(object, "health", sw_health_name(flood->handover));
	if (flood->handover_program)
		sw_json_put_number(object, "program_id", flood->handover_program);
	return object;
}

json_t *sw_json_status_flood(const struct sw_status_interface *interface)
{
	const struct sw_status_flood *flood = &interface->flood;
	json_t *object = json_object(), *changed;

	sw_json_put_text(object, "way", sw_name(sw_flood_way_words, flood->way));
	sw_json_put_text(object, "reason", sw_name(sw_way_reason_words, flood->choice.reason));
	sw_json_put_text(object, "policy_asks",
			 sw_flood_wishes[flood->asked.policy % SW_FLOOD_WISH_COUNT]);
	sw_json_put_text(object, "attach_asks",
			 sw_flood_wishes[flood->asked.attach % SW_FLOOD_WISH_COUNT]);
	sw_json_put(object, "lacks", lacks(flood));
	sw_json_put_text(object, "sent_by", flood->by_tc ? "tc" : "xdp");
	if (flood->by_tc)
		sw_json_put_text(object, "sent_by_tc_since", sw_by_tc_words(&interface->record));
	sw_json_put_bool(object, "forwards", flood->forwards);
	sw_json_put_number(object, "window_scale", flood->wscale);
	sw_json_put(object, "syncookies", syncookies(flood));
	sw_json_put(object, "handover", handover(flood));
	changed = sw_json_put(object, "changed", json_array());
	for (unsigned int i = 0; i < SW_DRIFT_COUNT; i++)
		if (flood->drifts >> i & 1)
			json_array_append_new(changed, json_string(sw_drift_words[i].name));
	sw_json_put_bool(object, "ok", sw_status_flood_ok(flood));
	return object;
}
