/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONTROL_POLICY_H
#define SYNWARD_CONTROL_POLICY_H

/*
 * The policies in the kernel. Who changes one has opened the instance with SW_ACCESS_CHANGE, so
 * that only one command at a time does.
 */

#include "../base/snapshot.h"
#include "instance.h"

#include <synward/policy.h>

/* The active policy, and whether it is for good. policy is large: keep it off the stack. */
int sw_policy_read(const struct sw_instance *instance, struct sw_policy *policy,
		   struct sw_policy_state *state);

/* How a policy becomes the active one. */
struct sw_policy_change {
	uint32_t confirm_ms; /* until then it has to be confirmed; 0: it is for good */
	bool arm;	     /* also lets it drop, until it is rolled back */
	bool insist;	     /* refuse it if floods cannot be kept off the way that it asks for */
};

/*
 * Makes a compiled policy the active one, whole and at once, or changes nothing; its generation is
 * chosen here. With confirm_ms the kernel goes back to the one before after that time, unless it is
 * confirmed.
 */
int sw_policy_install(const struct sw_instance *instance, struct sw_policy *policy,
		      const struct sw_policy_change *change);

/* Keep what is active, or go back. -ENOENT without a line: there is nothing to confirm, or to. */
int sw_policy_confirm(const struct sw_instance *instance);
int sw_policy_roll_back(const struct sw_instance *instance);

/* What the reports say about the active policy. Opens nothing but maps: needs no lock. */
int sw_policy_view_read(const struct sw_instance *instance, struct sw_policy_view *view);

/* Whether any policy may drop anything. */
int sw_armed_read(const struct sw_instance *instance, bool *armed);
int sw_armed_write(const struct sw_instance *instance, bool armed);

/*
 * Has nothing dropped any more, at once: whatever else is damaged or of another version, whoever
 * holds the lock. Returns 0, -ENOENT without a line if nothing is attached, or another -errno.
 */
int sw_disarm(const char *pin_dir);

/* The settings as they are. */
int sw_settings_read(const struct sw_instance *instance, struct sw_settings *settings);

/* The settings, to be written field by field; sw_settings_unmap() ends that. */
int sw_settings_map(const struct sw_instance *instance, struct sw_settings **settings);
void sw_settings_unmap(struct sw_settings **settings);

#define SW_AUTO_SETTINGS __attribute__((cleanup(sw_settings_unmap)))

#endif
