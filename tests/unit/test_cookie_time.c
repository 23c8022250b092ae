// SPDX-License-Identifier: GPL-2.0-or-later
/* How long a cookie is good, and where its secrets come from and go. */
#define _GNU_SOURCE
#include "../lib/sequences.h"
#include "../lib/cookies.h"

/*
 * From every phase of an epoch, around the clock's wrap as well: good for 131 s, gone after 197, and
 * never good again while the two bits come round, nor when the clock does.
 */
static void cookies_expire(void **state __unused)
{
	static const __u32 phases[] = { 0, 1, EPOCH_MS / 2, EPOCH_MS - 1 };
	static const __u32 starts[] = { 0, 7 * EPOCH_MS, 0U - EPOCH_MS, 0U - 2 * EPOCH_MS,
					0U - 3 * EPOCH_MS };

	for (__u32 i = 0; i < COUNT(starts) * COUNT(phases) * 4; i++) {
		__u32 phase = phases[i / 4 % COUNT(phases)];
		struct world world = new_world(starts[i / 4 / COUNT(phases)] + phase - EPOCH_MS);
		struct sw_packet ack;

		pass(&world, EPOCH_MS);
		ack = usual_ack(&world, i & 1, i & 2);
		assert_true(is_good(&world, &ack));
		pass(&world, 2 * EPOCH_MS);
		assert_true(is_good(&world, &ack));
		pass(&world, EPOCH_MS - phase - 1);
		assert_true(is_good(&world, &ack));
		for (int epochs = 0; epochs < 20; epochs++) {
			pass(&world, 1);
			assert_false(is_good(&world, &ack));
			pass(&world, EPOCH_MS - 1);
			assert_false(is_good(&world, &ack));
		}
	}
}

/* If nobody makes new secrets, the epochs still count. */
static void cookies_expire_without_rotation(void **state __unused)
{
	for (int i = 0; i < 4; i++) {
		struct world world = new_world(0U - 5 * EPOCH_MS);
		struct sw_packet ack = usual_ack(&world, i & 1, i & 2);

		for (__u32 age = 0; age < 0x8000; age++) {
			assert_int_equal(is_good(&world, &ack), age <= SW_COOKIE_MAX_AGE);
			world.now_ms += EPOCH_MS;
		}
	}
}

/* A secret is there before its epoch, stays as long as its cookies do, and then it goes. */
static void secrets_are_replaced(void **state __unused)
{
	struct world world = new_world(0U - 6 * EPOCH_MS);

	pass(&world, EPOCH_MS);
	for (int i = 0; i < 20; i++) {
		struct sw_cookie_keys before = world.keys;
		__u32 coming = epoch_now(&world) + 2;

		pass(&world, EPOCH_MS);
		for (__u32 slot = 0; slot < SW_COOKIE_EPOCHS; slot++) {
			bool same = !memcmp(before.secrets[slot], world.keys.secrets[slot], 16);

			assert_int_equal(same, slot != coming % SW_COOKIE_EPOCHS);
		}
		before = world.keys;
		assert_false(sw_cookie_rotate(&world.keys, world.now_ms, (__u64[2]){ 1, 2 }));
		assert_memory_equal(&before, &world.keys, sizeof(before));
	}
}

/* Neither who knows the entropy nor who knows the secret before it knows the next. */
static void secrets_have_two_sources(void **state __unused)
{
	struct world world = new_world(START_MS);
	struct sw_cookie_keys keys[4] = { world.keys, world.keys, world.keys, world.keys };
	__u32 now = epoch_now(&world);
	const __u64 entropy[2] = { 5, 6 };

	keys[3].secrets[now % SW_COOKIE_EPOCHS][1] ^= 1;
	sw_cookie_rotate(&keys[0], world.now_ms, entropy);
	sw_cookie_rotate(&keys[1], world.now_ms, (__u64[2]){ 4, 6 });
	sw_cookie_rotate(&keys[2], world.now_ms, (__u64[2]){ 5, 7 });
	sw_cookie_rotate(&keys[3], world.now_ms, entropy);
	for (int i = 0; i < 4; i++) {
		const __u64 *secret = keys[i].secrets[(now + 1) % SW_COOKIE_EPOCHS];

		assert_true(secret[0] != secret[1]);
		for (int j = 0; j < i; j++) {
			const __u64 *other = keys[j].secrets[(now + 1) % SW_COOKIE_EPOCHS];

			assert_true(secret[0] != other[0] && secret[1] != other[1]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cookies_expire),
		cmocka_unit_test(cookies_expire_without_rotation),
		cmocka_unit_test(secrets_are_replaced),
		cmocka_unit_test(secrets_have_two_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
