// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The core as the host's compiler has it and the loaded program must agree on everything: the same
 * random sequences through both, and then every counter and every byte of both tables compared.
 *
 * Through sw_egress packet by packet, with the comparison after each sequence; through sw_xdp as a
 * replay feeds it, many sequences in a call, with the comparison after each call. MODEL_SEED names
 * the first sequence's seed, MODEL_SEQUENCES how many follow.
 */
#include "../lib/sequences.h"
#include "../lib/prog.h"
#include "../lib/random.h"

#define LENGTH	      40
#define PER_FEED      (SW_REPLAY_BATCH / LENGTH)
#define SEQUENCES     3000
#define TRUST_IN      4 /* sequences, after which a trust that was lost can be earned again */
#define EVENT_RECORDS 1024U

static __u64 first_seed = 1;
static __u64 sequences = SEQUENCES;

static struct random_sequence begin(__u64 seed)
{
	return (struct random_sequence){ .dice.state = seed * 0x2545f4914f6cdd1d };
}

/* Of each sequence the seed decides that, too. */
static bool is_v6(__u64 seed)
{
	return seed & 1;
}

static int differs_from(const char *what, const void *host, const void *prog, size_t size)
{
	const __u8 *a = host, *b = prog;
	size_t at = 0;

	while (at < size && a[at] == b[at])
		at++;
	if (at < size)
		fprintf(stderr, "%s differ from byte %zu on\n", what, at);
	return at < size;
}

static int wrongs_of_tables(const struct host *host, const struct prog *prog)
{
	SW_AUTO_FREE void *handshakes = prog_table(prog->skeleton->maps.handshakes);
	SW_AUTO_FREE void *connections = prog_table(prog->skeleton->maps.connections);
	const struct setup *setup = &host->setup;

	return differs_from("handshakes", host->handshakes, handshakes,
			    setup->handshake_buckets * sizeof(*host->handshakes)) +
	       differs_from("connections", host->connections, connections,
			    setup->connection_buckets * sizeof(*host->connections)) +
	       differs("program:", "buckets with a wrong hint", prog_wrong_hints(prog), 0);
}

/* Those depend on the ring and its reader; their sum is compared. */
static bool is_of_events(enum sw_tally tally)
{
	return tally == SW_TALLY_EVENTS_SENT || tally == SW_TALLY_EVENTS_SUPPRESSED ||
	       tally == SW_TALLY_EVENTS_LOST;
}

static int wrongs_of_counters(const struct sw_counters *host, const struct sw_counters *prog)
{
	int wrongs = 0;

	for (__u32 i = 0; i < SW_OUTCOME_COUNT; i++)
		wrongs += differs("program: outcome", outcome_name(i), prog->outcomes[i],
				  host->outcomes[i]);
	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++) {
		wrongs += differs("program: anomaly", anomaly_name(i), prog->anomalies_seen[i],
				  host->anomalies_seen[i]);
		wrongs += differs("program: passed anomaly", anomaly_name(i),
				  prog->anomalies_passed[i], host->anomalies_passed[i]);
		wrongs += differs("program: would drop for", anomaly_name(i),
				  prog->anomalies_would_drop[i], host->anomalies_would_drop[i]);
		wrongs += differs("program: dropped for", anomaly_name(i),
				  prog->anomalies_dropped[i], host->anomalies_dropped[i]);
	}
	for (__u32 i = 0; i < SW_TALLY_COUNT; i++)
		wrongs += is_of_events(i) ? 0 :
					    differs("program: tally", tally_name(i),
						    prog->tallies[i], host->tallies[i]);
	return wrongs +
	       differs_from("latencies", host->latencies, prog->latencies, sizeof(host->latencies));
}

/* What strict anomalies wait for. */
static int wrongs_of_trust(const struct host *host, const struct prog *prog)
{
	struct sw_service_state state;
	__u32 key = SW_SERVICE_DEFAULT;

	must(!bpf_map_lookup_elem(bpf_map__fd(prog->skeleton->maps.service_state), &key, &state),
	     "service_state");
	return differs("program:", "both-sided handshakes", state.both_sided,
		       host->service.both_sided) +
	       differs("program:", "time of a one-sided one", state.one_sided_ms,
		       host->service.one_sided_ms) +
	       differs("program:", "time of a moved one", state.moved_ms, host->service.moved_ms);
}

static int wrongs_of(const struct host *host, const struct prog *prog)
{
	struct result result = prog_result(prog);

	return wrongs_of_tables(host, prog) + wrongs_of_trust(host, prog) +
	       wrongs_of_counters(&host->result.counters, &result.counters) +
	       differs_from("traffic", host->result.traffic, result.traffic,
			    sizeof(result.traffic)) +
	       differs("program:", "events", result.events, host->result.events);
}

static void explain(__u64 seed)
{
	struct random_sequence sequence = begin(seed);

	fprintf(stderr, "MODEL_SEED=%llu MODEL_SEQUENCES=1, IPv%d:\n", seed, is_v6(seed) ? 6 : 4);
	for (int i = 0; i < LENGTH; i++) {
		struct segment segment = random_segment(&sequence);

		print_segment(stderr, &segment);
	}
}

/* ---- packet by packet */

static void one_by_one(struct host *host, struct prog *prog, __u64 seed)
{
	struct random_sequence sequence = begin(seed);

	for (int i = 0; i < LENGTH; i++) {
		struct segment segment = random_segment(&sequence);
		struct frame frame;

		host->now_ns += segment.after_ms * NS_PER_MS + segment.after_us * 1000ULL;
		prog->now_ns = host->now_ns;
		frame_build(&frame, &segment, is_v6(seed));
		host_frame(host, &frame, SW_EGRESS);
		prog_frame(prog, HOOK_EGRESS, &frame);
	}
}

