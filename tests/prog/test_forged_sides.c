// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * On a router with both of its sides attached each end of a flow has a side, which the handshake shows. What
 * comes by the other end's side in its name is counted as wrong_side, never dropped, since routes change,
 * and not followed: somebody on one side cannot play both ends. Somebody on both sides can; then still no
 * segment of a live connection is lost.
 */
#include "../lib/forged.h"

static int reset(void **state)
{
	begin(state, ROUTER);
	begin_to_forward();
	set_mode(true);
	return 0;
}

/* By the near interface, or the far one. A forger's segments always pass, or a route that changes would hurt. */
static void forge(bool from_behind, struct segment segment)
{
	assert_true(from_behind ? comes_from_behind(segment) : comes(segment));
}

static void expect_wrong_side(__u64 seen)
{
	expect_anomaly("wrong_side", seen, 0, 0);
	expect_anomaly("martian_source", 0, 0, 0);
}

/* ---- handshakes */

static void an_answer_by_the_side_of_the_question(void **state __unused)
{
	assert_true(comes(A_SYN()));
	forge(false, A_SYNACK(.seq = FORGED_S));
	forge(false, AN_ACK(.ack = FORGED_S + 1));
	expect_completed(0);
	/* the true one is the first that is heard */
	assert_true(comes_from_behind(A_SYNACK()));
	assert_true(comes(AN_ACK()));
	expect_completed(1);
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 1);
	expect_anomaly("synack_isn_changed", 0, 0, 0);
	expect_wrong_side(1);
}

/* The same where nothing is enforced. */
static void watching_follows_it_no_more(void **state __unused)
{
	set_mode(false);
	assert_true(comes(A_SYN()));
	forge(false, A_SYNACK(.seq = FORGED_S));
	forge(false, AN_ACK(.ack = FORGED_S + 1));
	expect_completed(0);
	expect_wrong_side(1);
}

static void a_refusal_by_the_side_of_the_question(void **state __unused)
{
	assert_true(comes(A_SYN()));
	forge(false, REFUSAL());
	forge(false, SERVER_RST());
	assert_true(comes_from_behind(A_SYNACK()));
	forge(false, SERVER_RST());
	prog_sweep(&prog, true);
	assert_int_equal(ended(SW_OUTCOME_HALF_OPEN), 1);
	expect_wrong_side(3);
}

static void a_refusal_by_its_own_side(void **state __unused)
{
	assert_true(comes(A_SYN()));
	assert_true(comes_from_behind(REFUSAL()));
	prog_sweep(&prog, true);
	assert_int_equal(ended(SW_OUTCOME_REJECTED), 1);
	expect_wrong_side(0);
}

/* Who is behind cannot take what a client has not. */
static void an_ack_by_the_side_of_the_answer(void **state __unused)
{
	assert_true(comes(A_SYN()));
	assert_true(comes_from_behind(A_SYNACK()));
	forge(true, AN_ACK());
	expect_completed(0);
	assert_true(comes(AN_ACK()));
	expect_completed(1);
	expect_wrong_side(1);
}

/* All of it from one side, in either direction, with a SYN and without, and from both ends at once. */
static void a_handshake_from_one_side(void **state __unused)
{
	for (int side = 0; side < 2; side++) {
		forge(side, A_SYN(.sport = 2000, .seq = FORGED_C));
		forge(side, A_SYNACK(.dport = 2000, .seq = FORGED_S, .ack = FORGED_C + 1));
		forge(side, AN_ACK(.sport = 2000, .seq = FORGED_C + 1, .ack = FORGED_S + 1));

		forge(side, A_SYNACK(.dport = 2001));
		forge(side, AN_ACK(.sport = 2001));

		forge(side, A_SYN(.sport = 2002, .seq = FORGED_C));
		forge(side, tcp(.from = SERVER, .dport = 2002, .flags = SYN, .seq = FORGED_S));
		forge(side, A_SYNACK(.dport = 2002, .seq = FORGED_S, .ack = FORGED_C + 1));
		forge(side, tcp(.from = CLIENT, .sport = 2002, .flags = SYN | ACK, .seq = FORGED_C,
				.ack = FORGED_S + 1));
		expect_completed(0);
		prog_sweep(&prog, true);
		prog.now_ns += 200000 * NS_PER_MS;
	}
}

/* A server behind the router asks a client in front of it. */
static void the_other_way_round(void **state __unused)
{
	assert_true(comes_from_behind(A_SYN()));
	forge(true, A_SYNACK(.seq = FORGED_S));
	assert_true(comes(A_SYNACK()));
	assert_true(comes_from_behind(AN_ACK()));
	expect_completed(1);
	expect_wrong_side(1);
}

