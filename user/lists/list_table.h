/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_LISTS_LIST_TABLE_H
#define SYNWARD_LISTS_LIST_TABLE_H

/*
 * The tables of the lists in the kernel, as memory. Of each list packets look at one generation; the
 * other is made anew and takes its place. The maps of a generation are pinned as
 * DIR/lists/LIST_bucketsN and DIR/lists/LIST_filterN. Whoever uses this has opened the instance with
 * SW_ACCESS_CHANGE, so there is one at a time.
 */

#include "../platform/instance.h"

#include "../../bpf/core/prefixes.h"

/* The headers of all lists, and what else takes part in a change. */
struct sw_lists {
	const struct sw_instance *instance;
	struct sw_list_header *headers;
	int buckets_fd; /* the maps of maps */
	int filters_fd;
};

#define SW_LISTS_NONE                                                                              \
	{                                                                                          \
		.buckets_fd = -1, .filters_fd = -1                                                 \
	}

int sw_lists_open(const struct sw_instance *instance, struct sw_lists *lists);
void sw_lists_close(struct sw_lists *lists);

#define SW_AUTO_LISTS __attribute__((cleanup(sw_lists_close)))

/* One generation of one list. prefixes.about is NULL: there is none, the list is empty. */
struct sw_list_generation {
	struct sw_prefixes prefixes;
	struct sw_list_table own; /* what about points to until it is installed */
	uint32_t buckets;
	int buckets_fd;
	int filter_fd;
};

#define SW_LIST_GENERATION_NONE                                                                    \
	{                                                                                          \
		.buckets_fd = -1, .filter_fd = -1                                                  \
	}

/* The one that packets look at; it may be changed in place. */
int sw_list_generation_open(const struct sw_lists *lists, enum sw_list list,
			    struct sw_list_generation *generation);

/* A new one with so many buckets (at least SW_MIN_BUCKETS), empty. */
int sw_list_generation_create(const struct sw_lists *lists, enum sw_list list, uint32_t buckets,
			      struct sw_list_generation *generation);
void sw_list_generation_close(struct sw_list_generation *generation);

#define SW_AUTO_LIST_GENERATION __attribute__((cleanup(sw_list_generation_close)))

/* How many buckets so many prefixes need, with as many places free. */
uint32_t sw_buckets_for(uint64_t prefixes);

/*
 * Has packets look at a new generation from one moment to the next, NULL: at an empty list. When it
 * returns no packet looks at the old one any more, the hits that it counted have been added to the
 * new one's, and it is gone; generation may still be changed in place.
 */
int sw_list_generation_install(struct sw_lists *lists, enum sw_list list,
			       struct sw_list_generation *generation);

/* Calls take for each row in use until that returns non-zero, and returns that, else 0. */
int sw_list_generation_walk(const struct sw_list_generation *generation,
			    int (*take)(void *context, struct sw_list_row *row), void *context);

/* Tells packets which lists have anything in them. */
int sw_lists_announce(const struct sw_lists *lists);

#endif
