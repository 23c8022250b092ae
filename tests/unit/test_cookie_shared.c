// SPDX-License-Identifier: GPL-2.0-or-later
/* Cookies of hosts that share a secret: any of them knows those of the others, while their clocks agree. */
#define _GNU_SOURCE
#include "../lib/sequences.h"
#include "../lib/cookies.h"

#define ORIGIN	 1
#define TODAY_MS 1795000000123ULL /* in November 2026 */

static const struct sw_cookie_master master = {
	.key = { 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL },
	.phase_ms = 0x01020304,
	.id = 1,
};

/* A host of which nothing else is as on another one, at a time of day. */
static struct world host(const struct sw_cookie_master *of, __u64 wall_ms, __u64 seed)
{
	struct world world = new_world(0);

	world.dice.state = seed;
	world.now_ms = random_u64(&world.dice);
	world.keys = random_keys(&world.dice);
	sw_cookie_share(&world.keys, of, ORIGIN, wall_ms, world.now_ms);
	return world;
}

/* Of the words 0 to 15 as a key, and an epoch's number: made by tests/lib/cookies.py, another hand. */
static void secrets_are_these(void **state __unused)
{
	static const __u64 expected[SW_COOKIE_EPOCHS][2] = {
		{ 0x32d935438eca4db2ULL, 0x1162008a8fd1d903ULL },
		{ 0xb0744ebbf9c8fed4ULL, 0x4d605185f4b3b8f1ULL },
		{ 0xb9b10e30c0bdd6b9ULL, 0xb4e28621fc754baeULL },
		{ 0xd5b365841da41594ULL, 0xa3470244f202b7feULL },
	};
	struct world world = host(&master, TODAY_MS, 1);
	__u64 epoch = (TODAY_MS + master.phase_ms) >> SW_COOKIE_EPOCH_MS_SHIFT;

	assert_int_equal(world.keys.coming, epoch + 1);
	assert_int_equal(epoch_now(&world), epoch & 0xffff);
	for (__u32 i = 0; i < SW_COOKIE_EPOCHS; i++)
		assert_memory_equal(world.keys.secrets[(epoch + 1 - i) % SW_COOKIE_EPOCHS],
				    expected[i], sizeof(expected[i]));
}

/* Each phase of an epoch, and by how much the clock of who checks is ahead of who made the cookie. */
static void clocks_may_differ_by_a_minute(void **state __unused)
{
	const __s32 epoch = EPOCH_MS;
	static const struct {
		__s32 ahead_ms;
		bool always, never;
	} cases[] = {
		{ 0, .always = true },
		{ 60000, .always = true },
		{ -60000, .always = true },
		{ 2 * epoch, .always = true }, /* it is old by then, or seems to be */
		{ -epoch, .always = true },
		{ -epoch - 1 },
		{ -2 * epoch, .never = true },
		{ 3 * epoch - 1 },
		{ 3 * epoch, .never = true },
		{ 4 * epoch, .never = true }, /* the same two bits */
		{ -4 * epoch, .never = true },
	};

	for (__u32 i = 0; i < COUNT(cases) * 4; i++) {
		__u32 good = 0, tried = 0;

		for (__u32 phase = 0; phase < EPOCH_MS; phase += 1021, tried++) {
			struct world one = host(&master, TODAY_MS + phase, 1);
			struct world other = host(&master, TODAY_MS + phase + cases[i / 4].ahead_ms,
						  2);
			struct sw_packet ack = usual_ack(&one, i & 1, i & 2);

			good += is_good(&other, &ack);
		}
		if (cases[i / 4].always)
			assert_int_equal(good, tried);
		if (cases[i / 4].never)
			assert_int_equal(good, 0);
	}
}

static void another_secret_is_none(void **state __unused)
{
	for (__u32 bit = 0; bit < 128; bit++) {
		struct sw_cookie_master changed = master;
		struct world one = host(&master, TODAY_MS, 1), other;
		struct sw_packet ack = usual_ack(&one, bit & 1, bit & 2);

		flip(changed.key, bit);
		other = host(&changed, TODAY_MS, 2);
		assert_false(is_good(&other, &ack));
	}
}

