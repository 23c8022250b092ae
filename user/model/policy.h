/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_POLICY_H
#define SYNWARD_MODEL_POLICY_H

/*
 * What can be said about a policy without the kernel: how it is made ready for packets, what it
 * says, and which service a packet belongs to.
 */

#include <synward/policy.h>

#include <stdbool.h>
#include <stddef.h>

/* What auto_block is unless the file says otherwise; it is not enabled then. */
#define SW_DEFAULT_OFFENCES	 100U
#define SW_DEFAULT_BLOCK_WINDOW	 60U
#define SW_DEFAULT_BLOCK_EXPIRY	 600U
#define SW_DEFAULT_BLOCK_MAXIMUM 1000U

/* The policy without any file: one row for everything, which only watches. Compiled. */
void sw_policy_default(struct sw_policy *policy);

/*
 * Makes a policy ready that has its services, their rules (of the same index, the default's at
 * SW_SERVICE_DEFAULT), auto_block, flood_defence and gateway. Sorts the services by precedence, their rules with them, and
 * each one's prefixes and ports; clears the rows that nobody uses; fills in features, anywhere,
 * class_services and port_classes. Returns 0, or -EINVAL with the line recorded if the services cut
 * the ports into too many classes; what it had to fill in is undefined then.
 */
int sw_policy_compile(struct sw_policy *policy);

/* A row of the trie: what a packet to this prefix, and to no longer one of a row, may belong to. */
struct sw_policy_net {
	struct sw_prefix prefix;
	__u64 services;
};

#define SW_POLICY_NETS (SW_MAX_SERVICES * SW_SERVICE_PREFIXES + 2)

/*
 * Fills in the rows of the trie "service_nets" for a compiled policy and returns how many there
 * are; never more than SW_POLICY_NETS. An address without a row is one of sw_policy.anywhere, whose
 * bits all rows have, too.
 */
size_t sw_policy_nets(const struct sw_policy *policy, struct sw_policy_net *nets, size_t max);

/*
 * The service that a packet to this address and port (host order) belongs to, SW_SERVICE_DEFAULT if
 * to none. Goes through all of a compiled policy's services: the reference for what packets do.
 */
unsigned int sw_policy_find(const struct sw_policy *policy, const struct sw_addr *addr,
			    unsigned int port);

/* Is the packet's destination one of the service's? */
bool sw_service_has(const struct sw_service *service, const struct sw_addr *addr,
		    unsigned int port);

/* The index of the service of that name, or -1. The default's name is "default". */
int sw_policy_service(const struct sw_policy *policy, const char *name);

/* Is what they are about, not their name, the same? Of compiled policies. */
bool sw_service_same_match(const struct sw_service *a, const struct sw_service *b);

bool sw_rules_equal(const struct sw_rules *a, const struct sw_rules *b);
bool sw_auto_block_equal(const struct sw_auto_block *a, const struct sw_auto_block *b);
bool sw_flood_defence_equal(const struct sw_flood_defence *a, const struct sw_flood_defence *b);

/* Do two compiled policies say the same? Their generations do not count. */
bool sw_policy_equal(const struct sw_policy *a, const struct sw_policy *b);

#endif
