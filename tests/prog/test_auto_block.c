// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sources that are blocked for what they did: only those that are proven, only for what they did
 * themselves, only so many, only for a while, and never those who must not be.
 */
#include "../lib/sequences.h"
#include "../lib/lists.h"

#define EVENT_RECORDS 1024U
#define OFFENCES      5
#define WINDOW_S      60
#define EXPIRY_S      600

static struct prog prog;
static bool v6;
static struct sw_addr source, neighbour, stranger;

static __u32 boot_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

static struct sw_policy *blocking_policy(void)
{
	struct sw_policy *policy = policy_new();

	policy_default_rules(policy)->enforce = 1;
	policy->auto_block = (struct sw_auto_block){ .enabled = 1,
						     .offences = OFFENCES,
						     .window_s = WINDOW_S,
						     .expiry_s = EXPIRY_S,
						     .maximum = 100 };
	return policy;
}

static int reset(void **state)
{
	struct setup setup = setup_ordinary();

	v6 = *state;
	prog_reset_policies(&prog, &setup);
	source = address_of(v6 ? "2001:db8:1:2::3" : "192.0.2.33");
	neighbour = address_of(v6 ? "2001:db8:1:2:3:4:5:6" : "192.0.2.34");
	stranger = address_of(v6 ? "2001:db8:1:3::3" : "192.0.2.35");
	return 0;
}

static bool passes(const struct sw_addr *client, struct segment segment)
{
	return prog_segment_of(&prog, client, &segment) == XDP_PASS;
}

static void connect_from(const struct sw_addr *client, __u16 port)
{
	assert_true(passes(client, A_SYN(.sport = port)));
	assert_true(passes(client, A_SYNACK(.dport = port)));
	assert_true(passes(client, AN_ACK(.sport = port)));
}

/* So many packets that are dropped, or would be; from ports without a connection. */
static void offend(const struct sw_addr *client, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		passes(client, tcp(.flags = 0, .sport = 1 + i));
}

/* Is an innocent SYN dropped for who sends it? */
static bool is_blocked(const struct sw_addr *client)
{
	static __u16 port = 1000;

	return !passes(client, A_SYN(.sport = ++port));
}

static __u64 tallied(enum sw_tally which)
{
	return prog_result(&prog).counters.tallies[which];
}

static struct sw_addr block_key(const struct sw_addr *client)
{
	struct sw_addr key = *client;

	if (!sw_addr_is_v4(client))
		key.halves[1] = 0;
	return key;
}

static bool find_block(const struct sw_addr *client, struct sw_auto_blocked *blocked)
{
	struct sw_addr key = block_key(client);

	return !bpf_map_lookup_elem(bpf_map__fd(prog.skeleton->maps.auto_blocks), &key, blocked);
}

static void end_block(const struct sw_addr *client)
{
	struct sw_addr key = block_key(client);
	struct sw_auto_blocked blocked;

	assert_true(find_block(client, &blocked));
	blocked.until_s = boot_seconds();
	must(!bpf_map_update_elem(bpf_map__fd(prog.skeleton->maps.auto_blocks), &key, &blocked,
				  BPF_EXIST),
	     "auto_blocks");
}

/* ---- whom, and for what */

static void exactly_at_the_threshold(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();
	struct result result;

	policy_install(&prog, policy, 0);
	connect_from(&source, 100);
	offend(&source, OFFENCES - 1);
	assert_false(is_blocked(&source));
	offend(&source, 1);
	assert_true(is_blocked(&source));
	/* whatever he sends, also on what he had */
	assert_false(passes(&source, AN_ACK(.sport = 100, .payload = 1)));
	assert_false(passes(&source, tcp(.flags = 0)));
	assert_false(is_blocked(&stranger));
	assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS), 1);
	assert_int_equal(prog_settings(&prog).auto_blocks, 1);
	result = prog_result(&prog);
	assert_int_equal(result.counters.limits_seen[SW_LIMIT_AUTO_BLOCK], 3);
	assert_int_equal(result.counters.limits_dropped[SW_LIMIT_AUTO_BLOCK], 3);
	assert_conserved_traffic(&result.traffic[SW_INGRESS], 3 + OFFENCES + 5, OFFENCES + 3);
}

