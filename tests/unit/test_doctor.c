// SPDX-License-Identifier: GPL-2.0-or-later
/* What doctor makes of hosts and interfaces that no test machine has, and its tables. */
#include "../../user/base/error.c"
#include "../../user/base/printable.c"
#include "../../user/doctor/check_card.c"
#include "../../user/doctor/check_kernel.c"
#include "../../user/doctor/check_network.c"
#include "../../user/doctor/check_place.c"
#include "../../user/doctor/drivers.c"
#include "../../user/model/findings.c"
#include "../../user/model/flood_way.c"
#include "../../user/model/names.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* A card that does everything, on a host that lacks nothing. */
static struct sw_link_facts good_link(void)
{
	return (struct sw_link_facts){
		.name = "eth0",
		.cpus = 8,
		.has_xdp_features = true,
		.xdp_features = SW_XDP_BASIC | SW_XDP_TARGET | SW_XDP_FRAGS,
		.irqs = 8,
		.irq_cpus = 8,
		.hands_over = true,
		.ethtool = { .driver = "mlx5_core",
			     .has_channels = true,
			     .queues = 8,
			     .max_queues = 8,
			     .combined = true },
		.stack = { .mtu = 1500, .up = true, .bond_mode = -1 },
	};
}

static struct sw_host_facts good_host(void)
{
	return (struct sw_host_facts){
		.missing = "",
		.may_probe = true,
		.bpffs_mode = 0700,
		.jit = 1,
		.timestamps = 1,
		.window_scaling = 1,
		.sack = 1,
		.clock = "tsc",
		.clock_synchronised = true,
		.flood = { .hands_over = true, .checks_cookies = true, .syncookies = 1 },
		.firewall = { .loose = true },
	};
}

static const struct sw_link_check *const link_tables[] = { sw_card_checks, sw_place_checks };
static const struct sw_host_check *const host_tables[] = { sw_kernel_checks, sw_network_checks };

static struct sw_finding of_link(const struct sw_link_facts *link, const char *name)
{
	struct sw_finding finding = {};

	for (int i = 0; i < 2; i++)
		for (const struct sw_link_check *check = link_tables[i]; check->name; check++)
			if (!strcmp(check->name, name))
				check->judge(link, &finding);
	assert_string_not_equal(finding.what, "");
	return finding;
}

static struct sw_finding of_host(const struct sw_host_facts *host, const char *name)
{
	struct sw_finding finding = {};

	for (int i = 0; i < 2; i++)
		for (const struct sw_host_check *check = host_tables[i]; check->name; check++)
			if (!strcmp(check->name, name))
				check->judge(host, &finding);
	assert_string_not_equal(finding.what, "");
	return finding;
}

static void check_link(struct sw_link_facts link, const char *name, enum sw_finding_state state,
		       const char *remedy)
{
	struct sw_finding finding = of_link(&link, name);

	assert_int_equal(finding.state, state);
	assert_string_not_equal(finding.why, "");
	assert_true(strstr(finding.remedy, remedy) || strstr(finding.command, remedy));
}

static void what_is_good_is_called_so(void **state)
{
	const struct sw_link_facts link = good_link();
	const struct sw_host_facts host = good_host();

	(void)state;
	for (int i = 0; i < 2; i++) {
		for (const struct sw_host_check *check = host_tables[i]; check->name; check++)
			assert_int_equal(of_host(&host, check->name).state, SW_FINDING_OK);
		for (const struct sw_link_check *check = link_tables[i]; check->name; check++)
			if (strcmp(check->name, "driver") != 0 &&
			    strcmp(check->name, "link_reset") != 0)
				assert_int_equal(of_link(&link, check->name).state, SW_FINDING_OK);
	}
}

static void each_driver_has_its_source_and_is_found(void **state)
{
	const struct sw_driver *driver;

	(void)state;
	for (unsigned int i = 0; (driver = sw_driver_at(i)); i++) {
		assert_ptr_equal(sw_driver_find(driver->name),
				 driver); /* so no name is there twice */
		assert_true(driver->source && driver->source[0]);
		assert_true(!driver->mtu || driver->mtu >= 1500);
		assert_true(driver->native || (!driver->frags && !driver->mtu));
	}
	assert_null(sw_driver_find("of no name"));
}

