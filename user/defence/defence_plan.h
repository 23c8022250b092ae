/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_DEFENCE_DEFENCE_PLAN_H
#define SYNWARD_DEFENCE_DEFENCE_PLAN_H

/*
 * What the policies that are active, or may become so without a command, need on the interfaces of a
 * network namespace so that floods are kept off. Only looks.
 */

#include "../maps/interface_records.h"
#include "../model/snapshot.h"
#include "../platform/net_links.h"

#include <synward/cookie.h>
#include <synward/policy.h>

/* What the policy in a slot asks for. */
struct sw_need {
	bool used;    /* it is active, or may become so without a command */
	bool defends; /* and has SYNs answered */
	bool may_set; /* the operator's word for the sysctl */
	bool unheard; /* SYNs are answered whether or not somebody was heard */
	bool shares;  /* with cookies that other hosts know, too */
	struct sw_flood_asked asked;
};

struct sw_needs {
	const struct sw_instance *instance;
	const struct sw_records *records;
	int syncookies_fd;
	bool checks_cookies;
	bool cookies_sent; /* and may come back */
	uint64_t kept;	   /* interfaces that can be had by the hand-over, by their slots */
	uint32_t active;   /* slot */
	struct sw_need of[SW_POLICY_SLOTS];
};

#define SW_AUTO_NEEDS __attribute__((cleanup(sw_needs_free)))
#define SW_NEEDS_NONE                                                                              \
	{                                                                                          \
		.syncookies_fd = -1                                                                \
	}

/* Reads what is asked for, of interfaces that the caller has read and keeps. Errors are recorded. */
int sw_needs_read(const struct sw_instance *instance, const struct sw_records *records,
		  struct sw_needs *needs);
void sw_needs_free(struct sw_needs *needs);

/* A policy that is about to be put into a slot. */
void sw_needs_add(struct sw_needs *needs, const struct sw_policy *policy, uint32_t slot);

/* For the network namespace that this process is in. */
struct sw_plan {
	uint32_t netns;
	bool may_not_set; /* the sysctl: that was tried */
	struct sw_syncookies_view syncookies;
	struct sw_net_links links; /* none are read where no bridge can be in the way */
	int required;		   /* of that sysctl, at least */
	int wanted;		   /* the same, had nobody else changed it */
	bool forwards;
	struct sw_cookie_offer offer; /* of all its interfaces, but for what their MTU decides */
};

#define SW_AUTO_PLAN __attribute__((cleanup(sw_plan_free)))
void sw_plan_free(struct sw_plan *plan);

/* Of an interface: how floods are kept off by the policy in a slot. */
struct sw_flood_host sw_plan_host(const struct sw_needs *needs, const struct sw_plan *plan,
				  uint32_t interface, const struct sw_need *need);
struct sw_flood_choice sw_plan_choice(const struct sw_needs *needs, const struct sw_plan *plan,
				      uint32_t interface, const struct sw_need *need);

/* Fills in a plan, whose netns and may_not_set are given. */
void sw_plan_make(const struct sw_needs *needs, struct sw_plan *plan);

/* Does the interface need the hand-over's hook, which also sends where XDP cannot? Where it can be had. */
bool sw_plan_needs_hook(const struct sw_needs *needs, uint32_t interface);

/* The network namespaces of the attached interfaces, each once. Returns how many. */
uint32_t sw_needs_netns(const struct sw_needs *needs, uint32_t netns[SW_MAX_INTERFACES]);

/* Is the slot that of an interface of this network namespace? */
bool sw_plan_has(const struct sw_needs *needs, const struct sw_plan *plan, uint32_t interface);

/*
 * What an interface should offer by now. before is what it does; next is the slot of the policy that is
 * about to become active, or SW_POLICY_SLOTS. One that answers no SYNs itself has the way of one that
 * does: cookies may come back.
 */
void sw_plan_offer(const struct sw_needs *needs, const struct sw_plan *plan, uint32_t interface,
		   const char *name, uint32_t next, const struct sw_cookie_offer *before,
		   struct sw_cookie_offer *offer);

#endif
