// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor_report.h"

#include "../base/printable.h"
#include "../text/table.h"
#include "../text/wrap.h"
#include "json.h"

#include <string.h>

static enum sw_style style_of(enum sw_finding_state state)
{
	switch (state) {
	case SW_FINDING_OK:
		return SW_STYLE_GOOD;
	case SW_FINDING_BROKEN:
	case SW_FINDING_UNKNOWN:
		return SW_STYLE_BAD;
	case SW_FINDING_DEGRADED:
		return SW_STYLE_WARN;
	default:
		return SW_STYLE_NONE;
	}
}

/* Where what was found begins: behind two spaces, the state and the name of the check. */
#define STATE_WIDTH 8
#define CHECK_WIDTH 13
#define TEXT_AT	    (2 + STATE_WIDTH + 2 + CHECK_WIDTH + 2)
#define NARROW	    (TEXT_AT + 32) /* with less beside these, the text has lines of its own */
#define NARROW_AT   4

/* A command stands on a line of its own, uncut, to be copied. */
static void print_finding(FILE *out, const struct sw_finding *of)
{
	char text[sizeof(of->what) + sizeof(of->why) + sizeof(of->remedy) + 4];
	bool narrow = sw_wrap_width(out) < NARROW;
	int at = narrow ? NARROW_AT : TEXT_AT;

	snprintf(text, sizeof(text), "%s%s%s%s%s", of->what, of->why[0] ? ": " : "", of->why,
		 of->remedy[0] ? "; " : "", of->remedy);
	fprintf(out, "  %s%-*s%s  ", sw_style(out, style_of(of->state)), STATE_WIDTH,
		sw_finding_state_name(of->state), sw_style(out, SW_STYLE_NONE));
	if (narrow)
		fprintf(out, "%s\n%*s", of->check, NARROW_AT, "");
	else
		fprintf(out, "%-*s  ", CHECK_WIDTH, of->check);
	sw_wrap(out, SW_PRINTABLE(text, sizeof(text)), at, at);
	if (of->command[0])
		fprintf(out, "%*s-> %s\n", at, "", SW_PRINTABLE(of->command, sizeof(of->command)));
}

void sw_text_findings(FILE *out, const struct sw_findings *findings)
{
	const struct sw_finding *of = findings->list;
	const char *join = "";

	for (uint32_t i = 0; i < findings->count; i++, of++) {
		if (!i || strcmp(of->subject, of[-1].subject) != 0)
			fprintf(out, "%s%s%s\n", sw_style(out, SW_STYLE_BOLD),
				SW_PRINTABLE(of->subject, sizeof(of->subject)),
				sw_style(out, SW_STYLE_NONE));
		print_finding(out, of);
	}
	for (int state = SW_FINDING_STATE_COUNT - 1; state >= 0; state--) {
		uint32_t count = sw_findings_in(findings, (enum sw_finding_state)state);

		if (!count)
			continue;
		fprintf(out, "%s%u %s", join, count,
			sw_finding_state_name((enum sw_finding_state)state));
		join = ", ";
	}
	fputc('\n', out);
}

/* Both in one, and the command also by itself. */
static void put_remedy(json_t *object, const struct sw_finding *of)
{
	char text[sizeof(of->remedy) + sizeof(of->command) + 2];

	if (!of->remedy[0] && !of->command[0])
		return;
	snprintf(text, sizeof(text), "%s%s%s", of->remedy,
		 of->remedy[0] && of->command[0] ? ": " : "", of->command);
	sw_json_put_text(object, "remedy", text);
	if (of->command[0])
		sw_json_put_text(object, "command", of->command);
}

void sw_json_findings(FILE *out, const struct sw_findings *findings, bool pretty)
{
	json_t *root = sw_json_root(), *list, *one;

	sw_json_put_text(root, "state", sw_finding_state_name(sw_findings_worst(findings)));
	list = sw_json_put(root, "findings", json_array());
	for (uint32_t i = 0; i < findings->count; i++) {
		const struct sw_finding *of = &findings->list[i];

		one = json_object();
		sw_json_put_text(one, "check", of->check);
		sw_json_put_text(one, "subject", of->subject);
		sw_json_put_text(one, "state", sw_finding_state_name(of->state));
		sw_json_put_text(one, "what", of->what);
		if (of->why[0])
			sw_json_put_text(one, "why", of->why);
		put_remedy(one, of);
		json_array_append_new(list, one);
	}
	sw_json_print(out, root, pretty);
}
