// SPDX-License-Identifier: GPL-2.0-or-later
#include "doctor.h"

#include "../base/cleanup.h"
#include "../platform/preflight.h"
#include "checks.h"

static void check_host(const struct sw_host_check *check, const struct sw_host_facts *host,
		       struct sw_findings *findings)
{
	for (; check->name; check++)
		check->judge(host, sw_findings_add(findings, check->name, "host"));
}

static void check_link(const struct sw_link_check *check, const struct sw_link_facts *link,
		       struct sw_findings *findings)
{
	for (; check->name; check++)
		check->judge(link, sw_findings_add(findings, check->name, link->name));
}

int sw_doctor(const char *pin_dir, const char *name, struct sw_findings *findings)
{
	SW_AUTO_FREE struct sw_host_facts *host = calloc(1, sizeof(*host));
	SW_AUTO_FREE struct sw_link_facts *link = calloc(1, sizeof(*link));
	unsigned int ifindex = 0;
	int error = host && link ? 0 : -ENOMEM;

	if (!error && name)
		error = sw_interface_index(name, &ifindex);
	if (error)
		return error;
	sw_read_host(pin_dir, host);
	check_host(sw_kernel_checks, host, findings);
	check_host(sw_network_checks, host, findings);
	if (!name)
		return 0;
	sw_read_link(pin_dir, name, ifindex, link);
	check_link(sw_place_checks, link, findings);
	check_link(sw_card_checks, link, findings);
	return 0;
}
