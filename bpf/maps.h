/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_MAPS_H
#define SYNWARD_MAPS_H

/*
 * All maps, and the constants that a program gets when it is loaded. Every map is pinned under its
 * own name and shared by the programs of all interfaces; the loader sets the sizes of the tables.
 * What there is only one of, and what is not one CPU's, is a variable in a section of its own, which
 * is a map, too: no look-up, and nothing that might not be there (user/maps/map_name.h).
 */

#include "../include/synward/config.h"
#include "../include/synward/cookie.h"
#include "../include/synward/counters.h"
#include "../include/synward/event.h"
#include "../include/synward/load.h"
#include "../include/synward/policy.h"
#include "../include/synward/tables.h"

#include <bpf/bpf_helpers.h>

/* Half-open handshakes, and what is remembered of flows that began before they were seen. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_DEFAULT_HANDSHAKES / SW_WAYS);
	__type(key, __u32);
	__type(value, struct sw_handshake_bucket);
} handshakes SEC(".maps");

/* What is kept of attempts that are not followed. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE); /* so that a line is a line of the cache */
	__uint(max_entries, SW_GLIMPSE_LINES);
	__type(key, __u32);
	__type(value, struct sw_glimpse_line);
} glimpses SEC(".maps");

/* Established connections. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_DEFAULT_CONNECTIONS / SW_WAYS);
	__type(key, __u32);
	__type(value, struct sw_connection_bucket);
} connections SEC(".maps");

/* The tags of the connections, for a look that stays in the cache: hardly a SYN looks further. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_DEFAULT_CONNECTIONS / SW_WAYS);
	__type(key, __u32);
	__type(value, struct sw_connection_filter);
} connection_filter SEC(".maps");

/* Key: a bucket's number divided by SW_HINTED. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_DEFAULT_CONNECTIONS / SW_WAYS / SW_HINTED);
	__type(key, __u32);
	__type(value, struct sw_hints);
} connection_hints SEC(".maps");

/* The same of the handshakes: what a SYN under a flood is asked for first. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_DEFAULT_HANDSHAKES / SW_WAYS / SW_HINTED);
	__type(key, __u32);
	__type(value, struct sw_hints);
} handshake_hints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sw_counters);
} counters SEC(".maps");

/* Key: the policy's slot times SW_SERVICE_SLOTS, and the service's number. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SW_POLICY_SLOTS *SW_SERVICE_SLOTS);
	__type(key, __u32);
	__type(value, struct sw_service_counters);
} service_counts SEC(".maps");

/* ---- policy */

/*
 * 0: nothing is dropped, whatever any policy says. A map of its own, so that one line of bpftool
 * does it when nothing else works.
 */
__u32 armed SEC(".data.armed");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_POLICY_SLOTS);
	__type(key, __u32);
	__type(value, struct sw_policy);
} policies SEC(".maps");

struct sw_policy_state policy_state SEC(".data.policy_state");

/* Which services have an address. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, SW_MAX_SERVICE_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct sw_service_prefix_key);
	__type(value, __u64);
} service_nets SEC(".maps");

/* The same key. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_POLICY_SLOTS *SW_SERVICE_SLOTS);
	__type(key, __u32);
	__type(value, struct sw_service_state);
} service_state SEC(".maps");

/* The same key. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_POLICY_SLOTS *SW_SERVICE_SLOTS);
	__type(key, __u32);
	__type(value, struct sw_flood_state);
} floods SEC(".maps");

/* Key: enum sw_cookie_set. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_COOKIE_SETS);
	__type(key, __u32);
	__type(value, struct sw_cookie_keys);
} cookie_keys SEC(".maps");

/* Key: the lowest bit of settings.cookie_secrets. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct sw_cookie_secrets);
} cookie_secrets SEC(".maps");

/* Key: the interface's slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_MAX_INTERFACES);
	__type(key, __u32);
	__type(value, struct sw_cookie_offer);
} cookie_offers SEC(".maps");

/* Addresses of the hosts whose interfaces are attached: what is sent there is not forwarded. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SW_MAX_OWN_ADDRESSES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct sw_own_address);
	__type(value, __u32);
} own_addresses SEC(".maps");

/* Who was heard answering. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_ADDRESSEE_LINES);
	__type(key, __u32);
	__type(value, struct sw_addressees);
} addressees SEC(".maps");

/* The same key as service_state. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_POLICY_SLOTS *SW_SERVICE_SLOTS);
	__type(key, __u32);
	__type(value, struct sw_probes);
} probes SEC(".maps");

/* Key: the interface's slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_MAX_INTERFACES);
	__type(key, __u32);
	__type(value, struct sw_tc_note);
} tc_notes SEC(".maps");

/* For commands only: what is to be restored in a network namespace. Key: its inode number. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SW_MAX_INTERFACES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct sw_syncookies);
} syncookies SEC(".maps");

/* Sources that have answered a cookie lately: a tag, and when that is forgotten. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_VERIFIED_SOURCES / SW_PAGE);
	__type(key, __u32);
	__type(value, struct sw_verified_page);
} verified SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_SOURCE_BUCKETS / SW_PAGE);
	__type(key, __u32);
	__type(value, struct sw_source_page);
} sources SEC(".maps");

/* As many as there are buckets of handshakes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_DEFAULT_HANDSHAKES / SW_WAYS);
	__type(key, __u32);
	__type(value, struct sw_owner_bucket);
} owners SEC(".maps");

/* Sources that met a rule without being dropped, until they complete a handshake. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_SUSPECTS / SW_PAGE);
	__type(key, __u32);
	__type(value, struct sw_suspect_page);
} suspects SEC(".maps");

/* Sources that completed a handshake, and what they did since; an IPv6 source is its /64. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_PROVEN_SOURCES / SW_WAYS / SW_PAGE);
	__type(key, __u32);
	__type(value, struct sw_proven_page);
} proven SEC(".maps");

/* ---- the rest */

