// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy_view.h"

#include <stddef.h>

enum sw_policy_mode sw_policy_mode(const struct sw_policy_view *view)
{
	uint32_t enforcing = 0;

	for (uint32_t i = 0; i < view->row_count; i++)
		enforcing += view->rows[i].rules.enforce != 0;
	return !enforcing		    ? SW_MODE_MONITOR :
	       enforcing == view->row_count ? SW_MODE_ENFORCE :
					      SW_MODE_MIXED;
}

bool sw_policy_drops(const struct sw_policy_view *view)
{
	return view->armed && sw_policy_mode(view) != SW_MODE_MONITOR;
}

bool sw_row_only_watches(const struct sw_policy_view *view, const struct sw_row_view *row)
{
	return !view->armed || !row->rules.enforce;
}

const struct sw_row_view *sw_policy_row(const struct sw_policy_view *view, uint32_t number)
{
	if (!view->row_count)
		return NULL;
	if (number == SW_SERVICE_DEFAULT)
		return &view->rows[view->row_count - 1];
	return number < view->row_count - 1 ? &view->rows[number] : NULL;
}

uint64_t sw_warm_up_left_ms(const struct sw_watcher *watcher, const struct sw_row_view *row)
{
	if (!row->rules.strict || watcher->watched_ms >= row->rules.warm_up_ms)
		return 0;
	return row->rules.warm_up_ms - watcher->watched_ms;
}

/* The least of all interfaces; without one, nothing has warmed up. */
static uint64_t least_warm_up_left_ms(const struct sw_policy_view *view,
				      const struct sw_row_view *row)
{
	uint64_t least_ms = row->rules.warm_up_ms;

	for (uint32_t i = 0; i < view->watcher_count; i++) {
		uint64_t left_ms = sw_warm_up_left_ms(&view->watchers[i], row);

		if (left_ms < least_ms)
			least_ms = left_ms;
	}
	return least_ms;
}

/* How long what was seen so long ago goes on suspending strict rules. */
static uint64_t suspended_ms(const struct sw_row_view *row, bool seen, uint64_t seen_ms)
{
	uint64_t suspension_ms = sw_suspension_ms(&row->rules);

	return seen && seen_ms < suspension_ms ? suspension_ms - seen_ms : 0;
}

bool sw_row_was_moved(const struct sw_row_view *row)
{
	return suspended_ms(row, row->moved, row->moved_ms) >
	       suspended_ms(row, row->one_sided, row->one_sided_ms);
}

/*
 * The same conditions as those of the kernel's sw_is_ready(), the one that lasts longest first; and after them its
 * has_forgotten().
 */
enum sw_readiness sw_policy_readiness(const struct sw_policy_view *view,
				      const struct sw_row_view *row, uint64_t *left_ms)
{
	uint64_t remembered_ms;

	*left_ms = 0;
	if (!row->rules.strict)
		return SW_STRICT_OFF;
	*left_ms = sw_row_was_moved(row) ? suspended_ms(row, row->moved, row->moved_ms) :
					   suspended_ms(row, row->one_sided, row->one_sided_ms);
	if (*left_ms)
		return SW_STRICT_SUSPENDED;
	*left_ms = least_warm_up_left_ms(view, row);
	if (*left_ms)
		return SW_STRICT_WARMING_UP;
	if (row->both_sided < SW_ENOUGH_BOTH_SIDED)
		return SW_STRICT_UNSURE;
	remembered_ms = view->rows[view->row_count - 1].rules.timeout_ms[SW_TIMEOUT_ESTABLISHED];
	if (view->evicted && view->evicted_ms < remembered_ms) {
		*left_ms = remembered_ms - view->evicted_ms;
		return SW_STRICT_LOWERED;
	}
	return SW_STRICT_READY;
}

bool sw_policy_shares(const struct sw_policy_view *view)
{
	return view->features & SW_HAS_SHARED_SECRET;
}

bool sw_secret_is_missing(const struct sw_policy_view *view)
{
	return sw_policy_shares(view) && !view->secret_ids[0];
}

bool sw_row_stands_aside(const struct sw_row_view *row)
{
	return row->rules.flood.mode != SW_FLOOD_OFF && row->rules.flood.self_check &&
	       row->flood.check_phase != SW_CHECK_ANSWERS;
}
