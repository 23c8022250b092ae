// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What strict rules learn while they warm up: flows that are older than the attach, and which routes
 * show only one side. Each service by itself.
 */
#include "../lib/sequences.h"
#include "../../bpf/core/sides.h"
#include "../lib/enforce.h"
#include "../lib/same_bucket.h"

#define EVENT_RECORDS 1024U
#define WARM_UP_MS    60000U
#define OF(number)    .from = networked(number)
#define TO(number)    .to = networked(number)

static struct prog prog;
static bool v6;

static int reset(void **state)
{
	struct setup setup = setup_ordinary();

	v6 = *state;
	setup.settings.watching_since_ms[0] = setup.start_ns / NS_PER_MS;
	prog_reset_policies(&prog, &setup);
	return 0;
}

/* handshakes of one side, of as many as there have to be of both: every second one is too many */
#define MANY (2 * SW_ENOUGH_BOTH_SIDED)

static bool passes(struct segment segment)
{
	return prog_segment(&prog, HOOK_XDP, &segment, v6) == XDP_PASS;
}

/* Of a server's port; the ports of sequence.h are those of 443. */
static void handshakes(__u32 count, __u16 dport)
{
	for (__u32 i = 0; i < count; i++) {
		assert_true(passes(A_SYN(OF(i), .dport = dport)));
		assert_true(passes(A_SYNACK(TO(i), .sport = dport)));
		assert_true(passes(AN_ACK(OF(i), .dport = dport)));
	}
}

/* The same, of which only what the client sends comes by. */
static void one_sided(__u32 count, __u16 dport)
{
	for (__u32 i = 0; i < count; i++) {
		assert_true(passes(A_SYN(OF(60 + i), .dport = dport)));
		assert_true(passes(AN_ACK(OF(60 + i), .dport = dport)));
	}
	prog_sweep(&prog, true);
}

static void wait_ms(__u32 ms)
{
	prog.now_ns += ms * NS_PER_MS;
}

static __u64 adopted(void)
{
	return prog_result(&prog).counters.tallies[SW_TALLY_CONNECTIONS_ADOPTED];
}

/* A segment out of nothing: does it pass? */
static bool stray_passes(__u32 number, __u16 dport)
{
	return passes(AN_ACK(OF(100 + number), .dport = dport));
}

/* ---- flows that are older than the attach */

static void flows_seen_from_both_sides_are_learned(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_strict(WARM_UP_MS);

	policy_install(&prog, policy, 0);
	assert_true(passes(AN_ACK(OF(50))));
	assert_true(passes(AN_ACK(OF(50), .payload = 10)));
	assert_int_equal(adopted(), 0);
	assert_true(passes(SERVER_ACK(TO(50))));
	assert_int_equal(adopted(), 1);
	/* of this one, only one side is ever seen */
	assert_true(passes(AN_ACK(OF(51))));
	handshakes(SW_ENOUGH_BOTH_SIDED, SERVER_PORT);
	wait_ms(WARM_UP_MS);
	assert_true(passes(AN_ACK(OF(50), .payload = 20)));
	assert_true(passes(SERVER_ACK(TO(50), .payload = 20)));
	assert_false(passes(AN_ACK(OF(51), .seq = ISN_C + 5)));
	/* too late to be learned */
	assert_false(passes(AN_ACK(OF(52))));
	assert_false(passes(SERVER_ACK(TO(52))));
	assert_int_equal(adopted(), 1);
}

/* An answer whose SYN may have had to make way in a flood passes; where nobody had to, it is out of nothing. */
static void who_was_pushed_out_is_answered(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_strict(WARM_UP_MS);
	__u32 other = 0;

	policy_install(&prog, policy, 0);
	handshakes(SW_ENOUGH_BOTH_SIDED, SERVER_PORT);
	wait_ms(WARM_UP_MS);
	assert_false(passes(A_SYNACK(TO(50))));
	assert_true(passes(A_SYN()));
	for (__u32 i = 0; i < SW_WAYS; i++) {
		wait_ms(1);
		other = next_in_bucket(&prog, other, v6);
		assert_true(passes(A_SYN(.from = FIRST_NUMBERED + other)));
	}
	assert_true(passes(A_SYNACK()));
	assert_true(passes(A_SYNACK()));
	assert_true(passes(AN_ACK()));
	assert_true(passes(SERVER_ACK(.payload = 10)));
	assert_false(passes(A_SYNACK(TO(51))));
	/* when the flood is over, so it is in that bucket */
	prog_sweep(&prog, true);
	other = next_in_bucket(&prog, other, v6);
	assert_false(passes(A_SYNACK(.to = FIRST_NUMBERED + other)));
}

/*
 * Of a flow that something else has forgotten, or that went through another gateway until now: what is repeated passes,
 * and if the other end knows it, that answers.
 */
