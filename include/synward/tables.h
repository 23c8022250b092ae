/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_TABLES_H
#define SYNWARD_TABLES_H

#include "base.h"
#include "config.h"
#include "flood.h"
#include "flow.h"
#include "state.h"

/*
 * The two tables are set-associative: a hash of the flow, the same for both of its directions,
 * picks a bucket of four entries, and there is no chain behind it. What does not fit replaces the
 * least worthy of the four. So an insert costs the same whether the table is empty or under a flood.
 *
 * Each bucket has its own lock, held for a few dozen instructions, never two at a time. The head is
 * apart from the entries: a lookup that finds no tag of its own touches one cache line.
 *
 * Times are milliseconds modulo 2^32, so only differences mean anything.
 */
#define SW_WAYS 4U

/*
 * What the tables of sources have in one element of their map, none of which a packet needs by itself. Whoever counts
 * how full they are reads all of them, and an element costs the kernel a quarter of a microsecond.
 */
#define SW_PAGE 16U

/* 1 while somebody holds it. Taken with softirqs off only; see bpf/core/follow.h. */
struct sw_lock {
	__u32 held;
};

/* What an attempt has shown so far; each bit stays once it is set. */
enum {
	SW_SAW_RST_ACKING = 1 << 0,	/* RST of the responder that acknowledges the SYN */
	SW_SAW_ICMP_ERROR = 1 << 1,	/* an ICMP error that quotes the SYN */
	SW_SAW_RST_UNVERIFIED = 1 << 2, /* RST of the responder that does not */
	SW_SAW_CANCEL = 1 << 3,		/* RST of the opener before any SYN-ACK */
	SW_SAW_ABORT_ORIG = 1 << 4,	/* the opener's RST after the SYN-ACK came first */
	SW_SAW_ABORT_RESP = 1 << 5,	/* the responder's RST after the SYN-ACK came first */
	SW_SAW_FIN = 1 << 6,		/* FIN before completion, before other evidence */
	SW_SAW_ORIG_ACK = 1 << 7,	/* ACK or data of the opener before any SYN-ACK */
	SW_SAW_RESP_OTHER = 1 << 8,	/* a responder's segment, neither SYN-ACK nor RST */
	SW_SAW_BAD_SYNACK = 1 << 9,	/* SYN-ACK that acknowledges something else */
	SW_SAW_FASTOPEN = 1 << 10,	/* the SYN had a TFO option */
	SW_HAS_TWO_RESP_ISNS = 1 << 11, /* isn_resp[1] holds the ISN before the latest */
	SW_IS_REPORTED = 1 << 12,	/* the outcome is counted; kept to know its stragglers */
	SW_SAW_ORIG_ACK_RESP = 1 << 13, /* simultaneous: the opener acknowledged the responder */
	SW_SAW_RESP_ACK_ORIG = 1 << 14, /* simultaneous: and the other way round */
	SW_SAW_UNDECODABLE = 1 << 15,	/* stray: a segment whose header could not be used */
	/* of a stray; of an attempt, these bits are something else */
	SW_SAW_ORIG_AGAIN =
		SW_SAW_ORIG_ACK, /* its first sender has sent the same again, and that passed */
	SW_SAW_RESP_AGAIN = SW_SAW_RESP_OTHER, /* so has the other end */
	SW_SAW_BEGUN = SW_SAW_BAD_SYNACK, /* its SYN was seen, and nothing ever of the other end */
	/* of an attempt; of a stray, this bit is something else */
	SW_SAW_GOES_ON = SW_SAW_UNDECODABLE, /* its opener speaks as who has been answered */
};

/* After these the ends are closed again, unless a forged RST or ICMP error only made it look so. */
#define SW_SAW_END                                                                                 \
	(SW_SAW_RST_ACKING | SW_SAW_ICMP_ERROR | SW_SAW_CANCEL | SW_SAW_ABORT_ORIG |               \
	 SW_SAW_ABORT_RESP)

/*
 * One attempt. isn_resp[0] is the latest, and in a simultaneous open the crossed SYN's; before there
 * is any, isn_resp[1] is the ack of the responder's last segment that was no answer to the SYN, or without one what the
 * opener has acknowledged first. Of a stray, isn_orig
 * and isn_resp[1] are what its two ends repeat, syn_us and synack_us since when, in ms, and isn_resp[0] is from
 * which age of the flow on it may pass.
 */
