/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_FINDINGS_H
#define SYNWARD_MODEL_FINDINGS_H

/* What `doctor` has found, as plain data: doctor/ fills it in, report/ prints it. */

#include <stdint.h>

/* From the best to the worst: X(ID, name, meaning). */
#define SW_FINDING_STATES(X)                                                                       \
	X(OK, ok, "as it should be")                                                               \
	X(NOTE, note, "works, and is worth knowing")                                               \
	X(DEGRADED, degraded, "works less well than it could")                                     \
	X(UNKNOWN, unknown, "could not be looked at")                                              \
	X(BROKEN, broken, "does not work")

enum sw_finding_state {
#define X(id, name, meaning) SW_FINDING_##id,
	SW_FINDING_STATES(X)
#undef X
		SW_FINDING_STATE_COUNT
};

const char *sw_finding_state_name(enum sw_finding_state state);

#define SW_FINDING_TEXT 320

/* Sentences without a full stop, and without what the one before has said. */
struct sw_finding {
	const char *check;   /* its name, which is the table's */
	const char *subject; /* what it is about: "host", an interface, or "self-test" */
	enum sw_finding_state state;
	char what[SW_FINDING_TEXT];
	char why[SW_FINDING_TEXT];     /* why that matters; may be empty */
	char remedy[SW_FINDING_TEXT];  /* what mends it, in words; may be empty */
	char command[SW_FINDING_TEXT]; /* the command for that, to be copied whole; may be empty */
};

#define SW_MAX_FINDINGS 64

struct sw_findings {
	uint32_t count;
	struct sw_finding list[SW_MAX_FINDINGS];
};

/* Appends an empty one, which is ok. The last place is used again if there is no more room. */
struct sw_finding *sw_findings_add(struct sw_findings *findings, const char *check,
				   const char *subject);

/* Say what was found, why it matters, and what mends it: in words, by a command, or both. */
void sw_found(struct sw_finding *finding, enum sw_finding_state state, const char *what, ...)
	__attribute__((format(printf, 3, 4)));
void sw_found_why(struct sw_finding *finding, const char *why, ...)
	__attribute__((format(printf, 2, 3)));
void sw_found_remedy(struct sw_finding *finding, const char *remedy, ...)
	__attribute__((format(printf, 2, 3)));
void sw_found_command(struct sw_finding *finding, const char *command, ...)
	__attribute__((format(printf, 2, 3)));

/* Takes the recorded line of what failed; without one, that of the error. */
void sw_found_error(struct sw_finding *finding, enum sw_finding_state state, int error);

/* How many are in a state, and the worst state that any is in. */
uint32_t sw_findings_in(const struct sw_findings *findings, enum sw_finding_state state);
enum sw_finding_state sw_findings_worst(const struct sw_findings *findings);

/* The exit code, enum sw_exit. */
int sw_findings_exit(const struct sw_findings *findings);

#endif
