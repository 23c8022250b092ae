// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits of SYNs and of half-open handshakes, of each source prefix and of each service: what is over
 * them, to the last SYN, what is not, and what a flood of spoofed sources does to them.
 */
#include "../lib/sequences.h"
#include "../lib/lists.h"

#define BUCKETS	      4096
#define EVENT_RECORDS 1024U
#define OF(number)    .from = FIRST_NUMBERED + (number)
#define TO(number)    .to = FIRST_NUMBERED + (number)

static struct prog prog;
static bool v6;
static __u32 slot;

static int reset(void **state)
{
	struct setup setup = setup_ordinary();

	v6 = *state;
	setup.handshake_buckets = BUCKETS;
	setup.connection_buckets = BUCKETS;
	prog_reset_policies(&prog, &setup);
	return 0;
}

/* Rules that enforce and say nothing else; each address is a source. */
static struct sw_policy *bare_policy(void)
{
	struct sw_policy *policy = policy_new();
	struct sw_rules *rules = policy_default_rules(policy);

	rules->drop = 0;
	rules->enforce = 1;
	rules->prefix4 = 32;
	rules->prefix6 = 128;
	return policy;
}

static void install(struct sw_policy *policy)
{
	slot = policy_install(&prog, policy, 0);
}

static bool passes(struct segment segment)
{
	return prog_segment(&prog, HOOK_XDP, &segment, v6) == XDP_PASS;
}

/* How many of so many new SYNs pass, each from a port of its own. */
static __u32 passing(__u32 number, __u32 first_port, __u32 count, __u16 dport)
{
	__u32 passed = 0;

	for (__u32 i = 0; i < count; i++)
		passed += passes(A_SYN(OF(number), .sport = first_port + i, .dport = dport));
	return passed;
}

static void expect_limit(enum sw_limit limit, __u64 dropped, __u64 would_drop)
{
	struct result result = prog_result(&prog);

	assert_int_equal(result.counters.limits_seen[limit], dropped + would_drop);
	assert_int_equal(result.counters.limits_dropped[limit], dropped);
	assert_int_equal(result.counters.limits_would_drop[limit], would_drop);
}

static void expect_dropped(__u64 dropped)
{
	struct result result = prog_result(&prog);
	const struct sw_traffic *traffic = &result.traffic[SW_INGRESS];

	assert_conserved_traffic(traffic, traffic->seen, dropped);
}

static void wait_ms(__u32 ms)
{
	prog.now_ns += ms * NS_PER_MS;
}

/* ---- the rate of SYNs */

static void exactly_the_burst_then_the_rate(void **state __unused)
{
	SW_AUTO_POLICY policy = bare_policy();

	policy_default_rules(policy)->syn_rate = 10;
	policy_default_rules(policy)->syn_burst = 5;
	install(policy);
	assert_int_equal(passing(0, 1000, 20, 443), 5);
	expect_limit(SW_LIMIT_SYN_RATE, 15, 0);
	assert_int_equal(passing(1, 1000, 20, 443), 5); /* another source */
	wait_ms(99);
	assert_int_equal(passing(0, 2000, 3, 443), 0);
	wait_ms(1);
	assert_int_equal(passing(0, 2000, 3, 443), 1);
	wait_ms(10000);
	assert_int_equal(passing(0, 3000, 9, 443), 5);
	expect_limit(SW_LIMIT_SYN_RATE, 15 + 15 + 3 + 2 + 4, 0);
	expect_dropped(15 + 15 + 3 + 2 + 4);
	/* what is dropped is in no table */
	assert_int_equal(prog_result(&prog).counters.tallies[SW_TALLY_ATTEMPTS_OPENED],
			 5 + 5 + 1 + 5);
}

static void only_syns_are_limited(void **state __unused)
{
	SW_AUTO_POLICY policy = bare_policy();

	policy_default_rules(policy)->syn_rate = 1;
	policy_default_rules(policy)->syn_burst = 1;
	install(policy);
	assert_true(passes(A_SYN()));
	assert_false(passes(A_SYN(.sport = 1)));
	assert_true(passes(A_SYNACK()));
	for (__u32 i = 0; i < 20; i++)
		assert_true(passes(AN_ACK(.payload = i)));
	assert_true(passes(CLIENT_RST(.sport = 2)));
	assert_true(passes(icmp_error(.seq = ISN_C)));
	/* what leaves is nobody's to limit */
	for (__u32 i = 0; i < 20; i++)
		prog_segment(&prog, HOOK_EGRESS, &A_SYN(.sport = 100 + i), v6);
	expect_limit(SW_LIMIT_SYN_RATE, 1, 0);
}