/* This router's own address is nobody's from outside either, by whatever side. */
static void nor_in_the_routers_own_name(void **state __unused)
{
	for (int behind = 0; behind < 2; behind++)
		assert_true(comes_by(
			behind ? &far_prog : &prog,
			tcp(.from = ROUTER, .to = SERVER, .flags = SYN | ACK, .seq = 1, .ack = 2)));
	expect_anomaly("martian_source", 2, 0, 0);
	expect_anomaly("wrong_side", 0, 0, 0);
	expect_nothing_followed();
}

/* ---- where it has to be right */

/*
 * A router on a stick, and hairpin NAT: everything comes by one interface. If neither the host's routes say so, which it
 * has none of here, nor the policy, no segment is lost, but other handshakes are told.
 */
static void both_ends_behind_one_interface(void **state)
{
	for (enum sw_hairpin said = 0; said < SW_HAIRPIN_COUNT; said++) {
		SW_AUTO_POLICY policy = policy_new();
		struct talk talk = { .c = ISN_C + 1, .s = ISN_S + 1 };

		reset(state);
		policy_default_rules(policy)->enforce = 1;
		policy->gateway.hairpin = said;
		policy_install(&prog, policy, 0);
		assert_true(comes(A_SYN()));
		assert_true(comes(A_SYNACK()));
		assert_true(comes(AN_ACK()));
		for (int i = 0; i < 3; i++) {
			client_says(&talk, 10);
			assert_true(comes(SERVER_ACK(.seq = talk.s, .ack = talk.c, .payload = 10)));
			talk.s += 10;
		}
		prog_sweep(&prog, true);
		assert_int_equal(ended(SW_OUTCOME_ACCEPTED), said == SW_HAIRPIN_YES);
		assert_int_equal(ended(SW_OUTCOME_ONE_SIDED), said != SW_HAIRPIN_YES);
		expect_dropped_only_for("");
		if (said == SW_HAIRPIN_YES)
			expect_wrong_side(0);
	}
}

/* A SYN-ACK that was made up before the SYN says nothing about where the client is. */
static void an_answer_before_the_question(void **state __unused)
{
	forge(false, A_SYNACK(.seq = FORGED_S, .ack = FORGED_C));
	assert_true(comes(A_SYN()));
	assert_true(comes_from_behind(A_SYNACK()));
	assert_true(comes(AN_ACK()));
	expect_completed(1);
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 1);
	expect_wrong_side(0);
	/* nor do both together make one */
	forge(false, A_SYNACK(.dport = 2000, .seq = FORGED_S, .ack = FORGED_C + 1));
	forge(false, A_SYN(.sport = 2000, .seq = FORGED_C));
	forge(false, AN_ACK(.sport = 2000, .seq = FORGED_C + 1, .ack = FORGED_S + 1));
	expect_completed(1);
}

/* The router itself as the client of a server behind it, and as the server of a client in front. */
static void the_routers_own_connections(void **state __unused)
{
	leaves(tcp(.from = ROUTER, .to = SERVER, .flags = SYN, .seq = 1));
	assert_true(
		comes(tcp(.from = SERVER, .to = ROUTER, .flags = SYN | ACK, .seq = 7, .ack = 2)));
	leaves(tcp(.from = ROUTER, .to = SERVER, .flags = ACK, .seq = 2, .ack = 8));
	expect_completed(1);
	assert_true(comes(tcp(.from = CLIENT, .to = ROUTER, .flags = SYN, .seq = 1)));
	leaves(tcp(.from = ROUTER, .to = CLIENT, .flags = SYN | ACK, .seq = 7, .ack = 2));
	assert_true(comes(tcp(.from = CLIENT, .to = ROUTER, .flags = ACK, .seq = 2, .ack = 8)));
	expect_completed(2);
	expect_wrong_side(0);
}

/* The route of a live connection changes: its ends come by other sides than before, and go on. */
static void a_live_connection_changes_sides(void **state __unused)
{
	struct talk talk = open_talk(true);

	assert_true(comes_from_behind(AN_ACK(.seq = talk.c, .ack = talk.s, .payload = 10)));
	assert_true(comes(SERVER_ACK(.seq = talk.s, .ack = talk.c + 10, .payload = 10)));
	talk.c += 10;
	talk.s += 10;
	goes_on(&talk);
	expect_completed(1);
	expect_dropped_only_for("martian_source");
}

/* ---- a live connection, whatever its forgers know but its numbers */

enum where {
	IN_FRONT,
	BEHIND,
	ON_BOTH_SIDES, /* each end's segments by its own side */
	WHERE_COUNT,
};

static void forge_end(enum where where, struct segment segment)
{
	bool by_far = where == ON_BOTH_SIDES ? segment.from == SERVER : where == BEHIND;

	if (by_far)
		comes_from_behind(segment);
	else
		comes(segment);
}

