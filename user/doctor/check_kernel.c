// SPDX-License-Identifier: GPL-2.0-or-later
/* Is there in this kernel what the programs need? */
#include "checks.h"

#include "../platform/mounts.h"

#include <errno.h>
#include <string.h>

static void judge_capabilities(const struct sw_host_facts *host, struct sw_finding *finding)
{
	sw_found(finding, SW_FINDING_OK, "this process may attach and see everything");
	if (!host->missing[0])
		return;
	sw_found(finding, SW_FINDING_BROKEN, "this process lacks %s", host->missing);
	sw_found_why(finding,
		     "without them nothing can be attached, and not all of this can be seen");
	sw_found_command(finding, "sudo synward doctor");
}

static void judge_types(const struct sw_host_facts *host, struct sw_finding *finding)
{
	sw_found(finding, SW_FINDING_OK, "the kernel describes its types (BTF)");
	if (!host->btf_error)
		return;
	sw_found(finding, SW_FINDING_BROKEN, "%s", host->btf_line);
	sw_found_why(finding, "the programs find the kernel's fields by that");
}

static void judge_helpers(const struct sw_host_facts *host, struct sw_finding *finding)
{
	if (!host->may_probe) {
		sw_found(finding, SW_FINDING_UNKNOWN,
			 "what the kernel has for programs was not tried");
		sw_found_why(finding, "it is found out by loading, which this process may not");
		sw_found_command(finding, "sudo synward doctor");
		return;
	}
	sw_found(finding, SW_FINDING_OK, "the kernel has every function that the programs call");
	if (!host->helpers[0])
		return;
	sw_found(finding, SW_FINDING_BROKEN, "the kernel has no %s", host->helpers);
	sw_found_why(finding, "the programs cannot be loaded without");
	sw_found_remedy(finding, "run Linux 6.1 or newer");
}

static void judge_jit(const struct sw_host_facts *host, struct sw_finding *finding)
{
	/* where it cannot be read, the kernel was built to compile always */
	sw_found(finding, SW_FINDING_OK, "BPF programs are compiled");
	if (host->jit != 0)
		return;
	sw_found(finding, SW_FINDING_DEGRADED, "BPF programs are interpreted");
	sw_found_why(finding, "each packet costs several times what it would");
	sw_found_command(finding, "sysctl -w net.core.bpf_jit_enable=1");
}

static void judge_bpffs(const struct sw_host_facts *host, struct sw_finding *finding)
{
	sw_found(finding, SW_FINDING_OK, "there is a bpffs (mode %04o)", host->bpffs_mode);
	if (host->bpffs_line[0]) {
		sw_found(finding, SW_FINDING_BROKEN, "%s", host->bpffs_line);
		sw_found_why(finding, "what is attached lives by its pins there");
	} else if (host->bpffs_error == ENOENT) {
		sw_found(finding, SW_FINDING_NOTE, "no bpffs is mounted on /sys/fs/bpf");
		sw_found_why(finding, "attach mounts one, which only root may then enter");
		sw_found_command(finding, SW_MOUNT_BPFFS);
	} else if (host->bpffs_error) {
		sw_found_error(finding, SW_FINDING_UNKNOWN, host->bpffs_error);
	} else if (host->readers && !(host->bpffs_mode & 0011)) {
		sw_found(finding, SW_FINDING_NOTE, "only root may enter the bpffs (mode %04o)",
			 host->bpffs_mode);
		sw_found_why(finding,
			     "the members of the group synward cannot read what is attached");
		sw_found_command(finding, "chgrp synward /sys/fs/bpf && chmod 1750 /sys/fs/bpf");
	}
}

/* Each answer and each new entry reads a clock. */
static void judge_clock(const struct sw_host_facts *host, struct sw_finding *finding)
{
	static const char *const slow[] = { "hpet", "acpi_pm", "pit", "jiffies",
					    "refined-jiffies" };

	if (!host->clock[0]) {
		sw_found(finding, SW_FINDING_NOTE, "the kernel does not say which clock it reads");
		return;
	}
	sw_found(finding, SW_FINDING_OK, "the clock %s is read fast", host->clock);
	for (unsigned int i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		if (strcmp(host->clock, slow[i]) != 0)
			continue;
		sw_found(finding, SW_FINDING_DEGRADED, "the clock %s is read slowly", host->clock);
		sw_found_why(finding, "each handshake and each answer reads it");
		sw_found_remedy(finding, "see why there is no tsc");
		sw_found_command(finding, "dmesg | grep -i -e tsc -e clocksource");
	}
}

/* Only who shares a secret with other hosts reads it on the way of a packet. */
static void judge_time(const struct sw_host_facts *host, struct sw_finding *finding)
{
	sw_found(finding, SW_FINDING_OK, "the time of day is kept");
	if (host->clock_synchronised)
		return;
	sw_found(finding, SW_FINDING_NOTE, "nobody keeps the time of day");
	sw_found_why(finding,
		     "hosts that share a secret (flood_defence.shared_secret) know each other's "
		     "cookies only while their clocks are less than a minute apart");
	sw_found_command(finding, "timedatectl set-ntp on");
}

const struct sw_host_check sw_kernel_checks[] = {
	{ "capabilities", judge_capabilities },
	{ "types", judge_types },
	{ "helpers", judge_helpers },
	{ "jit", judge_jit },
	{ "bpffs", judge_bpffs },
	{ "clock", judge_clock },
	{ "time", judge_time },
	{},
};
