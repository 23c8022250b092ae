/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_FLOOD_H
#define SYNWARD_FLOOD_H

#include "base.h"

/* When SYNs to a service are answered with cookies: X(ID, name, meaning). */
#define SW_FLOOD_MODES(X)                                                                          \
	X(OFF, off, "never")                                                                       \
	X(ADAPTIVE, adaptive, "while there is a flood")                                            \
	X(ALWAYS, always, "always")

enum sw_flood_mode {
#define X(id, name, meaning) SW_FLOOD_##id,
	SW_FLOOD_MODES(X)
#undef X
		SW_FLOOD_MODE_COUNT
};

/* What a flood of a service is, and what its end. */
struct sw_flood_rules {
	__u32 half_open; /* unfinished handshakes of the service, from which on it is one */
	__u32 syn_rate;	 /* SYNs a second, from which on it is one if most are not completed */
	__u32 calm_ms;	 /* how long less than half of that must come, or most be completed */
	__u8 mode;	 /* enum sw_flood_mode */
	__u8 self_check; /* the defence steps aside where it does more harm than good */
	__u8 pad[2];
};

#define SW_MAX_FLOOD_HALF_OPEN 16777216U
#define SW_MAX_FLOOD_SYN_RATE  100000000U
#define SW_MIN_FLOOD_CALM_MS   1000U
#define SW_MAX_FLOOD_CALM_MS   (24U * 3600 * 1000)

#define SW_DEFAULT_FLOOD_HALF_OPEN 1024U
#define SW_DEFAULT_FLOOD_SYN_RATE  5000U
#define SW_DEFAULT_FLOOD_CALM_MS   10000U

/* Why a service's SYNs are answered with cookies: X(ID, name, meaning). */
#define SW_FLOOD_REASONS(X)                                                                        \
	X(NONE, none, "they are not")                                                              \
	X(ALWAYS, always, "the policy says always")                                                \
	X(HALF_OPEN, half_open, "too many unfinished handshakes")                                  \
	X(SYN_RATE, syn_rate, "SYNs came too fast, and most were not completed")

enum sw_flood_reason {
#define X(id, name, meaning) SW_FLOOD_REASON_##id,
	SW_FLOOD_REASONS(X)
#undef X
		SW_FLOOD_REASON_COUNT
};

/* How a flood is kept off: X(ID, name, meaning). */
#define SW_FLOOD_WAYS(X)                                                                           \
	X(HANDOVER, handover, "our cookies, handed over to the listener as completed handshakes")  \
	X(KERNEL, kernel, "the kernel's cookies, which it checks by itself; no TCP options")       \
	X(CHALLENGE, challenge, "sources must answer a challenge, then their SYNs pass")

enum sw_flood_way {
#define X(id, name, meaning) SW_WAY_##id,
	SW_FLOOD_WAYS(X)
#undef X
		SW_FLOOD_WAY_COUNT
};

/* What a flood turns out to be: X(ID, name, meaning). */
#define SW_FLOOD_VERDICTS(X)                                                                       \
	X(QUIET, quiet, "quiet: hardly any SYNs")                                                  \
	X(HEALTHY, healthy, "healthy: most SYNs become connections")                               \
	X(SPOOFED, attack_spoofed,                                                                 \
	  "an attack, most likely spoofed: hardly any of very many sources completes a handshake") \
	X(FEW, attack_few_sources,                                                                 \
	  "an attack of a few sources, or a client that cannot hear the answers: hardly any "      \
	  "handshake is completed")                                                                \
	X(EARLY, too_early,                                                                        \
	  "too early to say: few sources ask, and hardly any handshake is completed yet, which "   \
	  "may be late or an attack")                                                              \
	X(STRUGGLING, busy_or_broken,                                                              \
	  "busy or broken: many handshakes are completed, but many are not")                       \
	X(QUEUE_FULL, accept_queue_full,                                                           \
	  "a busy server: its accept queue is full, it takes connections too slowly")              \
	X(LATE, completed_late, "a busy server or a slow way: handshakes are completed, but late") \
	X(SILENT, server_silent,                                                                   \
	  "a broken server: it is silent, hardly any SYN that reaches it is answered")             \
	X(REFUSING, server_refuses, "a broken server: nothing listens there, SYNs are refused")

enum sw_flood_verdict {
#define X(id, name, meaning) SW_FLOOD_##id,
	SW_FLOOD_VERDICTS(X)
#undef X
		SW_FLOOD_VERDICT_COUNT
};