static void what_is_repeated_may_be_answered(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_strict(WARM_UP_MS);

	policy_install(&prog, policy, 0);
	handshakes(SW_ENOUGH_BOTH_SIDED, SERVER_PORT);
	wait_ms(WARM_UP_MS);
	assert_false(passes(AN_ACK(OF(52), .payload = 10)));
	assert_false(passes(AN_ACK(OF(52), .payload = 10, .after_ms = 140)));
	assert_false(passes(SERVER_ACK(TO(52), .ack = ISN_C + 11)));
	assert_true(passes(AN_ACK(OF(52), .payload = 10, .after_ms = 60)));
	/* not yet for all that comes, nor for all that is repeated */
	assert_false(passes(AN_ACK(OF(52), .payload = 10, .after_ms = 100)));
	assert_false(passes(AN_ACK(OF(52), .seq = ISN_C + 11, .payload = 10)));
	assert_false(passes(SERVER_ACK(TO(52), .ack = ISN_C + 1 + (1U << 31))));
	assert_int_equal(adopted(), 0);
	assert_true(passes(SERVER_ACK(TO(52), .ack = ISN_C + 11)));
	assert_int_equal(adopted(), 1);
	assert_true(passes(AN_ACK(OF(52), .seq = ISN_C + 11, .payload = 10)));
	/* a bare ACK is repeated only by who asks whether anybody is there */
	assert_false(passes(AN_ACK(OF(53))));
	assert_false(passes(AN_ACK(OF(53), .after_ms = 900)));
	assert_true(passes(AN_ACK(OF(53), .after_ms = 100)));
	assert_true(passes(SERVER_ACK(TO(53))));
	assert_true(passes(AN_ACK(OF(53), .payload = 10)));
	assert_int_equal(adopted(), 2);
	/* whoever asks a port is not told by its RST, by whichever way it comes */
	assert_false(passes(AN_ACK(OF(54))));
	assert_true(passes(AN_ACK(OF(54), .after_ms = 1100)));
	assert_false(passes(tcp(.from = SERVER, TO(54), .flags = RST, .seq = ISN_S + 1)));
	assert_true(passes(tcp(.from = SERVER, TO(55), .flags = RST, .seq = ISN_S + 1)));
}

/* Numbers that do not fit are no answer: whoever invents one end cannot have the other one's. */
static void what_does_not_fit_is_not_learned(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_strict(WARM_UP_MS);

	policy_install(&prog, policy, 0);
	assert_true(passes(AN_ACK(OF(50))));
	assert_true(passes(SERVER_ACK(TO(50), .ack = ISN_C + 1 + (1U << 31))));
	assert_true(passes(SERVER_ACK(TO(50), .ack = ISN_C)));
	assert_true(passes(SERVER_RST(TO(50), .ack = ISN_C + 1)));
	assert_int_equal(adopted(), 0);
	assert_true(passes(SERVER_ACK(TO(50), .ack = ISN_C + 1 + (1U << 30))));
	assert_int_equal(adopted(), 1);
}

static void nothing_is_learned_for_rules_that_are_not_strict(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_strict(WARM_UP_MS);

	policy_default_rules(policy)->strict = 0;
	policy_install(&prog, policy, 0);
	assert_true(passes(AN_ACK(OF(50))));
	assert_true(passes(SERVER_ACK(TO(50))));
	assert_int_equal(adopted(), 0);
}

/* ---- routes */

static void each_service_by_itself(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_strict(WARM_UP_MS);

	policy_add(policy, "web", NULL, SERVER_PORT, SERVER_PORT);
	policy_add(policy, "mail", NULL, 25, 25);
	policy_install(&prog, policy, 0);
	handshakes(SW_ENOUGH_BOTH_SIDED, SERVER_PORT);
	handshakes(SW_ENOUGH_BOTH_SIDED - 1, 25);
	wait_ms(WARM_UP_MS);
	assert_false(stray_passes(0, SERVER_PORT));
	assert_true(stray_passes(1, 25));
	assert_true(stray_passes(2, 80));
	/* one side of the one says nothing about the other */
	one_sided(MANY, 25);
	assert_false(stray_passes(3, SERVER_PORT));
	assert_true(passes(A_SYN(OF(20), .dport = 25)));
	assert_true(passes(A_SYNACK(TO(20), .sport = 25)));
	assert_true(passes(AN_ACK(OF(20), .dport = 25)));
	assert_true(stray_passes(4, 25));
	wait_ms(SW_MIN_SUSPENSION_MS);
	assert_false(stray_passes(5, 25));
}

