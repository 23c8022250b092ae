// SPDX-License-Identifier: GPL-2.0-or-later
#include "flood_report.h"
#include "json.h"
#include "report.h"

#include "../base/printable.h"
#include "../base/address.h"
#include "../base/time.h"
#include "../model/names.h"

#include <string.h>

static json_t *before(const struct sw_programs_before *programs)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < programs->count; i++) {
		json_t *one = json_object();

		sw_json_put_number(one, "program_id", programs->rows[i].id);
		sw_json_put_text(one, "name", programs->rows[i].name);
		json_array_append_new(array, one);
	}
	return array;
}

static json_t *hook(enum sw_health health, uint32_t program)
{
	json_t *object = json_object();

	sw_json_put_text(object, "health", sw_health_name(health));
	if (program)
		sw_json_put_number(object, "program_id", program);
	return object;
}

static json_t *status_interface(const struct sw_status *status,
				const struct sw_status_interface *from)
{
	json_t *one = json_object(), *part;

	sw_json_put_text(one, "name", from->record.name);
	sw_json_put_number(one, "ifindex", from->record.ifindex);
	sw_json_put_number(one, "netns", from->record.netns);
	sw_json_put_number(one, "slot", from->slot);
	sw_json_put_text(one, "mode", sw_attach_mode_name(from->record.mode));
	sw_json_put_bool(one, "frags", from->record.xdp_frags);
	sw_json_put_text(one, "egress_hook", sw_tc_hook_name(from->record.tc_hook));
	part = sw_json_put(one, "ingress", hook(from->ingress, from->ingress_program));
	sw_json_put_text(part, "hook", sw_ingress_hook_name(&from->record));
	if (from->record.mode == SW_MODE_TC)
		sw_json_put(part, "before", before(&from->before_ingress));
	part = sw_json_put(one, "egress", hook(from->egress, from->egress_program));
	sw_json_put_text(part, "hook", sw_tc_hook_name(from->record.tc_hook));
	sw_json_put(part, "before", before(&from->before_egress));
	if (from->flood.known) {
		part = sw_json_put(one, "flood", sw_json_status_flood(from));
		sw_json_put(json_object_get(part, "handover"), "before",
			    before(&from->before_handover));
	}
	sw_json_put_bool(one, "ok", sw_status_interface_ok(from));
	sw_json_put_bool(one, "hidden", from->hidden);
	sw_json_put_time(one, "since", sw_wall_ns(from->record.attached_ns));
	sw_json_put_number(one, "age_ms", (status->taken_ns - from->record.attached_ns) / 1000000);
	return one;
}

static json_t *table(uint64_t capacity, uint64_t used, const struct sw_status *status,
		     const char *map)
{
	json_t *object = json_object();

	sw_json_put_number(object, "capacity", capacity);
	sw_json_put_number(object, "used", used);
	for (uint32_t i = 0; i < status->map_count; i++)
		if (!strcmp(status->maps[i].name, map))
			sw_json_put_number(object, "bytes", status->maps[i].bytes);
	return object;
}

static json_t *memory(const struct sw_status *status)
{
	json_t *object = json_object(), *maps;

	sw_json_put_number(object, "total_bytes", status->map_bytes);
	maps = sw_json_put(object, "maps", json_object());
	for (uint32_t i = 0; i < status->map_count; i++)
		sw_json_put_number(maps, status->maps[i].name, status->maps[i].bytes);
	return object;
}

static json_t *features(const struct sw_status *status)
{
	json_t *object = json_object(), *fallbacks = json_array();

	for (uint32_t i = 0; i < status->interface_count; i++) {
		const struct sw_interface *record = &status->interfaces[i].record;
		const char *name = SW_PRINTABLE_NAME(record->name);

		if (record->mode == SW_MODE_GENERIC)
			json_array_append_new(fallbacks, json_sprintf("%s: generic XDP", name));
		if (record->tc_hook == SW_TC_CLSACT)
			json_array_append_new(fallbacks, json_sprintf("%s: clsact", name));
	}
	sw_json_put(object, "fallbacks", fallbacks);
	return object;
}

