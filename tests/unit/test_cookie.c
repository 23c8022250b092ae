// SPDX-License-Identifier: GPL-2.0-or-later
/* SYN cookies: what comes back is what was sent, and only from whom it was sent to. */
#define _GNU_SOURCE
#include "../lib/sequences.h"
#include "../lib/cookies.h"

#define NO_MSS (-1)

/* ---- what comes back */

struct options_case {
	bool timestamp, sack, ecn;
	int wscale;
	__u8 offered;
};

static __u8 expected_options(const struct options_case *of)
{
	__u8 wanted = SW_OFFER_TIMESTAMP | (of->sack ? SW_OFFER_SACK : 0) |
		      (of->ecn ? SW_OFFER_ECN : 0) | (of->wscale != AUTO ? SW_OFFER_WSCALE : 0);

	if (!of->timestamp || !(of->offered & SW_OFFER_TIMESTAMP))
		return 0;
	return wanted & of->offered;
}

static void check_options(struct world *world, const struct options_case *of, bool v6)
{
	struct segment syn = A_SYN(.flags = SYN | (of->ecn ? ECE | CWR : 0), .mss = 1420,
				   .timestamp = of->timestamp, .sack_ok = of->sack,
				   .wscale = of->wscale, .tsval = 0x12345678);
	__u8 expected = expected_options(of);
	struct sw_cookie_options options;
	struct sw_cookie_answer answer;
	struct sw_packet ack;
	struct segment back;

	world->offer.options = of->offered;
	answer = answer_to(world, &syn, v6);
	assert_int_equal(answer.options, expected);
	assert_int_equal(answer.ack, ISN_C + 1);
	assert_int_equal(answer.mss, v6 ? 1440 : 1460);
	assert_int_equal(answer.window, 64000);
	assert_int_equal(answer.ttl, 61);
	if (expected & SW_OFFER_TIMESTAMP)
		assert_int_equal(answer.tsecr, 0x12345678);
	if (expected & SW_OFFER_WSCALE)
		assert_int_equal(answer.wscale, 9);

	back = ack_to(&syn, &answer);
	ack = seen(&back, v6);
	assert_true(
		sw_cookie_check(&world->keys, NULL, &world->offer, &ack, world->now_ms, &options));
	assert_int_equal(options.options, expected);
	assert_int_equal(options.mss, v6 ? 1420 : 1400);
	assert_int_equal(options.tsval, expected ? back.tsval : 0);
	assert_int_equal(options.tsecr, expected ? answer.tsval : 0);
	assert_int_equal(options.snd_wscale, !(expected & SW_OFFER_WSCALE) ? 0 :
					     of->wscale > 14		   ? 14 :
									     of->wscale);
	assert_int_equal(options.rcv_wscale, expected & SW_OFFER_WSCALE ? 9 : 0);
}

/* Every combination of what a client asks for and of what a service offers. */
static void options_survive(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (__u32 i = 0; i < 2 * 2 * 2 * 2 * 16; i++) {
		struct options_case of = {
			.timestamp = i & 1, .sack = i & 2, .ecn = i & 4, .offered = i >> 4
		};

		for (of.wscale = AUTO; of.wscale <= 16; of.wscale++)
			check_options(&world, &of, i & 8);
	}
}

/* Both flags ask for ECN; with a third one it is AccECN, which is answered likewise; one asks not. */
static void ecn_is_asked_for_by_two_flags(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (int v6 = 0; v6 < 2; v6++) {
		struct segment accurate = USUAL_SYN(.flags = SYN | ECE | CWR | AE);
		struct segment ece = USUAL_SYN(.flags = SYN | ECE),
			       cwr = USUAL_SYN(.flags = SYN | CWR);

		assert_true(answer_to(&world, &accurate, v6).options & SW_OFFER_ECN);
		assert_false(answer_to(&world, &ece, v6).options & SW_OFFER_ECN);
		assert_false(answer_to(&world, &cwr, v6).options & SW_OFFER_ECN);
	}
}

static __u16 mss_that_survives(const struct world *world, int mss, bool v6)
{
	struct sw_packet packet = { .src = end_address(CLIENT, v6),
				    .dst = end_address(SERVER, v6) };
	struct sw_cookie_options options;
	struct sw_cookie_answer answer;

	if (mss != NO_MSS) {
		packet.options = SW_OPT_MSS;
		packet.mss = mss;
	}
	sw_cookie_make(&world->keys, NULL, &world->offer, &packet, world->now_ms, &answer);
	packet.flags = ACK;
	packet.seq = answer.ack;
	packet.ack = answer.seq + 1;
	assert_true(sw_cookie_check(&world->keys, NULL, &world->offer, &packet, world->now_ms,
				    &options));
	return options.mss;
}