static void egress_agrees(void **state __unused)
{
	struct setup setup = setup_random();
	struct prog prog;

	prog_open(&prog, &setup, EVENT_RECORDS);
	for (__u64 seed = first_seed; seed < first_seed + sequences; seed++) {
		struct host host;
		int wrongs;

		host_open(&host, &setup);
		prog_reset(&prog, &setup);
		one_by_one(&host, &prog, seed);
		wrongs = wrongs_of(&host, &prog);
		/* each call costs as much as some hundred packets: not after every sequence */
		if (!wrongs && seed % 50 == 0) {
			prog_sweep(&prog, seed % 100 == 0);
			host_sweep(&host, seed % 100 == 0);
			prog_sweep_connections(&prog, seed % 200 == 0);
			host_sweep_connections(&host, seed % 200 == 0);
			wrongs = wrongs_of(&host, &prog);
		}
		host_close(&host);
		if (wrongs) {
			explain(seed);
			fail_msg("sequence %llu", seed);
		}
	}
	prog_close(&prog);
}

/* ---- many at a time */

/* From empty tables on, count sequences in a row. Returns how much differs after them. */
static int fed(struct prog *prog, const struct setup *setup, __u64 seed, __u32 count)
{
	struct host host;
	int wrongs;

	host_open(&host, setup);
	prog_reset(prog, setup);
	for (__u32 i = 0; i < count * LENGTH; i++) {
		static struct random_sequence sequence;
		struct segment segment;
		struct frame frame;

		if (i % LENGTH == 0)
			sequence = begin(seed + i / LENGTH);
		if (setup->rules.strict && i && i % (TRUST_IN * LENGTH) == 0)
			host.now_ns += SW_MIN_SUSPENSION_MS * NS_PER_MS;
		segment = random_segment(&sequence);
		host.now_ns += segment.after_ms * NS_PER_MS + segment.after_us * 1000ULL;
		frame_build(&frame, &segment, is_v6(seed + i / LENGTH));
		host_frame(&host, &frame, SW_INGRESS);
		prog_batch(prog, i, &frame, host.now_ns);
	}
	prog_feed(prog, count * LENGTH);
	wrongs = wrongs_of(&host, prog);
	host_close(&host);
	return wrongs;
}

static void explain_feed(struct prog *prog, const struct setup *setup, __u64 seed, __u32 count)
{
	for (__u32 i = 1; i <= count; i++) {
		if (!fed(prog, setup, seed, i))
			continue;
		fprintf(stderr, "after %u sequences from empty tables on, the last of which is\n",
			i);
		explain(seed + i - 1);
		return;
	}
}

static void feed_agrees(const struct setup *setup)
{
	struct prog prog;

	prog_open(&prog, setup, EVENT_RECORDS);
	for (__u64 done = 0; done < sequences; done += PER_FEED) {
		__u32 count = sequences - done < PER_FEED ? sequences - done : PER_FEED;

		if (!fed(&prog, setup, first_seed + done, count))
			continue;
		explain_feed(&prog, setup, first_seed + done, count);
		fail_msg("sequences from %llu on", first_seed + done);
	}
	prog_close(&prog);
}

static void xdp_agrees(void **state __unused)
{
	struct setup setup = setup_random();

	feed_agrees(&setup);
}

/* Checksums are verified, the clocks wrap, and everything that may be dropped is. */
static void xdp_agrees_when_armed(void **state __unused)
{
	struct setup setup = setup_random();

	setup.checksums = true;
	setup.start_ns = ((1ULL << 32) - 2000) * NS_PER_MS;
	setup_enforce(&setup, ~0ULL);
	feed_agrees(&setup);
}

/* The default actions in force: what drops only with both directions seen, too. */
static void xdp_agrees_when_enforcing(void **state __unused)
{
	struct setup setup = setup_random();

	setup_enforce(&setup, SW_MASK_DROP | SW_MASK_DROP_SYM);
	feed_agrees(&setup);
}

/*
 * Everything that may be dropped, and what belongs to nothing known only with trust, which the
 * sequences earn and lose by themselves.
 */
static void xdp_agrees_when_strict(void **state __unused)
{
	struct setup setup = setup_random();

	setup_enforce(&setup, SW_MASK_DROP | SW_MASK_DROP_SYM);
	setup.rules.strict = 1;
	setup.rules.warm_up_ms = 3000;
	setup.settings.watching_since_ms[0] = setup.start_ns / NS_PER_MS;
	feed_agrees(&setup);
}

/* Where something is forwarded to, nothing comes in by the side of the other end. */
static void xdp_agrees_about_sides(void **state __unused)
{
	struct setup setup = setup_random();

	setup_enforce(&setup, SW_MASK_DROP | SW_MASK_DROP_SYM);
	setup.settings.forwarders = 1;
	feed_agrees(&setup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(egress_agrees),
		cmocka_unit_test(xdp_agrees),
		cmocka_unit_test(xdp_agrees_when_armed),
		cmocka_unit_test(xdp_agrees_when_enforcing),
		cmocka_unit_test(xdp_agrees_when_strict),
		cmocka_unit_test(xdp_agrees_about_sides),
	};

	if (getenv("MODEL_SEED"))
		first_seed = strtoull(getenv("MODEL_SEED"), NULL, 0);
	if (getenv("MODEL_SEQUENCES"))
		sequences = strtoull(getenv("MODEL_SEQUENCES"), NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
