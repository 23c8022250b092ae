// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../base/cleanup.h"
#include "../doctor/doctor.h"
#include "../report/doctor_report.h"

static bool self_test;

static const struct sw_option options[] = {
	{ "self-test", 0, SW_OPTION_FLAG, &self_test, NULL,
	  .help = "also try the programs on a veth pair of their own" },
	{},
};

static int run(int argc, char **argv)
{
	SW_AUTO_FREE struct sw_findings *findings = calloc(1, sizeof(*findings));
	int first = sw_command_options(&sw_cmd_doctor, argc, argv), error;

	if (first <= 0)
		return first;
	if (first + 1 < argc)
		return sw_error(EINVAL, "doctor: expected one interface, got %s as well",
				argv[first + 1]);
	error = findings ? sw_doctor(sw_global.pin_dir, argv[first], findings) : -ENOMEM;
	if (error)
		return error;
	if (self_test)
		sw_self_test(findings);
	if (sw_global.json)
		sw_json_findings(stdout, findings, sw_global.pretty);
	else
		sw_text_findings(stdout, findings);
	return sw_findings_exit(findings);
}

const struct sw_command sw_cmd_doctor = {
	.name = "doctor",
	.summary = "check this host and an interface; changes nothing",
	.usage = "[IFACE]",
	.text = "Checks the kernel and the network settings of this host and, with IFACE, that\n"
		"interface: its driver, offloads, queues, the devices below and above it, and\n"
		"other programs on its hooks. Prints for each check what it found, why it\n"
		"matters, and the command that fixes it. It attaches and changes nothing.\n"
		"\n"
		"With --self-test it attaches the programs to a veth pair between two network\n"
		"namespaces of its own. Clients then connect over IPv4 and IPv6, watched and\n"
		"answered by each way against floods. Afterwards it removes all of that.\n"
		"\n"
		"Exit code 3: something works less well than it could. 1: something does not\n"
		"work, or could not be checked.\n"
		"\n"
		"Examples:\n"
		"  synward doctor\n"
		"  synward doctor eth0\n"
		"  synward doctor eth0 -j | jq '.findings[] | select(.state != \"ok\")'\n"
		"  synward doctor --self-test\n",
	.options = options,
	.run = run,
};
