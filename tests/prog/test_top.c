// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sketch of heavy sources in the kernel: it is the host's to the last byte where every event is
 * counted, true within what is stated where it is a sample, and costs next to nothing.
 */
#include "../../bpf/core/heavy.h"
#include "../../user/base/cleanup.h"
#include "../../user/model/top.h"
#include "../../user/maps/percpu.h"
#include "../lib/one_cpu.h"
#include "top_events.h"

#include <synward/load.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#include "top.skel.h"

#define SOURCES 3000U
#define NOW_MS	(9 * SW_TOP_WINDOW_MS + 16)

static struct top_bpf *skeleton;
static struct top_event *events;
static struct sw_top_set *all; /* of each CPU */
static size_t cpus;
static __u64 dice;
static const __u64 seed[2] = { 0x243f6a8885a308d3, 0x13198a2e03707344 };

static void must(bool worked, const char *what)
{
	if (worked)
		return;
	perror(what);
	abort();
}

/* splitmix64 */
static __u32 roll(__u32 n)
{
	__u64 z = dice += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return ((z ^ z >> 31) >> 32) % n;
}

/* Of both families; of IPv6 also several hosts of a network. */
static struct sw_addr address(__u32 source)
{
	struct sw_addr addr = {};

	if (source % 2) {
		addr.words[2] = SW_V4_MAPPED_WORD;
		addr.words[3] = source;
	} else {
		addr.words[0] = 0xb80d0120;
		addr.words[1] = source;
		addr.halves[1] = dice;
	}
	return addr;
}

static void clear(const struct bpf_map *map)
{
	SW_AUTO_FREE void *zeros = calloc(cpus, bpf_map__value_size(map));

	must(zeros, "calloc");
	for (__u32 key = 0; key < bpf_map__max_entries(map); key++)
		must(!bpf_map_update_elem(bpf_map__fd(map), &key, zeros, BPF_ANY), "update");
}

static int reset(void **state __unused)
{
	clear(skeleton->maps.top_sources);
	clear(skeleton->maps.top_samplers);
	dice = 1;
	return 0;
}

static __u32 run(const struct bpf_program *program, __u32 repeat)
{
	static const __u8 packet[64];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = repeat);

	must(!bpf_prog_test_run_opts(bpf_program__fd(program), &run), "test run");
	return run.retval;
}

static void feed(__u32 count)
{
	must(count <= TOP_EVENTS, "room");
	skeleton->bss->event_count = count;
	assert_int_equal(run(skeleton->progs.note_events, 1), XDP_PASS);
}

/* The sets of this CPU. */
static const struct sw_top_set *set_at(__u32 key)
{
	must(!bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.top_sources), &key, all), "lookup");
	return &all[sched_getcpu()];
}

/* What the host makes of the same events, each counted. */
static void note_on_host(struct sw_top_set *sets, const struct top_event *event)
{
	struct sw_addr source = sw_addr_host(&event->source);
	__u32 window = sw_top_window(event->now_ms);
	__u32 key = sw_top_key(event->kind, window, sw_heavy_index(&source, seed));

	sw_heavy_add(&sets[key], &source, window, 1);
}

/* A thousand events in each window, so few that none is passed over. */
static void host_and_kernel_agree(void **state __unused)
{
	SW_AUTO_FREE struct sw_top_set *sets = calloc(SW_TOP_KEYS, sizeof(*sets));
	__u32 now_ms = 0xffffffff - 100 * SW_TOP_WINDOW_MS; /* on through the end of the clock */

	must(sets, "calloc");
	for (int round = 0; round < 4; round++) {
		for (__u32 i = 0; i < TOP_EVENTS; i++) {
			now_ms += SW_TOP_WINDOW_MS / 1000;
			events[i] = (struct top_event){ .source = address(roll(roll(SOURCES) + 1)),
							.kind = roll(SW_TOP_KIND_COUNT),
							.now_ms = now_ms };
			note_on_host(sets, &events[i]);
		}
		feed(TOP_EVENTS);
		for (__u32 key = 0; key < SW_TOP_KEYS; key++)
			assert_memory_equal(set_at(key), &sets[key], sizeof(*sets));
	}
}