void sw_json_status(FILE *out, const struct sw_status *status, bool pretty)
{
	static const char *const sweepers[] = { "unknown", "running", "stopped" };
	json_t *root = sw_json_root(), *part;

	sw_json_put_bool(root, "attached", status->attached);
	sw_json_put_text(root, "pin_dir", status->pin_dir);
	if (status->attached) {
		sw_json_put_bool(root, "degraded", sw_status_degraded(status));
		part = sw_json_put(root, "degraded_reasons", json_array());
		for (unsigned int i = 0; i < SW_DEGRADED_COUNT; i++)
			if (sw_status_reasons(status) >> i & 1)
				json_array_append_new(part, json_string(sw_degraded_words[i].name));
		sw_json_put_number(root, "abi_version", status->identity.abi_version);
		sw_json_put_text(root, "mode",
				 sw_policy_drops(&status->policy) ? "enforce" : "monitor");
		part = sw_json_put(root, "policy", sw_json_policy_state(&status->policy));
		sw_json_put(part, "services", sw_json_policy_rows(&status->policy));
		part = sw_json_put(root, "interfaces", json_array());
		for (uint32_t i = 0; i < status->interface_count; i++)
			json_array_append_new(part,
					      status_interface(status, &status->interfaces[i]));
		part = sw_json_put(root, "tables", json_object());
		sw_json_put(part, "handshakes",
			    table((uint64_t)status->identity.handshake_buckets * SW_WAYS,
				  status->half_open, status, "handshakes"));
		sw_json_put(part, "connections",
			    table((uint64_t)status->identity.connection_buckets * SW_WAYS,
				  status->connections, status, "connections"));
		for (int i = 0; i < SW_OCCUPANCY_COUNT && status->occupancy[i].table; i++)
			sw_json_put(part, status->occupancy[i].table,
				    table(status->occupancy[i].capacity, status->occupancy[i].used,
					  status, status->occupancy[i].table));
		sw_json_put_number(root, "half_open", status->half_open);
		sw_json_put_number(root, "connections", status->connections);
		part = sw_json_put(root, "timeouts_ms", json_object());
		for (int i = 0; i < SW_TIMEOUT_COUNT; i++)
			sw_json_put_number(part, sw_timeout_words[i].name,
					   status->settings.timeout_ms[i]);
		sw_json_put_number(root, "events_per_second", status->settings.events_per_second);
		sw_json_put_text(root, "sweeper", sweepers[status->sweeper]);
		sw_json_put(root, "memory", memory(status));
		sw_json_put(root, "features", features(status));
	}
	sw_json_print(out, root, pretty);
}

void sw_json_attach(FILE *out, const struct sw_attach_result *results, uint32_t count, bool pretty)
{
	json_t *root = sw_json_root(), *array = sw_json_put(root, "attached", json_array());

	if (count && results[0].created) {
		sw_json_put_text(root, "policy", results[0].policy);
		sw_json_put_bool(root, "disarmed", results[0].disarmed);
	}
	for (uint32_t i = 0; i < count; i++) {
		json_t *one = json_object();

		sw_json_put_text(one, "name", results[i].name);
		sw_json_put_number(one, "ifindex", results[i].ifindex);
		sw_json_put_number(one, "netns", results[i].netns);
		sw_json_put_text(one, "mode", sw_attach_mode_name(results[i].mode));
		sw_json_put_bool(one, "frags", results[i].frags);
		sw_json_put_text(one, "egress_hook", sw_tc_hook_name(results[i].tc_hook));
		sw_json_put_bool(one, "already", results[i].already);
		sw_json_put_bool(one, "repaired", results[i].repaired);
		sw_json_put_bool(one, "degraded",
				 false); /* it was when native was refused, before TC */
		if (results[i].note[0])
			sw_json_put_text(one, "note", results[i].note);
		json_array_append_new(array, one);
	}
	sw_json_print(out, root, pretty);
}

void sw_json_detach(FILE *out, const struct sw_detach_result *results, uint32_t count, bool pretty)
{
	json_t *root = sw_json_root(), *array = sw_json_put(root, "detached", json_array());

	for (uint32_t i = 0; i < count; i++) {
		json_t *one = json_object();

		sw_json_put_text(one, "name", results[i].name);
		sw_json_put_number(one, "ifindex", results[i].ifindex);
		sw_json_put_number(one, "netns", results[i].netns);
		sw_json_put_bool(one, "gone", results[i].gone);
		json_array_append_new(array, one);
	}
	sw_json_print(out, root, pretty);
}

static json_t *upgraded_hook(const struct sw_upgrade_result *from, enum sw_hook hook)
{
	json_t *object = json_object();

	sw_json_put_text(object, "state", sw_upgraded_name(from->hooks[hook]));
	if (from->after[hook]) {
		sw_json_put_number(object, "program_before", from->before[hook]);
		sw_json_put_number(object, "program_id", from->after[hook]);
	}
	return object;
}

void sw_json_upgrade(FILE *out, const struct sw_upgrade *upgrade, bool pretty)
{
	json_t *root = sw_json_root(), *array;

	sw_json_put_text(root, "version", SYNWARD_VERSION);
	sw_json_put_number(root, "abi", SW_ABI_VERSION);
	sw_json_put_bool(root, "already", upgrade->already);
	array = sw_json_put(root, "upgraded", json_array());
	for (uint32_t i = 0; i < upgrade->count; i++) {
		const struct sw_upgrade_result *from = &upgrade->interfaces[i];
		json_t *one = json_object();

		sw_json_put_text(one, "name", from->name);
		sw_json_put_number(one, "ifindex", from->ifindex);
		sw_json_put_number(one, "netns", from->netns);
		sw_json_put_bool(one, "gone", from->gone);
		sw_json_put_bool(one, "hidden", from->hidden);
		for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
			sw_json_put(one, sw_hook_name(hook), upgraded_hook(from, hook));
		json_array_append_new(array, one);
	}
	sw_json_print(out, root, pretty);
}
