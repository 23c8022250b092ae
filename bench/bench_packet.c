// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench_packet: what a packet costs, by BPF_PROG_TEST_RUN, next to a program that does the least of the
 * same job in the same harness. README.md beside this file says how it is measured and how to read it.
 */
#include "../user/base/cleanup.h"
#include "../user/base/error.h"
#include "../user/model/policy.h"
#include "../user/maps/percpu.h"
#include "cases.h"

#include <synward/anomaly.h>
#include <synward/config.h>
#include <synward/counters.h>
#include <synward/load.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "bench.skel.h"
#include "load.h"
#include "results.h"
#include "stage.skel.h"
#include "synward.skel.h"

#define DEFAULT_ROUNDS 15
#define MAX_ROUNDS     1000
#define DEFAULT_REPEAT 300000
#define MAX_REPEAT     100000000
/* so many SYNs for each slot of a table before anything counts: it is full then */
#define WARM_UP 4

struct bench {
	struct bench_bpf *harness;
	struct stage_bpf *stage; /* of bench-flood, which has the same peer */
	struct synward_bpf *loaded[TARGET_COUNT];
	int targets[TARGET_COUNT];
	int sources[SOURCE_COUNT];
	uint32_t rounds;
	uint32_t repeat;
	bool check;
	const char *only; /* this case and its peer, and no file; NULL: all cases */
	uint32_t *times;  /* ns, rounds of each that is measured: peers first */
	double medians[MEASURED];
};

static const struct bench_case *measured(size_t i)
{
	return i < PEERS ? &peers[i] : &cases[i - PEERS];
}

static bool is_named(const struct bench *bench, size_t i)
{
	return !bench->only || !strcmp(measured(i)->name, bench->only);
}

/* The floor always is, and the peer of what is. */
static bool is_chosen(const struct bench *bench, size_t i)
{
	if (i == PEER_DROP || is_named(bench, i))
		return true;
	for (size_t j = PEERS; j < MEASURED && i < PEERS; j++)
		if (is_named(bench, j) && measured(j)->peer == (enum peer)i)
			return true;
	return false;
}

/* Is any case measured that needs the target? */
static bool is_needed(const struct bench *bench, int target)
{
	for (size_t i = PEERS; i < MEASURED; i++)
		if (is_chosen(bench, i) && measured(i)->target == (enum target)target)
			return true;
	return false;
}

static void bench_free(struct bench *bench)
{
	bench_bpf__destroy(bench->harness);
	stage_bpf__destroy(bench->stage);
	for (int i = 0; i < TARGET_COUNT; i++)
		synward_bpf__destroy(bench->loaded[i]);
	free(bench->times);
}

/* ---- loading */

static int load_all(struct bench *bench)
{
	int error = 0;

	bench->harness = bench_bpf__open_and_load();
	bench->stage = stage_bpf__open_and_load();
	if (!bench->harness || !bench->stage)
		return load_failed(-errno);
	for (int i = 0; i < TARGET_COUNT && !error; i++) {
		if (!setups[i].handshakes || !is_needed(bench, i))
			continue;
		error = load_synward(&setups[i], &bench->loaded[i]);
		if (!error)
			bench->targets[i] = bpf_program__fd(bench->loaded[i]->progs.sw_xdp);
	}
	if (error)
		return error;
	bench->targets[TARGET_DROP] = bpf_program__fd(bench->harness->progs.bare_drop);
	bench->targets[TARGET_TURN] = bpf_program__fd(bench->stage->progs.turn_strangers);
	bench->targets[TARGET_PARSE] = bpf_program__fd(bench->harness->progs.parse_and_pass);
	bench->targets[TARGET_LRU] = bpf_program__fd(bench->harness->progs.lru_insert);
	for (int i = 0; i < SOURCE_COUNT; i++)
		bench->sources[i] = bpf_program__fd(
			bpf_object__find_program_by_name(bench->harness->obj, source_programs[i]));
	return 0;
}

/* ---- measuring */

static int tally(const struct synward_bpf *of, enum sw_tally which, uint64_t *value)
{
	struct sw_counters counters;
	int error = sw_percpu_sum(bpf_map__fd(of->maps.counters), 0, &counters, sizeof(counters));

	if (error)
		return sw_error(error, "cannot read the counters: %s", sw_errno_text(error));
	*value = counters.tallies[which];
	return 0;
}

