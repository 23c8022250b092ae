// SPDX-License-Identifier: GPL-2.0-or-later
#include "findings.h"

#include "../base/error.h"

#include <stdarg.h>
#include <stdio.h>

const char *sw_finding_state_name(enum sw_finding_state state)
{
	static const char *const names[] = {
#define X(id, name, meaning) #name,
		SW_FINDING_STATES(X)
#undef X
	};

	return names[state];
}

struct sw_finding *sw_findings_add(struct sw_findings *findings, const char *check,
				   const char *subject)
{
	struct sw_finding *finding;

	if (findings->count == SW_MAX_FINDINGS)
		findings->count--;
	finding = &findings->list[findings->count++];
	*finding = (struct sw_finding){ .check = check, .subject = subject };
	return finding;
}

#define SAY(text, format)                                                                          \
	do {                                                                                       \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, format);                                                            \
		vsnprintf(text, SW_FINDING_TEXT, format, args);                                    \
		va_end(args);                                                                      \
	} while (0)

void sw_found(struct sw_finding *finding, enum sw_finding_state state, const char *what, ...)
{
	finding->state = state;
	SAY(finding->what, what);
}

void sw_found_why(struct sw_finding *finding, const char *why, ...)
{
	SAY(finding->why, why);
}

void sw_found_remedy(struct sw_finding *finding, const char *remedy, ...)
{
	SAY(finding->remedy, remedy);
}

void sw_found_command(struct sw_finding *finding, const char *command, ...)
{
	SAY(finding->command, command);
}

void sw_found_error(struct sw_finding *finding, enum sw_finding_state state, int error)
{
	sw_found(finding, state, "%s", sw_error_text() ? sw_error_text() : sw_errno_text(error));
	sw_error_clear();
}

uint32_t sw_findings_in(const struct sw_findings *findings, enum sw_finding_state state)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < findings->count; i++)
		count += findings->list[i].state == state;
	return count;
}

enum sw_finding_state sw_findings_worst(const struct sw_findings *findings)
{
	enum sw_finding_state worst = SW_FINDING_OK;

	for (uint32_t i = 0; i < findings->count; i++)
		if (findings->list[i].state > worst)
			worst = findings->list[i].state;
	return worst;
}

int sw_findings_exit(const struct sw_findings *findings)
{
	enum sw_finding_state worst = sw_findings_worst(findings);

	return worst >= SW_FINDING_UNKNOWN  ? SW_EXIT_FAILURE :
	       worst == SW_FINDING_DEGRADED ? SW_EXIT_DEGRADED :
					      SW_EXIT_OK;
}
