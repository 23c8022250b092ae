// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench_scale: what packets cost on one CPU, on another one, and on both at the same time, of which each has a queue of its
 * own. Both run the same program on the same tables. What they lose together, beyond what a program loses that keeps
 * nothing, is what CPUs take from each other by writing where others do.
 */
#include "../user/base/cleanup.h"
#include "../user/base/error.h"
#include "cases.h"

#include <synward/config.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.skel.h"
#include "load.h"
#include "stage.skel.h"
#include "synward.skel.h"

#define QUEUES 2
#define ROUNDS 15
#define REPEAT 20000

static const char *const measured_cases[] = { "parse_data", "data_live_monitor",
					      "turn",	    "syn_cookie_answer",
					      "parse_syn",  "syn_tracked_random",
					      "parse_ack",  "ack_bad_cookie" };

#define MEASURED_CASES (sizeof(measured_cases) / sizeof(measured_cases[0]))

/* What a CPU has for itself: the programs that make its packets, with random numbers of their own. */
struct queue {
	struct bench_bpf *harness;
	int cpu;
};

struct bench {
	struct queue queues[QUEUES];
	struct stage_bpf *stage;
	struct synward_bpf *loaded[TARGET_COUNT];
	int targets[TARGET_COUNT];
};

/* One CPU's share of a round. */
struct share {
	const struct bench *bench;
	const struct queue *queue;
	const struct bench_case *of;
	pthread_barrier_t *begin;
	uint32_t ns;
	int error;
};

static void bench_free(struct bench *bench)
{
	for (int i = 0; i < QUEUES; i++)
		bench_bpf__destroy(bench->queues[i].harness);
	stage_bpf__destroy(bench->stage);
	for (int i = 0; i < TARGET_COUNT; i++)
		synward_bpf__destroy(bench->loaded[i]);
}

static int load_all(struct bench *bench)
{
	static const enum target needed[] = { TARGET_SYNWARD, TARGET_SYNWARD_FLOOD };
	int error = 0;

	bench->stage = stage_bpf__open_and_load();
	if (!bench->stage)
		return load_failed(-errno);
	for (int i = 0; i < QUEUES; i++) {
		bench->queues[i].harness = bench_bpf__open_and_load();
		if (!bench->queues[i].harness)
			return load_failed(-errno);
	}
	for (size_t i = 0; i < 2 && !error; i++) {
		error = load_synward(&setups[needed[i]], &bench->loaded[needed[i]]);
		if (!error)
			bench->targets[needed[i]] =
				bpf_program__fd(bench->loaded[needed[i]]->progs.sw_xdp);
	}
	bench->targets[TARGET_TURN] = bpf_program__fd(bench->stage->progs.turn_strangers);
	bench->targets[TARGET_PARSE] =
		bpf_program__fd(bench->queues[0].harness->progs.parse_and_pass);
	return error;
}

/* The data are those of a live connection. */
static int open_connection(const struct synward_bpf *in)
{
	static const enum frame_kind handshake[] = { FRAME_SYN, FRAME_SYNACK, FRAME_ACK };
	__u32 verdict;
	int error = 0;

	for (size_t i = 0; i < 3 && !error; i++) {
		struct frame frame = frame_make(handshake[i], false);

		error = run_once(bpf_program__fd(in->progs.sw_xdp), &frame, &verdict);
	}
	return error;
}

static const struct bench_case *case_of(const char *name)
{
	for (size_t i = 0; i < PEERS; i++)
		if (!strcmp(peers[i].name, name))
			return &peers[i];
	for (size_t i = 0; i < CASES; i++)
		if (!strcmp(cases[i].name, name))
			return &cases[i];
	return NULL;
}