/* What the number of an epoch leaves out comes again after 50 days; its secret does not. */
static void no_epoch_comes_again(void **state __unused)
{
	for (__u64 rounds = 1; rounds < 64; rounds++) {
		struct world one = host(&master, TODAY_MS, 1);
		struct world later = host(&master, TODAY_MS + (rounds << 32), 2);
		struct sw_packet ack = usual_ack(&one, rounds & 1, rounds & 2);

		assert_int_equal(epoch_now(&one), epoch_now(&later));
		assert_false(is_good(&later, &ack));
	}
}

/* Whose clock is set knows the cookies of the others from then on, and they know his. */
static void a_clock_that_is_set_is_followed(void **state __unused)
{
	static const __s64 steps_ms[] = { 1, -1, 37000, -37000, 3600000, -3600000, 1795000000000 };

	for (__u32 i = 0; i < COUNT(steps_ms) * 4; i++) {
		struct world right = host(&master, TODAY_MS, 1);
		struct world wrong = host(&master, TODAY_MS - steps_ms[i / 4], 2);
		struct sw_packet ack = usual_ack(&right, i & 1, i & 2);

		sw_cookie_share(&wrong.keys, &master, ORIGIN, TODAY_MS, wrong.now_ms);
		assert_true(is_good(&wrong, &ack));
		ack = usual_ack(&wrong, i & 1, i & 2);
		assert_true(is_good(&right, &ack));
	}
}

/* As time goes by, what a cookie was made with is never written over while it is honoured. */
static void secrets_stay_while_they_are_honoured(void **state __unused)
{
	struct world world = host(&master, TODAY_MS, 1);

	for (__u64 wall_ms = TODAY_MS, i = 0; i < 200; i++) {
		struct sw_cookie_keys before = world.keys;
		__u32 coming = epoch_now(&world) + 1;

		wall_ms += EPOCH_MS / 8;
		world.now_ms += EPOCH_MS / 8;
		sw_cookie_share(&world.keys, &master, ORIGIN, wall_ms, world.now_ms);
		assert_int_equal(world.keys.clock_offset, before.clock_offset);
		for (__u32 slot = 0; slot < SW_COOKIE_EPOCHS; slot++)
			if (slot != (coming + 1) % SW_COOKIE_EPOCHS)
				assert_memory_equal(before.secrets[slot], world.keys.secrets[slot],
						    sizeof(before.secrets[slot]));
	}
}

/* A host's own secrets honour no coming epoch, nor anything that was shared, and no two times are alike. */
static void own_secrets_begin_anew(void **state __unused)
{
	const __u64 seed[2] = { 1, 2 };
	struct world world = host(&master, TODAY_MS, 1), other = world;
	struct sw_packet ack = usual_ack(&world, true, false);

	sw_cookie_begin_own(&world.keys, seed, (__u64[2]){ 3, 4 });
	sw_cookie_begin_own(&other.keys, seed, (__u64[2]){ 3, 5 });
	assert_false(world.keys.is_shared || world.keys.origin);
	assert_false(is_good(&world, &ack));
	for (__u32 slot = 0; slot < SW_COOKIE_EPOCHS; slot++)
		assert_memory_not_equal(world.keys.secrets[slot], other.keys.secrets[slot],
					sizeof(world.keys.secrets[slot]));
	ack = usual_ack(&world, true, false);
	assert_true(is_good(&world, &ack));
	assert_false(is_good(&other, &ack));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_these),
		cmocka_unit_test(clocks_may_differ_by_a_minute),
		cmocka_unit_test(another_secret_is_none),
		cmocka_unit_test(no_epoch_comes_again),
		cmocka_unit_test(a_clock_that_is_set_is_followed),
		cmocka_unit_test(secrets_stay_while_they_are_honoured),
		cmocka_unit_test(own_secrets_begin_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
