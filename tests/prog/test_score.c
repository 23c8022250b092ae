// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What arming a rule would have cost: sources that met it count as suspects, once, and as cleared if
 * they complete a handshake later.
 */
#include "../lib/sequences.h"
#include "../lib/lists.h"

#define EVENT_RECORDS 1024U
#define OF(number)    .from = FIRST_NUMBERED + (number)
#define TO(number)    .to = FIRST_NUMBERED + (number)

static struct prog prog;
static bool v6;

static int reset(void **state)
{
	struct setup setup = setup_ordinary();

	v6 = *state;
	prog_reset_policies(&prog, &setup);
	return 0;
}

static __u32 send(struct segment segment)
{
	return prog_segment(&prog, HOOK_XDP, &segment, v6);
}

static void connect_host(__u32 number, __u32 port)
{
	send(A_SYN(OF(number), .sport = port));
	send(A_SYNACK(TO(number), .dport = port));
	send(AN_ACK(OF(number), .sport = port));
}

static void expect_anomaly(enum sw_anomaly which, __u64 suspects, __u64 cleared)
{
	struct result result = prog_result(&prog);
	const struct sw_score *score = &result.counters.score;

	assert_int_equal(differs("suspects of", anomaly_name(which),
				 score->anomalies_suspects[which], suspects) +
				 differs("cleared of", anomaly_name(which),
					 score->anomalies_cleared[which], cleared),
			 0);
}

static void expect_limit(enum sw_limit which, __u64 suspects, __u64 cleared)
{
	struct result result = prog_result(&prog);

	assert_int_equal(result.counters.score.limits_suspects[which], suspects);
	assert_int_equal(result.counters.score.limits_cleared[which], cleared);
}

/* ---- anomalies */

static void a_source_counts_once(void **state __unused)
{
	for (__u32 i = 0; i < 5; i++)
		send(tcp(OF(0), .flags = 0, .sport = 1 + i));
	send(tcp(OF(0), .flags = FIN));
	send(tcp(OF(1), .flags = 0));
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 2, 0);
	expect_anomaly(SW_ANOMALY_FLAGS_FIN_NOACK, 1, 0);
}

static void who_completes_is_cleared(void **state __unused)
{
	send(tcp(OF(0), .flags = 0));
	send(tcp(OF(0), .flags = FIN));
	send(tcp(OF(1), .flags = 0));
	connect_host(0, 100);
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 2, 1);
	expect_anomaly(SW_ANOMALY_FLAGS_FIN_NOACK, 1, 1);
	/* once for each time that it met it */
	connect_host(0, 101);
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 2, 1);
	send(tcp(OF(0), .flags = 0));
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 3, 1);
	connect_host(0, 102);
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 3, 2);
	/* attempts that end otherwise clear nobody */
	send(A_SYN(OF(1)));
	send(A_SYNACK(TO(1)));
	send(CLIENT_RST(OF(1)));
	prog_sweep(&prog, true);
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 3, 2);
}

/* What a policy cannot be asked to drop, nobody is suspected of, unless this one does. */
static void what_is_only_counted(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_new();

	send(A_SYN(OF(0), .flags = SYN | URG));
	expect_anomaly(SW_ANOMALY_FLAGS_SYN_URG, 0, 0);
	policy_default_rules(policy)->drop |= SW_BIT(FLAGS_SYN_URG);
	policy_install(&prog, policy, 0);
	send(A_SYN(OF(0), .flags = SYN | URG, .sport = 1));
	expect_anomaly(SW_ANOMALY_FLAGS_SYN_URG, 1, 0);
}

/* A dropped one cannot prove that it should not have been. */
static void who_is_dropped_is_no_suspect(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_new();

	policy_default_rules(policy)->enforce = 1;
	policy_install(&prog, policy, 0);
	assert_int_equal(send(tcp(OF(0), .flags = 0)), XDP_DROP);
	send(A_SYN(OF(0)));
	send(A_SYNACK(TO(0)));
	assert_int_equal(send(CLIENT_RST(OF(0), .seq = 7)), XDP_DROP);
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 0, 0);
	expect_anomaly(SW_ANOMALY_RST_BAD_SEQ, 0, 0);
	/* strict anomalies are not in force: what arming them would cost is still of interest */
	assert_int_equal(send(AN_ACK(OF(1))), XDP_PASS);
	expect_anomaly(SW_ANOMALY_MIDSTREAM, 1, 0);
}

static void what_is_tolerated_does_not_count(void **state __unused)
{
	send(A_SYN());
	send(A_SYNACK(.window = 100));
	send(CLIENT_RST(.seq = ISN_C + 50));
	expect_anomaly(SW_ANOMALY_RST_BAD_SEQ, 0, 0);
	send(CLIENT_RST(.seq = ISN_C + 5000));
	expect_anomaly(SW_ANOMALY_RST_BAD_SEQ, 1, 0);
}

/* On a live connection of its own, a segment is its owner's: dropping it would have harmed him. */
static void on_a_connection_of_its_own(void **state __unused)
{
	connect_host(0, 100);
	send(tcp(OF(0), .flags = 0, .sport = 100));
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 1, 1);
	send(tcp(OF(0), .flags = 0, .sport = 101));
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 2, 1);
	send(tcp(OF(0), .flags = 0, .sport = 100));
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 2, 2);
	send(AN_ACK(OF(0), .sport = 100, .flags = RST | ACK));
	send(tcp(OF(0), .flags = 0, .sport = 100)); /* it is over */
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 3, 2);
}

