// SPDX-License-Identifier: GPL-2.0-or-later
/* One interface of this network namespace. */
#include "facts.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../hooks/handover.h"
#include "../platform/preflight.h"
#include "../platform/routes.h"
#include "../platform/sysctl.h"

#include <ctype.h>
#include <sched.h>
#include <stdlib.h>

struct gateways {
	uint32_t ifindex;
	bool any, here;
};

static void take_gateway(void *context, const struct sw_addr *addr, uint32_t ifindex)
{
	struct gateways *gateways = context;

	(void)addr;
	gateways->any = true;
	gateways->here |= ifindex == gateways->ifindex;
}

/* Where the kernel says that it delivers an interrupt: the first CPU of the list; -1: nobody knows. */
static int cpu_of(const char *irq)
{
	SW_AUTO_FILE FILE *file = NULL;
	char path[64];
	int cpu;

	sw_format(path, sizeof(path), "/proc/irq/%s/effective_affinity_list", irq);
	file = fopen(path, "re");
	return file && fscanf(file, "%d", &cpu) == 1 ? cpu : -1;
}

/* sysfs shows the network namespace that it was mounted in, which need not be ours. */
static bool is_in_sysfs(const struct sw_link_facts *link)
{
	SW_AUTO_FILE FILE *file = NULL;
	char path[64];
	unsigned int ifindex;

	sw_format(path, sizeof(path), "/sys/class/net/%s/ifindex", link->name);
	file = fopen(path, "re");
	return file && fscanf(file, "%u", &ifindex) == 1 && ifindex == link->ifindex;
}

static void read_interrupts(struct sw_link_facts *link)
{
	SW_AUTO_DIR DIR *dir = NULL;
	struct dirent *entry;
	char path[64];
	cpu_set_t cpus;
	int cpu;

	CPU_ZERO(&cpus);
	sw_format(path, sizeof(path), "/sys/class/net/%s/device/msi_irqs", link->name);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		cpu = isdigit((unsigned char)entry->d_name[0]) ? cpu_of(entry->d_name) : -1;
		if (cpu < 0 || cpu >= CPU_SETSIZE)
			continue;
		link->irqs++;
		CPU_SET(cpu, &cpus);
	}
	link->irq_cpus = CPU_COUNT(&cpus);
}

static void read_way_back(struct sw_link_facts *link)
{
	struct gateways gateways = { .ifindex = link->ifindex };
	char name[64];
	long all = sw_sysctl_read("ipv4/conf/all/rp_filter", 0, 0);

	sw_gateways(take_gateway, &gateways);
	link->has_gateways = gateways.any;
	link->gateway_here = gateways.here;
	sw_format(name, sizeof(name), "ipv4/conf/%s/rp_filter", link->name);
	link->rp_filter = sw_sysctl_read(name, 0, 0);
	link->rp_filter = all > link->rp_filter ? all :
						  link->rp_filter; /* as the kernel takes it */
}

void sw_read_link(const char *pin_dir, const char *name, uint32_t ifindex,
		  struct sw_link_facts *link)
{
	char path[64];

	link->name = name;
	link->ifindex = ifindex;
	link->cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	link->hands_over = sw_handover_is_possible();
	if (sw_preflight_frames(name))
		sw_format(link->frames_line, sizeof(link->frames_line), "%s", sw_error_text());
	sw_error_clear();
	link->has_xdp_features = sw_read_xdp_features(ifindex, &link->xdp_features);
	if (is_in_sysfs(link)) {
		sw_format(path, sizeof(path), "/sys/class/net/%s/device/physfn", name);
		link->virtual_function = !access(path, F_OK);
		read_interrupts(link);
	}
	sw_read_ethtool(name, &link->ethtool);
	sw_read_stack(ifindex, &link->stack);
	read_way_back(link);
	sw_read_hooks(pin_dir, name, ifindex, &link->stack, &link->hooks);
}