static void a_driver_is_judged_by_the_kernels_word_first(void **state)
{
	struct sw_link_facts link = good_link();

	(void)state;
	link.xdp_features = 0;
	check_link(link, "driver", SW_FINDING_DEGRADED, "");
	link.has_xdp_features = false; /* the table has it */
	assert_int_equal(of_link(&link, "driver").state, SW_FINDING_NOTE);
	strcpy(link.ethtool.driver, "e1000e");
	assert_int_equal(of_link(&link, "driver").state, SW_FINDING_NOTE);
	strcpy(link.ethtool.driver, "iavf");
	check_link(link, "driver", SW_FINDING_DEGRADED, "--mode tc");
	strcpy(link.frames_line,
	       "tun0: its frames have no Ethernet header"); /* nor would TC read them */
	assert_int_equal(of_link(&link, "driver").state, SW_FINDING_OK);
}

/* What XDP sends to a veth's other end gets lost, which does not matter to who sends by TC. */
static void a_veth_may_be_mute(void **state)
{
	struct sw_link_facts link = good_link();

	(void)state;
	strcpy(link.ethtool.driver, "veth");
	link.xdp_features &= ~(uint64_t)SW_XDP_TARGET;
	check_link(link, "answers", SW_FINDING_NOTE, "synward attach eth0 --mode tc");
	link.hands_over = false;
	check_link(link, "answers", SW_FINDING_DEGRADED, "synward attach eth0 --mode tc");
	link.hooks.ours = true;
	link.hooks.mode = SW_MODE_TC;
	assert_int_equal(of_link(&link, "answers").state, SW_FINDING_OK);
}

static const char *cost_of(const char *driver, bool lro)
{
	struct sw_ethtool_facts card = { .lro = lro };
	static char text[160];

	strcpy(card.driver, driver);
	sw_say_native_cost(&card, text, sizeof(text));
	return text;
}

static void what_native_costs_is_told(void **state)
{
	(void)state;
	assert_string_equal(cost_of("veth", false), "");
	assert_string_equal(cost_of("e1000e", false), "");
	assert_non_null(
		strstr(cost_of("ice", false), "takes the link down for a moment; --mode tc"));
	assert_non_null(
		strstr(cost_of("ice", true), "down for a moment, and ends that the card merges"));
	assert_non_null(strstr(cost_of("e1000e", true), "native XDP ends that the card merges"));
	/* it takes no program then */
	assert_null(strstr(cost_of("mlx5_core", true), "merges"));
}

static void an_mtu_may_be_too_large(void **state)
{
	struct sw_link_facts link = good_link();

	(void)state;
	link.stack.mtu = 9000;
	assert_int_equal(of_link(&link, "mtu").state, SW_FINDING_OK);
	link.xdp_features = SW_XDP_BASIC;
	check_link(link, "mtu", SW_FINDING_DEGRADED, "ip link set dev eth0 mtu 3498");
	link.stack.mtu = 3498;
	assert_int_equal(of_link(&link, "mtu").state, SW_FINDING_OK);
}

static void a_card_may_merge_segments(void **state)
{
	struct sw_link_facts link = good_link();

	(void)state;
	link.ethtool.lro = link.ethtool.gro_hw = true;
	check_link(link, "offloads", SW_FINDING_DEGRADED, "ethtool -K eth0 lro off rx-gro-hw off");
	link.ethtool.lro = false;
	check_link(link, "offloads", SW_FINDING_DEGRADED, "ethtool -K eth0 rx-gro-hw off");
	link.ethtool.lro = true;
	link.ethtool.gro_hw = false;
	check_link(link, "offloads", SW_FINDING_DEGRADED, "ethtool -K eth0 lro off");
	strcpy(link.ethtool.driver, "vmxnet3"); /* of which nothing is known */
	check_link(link, "offloads", SW_FINDING_NOTE, "ethtool -K eth0 lro off");
}

