/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_POLICY_VIEW_H
#define SYNWARD_MODEL_POLICY_VIEW_H

/* What reports say about the active policy: without the tables that only packets need. */

#include <synward/flood.h>
#include <synward/list.h>
#include <synward/policy.h>
#include <synward/tables.h>

#include <stdbool.h>
#include <stdint.h>

/* One service, or what belongs to none. */
struct sw_row_view {
	char name[SW_SERVICE_NAME];
	struct sw_rules rules;
	uint32_t both_sided;
	bool one_sided;	       /* attempts showed one of their sides only ... */
	uint64_t one_sided_ms; /* ... so long ago */
	bool moved;	       /* connections came whose beginning was not seen ... */
	uint64_t moved_ms;     /* ... so long ago */
	struct sw_flood_state flood;
	uint32_t flood_changed_ms; /* since when it is on or off, if it ever was on */
	uint32_t check_changed_ms; /* since when its self-check is in its phase */
	uint32_t check_aside_ms;   /* since when it stands aside, if it does */
};

/* An attached interface: strict rules warm up for each by itself. */
struct sw_watcher {
	char name[SW_IFNAME_SIZE];
	uint64_t watched_ms; /* since it was attached */
};

struct sw_policy_view {
	bool armed;
	bool pending;
	bool can_roll_back;
	uint32_t pending_left_ms;
	uint32_t rolled_back;
	uint32_t generation;
	uint32_t features;    /* SW_HAS_* */
	uint32_t auto_blocks; /* sources that are blocked now */
	uint32_t list_entries[SW_LIST_COUNT];
	uint32_t secret_ids[2]; /* of the shared secret that is loaded; 0: none */
	bool clock_synchronised;
	bool tai_changed; /* what the kernel knows of its clocks is not what it was told it knows */
	uint64_t active_ms;  /* for how long the policy has been the active one */
	bool evicted;	     /* a live connection was pushed out of its table ... */
	uint64_t evicted_ms; /* ... so long ago */
	uint32_t watcher_count;
	struct sw_watcher watchers[SW_MAX_INTERFACES];
	struct sw_auto_block auto_block;
	uint32_t row_count; /* of the services, by number, and the default as the last */
	uint32_t
		flood_way; /* enum sw_flood_way for this host itself; COUNT: not one for all interfaces */
	struct sw_row_view rows[SW_SERVICE_SLOTS];
};

enum sw_policy_mode { SW_MODE_MONITOR, SW_MODE_ENFORCE, SW_MODE_MIXED };

/* What the rows say, whether or not anything is armed. */
enum sw_policy_mode sw_policy_mode(const struct sw_policy_view *view);

/* May anything be dropped right now? */
bool sw_policy_drops(const struct sw_policy_view *view);

/* Does a service only watch, because it is in mode monitor, or nothing is armed? */
bool sw_row_only_watches(const struct sw_policy_view *view, const struct sw_row_view *row);

/* The row of a service's number; NULL if the policy has none of that number. */
const struct sw_row_view *sw_policy_row(const struct sw_policy_view *view, uint32_t number);

/* Has the defence of a service stepped aside, so that its SYNs pass, flood or not? */
bool sw_row_stands_aside(const struct sw_row_view *row);

/* Are cookies to be such that other hosts know them? */
bool sw_policy_shares(const struct sw_policy_view *view);

/* And nobody has given the kernel what they would be made with? */
bool sw_secret_is_missing(const struct sw_policy_view *view);

/* May strict anomalies drop what is sent to a service? */
enum sw_readiness {
	SW_STRICT_OFF,	      /* the policy does not ask for it */
	SW_STRICT_WARMING_UP, /* not yet: no interface has watched for long enough */
	SW_STRICT_UNSURE,     /* not yet: too few attempts were seen from both sides */
	SW_STRICT_SUSPENDED, /* not now: many were seen from one side only, or not from their beginning */
	SW_STRICT_LOWERED, /* connections were evicted: what belongs to nothing known passes */
	SW_STRICT_READY,
};

/* left_ms: how long that lasts at least, for the second, the fourth and the fifth; else 0. */
enum sw_readiness sw_policy_readiness(const struct sw_policy_view *view,
				      const struct sw_row_view *row, uint64_t *left_ms);

/* For how long a service's strict rules have still to warm up for an interface; 0: they have, or there are none. */
uint64_t sw_warm_up_left_ms(const struct sw_watcher *watcher, const struct sw_row_view *row);

/* Are a service's strict rules suspended because too many connections came from elsewhere? Else for one-sided ones. */
bool sw_row_was_moved(const struct sw_row_view *row);

#endif
