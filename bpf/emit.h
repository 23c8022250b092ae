/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_EMIT_H
#define SYNWARD_EMIT_H

/*
 * Events, within a budget for each CPU and second: under a flood telling about it must not become
 * the outage. What is not told is counted. How they are written and read is said in event.h.
 */

#include "clock.h"
#include "count.h"

/* a window of 1,024 ms is a shift, and near enough to a second */
#define BUDGET_WINDOW_SHIFT 10

static __always_inline bool within_budget(__u32 per_second, __u32 now_ms)
{
	__u32 key = 0;
	struct cpu_budget *budget;

	if (!per_second)
		return true;
	budget = bpf_map_lookup_elem(&budgets, &key);
	if (!budget)
		return false;
	if (budget->window != now_ms >> BUDGET_WINDOW_SHIFT) {
		budget->window = now_ms >> BUDGET_WINDOW_SHIFT;
		budget->events = 0;
	}
	if (budget->events >= per_second)
		return false;
	budget->events++;
	return true;
}

/*
 * The place of the next event in the journal; event_submit() ends what is written there. NULL if the place is not to
 * be had: whoever wrote the event before it there has not finished, or was overtaken by all others.
 */
static __always_inline struct sw_event_record *claim_record(void)
{
	__u64 number = __sync_fetch_and_add(&event_head.next, 1), before;
	__u32 key = number % load.event_records;
	struct sw_event_record *record;

	record = bpf_map_lookup_elem(&events, &key);
	if (!record)
		return NULL;
	before = *(volatile __u64 *)&record->stamp;
	if (before & 1 || before > 2 * number ||
	    __sync_val_compare_and_swap(&record->stamp, before, 2 * number + 1) != before)
		return NULL;
	return record;
}

/* Room for an event of whatever kind; NULL if there is none. */
static __always_inline struct sw_event_record *event_reserve(void)
{
	struct sw_counters *mine = my_counters();
	struct sw_event_record *record;

	if (!mine)
		return NULL;
	record = claim_record();
	if (!record) {
		mine->tallies[SW_TALLY_EVENTS_LOST]++;
		/* or both increments become one, and what was found to be there is asked for again */
		sw_forget_registers();
		return NULL;
	}
	mine->tallies[SW_TALLY_EVENTS_SENT]++;
	return record;
}

/* From here on readers see it. The stamp comes behind all else, as in sw_unlock(). */
static __always_inline void event_submit(struct sw_event *event)
{
	struct sw_event_record *record = (void *)event - offsetof(struct sw_event_record, event);
	__u64 done = record->stamp + 1; /* nobody else writes it now */

	if (load.ordered_stores) {
		sw_forget_registers();
		*(volatile __u64 *)&record->stamp = done;
	} else {
		__sync_lock_test_and_set(&record->stamp, done);
	}
}

/* What all events have; the rest is zero. */
static __always_inline void event_fill(struct sw_event *event, enum sw_event_type type,
				       enum sw_direction direction)
{
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = clock_ns();
	event->type = type;
	event->interface = load.slot;
	event->direction = direction;
	event->latency_us[SW_LATENCY_SYN_TO_SYNACK] = SW_LATENCY_UNKNOWN;
	event->latency_us[SW_LATENCY_SYNACK_TO_ACK] = SW_LATENCY_UNKNOWN;
}

/* Room for one event, zeroed but for what all have; NULL if none may or can be sent. */
static __always_inline struct sw_event *event_begin(__u32 now_ms, enum sw_event_type type,
						    enum sw_direction direction)
{
	struct sw_counters *mine = my_counters();
	struct sw_event_record *record;

	if (!mine)
		return NULL;
	if (!within_budget(settings.events_per_second, now_ms)) {
		mine->tallies[SW_TALLY_EVENTS_SUPPRESSED]++;
		return NULL;
	}
	record = event_reserve();
	if (!record)
		return NULL;
	event_fill(&record->event, type, direction);
	return &record->event;
}

static __always_inline enum sw_reason reject_reason(const struct sw_attempt *attempt)
{
	if (attempt->seen & SW_SAW_RST_ACKING)
		return SW_REASON_RST;
	return attempt->seen & SW_SAW_ICMP_ERROR ? SW_REASON_ICMP : SW_REASON_NONE;
}

