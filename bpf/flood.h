/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_FLOOD_WATCH_H
#define SYNWARD_FLOOD_WATCH_H

/* When a service is under a flood: looked at a few times a second by the sweeper's timer. */

#include "core/cookie.h"
#include "core/flood.h"
#include "emit.h"
#include "inquiry.h"
#include "policy.h"

static __always_inline struct sw_flood_state *flood_of(__u32 word, __u32 service)
{
	__u32 key = service_key(word, service);

	return bpf_map_lookup_elem(&floods, &key);
}

static __always_inline struct sw_cookie_keys *cookie_secrets(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&cookie_keys, &key);
}

struct flood_round {
	__u32 word;
	__u32 now_ms;
	__u32 service;
	__u32 pad;
	__u64 syns;
	__u64 completed;
};

static long add_cpu(__u32 cpu, void *context)
{
	struct flood_round *round = context;
	__u32 key = service_key(round->word, round->service);
	const struct sw_service_counters *of;

	of = bpf_map_lookup_percpu_elem(&service_counts, &key, cpu);
	if (!of)
		return 1;
	round->syns += of->syns;
	round->completed += of->completed;
	return 0;
}

static __always_inline void tell_flood(const struct flood_round *round, enum sw_flood_change change)
{
	const struct sw_settings *set = current_settings();
	struct sw_event *event;

	if (!set)
		return;
	event = event_begin(set, round->now_ms,
			    change == SW_FLOOD_BEGINS ? SW_EVENT_FLOOD_BEGINS : SW_EVENT_FLOOD_ENDS,
			    SW_INGRESS);
	if (!event)
		return;
	event->service = round->service;
	bpf_ringbuf_submit(event, 0);
}

static long look_at_service(__u32 service, void *context)
{
	struct flood_round *round = context;
	struct sw_flood_state *state = flood_of(round->word, service);
	const struct sw_service_state *open = service_state_of(round->word, service);
	const struct sw_policy *policy = policy_of(round->word);
	enum sw_flood_change change;
	__s64 half_open;

	service &= SW_SERVICE_SLOTS - 1;
	if (!state || !open || !policy)
		return 1;
	if (policy->rules[service].flood.mode == SW_FLOOD_OFF && !state->on && !state->honour)
		return 0;
	round->service = service;
	round->syns = 0;
	round->completed = 0;
	bpf_loop(SW_MAX_CPUS, add_cpu, round, 0);
	half_open = open->half_open;
	change = sw_flood_look(state, &policy->rules[service].flood, round->now_ms, round->syns,
			       round->completed, half_open > 0 ? half_open : 0);
	__builtin_memcpy(state->sources_before, state->sources, sizeof(state->sources));
	__builtin_memset(state->sources, 0, sizeof(state->sources));
	if (change != SW_FLOOD_SAME)
		tell_flood(round, change);
	return 0;
}

/* Looks at all services, a few times a second, and sees to it that the next key is there in time. */
static __always_inline void look_for_floods(__u32 word, __u32 now_ms)
{
	struct flood_round round = { .word = word, .now_ms = now_ms };
	struct sw_cookie_keys *keys = cookie_secrets();
	__u64 entropy[2];

	if (!policy_has(word, SW_HAS_FLOOD_DEFENCE))
		return;
	bpf_loop(SW_SERVICE_SLOTS, look_at_service, &round, 0);
	if (!keys)
		return;
	entropy[0] = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
	entropy[1] = (__u64)bpf_get_prandom_u32() << 32 | bpf_ktime_get_ns();
	sw_cookie_rotate(keys, now_ms, entropy);
}

#endif