/* Which way is asked for: the best one that works, or this one. */
enum sw_flood_wish {
	SW_WISH_AUTO,
#define X(id, name, meaning) SW_WISH_##id,
	SW_FLOOD_WAYS(X)
#undef X
		SW_FLOOD_WISH_COUNT
};

/* The way that a wish other than auto is for. */
#define SW_WISHED_WAY(wish) ((enum sw_flood_way)((wish)-1))

/* How often the sweeper looks, in its ticks and about in milliseconds. */
#define SW_FLOOD_TICKS	   4U
#define SW_FLOOD_PERIOD_MS 200U

/* Of how many bits the sketch of a period's sources is made. */
#define SW_FLOOD_SKETCH_BITS 1024U

/*
 * What is counted of a service to tell an attack from a server that is busy or broken, while its
 * policy has floods kept off: X(ID, name, meaning). Only ever grow.
 */
#define SW_EVIDENCE(X)                                                                             \
	X(SYNS, syns, "SYNs that came in")                                                         \
	X(ANSWERED, answered, "of these, answered in the server's stead: cookies and challenges")  \
	X(ATTEMPTS, attempts, "handshakes that the server was asked for")                          \
	X(SYNACKS, synacks, "of these, that it answered with a SYN-ACK")                           \
	X(REFUSED, refused, "of these, that it refused with a RST")                                \
	X(COMPLETED, completed, "handshakes that were completed")                                  \
	X(BY_COOKIE, by_cookie, "of these, by a cookie that came back")                            \
	X(LATE, late, "of these, so late that a SYN or a SYN-ACK had to be repeated")              \
	X(UNACCEPTED, unaccepted,                                                                  \
	  "SYN-ACKs that the server repeated although their handshake was complete")               \
	X(UNHEARD, unheard, "SYNs that were let through because nobody was heard answering there") \
	X(QUEUE_LOOKS, queue_looks, "looks at how many connections wait to be accepted")           \
	X(QUEUE_FULL, queue_full, "of these, that found no room for another one")                  \
	X(REPEATED, repeated,                                                                      \
	  "SYNs that came again although they had been answered; under a large flood a sample")    \
	X(PROVED, proved, "challenges that were answered")                                         \
	X(SERVED, served, "of a sample of cookies that came back, those that the server took")     \
	X(UNSERVED, unserved, "of the same sample, those that it did not take")

enum sw_evidence {
#define X(id, name, meaning) SW_EVIDENCE_##id,
	SW_EVIDENCE(X)
#undef X
		SW_EVIDENCE_COUNT
};

/* A mask is all the verifier asks for. */
#define SW_EVIDENCE_SLOTS 16

SW_STATIC_ASSERT(SW_EVIDENCE_COUNT <= SW_EVIDENCE_SLOTS, "all evidence has a slot");

/* What the defence of a service finds out about itself: X(ID, name, meaning). */
#define SW_CHECKS(X)                                                                               \
	X(ANSWERS, answers, "nothing speaks against it: SYNs are answered while a flood is on")    \
	X(ASIDE, aside, "it has stepped aside: SYNs pass, as without it")                          \
	X(TRIES, tries, "it has stepped aside, and tries again on a tenth of the SYNs")

enum sw_check_phase {
#define X(id, name, meaning) SW_CHECK_##id,
	SW_CHECKS(X)
#undef X
		SW_CHECK_COUNT
};

/* Why it has stepped aside: X(ID, name, meaning). */
#define SW_CHECK_REASONS(X)                                                                        \
	X(NONE, none, "it has not")                                                                \
	X(UNANSWERED, unanswered,                                                                  \
	  "SYNs came again although they had been answered, and nobody came through")              \
	X(UNSERVED, unserved, "clients proved themselves, and the server did not take them")

enum sw_check_reason {
#define X(id, name, meaning) SW_CHECK_REASON_##id,
	SW_CHECK_REASONS(X)
#undef X
		SW_CHECK_REASON_COUNT
};

/* What helped, or is tried, where the defence did not serve clients: bits of struct sw_flood_state's remedies. */
enum sw_check_remedy {
	SW_REMEDY_CONNTRACK = 1 << 0, /* it is told of handshakes; no window scale is agreed on */
	SW_REMEDY_TC = 1 << 1,	      /* answers are sent by TC, as the kernel would send them */
};

/* Each family is judged by itself: a firewall may break one of them. */
enum sw_check_family {
	SW_CHECK_IPV4,
	SW_CHECK_IPV6,
	SW_CHECK_FAMILIES,
};

