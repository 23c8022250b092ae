/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MAPS_INTERFACE_RECORDS_H
#define SYNWARD_MAPS_INTERFACE_RECORDS_H

/*
 * The attached interfaces as the maps "interfaces", "attached", "traffic", "cookie_offers" and "tc_notes"
 * know them.
 */

#include "../platform/instance.h"

#include <synward/config.h>

#include <stdbool.h>

struct sw_records {
	int interfaces_fd;
	int attached_fd;
	int traffic_fd;
	int offers_fd;
	int tc_notes_fd;
	uint32_t count;	  /* of slots in use */
	uint64_t renamed; /* slots whose interface has another name than it was recorded with */
	struct sw_interface slots[SW_MAX_INTERFACES]; /* ifindex 0: free */
};

#define SW_AUTO_RECORDS __attribute__((cleanup(sw_records_close)))
#define SW_RECORDS_NONE                                                                            \
	{                                                                                          \
		.interfaces_fd = -1, .attached_fd = -1, .traffic_fd = -1, .offers_fd = -1,         \
		.tc_notes_fd = -1                                                                  \
	}

/*
 * Opens the maps and reads all slots. An interface of our network namespace has the name that it has now: an
 * interface is known by its index.
 */
int sw_records_open(const struct sw_instance *instance, struct sw_records *records);

/* Writes the names that have changed, for who sees them from another namespace. */
int sw_records_save_names(struct sw_records *records);
void sw_records_close(struct sw_records *records);

/* The slot of an interface, or of a name in a network namespace; -1 if there is none. */
int sw_records_find(const struct sw_records *records, uint32_t netns, uint32_t ifindex);
int sw_records_find_name(const struct sw_records *records, uint32_t netns, const char *name);

/* The lowest free slot; -1 if all are taken. */
int sw_records_free_slot(const struct sw_records *records);

/* Writes a slot, or with fresh begins one: its traffic then starts at 0. */
int sw_records_put(struct sw_records *records, uint32_t slot, const struct sw_interface *record,
		   bool fresh);

/* Tells the programs that this interface follows what it receives. */
int sw_records_activate(const struct sw_records *records, uint32_t slot);

/* Is that told? If not, an attach of it was interrupted. */
bool sw_records_is_active(const struct sw_records *records, uint32_t slot);

/* Frees a slot: nothing is offered for it any more. */
int sw_records_drop(struct sw_records *records, uint32_t slot);

/* Is the network namespace of a record ours? Not if ours has only the inode number that the other one had. */
bool sw_record_is_here(const struct sw_interface *record);

/*
 * Is the interface of a record still in its network namespace? 1, 0, -EPERM if that may not be looked at, or
 * -ENOENT if the namespace is not to be found: it has ended, or it is where we do not see it.
 */
int sw_record_exists(const struct sw_interface *record);

#endif