/* All counts of the sketch, and of one source what is sure. */
static __u64 total_of(enum sw_top_kind kind, const struct sw_addr *addr, __u64 *sure,
		      __u64 *samples)
{
	struct sw_addr source = sw_addr_host(addr);
	__u64 total = 0;

	*sure = *samples = 0;
	for (__u32 set = 0; set < SW_TOP_SETS; set++) {
		const struct sw_top_set *at = set_at(sw_top_key(kind, sw_top_window(NOW_MS), set));

		for (__u32 way = 0; way < SW_TOP_WAYS; way++) {
			const struct sw_top_entry *entry = &at->entries[way];

			total += entry->count;
			if (!entry->count || !sw_addr_equal(&entry->source, &source))
				continue;
			*sure = entry->count - entry->error;
			*samples = entry->samples;
		}
	}
	return total;
}

/*
 * A million SYNs of as many sources at one moment, and a source that sends them with the period that
 * is the worst for the samples. Twice the error that is stated: four standard
 * deviations, for the kernel's numbers are other ones each time.
 */
static void a_flood_is_sampled(void **state __unused)
{
	struct sw_addr one = address(1);
	__u64 total, sure, samples, truth = 0, sent = 0;

	for (int round = 0; round < 16; round++) {
		for (__u32 i = 0; i < TOP_EVENTS; i++, sent++) {
			bool his = sent % (SW_TOP_SAMPLE * 5 / 3) == 0;

			events[i] = (struct top_event){ .source = his ? one :
									address(roll(~0U) | 2),
							.kind = SW_TOP_SYNS,
							.now_ms = NOW_MS };
			truth += his;
		}
		feed(TOP_EVENTS);
	}
	total = total_of(SW_TOP_SYNS, &one, &sure, &samples);
	assert_in_range(total, sent - 2 * sw_top_sampling_error(sent / SW_TOP_SAMPLE),
			sent + 2 * sw_top_sampling_error(sent / SW_TOP_SAMPLE));
	assert_in_range(sure, truth - 2 * sw_top_sampling_error(samples) - sent / SW_TOP_SETS / 4,
			truth + 2 * sw_top_sampling_error(samples));
	assert_true(samples * SW_TOP_SAMPLE <= sure);
	assert_true(sure <= samples * SW_TOP_SAMPLE + SW_TOP_EXACT);
	/* and of the other kind, nothing */
	assert_int_equal(total_of(SW_TOP_ANOMALIES, &one, &sure, &samples), 0);
}

/* In the midst of that, the few events of the other kind are all counted. */
static void kinds_do_not_crowd_each_other_out(void **state __unused)
{
	struct sw_addr one = address(1);
	__u64 sure, samples;

	for (__u32 i = 0; i < TOP_EVENTS; i++)
		events[i] = (struct top_event){ .source = i % 1000 ? address(roll(~0U)) : one,
						.kind = i % 1000 ? SW_TOP_SYNS : SW_TOP_ANOMALIES,
						.now_ms = NOW_MS };
	feed(TOP_EVENTS);
	assert_int_equal(total_of(SW_TOP_ANOMALIES, &one, &sure, &samples), 66);
	assert_int_equal(sure, 66);
	assert_int_equal(samples, 0);
}

/* Nanoseconds by the clock around many runs: the kernel's own figure is in whole ones. */
static double cost_of(const struct bpf_program *program)
{
	const __u32 repeat = 2000000;
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	run(program, repeat);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
	       repeat;
}

/* For people: a machine may be busy, so nothing is asserted of it but that it was measured. */
static void the_cost(void **state __unused)
{
	double floor = 1e9, note = 1e9;

	for (int round = 0; round < 10; round++) {
		double a = cost_of(skeleton->progs.cost_floor);
		double b = cost_of(skeleton->progs.cost_note);

		floor = a < floor ? a : floor;
		note = b < note ? b : note;
	}
	printf("a SYN of a random source: %.1f ns, %.1f of them for the sketch\n", note,
	       note - floor);
	assert_true(floor > 0 && note > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(host_and_kernel_agree, reset),
		cmocka_unit_test_setup(a_flood_is_sampled, reset),
		cmocka_unit_test_setup(kinds_do_not_crowd_each_other_out, reset),
		cmocka_unit_test_setup(the_cost, reset),
	};
	int failed;

	must(stay_on_this_cpu(), "affinity");
	cpus = (size_t)sw_cpu_count();
	all = calloc(cpus, sizeof(*all));
	skeleton = top_bpf__open();
	must(all && skeleton, "open");
	memcpy(skeleton->rodata->load.seed, seed, sizeof(seed));
	must(!top_bpf__load(skeleton), "load");
	events = mmap(NULL, TOP_EVENTS * sizeof(*events), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(skeleton->maps.top_events), 0);
	must(events != MAP_FAILED, "mmap");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	munmap(events, TOP_EVENTS * sizeof(*events));
	top_bpf__destroy(skeleton);
	free(all);
	return failed;
}