static void a_card_may_take_tags_out(void **state)
{
	struct sw_link_facts link = good_link();

	(void)state;
	link.ethtool.rx_vlan = true;
	assert_int_equal(of_link(&link, "vlan_offload").state, SW_FINDING_OK); /* there are none */
	strcpy(link.stack.vlans, "eth0.5");
	check_link(link, "vlan_offload", SW_FINDING_NOTE, "ethtool -K eth0 rxvlan off");
	link.hands_over = false;
	check_link(link, "vlan_offload", SW_FINDING_DEGRADED, "ethtool -K eth0 rxvlan off");
}

static void queues_may_be_too_few_or_too_many(void **state)
{
	struct sw_link_facts link = good_link();

	(void)state;
	link.ethtool.queues = 1;
	check_link(link, "queues", SW_FINDING_DEGRADED, "ethtool -L eth0 combined 8");
	link.ethtool.queues = 8;
	strcpy(link.ethtool.driver, "ena");
	check_link(link, "queues", SW_FINDING_DEGRADED, "ethtool -L eth0 combined 4");
	strcpy(link.ethtool.driver, "virtio_net");
	check_link(link, "queues", SW_FINDING_NOTE, "16 queues");
	strcpy(link.ethtool.driver, "bnxt_en");
	link.ethtool.combined = false;
	check_link(link, "queues", SW_FINDING_DEGRADED, "combined 8");
	link.irq_cpus = 1;
	check_link(link, "interrupts", SW_FINDING_DEGRADED, "irqbalance");
}

static void drops_before_xdp_are_told(void **state)
{
	struct sw_link_facts link = good_link();

	(void)state;
	link.ethtool.drops = 7;
	strcpy(link.ethtool.drop_names, "rx_out_of_buffer");
	link.ethtool.has_rings = true;
	link.ethtool.ring = 512;
	link.ethtool.max_ring = 4096;
	check_link(link, "drops", SW_FINDING_DEGRADED, "ethtool -G eth0 rx 4096");
	link.ethtool.ring = 4096;
	check_link(link, "drops", SW_FINDING_DEGRADED, "ethtool -S eth0");
}

static void a_bond_may_be_of_a_mode_that_takes_none(void **state)
{
	struct sw_link_facts link = good_link();

	(void)state;
	strcpy(link.stack.kind, "bond");
	strcpy(link.stack.lower, "eth1, eth2");
	for (int mode = 0; mode < 7; mode++) {
		bool takes = mode <= 2 || mode == 4;

		link.stack.bond_mode = mode;
		check_link(link, "stack", takes ? SW_FINDING_NOTE : SW_FINDING_DEGRADED, "");
	}
	strcpy(link.hooks.also, "eth1");
	check_link(link, "stack", SW_FINDING_DEGRADED, "synward detach eth1");
}

static void a_port_sees_a_part(void **state)
{
	struct sw_link_facts link = good_link();

	(void)state;
	strcpy(link.stack.master, "bond0");
	strcpy(link.stack.master_kind, "bond");
	check_link(link, "stack", SW_FINDING_DEGRADED, "synward attach bond0");
	strcpy(link.stack.master_kind, "bridge");
	assert_int_equal(of_link(&link, "stack").state, SW_FINDING_OK);
	strcpy(link.stack.netfilter_bridge, "br0");
	check_link(link, "stack", SW_FINDING_DEGRADED, "bridge-nf-call-iptables=0");
}

static void what_attach_says_is_cut_into_what_and_remedy(void **state)
{
	struct sw_link_facts link = good_link();
	struct sw_finding finding;

	(void)state;
	link.hooks.xdp_error = EBUSY;
	strcpy(link.hooks.xdp_line,
	       "eth0: its XDP hook is taken by program p (id 7, native); remove it "
	       "first, for example: bpftool link detach id 3");
	finding = of_link(&link, "xdp_hook");
	assert_string_equal(finding.what,
			    "eth0: its XDP hook is taken by program p (id 7, native)");
	assert_string_equal(finding.command, "bpftool link detach id 3");
	strcpy(link.hooks.xdp_line, "eth0: its XDP hook is taken by another program");
	finding = of_link(&link, "xdp_hook");
	assert_string_equal(finding.what, link.hooks.xdp_line);
	assert_string_equal(finding.remedy, "remove it");
	assert_string_equal(finding.command, "");
}

