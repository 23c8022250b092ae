/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_HOST_H
#define SYNWARD_TESTS_HOST_H

/*
 * The whole way of a packet on the host, in the order of inspect() in bpf/pipeline.h: the core's
 * own code, around it tables on the heap and one set of counters. What it is compared with is the
 * BPF program, so nothing here is shared with that but the core, and its shortcuts are not taken.
 */

/* the core's loops say how the BPF compiler is to unroll them */
#pragma GCC diagnostic ignored "-Wunknown-pragmas"

#include "../../bpf/core/checksum.h"
#include "../../bpf/core/decide.h"
#include "../../bpf/core/follow.h"
#include "../../bpf/core/hash.h"
#include "../../bpf/core/parse.h"
#include "../../bpf/core/sanity.h"
#include "../../bpf/core/sides.h"
#include "../../include/synward/config.h"
#include "../../include/synward/counters.h"
#include "frames.h"
#include "live_entries.h"

#include <stdio.h>

/* How a world is set up; the BPF side takes the same. */
struct setup {
	__u32 handshake_buckets;
	__u32 connection_buckets;
	__u64 seed[2];
	__u64 start_ns;
	bool checksums;
	__u32 followed; /* attempts that a CPU enters in a window of 16 ms; 0: all */
	__u32 burst;	/* and at once */
	bool live;	/* the program has the kernel's clocks, not those of the test */
	bool frags;	/* the one for frames in several buffers is loaded, too */
	bool tc;	/* and that by which TC sees what comes in */
	struct sw_settings settings;
	struct sw_rules rules; /* of everything: there is no service */
};

/* An hour after the clocks began: neither of them is near its wrap. */
#define ORDINARY_START_NS (3600ULL * 1000 * 1000 * 1000)
#define NS_PER_MS	  1000000ULL

static inline struct setup setup_ordinary(void)
{
	struct setup setup = {
		.handshake_buckets = 64,
		.connection_buckets = 64,
		.seed = { 0x0123456789abcdef, 0xfedcba9876543210 },
		.start_ns = ORDINARY_START_NS,
		.settings = {
			.timeout_ms = {
#define X(id, name, ms, meaning) [SW_TIMEOUT_##id] = ms,
				SW_TIMEOUTS(X)
#undef X
			},
			.event_anomalies = SW_MASK_DROP | SW_MASK_DROP_SYM,
		},
	};

	sw_rules_default(&setup.rules);
	return setup;
}

/* The same with so many buckets in each table. */
static inline struct setup setup_of_buckets(__u32 buckets)
{
	struct setup setup = setup_ordinary();

	setup.handshake_buckets = buckets;
	setup.connection_buckets = buckets;
	return setup;
}

/* Every anomaly that a policy may drop is in force, at once. */
static inline void setup_enforce(struct setup *setup, __u64 drop)
{
	setup->rules.drop = drop;
	setup->rules.enforce = 1;
}

/* What came of it so far. */
struct result {
	struct sw_counters counters;
	struct sw_traffic traffic[SW_DIRECTION_COUNT];
	__u64 events; /* made, whether or not they were sent */
};

struct host {
	struct setup setup;
	struct sw_handshake_bucket *handshakes;
	struct sw_connection_bucket *connections;
	__u64 now_ns;
	struct result result;
	struct sw_finding finding;
	struct sw_service_state service; /* the only one */
};

static inline void host_open(struct host *host, const struct setup *setup)
{
	*host = (struct host){ .setup = *setup, .now_ns = setup->start_ns };
	host->handshakes = calloc(setup->handshake_buckets, sizeof(*host->handshakes));
	host->connections = calloc(setup->connection_buckets, sizeof(*host->connections));
	assert(host->handshakes && host->connections);
}

static inline void host_close(struct host *host)
{
	free(host->handshakes);
	free(host->connections);
}

static inline struct sw_now host_now(const struct host *host)
{
	return (struct sw_now){ .ms = host->now_ns / NS_PER_MS };
}

static inline __u32 host_us(const struct host *host)
{
	return host->now_ns / 1000 | 1;
}

/* ---- counting */

static inline void tally(struct host *host, enum sw_tally which, __u64 n)
{
	host->result.counters.tallies[which] += n;
}

static inline void count_set(__u64 *table, __u64 bits)
{
	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++)
		table[i] += bits >> i & 1;
}

