// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What comes in from outside in the name of this host is nobody's word: it is counted as martian_source, never
 * followed, and dropped where rules are in force if it is for this host; what is for others may be bridged. XDP runs before rp_filter, so without that whoever
 * may spoof the two ends makes, breaks and completes handshakes at will, and need not know any number.
 */
#include "../../include/synward/cookie.h"
#include "../lib/forged.h"

#define SERVICE	 0 /* of the policies with one */
#define OFFENCES 5

static int reset(void **state)
{
	begin(state, SERVER);
	set_mode(true);
	return 0;
}

/* The three segments of a handshake that never was, all from outside. */
static void forge_handshake(enum end victim, int port, bool bad_sums)
{
	comes(A_SYN(.from = victim, .sport = port, .seq = FORGED_C, .bad_tcp_sum = bad_sums));
	comes(A_SYNACK(.to = victim, .dport = port, .seq = FORGED_S, .ack = FORGED_C + 1,
		       .bad_tcp_sum = bad_sums));
	comes(AN_ACK(.from = victim, .sport = port, .seq = FORGED_C + 1, .ack = FORGED_S + 1,
		     .bad_tcp_sum = bad_sums));
}

/* ---- by itself */

/* What answers, completes, refuses or ends, and what goes on. */
static const int answers[] = {
	SYN | ACK, SYN | ACK | ECE, ACK, ACK | PSH, FIN | ACK, RST, RST | ACK,
};

static void come_in_our_name(enum end to, bool pass, bool would_drop, const int *flags,
			     size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (__u32 bytes = 0; bytes <= 10; bytes += 10)
			assert_int_equal(
				comes(tcp(.from = SERVER, .to = to, .dport = 1000 + i,
					  .flags = flags[i], .seq = FORGED_S,
					  .ack = flags[i] & ACK ? FORGED_C : 0, .payload = bytes)),
				pass);
	expect_anomaly("martian_source", 2 * count, pass ? 0 : 2 * count,
		       would_drop ? 2 * count : 0);
}

static void whatever_it_is_it_is_not_followed(void **state __unused)
{
	come_in_our_name(CLIENT, true, false, answers, COUNT(answers));
	expect_nothing_followed();
}

/* Also where it only counts, nothing is followed: what is known must not depend on the mode. */
static void where_nothing_is_enforced_it_passes(void **state __unused)
{
	set_mode(false);
	note_address_of(OTHER, 0);
	come_in_our_name(OTHER, true, true, answers, COUNT(answers));
	expect_nothing_followed();
}

static void to_another_address_of_ours(void **state __unused)
{
	note_address_of(OTHER, 0);
	come_in_our_name(OTHER, false, false, answers, COUNT(answers));
	expect_nothing_followed();
	expect_dropped_only_for("martian_source");
}

/* What a loopback device delivers is from us and to us. */
static void not_on_loopback(void **state __unused)
{
	note_address_of(CLIENT, 0);
	assert_true(comes(A_SYN(.no_macs = true)));
	assert_true(comes(A_SYNACK(.no_macs = true)));
	assert_true(comes(AN_ACK(.no_macs = true)));
	expect_completed(1);
	expect_anomaly("martian_source", 0, 0, 0);
}

/* Containers have addresses of their own, and talk to each other through attached interfaces. */
static void not_of_a_host_in_another_namespace(void **state __unused)
{
	note_address_of(CLIENT, 12345);
	assert_true(comes(A_SYN()));
	leaves(A_SYNACK());
	assert_true(comes(AN_ACK()));
	expect_completed(1);
	expect_anomaly("martian_source", 0, 0, 0);
}

/* This host as the client of others: what it sends leaves, and what answers comes in. */
static void not_what_we_ask_others_for(void **state __unused)
{
	leaves(tcp(.from = SERVER, .to = CLIENT, .sport = 50000, .dport = 443, .flags = SYN,
		   .seq = 1000));
	assert_true(comes(tcp(.from = CLIENT, .sport = 443, .dport = 50000, .flags = SYN | ACK,
			      .seq = 7000, .ack = 1001)));
	leaves(tcp(.from = SERVER, .to = CLIENT, .sport = 50000, .dport = 443, .flags = ACK,
		   .seq = 1001, .ack = 7001));
	expect_completed(1);
	expect_anomaly("martian_source", 0, 0, 0);
}