static __always_inline void fill_vlans(struct sw_event *event, const struct sw_packet *packet)
{
	event->vlans[0] = packet->vlans[0];
	event->vlans[1] = packet->vlans[1];
}

/*
 * An attempt that has left the table, with the segment that ended it and its anomalies. last NULL: none did, and where
 * it was seen is where its opener spoke.
 */
static __always_inline void emit_end(__u32 now_ms, enum sw_direction direction,
				     const struct sw_handshake_step *step,
				     const struct sw_packet *last, __u64 anomalies,
				     __u32 synack_to_ack_us)
{
	const struct sw_attempt *ended = &step->ended;
	struct sw_event *event;

	event = event_begin(now_ms,
			    step->end == SW_END_JUDGED ? SW_EVENT_HANDSHAKE : SW_EVENT_EVICTED,
			    direction);
	if (!event)
		return;
	if (last)
		fill_vlans(event, last);
	else
		event->interface = ended->side & (SW_SIDE_OUT - 1);
	event->anomalies = anomalies;
	event->flow.orig = ended->orig;
	event->flow.resp = ended->resp;
	event->flow.orig_port = ended->orig_port;
	event->flow.resp_port = ended->resp_port;
	event->isn_orig = ended->isn_orig;
	event->isn_resp = ended->isn_resp[0];
	if (ended->syn_us && ended->synack_us)
		event->latency_us[SW_LATENCY_SYN_TO_SYNACK] = ended->synack_us - ended->syn_us;
	event->latency_us[SW_LATENCY_SYNACK_TO_ACK] = synack_to_ack_us;
	event->age_ms = now_ms - ended->started_ms;
	event->outcome = step->outcome;
	event->phase = ended->phase;
	event->reason = reject_reason(ended);
	event_submit(event);
}

/*
 * A notice from outside of the kernel: there are few, whatever comes, so the budget is not asked. Nor is it tallied, as
 * it is nothing that came by an interface.
 */
static __always_inline bool emit_notice(const struct sw_notice *notice)
{
	struct sw_event_record *record = claim_record();

	if (!record)
		return false;
	record->notice = *notice;
	record->event.time_ns = clock_ns();
	event_submit(&record->event);
	return true;
}

/* A policy was rolled back by the kernel. */
static __always_inline void emit_rolled_back(void)
{
	struct sw_event_record *record = event_reserve();

	if (!record)
		return;
	__builtin_memset(&record->notice, 0, sizeof(record->notice));
	event_fill(&record->event, SW_EVENT_POLICY, SW_INGRESS);
	record->event.deed = SW_DEED_ROLLED_BACK;
	record->notice.user = SW_NOBODY;
	record->notice.login = SW_NOBODY;
	event_submit(&record->event);
}

/* A packet that is an event by itself: its anomalies, or its flow's outcome at first sight. */
static __always_inline void emit_packet(__u32 now_ms, enum sw_direction direction,
					enum sw_event_type type, const struct sw_packet *packet,
					__u64 anomalies, __u8 outcome, enum sw_verdict verdict)
{
	struct sw_event *event = event_begin(now_ms, type, direction);

	if (!event)
		return;
	event->anomalies = anomalies;
	event->flow.orig = packet->src;
	event->flow.resp = packet->dst;
	event->flow.orig_port = packet->sport;
	event->flow.resp_port = packet->dport;
	event->isn_orig = packet->seq;
	fill_vlans(event, packet);
	event->outcome = outcome;
	event->phase = SW_PHASE_STRAY;
	event->verdict = verdict;
	event_submit(event);
}

/* A SYN that was over a limit. */
static __always_inline void emit_limit(__u32 now_ms, const struct sw_packet *packet, __u8 limit,
				       __u8 service, __u32 generation, enum sw_verdict verdict)
{
	struct sw_event *event = event_begin(now_ms, SW_EVENT_LIMIT, SW_INGRESS);

	if (!event)
		return;
	event->flow.orig = packet->src;
	event->flow.resp = packet->dst;
	event->flow.orig_port = packet->sport;
	event->flow.resp_port = packet->dport;
	event->isn_orig = packet->seq;
	fill_vlans(event, packet);
	event->phase = SW_PHASE_STRAY;
	event->limit = limit;
	event->service = service;
	event->generation = generation;
	event->verdict = verdict;
	event_submit(event);
}

#endif
