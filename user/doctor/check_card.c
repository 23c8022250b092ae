// SPDX-License-Identifier: GPL-2.0-or-later
/* The driver and its card. */
#include "checks.h"

#include "../base/error.h"
#include "drivers.h"

#include <inttypes.h>
#include <string.h>

static const struct sw_driver *driver_of(const struct sw_link_facts *link)
{
	return sw_driver_find(link->ethtool.driver);
}

/* Devices that are made of others, or of nothing, need no name of a driver. */
static const char *driver_name(const struct sw_link_facts *link)
{
	return link->ethtool.driver[0] ? link->ethtool.driver :
	       link->stack.kind[0]     ? link->stack.kind :
					 "of no name";
}

/* Whether the kernel says it, or, if that does not, the table does. */
static bool is_native(const struct sw_link_facts *link)
{
	const struct sw_driver *driver = driver_of(link);

	if (link->has_xdp_features)
		return link->xdp_features & SW_XDP_BASIC;
	return driver && driver->native;
}

static bool takes_frags(const struct sw_link_facts *link)
{
	return link->has_xdp_features && link->xdp_features & SW_XDP_FRAGS;
}

static void judge_driver(const struct sw_link_facts *link, struct sw_finding *finding)
{
	const struct sw_driver *driver = driver_of(link);
	const char *name = driver_name(link);

	if (link->frames_line[0]) {
		sw_found(finding, SW_FINDING_OK,
			 "whether the driver %s takes XDP programs does not matter here", name);
		return;
	}
	if (!link->has_xdp_features && !driver) {
		sw_found(finding, SW_FINDING_NOTE,
			 "nobody says whether the driver %s takes XDP programs", name);
		sw_found_why(finding,
			     "the kernel tells it since Linux 6.3; attach takes TC if it does "
			     "not");
	} else if (!is_native(link)) {
		sw_found(finding, SW_FINDING_DEGRADED,
			 "the driver %s takes no XDP program, or not as it is "
			 "set up now",
			 name);
		sw_found_why(finding, "at TC, where attach goes, a packet costs more, in a flood "
				      "several times as "
				      "much");
		if (link->stack.lower[0]) {
			sw_found_remedy(finding, "attach what it is made of");
			sw_found_command(finding, "synward attach %s", link->stack.lower);
		} else if (driver && driver->native)
			sw_found_remedy(finding,
					"see the other lines of this interface: the driver can");
		else
			sw_found_command(finding, "synward attach %s --mode tc", link->name);
	} else {
		sw_found(finding, SW_FINDING_OK, "the driver %s takes XDP programs%s", name,
			 takes_frags(link) ? ", also for frames in several buffers" : "");
		if (driver && driver->trap) {
			finding->state = SW_FINDING_NOTE;
			sw_found_why(finding, "%s", driver->trap);
		}
	}
	if (link->virtual_function && finding->state == SW_FINDING_DEGRADED)
		sw_found_why(finding,
			     "it is a virtual function, and drivers of those often take none");
}

static void judge_mtu(const struct sw_link_facts *link, struct sw_finding *finding)
{
	const struct sw_driver *driver = driver_of(link);

	sw_found(finding, SW_FINDING_OK, "the MTU of %u leaves room for a program",
		 link->stack.mtu);
	if (!is_native(link) || takes_frags(link) || !driver || !driver->mtu ||
	    link->stack.mtu <= driver->mtu)
		return;
	sw_found(finding, SW_FINDING_DEGRADED,
		 "the MTU is %u, and the driver %s takes a program up to %u", link->stack.mtu,
		 driver->name, driver->mtu);
	sw_found_why(finding, "beyond that, attach is left with TC");
	sw_found_command(finding, "ip link set dev %s mtu %u", link->name, driver->mtu);
}

static void judge_reset(const struct sw_link_facts *link, struct sw_finding *finding)
{
	const struct sw_driver *driver = driver_of(link);
	enum sw_link_reset reset = driver ? driver->reset : SW_RESET_UNKNOWN;

	if (!is_native(link) || reset == SW_RESET_NEVER) {
		sw_found(finding, SW_FINDING_OK, "attach and detach do not interrupt the link");
	} else if (reset == SW_RESET_UNKNOWN) {
		sw_found(finding, SW_FINDING_NOTE,
			 "it is not known whether attach interrupts the link");
		sw_found_why(finding,
			     "some drivers take it down for a moment to make their queues anew");
		sw_found_remedy(finding, "attach the first time when that does no harm");
	} else {
		sw_found(finding, SW_FINDING_NOTE, "%s interrupts the link for a moment",
			 reset == SW_RESET_EVERY ? "every attach, upgrade and detach" :
						   "attach, as detach, but no upgrade");
		sw_found_why(finding, "the driver %s makes its queues anew", driver->name);
		sw_found_remedy(finding, "attach when that does no harm");
	}
}