static void only_who_is_proven(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();

	policy_install(&prog, policy, 0);
	offend(&source, 10 * OFFENCES);
	assert_false(is_blocked(&source));
	/* an answer that was never acknowledged proves nothing, nor does a flow out of nothing */
	assert_true(passes(&source, A_SYN(.sport = 100)));
	assert_true(passes(&source, A_SYNACK(.dport = 100)));
	assert_true(passes(&source, AN_ACK(.sport = 200)));
	assert_true(passes(&source, CLIENT_RST(.sport = 100)));
	offend(&source, 10 * OFFENCES);
	assert_false(is_blocked(&source));
	assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS), 0);
	/* what he did before he was proven is not held against him */
	connect_from(&source, 300);
	offend(&source, OFFENCES - 1);
	assert_false(is_blocked(&source));
	offend(&source, 1);
	assert_true(is_blocked(&source));
}

static void ipv6_by_its_network(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();

	policy_install(&prog, policy, 0);
	connect_from(&source, 100);
	offend(&neighbour, OFFENCES);
	assert_int_equal(is_blocked(&source), v6);
	assert_int_equal(is_blocked(&neighbour), v6);
	assert_false(is_blocked(&stranger));
}

static void each_kind_of_offence(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();

	policy_install(&prog, policy, 0);
	connect_from(&source, 100);
	offend(&source, 1); /* a packet by itself */
	assert_true(passes(&source, A_SYN(.sport = 200)));
	assert_true(passes(&source, A_SYNACK(.dport = 200)));
	for (__u32 i = 1; i < OFFENCES; i++) { /* by what came before it */
		assert_false(is_blocked(&source));
		assert_false(passes(&source, AN_ACK(.sport = 200, .ack = 7)));
	}
	assert_true(is_blocked(&source));
}

/* What is only counted is no offence, nor what leaves. */
static void what_is_no_offence(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();

	policy_install(&prog, policy, 0);
	connect_from(&source, 100);
	for (__u32 i = 0; i < 3 * OFFENCES; i++) {
		assert_true(passes(&source, A_SYN(.flags = SYN | URG, .sport = 300 + i)));
		assert_true(passes(&source, AN_ACK(.sport = 400 + i)));
		prog_segment(&prog, HOOK_EGRESS, &tcp(.flags = 0), v6);
	}
	assert_false(is_blocked(&source));
}

static void limits_are_rules_too(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();
	struct sw_rules *mail = policy_add(policy, "mail", NULL, 25, 25);
	struct sw_rules *many = policy_add(policy, "many", NULL, 80, 80);

	mail->syn_rate = 1;
	mail->syn_burst = 1;
	many->half_open_service = 1;
	policy_default_rules(policy)->half_open_source = 3;
	policy_install(&prog, policy, 0);
	connect_from(&source, 100);
	connect_from(&stranger, 100);
	/* many together fill a service: that is nobody's offence */
	for (__u32 i = 0; i < 3 * OFFENCES; i++)
		passes(&source, A_SYN(.sport = 200 + i, .dport = 80));
	assert_false(is_blocked(&source));
	for (__u32 i = 0; i < OFFENCES + 1; i++)
		passes(&source, A_SYN(.sport = 200 + i, .dport = 25));
	assert_true(is_blocked(&source));
	for (__u32 i = 0; i < OFFENCES + 3; i++)
		passes(&stranger, A_SYN(.sport = 200 + i));
	assert_true(is_blocked(&stranger));
	assert_int_equal(prog_result(&prog).counters.limits_dropped[SW_LIMIT_AUTO_BLOCK], 2);
}

