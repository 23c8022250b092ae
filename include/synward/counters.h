/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_COUNTERS_H
#define SYNWARD_COUNTERS_H

#include "anomaly.h"
#include "base.h"
#include "flood.h"
#include "limit.h"
#include "outcome.h"
#include "verdict.h"

/*
 * Latencies in microseconds, log-linear: below 8 us one bucket a microsecond, above that four to
 * each doubling, so that a percentile is never off by more than a fifth of itself. The last bucket
 * takes everything over 2^27 us (134 s).
 */
#define SW_HIST_LINEAR	8
#define SW_HIST_SUB	4
#define SW_HIST_OCTAVES 24 /* 2^3 to 2^27 us */
#define SW_HIST_BUCKETS (SW_HIST_LINEAR + SW_HIST_OCTAVES * SW_HIST_SUB + 1)

/* a power of two, so that a mask is all the verifier asks for */
#define SW_HIST_SLOTS 128

struct sw_histogram {
	__u64 sum_us;
	__u64 buckets[SW_HIST_SLOTS];
};

SW_STATIC_ASSERT(SW_HIST_BUCKETS <= SW_HIST_SLOTS, "every bucket has a slot");

/* Where a latency falls. */
static __always_inline __u32 sw_hist_bucket(__u32 us)
{
	__u32 octave = 0, rest = us >> 3;

	if (us < SW_HIST_LINEAR)
		return us;
	if (us >> (3 + SW_HIST_OCTAVES))
		return SW_HIST_BUCKETS - 1;
	/* floor(log2(us)) - 3 by halving: BPF has no instruction that counts leading zeros */
	if (rest >> 16)
		rest >>= 16, octave += 16;
	if (rest >> 8)
		rest >>= 8, octave += 8;
	if (rest >> 4)
		rest >>= 4, octave += 4;
	if (rest >> 2)
		rest >>= 2, octave += 2;
	if (rest >> 1)
		octave += 1;
	return SW_HIST_LINEAR + octave * SW_HIST_SUB + ((us >> (octave + 1)) & (SW_HIST_SUB - 1));
}

/* The lowest latency, in microseconds, that is above everything in the bucket; the last has none. */
static __always_inline __u64 sw_hist_bound(__u32 bucket)
{
	__u32 octave, sub;

	if (bucket < SW_HIST_LINEAR)
		return bucket + 1;
	octave = (bucket - SW_HIST_LINEAR) / SW_HIST_SUB;
	sub = (bucket - SW_HIST_LINEAR) % SW_HIST_SUB;
	return (__u64)(SW_HIST_SUB + sub + 1) << (octave + 1);
}

/* X(ID, name, meaning): what happened to the tables and the event stream. Only ever grow. */
#define SW_TALLIES(X)                                                                              \
	X(ATTEMPTS_OPENED, attempts_opened, "entries made in the handshake table")                 \
	X(ATTEMPTS_CLOSED, attempts_closed, "entries that left the handshake table")               \
	X(ATTEMPTS_EVICTED, attempts_evicted,                                                      \
	  "unfinished attempts pushed out of a full line before their outcome was known")          \
	X(ATTEMPTS_UNFOLLOWED, attempts_unfollowed,                                                \
	  "attempts counted and not entered: more came than the table can remember")               \
	X(ATTEMPTS_RECOGNISED, attempts_recognised,                                                \
	  "those of them, or of those pushed out meanwhile, whose outcome a later segment told")   \
	X(CONNECTIONS_OPENED, connections_opened, "entries made in the connections table")         \
	X(CONNECTIONS_CLOSED, connections_closed, "entries that left the connections table")       \
	X(CONNECTIONS_EVICTED, connections_evicted,                                                \
	  "live connections pushed out of a full line by newer ones")                              \
	X(CONNECTIONS_ADOPTED, connections_adopted,                                                \
	  "connections that the kernel vouched for on their first segment")                        \
	X(SEGMENTS_SKIPPED, segments_skipped,                                                      \
	  "segments passed unfollowed: another CPU held their line for too long")                  \
	X(COOKIES_SENT, cookies_sent, "SYNs answered with a cookie")                               \
	X(CHALLENGES_SENT, challenges_sent, "SYNs answered with a challenge")                      \
	X(COOKIES_ACCEPTED, cookies_accepted, "handshakes completed by a valid cookie")            \
	X(COOKIES_UNSENT, cookies_unsent,                                                          \
	  "SYNs under a flood that could not be answered, and were dropped")                       \
	X(HANDOVERS, handovers, "cookie's handshakes handed over to their listener")               \
	X(HANDOVERS_FAILED, handovers_failed, "those that the kernel would not take")              \
	X(HANDOVERS_REPLAYED, handovers_replayed,                                                  \
	  "cookies that came again when their connection was over: left to be reset")              \
	X(HANDOVERS_HELD_BACK, handovers_held_back,                                                \
	  "segments behind a cookie that has not been taken, dropped: they will be sent again")    \
	X(AUTO_BLOCKS, auto_blocks, "sources blocked for what they did")                           \
	X(AUTO_BLOCKS_REFUSED, auto_blocks_refused,                                                \
	  "sources not blocked, as the policy's maximum was reached")                              \
	X(EVENTS_SENT, events_sent, "events written into the journal")                             \
	X(EVENTS_SUPPRESSED, events_suppressed, "events over the budget of their CPU")             \
	X(EVENTS_LOST, events_lost, "events whose place in the journal was not to be had")