/* The greatest that is not more than the client's; of those below the least, the least. */
static void mss_survives(void **state __unused)
{
	static const __u16 expected[2][8] = { { 536, 1220, 1300, 1360, 1400, 1440, 1460, 8960 },
					      { 1220, 1280, 1340, 1380, 1400, 1420, 1440, 8940 } };
	struct world world = new_world(START_MS);

	for (int v6 = 0; v6 < 2; v6++) {
		int at = 0;

		assert_int_equal(mss_that_survives(&world, NO_MSS, v6), expected[v6][0]);
		for (int mss = 0; mss <= 0xffff; mss++) {
			if (at < 7 && mss == expected[v6][at + 1])
				at++;
			assert_int_equal(mss_that_survives(&world, mss, v6), expected[v6][at]);
		}
	}
}

/* The clock goes on in it, and the clock alone decides which of two is the later. */
static void timestamps_tell_the_time(void **state __unused)
{
	struct world world = new_world(0xfffe0000);

	for (__u32 i = 0; i < 4 * EPOCH_MS; i += 61) {
		struct segment syn = USUAL_SYN();
		struct sw_cookie_answer answer = answer_to(&world, &syn, i & 1);

		assert_in_range(world.now_ms + world.keys.clock_offset -
					(answer.tsval & ~((1U << SW_COOKIE_TS_BITS) - 1)),
				0, (1U << SW_COOKIE_TS_BITS) - 1);
		assert_int_equal(answer.tsval & 0xf, 7);
		pass(&world, 61);
	}
}

/* ---- what does not come back */