/* ---- a live connection */

/* It takes two segments to kill it, if the second one is believed. */
static void a_live_connection_goes_on(void **state __unused)
{
	struct talk talk = open_talk(false);

	assert_true(comes(A_SYN(.seq = FORGED_C)));
	assert_true(comes(A_SYNACK(.seq = FORGED_S, .ack = FORGED_C + 1)));
	goes_on(&talk);
	/* and its client may end it as it likes */
	assert_true(comes(CLIENT_RST(.seq = talk.c)));
	expect_anomaly("martian_source", 1, 0, 0);
	expect_dropped_only_for("");
	expect_completed(1);
}

static void nor_is_it_killed_where_it_passes(void **state __unused)
{
	struct talk talk = open_talk(false);

	set_mode(false);
	assert_true(comes(A_SYN(.seq = FORGED_C)));
	assert_true(comes(A_SYNACK(.seq = FORGED_S, .ack = FORGED_C + 1)));
	set_mode(true);
	goes_on(&talk);
	expect_anomaly("martian_source", 1, 0, 0);
	expect_dropped_only_for("");
}

/* ---- handshakes that never were */

static void no_connection_out_of_nothing(void **state __unused)
{
	for (int i = 0; i < 10; i++)
		forge_handshake(OTHER, 2000 + i, i % 2);
	expect_completed(0);
	expect_anomaly("martian_source", 10, 0, 0);
	/* the true one is not in the way of what was made up, nor that in its way */
	assert_true(comes(A_SYN()));
	comes(A_SYNACK(.seq = FORGED_S));
	leaves(A_SYNACK());
	comes(A_SYNACK(.seq = FORGED_S + 1));
	comes(AN_ACK(.ack = FORGED_S + 1));
	comes(AN_ACK(.ack = FORGED_S + 2));
	expect_completed(0);
	assert_true(comes(AN_ACK()));
	expect_completed(1);
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 1);
}

/* Without a SYN, too: a SYN-ACK and an ACK to it make what began before the attach. */
static void nor_picked_up(void **state __unused)
{
	comes(A_SYNACK(.to = OTHER));
	comes(AN_ACK(.from = OTHER));
	expect_completed(0);
	expect_anomaly("martian_source", 1, 0, 0);
}

/* Crossed SYNs: one of them would have to be ours. */
static void nor_opened_from_both_ends(void **state __unused)
{
	comes(A_SYN(.from = OTHER, .seq = FORGED_C));
	comes(tcp(.from = SERVER, .to = OTHER, .flags = SYN, .seq = FORGED_S));
	comes(A_SYNACK(.to = OTHER, .seq = FORGED_S, .ack = FORGED_C + 1));
	comes(tcp(.from = OTHER, .flags = SYN | ACK, .seq = FORGED_C, .ack = FORGED_S + 1));
	expect_completed(0);
}

/* Nor is one refused: a RST in our name would free what the server still holds. */
static void nor_refused(void **state __unused)
{
	assert_true(comes(A_SYN(.from = OTHER)));
	comes(REFUSAL(.to = OTHER));
	leaves(A_SYNACK(.to = OTHER));
	comes(SERVER_RST(.to = OTHER));
	prog_sweep(&prog, true);
	assert_int_equal(ended(SW_OUTCOME_HALF_OPEN), 1);
	assert_int_equal(ended(SW_OUTCOME_REJECTED) + ended(SW_OUTCOME_ABORTED_RESP), 0);
	expect_anomaly("martian_source", 2, 0, 0);
}

/* ---- what rests on completed handshakes */

