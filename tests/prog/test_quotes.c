// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who an ICMP packet is of, to the lists: its sender, whatever it quotes.
 */
#include "../lib/sequences.h"
#include "../lib/lists.h"

#define EVENT_RECORDS 1024U
#define UDP	      17

static struct prog prog;
static bool v6;

static const struct quote {
	const char *says;
	struct segment segment;
	enum family family;
} quotes[] = {
	{ "UDP", icmp_error(.protocol = UDP), BOTH_FAMILIES },
	{ "UDP in a VLAN", icmp_error(.protocol = UDP, .tags = 2), BOTH_FAMILIES },
	{ "UDP, and may pass", icmp_error(.protocol = UDP, .code = 0), BOTH_FAMILIES },
	{ "UDP behind IP options", icmp_error(.protocol = UDP, .ip_options = 10), ONLY_V4 },
	{ "UDP behind extension headers", icmp_error(.protocol = UDP, .extensions = "hdDr"),
	  ONLY_V6 },
	{ "nothing but extension headers", icmp_error(.extensions = "ddddddddd"), ONLY_V6 },
	{ "too little of TCP", icmp_error(.l4_length = 7), BOTH_FAMILIES },
	{ "too little of TCP behind an extension header",
	  icmp_error(.l4_length = 7, .extensions = "d"), ONLY_V6 },
	{ "a later fragment", icmp_error(.fragment_offset = 24), BOTH_FAMILIES },
	{ "another version of IP", icmp_error(.ip_version = 5), BOTH_FAMILIES },
	{ "anything, and is no error", icmp_error(.type = 8), BOTH_FAMILIES },
	{ "anything, and says that time is exceeded", icmp_error(.type = 11), ONLY_V4 },
	{ "anything, and says that time is exceeded, too", icmp_error(.type = 3), ONLY_V6 },
	{ "TCP", icmp_error(.seq = ISN_C), BOTH_FAMILIES },
	{ "TCP behind IP options", icmp_error(.ip_options = 10), ONLY_V4 },
	{ "TCP behind extension headers", icmp_error(.extensions = "hdDr"), ONLY_V6 },
};

static int reset(void **state)
{
	struct setup setup = setup_ordinary();
	SW_AUTO_POLICY policy = policy_new();

	v6 = *state;
	prog_reset_policies(&prog, &setup);
	prog_set_list(&prog, SW_LIST_ALLOW, NULL, 0);
	prog_set_list(&prog, SW_LIST_BLOCK, NULL, 0);
	policy_default_rules(policy)->enforce = 1;
	policy_install(&prog, policy, 0);
	return 0;
}

static void set_list(enum sw_list list, enum end end)
{
	struct sw_prefix prefix = { .addr = end_address(end, v6), .length = 128 };

	prog_set_list(&prog, list, &prefix, 1);
}

/* Sends those of the family; each passes, or is dropped. Returns how many there were. */
static __u32 each(const struct quote *of, __u32 count, enum xdp_action expected)
{
	__u32 sent = 0;

	for (__u32 i = 0; i < count; i++) {
		if (of[i].family == (v6 ? ONLY_V4 : ONLY_V6))
			continue;
		sent++;
		if (prog_segment(&prog, HOOK_XDP, &of[i].segment, v6) != expected)
			fail_msg("%s: an error that quotes %s",
				 expected == XDP_PASS ? "dropped" : "passed", of[i].says);
	}
	return sent;
}

static void expect_blocked(__u32 count)
{
	struct result result = prog_result(&prog);

	assert_int_equal(result.counters.limits_dropped[SW_LIMIT_BLOCK_LIST], count);
	assert_int_equal(result.traffic[SW_INGRESS].verdicts[SW_VERDICT_DROPPED], count);
}

static void the_sender_is_blocked(void **state __unused)
{
	__u32 sent;

	set_list(SW_LIST_BLOCK, ROUTER);
	sent = each(quotes, COUNT(quotes), XDP_DROP);
	expect_blocked(sent);
	set_list(SW_LIST_ALLOW, ROUTER);
	each(quotes, COUNT(quotes), XDP_PASS);
	expect_blocked(sent);
}

/* Who it quotes has not sent it, nor who it is for. */
static void others_are_blocked(void **state __unused)
{
	static const enum end ends[] = { CLIENT, SERVER };

	for (__u32 i = 0; i < COUNT(ends); i++) {
		set_list(SW_LIST_BLOCK, ends[i]);
		each(quotes, COUNT(quotes), XDP_PASS);
	}
	expect_blocked(0);
}

/* It is of the service of whom it is for: here of one that only watches. */
static void of_the_service_that_it_is_for(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_new();
	struct sw_prefix server = { .addr = end_address(SERVER, v6), .length = 128 };
	__u32 slot;

	policy_default_rules(policy)->enforce = 1;
	policy_add(policy, "server", NULL, 0, 0)->enforce = 0;
	policy->services[0].prefixes[policy->services[0].prefix_count++] = server;
	slot = policy_install(&prog, policy, 0);
	set_list(SW_LIST_BLOCK, ROUTER);
	/* from: who has sent what is quoted, and gets the error */
	assert_int_equal(
		prog_segment(&prog, HOOK_XDP, &icmp_error(.protocol = UDP, .from = SERVER), v6),
		XDP_PASS);
	each(quotes, COUNT(quotes), XDP_DROP);
	assert_int_equal(prog_service_counts(&prog, slot, 0).limits[SW_LIMIT_BLOCK_LIST], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(the_sender_is_blocked),
		EACH_FAMILY(others_are_blocked),
		EACH_FAMILY(of_the_service_that_it_is_for),
	};
	struct setup setup = setup_ordinary();

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
