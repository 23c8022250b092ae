/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_SCRAPE_H
#define SYNWARD_MODEL_SCRAPE_H

/* All that a page of metrics says, as plain data. What could not be read is not known, and no error. */

#include "snapshot.h"

/*
 * What an interface's device has thrown away before any program, as the kernel counts it:
 * X(ID, name), the name being that of struct rtnl_link_stats64.
 */
#define SW_LINK_DROPS(X)                                                                           \
	X(MISSED, rx_missed_errors)                                                                \
	X(FIFO, rx_fifo_errors)                                                                    \
	X(OVER, rx_over_errors)                                                                    \
	X(DROPPED, rx_dropped)

enum sw_link_drop {
#define X(id, name) SW_LINK_DROP_##id,
	SW_LINK_DROPS(X)
#undef X
		SW_LINK_DROP_COUNT
};

/* What a program has cost so far; runs 0: not known, or it never ran. */
struct sw_program_cost {
	uint64_t runs;
	uint64_t ns;
};

/* Of one interface. */
struct sw_scrape_interface {
	bool drops_known;
	uint64_t drops[SW_LINK_DROP_COUNT];
	struct sw_program_cost costs[SW_HOOK_COUNT];
};

/* Of the listeners that packets to a service may reach. */
struct sw_accept_queue {
	uint32_t listeners;
	uint32_t full;	 /* of these, those that have no room for another connection */
	uint64_t length; /* how many connections wait to be accepted, of all listeners */
	uint64_t limit;	 /* how many may wait */
};

struct sw_scrape {
	struct sw_snapshot snapshot;
	struct sw_status status;
	struct sw_scrape_interface interfaces[SW_MAX_INTERFACES]; /* as status.interfaces */
	bool costs_known;  /* the kernel counts what programs cost, and that may be read */
	bool queues_known; /* a network namespace could be looked at */
	struct sw_accept_queue queues[SW_SERVICE_SLOTS]; /* as snapshot.policy.rows */
};

#endif