/* Key: the interface's slot. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SW_MAX_INTERFACES);
	__type(key, __u32);
	__type(value, struct sw_interface_traffic);
} traffic SEC(".maps");

/* The journal of events. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SW_EVENT_RECORDS);
	__type(key, __u32);
	__type(value, struct sw_event_record);
} events SEC(".maps");

struct sw_event_head event_head SEC(".data.event_head");

/* Single fields are written from outside. */
struct sw_settings settings SEC(".data.settings");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sw_identity);
} identity SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_MAX_INTERFACES);
	__type(key, __u32);
	__type(value, struct sw_interface);
} interfaces SEC(".maps");

/* Which interfaces follow what they receive, so that it is not followed again when it leaves. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SW_MAX_INTERFACES);
	__type(key, struct sw_interface_key);
	__type(value, __u32);
} attached SEC(".maps");

/* How much of its budgets a CPU has used in the current windows. */
struct cpu_budget {
	__u32 window;
	__u32 events;
	__u32 timed_window;
	__u32 timed;
	/* bpf/glimpse.h: attempts entered that no window has given back yet, and those of the last
	 * window that were entered since their SYN came again */
	__u32 followed_window;
	__u32 followed;
	__u32 followed_again;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_budget);
} budgets SEC(".maps");

/* The sweeper's timer and how far it has come. */
struct sweeper {
	struct bpf_timer timer;
	__u32 handshake_bucket;
	__u32 connection_bucket;
	__u32 ticks;
	__u32 pad;
	__u64 swept_ns; /* CLOCK_MONOTONIC of the last slice, last for who reads it from outside */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sweeper);
} sweepers SEC(".maps");

const volatile struct load_constants load = {
	.handshake_buckets = SW_DEFAULT_HANDSHAKES / SW_WAYS,
	.connection_buckets = SW_DEFAULT_CONNECTIONS / SW_WAYS,
	.event_records = SW_EVENT_RECORDS,
	.tick_ms_q20 = 4 << 20,
};

/* The hint of a bucket, in a map of hints; NULL if there is none. */
#define hint_in(map, bucket)                                                                       \
	({                                                                                         \
		__u32 hinted_bucket = (bucket), hint_key = hinted_bucket / SW_HINTED;              \
		struct sw_hints *hints = bpf_map_lookup_elem(&(map), &hint_key);                   \
                                                                                                   \
		hints ? &hints->of[hinted_bucket & (SW_HINTED - 1)] : NULL;                        \
	})

/* The place of a number in a map whose elements are pages of SW_PAGE places; NULL if there is none. */
#define place_in(map, number)                                                                      \
	({                                                                                         \
		__u32 place_number = (number), page_key = place_number / SW_PAGE;                  \
		typeof((map).value) page = bpf_map_lookup_elem(&(map), &page_key);                 \
                                                                                                   \
		page ? &page->of[place_number % SW_PAGE] : NULL;                                   \
	})

#endif