static inline void count_us(struct host *host, enum sw_latency which, __u32 us)
{
	struct sw_histogram *histogram = &host->result.counters.latencies[which];

	histogram->buckets[sw_hist_bucket(us)]++;
	histogram->sum_us += us;
}

static inline void host_count_end(struct host *host, const struct sw_handshake_step *step)
{
	if (step->end == SW_END_JUDGED)
		host->result.counters.outcomes[step->outcome]++;
	else if (step->end == SW_END_EVICTED)
		tally(host, SW_TALLY_ATTEMPTS_EVICTED, 1);
	else
		return;
	tally(host, SW_TALLY_ATTEMPTS_CLOSED, 1);
	host->result.events++;
}

/* Which sides of handshakes have been seen, as strict anomalies need to know. */
static inline void note_sides(struct host *host, const struct sw_handshake_step *step)
{
	if (step->completed == SW_OUTCOME_ACCEPTED)
		sw_saw_both_sides(&host->service, host->now_ns / NS_PER_MS);
	else if (step->end == SW_END_JUDGED && step->outcome == SW_OUTCOME_ONE_SIDED &&
		 !step->ended.beside)
		sw_saw_one_side(&host->service, &step->ended.orig, host->setup.seed,
				host->now_ns / NS_PER_MS);
}

/* Were connections pushed out that may come back? */
static inline bool host_has_forgotten(const struct host *host)
{
	__u64 evicted_ms = host->setup.settings.evicted_ms;

	return evicted_ms && host->now_ns / NS_PER_MS - evicted_ms <
				     host->setup.settings.timeout_ms[SW_TIMEOUT_ESTABLISHED];
}

static inline void host_note_eviction(struct host *host)
{
	__u64 *evicted_ms = &host->setup.settings.evicted_ms, now_ms = host->now_ns / NS_PER_MS;

	if (!*evicted_ms || now_ms - *evicted_ms >= 1000)
		*evicted_ms = now_ms;
}

static inline enum sw_verdict host_conclude(struct host *host, const struct sw_finding *finding,
					    enum sw_direction direction)
{
	const struct sw_handshake_step *step = &finding->handshake;
	const struct sw_settings *set = &host->setup.settings;
	const struct sw_standing standing = {
		.symmetric = step->belongs,
		.ready = sw_is_ready(&host->setup.rules, &host->service, set->watching_since_ms[0],
				     host->now_ns / NS_PER_MS),
		.enforced = direction == SW_INGRESS && host->setup.rules.enforce,
	};
	__u64 forgotten = (host_has_forgotten(host) || step->repeats ? SW_BIT(MIDSTREAM) : 0) |
			  (sw_is_full(&step->view) ? SW_BIT(UNSOLICITED_SYNACK) : 0);
	struct sw_decision decision = sw_decide(finding->anomalies & ~step->tolerated & ~forgotten,
						&host->setup.rules, &standing);
	struct sw_counters *counters = &host->result.counters;

	count_set(counters->anomalies_seen, finding->anomalies);
	count_set(counters->anomalies_passed,
		  finding->anomalies & ~(decision.would_drop | decision.dropped));
	count_set(counters->anomalies_would_drop, decision.would_drop);
	count_set(counters->anomalies_dropped, decision.dropped);
	if (finding->connection.evicted || finding->connection.forgot)
		host_note_eviction(host);
	note_sides(host, step);
	host_count_end(host, step);
	if (step->stray != SW_OUTCOME_NONE)
		counters->outcomes[step->stray]++;
	if (step->opened && step->stray == SW_OUTCOME_NONE)
		tally(host, SW_TALLY_ATTEMPTS_OPENED, 1);
	tally(host, SW_TALLY_CONNECTIONS_OPENED, finding->connection.opened);
	tally(host, SW_TALLY_CONNECTIONS_CLOSED, finding->connection.closed);
	tally(host, SW_TALLY_CONNECTIONS_EVICTED, finding->connection.evicted);
	if (step->latency_new)
		count_us(host, SW_LATENCY_SYN_TO_SYNACK, step->syn_to_synack_us);
	if (step->completed != SW_OUTCOME_NONE && step->ended.synack_us)
		count_us(host, SW_LATENCY_SYNACK_TO_ACK, host_us(host) - step->ended.synack_us);
	if (step->stray != SW_OUTCOME_NONE || finding->anomalies & set->event_anomalies)
		host->result.events++;
	return decision.verdict;
}

/* ---- one packet */