/* Makes the flow of the data segments a live connection. */
static int open_connection(const struct synward_bpf *in, bool v6)
{
	static const enum frame_kind handshake[] = { FRAME_SYN, FRAME_SYNACK, FRAME_ACK };
	uint64_t before, after;
	__u32 verdict;
	int error = tally(in, SW_TALLY_CONNECTIONS_OPENED, &before);

	for (size_t i = 0; i < 3 && !error; i++) {
		struct frame frame = frame_make(handshake[i], v6);

		error = run_once(bpf_program__fd(in->progs.sw_xdp), &frame, &verdict);
	}
	if (!error)
		error = tally(in, SW_TALLY_CONNECTIONS_OPENED, &after);
	if (!error && after != before + 1)
		return sw_error(EPROTO,
				"a handshake over IPv%d made no connection: nothing of "
				"what follows would mean anything",
				v6 ? 6 : 4);
	return error;
}

/* Wherever data of one are measured. */
static int open_connections(const struct bench *bench)
{
	static const enum target with_data[] = { TARGET_SYNWARD, TARGET_SYNWARD_STRICT,
						 TARGET_SYNWARD_BLOCK };
	int error = 0;

	for (size_t i = 0; i < 3 && !error; i++)
		if (bench->loaded[with_data[i]])
			error = open_connection(bench->loaded[with_data[i]], false);
	if (!error && bench->loaded[TARGET_SYNWARD])
		error = open_connection(bench->loaded[TARGET_SYNWARD], true);
	return error;
}

static int run_case(const struct bench *bench, const struct bench_case *of, uint32_t repeat,
		    uint32_t *ns)
{
	struct frame frame = frame_make(of->frame, of->v6);
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.bytes, .data_size_in = frame.length,
		    .repeat = (int)repeat);
	__u32 zero = 0, expected = expected_verdict(of);
	int target = bpf_map__fd(bench->harness->maps.target), error = 0;

	if (of->target == TARGET_SYNWARD_FLOOD)
		error = hear_responder(bench->loaded[TARGET_SYNWARD_FLOOD]);
	if (error)
		return error;
	if (bpf_map_update_elem(target, &zero, &bench->targets[of->target], BPF_ANY) ||
	    bpf_prog_test_run_opts(bench->sources[of->source], &run))
		return sw_error(errno, "%s: BPF_PROG_TEST_RUN failed: %s", of->name,
				sw_errno_text(errno));
	if (run.retval != expected)
		return sw_error(EPROTO, "%s: the program returned %u, expected %u", of->name,
				run.retval, expected);
	*ns = run.duration;
	return 0;
}

/* Proves that SYNs get into the tables. */
static int expect_tracking(const struct bench *bench)
{
	uint64_t before, after;
	uint32_t ns;
	int error = tally(bench->loaded[TARGET_SYNWARD], SW_TALLY_ATTEMPTS_OPENED, &before);

	if (!error)
		error = run_case(bench, &cases[0], WARM_UP * SW_DEFAULT_HANDSHAKES, &ns);
	if (!error)
		error = tally(bench->loaded[TARGET_SYNWARD], SW_TALLY_ATTEMPTS_OPENED, &after);
	if (!error && after - before < (WARM_UP - 1) * SW_DEFAULT_HANDSHAKES)
		return sw_error(EPROTO, "of %u SYNs only %llu were tracked",
				WARM_UP * SW_DEFAULT_HANDSHAKES,
				(unsigned long long)(after - before));
	return error;
}

