/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_INSTANCE_H
#define SYNWARD_PLATFORM_INSTANCE_H

/* The pinned maps of one pin directory, checked to be of this version before anything is read. */

#include "pins.h"

#include <synward/config.h>

#include <stdbool.h>
#include <stdint.h>

struct sw_instance {
	struct sw_pins pins;
	struct sw_identity identity;
	bool read_only; /* what is opened of it */
};

#define SW_AUTO_INSTANCE __attribute__((cleanup(sw_instance_close)))
#define SW_INSTANCE_NONE                                                                           \
	{                                                                                          \
		.pins = SW_PINS_NONE                                                               \
	}

/* How the caller will use it. */
enum sw_access {
	SW_ACCESS_READ,	  /* never mounts, takes no lock; the group of readers may do it */
	SW_ACCESS_CHANGE, /* locked; a missing bpffs counts as nothing attached */
	SW_ACCESS_CREATE, /* locked; a missing bpffs is mounted */
};

/*
 * Opens the instance of a pin directory. 0, an enum sw_failure or another -errno, always with its line.
 * With -SW_NOT_ATTACHED pins may be located and locked, if access asks for it and there is a bpffs.
 */
int sw_instance_open(const char *dir, enum sw_access access, struct sw_instance *instance);
void sw_instance_close(struct sw_instance *instance);

/* Has its identity been read? Only then can it be told whether it is still the same. */
static inline bool sw_instance_is_open(const struct sw_instance *instance)
{
	return instance->identity.abi_version;
}

/*
 * What it means that the pin of that name, "maps/armed" say, could not be opened: error is the errno.
 * The one place that tells apart what is not attached, or no longer, what may not be looked at, and
 * what is damaged. Returns the enum sw_failure, negative, with its line.
 */
int sw_instance_failed(const struct sw_instance *instance, const char *name, int error);

/* Is it still attached, and the same? 0, or -SW_DETACHED with a line. */
int sw_instance_check(const struct sw_instance *instance);

/* Opens a pin, to read only if the instance is. Returns its descriptor, or -1 with errno. */
int sw_instance_get(const struct sw_instance *instance, const char *name);

/* Opens a map after checking that its values have that many bytes (0: any). Records its errors. */
int sw_instance_map(const struct sw_instance *instance, const char *name, uint32_t value_size,
		    int *fd);

/* Is there an empty directory that no command of ours has made? Somebody has it for something. */
bool sw_pins_are_unused(const struct sw_pins *pins);

/* Is what is in the pin directory something that an interrupted command of ours has left? */
int sw_pins_check_leftover(const struct sw_pins *pins);

#endif