/* Reads exactly the bytes that are there, in memory of their own, whose end the sanitizer guards. */
static inline void host_parse(const struct setup *setup, const struct frame *frame,
			      struct sw_packet *packet)
{
	__u8 *room = malloc(2 + frame->captured);
	struct sw_cursor cursor = { room + 2, room + 2 + frame->captured }, tcp;

	assert(room);
	memcpy(room + 2, frame->bytes, frame->captured);
	memset(packet, 0, sizeof(*packet));
	sw_parse_all(&cursor, frame->length, packet);
	tcp = cursor;
	if (setup->checksums) {
		cursor.pos = room + 2;
		sw_check_ip_sum(&cursor, packet);
		if (packet->kind == SW_KIND_TCP)
			tcp.pos -= sizeof(struct wire_tcp);
		sw_check_tcp_sum(&tcp, packet);
	}
	free(room);
}

/* Where a packet is seen, as the program of the first interface sees it. */
static inline __u8 host_side(struct host *host, enum sw_direction direction)
{
	return sw_side(0, direction == SW_EGRESS) |
	       (direction == SW_INGRESS && host->setup.settings.forwarders ? SW_SIDE_TELLS : 0);
}

static inline struct sw_table host_table(const struct host *host)
{
	return (struct sw_table){ .buckets = host->connections,
				  .size = host->setup.connection_buckets };
}

/* Where a new connection goes. */
static inline void host_find_room(struct host *host, const struct sw_packet *packet,
				  struct sw_place *place, struct sw_connection_change *change)
{
	struct sw_table table = host_table(host);
	const struct sw_room room = { &place->now, place->timeout_ms, change };
	__u32 index = sw_bucket_for(&table, sw_flow_hash(packet, host->setup.seed), packet, &room);

	place->connections = &host->connections[index];
}

static inline struct sw_place host_place(struct host *host, const struct sw_packet *packet,
					 enum sw_direction direction)
{
	const struct setup *setup = &host->setup;
	__u64 hash = sw_flow_hash(packet, setup->seed);
	__u32 handshake = sw_bucket_index(hash, setup->handshake_buckets);
	struct sw_table table = host_table(host);
	__u32 connection = sw_find_bucket(&table, hash, packet);

	if (connection >= table.size)
		connection = sw_bucket_index(hash, table.size);
	return (struct sw_place){ .handshakes = &host->handshakes[handshake],
				  .connections = &host->connections[connection],
				  .timeout_ms = setup->settings.timeout_ms,
				  .side = host_side(host, direction),
				  .now = host_now(host),
				  .tag = sw_tag(hash) };
}

/* Is a packet dropped for what it is by itself, before anything is asked about its flow? */
static inline bool host_drops_alone(struct host *host, __u64 anomalies)
{
	const struct sw_standing standing = { .enforced = host->setup.rules.enforce };
	struct sw_decision decision = sw_decide(anomalies, &host->setup.rules, &standing);

	if (!decision.dropped)
		return false;
	count_set(host->result.counters.anomalies_seen, anomalies);
	count_set(host->result.counters.anomalies_passed, anomalies & ~decision.dropped);
	count_set(host->result.counters.anomalies_dropped, decision.dropped);
	host->result.events += !!(anomalies & host->setup.settings.event_anomalies);
	return true;
}

/* Is a flow older than the attach, or one that has moved, as far as a forwarding host can know? */
static inline bool host_learns(struct host *host, const struct sw_packet *packet,
			       const struct sw_finding *finding)
{
	const struct sw_handshake_step *step = &finding->handshake;
	__u64 now_ms = host->now_ns / NS_PER_MS;

	if (!finding->unknown || !step->two_sided || !host->setup.rules.strict)
		return false;
	if (now_ms - host->setup.settings.watching_since_ms[0] < host->setup.rules.warm_up_ms)
		return true;
	if (!step->apart)
		return step->heard;
	if (!step->heard && !sw_is_suspended(&host->setup.rules, &host->service, now_ms))
		return false;
	if (!host_has_forgotten(host))
		sw_saw_moved(&host->service,
			     packet->sport > packet->dport ? &packet->src : &packet->dst,
			     host->setup.seed, now_ms);
	return true;
}

static inline enum sw_verdict host_inspect(struct host *host, const struct sw_packet *packet,
					   enum sw_direction direction)
{
	__u64 anomalies = sw_sanity(packet);
	enum sw_segment segment = sw_classify(packet, anomalies);
	enum sw_relation relation = SW_RELATION_NONE;
	struct sw_finding *finding = &host->finding;
	struct sw_place place;

