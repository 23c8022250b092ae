// SPDX-License-Identifier: GPL-2.0-or-later
/* What status says about how floods are kept off at each interface. */
#include "flood_report.h"
#include "report.h"

#include "../base/printable.h"
#include "../model/names.h"
#include "../model/policy_keys.h"
#include "../text/table.h"

#include <inttypes.h>

#define SYNCOOKIES "net.ipv4.tcp_syncookies"

/* Why no way is taken that goes before the one that is. */
static void print_lacks(FILE *out, const struct sw_status_flood *flood)
{
	char text[SW_WAY_LACK_SIZE];

	for (unsigned int way = 0; way < flood->choice.way; way++) {
		const char *lack = sw_way_lack(text, &flood->host, (enum sw_flood_way)way);

		if (lack)
			fprintf(out, "\n%-15s no %s: %s", "", sw_name(sw_flood_way_words, way),
				lack);
	}
}

static void print_way(FILE *out, const struct sw_status_interface *interface, const char *label)
{
	const struct sw_status_flood *flood = &interface->flood;
	const struct sw_syncookies_view *syncookies = &flood->syncookies;

	fprintf(out, "%-13s %s: %s%s, %s", label, SW_PRINTABLE_NAME(interface->record.name),
		sw_name(sw_flood_way_words, flood->way),
		flood->forwards ? ", challenge for what is not to this host" : "",
		sw_way_reason_words[flood->choice.reason % SW_WAY_REASON_COUNT].meaning);
	if (flood->choice.reason != SW_WAY_BY_POLICY && flood->choice.reason != SW_WAY_BY_ATTACH)
		print_lacks(out, flood);
	if (flood->by_tc)
		fprintf(out, "\n%-15s TC sends the answers, which costs more: %s", "",
			sw_by_tc_words(&interface->record));
	if (syncookies->owner == SW_SYNCOOKIES_OURS)
		fprintf(out,
			"\n%-15s " SYNCOOKIES
			" was set to %d as the policy allows; it was %d before",
			"", syncookies->now, syncookies->before);
	fputc('\n', out);
}

void sw_text_status_ways(FILE *out, const struct sw_status *status)
{
	const char *label = "ways";

	for (uint32_t i = 0; i < status->interface_count; i++) {
		const struct sw_status_flood *flood = &status->interfaces[i].flood;

		if (!flood->known ||
		    (!flood->defends && flood->syncookies.owner != SW_SYNCOOKIES_OURS))
			continue;
		print_way(out, &status->interfaces[i], label);
		label = "";
	}
}

/* ---- what is wrong */

static void begin(FILE *out, const struct sw_status_interface *interface, bool degraded)
{
	fprintf(out, "%s%s:%s %s: ", sw_style(out, degraded ? SW_STYLE_BAD : SW_STYLE_WARN),
		degraded ? "degraded" : "note", sw_style(out, SW_STYLE_NONE),
		SW_PRINTABLE_NAME(interface->record.name));
}

static void print_drifts(FILE *out, const struct sw_status_interface *interface)
{
	uint32_t drifts = interface->flood.drifts;
	const char *separator = "";

	begin(out, interface, drifts & ~(1U << SW_DRIFT_ADDRESSES));
	for (unsigned int i = 0; i < SW_DRIFT_COUNT; i++) {
		if (!(drifts >> i & 1))
			continue;
		fprintf(out, "%s%s", separator, sw_drift_words[i].meaning);
		separator = ", ";
	}
	fprintf(out, " changed since attach read it; to read it again: synward attach %s\n",
		SW_PRINTABLE_NAME(interface->record.name));
}

static void print_syncookies(FILE *out, const struct sw_status_interface *interface)
{
	const struct sw_syncookies_view *syncookies = &interface->flood.syncookies;

	if (sw_syncookies_are_left(&interface->flood)) {
		begin(out, interface, true);
		fprintf(out,
			SYNCOOKIES " is %d, which no policy asks for any more; to restore %d: "
				   "synward attach %s\n",
			syncookies->now, syncookies->before,
			SW_PRINTABLE_NAME(interface->record.name));
	}
	if (syncookies->owner != SW_SYNCOOKIES_CHANGED ||
	    interface->flood.syncookies_wanted <= syncookies->now)
		return;
	begin(out, interface, true);
	fprintf(out,
		"somebody has set " SYNCOOKIES
		" to %d, and the policy's way needs %d. Set it, or choose another way\n",
		syncookies->now, interface->flood.syncookies_wanted);
}

static void print_instead(FILE *out, const struct sw_status_interface *interface)
{
	const struct sw_status_flood *flood = &interface->flood;
	uint8_t wish = flood->asked.policy ? flood->asked.policy : flood->asked.attach;
	const char *asked = sw_flood_wishes[wish % SW_FLOOD_WISH_COUNT];
	const char *instead = sw_name(sw_flood_way_words, flood->choice.way);
	char text[SW_WAY_LACK_SIZE];
	const char *lack = sw_way_lack(text, &flood->host, SW_WISHED_WAY(wish));

	begin(out, interface, true);
	if (flood->way == flood->choice.way)
		fprintf(out, "the flood defence uses %s instead of %s: %s\n", instead, asked, lack);
	else
		fprintf(out,
			"%s no longer works here, so sources are challenged: %s. To use %s "
			"instead: synward attach %s\n",
			asked, lack, instead, SW_PRINTABLE_NAME(interface->record.name));
}

static void print_unshared(FILE *out, const struct sw_status_interface *interface)
{
	begin(out, interface, true);
	fprintf(out,
		"the flood defence uses %s, so other hosts cannot check its cookies: "
		"flood_defence.shared_secret needs the way handover\n",
		sw_name(sw_flood_way_words, interface->flood.choice.way));
}

void sw_text_flood_problems(FILE *out, const struct sw_status_interface *interface)
{
	const struct sw_status_flood *flood = &interface->flood;

	if (!flood->known)
		return;
	print_syncookies(out, interface);
	if (sw_handover_is_missing(flood)) {
		begin(out, interface, true);
		fprintf(out, "the hand-over's hook is %s; to restore it: synward attach %s\n",
			sw_health_name(flood->handover), SW_PRINTABLE_NAME(interface->record.name));
	}
	if (!flood->defends)
		return;
	if (flood->choice.reason == SW_WAY_BY_INSTEAD)
		print_instead(out, interface);
	if (flood->drifts)
		print_drifts(out, interface);
	if (sw_way_cannot_share(flood))
		print_unshared(out, interface);
}
