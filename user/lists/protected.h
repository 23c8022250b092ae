/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_LISTS_PROTECTED_H
#define SYNWARD_LISTS_PROTECTED_H

/*
 * Who must never be blocked: the host itself, its gateways and its DNS servers, in the network
 * namespace of the command and in those of the attached interfaces.
 */

#include "../model/entries.h"
#include "../platform/instance.h"

#include <synward/list.h>

struct sw_guarded {
	struct sw_prefix prefix;
	enum sw_protected kind;
	char where[48]; /* the interface or the file that it is known from; may be empty */
};

/* All zeros are an empty one. */
struct sw_guard {
	struct sw_guarded *rows;
	size_t count;
	size_t room;
};

/* Asks the kernel and reads resolv.conf. 0 or -errno with a line; the guard is the caller's to free. */
int sw_guard_collect(const struct sw_instance *instance, struct sw_guard *guard);
void sw_guard_free(struct sw_guard *guard);

#define SW_AUTO_GUARD __attribute__((cleanup(sw_guard_free)))

/*
 * An entry that would block somebody, and *who; NULL if there is none. The entries have been
 * settled. Each call goes on behind *next, which begins at 0.
 */
const struct sw_entry *sw_guard_find(const struct sw_guard *guard, const struct sw_entries *entries,
				     size_t *next, const struct sw_guarded **who);

#define SW_GUARD_REASON_SIZE 256

/* Why a prefix must not be blocked. Returns reason. */
const char *sw_guard_explain(char reason[SW_GUARD_REASON_SIZE], const struct sw_entry *entry,
			     const struct sw_guarded *who);

/*
 * Writes those who are protected now into the map "protected", which the kernel asks before it blocks
 * anybody by itself. Called by whatever changes lists, policies or what is attached. 0 or -errno
 * with a line.
 */
int sw_protected_refresh(const struct sw_instance *instance);

#endif