static void what_leaves_does_not_count(void **state __unused)
{
	prog_segment(&prog, HOOK_EGRESS, &tcp(.flags = 0), v6);
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 0, 0);
	send(tcp(.flags = 0));
	prog_segment(&prog, HOOK_EGRESS, &A_SYN(), v6);
	prog_segment(&prog, HOOK_XDP, &A_SYNACK(), v6);
	prog_segment(&prog, HOOK_EGRESS, &AN_ACK(), v6);
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 1, 0);
}

/* What is allowed would not have been dropped. */
static void the_allowed_are_no_suspects(void **state __unused)
{
	struct sw_prefix allowed = { .addr = end_address(FIRST_NUMBERED, v6), .length = 128 };

	prog_set_list(&prog, SW_LIST_ALLOW, &allowed, 1);
	send(tcp(OF(0), .flags = 0));
	send(AN_ACK(OF(0)));
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 0, 0);
	expect_anomaly(SW_ANOMALY_MIDSTREAM, 0, 0);
	send(tcp(OF(1), .flags = 0));
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, 1, 0);
}

/* ---- limits */

static void limits_that_are_watched(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_default_rules(policy);

	rules->prefix6 = 128;
	policy_add(policy, "mail", NULL, 25, 25)->half_open_source = 1;
	policy_add(policy, "web", NULL, 80, 80)->half_open_service = 3;
	rules->syn_rate = 1;
	rules->syn_burst = 2;
	policy_install(&prog, policy, 0);
	for (__u32 i = 0; i < 6; i++) {
		send(A_SYN(OF(0), .sport = 1 + i));
		send(A_SYN(OF(0), .sport = 1 + i, .dport = 25));
		send(A_SYN(OF(1), .sport = 1 + i, .dport = 25));
		send(A_SYN(OF(i / 2), .sport = 1 + i, .dport = 80));
	}
	expect_limit(SW_LIMIT_SYN_RATE, 1, 0);
	expect_limit(SW_LIMIT_HALF_OPEN_SOURCE, 2, 0);
	expect_limit(SW_LIMIT_HALF_OPEN_SERVICE, 2, 0); /* of the second host, and of the third */
	connect_host(0, 100);
	expect_limit(SW_LIMIT_SYN_RATE, 1, 1);
	expect_limit(SW_LIMIT_HALF_OPEN_SOURCE, 2, 1);
	expect_limit(SW_LIMIT_HALF_OPEN_SERVICE, 2, 0);
}

static void limits_in_force_suspect_nobody(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_default_rules(policy);

	rules->enforce = 1;
	policy_add(policy, "mail", NULL, 25, 25)->half_open_source = 1;
	rules->syn_rate = 1;
	rules->syn_burst = 2;
	policy_install(&prog, policy, 0);
	for (__u32 i = 0; i < 6; i++) {
		send(A_SYN(OF(0), .sport = 1 + i));
		send(A_SYN(OF(0), .sport = 1 + i, .dport = 25));
	}
	expect_limit(SW_LIMIT_SYN_RATE, 0, 0);
	expect_limit(SW_LIMIT_HALF_OPEN_SOURCE, 0, 0);
}

static void the_blocked_that_are_watched(void **state __unused)
{
	struct sw_prefix blocked = { .addr = end_address(FIRST_NUMBERED, v6), .length = 128 };

	prog_set_list(&prog, SW_LIST_BLOCK, &blocked, 1);
	assert_int_equal(send(A_SYN(OF(0))), XDP_PASS);
	assert_int_equal(send(A_SYN(OF(0), .sport = 2)), XDP_PASS);
	expect_limit(SW_LIMIT_BLOCK_LIST, 1, 0);
	assert_int_equal(send(A_SYNACK(TO(0))), XDP_PASS);
	assert_int_equal(send(AN_ACK(OF(0))), XDP_PASS);
	expect_limit(SW_LIMIT_BLOCK_LIST, 1, 1);
}

/* ---- a table that is too small */

#define SOURCES (SW_SUSPECTS + SW_SUSPECTS / 2)

static void who_is_pushed_out_is_counted(void **state __unused)
{
	SW_AUTO_FREE struct sw_suspect *table = NULL;
	__u32 held = 0, batched = 0;

	for (__u32 i = 0; i < SOURCES; i++) {
		struct frame frame;

		frame_build(&frame, &tcp(OF(i), .flags = 0), v6);
		prog_batch(&prog, batched++, &frame, prog.now_ns);
		if (batched == SW_REPLAY_BATCH || i == SOURCES - 1) {
			prog_feed(&prog, batched);
			batched = 0;
		}
	}
	table = prog_table(prog.skeleton->maps.suspects);
	for (__u32 i = 0; i < SW_SUSPECTS; i++)
		held += table[i].anomalies == SW_BIT(FLAGS_NULL);
	expect_anomaly(SW_ANOMALY_FLAGS_NULL, SOURCES, 0);
	assert_int_equal(prog_result(&prog).counters.score.forgotten, SOURCES - held);
	assert_true(held > SW_SUSPECTS / 2 && held < SW_SUSPECTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(a_source_counts_once),
		EACH_FAMILY(who_completes_is_cleared),
		EACH_FAMILY(what_is_only_counted),
		EACH_FAMILY(who_is_dropped_is_no_suspect),
		EACH_FAMILY(what_is_tolerated_does_not_count),
		EACH_FAMILY(on_a_connection_of_its_own),
		EACH_FAMILY(what_leaves_does_not_count),
		EACH_FAMILY(the_allowed_are_no_suspects),
		EACH_FAMILY(limits_that_are_watched),
		EACH_FAMILY(limits_in_force_suspect_nobody),
		EACH_FAMILY(the_blocked_that_are_watched),
		EACH_FAMILY(who_is_pushed_out_is_counted),
	};
	struct setup setup = setup_ordinary();

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
