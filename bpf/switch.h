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
static __always_inline bool activate(__u32 slot)
{
	const struct sw_policy *policy = bpf_map_lookup_elem(&policies, &slot);
	__u32 features;

	if (!policy)
		return false;
	features = policy->features;
	/* attempts that count against limits must be followed to their end, whatever comes later */
	if (policy_has(settings.policy, SW_HAS_HALF_OPEN | SW_HAS_OWNERS))
		features |= SW_HAS_OWNERS;
	/* so must cookies, until forget_cookies() */
	if (settings.cookies_sent)
		features |= SW_HAS_FLOOD_DEFENCE;
	for (__u32 i = 0; i < SW_TIMEOUT_COUNT; i++)
		settings.timeout_ms[i] = policy->rules[SW_SERVICE_DEFAULT].timeout_ms[i];
	bpf_loop(SW_SERVICE_SLOTS, check_anew, &slot, 0);
	policy_state.active = slot;
	policy_state.since_ms = clock_ms64();
	*(volatile __u32 *)&settings.policy = slot | features << SW_POLICY_FEATURE_SHIFT;
	return true;
}

/* The last cookie is too old by now: ends what activate() has prolonged. */
static __always_inline void forget_cookies(void)
{
	const struct sw_policy *policy;

	if (!sw_lock(&policy_state.lock))
		return; /* a moment later again */
	policy = policy_of(settings.policy);
	if (policy && !(policy->features & SW_HAS_FLOOD_DEFENCE))
		*(volatile __u32 *)&settings.policy &= ~((__u32)SW_HAS_FLOOD_DEFENCE
							 << SW_POLICY_FEATURE_SHIFT);
	settings.cookies_sent = 0;
	sw_unlock(&policy_state.lock);
}

static __always_inline bool roll_back(void)
{
	if (policy_state.fallback >= SW_POLICY_SLOTS)
		return false;
	/* first, so that a policy that was disarmed drops nothing when it is back */
	if (policy_state.fallback_disarmed)
		set_armed(false);
	if (!activate(policy_state.fallback))
		return false;
	policy_state.fallback = SW_POLICY_SLOTS;
	policy_state.pending = 0;
	return true;
}

static __always_inline bool switch_policy(const struct sw_switch_request *request)
{
	__u32 before = policy_state.active;

	switch (request->verb) {
	case SW_SWITCH_ACTIVATE:
		/* what packets look at, or may soon again, is not what has been written */
		if (request->slot == policy_state.active || request->slot == policy_state.fallback)
			return false;
		/* a second change within the time goes back to what was before the first */
		if (policy_state.pending)
			before = policy_state.fallback;
		if (!activate(request->slot))
			return false;
		if (!policy_state.pending)
			policy_state.fallback_disarmed = !is_armed();
		if (request->arm)
			set_armed(true);
		policy_state.fallback = before;
		policy_state.pending = !!request->deadline_ms;
		policy_state.deadline_ms = clock_ms() + request->deadline_ms;
		return true;
	case SW_SWITCH_CONFIRM:
		if (!policy_state.pending)
			return false;
		policy_state.pending = 0;
		return true;
	case SW_SWITCH_ROLL_BACK:
		return roll_back();
	}
	return false;
}

/* The sweeper's part: nobody has confirmed in time. */
static __always_inline void check_deadline(__u32 now_ms)
{
	bool rolled_back = false;

	if (!policy_state.pending || (__s32)(now_ms - policy_state.deadline_ms) < 0)
		return;
	if (!sw_lock(&policy_state.lock))
		return; /* in 50 ms again */
	if (policy_state.pending && (__s32)(now_ms - policy_state.deadline_ms) >= 0 &&
	    roll_back()) {
		policy_state.rolled_back++;
		rolled_back = true;
	}
	sw_unlock(&policy_state.lock);
	if (rolled_back)
		emit_rolled_back();
}

#endif