/* Of a sample of who brought a cookie back: whom the server took, and whom it did not. */
struct sw_probe_counts {
	__u32 served[SW_CHECK_FAMILIES];
	__u32 unserved[SW_CHECK_FAMILIES];
};

/* Of a service; the sweeper writes it. Times are of the coarse clock. */
struct sw_self_check {
	__u32 reason;	  /* enum sw_check_reason of the last time it stepped aside */
	__u32 times;	  /* how often it did */
	__u32 since_ms;	  /* when it did last */
	__u32 changed_ms; /* since when its phase is as it is */
	__u32 pause_ms;	  /* how long it waits before it tries again */
	__u32 tried_tc;	  /* the remedy TC was tried, since the policy became active */
	__u32 told_ms;	  /* when conntrack was told of a handshake first, if it ever was */
	__u32 through_ms; /* when somebody came through last, if through */
	__u32 through;	  /* anybody has */
	/* what speaks for and against it, of late */
	__u32 repeated;
	__u32 aged_ms; /* when that was halved last */
	struct sw_probe_counts recent;
	struct sw_probe_counts last; /* all that was counted until the last look */
	/* what spoke when it stepped aside */
	__u32 found_repeated;
	__u32 found_served;
	__u32 found_unserved;
	__u32 found_family; /* enum sw_check_family of these two */
	__u32 pad;
};

/* A handshake that takes longer has had a segment repeated: that is after 1 s (RFC 6298 2.1). */
#define SW_LATE_MS 900

/* Of some time: a period that the sweeper looked at, or several. */
struct sw_flood_evidence {
	__u64 counts[SW_EVIDENCE_SLOTS];
	__u32 ms;	   /* how long it was */
	__u32 half_open;   /* unfinished handshakes at its end; of several periods, the most */
	__u32 source_bits; /* that a period's sources have set in the sketch; the most */
	__u32 queue;	   /* connections that waited to be accepted; the most */
	__u32 queue_room;  /* how many may wait; 0: nobody looked */
	__u32 pad;
};

/*
 * A service's flood, while a policy is active: one value of the map "floods", whose keys are those
 * of "service_state". The sweeper writes it; packets set bits of the sketch, and note the queue.
 */
struct sw_flood_state {
	__u32 on;	  /* SYNs are answered with cookies */
	__u32 honour;	  /* cookies that were sent may still come back: until honour_ms */
	__u32 honour_ms;  /* these times are of the coarse clock */
	__u32 changed_ms; /* since when on is as it is */
	__u32 calm_ms;	  /* since when there is no flood any more, while on */
	__u8 reason;	  /* enum sw_flood_reason of the last time it was on */
	__u8 pad8[3];
	__u32 floods;	 /* how often it went on */
	__u32 left_open; /* unfinished handshakes when it went off: an old flood's, not a new one's */
	/* the last period, as packets read it: a second's worth, and what is unfinished */
	__u32 syn_rate;
	__u32 completed_rate;
	__u32 half_open;
	__u32 looked_ms;
	/* the accept queue since then */
	__u32 queue_looked_ms;
	__u32 queue;
	__u32 queue_room;
	__u8 check_phase;   /* enum sw_check_phase */
	__u8 sample_shift;  /* of so many SYNs, as a power of two, one is remembered */
	__u8 second_chance; /* so many repeated SYNs may still pass, where sources are challenged */
	__u8 remedies;	    /* enum sw_check_remedy */
	__u64 on_ms;	    /* for how long it was on, all in all */
	__u64 totals[SW_EVIDENCE_SLOTS]; /* all that was counted, when it was looked at last */
	struct sw_flood_evidence period; /* the last one */
	struct sw_flood_evidence began;	 /* the one that made it go on */
	struct sw_flood_evidence whole;	 /* from that one on, until it went off */
	__u64 sources[SW_FLOOD_SKETCH_BITS / 64]; /* a bit for each hash of a source since then */
	struct sw_self_check check;
	__u32 tracked; /* by packets: conntrack looks at what the service answers, and can be told of it */
	__u32 pad;
};

SW_STATIC_ASSERT(sizeof(struct sw_flood_rules) == 16, "no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_self_check) == 96, "no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_flood_evidence) == 152, "no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_flood_state) == 64 + 8 + 128 + 3 * 152 + 128 + 96 + 8,
		 "no hidden padding");

#endif
