/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_HOOKS_BPF_OBJECT_H
#define SYNWARD_HOOKS_BPF_OBJECT_H

/* One loaded copy of the BPF object: the programs of one interface. */

#include "../platform/instance.h"

#include <synward/config.h>
#include <synward/policy.h>

#include <stdint.h>

struct sw_object;

/* What the maps begin with. */
struct sw_creation {
	struct sw_settings settings;
	const struct sw_policy *policy;
	bool armed;
};

/* What is particular to one copy. */
struct sw_object_options {
	const struct sw_creation *create; /* NULL: the maps are there */
	uint32_t netns;
	uint32_t slot;
	bool checksums;
	bool only_tc; /* neither XDP's programs nor what they need at TC */
};

/*
 * Loads the programs for an interface. With create, the maps are made, of the identity's sizes
 * and with that policy, and pinned together with the loader's programs, the identity last; without, those of
 * the instance are used, if they are of the very same make. Errors are recorded; what was pinned until
 * then is the caller's to remove.
 */
int sw_object_load(const struct sw_instance *instance, const struct sw_object_options *options,
		   struct sw_object **object);
void sw_object_free(struct sw_object *object);

/*
 * Starts the sweeper, or gives it this object's code, and pins its program. goes_on: nothing that came by the
 * interface has been missed, as it has when it is attached or repaired. Errors are recorded.
 */
int sw_object_arm(const struct sw_object *object, bool goes_on);

/* Pins of what commands run what is not pinned, as somebody's rm leaves it. Errors are recorded. */
int sw_object_pin_missing(const struct sw_object *object);

/* Is all that commands run pinned? */
bool sw_programs_are_pinned(const struct sw_pins *pins);

/*
 * Is the pin of each map there that programs share? Without one no program can be loaded, and what is attached goes on.
 * Errors are recorded.
 */
int sw_object_check_maps(const struct sw_instance *instance);

/* Descriptors of its programs, which the object goes on owning. */
int sw_object_xdp(const struct sw_object *object);
int sw_object_egress(const struct sw_object *object);
int sw_object_handover(const struct sw_object *object); /* negative: this kernel has none */
int sw_object_clock(const struct sw_object *object);
int sw_object_tell(const struct sw_object *object);
int sw_object_switch(const struct sw_object *object);
int sw_object_sweeper(const struct sw_object *object);

/*
 * The same of the program for frames in several buffers, and of that by which TC sees what comes in. They are loaded
 * now, the former by each call: call it once. Negative, with the error recorded, if the kernel refuses it.
 */
int sw_object_xdp_frags(struct sw_object *object);
int sw_object_tc(struct sw_object *object);

static inline void sw_object_cleanup(struct sw_object **object)
{
	sw_object_free(*object);
}
#define SW_AUTO_OBJECT __attribute__((cleanup(sw_object_cleanup)))

#endif
