/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_EVENT_H
#define SYNWARD_EVENT_H

#include "base.h"
#include "flood.h"
#include "flow.h"

/* X(ID, name, meaning) */
#define SW_EVENTS(X)                                                                               \
	X(HANDSHAKE, handshake, "an attempt has ended with the outcome it names")                  \
	X(ANOMALY, anomaly, "a segment showed anomalies outside of any attempt's end")             \
	X(EVICTED, evicted, "an unfinished attempt was pushed out of a full line")                 \
	X(LIMIT, limit, "a SYN was over a limit")                                                  \
	X(BLOCKED, blocked, "a source was blocked for what it did")                                \
	X(FLOOD_BEGINS, flood_begins, "SYNs to a service are answered with cookies from now on")   \
	X(FLOOD_ENDS, flood_ends, "SYNs to a service pass again")                                  \
	X(FLOOD_STEPS_ASIDE, flood_steps_aside,                                                    \
	  "the defence of a service has found out that it locks clients out: SYNs pass")           \
	X(FLOOD_RESUMES, flood_resumes, "and that it does not any more: SYNs are answered again")  \
	X(POLICY, policy,                                                                          \
	  "a policy was applied, confirmed, rolled back or reset, or another secret was loaded")   \
	X(ARMING, arming, "synward was armed, or disarmed: then nothing is dropped")               \
	X(LIST, list, "the allow or the block list was changed")                                   \
	X(INTERFACE, interface, "an interface was attached or detached")                           \
	X(MISSED, missed, "this reader was too slow for so many events, which it did not get")

enum sw_event_type {
#define X(id, name, meaning) SW_EVENT_##id,
	SW_EVENTS(X)
#undef X
		SW_EVENT_TYPE_COUNT
};

/* Why an attempt counts as rejected: X(ID, name). */
#define SW_REASONS(X)                                                                              \
	X(NONE, none)                                                                              \
	X(RST, rst)                                                                                \
	X(ICMP, icmp)

enum sw_reason {
#define X(id, name) SW_REASON_##id,
	SW_REASONS(X)
#undef X
		SW_REASON_COUNT
};

/* What was done, as a notice says: X(ID, name). */
#define SW_DEEDS(X)                                                                                \
	X(APPLIED, applied)                                                                        \
	X(CONFIRMED, confirmed)                                                                    \
	X(ROLLED_BACK, rolled_back)                                                                \
	X(RESET, reset)                                                                            \
	X(ARMED, armed)                                                                            \
	X(DISARMED, disarmed)                                                                      \
	X(ADDED, added)                                                                            \
	X(LOADED, loaded)                                                                          \
	X(REMOVED, removed)                                                                        \
	X(ATTACHED, attached)                                                                      \
	X(DETACHED, detached)                                                                      \
	X(SECRET_LOADED, secret_loaded)

enum sw_deed {
#define X(id, name) SW_DEED_##id,
	SW_DEEDS(X)
#undef X
		SW_DEED_COUNT
};

#define SW_NOBODY 0xffffffffU /* no user: the kernel has done it, or nobody has logged in for it */

#define SW_LATENCY_UNKNOWN 0xffffffffU

struct sw_event {
	__u64 time_ns;	     /* CLOCK_MONOTONIC; in a replay the capture's clock */
	__u64 anomalies;     /* of the segment that caused the event, bits by enum sw_anomaly */
	struct sw_flow flow; /* orig is the opener; for an anomaly the sender */
	__u32 isn_orig;
	__u32 isn_resp;
	__u32 latency_us[2]; /* by enum sw_latency, or SW_LATENCY_UNKNOWN */
	__u32 age_ms;	     /* from the attempt's first segment to its end */
	__u8 type;	     /* enum sw_event_type */
	__u8 outcome;	     /* enum sw_outcome, for handshake */
	__u8 phase;	     /* enum sw_phase the attempt was in */
	__u8 reason;	     /* enum sw_reason, for rejected */
	__u8 verdict;	     /* enum sw_verdict of the segment, for anomaly */
	__u8 interface;	     /* slot in the map "interfaces" */
	__u8 direction;	     /* enum sw_direction */
	__u8 limit;	     /* enum sw_limit, for limit */
	__u8 service;	     /* number of the service in its policy, for limit and floods */
	__u8 flood_reason;   /* enum sw_flood_reason, for floods; or sw_check_reason */
	__u8 deed;	     /* enum sw_deed, for notices */
	__u8 pad;
	__u16 vlans
		[2]; /* sw_vlan() of the tags of the segment that caused it, the outer one first; 0: none */
	__u32 generation; /* of that policy */
};