/* Fills the tables. */
static int warm_up(const struct bench *bench)
{
	int error = is_needed(bench, TARGET_SYNWARD) ? expect_tracking(bench) : 0;
	uint32_t ns;

	for (size_t i = 0; i < MEASURED && !error; i++) {
		bool large = measured(i)->target == TARGET_SYNWARD_LARGE;

		if (!is_chosen(bench, i))
			continue;
		error = run_case(bench, measured(i), large ? WARM_UP * LARGE_TABLE : bench->repeat,
				 &ns);
	}
	return error;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double median(uint32_t *values, uint32_t count)
{
	qsort(values, count, sizeof(*values), by_size);
	return (values[(count - 1) / 2] + values[count / 2]) / 2.0;
}

/* Round by round through all cases, so that a noisy moment hits all of them and not one. */
static int measure(struct bench *bench)
{
	int error = warm_up(bench);

	for (uint32_t round = 0; round < bench->rounds; round++)
		for (size_t i = 0; i < MEASURED && !error; i++)
			if (is_chosen(bench, i))
				error = run_case(bench, measured(i), bench->repeat,
						 &bench->times[i * bench->rounds + round]);
	for (size_t i = 0; i < MEASURED && !error; i++)
		if (is_chosen(bench, i))
			bench->medians[i] = median(&bench->times[i * bench->rounds], bench->rounds);
	if (!error && bench->medians[PEER_DROP] <= 0)
		return sw_error(ERANGE, "the floor was measured as 0 ns: choose more --repeat");
	return error;
}

/* ---- reporting */

/* How many times what its peer takes. */
static double ratio(const struct bench *bench, size_t i)
{
	return bench->medians[i] / bench->medians[measured(i)->peer];
}

/* Returns how many bounds were missed. */
static int print_table(const struct bench *bench)
{
	int missed = 0;

	printf("%-26s %7s %-13s %7s %7s  %-6s %s\n", "case", "ns", "peer", "ratio", "bound", "",
	       "what");
	for (size_t i = 0; i < MEASURED; i++) {
		const struct bench_case *of = measured(i);
		bool miss = of->bound > 0 && ratio(bench, i) > of->bound;
		char bound[16] = "-";

		if (!is_chosen(bench, i))
			continue;
		if (of->bound > 0)
			snprintf(bound, sizeof(bound), "%.1f", of->bound);
		printf("%-26s %7.1f %-13s %7.2f %7s  %-6s %s\n", of->name, bench->medians[i],
		       measured(of->peer)->name, ratio(bench, i), bound,
		       of->bound <= 0 ? "" :
		       miss	      ? "MISSED" :
					"ok",
		       of->meaning);
		missed += miss;
	}
	printf("median of %u interleaved rounds of %u packets; ratio = ns / ns of the peer\n",
	       bench->rounds, bench->repeat);
	return missed;
}

static int write_json(const struct bench *bench)
{
	json_t *found = json_object(), *by_name = json_object();
	double floor = bench->medians[PEER_DROP];

	for (size_t i = PEER_DROP + 1; i < MEASURED; i++)
		json_object_set_new(by_name, measured(i)->name,
				    json_pack("{s:o,s:o,s:s,s:o}", "ns",
					      result_number(bench->medians[i], 1), "ratio",
					      result_number(bench->medians[i] / floor, 3), "peer",
					      measured(measured(i)->peer)->name, "peer_ratio",
					      result_number(ratio(bench, i), 3)));
	json_object_set_new(found, "floor_ns", result_number(floor, 1));
	json_object_set_new(found, "cases", by_name);
	return results_write(found);
}

/* ---- the command */

static int parse_count(const char *option, const char *text, uint32_t max, uint32_t *count)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !value || value > max)
		return sw_error(EINVAL, "%s %s: expected a number from 1 to %u", option, text, max);
	*count = (uint32_t)value;
	return 0;
}

static int parse_options(int argc, char **argv, struct bench *bench)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "repeat", required_argument, NULL, 'n' },
		{ "only", required_argument, NULL, 'o' },
		{ "check", no_argument, NULL, 'c' },
		{},
	};
	int option, error = 0;

	while (!error && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			error = parse_count("--rounds", optarg, MAX_ROUNDS, &bench->rounds);
		else if (option == 'n')
			error = parse_count("--repeat", optarg, MAX_REPEAT, &bench->repeat);
		else if (option == 'o')
			bench->only = optarg;
		else if (option == 'c')
			bench->check = true;
		else
			return -EINVAL;
	}
	if (!error && bench->only) {
		size_t i = PEER_DROP + 1;

		while (i < MEASURED && strcmp(measured(i)->name, bench->only))
			i++;
		if (i == MEASURED)
			return sw_error(EINVAL, "--only %s: no case is called that", bench->only);
	}
	if (!error && optind < argc)
		return sw_error(EINVAL, "%s: expected no argument", argv[optind]);
	return error;
}

/* To one CPU: the one that it is on. */
static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
}

int main(int argc, char **argv)
{
	__attribute__((cleanup(bench_free))) struct bench bench = { .rounds = DEFAULT_ROUNDS,
								    .repeat = DEFAULT_REPEAT };
	int missed, error = parse_options(argc, argv, &bench);

	if (error) {
		if (sw_error_text())
			sw_error_report(error, false);
		fprintf(stderr, "usage: %s [--rounds N] [--repeat N] [--only CASE] [--check]\n",
			argv[0]);
		return SW_EXIT_USAGE;
	}
	bench.times = calloc(MEASURED * bench.rounds, sizeof(*bench.times));
	if (!bench.times)
		error = -ENOMEM;
	stay_here();
	if (!error)
		error = stand_apart();
	if (!error)
		error = load_all(&bench);
	if (!error)
		error = open_connections(&bench);
	if (!error)
		error = measure(&bench);
	if (!error) {
		missed = print_table(&bench);
		error = bench.only ? 0 : write_json(&bench);
	}
	if (error) {
		sw_error_report(error, false);
		return SW_EXIT_FAILURE;
	}
	return bench.check && missed ? SW_EXIT_FAILURE : SW_EXIT_OK;
}
