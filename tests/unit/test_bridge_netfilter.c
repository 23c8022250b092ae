// SPDX-License-Identifier: GPL-2.0-or-later
/* From whose segments br_netfilter takes what they were handed over to, however interfaces stand on each other. */
#include "../../user/platform/bridge_netfilter.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static long everywhere; /* net.bridge.bridge-nf-call-iptables; -1: there is no such module */

long sw_sysctl_read(const char *name, int index, long without)
{
	(void)index;
	return everywhere < 0 ? without : strstr(name, "ip6") ? 0 : everywhere;
}

enum { CARD = 1, BOND, BRIDGE, VLAN, ALONE };

static struct sw_net_link all[] = {
	{ .ifindex = CARD, .name = "eth0", .master = BOND },
	{ .ifindex = BOND, .name = "bond0", .kind = "bond" },
	{ .ifindex = VLAN, .name = "bond0.7", .kind = "vlan", .below = BOND, .master = BRIDGE },
	{ .ifindex = BRIDGE, .name = "br0", .kind = "bridge" },
	{ .ifindex = ALONE, .name = "eth1" },
};
static const struct sw_net_links links = { .all = all, .count = sizeof(all) / sizeof(*all) };

const struct sw_net_link *sw_net_links_find(const struct sw_net_links *among, uint32_t ifindex)
{
	for (uint32_t i = 0; i < among->count; i++)
		if (among->all[i].ifindex == ifindex)
			return &among->all[i];
	return NULL;
}

static void check(bool below)
{
	for (uint32_t ifindex = CARD; ifindex <= ALONE; ifindex++) {
		const struct sw_net_link *found = sw_bridge_with_netfilter(&links, ifindex);
		bool stands_below = ifindex == CARD || ifindex == BOND || ifindex == VLAN;

		assert_ptr_equal(found, below && stands_below ? &all[BRIDGE] : NULL);
	}
}

static void a_bridge_has_it_by_the_sysctl_or_by_itself(void **state)
{
	(void)state;
	for (everywhere = -1; everywhere <= 1; everywhere++) {
		for (int own = 0; own <= 1; own++) {
			all[BRIDGE].calls_iptables = own;
			check(everywhere > 0 || (own && everywhere == 0));
		}
	}
}

static void interfaces_in_a_circle_are_no_endless_way(void **state)
{
	(void)state;
	everywhere = 0;
	all[BRIDGE].calls_iptables = false;
	all[BOND].below =
		VLAN; /* the kernel has no such thing, and a listing may change while it is read */
	all[BOND].master = CARD;
	check(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bridge_has_it_by_the_sysctl_or_by_itself),
		cmocka_unit_test(interfaces_in_a_circle_are_no_endless_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