static void one_prefix_is_one_source(void **state __unused)
{
	SW_AUTO_POLICY policy = bare_policy();
	struct sw_rules *rules = policy_default_rules(policy);

	rules->syn_rate = 1;
	rules->syn_burst = 4;
	rules->prefix4 = 24;
	rules->prefix6 = 120;
	install(policy);
	/* numbered hosts differ in their last bytes: 16 to 255 are one network, 256 is of the next */
	assert_int_equal(passing(0, 1, 3, 443), 3);
	assert_int_equal(passing(255 - FIRST_NUMBERED, 1, 3, 443), 1);
	assert_int_equal(passing(256 - FIRST_NUMBERED, 1, 9, 443), 4);
	expect_limit(SW_LIMIT_SYN_RATE, 2 + 5, 0);
}

static void services_do_not_share(void **state __unused)
{
	SW_AUTO_POLICY policy = bare_policy();
	struct sw_rules *web = policy_add(policy, "web", NULL, 443, 443);
	struct sw_rules *mail = policy_add(policy, "mail", NULL, 25, 25);
	struct sw_service_counters counts;

	web->syn_rate = 1;
	web->syn_burst = 3;
	mail->half_open_source = 2;
	install(policy);
	assert_int_equal(passing(0, 1, 5, 443), 3);
	assert_int_equal(passing(0, 1, 5, 25), 2);
	assert_int_equal(passing(0, 1, 5, 80), 5); /* the default has no limit */
	counts = prog_service_counts(&prog, slot, sw_policy_service(policy, "web"));
	assert_int_equal(counts.evidence[SW_EVIDENCE_SYNS], 5);
	assert_int_equal(counts.dropped, 2);
	assert_int_equal(counts.limits[SW_LIMIT_SYN_RATE], 2);
	counts = prog_service_counts(&prog, slot, sw_policy_service(policy, "mail"));
	assert_int_equal(counts.evidence[SW_EVIDENCE_SYNS], 5);
	assert_int_equal(counts.dropped, 3);
	assert_int_equal(counts.limits[SW_LIMIT_HALF_OPEN_SOURCE], 3);
	counts = prog_service_counts(&prog, slot, SW_SERVICE_DEFAULT);
	assert_int_equal(counts.evidence[SW_EVIDENCE_SYNS], 5);
	assert_int_equal(counts.dropped, 0);
}

/* ---- half-open handshakes */

static void new_ones_of_a_source(void **state __unused)
{
	SW_AUTO_POLICY policy = bare_policy();

	policy_default_rules(policy)->half_open_source = 3;
	install(policy);
	assert_int_equal(passing(0, 1, 9, 443), 3);
	assert_int_equal(passing(1, 1, 9, 443), 3);
	expect_limit(SW_LIMIT_HALF_OPEN_SOURCE, 12, 0);
	expect_dropped(12);
	/* of those that are known, SYNs pass; another ISN is another handshake */
	assert_true(passes(A_SYN(OF(0), .sport = 1)));
	assert_true(passes(A_SYN(OF(0), .sport = 3)));
	assert_false(passes(A_SYN(OF(0), .sport = 3, .seq = 7)));
	assert_int_equal(prog_half_open_of_sources(&prog), 6);
	/* until one of them is over */
	assert_true(passes(A_SYNACK(TO(0), .dport = 2)));
	assert_false(passes(A_SYN(OF(0), .sport = 10)));
	assert_true(passes(AN_ACK(OF(0), .sport = 2)));
	assert_true(passes(A_SYN(OF(0), .sport = 10)));
	assert_false(passes(A_SYN(OF(0), .sport = 11)));
	/* an established connection's own SYN is no new one */
	assert_true(passes(A_SYN(OF(0), .sport = 2)));
	assert_int_equal(prog_half_open_of_sources(&prog), 6);
}