/* SYN and SYN-ACK, then segments of both ends with numbers that do not fit that handshake, but the true one. */
static void an_attempt_on_a_live_connection(void **state)
{
	for (enum where where = IN_FRONT; where < WHERE_COUNT; where++) {
		struct talk talk;

		reset(state);
		talk = open_talk(true);
		goes_on(&talk);
		forge_end(where, A_SYN(.seq = FORGED_C));
		goes_on(&talk);
		forge_end(where, A_SYNACK(.seq = FORGED_S, .ack = FORGED_C + 1));
		goes_on(&talk);
		/* a second one, so that both places are taken, and one of the other end */
		forge_end(where, A_SYN(.seq = FORGED_C + 1000000));
		forge_end(where, A_SYNACK(.seq = FORGED_S + 1000000, .ack = FORGED_C + 1000001));
		forge_end(where, tcp(.from = SERVER, .flags = SYN, .seq = FORGED_S + 77));
		forge_end(where, tcp(.from = CLIENT, .flags = SYN | ACK, .seq = FORGED_C + 77,
				     .ack = FORGED_S + 78));
		goes_on(&talk);
		/* how a host answers a SYN in the window (RFC 5961), and that answer is answered */
		assert_true(comes_from_behind(SERVER_ACK(.seq = talk.s, .ack = talk.c)));
		client_says(&talk, 10);
		server_says(&talk, 10);
		/* either may close it as it likes, and refuse what comes then */
		assert_true(comes(AN_ACK(.flags = FIN | ACK, .seq = talk.c, .ack = talk.s)));
		assert_true(comes_from_behind(
			SERVER_ACK(.flags = FIN | ACK, .seq = talk.s, .ack = talk.c + 1)));
		assert_true(comes(AN_ACK(.seq = talk.c + 1, .ack = talk.s + 1)));
		assert_true(comes_from_behind(SERVER_RST(.seq = talk.s + 1)));
		assert_true(comes_from_behind(
			SERVER_RST(.flags = RST | ACK, .seq = talk.s + 1, .ack = talk.c + 1)));
		assert_true(comes(CLIENT_RST(.seq = talk.c + 1)));
		expect_dropped_only_for("");
		expect_completed(1);
	}
}

/* Whoever is on both sides can complete a handshake of his own on it. That is no reason to drop the true ones. */
static void a_handshake_on_a_live_connection(void **state __unused)
{
	struct talk talk = open_talk(true);

	goes_on(&talk);
	forge_end(ON_BOTH_SIDES, A_SYN(.seq = FORGED_C));
	forge_end(ON_BOTH_SIDES, A_SYNACK(.seq = FORGED_S, .ack = FORGED_C + 1));
	forge_end(ON_BOTH_SIDES, AN_ACK(.seq = FORGED_C + 1, .ack = FORGED_S + 1));
	goes_on(&talk);
	expect_dropped_only_for("");
}

/* A host that has crashed opens the same connection again: nothing of that is lost. */
static void a_client_that_has_forgotten(void **state __unused)
{
	struct talk talk = open_talk(true);

	goes_on(&talk);
	forge_end(IN_FRONT, A_SYN(.seq = FORGED_C));
	forge_end(IN_FRONT, A_SYNACK(.seq = FORGED_S, .ack = FORGED_C + 1));
	assert_true(comes(A_SYN(.seq = 0x11111111, .after_ms = 100)));
	assert_true(comes_from_behind(SERVER_ACK(.seq = talk.s, .ack = talk.c)));
	assert_true(comes(CLIENT_RST(.seq = talk.c)));
	assert_true(comes(A_SYN(.seq = 0x11111111, .after_ms = 1000)));
	assert_true(comes_from_behind(A_SYNACK(.seq = 0x22222222, .ack = 0x11111112)));
	assert_true(comes(AN_ACK(.seq = 0x11111112, .ack = 0x22222223)));
	talk.c = 0x11111112;
	talk.s = 0x22222223;
	goes_on(&talk);
	expect_completed(2);
	expect_dropped_only_for("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_EACH_WIRE(an_answer_by_the_side_of_the_question),
		ON_EACH_WIRE(watching_follows_it_no_more),
		ON_EACH_WIRE(a_refusal_by_the_side_of_the_question),
		ON_EACH_WIRE(a_refusal_by_its_own_side),
		ON_EACH_WIRE(an_ack_by_the_side_of_the_answer),
		ON_EACH_WIRE(a_handshake_from_one_side),
		ON_EACH_WIRE(the_other_way_round),
		ON_EACH_WIRE(nor_in_the_routers_own_name),
		ON_EACH_WIRE(both_ends_behind_one_interface),
		ON_EACH_WIRE(an_answer_before_the_question),
		ON_EACH_WIRE(the_routers_own_connections),
		ON_EACH_WIRE(a_live_connection_changes_sides),
		ON_EACH_WIRE(an_attempt_on_a_live_connection),
		ON_EACH_WIRE(a_handshake_on_a_live_connection),
		ON_EACH_WIRE(a_client_that_has_forgotten),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);

	return forged_run(&setup, tests);
}