static void the_host_may_lack_things(void **state)
{
	struct sw_host_facts host = good_host();
	struct sw_finding finding;

	(void)state;
	host.jit = 0;
	assert_int_equal(of_host(&host, "jit").state, SW_FINDING_DEGRADED);
	strcpy(host.clock, "hpet");
	assert_int_equal(of_host(&host, "clock").state, SW_FINDING_DEGRADED);
	host.clock_synchronised = false;
	assert_int_equal(of_host(&host, "time").state, SW_FINDING_NOTE);
	strcpy(host.helpers, "bpf_loop");
	assert_int_equal(of_host(&host, "helpers").state, SW_FINDING_BROKEN);
	host.btf_error = ENOTSUP;
	host.btf_line = "there are none";
	assert_int_equal(of_host(&host, "types").state, SW_FINDING_BROKEN);
	host.readers = true;
	assert_int_equal(of_host(&host, "bpffs").state, SW_FINDING_NOTE);
	host.bpffs_mode = 01750;
	assert_int_equal(of_host(&host, "bpffs").state, SW_FINDING_OK);
	host.bpffs_error = ENOENT;
	finding = of_host(&host, "bpffs");
	assert_int_equal(finding.state, SW_FINDING_NOTE);
	assert_non_null(strstr(finding.command, "mode=0700")); /* the kernel's own is 1777 */
	strcpy(host.listeners.full, "80");
	assert_int_equal(of_host(&host, "listeners").state, SW_FINDING_DEGRADED);
	host.firewall.legacy = true;
	assert_int_equal(of_host(&host, "firewall").state, SW_FINDING_NOTE);
	host.flood.hands_over = false;
	assert_int_equal(of_host(&host, "flood_ways").state, SW_FINDING_DEGRADED);
}

static void the_worst_decides(void **state)
{
	static const int codes[] = { SW_EXIT_OK, SW_EXIT_OK, SW_EXIT_DEGRADED, SW_EXIT_FAILURE,
				     SW_EXIT_FAILURE };
	struct sw_findings findings = {};

	(void)state;
	assert_int_equal(sw_findings_exit(&findings), SW_EXIT_OK);
	for (int worst = 0; worst < SW_FINDING_STATE_COUNT; worst++) {
		sw_found(sw_findings_add(&findings, "one", "host"), (enum sw_finding_state)worst,
			 "so");
		sw_findings_add(&findings, "another", "host");
		assert_int_equal(sw_findings_exit(&findings), codes[worst]);
		assert_int_equal(sw_findings_in(&findings, SW_FINDING_OK), worst + 2);
	}
	while (findings.count < SW_MAX_FINDINGS)
		sw_findings_add(&findings, "more", "host");
	sw_findings_add(&findings, "last", "host");
	assert_int_equal(findings.count, SW_MAX_FINDINGS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_good_is_called_so),
		cmocka_unit_test(each_driver_has_its_source_and_is_found),
		cmocka_unit_test(a_driver_is_judged_by_the_kernels_word_first),
		cmocka_unit_test(a_veth_may_be_mute),
		cmocka_unit_test(what_native_costs_is_told),
		cmocka_unit_test(an_mtu_may_be_too_large),
		cmocka_unit_test(a_card_may_merge_segments),
		cmocka_unit_test(a_card_may_take_tags_out),
		cmocka_unit_test(queues_may_be_too_few_or_too_many),
		cmocka_unit_test(drops_before_xdp_are_told),
		cmocka_unit_test(a_bond_may_be_of_a_mode_that_takes_none),
		cmocka_unit_test(a_port_sees_a_part),
		cmocka_unit_test(what_attach_says_is_cut_into_what_and_remedy),
		cmocka_unit_test(the_host_may_lack_things),
		cmocka_unit_test(the_worst_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
