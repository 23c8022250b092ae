/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CONFIG_H
#define SYNWARD_CONFIG_H

#include "base.h"

#define SW_MAX_INTERFACES 64
#define SW_MAX_CPUS	  1024

#define SW_MAX_OWN_ADDRESSES 8192U
#define SW_IFNAME_SIZE	     16

#define SW_MIN_HANDSHAKES     1024U
#define SW_DEFAULT_HANDSHAKES 65536U
#define SW_MAX_HANDSHAKES     16777216U

#define SW_MIN_CONNECTIONS     1024U
#define SW_DEFAULT_CONNECTIONS 131072U
#define SW_MAX_CONNECTIONS     16777216U

/* One sweep of a table is spread over slices, so that no timer callback runs long. */
#define SW_SWEEP_PERIOD_NS   (50ULL * 1000 * 1000)
#define SW_SWEEP_MIN_BUCKETS 2048U
#define SW_SWEEP_SLICES	     32U

#define SW_DEFAULT_EVENTS_PER_SECOND 1000U

/*
 * How long a silent entry is kept, in milliseconds: X(ID, name, default, meaning). The defaults
 * are what Linux itself waits: tcp_syn_retries 6, tcp_synack_retries 5, conntrack's established.
 * A RST is provisional for rst_grace: a forged one is overtaken by the true answer in that time.
 */
#define SW_TIMEOUTS(X)                                                                             \
	X(SYN_SENT, syn_sent, 127000, "SYN seen, no valid answer")                                 \
	X(SYN_RECEIVED, syn_received, 63000, "SYN-ACK seen, no final ACK")                         \
	X(RST_GRACE, rst_grace, 2000, "reset or cancelled, until that is taken as final")          \
	X(ESTABLISHED, established, 432000000, "connection without a segment")                     \
	X(CLOSED, closed, 120000, "connection after both FINs or a RST (TIME-WAIT)")

enum sw_timeout {
#define X(id, name, ms, meaning) SW_TIMEOUT_##id,
	SW_TIMEOUTS(X)
#undef X
		SW_TIMEOUT_COUNT
};

#define SW_MIN_TIMEOUT_MS 10U
/* Times are compared modulo 2^32 ms: nothing may lie further away than half of that. */
#define SW_MAX_TIMEOUT_MS 2000000000U

/*
 * Run-time settings, shared by the programs of all interfaces (the map "settings"): what nearly
 * every packet needs to know. User space writes single fields of it through a mapping, never the
 * whole: the kernel writes the policy and its timeouts by itself when one is rolled back.
 */
#define SW_UNFOLLOWED_NOTE_MS 256U

struct sw_settings {
	__u32 timeout_ms[SW_TIMEOUT_COUNT]; /* of the active policy's default row */
	__u32 events_per_second;	    /* budget of each CPU; 0: no limit */
	__u64 event_anomalies;		    /* which make an event by themselves, as SW_BIT()s */
	__u32 policy;	   /* the active one: its slot, and from bit 8 on its SW_HAS_* */
	__u32 lists;	   /* bit i: the list i (enum sw_list) is not empty */
	__u32 auto_blocks; /* how many sources are blocked for what they did */
	__u32 flood_wish;  /* enum sw_flood_wish of attach; the policy's goes before it */
	/* the sweeper's: under whatever policy they were made */
	__u32 cookies_sent;	/* 1: cookies may be on their way back ... */
	__u32 cookies_until_ms; /* ... until then, by the coarse clock */
	/* what may be known of the secret that hosts share: struct sw_cookie_secrets */
	__u32 cookie_secrets;  /* how often another one was loaded; 0: never */
	__u32 cookie_ids[2];   /* of its masters, whether the policy wants them or not; 0: none */
	__s32 tai_minus_utc_s; /* of the kernel's clocks, when that was read last */
	/* the packets': the map "probes" */
	__u64 probed;	  /* services that have probes that wait, by bit */
	__u32 probe_ms;	  /* when to look at them next, by the coarse clock; 0: there are none */
	__u32 probe_last; /* the service that was looked at last */
	/* the packets', too: interfaces by which leaves what came in by another one, by slot */
	__u64 forwarders;
	/* attempts of which only a word is kept: when the last one was, to SW_UNFOLLOWED_NOTE_MS, and since when some are */
	__u32 unfollowed_ms;
	__u32 unfollowed_since_ms;
	__u64 evicted_ms; /* when a live connection was pushed out last, by the coarse clock; 0: none */
	__u64 watching_since_ms[SW_MAX_INTERFACES]; /* when each slot's was attached, likewise */
};

#define SW_POLICY_SLOT_MASK	0xffU
#define SW_POLICY_FEATURE_SHIFT 8

/* What must not change while the maps live, written once at their creation (the map "identity"). */
struct sw_identity {
	__u32 abi_version;
	__u32 handshake_buckets;
	__u32 connection_buckets;
	__u32 pad;
	__u64 seed[2];
	__u64 created_ns; /* CLOCK_MONOTONIC at creation */
};

/* By what is seen what an interface receives. */
enum sw_mode {
	SW_MODE_NATIVE,	 /* XDP in the driver */
	SW_MODE_GENERIC, /* XDP in the kernel, whatever the driver */
	SW_MODE_TC,	 /* the ingress hook of TC */
	SW_MODE_AUTO,	 /* native, or else TC: of what is asked for, not of what is attached */
};

enum sw_tc_hook {
	SW_TC_NONE,
	SW_TC_TCX,
	SW_TC_CLSACT,
};

/* One attached interface (the map "interfaces"; a free slot has ifindex 0). */
struct sw_interface {
	__u32 ifindex;
	__u32 netns; /* inode number of its network namespace */
	char name[SW_IFNAME_SIZE];
	__u16 mode;	   /* enum sw_mode */
	__u16 xdp_frags;   /* 1: by the program for frames in several buffers */
	__u16 tc_hook;	   /* enum sw_tc_hook */
	__u16 checksums;   /* 1: those of what comes in are verified */
	__u32 tc_priority; /* clsact only: where the filter sits */
	__u32 tc_handle;
	__u64 attached_ns; /* CLOCK_MONOTONIC */
	__u64 netns_cookie; /* of the namespace, whose inode number another one may get; 0: not known */
};

/* What the program sw_arm reads from the start of its packet. */
struct sw_arm_request {
	__u32 goes_on; /* 1: the interface has been watched without a gap, and still is */
	__u32 pad[15];
};

SW_STATIC_ASSERT(sizeof(struct sw_arm_request) == 64, "a frame");

/*
 * net.ipv4.tcp_syncookies of a network namespace, whose inode number is the key of the map
 * "syncookies", while it is what we have set.
 */
struct sw_syncookies {
	__u32 before; /* to be restored */
	__u32 set;
	__u32 done; /* 0: it was just being set or restored */
	__u32 pad;
};

/* Key of the map "attached": which interfaces already track what they receive. */
struct sw_interface_key {
	__u32 netns;
	__u32 ifindex;
};

#endif