	if (segment == SW_SEGMENT_NONE && !anomalies)
		return SW_VERDICT_PASSED;
	if (direction == SW_INGRESS && host_drops_alone(host, anomalies))
		return SW_VERDICT_DROPPED;
	place = host_place(host, packet, direction);
	if (segment == SW_SEGMENT_SYN || segment == SW_SEGMENT_SYNACK)
		place.now.us = host_us(host);
	if (sw_is_plain(packet) && sw_connection_quick(&place, packet, SW_SEGMENT_ACK)) {
		/* the program does not even look for anomalies then */
		assert(!anomalies && segment == SW_SEGMENT_ACK);
		return SW_VERDICT_PASSED;
	}
	if (!anomalies && sw_connection_quick(&place, packet, segment))
		return SW_VERDICT_PASSED;
	/* as in the program: what one packet leaves there is no news of the next */
	memset(finding, 0xa5, sizeof(*finding));
	sw_finding_init(finding);
	if (segment != SW_SEGMENT_NONE &&
	    !sw_follow_connection(&place, packet, segment, finding, &relation) &&
	    sw_follow_handshake(&place, packet, segment, relation, finding)) {
		if (finding->handshake.completed != SW_OUTCOME_NONE)
			host_find_room(host, packet, &place, &finding->connection);
		sw_tell_connections(&place, packet, finding);
	}
	if (host_learns(host, packet, finding)) {
		finding->handshake.tolerated |= SW_BIT(MIDSTREAM);
		host_find_room(host, packet, &place, &finding->connection);
		sw_follow_adopted(&place, packet, finding);
		tally(host, SW_TALLY_CONNECTIONS_ADOPTED, 1);
	}
	finding->anomalies |= anomalies;
	if (finding->handshake.denies && host->setup.rules.strict)
		finding->anomalies |= SW_BIT(MIDSTREAM);
	return host_conclude(host, finding, direction);
}

/* One frame, at the time host->now_ns. */
static inline enum sw_verdict host_frame(struct host *host, const struct frame *frame,
					 enum sw_direction direction)
{
	struct sw_traffic *traffic = &host->result.traffic[direction];
	struct sw_packet packet;
	enum sw_verdict verdict;

	host_parse(&host->setup, frame, &packet);
	verdict = host_inspect(host, &packet, direction);
	traffic->seen++;
	traffic->bytes += frame->length;
	traffic->verdicts[verdict]++;
	traffic->kinds[packet.kind]++;
	return verdict;
}

/* One segment, after the time that it says passes before it. */
static inline void host_segment(struct host *host, const struct segment *segment, bool v6)
{
	struct frame frame;

	host->now_ns += segment->after_ms * NS_PER_MS + segment->after_us * 1000ULL;
	frame_build(&frame, segment, v6);
	host_frame(host, &frame, SW_INGRESS);
}

/* ---- what the sweeper does */

/* With force, every attempt ends as if silence followed. */
static inline void host_sweep(struct host *host, bool force)
{
	struct sw_now now = host_now(host);

	for (__u32 i = 0; i < host->setup.handshake_buckets * SW_WAYS; i++) {
		struct sw_handshake_bucket *bucket = &host->handshakes[i / SW_WAYS];
		struct sw_handshake_step step = { .completed = SW_OUTCOME_NONE };

		if (!bucket->tags[i % SW_WAYS])
			continue;
		if (force)
			bucket->expires_ms[i % SW_WAYS] = now.ms - 1;
		sw_sweep_attempt(bucket, i % SW_WAYS, &now, host->setup.settings.timeout_ms, &step);
		note_sides(host, &step);
		if (step.end == SW_END_JUDGED)
			host_count_end(host, &step);
	}
}

/* With force, every connection ends. */
static inline void host_sweep_connections(struct host *host, bool force)
{
	struct sw_now now = host_now(host);

	for (__u32 i = 0; i < host->setup.connection_buckets * SW_WAYS; i++)
		tally(host, SW_TALLY_CONNECTIONS_CLOSED,
		      sw_sweep_connection(&host->connections[i / SW_WAYS], i % SW_WAYS, &now,
					  host->setup.settings.timeout_ms, force,
					  host->setup.rules.strict));
}

#endif
