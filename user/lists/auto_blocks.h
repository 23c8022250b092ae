/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_LISTS_AUTO_BLOCKS_H
#define SYNWARD_LISTS_AUTO_BLOCKS_H

/* The sources that the kernel has blocked by itself for what they did. */

#include "../model/entries.h"
#include "../platform/instance.h"

/* Adds them, but for the expired. 0 or -errno with a line. */
int sw_auto_blocks_read(const struct sw_instance *instance, struct sw_entries *entries);

/*
 * Is a prefix one of them? With remove it is one no longer; the kernel notices within a second or so
 * that there are fewer. 0 or -errno with a line.
 */
int sw_auto_block_find(const struct sw_instance *instance, const struct sw_prefix *prefix,
		       bool remove, bool *found);

#endif
