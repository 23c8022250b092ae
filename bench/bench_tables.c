// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench_tables: how many live connections are pushed out of their table by others, as it fills. The tables' own
 * code, as host C: random flows are opened by their three segments and stay, none of them ends.
 */
#include "../user/base/cleanup.h"

/* the core's loops say how the BPF compiler is to unroll them */
#pragma GCC diagnostic ignored "-Wunknown-pragmas"

#include "../bpf/core/follow.h"
#include "../bpf/core/hash.h"
#include "../bpf/core/wire.h"
#include "dice.h"
#include "results.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Small tables are filled again and again, until so many entries were: one alone says little. */
#define ENTRIES 262144U

static const uint32_t sizes[] = { 1024, 16384, 131072, 1048576 };
static const uint32_t percents[] = { 25, 50, 80, 90, 120 };

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const __u32 timeouts[SW_TIMEOUT_COUNT] = {
#define X(id, name, ms, meaning) [SW_TIMEOUT_##id] = ms,
	SW_TIMEOUTS(X)
#undef X
};

struct table {
	struct sw_connection_bucket *buckets;
	uint32_t size; /* in entries */
	__u64 seed[2];
	__u32 now_ms;
	uint64_t opened;
	uint64_t evicted;
};

static struct sw_packet random_syn(void)
{
	struct sw_packet syn = { .kind = SW_KIND_TCP,
				 .flags = WIRE_TCP_SYN,
				 .seq = (__u32)roll(),
				 .sport = 1024 + roll() % 64512,
				 .dport = 443,
				 .window = 64240 };

	syn.src.words[2] = syn.dst.words[2] = SW_V4_MAPPED_WORD;
	syn.src.words[3] = (__u32)roll();
	syn.dst.words[3] = sw_htonl(0xc0000202);
	return syn;
}

/* What the other end answers, or the same one next. */
static struct sw_packet answer(const struct sw_packet *to, __u16 flags, __u32 seq)
{
	return (struct sw_packet){ .kind = SW_KIND_TCP,
				   .src = to->dst,
				   .dst = to->src,
				   .sport = to->dport,
				   .dport = to->sport,
				   .flags = flags,
				   .seq = seq,
				   .ack = to->seq + 1,
				   .window = 64240 };
}

static void follow(struct table *table, struct sw_handshake_bucket *handshakes,
		   const struct sw_packet *packet, enum sw_segment segment)
{
	__u64 hash = sw_flow_hash(packet, table->seed);
	enum sw_relation relation = SW_RELATION_NONE;
	struct sw_place place = {
		.handshakes = handshakes,
		.timeout_ms = timeouts,
		.now.ms = table->now_ms,
		.tag = sw_tag(hash),
	};
	const struct sw_table of = { .buckets = table->buckets, .size = table->size / SW_WAYS };
	struct sw_finding finding;
	const struct sw_room room = { &place.now, timeouts, &finding.connection };

	sw_finding_init(&finding);
	place.connections = &table->buckets[sw_bucket_for(&of, hash, packet, &room)];
	if (!sw_follow_connection(&place, packet, segment, &finding, &relation) &&
	    sw_follow_handshake(&place, packet, segment, relation, &finding))
		sw_tell_connections(&place, packet, &finding);
	table->opened += finding.connection.opened;
	table->evicted += finding.connection.evicted;
}

/* One more, a millisecond after the last one. */
static void open_connection(struct table *table)
{
	struct sw_handshake_bucket handshakes = {};
	struct sw_packet syn = random_syn(), synack, ack;

	synack = answer(&syn, WIRE_TCP_SYN | WIRE_TCP_ACK, (__u32)roll());
	ack = answer(&synack, WIRE_TCP_ACK, synack.ack);
	follow(table, &handshakes, &syn, SW_SEGMENT_SYN);
	follow(table, &handshakes, &synack, SW_SEGMENT_SYNACK);
	follow(table, &handshakes, &ack, SW_SEGMENT_ACK);
	table->now_ms++;
}

/* Empties a table and opens so many percent of what it holds. */
static void fill(struct table *table, uint32_t percent)
{
	memset(table->buckets, 0, table->size / SW_WAYS * sizeof(*table->buckets));
	table->seed[0] = roll();
	table->seed[1] = roll();
	for (uint64_t i = 0; i < (uint64_t)table->size * percent / 100; i++)
		open_connection(table);
}

static int measure(uint32_t size, uint32_t percent, struct table *table)
{
	uint32_t times = size < ENTRIES ? ENTRIES / size : 1;
	SW_AUTO_FREE struct sw_connection_bucket *buckets = calloc(size / SW_WAYS,
								   sizeof(*buckets));
	uint64_t expected = (uint64_t)times * ((uint64_t)size * percent / 100);

	*table = (struct table){ .buckets = buckets, .size = size, .now_ms = 1 };
	if (!buckets)
		return -ENOMEM;
	while (times--)
		fill(table, percent);
	/* two random flows are the same one hardly ever */
	if (table->opened + expected / 1000 < expected)
		return sw_error(EPROTO, "of %llu handshakes only %llu made a connection",
				(unsigned long long)expected, (unsigned long long)table->opened);
	return 0;
}

static double share(const struct table *table)
{
	return 100.0 * (double)table->evicted / (double)table->opened;
}

static json_t *as_json(uint32_t percent, const struct table *table)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:o}", "entries", (json_int_t)table->size,
			 "filled_percent", (json_int_t)percent, "opened", (json_int_t)table->opened,
			 "evicted", (json_int_t)table->evicted, "evicted_percent",
			 result_number(share(table), 4));
}

static void print_heading(void)
{
	printf("live connections that others pushed out, percent of those opened\n%-12s",
	       "entries");
	for (size_t i = 0; i < COUNT(percents); i++)
		printf("  %6u %%", percents[i]);
	printf("  filled\n");
}

/* What no table can keep. */
static void print_bound(void)
{
	printf("%-12s", "no room");
	for (size_t i = 0; i < COUNT(percents); i++)
		printf("  %8.3f",
		       percents[i] > 100 ? 100 - 100.0 * 100 / (double)percents[i] : 0.0);
	printf("\n");
}

int main(void)
{
	json_t *rows = json_array();
	int error = 0;

	print_heading();
	for (size_t i = 0; i < COUNT(sizes) && !error; i++) {
		printf("%-12u", sizes[i]);
		for (size_t j = 0; j < COUNT(percents) && !error; j++) {
			struct table table;

			error = measure(sizes[i], percents[j], &table);
			if (error)
				break;
			printf("  %8.3f", share(&table));
			fflush(stdout);
			json_array_append_new(rows, as_json(percents[j], &table));
		}
		printf("\n");
	}
	print_bound();
	if (!error)
		error = results_write(json_pack("{s:O}", "evictions", rows));
	json_decref(rows);
	if (error) {
		sw_error_report(error, false);
		return SW_EXIT_FAILURE;
	}
	return SW_EXIT_OK;
}