struct sw_attempt {
	struct sw_addr orig;
	struct sw_addr resp;
	__u16 orig_port;
	__u16 resp_port;
	__u32 isn_orig;
	__u32 isn_resp[2];
	__u32 syn_us;	       /* exact time of the first SYN modulo 2^32; 0: not measured */
	__u32 synack_us;       /* the same of the first valid SYN-ACK */
	__u32 started_ms;      /* first segment */
	__u16 orig_window;     /* as in the SYN, unscaled */
	__u16 resp_window;     /* as in the SYN-ACK, unscaled */
	__u16 syn_length;      /* bytes of data in the SYN */
	__u16 seen;	       /* SW_SAW_* */
	__u32 extra : 14;      /* a stray's enum sw_outcome; else see sw_resp_length() */
	__u32 beside : 1;      /* its flow had another attempt, which may have had to make way */
	__u32 phase : 3;       /* enum sw_phase; SW_PHASE_NONE: free */
	__u32 side : 7;	       /* where its opener speaks: sw_side() */
	__u32 answer_side : 7; /* where its responder does; the same: not known yet, or both there */
};

/* As many bytes of the responder are more than were counted. */
#define SW_MANY_BYTES	 0x3fffU
#define SW_AT_MOST_BYTES 0x3fffffU

/*
 * How many bytes from its ISN + 1 on the responder has sent, its FIN included, or may have. Before the final ACK
 * that is little, unless the capture or the route has lost it.
 */
static __always_inline __u32 sw_resp_length(const struct sw_attempt *attempt)
{
	return attempt->extra < SW_MANY_BYTES ? attempt->extra : SW_AT_MOST_BYTES;
}

/*
 * Where a segment is seen: the slot of the interface, and whether it leaves there. What comes in by the side of
 * one end is never of the other, whatever addresses it has; unless both are out there, on one wire.
 */
#define SW_SIDE_OUT   0x40U
#define SW_SIDE_TELLS 0x80U /* of a segment, not of an entry: only one end of a flow can be there */

static __always_inline __u8 sw_side(__u32 slot, bool leaves)
{
	return (slot & (SW_SIDE_OUT - 1)) | (leaves ? SW_SIDE_OUT : 0);
}

struct sw_handshake_bucket {
	struct sw_lock lock;
	__u16 tags[SW_WAYS]; /* 0: free */
	__u32 expires_ms[SW_WAYS];
	__u8 ranks[SW_WAYS]; /* how much there is to lose: the least goes first */
	struct sw_attempt attempts[SW_WAYS];
};

/* States of a connection. */
enum {
	SW_CONN_UNHEARD = 1 << 0, /* opened by a cookie, and the server has not been heard since */
	SW_CONN_FIN_ORIG = 1 << 1,
	SW_CONN_FIN_RESP = 1 << 2,
	SW_CONN_RST_ORIG = 1 << 3,
	SW_CONN_RST_RESP = 1 << 4,
	SW_CONN_ADOPTED = 1 << 5,    /* older than the attach: who opened it is not known */
	SW_CONN_ATTEMPT = 1 << 6,    /* a SYN came meanwhile: look at the handshakes, too */
	SW_CONN_ISNS_KNOWN = 1 << 7, /* isn_orig and isn_resp are true */
	/*
	 * No connection has both: it has ended and is counted as closed, but its place is not needed yet. If it goes
	 * on, with numbers that only its ends know, somebody else had sent what ended it.
	 */
	SW_CONN_GIVEN_UP = SW_CONN_ADOPTED | SW_CONN_ISNS_KNOWN,
};

/* What is known of one end of a connection. */
struct sw_conn_end {
	/*
	 * How far its sequence numbers have come: their upper 12 bits, SW_AT_SHIFT. Written without the lock, by its own
	 * segments; the worst is a position of another connection.
	 */
	__u16 at : 12;
	__u16 doubtful : 1; /* its RST or FIN had not its numbers */
	__u16 fastopen : 1; /* its SYN had a TFO option */
	__u16 spare : 2;
};

struct sw_connection {
	struct sw_addr orig;
	struct sw_addr resp;
	__u16 orig_port;
	__u16 resp_port;
	__u32 isn_orig;
	__u32 isn_resp;
	struct sw_conn_end ends[2]; /* of the opener and the responder */
};

struct sw_connection_bucket {
	struct sw_lock lock;
	__u16 tags[SW_WAYS]; /* 0: free */
	__u32 seen_ms[SW_WAYS];
	__u8 states[SW_WAYS]; /* SW_CONN_* */
	struct sw_connection connections[SW_WAYS];
};

/*
 * A copy of a bucket's tags, apart from it, so that all of them stay in the cache while a flood
 * asks for them at random. Old ones may be left here: whoever finds one asks the bucket.
 */
