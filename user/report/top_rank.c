// SPDX-License-Identifier: GPL-2.0-or-later
/* What text and JSON of `top` have in common. */
#include "top_report.h"

#include "../base/address.h"

const char *const sw_top_by_names[] = {
	[SW_TOP_BY_SYNS] = "syns",
	[SW_TOP_BY_ANOMALIES] = "anomalies",
	[SW_TOP_BY_WEIGHT] = "weight",
	[SW_TOP_BY_COUNT] = NULL,
};

const char *sw_top_by_name(enum sw_top_by by)
{
	return sw_top_by_names[by];
}

const char *sw_format_source(char text[SW_SOURCE_SIZE], const struct sw_addr *addr)
{
	char address[SW_ADDRESS_SIZE];

	sw_format_address(address, addr);
	if (sw_addr_is_v4(addr))
		snprintf(text, SW_SOURCE_SIZE, "%s", address);
	else
		snprintf(text, SW_SOURCE_SIZE, "%s/%u", address, sw_top_prefix(addr));
	return text;
}

/* Insertion, so that what is equal stays as it was: there are only some dozens. */
static void insert(unsigned int *order, size_t count, const uint64_t *values, unsigned int index)
{
	for (; count && values[order[count - 1]] < values[index]; count--)
		order[count] = order[count - 1];
	order[count] = index;
}

size_t sw_rank_services(const struct sw_snapshot *snapshot, enum sw_top_by by,
			unsigned int order[SW_SERVICE_SLOTS])
{
	uint64_t values[SW_SERVICE_SLOTS];
	size_t count = snapshot->policy.row_count;

	if (count < 2) /* nothing is counted for services where there are none */
		return 0;
	for (unsigned int i = 0; i < count; i++) {
		const struct sw_service_counters *of = &snapshot->services[i];

		values[i] = by == SW_TOP_BY_SYNS ? of->evidence[SW_EVIDENCE_SYNS] :
			    by == SW_TOP_BY_ANOMALIES ?
						   of->anomalies :
						   of->evidence[SW_EVIDENCE_SYNS] + of->anomalies;
		insert(order, i, values, i);
	}
	return count;
}

size_t sw_rank_anomalies(const struct sw_counters *counters, unsigned int order[SW_ANOMALY_COUNT])
{
	uint64_t values[SW_ANOMALY_COUNT];
	size_t count = 0;

	for (unsigned int i = 0; i < SW_ANOMALY_COUNT; i++) {
		values[i] = counters->anomalies_seen[i];
		if (values[i])
			insert(order, count++, values, i);
	}
	return count;
}