static void judge_offloads(const struct sw_link_facts *link, struct sw_finding *finding)
{
	const struct sw_driver *driver = driver_of(link);
	bool lro = link->ethtool.lro, gro_hw = link->ethtool.gro_hw;
	bool refuses = driver &&
		       ((lro && driver->refuses_lro) || (gro_hw && driver->refuses_gro_hw));

	sw_found(finding, SW_FINDING_OK, "the card merges no segments");
	if (!is_native(link) || (!lro && !gro_hw))
		return;
	sw_found(finding, refuses ? SW_FINDING_DEGRADED : SW_FINDING_NOTE,
		 "the card merges segments (%s)",
		 lro && gro_hw ? "LRO, GRO-HW" :
		 lro	       ? "LRO" :
				 "GRO-HW");
	sw_found_why(finding, "%s",
		     refuses ? "the driver takes no program while it does" :
			       "with a program most cards do not, which costs a busy "
			       "server throughput");
	sw_found_command(finding, "ethtool -K %s%s%s", link->name, lro ? " lro off" : "",
			 gro_hw ? " rx-gro-hw off" : "");
}

/* What is refused while it is on costs nothing: then there is no native program. */
static bool gives_up_merging(const struct sw_driver *driver, const struct sw_ethtool_facts *card)
{
	return (card->lro && !(driver && driver->refuses_lro)) ||
	       (card->gro_hw && !(driver && driver->refuses_gro_hw));
}

void sw_say_native_cost(const struct sw_ethtool_facts *card, char *text, size_t size)
{
	const struct sw_driver *driver = sw_driver_find(card->driver);
	bool resets = driver && driver->native && driver->reset != SW_RESET_UNKNOWN &&
		      driver->reset != SW_RESET_NEVER;
	bool merges = gives_up_merging(driver, card);

	text[0] = '\0';
	if (!resets && !merges)
		return;
	sw_format(text, size, "native XDP%s%s%s; --mode tc does not",
		  resets ? " takes the link down for a moment" : "",
		  resets && merges ? ", and" : "",
		  merges ? " ends that the card merges segments (LRO, GRO-HW)" : "");
}

static void judge_vlan(const struct sw_link_facts *link, struct sw_finding *finding)
{
	sw_found(finding, SW_FINDING_OK,
		 link->stack.vlans[0] ? "VLAN tags stay in the frame" : "there are no VLANs on it");
	if (!link->ethtool.rx_vlan || !link->stack.vlans[0])
		return;
	sw_found(finding, link->hands_over ? SW_FINDING_NOTE : SW_FINDING_DEGRADED,
		 "the card takes VLAN tags out of the frame (VLANs: %s)", link->stack.vlans);
	sw_found_why(finding,
		     link->hands_over ?
			     "XDP cannot put a tag back, so SYNs of a VLAN are answered by TC, "
			     "which costs more" :
			     "XDP cannot put a tag back, so SYNs of a VLAN pass unanswered "
			     "(Linux 6.9 can have TC answer them)");
	sw_found_command(finding, "ethtool -K %s rxvlan off", link->name);
}

static void judge_queue_need(const struct sw_link_facts *link, const struct sw_driver *driver,
			     struct sw_finding *finding)
{
	const struct sw_ethtool_facts *card = &link->ethtool;

