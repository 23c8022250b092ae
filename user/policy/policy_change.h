/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_POLICY_POLICY_CHANGE_H
#define SYNWARD_POLICY_POLICY_CHANGE_H

/*
 * Which policy in the kernel is the active one. Who changes one has opened the instance with SW_ACCESS_CHANGE, so
 * that only one command at a time does.
 */

#include "../maps/policy_slot.h"

#include <synward/event.h>
#include <synward/policy.h>

/* How a policy becomes the active one. */
struct sw_policy_change {
	uint32_t confirm_ms; /* until then it has to be confirmed; 0: it is for good */
	bool arm;	     /* also lets it drop, until it is rolled back */
	enum sw_deed deed;   /* as what it is told */
	bool insist;	     /* refuse it if floods cannot be kept off the way that it asks for */
};

/*
 * Makes a compiled policy the active one, whole and at once, or changes nothing; its generation is
 * chosen here. With confirm_ms the kernel goes back to the one before after that time, unless it is
 * confirmed.
 */
int sw_policy_install(const struct sw_instance *instance, struct sw_policy *policy,
		      const struct sw_policy_change *change);

/*
 * Keeps what is active. *waited: it was on trial until now; else an apply had already made it active for good. -ESRCH if
 * neither is so: it was never applied here, or it is what was restored.
 */
int sw_policy_confirm(const struct sw_instance *instance, bool *waited);

/* Goes back. -ESRCH: there is no policy to go back to. */
int sw_policy_roll_back(const struct sw_instance *instance);

#endif
