/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_DEFENCE_COOKIE_OFFER_H
#define SYNWARD_DEFENCE_COOKIE_OFFER_H

/*
 * What an interface answers SYNs with, and whose addresses are not forwarded: read from the network
 * namespace that this process is in, written to the maps for packets to see.
 */

#include "../platform/instance.h"

#include <synward/config.h>
#include <synward/cookie.h>

/*
 * What a listener of this network namespace would offer by the sysctls; and behind that interface, by its MTU. The ways
 * are the caller's to fill in.
 */
void sw_offer_make(struct sw_cookie_offer *offer);
void sw_offer_fit(const char *interface, struct sw_cookie_offer *offer);

/* Does this host send on what is for others, of any family? */
bool sw_host_forwards(void);

/* This host's addresses: notes the new ones, forgets the old ones. Errors are recorded. */
int sw_own_addresses_write(const struct sw_instance *instance, uint32_t netns);

/* Has any come or gone since? Errors are recorded. */
int sw_own_addresses_differ(const struct sw_instance *instance, uint32_t netns, bool *differ);

/* Forgets the addresses of all network namespaces but those in keep, which count of them are. */
int sw_own_addresses_forget(const struct sw_instance *instance, const uint32_t *keep,
			    uint32_t count);

#endif