/* From bit on, in the field's bytes as they lie in memory. */
#define ASSERT_EVERY_BIT_MATTERS(world, ack, field, first)                                         \
	do {                                                                                       \
		for (__u32 bit_ = (first); bit_ < 8 * sizeof((ack)->field); bit_++) {              \
			struct sw_packet other_ = *(ack);                                          \
			flip(&other_.field, bit_);                                                 \
			if (is_good(world, &other_))                                               \
				fail_msg("bit %u of " #field " does not matter", bit_);            \
		}                                                                                  \
	} while (0)

static void another_ack_is_refused(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (int i = 0; i < 4; i++) {
		bool with_timestamp = i & 1, v6 = i & 2;
		struct sw_packet ack = usual_ack(&world, with_timestamp, v6), other = ack;

		assert_true(is_good(&world, &ack));
		ASSERT_EVERY_BIT_MATTERS(&world, &ack, ack, 0);
		ASSERT_EVERY_BIT_MATTERS(&world, &ack, seq, 0);
		ASSERT_EVERY_BIT_MATTERS(&world, &ack, sport, 0);
		ASSERT_EVERY_BIT_MATTERS(&world, &ack, dport, 0);
		ASSERT_EVERY_BIT_MATTERS(&world, &ack, src, 0);
		/* what makes an IPv4 address a mapped one is no part of it */
		ASSERT_EVERY_BIT_MATTERS(&world, &ack, dst, v6 ? 0 : 96);
		/* the time within the epoch is nothing to anybody, and the options are its own */
		if (with_timestamp)
			ASSERT_EVERY_BIT_MATTERS(&world, &ack, tsecr, SW_COOKIE_EPOCH_MS_SHIFT);
		other.options ^= SW_OPT_TIMESTAMP;
		assert_int_equal(is_good(&world, &other), with_timestamp);
	}
}

/* Another direction, other ports, another family: nothing is taken for anything else. */
static void ends_are_not_confused(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (int v6 = 0; v6 < 2; v6++) {
		struct sw_packet ack = usual_ack(&world, true, v6), other = ack;

		other.src = ack.dst;
		other.dst = ack.src;
		assert_false(is_good(&world, &other));
		other = ack;
		other.sport = ack.dport;
		other.dport = ack.sport;
		assert_false(is_good(&world, &other));
		other = ack;
		other.src.words[2] ^= SW_V4_MAPPED_WORD;
		other.dst.words[2] ^= SW_V4_MAPPED_WORD;
		assert_false(is_good(&world, &other));
	}
}

/* As the kernel has it: nothing was agreed on then, whatever was offered. */
static void a_timestamp_may_be_left_out(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (__u32 i = 0; i < 4 * EPOCH_MS; i += 61) {
		struct sw_packet ack = usual_ack(&world, true, i & 1);
		struct sw_cookie_options options;

		assert_true(sw_cookie_check(&world.keys, NULL, &world.offer, &ack, world.now_ms,
					    &options));
		assert_int_equal(options.options & SW_OFFER_SACK, SW_OFFER_SACK);
		ack.options &= ~SW_OPT_TIMESTAMP;
		ack.tsval = ack.tsecr = 0x12345678;
		assert_true(sw_cookie_check(&world.keys, NULL, &world.offer, &ack, world.now_ms,
					    &options));
		assert_int_equal(options.options, 0);
		assert_int_equal(options.snd_wscale | options.rcv_wscale, 0);
		assert_int_equal(options.tsval | options.tsecr, 0);
		assert_int_equal(options.mss, i & 1 ? 1440 : 1460);
		pass(&world, 61);
	}
}

/* A cookie without options stays one, whatever the timestamp that somebody adds. */
static void options_cannot_be_added(void **state __unused)
{
	struct world world = new_world(START_MS);

	world.offer.wscale = 0;
	for (int v6 = 0; v6 < 2; v6++) {
		struct sw_packet ack = usual_ack(&world, false, v6);

		assert_true(is_good(&world, &ack));
		ack.options |= SW_OPT_TIMESTAMP;
		assert_int_equal(ack.tsecr, 0);
		assert_false(is_good(&world, &ack));
	}
}

/* The client's own clock goes on between its SYN and its ACK, and so does what it has to send. */
static void what_a_client_may_change(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (int v6 = 0; v6 < 2; v6++) {
		struct sw_packet ack = usual_ack(&world, true, v6);

		ack.tsval += 100000;
		ack.window = 7;
		ack.flags |= PSH | ECE | FIN;
		ack.payload = 1000;
		assert_true(is_good(&world, &ack));
	}
}

static void only_acks_bring_it_back(void **state __unused)
{
	struct world world = new_world(START_MS);
	struct sw_packet ack = usual_ack(&world, true, false);

	for (int flags = 0; flags < 0x200; flags++) {
		ack.flags = flags;
		assert_int_equal(is_good(&world, &ack), (flags & (SYN | RST | ACK)) == ACK);
	}
}

/* With another scale than the one that it was told, the client would mean another window. */
static void another_offer(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (int v6 = 0; v6 < 2; v6++) {
		struct sw_packet scaled = usual_ack(&world, true, v6);
		struct sw_packet plain = usual_ack(&world, false, v6);

		world.offer.wscale++;
		assert_false(is_good(&world, &scaled));
		assert_true(is_good(&world, &plain));
		world.offer.wscale--;
		assert_true(is_good(&world, &scaled));
	}
}

static void other_keys(void **state __unused)
{
	struct world world = new_world(START_MS), other = world;

	other.keys = random_keys(&other.dice);
	for (int i = 0; i < 4; i++) {
		struct sw_packet ack = usual_ack(&world, i & 1, i & 2);

		assert_true(is_good(&world, &ack));
		assert_false(is_good(&other, &ack));
	}
}

/* Of a million numbers that are made up, 0.006 are good. */
static void guesses_fail(void **state __unused)
{
	struct world world = new_world(START_MS);
	struct sw_packet ack = usual_ack(&world, false, false);

	for (int i = 0; i < 1000000; i++) {
		ack.ack = random_u64(&world.dice);
		assert_false(is_good(&world, &ack));
	}
}

/* ---- what is remembered */

/*
 * Few values of each, so that each is met again with all others changed, and more of them all together
 * than there is room for. Epochs come back, too, when their secret is another one.
 */
static void what_is_remembered_changes_nothing(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (int i = 0; i < 200000; i++) {
		bool v6 = roll(&world.dice, 2);
		struct sw_packet syn = { .src = end_address(CLIENT, v6),
					 .dst = end_address(SERVER, v6),
					 .sport = 1024 + roll(&world.dice, 60000),
					 .dport = 80 + roll(&world.dice, 2),
					 .seq = random_u64(&world.dice),
					 .mss = 1400,
					 .options = SW_OPT_MSS };
		struct sw_cookie_answer with = {}, without = {};

		if (roll(&world.dice, 2))
			syn.options |= SW_OPT_TIMESTAMP;
		syn.dst.bytes[7 * v6] ^= v6 * roll(&world.dice, 2);
		syn.dst.bytes[15] ^= roll(&world.dice, 2);
		world.offer.wscale = 8 + roll(&world.dice, 2);
		if (!roll(&world.dice, 100))
			world.now_ms = START_MS + roll(&world.dice, 6) * EPOCH_MS;
		if (!roll(&world.dice, 1000))
			world.keys = random_keys(&world.dice);
		if (roll(&world.dice, 4)) {
			sw_cookie_make(&world.keys, &world.memos, &world.offer, &syn, world.now_ms,
				       &with);
			sw_cookie_make(&world.keys, NULL, &world.offer, &syn, world.now_ms,
				       &without);
		} else {
			sw_challenge_make(&world.keys, &world.memos, &syn, world.now_ms, &with);
			sw_challenge_make(&world.keys, NULL, &syn, world.now_ms, &without);
		}
		assert_memory_equal(&with, &without, sizeof(with));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_survive),
		cmocka_unit_test(ecn_is_asked_for_by_two_flags),
		cmocka_unit_test(mss_survives),
		cmocka_unit_test(timestamps_tell_the_time),
		cmocka_unit_test(another_ack_is_refused),
		cmocka_unit_test(ends_are_not_confused),
		cmocka_unit_test(a_timestamp_may_be_left_out),
		cmocka_unit_test(options_cannot_be_added),
		cmocka_unit_test(what_a_client_may_change),
		cmocka_unit_test(only_acks_bring_it_back),
		cmocka_unit_test(another_offer),
		cmocka_unit_test(other_keys),
		cmocka_unit_test(guesses_fail),
		cmocka_unit_test(what_is_remembered_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
