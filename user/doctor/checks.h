/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_DOCTOR_CHECKS_H
#define SYNWARD_DOCTOR_CHECKS_H

/* The checks, as tables: each judges what was read, asks the kernel nothing, and makes one finding. */

#include "../model/findings.h"
#include "facts.h"

struct sw_host_check {
	const char *name;
	void (*judge)(const struct sw_host_facts *host, struct sw_finding *finding);
};

struct sw_link_check {
	const char *name;
	void (*judge)(const struct sw_link_facts *link, struct sw_finding *finding);
};

/* Each ends with a row without a name: the kernel, the network, the card, the place of an interface. */
extern const struct sw_host_check sw_kernel_checks[];
extern const struct sw_host_check sw_network_checks[];
extern const struct sw_link_check sw_card_checks[];
extern const struct sw_link_check sw_place_checks[];

/* The words of sw_native_cost() for such a card. */
void sw_say_native_cost(const struct sw_ethtool_facts *card, char *text, size_t size);

#endif
