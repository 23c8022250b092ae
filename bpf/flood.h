/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_FLOOD_WATCH_H
#define SYNWARD_FLOOD_WATCH_H

/* When a service is under a flood: looked at a few times a second by the sweeper's timer. */

#include "conntrack.h"
#include "cookie_keys.h"
#include "core/flood.h"
#include "core/self_check.h"
#include "emit.h"
#include "inquiry.h"
#include "policy.h"
#include "switch.h"

/* Do any services honour cookies? The one thing that most segments ask of a defence that is not at work. */
static __always_inline bool honours_cookies(void)
{
	return settings.cookies_sent;
}

struct flood_round {
	__u32 word;
	__u32 now_ms;
	__u32 service;
	__u32 on; /* any service's SYNs are answered */
};

/* What is being added up; the stack has no room for it. */
struct flood_totals {
	__u64 of[SW_EVIDENCE_SLOTS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flood_totals);
} flood_totals SEC(".maps");

static __always_inline struct flood_totals *my_flood_totals(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&flood_totals, &key);
}

static long add_cpu(__u32 cpu, void *context)
{
	const struct flood_round *round = context;
	__u32 key = service_key(round->word, round->service);
	struct flood_totals *totals = my_flood_totals();
	const struct sw_service_counters *of;

	of = bpf_map_lookup_percpu_elem(&service_counts, &key, cpu);
	if (!of || !totals)
		return 1;
	for (__u32 i = 0; i < SW_EVIDENCE_SLOTS; i++)
		totals->of[i] += of->evidence[i];
	return 0;
}

/* Outside of the budget, which the flood has used up: there are few of these, whatever comes. */
static __always_inline struct sw_flood_event *begin_event(enum sw_event_type type,
							  const struct flood_round *round,
							  __u32 reason)
{
	const struct sw_policy *policy = policy_of(round->word);
	struct sw_event_record *record = event_reserve();
	struct sw_flood_event *event;

	if (!record)
		return NULL;
	event = &record->flood;
	event_fill(&event->head, type, SW_INGRESS);
	event->head.service = round->service;
	event->head.generation = policy ? policy->generation : 0;
	event->head.flood_reason = reason;
	event->repeated = 0;
	event->served = 0;
	event->unserved = 0;
	event->family = 0;
	event->pad = 0;
	event->on_ms = 0;
	return event;
}

static __always_inline void tell_flood(const struct flood_round *round,
				       const struct sw_flood_state *state,
				       enum sw_flood_change change)
{
	bool begins = change == SW_FLOOD_BEGINS;
	struct sw_flood_event *event = begin_event(
		begins ? SW_EVENT_FLOOD_BEGINS : SW_EVENT_FLOOD_ENDS, round, state->reason);

	if (!event)
		return;
	if (begins) {
		event->evidence = state->began;
	} else {
		event->evidence = state->whole;
		/* what made it begin was before it was on */
		event->on_ms = state->whole.ms - state->began.ms;
	}
	event_submit(&event->head);
}

static __always_inline void tell_check(const struct flood_round *round,
				       const struct sw_flood_state *state,
				       enum sw_check_change change)
{
	bool aside = change == SW_CHECK_STEPS_ASIDE;
	struct sw_flood_event *event = begin_event(aside ? SW_EVENT_FLOOD_STEPS_ASIDE :
							   SW_EVENT_FLOOD_RESUMES,
						   round, state->check.reason);

	if (!event)
		return;
	event->evidence = state->whole;
	if (aside) {
		event->repeated = state->check.found_repeated;
		event->served = state->check.found_served;
		event->unserved = state->check.found_unserved;
		event->family = state->check.found_family;
	} else {
		event->on_ms = round->now_ms - state->check.since_ms;
	}
	event_submit(&event->head);
}

/* From the moment at which a service begins to send them: what comes back does so a round trip later. */
static __always_inline void expect_cookies(__u32 now_ms)
{
	settings.cookies_until_ms = now_ms + SW_FLOOD_HONOUR_MS;
	settings.cookies_sent = 1;
}