static void of_a_service_from_anywhere(void **state __unused)
{
	SW_AUTO_POLICY policy = bare_policy();
	struct sw_rules *web = policy_add(policy, "web", NULL, 443, 443);
	__u32 service;

	web->half_open_service = 10;
	policy_add(policy, "mail", NULL, 25, 25)->half_open_service = 2;
	install(policy);
	service = sw_policy_service(policy, "web");
	for (__u32 i = 0; i < 20; i++)
		assert_int_equal(passing(i, 1, 1, 443), i < 10);
	expect_limit(SW_LIMIT_HALF_OPEN_SERVICE, 10, 0);
	assert_int_equal(prog_half_open(&prog, slot, service), 10);
	assert_int_equal(passing(0, 1, 3, 25), 2);
	assert_true(passes(A_SYN(OF(4), .sport = 1)));
	assert_int_equal(prog_half_open(&prog, slot, service), 10);
	assert_true(passes(A_SYNACK(TO(4), .dport = 1)));
	assert_true(passes(AN_ACK(OF(4), .sport = 1)));
	assert_int_equal(prog_half_open(&prog, slot, service), 9);
	assert_int_equal(passing(40, 1, 3, 443), 1);
}

/* What a service refuses is not booked on the source, or the source would be refused for it later. */
static void the_service_refuses_the_source_forgets(void **state __unused)
{
	SW_AUTO_POLICY policy = bare_policy();
	struct sw_rules *rules = policy_default_rules(policy);

	rules->half_open_source = 5;
	rules->half_open_service = 3;
	install(policy);
	assert_int_equal(passing(0, 1, 100, 443), 3);
	expect_limit(SW_LIMIT_HALF_OPEN_SERVICE, 97, 0);
	expect_limit(SW_LIMIT_HALF_OPEN_SOURCE, 0, 0);
	assert_int_equal(prog_half_open_of_sources(&prog), 3);
}

/* ---- who is not limited */

/* New SYNs to three services, of which some are answered and completed. */
static void send_the_same(void)
{
	static const __u16 ports[] = { 25, 80, 443 };

	for (__u32 i = 0; i < 60; i++) {
		__u32 number = i % 4, port = 1 + 10 * i, dport = ports[i % COUNT(ports)];

		passing(number, port, 5, dport);
		if (i % 5 == 0) {
			passes(A_SYNACK(TO(number), .dport = port, .sport = dport));
			passes(AN_ACK(OF(number), .sport = port, .dport = dport));
		}
		wait_ms(300);
	}
}

static struct result under_limits(bool enforce, bool armed)
{
	SW_AUTO_POLICY policy = bare_policy();
	struct sw_rules *rules = policy_default_rules(policy);

	reset((void *[]){ (void *)(uintptr_t)v6 });
	rules->enforce = enforce;
	policy_add(policy, "mail", NULL, 25, 25)->half_open_source = 17;
	policy_add(policy, "web", NULL, 443, 443)->half_open_service = 30;
	rules->syn_rate = 1;
	rules->syn_burst = 7;
	install(policy);
	prog_arm_rules(&prog, armed);
	send_the_same();
	return prog_result(&prog);
}

/* Monitoring counts what enforcing drops, and drops nothing; so does an operator's disarming. */
static void watching_counts_the_same(void **state __unused)
{
	struct result enforced = under_limits(true, true);
	struct result watched = under_limits(false, true);
	struct result disarmed = under_limits(true, false);
	const __u64 *dropped = enforced.counters.limits_dropped;
	__u64 sum = 0;

	for (__u32 i = 0; i < SW_LIMIT_COUNT; i++) {
		assert_int_equal(watched.counters.limits_would_drop[i], dropped[i]);
		assert_int_equal(disarmed.counters.limits_would_drop[i], dropped[i]);
		assert_int_equal(watched.counters.limits_dropped[i], 0);
		assert_int_equal(disarmed.counters.limits_dropped[i], 0);
		assert_int_equal(enforced.counters.limits_would_drop[i], 0);
		sum += dropped[i];
	}
	assert_true(dropped[SW_LIMIT_SYN_RATE] && dropped[SW_LIMIT_HALF_OPEN_SOURCE] &&
		    dropped[SW_LIMIT_HALF_OPEN_SERVICE]);
	assert_conserved_traffic(&enforced.traffic[SW_INGRESS], enforced.traffic[SW_INGRESS].seen,
				 sum);
	assert_conserved_traffic(&watched.traffic[SW_INGRESS], enforced.traffic[SW_INGRESS].seen,
				 0);
	assert_conserved_traffic(&disarmed.traffic[SW_INGRESS], enforced.traffic[SW_INGRESS].seen,
				 0);
}