/* Strict rules are in force after a warm-up of that length; then handshakes show one side. */
static void one_side_suspends(__u32 warm_up_ms, __u32 suspension_ms)
{
	SW_AUTO_POLICY policy = policy_strict(WARM_UP_MS);

	policy_default_rules(policy)->warm_up_ms = warm_up_ms;
	policy_install(&prog, policy, 0);
	assert_true(stray_passes(0, SERVER_PORT));
	wait_ms(warm_up_ms);
	handshakes(SW_ENOUGH_BOTH_SIDED, SERVER_PORT);
	assert_false(stray_passes(1, SERVER_PORT));
	one_sided(MANY, SERVER_PORT);
	assert_true(stray_passes(2, SERVER_PORT));
	wait_ms(suspension_ms - 1);
	assert_true(stray_passes(3, SERVER_PORT));
	wait_ms(1);
	assert_false(stray_passes(4, SERVER_PORT));
}

/* Who does not want to wait is still told by handshakes that show one side. */
static void one_side_suspends_without_a_warm_up(void **state __unused)
{
	one_side_suspends(0, SW_MIN_SUSPENSION_MS);
}

static void one_side_suspends_for_longer_than_a_short_warm_up(void **state __unused)
{
	one_side_suspends(WARM_UP_MS, SW_MIN_SUSPENSION_MS);
}

static void one_side_suspends_for_as_long_as_a_long_warm_up(void **state __unused)
{
	one_side_suspends(2 * SW_MIN_SUSPENSION_MS, 2 * SW_MIN_SUSPENSION_MS);
}

/* Not an attempt that is judged because it makes way for a third one of its flow: of two, the server answers one. */
static void one_side_of_one_beside_others_says_nothing(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_strict(WARM_UP_MS);
	__u32 slot = policy_install(&prog, policy, 0);

	handshakes(SW_ENOUGH_BOTH_SIDED, SERVER_PORT);
	wait_ms(WARM_UP_MS);
	assert_false(stray_passes(0, SERVER_PORT));
	one_sided(SW_UNLIKE_SOURCES - 1, SERVER_PORT);
	assert_false(stray_passes(2, SERVER_PORT));
	assert_true(passes(A_SYN(OF(92), .seq = 100)));
	assert_true(passes(A_SYN(OF(92), .seq = 1000000, .after_ms = 1)));
	assert_true(passes(AN_ACK(OF(92), .seq = 1000001)));
	assert_int_equal(prog_service_state(&prog, slot, SW_SERVICE_DEFAULT).one_sided_ms, 0);
	assert_true(passes(A_SYN(OF(92), .seq = 2000000, .after_ms = 1)));
	assert_int_equal(prog_result(&prog).counters.outcomes[SW_OUTCOME_ONE_SIDED],
			 SW_UNLIKE_SOURCES);
	assert_int_equal(prog_service_state(&prog, slot, SW_SERVICE_DEFAULT).one_sided_ms, 0);
	assert_false(stray_passes(1, SERVER_PORT));
	assert_true(passes(A_SYN(OF(93))));
	assert_true(passes(AN_ACK(OF(93))));
	prog_sweep(&prog, true);
	assert_int_equal(prog_service_state(&prog, slot, SW_SERVICE_DEFAULT).one_sided_ms,
			 prog.now_ns / NS_PER_MS);
	assert_true(stray_passes(1, SERVER_PORT));
}

/* A new policy has seen nothing yet; the one before still knows what it knew. */
static void what_is_known_is_of_a_policy(void **state __unused)
{
	SW_AUTO_POLICY first = policy_strict(WARM_UP_MS);
	SW_AUTO_POLICY second = policy_strict(WARM_UP_MS);

	policy_install(&prog, first, 0);
	handshakes(SW_ENOUGH_BOTH_SIDED, SERVER_PORT);
	wait_ms(WARM_UP_MS);
	assert_false(stray_passes(0, SERVER_PORT));
	policy_install(&prog, second, 0);
	assert_true(stray_passes(1, SERVER_PORT));
	assert_true(policy_switch(&prog, SW_SWITCH_ROLL_BACK, 0, 0));
	assert_false(stray_passes(2, SERVER_PORT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(flows_seen_from_both_sides_are_learned),
		EACH_FAMILY(who_was_pushed_out_is_answered),
		EACH_FAMILY(what_is_repeated_may_be_answered),
		EACH_FAMILY(what_does_not_fit_is_not_learned),
		EACH_FAMILY(nothing_is_learned_for_rules_that_are_not_strict),
		EACH_FAMILY(each_service_by_itself),
		EACH_FAMILY(one_side_suspends_without_a_warm_up),
		EACH_FAMILY(one_side_suspends_for_longer_than_a_short_warm_up),
		EACH_FAMILY(one_side_suspends_for_as_long_as_a_long_warm_up),
		EACH_FAMILY(one_side_of_one_beside_others_says_nothing),
		EACH_FAMILY(what_is_known_is_of_a_policy),
	};
	struct setup setup = setup_ordinary();

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