/* A flood must not look as if it were answered and taken. */
static void a_flood_is_not_calmed(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_add(policy, "web", NULL, SERVER_PORT, SERVER_PORT);
	struct sw_service_counters counts;
	__u32 slot;

	rules->enforce = 1;
	rules->flood.mode = SW_FLOOD_ADAPTIVE;
	slot = policy_install(&prog, policy, 0);
	for (int i = 0; i < 100; i++)
		forge_handshake(OTHER, 2000 + i, i % 2);
	counts = prog_service_counts(&prog, slot, SERVICE);
	assert_int_equal(counts.evidence[SW_EVIDENCE_SYNS], 100);
	assert_int_equal(counts.evidence[SW_EVIDENCE_SYNACKS], 0);
	assert_int_equal(counts.evidence[SW_EVIDENCE_COMPLETED], 0);
	assert_int_equal(counts.evidence[SW_EVIDENCE_UNACCEPTED], 0);
	assert_int_equal(counts.completed, 0);
	assert_int_equal(prog_half_open(&prog, slot, SERVICE), 100);
	expect_completed(0);
}

/* Whoever was never here cannot be blocked for what is sent in his name. */
static void nobody_is_proven_by_it(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_new();

	policy_default_rules(policy)->enforce = 1;
	policy->auto_block = (struct sw_auto_block){
		.enabled = 1, .offences = OFFENCES, .window_s = 60, .expiry_s = 60, .maximum = 100
	};
	policy_install(&prog, policy, 0);
	forge_handshake(OTHER, 2000, false);
	for (__u32 i = 0; i < 10 * OFFENCES; i++) {
		comes(tcp(.from = OTHER, .sport = 3000 + i, .flags = 0));
		comes(tcp(.from = SERVER, .to = OTHER, .dport = 3000 + i, .flags = 0));
	}
	assert_int_equal(tallied(SW_TALLY_AUTO_BLOCKS), 0);
	assert_true(comes(A_SYN(.from = OTHER, .sport = 4000)));
	expect_completed(0);
}

/*
 * Where SYNs are challenged there is no cookie in the way of an ACK, also while a flood is on: a SYN-ACK and
 * an ACK were enough.
 */
static void no_way_around_a_challenge(void **state __unused)
{
	static const enum sw_flood_way way = SW_WAY_CHALLENGE;
	const struct sw_cookie_offer offer = { .ttl = 64, .ways = { way, way, way, way } };
	SW_AUTO_POLICY policy = policy_new();
	__u32 slot, zero = 0;

	policy_default_rules(policy)->enforce = 1;
	policy_default_rules(policy)->flood.mode = SW_FLOOD_ALWAYS;
	slot = policy_install(&prog, policy, 0);
	slot = service_key(slot, SW_SERVICE_DEFAULT);
	prog_begin_flood(&prog, slot);
	must(!bpf_map_update_elem(bpf_map__fd(prog.skeleton->maps.cookie_offers), &zero, &offer,
				  BPF_ANY),
	     "cookie_offers");
	for (int port = 2000; port < 2010; port++) {
		comes(A_SYNACK(.to = OTHER, .dport = port));
		comes(AN_ACK(.from = OTHER, .sport = port));
	}
	expect_completed(0);
	expect_anomaly("martian_source", 10, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_EACH_WIRE(whatever_it_is_it_is_not_followed),
		ON_EACH_WIRE(where_nothing_is_enforced_it_passes),
		ON_EACH_WIRE(to_another_address_of_ours),
		ON_EACH_WIRE(not_on_loopback),
		ON_EACH_WIRE(not_of_a_host_in_another_namespace),
		ON_EACH_WIRE(not_what_we_ask_others_for),
		ON_EACH_WIRE(a_live_connection_goes_on),
		ON_EACH_WIRE(nor_is_it_killed_where_it_passes),
		ON_EACH_WIRE(no_connection_out_of_nothing),
		ON_EACH_WIRE(nor_picked_up),
		ON_EACH_WIRE(nor_opened_from_both_ends),
		ON_EACH_WIRE(nor_refused),
		ON_EACH_WIRE(a_flood_is_not_calmed),
		ON_EACH_WIRE(nobody_is_proven_by_it),
		ON_EACH_WIRE(no_way_around_a_challenge),
	};
	struct setup setup = setup_of_buckets(BUCKETS);

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
