// SPDX-License-Identifier: GPL-2.0-or-later
#include "snapshot.h"

uint64_t sw_histogram_count(const struct sw_histogram *histogram)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < SW_HIST_BUCKETS; i++)
		count += histogram->buckets[i];
	return count;
}

uint64_t sw_histogram_percentile(const struct sw_histogram *histogram, double fraction)
{
	uint64_t count = sw_histogram_count(histogram), before = 0;
	double wanted = fraction * (double)count;

	for (unsigned int i = 0; i < SW_HIST_BUCKETS; i++) {
		uint64_t here = histogram->buckets[i];
		uint64_t low = i ? sw_hist_bound(i - 1) : 0;

		if (!here || (double)(before + here) < wanted) {
			before += here;
			continue;
		}
		if (i == SW_HIST_BUCKETS - 1)
			return low; /* no more than this is known of it */
		return low + (uint64_t)((double)(sw_hist_bound(i) - low) *
					(wanted - (double)before) / (double)here);
	}
	return 0;
}

uint64_t sw_untold_attempts(const struct sw_counters *total)
{
	uint64_t unfollowed = total->tallies[SW_TALLY_ATTEMPTS_UNFOLLOWED];
	uint64_t recognised = total->tallies[SW_TALLY_ATTEMPTS_RECOGNISED];

	/* they are not read at the same moment */
	return unfollowed > recognised ? unfollowed - recognised : 0;
}

uint64_t sw_estimated_outcome(const struct sw_counters *total, enum sw_outcome outcome)
{
	uint64_t sample = 0;

	for (unsigned int i = 0; i < SW_OUTCOME_COUNT; i++)
		sample += total->sampled[i];
	return sample ? (uint64_t)((double)sw_untold_attempts(total) *
				   (double)total->sampled[outcome] / (double)sample) :
			0;
}

bool sw_traffic_is_conserved(const struct sw_traffic *traffic)
{
	uint64_t verdicts = 0, kinds = traffic->forwarded;

	for (unsigned int i = 0; i < SW_VERDICT_COUNT; i++)
		verdicts += traffic->verdicts[i];
	for (unsigned int i = 0; i < SW_KIND_COUNT; i++)
		kinds += traffic->kinds[i];
	return traffic->seen == verdicts && traffic->seen == kinds;
}

bool sw_status_interface_ok(const struct sw_status_interface *interface)
{
	return interface->ingress == SW_HEALTH_OK && interface->egress == SW_HEALTH_OK;
}

bool sw_syncookies_are_left(const struct sw_status_flood *flood)
{
	return flood->known && flood->syncookies.owner == SW_SYNCOOKIES_OURS &&
	       flood->syncookies_needed < flood->syncookies.now;
}

bool sw_handover_is_missing(const struct sw_status_flood *flood)
{
	return flood->handover_needed && flood->handover != SW_HEALTH_OK &&
	       flood->handover != SW_HEALTH_UNKNOWN;
}

bool sw_way_cannot_share(const struct sw_status_flood *flood)
{
	return flood->defends && flood->shares && flood->choice.way != SW_WAY_HANDOVER;
}

bool sw_status_flood_ok(const struct sw_status_flood *flood)
{
	if (!flood->known)
		return true; /* that it cannot be looked at is told of its hooks */
	if (sw_syncookies_are_left(flood))
		return false;
	if (sw_handover_is_missing(flood))
		return false;
	if (flood->syncookies.owner == SW_SYNCOOKIES_CHANGED &&
	    flood->syncookies_wanted > flood->syncookies.now)
		return false;
	if (sw_way_cannot_share(flood))
		return false;
	/* an address that is missing there is defended by the challenge */
	return !flood->defends || (flood->choice.reason != SW_WAY_BY_INSTEAD &&
				   !(flood->drifts & ~(1U << SW_DRIFT_ADDRESSES)));
}

static bool is_lost(enum sw_health health)
{
	return health != SW_HEALTH_OK && health != SW_HEALTH_UNKNOWN;
}

static uint32_t interface_reasons(const struct sw_status_interface *interface)
{
	uint32_t reasons = 0;

	if (!sw_status_interface_ok(interface))
		reasons |= is_lost(interface->ingress) || is_lost(interface->egress) ?
				   1U << SW_DEGRADED_HOOK :
				   1U << SW_DEGRADED_HOOK_UNKNOWN;
	if (!sw_status_flood_ok(&interface->flood))
		reasons |= 1U << SW_DEGRADED_DEFENCE;
	return reasons;
}

uint32_t sw_status_reasons(const struct sw_status *status)
{
	uint32_t reasons = 0;

	if (!status->attached)
		return 0;
	for (uint32_t i = 0; i < status->interface_count; i++)
		reasons |= interface_reasons(&status->interfaces[i]);
	for (uint32_t i = 0; i < status->policy.row_count; i++)
		if (sw_row_stands_aside(&status->policy.rows[i]))
			reasons |= 1U << SW_DEGRADED_STEPPED_ASIDE;
	if (!status->interface_count)
		reasons |= 1U << SW_DEGRADED_NOTHING_WATCHED;
	if (status->sweeper == SW_SWEEPER_STOPPED)
		reasons |= 1U << SW_DEGRADED_SWEEPER;
	if (sw_secret_is_missing(&status->policy))
		reasons |= 1U << SW_DEGRADED_SECRET;
	return reasons;
}

uint32_t sw_status_faults(const struct sw_status *status)
{
	return sw_status_reasons(status) & ~(1U << SW_DEGRADED_HOOK_UNKNOWN);
}

bool sw_status_degraded(const struct sw_status *status)
{
	return sw_status_reasons(status);
}
