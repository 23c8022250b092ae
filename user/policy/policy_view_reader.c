// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy_view_reader.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/interface_records.h"
#include "../maps/policy_slot.h"
#include "../maps/rows.h"
#include "../maps/settings.h"
#include "../maps/sweeper.h"
#include "../platform/wall_clock.h"
#include "armed.h"

#include <synward/cookie.h>

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

/* What is known of the services of a slot. */
struct known {
	struct sw_service_state states[SW_SERVICE_SLOTS];
	struct sw_flood_state floods[SW_SERVICE_SLOTS];
};

static int read_known(const struct sw_instance *instance, uint32_t slot, struct known *known)
{
	SW_AUTO_FD int states_fd = -1;
	SW_AUTO_FD int floods_fd = -1;
	uint32_t first = slot * SW_SERVICE_SLOTS;
	int error = sw_instance_map(instance, "service_state", sizeof(*known->states), &states_fd);

	if (!error)
		error = sw_instance_map(instance, "floods", sizeof(*known->floods), &floods_fd);
	if (error)
		return error;
	error = sw_rows_read(states_fd, first, SW_SERVICE_SLOTS, known->states);
	if (error)
		return sw_error(error, "cannot read the services' state: %s", sw_errno_text(error));
	error = sw_rows_read(floods_fd, first, SW_SERVICE_SLOTS, known->floods);
	if (error)
		return sw_error(error, "cannot read the services' floods: %s",
				sw_errno_text(error));
	return 0;
}

static void fill_row(const struct known *known, uint32_t service, uint64_t now_ms,
		     const struct sw_policy *policy, struct sw_row_view *row)
{
	const struct sw_service_state *state = &known->states[service];

	row->flood = known->floods[service];
	row->flood_changed_ms = (uint32_t)now_ms - row->flood.changed_ms;
	row->check_changed_ms = (uint32_t)now_ms - row->flood.check.changed_ms;
	row->check_aside_ms = (uint32_t)now_ms - row->flood.check.since_ms;
	memcpy(row->name, policy->services[service].name, sizeof(row->name));
	row->name[sizeof(row->name) - 1] = '\0';
	row->rules = policy->rules[service];
	row->both_sided = state->both_sided;
	row->one_sided = state->one_sided_ms;
	row->one_sided_ms = now_ms - state->one_sided_ms;
	row->moved = state->moved_ms;
	row->moved_ms = now_ms - state->moved_ms;
}

static int read_rows(const struct sw_instance *instance, uint32_t slot, uint64_t now_ms,
		     const struct sw_policy *policy, struct sw_policy_view *view)
{
	SW_AUTO_FREE struct known *known = malloc(sizeof(*known));
	int error = known ? read_known(instance, slot, known) : -ENOMEM;
	uint32_t count = policy->service_count < SW_MAX_SERVICES ? policy->service_count :
								   SW_MAX_SERVICES;

	for (uint32_t i = 0; i <= count && !error; i++)
		fill_row(known, i < count ? i : SW_SERVICE_DEFAULT, now_ms, policy, &view->rows[i]);
	view->row_count = count + 1;
	return error;
}

/* The way of all interfaces by the active policy; SW_FLOOD_WAY_COUNT: they do not agree. */
static int read_way(const struct sw_instance *instance, uint32_t active, uint32_t *way)
{
	SW_AUTO_FD int fd = -1;
	struct sw_cookie_offer offers[SW_MAX_INTERFACES];
	int error = sw_instance_map(instance, "cookie_offers", sizeof(*offers), &fd);
	bool any = false;

	*way = SW_FLOOD_WAY_COUNT;
	if (error)
		return error;
	error = sw_rows_read(fd, 0, SW_MAX_INTERFACES, offers);
	if (error)
		return sw_error(error, "cannot read what is offered to clients: %s",
				sw_errno_text(error));
	for (__u32 slot = 0; slot < SW_MAX_INTERFACES; slot++) {
		const struct sw_cookie_offer *offer = &offers[slot];

		if (!offer->ttl)
			continue;
		if (any && *way != offer->ways[active % SW_OFFER_WAYS])
			*way = SW_FLOOD_WAY_COUNT;
		else
			*way = offer->ways[active % SW_OFFER_WAYS];
		any = true;
	}
	return 0;
}