/*
 * The record of a flood that begins or ends, or of a defence that steps aside or resumes: with what speaks
 * for it, or was seen of it.
 */
struct sw_flood_event {
	struct sw_event head;
	struct sw_flood_evidence evidence;
	__u32 on_ms; /* how long it was on, when it ends; how long it stood aside, when it resumes */
	__u32 repeated; /* when it steps aside, what spoke against it, of late */
	__u32 served;
	__u32 unserved;
	__u32 family; /* enum sw_check_family of these two */
	__u32 pad;
};

#define SW_NOTICE_WHAT 56U

/* The record of what is said apart from any packet: what people and the machine have done. */
struct sw_notice {
	struct sw_event head;
	__u64 count; /* of missed, events: it is made by the reader and never in the journal; of list, prefixes */
	__u32 user;  /* who has done it, a user's ID or SW_NOBODY */
	__u32 login; /* who has logged in to do it, the same */
	__u32 list;  /* enum sw_list, for list */
	__u32 pad;
	char what
		[SW_NOTICE_WHAT]; /* the interface, the only prefix, or the id of the secret, as text; or "" */
};

/* What the program sw_tell, which puts a notice into the journal, reads from the start of its packet. */
struct sw_tell_request {
	__u8 ethernet[16]; /* unused: room for the header that every packet is thought to have */
	__u64 abi_version; /* of who asks: another one's is not understood */
	struct sw_notice notice;
};

/* Is an event's record a struct sw_notice? */
static __always_inline bool sw_is_notice(const struct sw_event *event)
{
	return event->type == SW_EVENT_POLICY || event->type == SW_EVENT_ARMING ||
	       event->type == SW_EVENT_LIST || event->type == SW_EVENT_INTERFACE ||
	       event->type == SW_EVENT_MISSED;
}

/* Is an event's record a struct sw_flood_event? */
static __always_inline bool sw_is_flood_event(const struct sw_event *event)
{
	return event->type == SW_EVENT_FLOOD_BEGINS || event->type == SW_EVENT_FLOOD_ENDS ||
	       event->type == SW_EVENT_FLOOD_STEPS_ASIDE || event->type == SW_EVENT_FLOOD_RESUMES;
}

/*
 * The journal of events: the map "events" has the last so many records, the map "event_head" the number that the
 * next one gets. Nobody takes a record out, so there may be any number of readers, who write nothing.
 *
 * A record's stamp is a sequence lock. Event number n, from 0 on, has its place at n modulo the number of
 * records; while it is written its stamp is 2n + 1, and 2n + 2 once all of it is there. A writer gets its number by
 * an atomic addition, and its place by comparing and swapping the stamp, only if that is even and of an earlier
 * event: no two ever write into one record, not even if one was kept from running while others went around. One
 * that does not get its place gives its event up, which is counted; it never waits. The swap is a full barrier, so
 * who reads any of the new event also reads its stamp; the last store comes behind all of it.
 *
 * A reader that wants event n reads the stamp, copies the record and reads the stamp again, with barriers between: if
 * both are 2n + 2, the copy is whole. A higher stamp says that n was overwritten, a lower one that it is not there yet.
 * Each number is thus either read or known to be missed. Each of the three is a lookup of its own, since nothing says
 * in which order one copies; a reader who may only read cannot map the memory (bpf_map_mmap() wants VM_SHARED, which
 * a descriptor without FMODE_WRITE never gets). A replay maps it, to read its own events.
 */
#define SW_EVENT_RECORDS 3072U

struct sw_event_head {
	__u64 next;
	__u64 pad[7]; /* to the end of the cache line */
};

struct sw_event_record {
	__u64 stamp;
	union {
		struct sw_event event;
		struct sw_flood_event flood;
		struct sw_notice notice;
		__u64 room[39]; /* five cache lines, as a flood needs */
	};
};

SW_STATIC_ASSERT(sizeof(struct sw_event) == 96, "an event has no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_flood_event) == 96 + 152 + 24, "nor has a flood's");
SW_STATIC_ASSERT(sizeof(struct sw_notice) == 96 + 24 + SW_NOTICE_WHAT, "nor has a notice");
SW_STATIC_ASSERT(sizeof(struct sw_event_record) == 5 * 64, "records share no cache line");

#endif