static void the_allowed_have_no_limits(void **state __unused)
{
	struct sw_prefix allowed = { .addr = end_address(FIRST_NUMBERED, v6), .length = 128 };
	SW_AUTO_POLICY policy = bare_policy();
	struct sw_rules *rules = policy_default_rules(policy);

	rules->syn_rate = 1;
	rules->syn_burst = 2;
	rules->half_open_service = 5;
	install(policy);
	prog_set_list(&prog, SW_LIST_ALLOW, &allowed, 1);
	assert_int_equal(passing(0, 1, 50, 443), 50);
	expect_dropped(0);
	expect_limit(SW_LIMIT_SYN_RATE, 0, 0);
	expect_limit(SW_LIMIT_HALF_OPEN_SERVICE, 0, 0);
	assert_int_equal(passing(1, 1, 50, 443), 2);
	expect_limit(SW_LIMIT_SYN_RATE, 48, 0);
}

/* ---- a flood of spoofed sources */

#define FLOOD (10 * SW_SOURCE_BUCKETS * SW_SOURCE_WAYS)

static void flood(__u32 first)
{
	for (__u32 i = 0; i < FLOOD; i++) {
		struct frame frame;

		prog.now_ns += 1000;
		frame_build(&frame, &A_SYN(OF(first + i), .seq = i), v6);
		prog_batch(&prog, i % SW_REPLAY_BATCH, &frame, prog.now_ns);
		if (i % SW_REPLAY_BATCH == SW_REPLAY_BATCH - 1)
			prog_feed(&prog, SW_REPLAY_BATCH);
	}
}

/* Bytes that a map takes, as the kernel tells them. */
static unsigned long map_bytes(const struct bpf_map *map)
{
	char path[64], line[256];
	unsigned long bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
	file = fopen(path, "r");
	must(file, path);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %lu", &bytes) == 1)
			break;
	fclose(file);
	return bytes;
}

static void a_flood_frees_nobody(void **state __unused)
{
	SW_AUTO_POLICY policy = bare_policy();
	struct sw_rules *web = policy_add(policy, "web", NULL, 443, 443);
	unsigned long bytes = map_bytes(prog.skeleton->maps.sources);
	struct result before, after;

	policy_add(policy, "mail", NULL, 25, 25)->half_open_source = 8;
	web->syn_rate = 1;
	web->syn_burst = 100;
	install(policy);
	assert_int_equal(passing(0, 1, 200, 443), 100);
	assert_int_equal(passing(1, 1, 20, 25), 8);
	/* so that they stay in their own table */
	for (__u32 i = 0; i < 8; i++)
		assert_true(passes(A_SYNACK(TO(1), .dport = 1 + i, .sport = 25)));
	before = prog_result(&prog);
	assert_true(FLOOD % SW_REPLAY_BATCH == 0);
	flood(1000);
	after = prog_result(&prog);
	/* each of them is seen once */
	assert_int_equal(after.counters.limits_dropped[SW_LIMIT_SYN_RATE],
			 before.counters.limits_dropped[SW_LIMIT_SYN_RATE]);
	assert_int_equal(after.traffic[SW_INGRESS].seen - before.traffic[SW_INGRESS].seen, FLOOD);
	assert_int_equal(passing(0, 1000, 20, 443), 0);
	assert_int_equal(passing(1, 1000, 20, 25), 0);
	assert_int_equal(map_bytes(prog.skeleton->maps.sources), bytes);
	assert_int_equal(bpf_map__max_entries(prog.skeleton->maps.sources),
			 SW_SOURCE_BUCKETS / SW_PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(exactly_the_burst_then_the_rate),
		EACH_FAMILY(only_syns_are_limited),
		EACH_FAMILY(one_prefix_is_one_source),
		EACH_FAMILY(services_do_not_share),
		EACH_FAMILY(new_ones_of_a_source),
		EACH_FAMILY(of_a_service_from_anywhere),
		EACH_FAMILY(the_service_refuses_the_source_forgets),
		EACH_FAMILY(watching_counts_the_same),
		EACH_FAMILY(the_allowed_have_no_limits),
		EACH_FAMILY(a_flood_frees_nobody),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