struct sw_connection_filter {
	union {
		__u16 tags[SW_WAYS];
		__u64 all;
	};
};

/*
 * Of each of so many buckets a byte, in which every tag sets one of eight bits: what stays in the
 * nearest cache, and says for most flows that the bucket has nothing of them.
 */
#define SW_HINTED 8U /* an array's element has at least as many bytes */

struct sw_hints {
	__u8 of[SW_HINTED];
};

/*
 * Whose limits an attempt counts against, for each way of a handshake bucket: 0 nobody's, else made
 * by sw_owner(). It is written under the bucket's lock, and only while a policy limits half-open
 * handshakes.
 */
struct sw_owner_bucket {
	__u16 owners[SW_WAYS];
};

/*
 * What is kept of attempts that are not followed, because more SYNs come than the table of handshakes can
 * remember for a round trip: bpf/core/glimpse.h. A line of the cache; a hash of the flow leads to it.
 */
#define SW_GLIMPSES	 7U
#define SW_GLIMPSE_LINES 32768U /* at the most: 0.2 s of a million SYNs a second */

struct sw_glimpse_line {
	__u64 words[1 +
		    SW_GLIMPSES]; /* the first: whose place was taken last, and the slot of each */
};

/* Who makes the table of handshakes as large as this wants to see all of them. */
#define SW_FOLLOWS_ALL_FROM 131072U /* buckets */

static __always_inline __u32 sw_glimpse_lines(__u32 handshake_buckets)
{
	if (handshake_buckets >= SW_FOLLOWS_ALL_FROM)
		return 1; /* which nobody uses: a map has at least one */
	return handshake_buckets < SW_GLIMPSE_LINES / 2 ? 2 * handshake_buckets : SW_GLIMPSE_LINES;
}

SW_STATIC_ASSERT(sizeof(struct sw_glimpse_line) == 64, "a line of the cache");

/*
 * What the limits know of one prefix of sources of one service. Set-associative like the others; a
 * flood of spoofed sources pushes out entries of those that have used up least.
 */
#define SW_SOURCE_WAYS	  3U
#define SW_SOURCE_BUCKETS 16384U

struct sw_source_row {
	__u32 tag;	/* 0: free */
	__u32 stamp_ms; /* when tokens was true */
	__u32 used;	/* of the burst, in thousandths of a SYN */
	__u32 half_open;
};

struct sw_source_bucket {
	struct sw_lock lock;
	__u32 pad[3];
	struct sw_source_row sources[SW_SOURCE_WAYS];
};

struct sw_source_page {
	struct sw_source_bucket of[SW_PAGE];
};

/* One source that met a rule without being dropped. Others may push it out. */
#define SW_SUSPECTS 16384U

struct sw_suspect {
	__u64 source; /* hash of its address */
	__u64 anomalies;
	__u64 limits; /* bits by enum sw_limit */
};

struct sw_suspect_page {
	struct sw_suspect of[SW_PAGE];
};

#define SW_PROVEN_SOURCES 16384U

/* What a source did that is not spoofed; an IPv6 source is its /64. Four are a cache line. */
struct sw_proven {
	__u64 source;	 /* hash of its address; 0: free */
	__u32 window_ms; /* when the present count began, or it was heard of last */
	__u32 offences;
};

struct sw_proven_line {
	struct sw_proven of[SW_WAYS];
};

struct sw_proven_page {
	struct sw_proven_line of[SW_PAGE];
};

/* A source that has answered a cookie or a challenge. Another one may take its place: then it is asked again. */
#define SW_VERIFIED_SOURCES 32768U
#define SW_VERIFIED_MS	    (60U * 1000)

struct sw_verified {
	__u16 tag;   /* 0: free */
	__u8 window; /* in which so many of its SYNs passed: the time in 128 ms, modulo 256 */
	__u8 passed;
	__u32 until_ms;
};

struct sw_verified_page {
	struct sw_verified of[SW_PAGE];
};

/*
 * So many SYNs of one source pass in a window of 128 ms: more than any client sends, and a busy proxy is
 * answered beyond that. One that has proven itself once shall not fill the listener's queue alone.
 */
#define SW_VERIFIED_WINDOW_SHIFT 7
#define SW_VERIFIED_SYNS	 16U

/*
 * Who was heard answering SYNs that come in by an interface for an address and port, and when: four
 * of them in a line of the cache, which a hash leads to. heard is a word, so that CPUs read and write
 * it as a whole: the hash's tag, the time in units of 16 ms of the coarse clock, who it was in two bits,
 * and how many VLAN tags his answer had in the next two. Times are modulo 2^32 ms.
 */
