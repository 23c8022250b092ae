// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SYNs in the name of either end, by somebody who knows the ports of a handshake that is under way or about to begin, and
 * none of its numbers. However many there are, no segment of the true ends is dropped; and their handshake is told as what
 * it is, as long as not all SYNs are answered.
 */
#include "../lib/forged.h"

#define MANY 5U

static bool strict;

/* The server itself, a router before it, and one of whose two interfaces only that to the clients is attached. */
enum place {
	AT_SERVER,
	AT_ROUTER,
	AT_UPLINK,
	PLACES,
};

static struct talk begin_at(void **state, enum place place)
{
	SW_AUTO_POLICY policy = policy_strict(0);
	bool behind = place == AT_ROUTER;

	begin(state, place == AT_SERVER ? SERVER : ROUTER);
	if (behind)
		begin_to_forward();
	policy_default_rules(policy)->strict = strict;
	policy_install(&prog, policy, 0);
	for (int i = 0; i < SW_ENOUGH_BOTH_SIDED; i++) {
		struct talk any = { .behind = behind };

		assert_true(comes(A_SYN(.sport = 2000 + i)));
		server_sends(&any, A_SYNACK(.dport = 2000 + i));
		assert_true(comes(AN_ACK(.sport = 2000 + i)));
	}
	return (struct talk){ .behind = behind, .c = ISN_C + 1, .s = ISN_S + 1 };
}

static int reset(void **state __unused)
{
	return 0;
}

/* In every place, under every policy. */
#define EVERYWHERE(talk)                                                                           \
	for (int i = 0; i < 2 * PLACES; i++)                                                       \
		for (struct talk talk = (strict = i / PLACES, begin_at(state, i % PLACES)),        \
				 *once = &talk;                                                    \
		     once; once = NULL)

static __u32 forged_isn(__u32 number)
{
	return FORGED_C + (number << 20);
}

static void forged_syns(__u32 first, __u32 count)
{
	for (__u32 i = first; i < first + count; i++)
		assert_true(comes(A_SYN(.seq = forged_isn(i), .after_ms = 1)));
}

/* As a server does that remembers none of them. */
static void answered_syns(const struct talk *talk, __u32 first, __u32 count)
{
	for (__u32 i = first; i < first + count; i++) {
		forged_syns(i, 1);
		server_sends(talk, A_SYNACK(.seq = FORGED_S + (i << 20), .ack = forged_isn(i) + 1));
	}
}

static void expect_accepted(__u64 count)
{
	prog_sweep(&prog, true);
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), SW_ENOUGH_BOTH_SIDED + count);
	expect_completed(SW_ENOUGH_BOTH_SIDED + count);
}

/* ---- in the client's name */

/* The server has answered one SYN, and takes no other one for now. */
static void an_answered_one_stays(void **state)
{
	EVERYWHERE(talk)
	{
		assert_true(comes(A_SYN()));
		server_sends(&talk, A_SYNACK());
		forged_syns(0, MANY);
		assert_true(comes(AN_ACK()));
		goes_on(&talk);
		expect_accepted(1);
		expect_dropped_only_for("");
	}
}

/* Who answers with cookies answers all, and the first one is still known. */
static void nor_is_its_ack_dropped(void **state)
{
	EVERYWHERE(talk)
	{
		assert_true(comes(A_SYN()));
		server_sends(&talk, A_SYNACK());
		answered_syns(&talk, 0, MANY);
		assert_true(comes(AN_ACK()));
		goes_on(&talk);
		expect_accepted(1);
		expect_dropped_only_for("");
	}
}

/* One was there before, and some come after: then this one has to make way, and might be what comes next. */
static void what_is_forgotten_passes(void **state)
{
	EVERYWHERE(talk)
	{
		answered_syns(&talk, 0, 1);
		assert_true(comes(A_SYN(.after_ms = 1)));
		server_sends(&talk, A_SYNACK());
		answered_syns(&talk, 1, MANY);
		server_sends(&talk, A_SYNACK());
		assert_true(comes(AN_ACK()));
		goes_on(&talk);
		assert_true(comes(CLIENT_RST(.seq = talk.c)));
		expect_accepted(0);
		expect_dropped_only_for("");
	}
}

/* Nothing else is known of what has not been forgotten. */
static void of_one_handshake_what_is_bad_is_dropped(void **state)
{
	EVERYWHERE(talk)
	{
		assert_true(comes(A_SYN()));
		server_sends(&talk, A_SYNACK());
		assert_false(comes(AN_ACK(.ack = FORGED_S)));
		assert_false(comes(CLIENT_RST(.seq = FORGED_C)));
		assert_true(comes(AN_ACK()));
		goes_on(&talk);
	}
}

/* ---- in the server's name */