static int read_lists(const struct sw_instance *instance, struct sw_policy_view *view)
{
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "list_headers", 0, &fd);

	for (__u32 list = 0; list < SW_LIST_COUNT && !error; list++) {
		struct sw_list_header header;

		if (bpf_map_lookup_elem(fd, &list, &header))
			return sw_error(errno, "cannot read the lists: %s", sw_errno_text(errno));
		view->list_entries[list] = header.tables[header.generation & 1].entries;
	}
	return error;
}

/* Since when each interface that is attached has been watched. */
static void fill_watchers(const struct sw_records *records, const struct sw_settings *settings,
			  uint64_t now_ms, struct sw_policy_view *view)
{
	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES; slot++) {
		struct sw_watcher *watcher = &view->watchers[view->watcher_count];

		if (!records->slots[slot].ifindex)
			continue;
		snprintf(watcher->name, sizeof(watcher->name), "%s", records->slots[slot].name);
		watcher->watched_ms = now_ms - settings->watching_since_ms[slot];
		view->watcher_count++;
	}
}

static void describe(const struct sw_policy *policy, const struct sw_policy_state *state,
		     const struct sw_settings *settings, uint64_t now_ms,
		     struct sw_policy_view *view)
{
	int32_t left_ms = (int32_t)(state->deadline_ms - (uint32_t)now_ms);
	struct sw_wall_clock clock;

	view->generation = policy->generation;
	view->features = policy->features;
	view->auto_block = policy->auto_block;
	view->auto_blocks = settings->auto_blocks;
	view->pending = state->pending;
	view->pending_left_ms = state->pending && left_ms > 0 ? (uint32_t)left_ms : 0;
	view->can_roll_back = state->fallback < SW_POLICY_SLOTS;
	view->rolled_back = state->rolled_back;
	view->evicted = settings->evicted_ms;
	view->evicted_ms = now_ms - settings->evicted_ms;
	view->active_ms = now_ms - state->since_ms;
	memcpy(view->secret_ids, settings->cookie_ids, sizeof(view->secret_ids));
	sw_wall_clock_read(&clock);
	view->clock_synchronised = clock.synchronised;
	view->tai_changed = clock.tai_minus_utc_s != settings->tai_minus_utc_s;
}

int sw_policy_view_read_of(const struct sw_instance *instance, const struct sw_records *records,
			   struct sw_policy_view *view)
{
	SW_AUTO_FREE struct sw_policy *policy = malloc(sizeof(*policy));
	struct sw_settings settings;
	struct sw_policy_state state;
	struct sw_policy_view made = {};
	uint64_t now_ms;
	int error;

	if (!policy)
		return -ENOMEM;
	error = sw_policy_read(instance, policy, &state);
	if (!error)
		error = sw_settings_read(instance, &settings);
	if (!error)
		error = sw_coarse_clock(instance, &now_ms);
	if (!error)
		error = read_rows(instance, state.active, now_ms, policy, &made);
	if (!error)
		error = read_lists(instance, &made);
	if (!error)
		error = read_way(instance, state.active, &made.flood_way);
	if (!error)
		error = sw_armed_read(instance, &made.armed);
	if (error)
		return error;
	fill_watchers(records, &settings, now_ms, &made);
	describe(policy, &state, &settings, now_ms, &made);
	*view = made;
	return 0;
}

int sw_policy_view_read(const struct sw_instance *instance, struct sw_policy_view *view)
{
	SW_AUTO_RECORDS struct sw_records records = SW_RECORDS_NONE;
	int error = sw_records_open(instance, &records);

	return error ? error : sw_policy_view_read_of(instance, &records, view);
}
