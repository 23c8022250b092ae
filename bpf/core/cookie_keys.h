/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_COOKIE_KEYS_H
#define SYNWARD_CORE_COOKIE_KEYS_H

/*
 * Where the keys of cookies come from: this host's own are made one from the other, those of a secret that
 * hosts share are derived from it by the time of day. Nobody but the sweeper does any of this.
 */

#include "cookie.h"

/*
 * Two words that nobody can tell from random ones who does not know the key, of any number and purpose:
 * SipHash is a pseudo-random function, and so is what two of its messages make of one.
 */
static __always_inline void derive_secret(const __u64 key[2], const __u64 number[2], __u64 purpose,
					  __u64 secret[2])
{
	__u64 made[2];

	for (__u64 i = 0; i < 2; i++) {
		struct sw_siphash hash;

		sw_siphash_begin(&hash, key);
		sw_siphash_add(&hash, number[0]);
		sw_siphash_add(&hash, number[1]);
		made[i] = sw_siphash_end(&hash, purpose | i << 32 | 23ULL << 56);
	}
	secret[0] = made[0];
	secret[1] = made[1];
}

/* ---- this host's own */

/*
 * Makes the secret of the coming epoch, if there is none yet; to be called at least once in each.
 * It depends on the entropy and on the secret of the current epoch: whoever knows one of the two
 * does not know it. The entropy may be poor, then; the first secrets must not be. Returns whether it
 * did anything.
 */
static __always_inline bool sw_cookie_rotate(struct sw_cookie_keys *keys, __u32 now_ms,
					     const __u64 entropy[2])
{
	__u32 epoch = cookie_epoch(cookie_clock(keys, now_ms)), coming = (epoch + 1) & 0xffff;

	if (keys->coming == coming)
		return false;
	derive_secret(keys->secrets[epoch & (SW_COOKIE_EPOCHS - 1)], entropy, coming,
		      keys->secrets[coming & (SW_COOKIE_EPOCHS - 1)]);
	keys->coming = coming;
	return true;
}

/* Begins anew, from a seed that nobody else knows. */
static __always_inline void sw_cookie_begin_own(struct sw_cookie_keys *keys, const __u64 seed[2],
						const __u64 entropy[2])
{
	__u64 first[2];

	for (__u32 i = 0; i < SW_COOKIE_EPOCHS; i++)
		derive_secret(seed, entropy, i, keys->secrets[i]);
	derive_secret(seed, entropy, SW_COOKIE_EPOCHS, first);
	keys->clock_offset = first[0];
	keys->coming = first[1];
	keys->is_shared = 0;
	keys->origin = 0;
}

/* ---- those of a shared secret */

/* The number of the epoch behind the one of this time of day, by the clock of this master's cookies. */
static __always_inline __u64 coming_epoch(const struct sw_cookie_master *master, __u64 wall_ms)
{
	return ((wall_ms + master->phase_ms) >> SW_COOKIE_EPOCH_MS_SHIFT) + 1;
}

/*
 * Has the time of day been set since sw_cookie_share() was here, so that cookies that are under way may seem to be of no
 * epoch that is honoured? By itself it goes on to the next epoch at the most.
 */
static __always_inline bool sw_cookie_clock_was_set(const struct sw_cookie_keys *keys,
						    const struct sw_cookie_master *master,
						    __u32 origin, __u64 wall_ms)
{
	__u32 coming = coming_epoch(master, wall_ms);

	return keys->origin == origin && coming - keys->coming > 1;
}

/*
 * Has keys be those that all hosts with this master, which is of this origin, have at this time of day, in
 * milliseconds of any common beginning. An epoch's secret depends on its whole number, which does not come again as its 16
 * bits do every 50 days. A clock that was set is followed; as it goes by itself, this writes one
 * secret in an epoch, of which nobody has a cookie yet, and the others as they are.
 */
static __always_inline void sw_cookie_share(struct sw_cookie_keys *keys,
					    const struct sw_cookie_master *master, __u32 origin,
					    __u64 wall_ms, __u32 now_ms)
{
	__u64 clock_ms = wall_ms + master->phase_ms;
	__u64 coming = coming_epoch(master, wall_ms);

	if (keys->origin != origin || keys->coming != (__u32)coming) {
		for (__u32 i = 0; i < SW_COOKIE_EPOCHS; i++) {
			const __u64 number[2] = { coming - i };

			derive_secret(master->key, number, 0,
				      keys->secrets[number[0] & (SW_COOKIE_EPOCHS - 1)]);
		}
		keys->coming = coming;
	}
	keys->clock_offset = (__u32)clock_ms - now_ms;
	keys->is_shared = 1;
	keys->origin = origin;
}

#endif
