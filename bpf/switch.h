/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_SWITCH_H
#define SYNWARD_SWITCH_H

/*
 * Which policy is active. User space asks for a change through a program, and a policy that nobody
 * confirms is taken back by the sweeper's timer: that works with every process dead. Both hold the
 * lock of the state, so neither undoes what the other has just done.
 */

#include "clock.h"
#include "core/self_check.h"
#include "emit.h"
#include "lock.h"
#include "policy.h"

/* Nobody is judged under a policy who came under the one that had its slot before. */
static long check_anew(__u32 service, void *slot)
{
	struct sw_flood_state *state = flood_of(*(const __u32 *)slot, service);
	struct sw_probes *of = probes_of(*(const __u32 *)slot, service);

	if (!state || !of)
		return 1;
	sw_forget_probes(of);
	sw_self_check_anew(state, &of->counts, clock_ms());
	return 0;
}

/* Makes the policy in a slot the active one: from one store on, for all packets that come. */
static __always_inline bool activate(struct sw_policy_state *state, __u32 slot)
{
	__u32 key = 0;
	struct sw_settings *set = bpf_map_lookup_elem(&settings, &key);
	const struct sw_policy *policy = bpf_map_lookup_elem(&policies, &slot);
	__u32 features;

	if (!set || !policy)
		return false;
	features = policy->features;
	/* attempts that count against limits must be followed to their end, whatever comes later */
	if (policy_has(set->policy, SW_HAS_HALF_OPEN | SW_HAS_OWNERS))
		features |= SW_HAS_OWNERS;
	/* so must cookies, until forget_cookies() */
	if (set->cookies_sent)
		features |= SW_HAS_FLOOD_DEFENCE;
	for (__u32 i = 0; i < SW_TIMEOUT_COUNT; i++)
		set->timeout_ms[i] = policy->rules[SW_SERVICE_DEFAULT].timeout_ms[i];
	bpf_loop(SW_SERVICE_SLOTS, check_anew, &slot, 0);
	state->active = slot;
	state->since_ms = clock_ms64();
	*(volatile __u32 *)&set->policy = slot | features << SW_POLICY_FEATURE_SHIFT;
	return true;
}

/* The last cookie is too old by now: ends what activate() has prolonged. */
static __always_inline void forget_cookies(struct sw_settings *set)
{
	__u32 key = 0;
	struct sw_policy_state *state = bpf_map_lookup_elem(&policy_state, &key);
	const struct sw_policy *policy;

	if (!state || !sw_lock(&state->lock))
		return; /* a moment later again */
	policy = policy_of(set->policy);
	if (policy && !(policy->features & SW_HAS_FLOOD_DEFENCE))
		*(volatile __u32 *)&set->policy &= ~((__u32)SW_HAS_FLOOD_DEFENCE
						     << SW_POLICY_FEATURE_SHIFT);
	set->cookies_sent = 0;
	sw_unlock(&state->lock);
}

static __always_inline bool roll_back(struct sw_policy_state *state)
{
	if (state->fallback >= SW_POLICY_SLOTS)
		return false;
	/* first, so that a policy that was disarmed drops nothing when it is back */
	if (state->fallback_disarmed)
		set_armed(false);
	if (!activate(state, state->fallback))
		return false;
	state->fallback = SW_POLICY_SLOTS;
	state->pending = 0;
	return true;
}

static __always_inline bool switch_policy(struct sw_policy_state *state,
					  const struct sw_switch_request *request)
{
	__u32 before = state->active;

	switch (request->verb) {
	case SW_SWITCH_ACTIVATE:
		/* what packets look at, or may soon again, is not what has been written */
		if (request->slot == state->active || request->slot == state->fallback)
			return false;
		/* a second change within the time goes back to what was before the first */
		if (state->pending)
			before = state->fallback;
		if (!activate(state, request->slot))
			return false;
		if (!state->pending)
			state->fallback_disarmed = !is_armed();
		if (request->arm)
			set_armed(true);
		state->fallback = before;
		state->pending = !!request->deadline_ms;
		state->deadline_ms = clock_ms() + request->deadline_ms;
		return true;
	case SW_SWITCH_CONFIRM:
		if (!state->pending)
			return false;
		state->pending = 0;
		return true;
	case SW_SWITCH_ROLL_BACK:
		return roll_back(state);
	}
	return false;
}

/* The sweeper's part: nobody has confirmed in time. */
static __always_inline void check_deadline(__u32 now_ms)
{
	__u32 key = 0;
	struct sw_policy_state *state = bpf_map_lookup_elem(&policy_state, &key);
	bool rolled_back = false;

	if (!state || !state->pending || (__s32)(now_ms - state->deadline_ms) < 0)
		return;
	if (!sw_lock(&state->lock))
		return; /* in 50 ms again */
	if (state->pending && (__s32)(now_ms - state->deadline_ms) >= 0 && roll_back(state)) {
		state->rolled_back++;
		rolled_back = true;
	}
	sw_unlock(&state->lock);
	if (rolled_back)
		emit_rolled_back();
}

#endif
