// SPDX-License-Identifier: GPL-2.0-or-later
#include "self_check.h"
#include "json.h"

#include "../base/number.h"
#include "../model/names.h"
#include "../text/table.h"

/* What has that effect, as far as it is known. */
static const char *const causes[] = {
	[SW_CHECK_REASON_NONE] = "",
	[SW_CHECK_REASON_UNANSWERED] =
		"the clients' firewall may drop these answers, the server's own answers may take "
		"another way, or this driver may send nothing for XDP",
	[SW_CHECK_REASON_UNSERVED] =
		"a firewall here may drop connections whose SYN it has not seen (ct state invalid, "
		"or a new connection that is no SYN): exempt the service from tracking (notrack); "
		"or this is a port of a bridge with br_netfilter on; or the server's answers may "
		"leave by another interface",
};

static const char *cause_of(uint32_t reason)
{
	return causes[reason % SW_CHECK_REASON_COUNT];
}

static const char *reason_of(uint32_t reason)
{
	return sw_check_reason_words[reason % SW_CHECK_REASON_COUNT].meaning;
}

/* How long it will be before it tries again, in ms, as long as the flood is on. */
static uint32_t left_ms(const struct sw_row_view *row)
{
	const struct sw_self_check *check = &row->flood.check;

	if (row->flood.check_phase != SW_CHECK_ASIDE || row->check_changed_ms >= check->pause_ms)
		return 0;
	return check->pause_ms - row->check_changed_ms;
}

/* Whom it concerned: without a word, both. */
static const char *family_of(uint32_t reason, uint32_t family)
{
	static const char *const names[] = { [SW_CHECK_IPV4] = "ipv4", [SW_CHECK_IPV6] = "ipv6" };

	return reason == SW_CHECK_REASON_UNSERVED ? names[family % SW_CHECK_FAMILIES] : "";
}

/* ---- JSON */

static json_t *found(uint32_t repeated, uint32_t served, uint32_t unserved, const char *family)
{
	json_t *object = json_object();

	if (*family)
		sw_json_put_text(object, "family", family);

	sw_json_put_number(object, "repeated", repeated);
	sw_json_put_number(object, "served", served);
	sw_json_put_number(object, "unserved", unserved);
	return object;
}

static void put_reason(json_t *object, uint32_t reason)
{
	sw_json_put_text(object, "reason", sw_name(sw_check_reason_words, reason));
	if (reason != SW_CHECK_REASON_NONE) {
		sw_json_put_text(object, "words", reason_of(reason));
		sw_json_put_text(object, "causes", cause_of(reason));
	}
}

json_t *sw_json_self_check(const struct sw_row_view *row)
{
	const struct sw_self_check *check = &row->flood.check;
	bool aside = sw_row_stands_aside(row);
	json_t *object;

	if (!row->rules.flood.self_check)
		return json_null();
	object = json_object();
	sw_json_put_bool(object, "stepped_aside", aside);
	sw_json_put_text(object, "phase", sw_name(sw_check_words, row->flood.check_phase));
	sw_json_put_number(object, "times", check->times);
	sw_json_put_bool(object, "tells_conntrack", row->flood.remedies & SW_REMEDY_CONNTRACK);
	sw_json_put_bool(object, "sends_by_tc", row->flood.remedies & SW_REMEDY_TC);
	put_reason(object, check->reason);
	if (!check->times)
		return object;
	sw_json_put(object, "found",
		    found(check->found_repeated, check->found_served, check->found_unserved,
			  family_of(check->reason, check->found_family)));
	if (aside)
		sw_json_put_number(object, "aside_ms", row->check_aside_ms);
	if (aside && row->flood.on)
		sw_json_put_number(object, "tries_again_ms", left_ms(row));
	return object;
}

void sw_json_self_check_event(json_t *object, const struct sw_flood_event *event)
{
	put_reason(object, event->head.flood_reason);
	if (event->head.type == SW_EVENT_FLOOD_STEPS_ASIDE)
		sw_json_put(object, "found",
			    found(event->repeated, event->served, event->unserved,
				  family_of(event->head.flood_reason, event->family)));
	else
		sw_json_put_number(object, "aside_ms", event->on_ms);
}

/* ---- text */

static void print_found(FILE *out, uint32_t reason, uint32_t repeated, uint32_t served,
			uint32_t unserved, uint32_t family)
{
	if (reason == SW_CHECK_REASON_UNSERVED)
		fprintf(out, "%s (%u of %u, %s)", reason_of(reason), unserved, served + unserved,
			family == SW_CHECK_IPV4 ? "IPv4" : "IPv6");
	else
		fprintf(out, "%s (%u)", reason_of(reason), repeated);
}

static void print_row(FILE *out, const struct sw_row_view *row)
{
	const struct sw_self_check *check = &row->flood.check;
	char text[SW_NUMBER_SIZE];

	fprintf(out, "%sdegraded:%s %s: its flood defence stepped aside %s ago, and SYNs pass: ",
		sw_style(out, SW_STYLE_BAD), sw_style(out, SW_STYLE_NONE), row->name,
		sw_format_duration(text, row->check_aside_ms));
	print_found(out, check->reason, check->found_repeated, check->found_served,
		    check->found_unserved, check->found_family);
	fprintf(out, "; %s; ", cause_of(check->reason));
	if (!row->flood.on)
		fputs("it tries again in the next flood, or with: synward policy apply\n", out);
	else if (row->flood.check_phase == SW_CHECK_TRIES)
		fputs("it tries again now, on a tenth of the SYNs\n", out);
	else
		fprintf(out, "it tries again in %s, or with: synward policy apply\n",
			sw_format_duration(text, left_ms(row)));
}

static void print_note(FILE *out, const struct sw_row_view *row, const char *what,
		       enum sw_check_reason reason)
{
	fprintf(out, "%snote:%s %s: %s: %s\n", sw_style(out, SW_STYLE_WARN),
		sw_style(out, SW_STYLE_NONE), row->name, what, cause_of(reason));
}

/* What has helped, so that it did not have to step aside, or could come back. */
static void print_remedies(FILE *out, const struct sw_row_view *row)
{
	if (row->flood.remedies & SW_REMEDY_CONNTRACK)
		print_note(out, row,
			   "clients were not served, so synward now tells conntrack of them, and "
			   "no window scale is agreed on under a flood",
			   SW_CHECK_REASON_UNSERVED);
	if (row->flood.remedies & SW_REMEDY_TC)
		print_note(out, row,
			   "answers sent by XDP did not help, so TC sends them now by the kernel's "
			   "routes, which costs more",
			   SW_CHECK_REASON_UNANSWERED);
}

void sw_text_self_checks(FILE *out, const struct sw_policy_view *view)
{
	for (uint32_t i = 0; i < view->row_count; i++) {
		if (sw_row_stands_aside(&view->rows[i]))
			print_row(out, &view->rows[i]);
		else
			print_remedies(out, &view->rows[i]);
	}
}

void sw_text_self_check_event(FILE *out, const struct sw_flood_event *event)
{
	uint32_t reason = event->head.flood_reason;
	char text[SW_NUMBER_SIZE];

	if (event->head.type == SW_EVENT_FLOOD_RESUMES) {
		fprintf(out, "SYNs are answered again, after %s",
			sw_format_duration(text, event->on_ms));
		return;
	}
	print_found(out, reason, event->repeated, event->served, event->unserved, event->family);
	fprintf(out, "; %s", cause_of(reason));
}