/* Where anybody may send in his name, only what comes on his own connections is his. */
static void own_flows_only(void **state)
{
	const bool enforces[] = { true, false };

	for (__u32 i = 0; i < COUNT(enforces); i++) {
		SW_AUTO_POLICY policy = blocking_policy();
		struct sw_rules *rules = policy_default_rules(policy);

		reset(state);
		rules->enforce = enforces[i];
		rules->drop |= SW_BIT(SYN_ON_ESTABLISHED);
		rules->syn_rate = 1;
		rules->syn_burst = 3;
		policy->auto_block.own_flows = 1;
		policy_install(&prog, policy, 0);
		connect_from(&source, 100);
		connect_from(&source, 101);
		offend(&source, 3 * OFFENCES);
		for (__u32 j = 0; j < 3 * OFFENCES; j++)
			passes(&source, A_SYN(.sport = 300 + j));
		assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS), 0);
		/* by itself, and by what came before */
		passes(&source, tcp(.flags = 0, .sport = 100));
		prog.now_ns += 2000 * NS_PER_MS;
		passes(&source, A_SYN(.sport = 100));
		for (__u32 j = 3; j < OFFENCES; j++)
			passes(&source, tcp(.flags = 0, .sport = 101));
		/* one of its two numbers somebody else may hit */
		for (__u32 j = 0; j < OFFENCES; j++)
			passes(&source, tcp(.flags = 0, .sport = 101, .ack = 1U << 31));
		assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS), 0);
		passes(&source, tcp(.flags = FIN, .sport = 101));
		assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS), 1);
	}
}

/* ---- for how long */

static void a_window_begins_anew(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();

	policy_install(&prog, policy, 0);
	connect_from(&source, 100);
	prog.now_ns += WINDOW_S * 1000ULL * NS_PER_MS;
	offend(&source, OFFENCES - 1);
	prog.now_ns += WINDOW_S * 1000ULL * NS_PER_MS;
	offend(&source, OFFENCES - 1);
	prog.now_ns += (WINDOW_S * 1000ULL - 1) * NS_PER_MS;
	assert_false(is_blocked(&source));
	offend(&source, 1);
	assert_true(is_blocked(&source));
}

static void until_it_is_over(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();
	__u32 before = boot_seconds();
	struct sw_auto_blocked blocked;

	policy_install(&prog, policy, 0);
	connect_from(&source, 100);
	offend(&source, OFFENCES);
	assert_true(find_block(&source, &blocked));
	assert_in_range(blocked.until_s, before + EXPIRY_S, boot_seconds() + EXPIRY_S);
	assert_int_equal(blocked.hits, 0);
	assert_true(is_blocked(&source));
	assert_true(is_blocked(&source));
	assert_true(find_block(&source, &blocked));
	assert_int_equal(blocked.hits, 2);
	end_block(&source);
	assert_false(is_blocked(&source));
	assert_true(passes(&source, AN_ACK(.sport = 100, .payload = 1)));
}

/* The sweeper's timer clears up, and who goes on offending is blocked again, in the same window too. */
static void and_again(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();

	policy_install(&prog, policy, 0);
	prog_start_sweeper(&prog);
	connect_from(&source, 100);
	connect_from(&stranger, 100);
	offend(&stranger, OFFENCES);
	for (__u32 i = 0; i < 2; i++) {
		offend(&source, OFFENCES);
		assert_true(is_blocked(&source));
		end_block(&source);
		/* it is deleted, then counted */
		for (__u32 tries = 0; prog_settings(&prog).auto_blocks != 1; tries++) {
			assert_true(tries < 3000);
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		}
		assert_true(is_blocked(&stranger));
		assert_false(is_blocked(&source));
	}
	assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS), 3);
}

/* ---- who is never blocked */

static void so_many_and_no_more(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();
	struct sw_addr clients[] = { source, stranger, end_address(OTHER, v6) };

	policy->auto_block.maximum = 2;
	policy_install(&prog, policy, 0);
	for (__u32 i = 0; i < COUNT(clients); i++) {
		connect_from(&clients[i], 100);
		offend(&clients[i], OFFENCES);
	}
	assert_true(is_blocked(&clients[0]));
	assert_true(is_blocked(&clients[1]));
	assert_false(is_blocked(&clients[2]));
	assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS), 2);
	assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS_REFUSED), 1);
	assert_int_equal(prog_settings(&prog).auto_blocks, 2);
}

