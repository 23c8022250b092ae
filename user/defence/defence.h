/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_DEFENCE_DEFENCE_H
#define SYNWARD_DEFENCE_DEFENCE_H

/*
 * Sees to it that each attached interface can keep floods off: the sysctl of the way, the hook of the
 * hand-over, and what packets read of all that. What a policy needs is there before it becomes active,
 * and goes when nothing that is active, or becomes so by itself, needs it. Whoever uses this has
 * opened the instance with SW_ACCESS_CHANGE. Whoever is killed leaves what the next call puts right.
 */

#include "../model/snapshot.h"
#include "../platform/instance.h"

struct sw_policy;
struct sw_records;

/*
 * Before a policy becomes active that is to be in a slot. With insist it is refused, and nothing is
 * changed, if the way that it asks for does not work on an interface. Errors are recorded.
 */
int sw_defence_prepare(const struct sw_instance *instance, const struct sw_policy *next,
		       uint32_t slot, bool insist);

/* What came of it. */
struct sw_defence_done {
	bool degraded;	 /* something is not as the policy asks for; that was noted */
	uint64_t linked; /* slots of interfaces whose hand-over was missing */
};

/* Afterwards, and whenever interfaces come or go. Errors are recorded. */
int sw_defence_settle(const struct sw_instance *instance, struct sw_defence_done *done);

/*
 * May attach ask for a way in this network namespace? instance NULL: there is none yet. Errors are
 * recorded.
 */
int sw_defence_check_wish(const struct sw_instance *instance, const struct sw_policy *policy,
			  enum sw_flood_wish wish);

/* Restores every sysctl: nothing will be attached any more. Notes what cannot be; then it returns false. */
bool sw_defence_end(const struct sw_instance *instance);

/* How floods are kept off at each of the interfaces in status, which are of records. Changes nothing; errors are recorded. */
int sw_defence_look(const struct sw_instance *instance, const struct sw_records *records,
		    struct sw_status *status);

#endif