#define SW_ADDRESSEE_LINES 1024U
#define SW_ADDRESSEE_WAYS  4U

enum sw_addressee_kind {
	SW_NOBODY_HEARD,
	SW_HEARD_HERE,	    /* a listener of this host, which can be given handshakes */
	SW_HEARD_ELSEWHERE, /* another one, or something between us and it: it can be challenged for */
};

struct sw_addressee {
	__u64 heard;
	__u16 asked; /* when a SYN was let through last, to hear whether it is still so; in 16 ms */
	__u16 looked; /* when its listener was looked at last, in ms; the lowest two bits: LOOKED_* */
	__u16 mss; /* what its answers say: as the route, the MTU or a firewall on the way have it */
	__u16 few; /* 0: there is room enough; else one more than SYNs that may be answered before a look */
};

struct sw_addressees {
	struct sw_addressee of[SW_ADDRESSEE_WAYS];
};

/*
 * What was heard is believed for that long. After a second it is time to ask again: a SYN passes, and
 * another one every quarter of a second, until an answer is heard.
 */
#define SW_HEARD_VALID_MS 3000U
#define SW_HEARD_FRESH_MS 1000U
#define SW_ASK_AGAIN_MS	  250U

/* What the hand-over of an interface has noted, once a tick: a value of the map "tc_notes". */
struct sw_tc_note {
	__u32 ran_ms;	 /* when it saw a segment last */
	__u32 must_send; /* XDP cannot send by this interface: TC does */
};

/* A full accept queue is looked at in each tick in which a SYN comes; after that long nobody looked. */
#define SW_FULL_VALID_MS 200U

/*
 * Clients of a service that brought a cookie back: did the server take them? A place for each hash of a
 * source. Only packets use it; a value of the map "probes", whose keys are those of "service_state".
 */
#define SW_PROBES 16U

enum sw_probe_phase {
	SW_PROBE_FREE,
	SW_PROBE_WAITS, /* until it can be told */
	SW_PROBE_OVER,	/* the source has to wait before it may have another one */
};

struct sw_probe {
	struct sw_addr client;
	struct sw_addr server;
	__u64 flow; /* its hash */
	__u16 client_port;
	__u16 server_port;
	__u32 began_ms;
	__u32 judge_ms;	 /* when it can be told */
	__u16 phase;	 /* enum sw_probe_phase */
	__u16 interface; /* its slot */
};

struct sw_probes {
	struct sw_probe probes[SW_PROBES];
	struct sw_probe_counts counts;
};

/* Nobody is being looked at any more, and everybody may be. */
static __always_inline void sw_forget_probes(struct sw_probes *of)
{
	for (__u32 i = 0; i < SW_PROBES; i++)
		of->probes[i].phase = SW_PROBE_FREE;
}

/* Key of the map "own_addresses": an address of one host may be another's to forward to. */
struct sw_own_address {
	struct sw_addr addr;
	__u32 netns;
	__u32 pad;
};

/* Strict anomalies drop only where so many handshakes were seen from both of their sides. */
#define SW_ENOUGH_BOTH_SIDED 8

/* What is known of a service while a policy is active, or waits to be it again. */
struct sw_service_state {
	__s64 half_open;
	__u64 one_sided_ms; /* when too many attempts showed only one of their directions; 0: never */
	__u64 moved_ms; /* when too many connections came whose beginning was not seen; 0: never */
	__u32 both_sided; /* attempts that showed both directions, until there were enough */
	/* of the present window, see bpf/core/sides.h */
	__u32 window_ms;
	__u32 window_both;
	__u32 window_one;
	__u32 window_moved;
	__u32 pad;
	__u64 one_sided_sources; /* a bit for each of them, by hash */
	__u64 moved_sources;
};

SW_STATIC_ASSERT(sizeof(struct sw_source_bucket) == 64, "a cache line");
SW_STATIC_ASSERT(sizeof(struct sw_attempt) == 72, "80 bytes a handshake, its share of the head in");
SW_STATIC_ASSERT(sizeof(struct sw_handshake_bucket) == 320, "five cache lines a bucket");
SW_STATIC_ASSERT(SW_MAX_INTERFACES <= SW_SIDE_OUT, "a side names a slot");
SW_STATIC_ASSERT(sizeof(struct sw_service_state) == 64, "a cache line");
SW_STATIC_ASSERT(sizeof(struct sw_connection) == 48, "56 bytes a connection");
SW_STATIC_ASSERT(sizeof(struct sw_connection_bucket) == 224, "no hidden padding");

#endif