static void the_protected(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();
	/* of IPv6 it is networks */
	struct sw_protected_key key = { .length = 32 + (v6 ? 64 : 128),
					.addr = block_key(&source) };
	const __u32 kind = SW_PROTECTED_GATEWAY;

	must(!bpf_map_update_elem(bpf_map__fd(prog.skeleton->maps.protected), &key, &kind, BPF_ANY),
	     "protected");
	policy_install(&prog, policy, 0);
	connect_from(&source, 100);
	connect_from(&stranger, 100);
	offend(&source, 10 * OFFENCES);
	offend(&stranger, OFFENCES);
	assert_false(is_blocked(&source));
	assert_true(is_blocked(&stranger));
	assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS), 1);
	assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS_REFUSED), 0);
}

static void the_allowed(void **state __unused)
{
	struct sw_prefix allowed = { .addr = source, .length = 128 };
	SW_AUTO_POLICY policy = blocking_policy();

	policy_default_rules(policy)->syn_rate = 1;
	policy_default_rules(policy)->syn_burst = 20;
	policy_install(&prog, policy, 0);
	prog_set_list(&prog, SW_LIST_ALLOW, &allowed, 1);
	connect_from(&source, 100);
	connect_from(&neighbour, 100);
	offend(&source, 10 * OFFENCES);
	for (__u32 i = 0; i < 50; i++)
		assert_true(passes(&source, A_SYN(.sport = 300 + i)));
	assert_false(is_blocked(&source));
	assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS), 0);
	/* nor is he hit by what another one of his network has done */
	offend(&neighbour, OFFENCES);
	assert_true(is_blocked(&neighbour));
	assert_false(is_blocked(&source));
}

/* ---- watching */

static void watching_blocks_nobody(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();
	struct result result;

	policy_default_rules(policy)->enforce = 0;
	policy->auto_block.maximum = 1;
	policy_install(&prog, policy, 0);
	connect_from(&source, 100);
	offend(&source, 5 * OFFENCES);
	assert_false(is_blocked(&source));
	result = prog_result(&prog);
	/* from the threshold on */
	assert_int_equal(result.counters.limits_would_drop[SW_LIMIT_AUTO_BLOCK], 4 * OFFENCES + 1);
	assert_int_equal(result.counters.limits_dropped[SW_LIMIT_AUTO_BLOCK], 0);
	assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS), 1);
	assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS_REFUSED), 0); /* it is blocked already */
	assert_conserved_traffic(&result.traffic[SW_INGRESS], 3 + 5 * OFFENCES + 1, 0);
}

static void off_by_default(void **state __unused)
{
	SW_AUTO_POLICY policy = blocking_policy();

	policy->auto_block.enabled = 0;
	policy_install(&prog, policy, 0);
	connect_from(&source, 100);
	offend(&source, 10 * OFFENCES);
	assert_false(is_blocked(&source));
	assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(exactly_at_the_threshold),
		EACH_FAMILY(only_who_is_proven),
		EACH_FAMILY(ipv6_by_its_network),
		EACH_FAMILY(each_kind_of_offence),
		EACH_FAMILY(what_is_no_offence),
		EACH_FAMILY(limits_are_rules_too),
		EACH_FAMILY(own_flows_only),
		EACH_FAMILY(a_window_begins_anew),
		EACH_FAMILY(until_it_is_over),
		EACH_FAMILY(so_many_and_no_more),
		EACH_FAMILY(the_protected),
		EACH_FAMILY(the_allowed),
		EACH_FAMILY(watching_blocks_nobody),
		EACH_FAMILY(off_by_default),
		EACH_FAMILY(and_again), /* the timer never stops */
	};
	struct setup setup = setup_ordinary();

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