/* Where nothing tells on which side the server is, they may have crossed; but nothing is dropped for that. */
static void expect_crossed(enum place place)
{
	if (place == AT_UPLINK) {
		expect_dropped_only_for("");
	} else {
		expect_dropped_only_for("martian_source");
		expect_accepted(1);
		expect_anomaly("simultaneous_open", 0, 0, 0);
	}
}

static void a_syn_in_our_name_is_not_crossed(void **state)
{
	EVERYWHERE(talk)
	{
		for (__u32 i = 0; i < MANY; i++)
			comes(tcp(.from = SERVER, .flags = SYN, .seq = FORGED_S + (i << 20)));
		assert_true(comes(A_SYN()));
		server_sends(&talk, A_SYNACK());
		assert_true(comes(AN_ACK()));
		goes_on(&talk);
		expect_crossed(i % PLACES);
	}
}

/* It comes at the very moment between SYN and SYN-ACK. */
static void nor_while_it_is_answered(void **state)
{
	EVERYWHERE(talk)
	{
		assert_true(comes(A_SYN()));
		for (__u32 i = 0; i < MANY; i++)
			comes(tcp(.from = SERVER, .flags = SYN, .seq = FORGED_S + (i << 20)));
		server_sends(&talk, A_SYNACK());
		assert_true(comes(AN_ACK()));
		goes_on(&talk);
		expect_crossed(i % PLACES);
	}
}

/*
 * Who is on the server's side plays it: a SYN that crosses, a RST to that, and SYNs for which the client's own has to make
 * way. The client only sends its SYN once more.
 */
static void nor_is_a_syn_that_made_way(void **state)
{
	strict = true;
	begin_at(state, AT_ROUTER);
	assert_true(comes(A_SYN()));
	assert_false(comes_from_behind(tcp(.from = SERVER, .flags = SYN, .seq = FORGED_S)));
	comes_from_behind(tcp(.from = SERVER, .flags = RST, .seq = FORGED_S + 2));
	for (__u32 i = 1; i < MANY; i++) {
		comes_from_behind(tcp(.from = SERVER, .flags = SYN, .seq = FORGED_S + (i << 20)));
		assert_true(comes(A_SYN()));
	}
}

/* ---- this host is the client */

static void nor_is_what_we_open(void **state)
{
	for (int after = 0; after < 2; after++) {
		strict = true;
		begin_at(state, AT_SERVER);
		for (__u32 i = 0; i < MANY && !after; i++)
			comes(tcp(.from = SERVER, .sport = 5000, .dport = 443, .flags = SYN,
				  .seq = FORGED_S + (i << 20)));
		leaves(tcp(.from = SERVER, .sport = 5000, .dport = 443, .flags = SYN,
			   .seq = ISN_S));
		for (__u32 i = 0; i < MANY && after; i++)
			comes(tcp(.from = SERVER, .sport = 5000, .dport = 443, .flags = SYN,
				  .seq = FORGED_S + (i << 20)));
		assert_true(comes(tcp(.from = CLIENT, .sport = 443, .dport = 5000,
				      .flags = SYN | ACK, .seq = ISN_C, .ack = ISN_S + 1)));
		leaves(tcp(.from = SERVER, .sport = 5000, .dport = 443, .flags = ACK,
			   .seq = ISN_S + 1, .ack = ISN_C + 1));
		assert_true(comes(tcp(.from = CLIENT, .sport = 443, .dport = 5000, .flags = ACK,
				      .seq = ISN_C + 1, .ack = ISN_S + 1, .payload = 100)));
		expect_dropped_only_for("");
	}
}

/* What this host opens may cross what comes in: no doubt is left by where the two were seen, and the rule holds. */
static void what_crosses_is_dropped_by_strict_rules(void **state)
{
	strict = true;
	begin_at(state, AT_SERVER);
	leaves(tcp(.from = SERVER, .sport = 5000, .dport = 443, .flags = SYN, .seq = ISN_S));
	assert_false(comes(tcp(.from = CLIENT, .to = SERVER, .sport = 443, .dport = 5000,
			       .flags = SYN, .seq = ISN_C)));
	expect_dropped_only_for("simultaneous_open");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_EACH_WIRE(an_answered_one_stays),
		ON_EACH_WIRE(nor_is_its_ack_dropped),
		ON_EACH_WIRE(what_is_forgotten_passes),
		ON_EACH_WIRE(of_one_handshake_what_is_bad_is_dropped),
		ON_EACH_WIRE(a_syn_in_our_name_is_not_crossed),
		ON_EACH_WIRE(nor_while_it_is_answered),
		ON_EACH_WIRE(nor_is_a_syn_that_made_way),
		ON_EACH_WIRE(nor_is_what_we_open),
		ON_EACH_WIRE(what_crosses_is_dropped_by_strict_rules),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);

	return forged_run(&setup, tests);
}
