// SPDX-License-Identifier: GPL-2.0-or-later
/* Challenges: only the client that was challenged can answer, and only for a while. */
#define _GNU_SOURCE
#include "../lib/sequences.h"
#include "../lib/cookies.h"

/* The RST of an honest client that was challenged. */
static struct sw_packet challenged(const struct world *world, bool v6)
{
	struct segment syn = USUAL_SYN();
	struct sw_packet packet = seen(&syn, v6);
	struct sw_cookie_answer answer;
	struct segment rst;

	assert_true(sw_challenge_make(&world->keys, NULL, &packet, world->now_ms, &answer));
	assert_int_equal(answer.options, 0);
	assert_int_equal(answer.mss, 0);
	rst = tcp(.from = CLIENT, .flags = RST, .seq = answer.ack);
	return seen(&rst, v6);
}

static bool is_proof(const struct world *world, const struct sw_packet *rst)
{
	return sw_challenge_check(&world->keys, NULL, rst, world->now_ms);
}

static void challenges_are_met(void **state __unused)
{
	struct world world = new_world(0U - 2 * EPOCH_MS);

	for (int v6 = 0; v6 < 2; v6++) {
		struct sw_packet rst = challenged(&world, v6), other = rst;

		assert_true(is_proof(&world, &rst));
		other.flags = RST | ACK; /* as some stacks send it */
		assert_true(is_proof(&world, &other));
		for (other.flags = 0; other.flags < 64; other.flags++)
			assert_int_equal(is_proof(&world, &other),
					 (other.flags & (RST | SYN)) == RST);
		pass(&world, 2 * EPOCH_MS);
		assert_true(is_proof(&world, &rst));
		pass(&world, EPOCH_MS);
		assert_false(is_proof(&world, &rst));
	}
}

static void other_rsts_prove_nothing(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (int v6 = 0; v6 < 2; v6++) {
		struct sw_packet rst = challenged(&world, v6);
		__u8 *src = &rst.src.bytes[v6 ? 0 : 12], *dst = &rst.dst.bytes[v6 ? 0 : 12];
		struct {
			void *at;
			__u32 bits;
		} fields[] = { { &rst.seq, 32 },
			       { &rst.sport, 16 },
			       { &rst.dport, 16 },
			       { src, v6 ? 128 : 32 },
			       { dst, v6 ? 128 : 32 } };

		for (size_t i = 0; i < COUNT(fields); i++) {
			for (__u32 bit = 0; bit < fields[i].bits; bit++) {
				flip(fields[i].at, bit);
				assert_false(is_proof(&world, &rst));
				flip(fields[i].at, bit);
			}
		}
		assert_true(is_proof(&world, &rst));
	}
}

/* Nor if by chance all else that is hashed is the same: one in eight, here, of what is tried. */
static void like_purposes_are_not_confused(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (__u32 i = 0; i < 1000; i++) {
		struct segment syn = A_SYN(.seq = 0, .sport = 1000 + i / 2);
		struct sw_cookie_answer answer = answer_to(&world, &syn, i & 1);
		struct segment rst = tcp(.flags = RST, .seq = answer.seq, .sport = 1000 + i / 2);
		struct sw_packet packet = seen(&rst, i & 1);

		assert_false(is_proof(&world, &packet));
	}
}

/* Whoever has one of the two, a cookie or a challenge, does not have the other. */
static void purposes_are_not_confused(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (int i = 0; i < 4; i++) {
		struct sw_packet rst = challenged(&world, i & 1), ack = rst;
		struct segment syn = USUAL_SYN(.seq = 0, .timestamp = i & 2);
		struct sw_cookie_answer answer = answer_to(&world, &syn, i & 1);

		rst.seq = answer.seq;
		assert_false(is_proof(&world, &rst));
		rst.seq = answer.seq + 1;
		assert_false(is_proof(&world, &rst));
		ack.flags = ACK;
		ack.ack = ack.seq + 1;
		ack.seq = 1; /* of ISN 0, which is what a challenge covers */
		assert_false(is_good(&world, &ack));
	}
}

/* A client that would take the challenge for an answer is not challenged. */
static void challenges_are_never_believed(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (int v6 = 0; v6 < 2; v6++) {
		struct segment syn = USUAL_SYN(.payload = 100);
		struct sw_packet packet = seen(&syn, v6);
		struct sw_cookie_answer answer;
		__u32 number;

		assert_true(sw_challenge_make(&world.keys, NULL, &packet, world.now_ms, &answer));
		number = answer.ack;
		for (int back = -2; back < 110; back++) {
			packet.seq = number - back;
			assert_int_equal(sw_challenge_make(&world.keys, NULL, &packet, world.now_ms,
							   &answer),
					 back < 1 || back > 101);
			assert_int_equal(answer.ack, number);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenges_are_met),
		cmocka_unit_test(other_rsts_prove_nothing),
		cmocka_unit_test(like_purposes_are_not_confused),
		cmocka_unit_test(purposes_are_not_confused),
		cmocka_unit_test(challenges_are_never_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
