/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_POLICY_H
#define SYNWARD_TESTS_POLICY_H

/*
 * What user/model knows of policies, in one piece with the test, so that it is looked at by the
 * sanitizers, and a way to write policies down.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../user/base/address.c"
#include "../../user/base/number.c"
#include "../../user/model/policy.c"
#include "../../user/model/policy_keys.c"
#include "policies.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* ---- in place of error.c, which needs a library that nothing here is about */

static char recorded[256];

int sw_error(int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(recorded, sizeof(recorded), format, args);
	va_end(args);
	return -error;
}

bool sw_format(char *text, unsigned long size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, size, format, args);
	va_end(args);
	return length >= 0 && (unsigned long)length < size;
}

/* ---- making policies */

static struct sw_policy policy, other;

static struct sw_prefix prefix(const char *text)
{
	struct sw_prefix parsed;

	if (sw_parse_prefix(text, &parsed) != SW_PREFIX_FINE)
		fail_msg("%s is no prefix", text);
	return parsed;
}

/* A service of prefixes and ranges of ports, in texts with a space between them. */
static __unused void add(const char *name, enum sw_family family, const char *prefixes,
			 const char *ports)
{
	struct sw_service *service = &policy.services[policy.service_count];
	char text[256], *save;

	*service = (struct sw_service){ .family = family };
	strcpy(service->name, name);
	strcpy(text, prefixes);
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		service->prefixes[service->prefix_count++] = prefix(word);
	strcpy(text, ports);
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		unsigned int first, last;

		if (sscanf(word, "%u-%u", &first, &last) == 1)
			last = first;
		service->ports[service->port_count++] = (struct sw_port_range){ first, last };
	}
	/* so that it is seen whether rules stay with their service */
	policy.rules[policy.service_count] = policy.rules[SW_SERVICE_DEFAULT];
	policy.rules[policy.service_count].half_open_source = name[0];
	policy.service_count++;
}

#endif
