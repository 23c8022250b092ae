/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_COOKIE_KEYS_H
#define SYNWARD_COOKIE_KEYS_H

/*
 * The sets of keys. Cookies are made by the first one; where that has others, an ACK is tried with them, too.
 * Which secrets the first one has is decided here by the sweeper, from the active policy and what was
 * loaded: so a policy that the kernel takes back by itself brings its keys along.
 */

#include "clock.h"
#include "core/cookie_keys.h"
#include "core/flood.h"
#include "policy.h"

static __always_inline struct sw_cookie_keys *cookie_set(enum sw_cookie_set which)
{
	__u32 key = which;

	return bpf_map_lookup_elem(&cookie_keys, &key);
}

/* Those by which cookies are made. */
static __always_inline struct sw_cookie_keys *active_cookie_keys(void)
{
	return cookie_set(SW_COOKIE_SET_ACTIVE);
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sw_cookie_memos);
} cookie_memos SEC(".maps");

static __always_inline struct sw_cookie_memos *my_cookie_memos(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&cookie_memos, &key);
}

/* Is a set honoured beside the first one? */
static __always_inline bool is_honoured(enum sw_cookie_set which)
{
	const struct sw_cookie_keys *active = active_cookie_keys();

	return active && active->others >> which & 1;
}

/* Does a RST answer a challenge that one of the sets has made? As sw_challenge_check(). */
__noinline int is_challenge_of(const struct sw_packet *rst, __u32 now_ms, __u32 which)
{
	const struct sw_cookie_keys *keys = cookie_set(which);

	return rst && keys && sw_challenge_check(keys, my_cookie_memos(), rst, now_ms);
}

static __always_inline bool is_other_challenge(const struct sw_packet *rst, __u32 now_ms)
{
	return (is_honoured(SW_COOKIE_SET_SECOND) &&
		is_challenge_of(rst, now_ms, SW_COOKIE_SET_SECOND)) ||
	       (is_honoured(SW_COOKIE_SET_FORMER) &&
		is_challenge_of(rst, now_ms, SW_COOKIE_SET_FORMER));
}

/* ---- the sweeper's */

/* Which secret that hosts share is wanted by the policy: as sw_cookie_keys.origin. */
static __always_inline __u32 wanted_origin(void)
{
	return policy_has(settings.policy, SW_HAS_SHARED_SECRET) ? settings.cookie_secrets : 0;
}

/* Cookies of the first set are honoured on, when it has become another one. */
static __always_inline void retire_keys(struct sw_cookie_keys *active,
					struct sw_cookie_keys *former, __u32 now_ms)
{
	*former = *active;
	former->until_ms = now_ms + SW_FLOOD_HONOUR_MS;
	active->others |= 1U << SW_COOKIE_SET_FORMER;
}

/*
 * Has one set be that of a line of the secret's file. Returns whether there is such a line. When the time of day was set,
 * the first set is another one from then on: what the former one has sent is honoured by the clock that it had.
 */
__noinline int share_keys(__u32 which, __u32 line, __u32 origin, __u32 now_ms)
{
	__u32 key = origin & 1;
	struct sw_cookie_keys *keys = cookie_set(which);
	const struct sw_cookie_secrets *secrets = bpf_map_lookup_elem(&cookie_secrets, &key);
	struct sw_cookie_keys *former = cookie_set(SW_COOKIE_SET_FORMER);
	const struct sw_cookie_master *master;
	__u64 wall_ms;

	if (!keys || !former || !secrets)
		return 0;
	master = &secrets->masters[line & (SW_COOKIE_MASTERS - 1)];
	if (!master->id)
		return 0;
	wall_ms = clock_tai_ms() - settings.tai_minus_utc_s * 1000LL;
	if (which == SW_COOKIE_SET_ACTIVE && sw_cookie_clock_was_set(keys, master, origin, wall_ms))
		retire_keys(keys, former, now_ms);
	sw_cookie_share(keys, master, origin, wall_ms, now_ms);
	return 1;
}

static __always_inline void renew_own_keys(struct sw_cookie_keys *active, bool begins, __u32 now_ms)
{
	__u32 key = settings.cookie_secrets & 1;
	const struct sw_cookie_secrets *secrets = bpf_map_lookup_elem(&cookie_secrets, &key);
	__u64 entropy[2];

	entropy[0] = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
	entropy[1] = (__u64)bpf_get_prandom_u32() << 32 | bpf_ktime_get_ns();
	if (begins && secrets)
		sw_cookie_begin_own(active, secrets->own, entropy);
	sw_cookie_rotate(active, now_ms, entropy);
	active->others &= ~(1U << SW_COOKIE_SET_SECOND);
}

/* Sees to it that all sets are as they have to be by now. Returns whether the first one is shared. */
__noinline int renew_cookie_keys(__u32 now_ms)
{
	struct sw_cookie_keys *active = active_cookie_keys();
	struct sw_cookie_keys *former = cookie_set(SW_COOKIE_SET_FORMER);
	__u32 origin;
	bool begins;

	if (!active || !former)
		return 0;
	origin = wanted_origin();
	begins = active->origin != origin;
	if (begins)
		retire_keys(active, former, now_ms);
	else if (active->others >> SW_COOKIE_SET_FORMER & 1 &&
		 (__s32)(now_ms - former->until_ms) >= 0)
		active->others &= ~(1U << SW_COOKIE_SET_FORMER);
	if (!origin) {
		renew_own_keys(active, begins, now_ms);
		return 0;
	}
	share_keys(SW_COOKIE_SET_ACTIVE, 0, origin, now_ms);
	if (share_keys(SW_COOKIE_SET_SECOND, 1, origin, now_ms))
		active->others |= 1U << SW_COOKIE_SET_SECOND;
	else
		active->others &= ~(1U << SW_COOKIE_SET_SECOND);
	return 1;
}

#endif