static void *run_share(void *context)
{
	struct share *share = context;
	struct frame frame = frame_make(share->of->frame, false);
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.bytes, .data_size_in = frame.length,
		    .repeat = REPEAT);
	const struct bpf_program *source = bpf_object__find_program_by_name(
		share->queue->harness->obj, source_programs[share->of->source]);
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(share->queue->cpu, &here);
	pthread_setaffinity_np(pthread_self(), sizeof(here), &here);
	pthread_barrier_wait(share->begin);
	if (share->of->target == TARGET_SYNWARD_FLOOD)
		share->error = hear_responder(share->bench->loaded[TARGET_SYNWARD_FLOOD]);
	/* of very many SYNs one passes, to hear of its answer: if that is the last one, it is no fault */
	for (int i = 0; i < 3; i++) {
		if (bpf_prog_test_run_opts(bpf_program__fd(source), &run)) {
			share->error = -errno;
			break;
		}
		if (run.retval == expected_verdict(share->of))
			break;
		share->error = i < 2 ? share->error : -EPROTO;
	}
	share->ns = run.duration;
	return NULL;
}

/* On so many CPUs, from the first one on. Fills in what a packet took on each, if that is less than before. */
static int run_round(struct bench *bench, const struct bench_case *of, int first, int count,
		     uint32_t *ns)
{
	struct share shares[QUEUES] = {};
	pthread_t threads[QUEUES];
	pthread_barrier_t begin;
	__u32 zero = 0;
	int error = 0;

	pthread_barrier_init(&begin, NULL, (unsigned int)count);
	for (int i = 0; i < count; i++) {
		const struct queue *queue = &bench->queues[first + i];

		shares[i] =
			(struct share){ .bench = bench, .queue = queue, .of = of, .begin = &begin };
		if (bpf_map_update_elem(bpf_map__fd(queue->harness->maps.target), &zero,
					&bench->targets[of->target], BPF_ANY))
			error = -errno;
	}
	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, run_share, &shares[i]);
	for (int i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		error = error ? error : shares[i].error;
		if (!ns[i] || shares[i].ns < ns[i])
			ns[i] = shares[i].ns;
	}
	pthread_barrier_destroy(&begin);
	return error ? sw_error(error, "%s: the programs did not run: %s", of->name,
				sw_errno_text(error)) :
		       0;
}

/* Prints what the CPUs take alone and together, and how much they do together of what they do one by one. */
static int measure(struct bench *bench, const struct bench_case *of)
{
	uint32_t alone[QUEUES] = {}, together[QUEUES] = {};
	double one_by_one = 0, at_once = 0;
	int error = 0;

	for (int round = 0; round < ROUNDS && !error; round++) {
		for (int i = 0; i < QUEUES && !error; i++)
			error = run_round(bench, of, i, 1, &alone[i]);
		if (!error)
			error = run_round(bench, of, 0, QUEUES, together);
	}
	if (error)
		return error;
	for (int i = 0; i < QUEUES; i++) {
		one_by_one += 1.0 / alone[i];
		at_once += 1.0 / together[i];
	}
	printf("%-20s %7u %7u %9u %7u  %6.2f\n", of->name, alone[0], alone[1], together[0],
	       together[1], at_once / one_by_one);
	return 0;
}

/* The first of those on which this process may run. */
static int choose_cpus(struct bench *bench)
{
	cpu_set_t allowed;
	int found = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return -errno;
	for (int cpu = 0; cpu < CPU_SETSIZE && found < QUEUES; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			bench->queues[found++].cpu = cpu;
	return found == QUEUES ? 0 : -ENODEV;
}

int main(void)
{
	__attribute__((cleanup(bench_free))) struct bench bench = {};
	int error = choose_cpus(&bench);

	if (error == -ENODEV) {
		printf("bench_scale: takes %u processors, and there is one\n", QUEUES);
		return SW_EXIT_OK;
	}
	if (!error)
		error = stand_apart();
	if (!error)
		error = load_all(&bench);
	if (!error)
		error = open_connection(bench.loaded[TARGET_SYNWARD]);
	if (!error)
		printf("ns of a packet        CPU %-3d CPU %-3d  together          ratio\n",
		       bench.queues[0].cpu, bench.queues[1].cpu);
	for (size_t i = 0; i < MEASURED_CASES && !error; i++)
		error = measure(&bench, case_of(measured_cases[i]));
	if (error) {
		sw_error_report(error, false);
		return SW_EXIT_FAILURE;
	}
	printf("least of %u rounds of %u packets on each; ratio: what both do at once, of what "
	       "they "
	       "do one by one\n",
	       ROUNDS, REPEAT);
	return SW_EXIT_OK;
}
