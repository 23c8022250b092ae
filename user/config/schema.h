/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONFIG_SCHEMA_H
#define SYNWARD_CONFIG_SCHEMA_H

/*
 * Which keys a policy file has and where, as libcyaml's schema, and the structures that libcyaml
 * fills in by it. All values are texts: what they may be is said by the tables of policy_keys.h, and
 * what is absent is NULL.
 */

#include "../model/policy_keys.h"

#include <cyaml/cyaml.h>

/* A service, or the default, which has rules only. */
struct sw_file_service {
	char *name;
	char *family;
	char **addresses;
	char **ports;
	unsigned int address_count;
	unsigned int port_count;
	char *rules[SW_RULE_KEY_COUNT];
};

struct sw_file {
	char *version;
	struct sw_file_service others; /* default */
	struct sw_file_service *services;
	unsigned int service_count;
	char *auto_block[SW_BLOCK_KEY_COUNT];
	char *flood_defence[SW_DEFENCE_KEY_COUNT];
	char *gateway[SW_GATEWAY_KEY_COUNT];
};

/* Of a struct sw_file *. */
extern const cyaml_schema_value_t sw_file_schema;

#endif
