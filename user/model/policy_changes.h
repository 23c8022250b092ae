/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_POLICY_CHANGES_H
#define SYNWARD_MODEL_POLICY_CHANGES_H

/* What differs in what two policies say. */

#include <stddef.h>

enum sw_change_kind {
	SW_CHANGE_ADDED,
	SW_CHANGE_REMOVED,
	SW_CHANGE_CHANGED,
};

/* One difference; texts as they stand in a policy file, "" where there is none. */
struct sw_change {
	enum sw_change_kind kind;
	char *path; /* services.web.limits.syn_rate.per_second; the service by its name */
	char *before;
	char *after;
};

struct sw_changes {
	size_t count;
	struct sw_change *changes;
};

void sw_changes_free(struct sw_changes *changes);

#define SW_AUTO_CHANGES __attribute__((cleanup(sw_changes_free)))

#endif