enum sw_tally {
#define X(id, name, meaning) SW_TALLY_##id,
	SW_TALLIES(X)
#undef X
		SW_TALLY_COUNT
};

/* The two measured latencies: X(ID, name, meaning). */
#define SW_LATENCIES(X)                                                                            \
	X(SYN_TO_SYNACK, syn_to_synack, "first SYN to the first SYN-ACK: the server's time")       \
	X(SYNACK_TO_ACK, synack_to_ack, "first SYN-ACK to the final ACK: the client's round trip")

enum sw_latency {
#define X(id, name, meaning) SW_LATENCY_##id,
	SW_LATENCIES(X)
#undef X
		SW_LATENCY_COUNT
};

/*
 * What speaks for and against arming a rule: how many sources met it without being dropped, and how
 * many of those completed a handshake later, so that dropping would have harmed somebody real. A
 * source counts anew each time it has completed one.
 */
struct sw_score {
	__u64 anomalies_suspects[SW_ANOMALY_COUNT];
	__u64 anomalies_cleared[SW_ANOMALY_COUNT];
	__u64 limits_suspects[SW_LIMIT_SLOTS];
	__u64 limits_cleared[SW_LIMIT_SLOTS];
	__u64 forgotten; /* suspects pushed out by others: what is said of them is too little */
};

/* Of one CPU and one service since its policy was applied (the map "service_counts"). */
struct sw_service_counters {
	__u64 completed;
	__u64 anomalies;
	__u64 dropped;
	__u64 cookies_sent; /* as the tallies of these names */
	__u64 challenges_sent;
	__u64 cookies_unsent;
	__u64 floods;			   /* began, ... */
	__u64 flood_ms;			   /* ... were on for so long, ... */
	__u64 steps_aside;		   /* ... and so often the defence stepped aside */
	__u64 limits[SW_LIMIT_SLOTS];	   /* met, whether or not they dropped */
	__u64 evidence[SW_EVIDENCE_SLOTS]; /* by enum sw_evidence */
};

/* Of one CPU, over all interfaces (the map "counters"). */
struct sw_counters {
	__u64 outcomes[SW_OUTCOME_COUNT];
	/* each by itself: a difference of two that are read one after the other may fall */
	__u64 anomalies_seen[SW_ANOMALY_COUNT];
	__u64 anomalies_passed[SW_ANOMALY_COUNT]; /* neither dropped nor to be dropped */
	__u64 anomalies_would_drop[SW_ANOMALY_COUNT];
	__u64 anomalies_dropped[SW_ANOMALY_COUNT];
	__u64 limits_seen[SW_LIMIT_SLOTS];
	__u64 limits_would_drop[SW_LIMIT_SLOTS];
	__u64 limits_dropped[SW_LIMIT_SLOTS];
	struct sw_score score;
	__u64 tallies[SW_TALLY_COUNT];
	/* how the attempts ended that were entered while others were only counted: they speak for those */
	__u64 sampled[SW_OUTCOME_COUNT];
	struct sw_histogram latencies[SW_LATENCY_COUNT];
};

enum sw_direction {
	SW_INGRESS,
	SW_EGRESS,
	SW_DIRECTION_COUNT,
};

/* Of one CPU, one interface and one direction. seen = sum of verdicts = sum of kinds + forwarded. */
struct sw_traffic {
	__u64 seen;
	__u64 bytes;
	__u64 verdicts[SW_VERDICT_SLOTS];
	__u64 kinds[SW_KIND_SLOTS];
	__u64 forwarded; /* leaving, but already tracked when it came in on another interface */
};

struct sw_interface_traffic {
	struct sw_traffic directions[SW_DIRECTION_COUNT];
};

#endif