static long look_at_service(__u32 service, void *context)
{
	struct flood_round *round = context;
	struct sw_flood_state *state = flood_of(round->word, service);
	const struct sw_service_state *open = service_state_of(round->word, service);
	const struct sw_policy *policy = policy_of(round->word);
	struct flood_totals *totals = my_flood_totals();
	enum sw_flood_change change;
	__s64 half_open;

	service &= SW_SERVICE_SLOTS - 1;
	if (!state || !open || !policy || !totals)
		return 1;
	if (policy->rules[service].flood.mode == SW_FLOOD_OFF && !state->on && !state->honour)
		return 0;
	round->service = service;
	__builtin_memset(totals, 0, sizeof(*totals));
	bpf_loop(SW_MAX_CPUS, add_cpu, round, 0);
	half_open = open->half_open;
	if (state->looked_ms == round->now_ms)
		return 0; /* nothing has passed since */
	change = sw_flood_look(state, &policy->rules[service].flood, round->now_ms, totals->of,
			       half_open > 0 ? half_open : 0);
	round->on |= state->on;
	if (state->on)
		expect_cookies(round->now_ms);
	if (change != SW_FLOOD_SAME)
		tell_flood(round, state, change);
	return 0;
}

/*
 * Can conntrack be told of a service's handshakes, and does it look at them? Where it does not matter who was
 * heard, nothing says so: then it does.
 */
static __always_inline bool can_tell(const struct flood_round *round,
				     const struct sw_flood_state *state)
{
	return policy_has(round->word, SW_HAS_UNHEARD) ? has_conntrack() : state->tracked;
}

/* Counts a period of a service that has just been closed, under whatever policy. */
static __always_inline void count_flood(struct sw_service_counters *mine,
					const struct sw_flood_state *state, __u32 now_ms)
{
	bool changed = state->changed_ms == now_ms;

	mine->floods += changed && state->on;
	if (changed != !!state->on)
		mine->flood_ms += state->period.ms;
}

/* Has the defence of a service, whose period has just been closed, found out something about itself? */
static long look_at_itself(__u32 service, void *context)
{
	struct flood_round *round = context;
	struct sw_flood_state *state = flood_of(round->word, service);
	struct sw_probes *probed = probes_of(round->word, service);
	const struct sw_policy *policy = policy_of(round->word);
	struct sw_service_counters *mine;
	enum sw_check_change change;
	__u8 remedies;

	service &= SW_SERVICE_SLOTS - 1;
	if (!state || !policy || !probed)
		return 1;
	if (state->looked_ms != round->now_ms)
		return 0;
	round->service = service;
	mine = service_counters(round->word, service);
	if (mine)
		count_flood(mine, state, round->now_ms);
	remedies = state->remedies;
	change = sw_self_check_look(state, &policy->rules[service].flood, &probed->counts,
				    can_tell(round, state), round->now_ms);
	if (change != SW_CHECK_SAME)
		tell_check(round, state, change);
	if (mine)
		mine->steps_aside += change == SW_CHECK_STEPS_ASIDE;
	/* who was not served may be now, and is asked about at once */
	if ((state->remedies ^ remedies) & SW_REMEDY_CONNTRACK)
		sw_forget_probes(probed);
	return 0;
}

/* Looks at all services, a few times a second, and sees to it that the keys of cookies are there in time. */
__noinline int look_for_floods(__u32 now_ms)
{
	struct flood_round round = { .now_ms = now_ms, .word = settings.policy };

	if (!policy_has(round.word, SW_HAS_FLOOD_DEFENCE))
		return 0;
	bpf_loop(SW_SERVICE_SLOTS, look_at_service, &round, 0);
	bpf_loop(SW_SERVICE_SLOTS, look_at_itself, &round, 0);
	if (!round.on && settings.cookies_sent && (__s32)(now_ms - settings.cookies_until_ms) >= 0)
		forget_cookies();
	/* a cookie may come back here that another host has sent, which is under a flood */
	if (renew_cookie_keys(now_ms))
		expect_cookies(now_ms);
	return 0;
}

#endif