	if (driver->queues == SW_QUEUES_COMBINED && !card->combined) {
		sw_found(finding, SW_FINDING_DEGRADED, "its queues do not both receive and send");
		sw_found_why(finding, "the driver %s then takes no program", driver->name);
		sw_found_command(finding, "ethtool -L %s rx 0 tx 0 combined %u", link->name,
				 link->cpus);
	} else if (driver->queues == SW_QUEUES_HALF && card->queues * 2 > card->max_queues) {
		sw_found(finding, SW_FINDING_DEGRADED, "%u of at most %u queues are in use",
			 card->queues, card->max_queues);
		sw_found_why(finding, "the driver %s takes a program only with half of them free",
			     driver->name);
		if (card->max_queues > 1)
			sw_found_command(finding, "ethtool -L %s combined %u", link->name,
					 card->max_queues / 2);
		else
			sw_found_remedy(finding, "give the machine more queues");
	} else if (driver->queues == SW_QUEUES_ONE_A_CPU &&
		   card->queues + link->cpus > card->max_queues) {
		sw_found(finding, SW_FINDING_NOTE,
			 "%u of at most %u queues are in use, and there are %u CPUs", card->queues,
			 card->max_queues, link->cpus);
		sw_found_why(finding, "without one more for each CPU, answers wait for a lock");
		sw_found_remedy(finding, "give the machine %u queues", card->queues + link->cpus);
	}
}

static void judge_queues(const struct sw_link_facts *link, struct sw_finding *finding)
{
	const struct sw_driver *driver = driver_of(link);
	const struct sw_ethtool_facts *card = &link->ethtool;

	if (!card->has_channels) {
		sw_found(finding, SW_FINDING_OK, "it has no queues to be set");
		return;
	}
	sw_found(finding, SW_FINDING_OK, "%u of at most %u queues for %u CPUs", card->queues,
		 card->max_queues, link->cpus);
	if (card->queues == 1 && link->cpus > 1) {
		sw_found(finding, card->max_queues > 1 ? SW_FINDING_DEGRADED : SW_FINDING_NOTE,
			 "one queue of at most %u for %u CPUs", card->max_queues, link->cpus);
		sw_found_why(finding, "one CPU alone then meets a flood");
		if (card->max_queues > 1)
			sw_found_command(finding, "ethtool -L %s combined %u", link->name,
					 card->max_queues < link->cpus ? card->max_queues :
									 link->cpus);
	}
	if (driver && is_native(link))
		judge_queue_need(link, driver, finding);
}

static void judge_interrupts(const struct sw_link_facts *link, struct sw_finding *finding)
{
	if (!link->irqs) {
		sw_found(finding, SW_FINDING_OK, "it has no interrupts to be spread");
		return;
	}
	sw_found(finding, SW_FINDING_OK, "its %d interrupts go to %d CPUs", link->irqs,
		 link->irq_cpus);
	if (link->irq_cpus > 1 || link->cpus == 1 || link->ethtool.queues < 2)
		return;
	sw_found(finding, SW_FINDING_DEGRADED, "all of its %d interrupts go to one CPU",
		 link->irqs);
	sw_found_why(finding, "one CPU alone then meets a flood, whatever the queues");
	sw_found_remedy(finding,
			"have irqbalance spread them, or set /proc/irq/N/smp_affinity_list for "
			"each in /sys/class/net/%s/device/msi_irqs",
			link->name);
	sw_found_command(finding, "systemctl start irqbalance");
}

static void judge_drops(const struct sw_link_facts *link, struct sw_finding *finding)
{
	const struct sw_ethtool_facts *card = &link->ethtool;

	if (!card->has_rings)
		sw_found(finding, SW_FINDING_OK, "it has no rings, and has counted no drops");
	else
		sw_found(finding, SW_FINDING_OK,
			 "no drops; its rings hold %u packets of at most %u", card->ring,
			 card->max_ring);
	if (!card->drops)
		return;
	sw_found(finding, SW_FINDING_DEGRADED, "%" PRIu64 " packets were dropped before XDP (%s)",
		 card->drops, card->drop_names);
	sw_found_why(finding,
		     "the card had no room; synward never saw them, and counts them nowhere");
	if (card->ring < card->max_ring) {
		sw_found_remedy(finding, "enlarge its rings, and ask again whether they grow");
		sw_found_command(finding, "ethtool -G %s rx %u", link->name, card->max_ring);
	} else {
		sw_found_remedy(finding,
				"see whether they still grow; if so, it takes more queues or CPUs");
		sw_found_command(finding, "ethtool -S %s", link->name);
	}
}

const struct sw_link_check sw_card_checks[] = {
	{ "driver", judge_driver },
	{ "mtu", judge_mtu },
	{ "link_reset", judge_reset },
	{ "offloads", judge_offloads },
	{ "vlan_offload", judge_vlan },
	{ "queues", judge_queues },
	{ "interrupts", judge_interrupts },
	{ "drops", judge_drops },
	{},
};
