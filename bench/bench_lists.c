// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What it costs to look an address up in a list of a million prefixes, by itself: random ones of the
 * list, one again and again, and ones that are not in it, less a program that only fetches the
 * address. For information; the bounds are bench_packet's.
 */
#include "../bpf/core/prefixes.h"
#include "../user/base/cleanup.h"
#include "../user/base/error.h"
#include "../user/lists/list_table.h"

#include <synward/load.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "dice.h"
#include "list_lookup.skel.h"

#define PREFIXES  1000000U
#define QUESTIONS 65536U
#define ROUNDS	  9
#define LIST	  SW_LIST_BLOCK

static const __u64 seed[2] = { 0x243f6a8885a308d3, 0x13198a2e03707344 };

/* Lists that are measured: a family, and the lengths of their prefixes, each as often as it stands. */
static const struct kind {
	const char *name;
	bool v6;
	__u8 lengths[8];
} kinds[] = {
	{ "IPv4, single addresses", false, { 32, 32, 32, 32, 32, 32, 32, 32 } },
	{ "IPv4, /32, /24 and shorter", false, { 32, 32, 32, 32, 32, 24, 24, 20 } },
	{ "IPv6, single addresses", true, { 128, 128, 128, 128, 128, 128, 128, 128 } },
	{ "IPv6, /64, /56, /48 and /128", true, { 64, 64, 64, 64, 56, 48, 48, 128 } },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct sw_addr random_address(bool v6)
{
	struct sw_addr addr = {};

	if (v6) {
		addr.halves[0] = roll();
		addr.halves[1] = roll();
		addr.bytes[0] = 0x20;
		addr.bytes[1] = 0x01;
	} else {
		addr.words[2] = SW_V4_MAPPED_WORD;
		addr.words[3] = (__u32)roll();
	}
	return addr;
}

/* One list in the kernel, by its own program. */
struct bench {
	struct list_lookup_bpf *program;
	struct sw_prefixes table;
	struct sw_list_table about;
	struct sw_prefix *prefixes;
	struct sw_addr *questions;
	int buckets_fd;
	int filter_fd;
};

static int failed(const char *what)
{
	return sw_error(errno, "%s: %s", what, sw_errno_text(errno));
}

static void *map_memory(int fd, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static size_t table_size(const struct bench *bench)
{
	return (size_t)bench->about.buckets * sizeof(*bench->table.buckets);
}

static size_t filter_size(const struct bench *bench)
{
	return (size_t)sw_list_filter_rows(bench->about.buckets) * sizeof(*bench->table.filter);
}

static void bench_close(struct bench *bench)
{
	if (bench->table.buckets)
		munmap(bench->table.buckets, table_size(bench));
	if (bench->table.filter)
		munmap(bench->table.filter, filter_size(bench));
	if (bench->questions)
		munmap(bench->questions, QUESTIONS * sizeof(*bench->questions));
	sw_close_fd(&bench->buckets_fd);
	sw_close_fd(&bench->filter_fd);
	list_lookup_bpf__destroy(bench->program);
	free(bench->prefixes);
}

static int make_maps(struct bench *bench)
{
	LIBBPF_OPTS(bpf_map_create_opts, inner, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	const __u32 index = sw_list_index(LIST, 0);

	bench->about.buckets = sw_buckets_for(PREFIXES);
	bench->buckets_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bench_buckets", sizeof(__u32),
					   sizeof(*bench->table.buckets), bench->about.buckets,
					   &inner);
	bench->filter_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bench_filter", sizeof(__u32),
					  sizeof(*bench->table.filter),
					  sw_list_filter_rows(bench->about.buckets), &inner);
	bench->table = (struct sw_prefixes){
		.about = &bench->about,
		.buckets = map_memory(bench->buckets_fd, table_size(bench)),
		.filter = map_memory(bench->filter_fd, filter_size(bench)),
		.seed = { seed[0], seed[1] },
	};
	if (!bench->table.buckets || !bench->table.filter ||
	    bpf_map_update_elem(bpf_map__fd(bench->program->maps.list_buckets), &index,
				&bench->buckets_fd, BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(bench->program->maps.list_filters), &index,
				&bench->filter_fd, BPF_ANY))
		return failed("cannot make the tables");
	return 0;
}

static int fill(struct bench *bench, const struct kind *kind)
{
	struct sw_list_header headers[SW_LIST_COUNT] = {};
	__u32 list = LIST;

	bench->prefixes = calloc(PREFIXES, sizeof(*bench->prefixes));
	for (__u32 i = 0; bench->prefixes && i < PREFIXES;) {
		__u32 length = kind->lengths[roll() % 8] + (kind->v6 ? 0 : SW_V4_PREFIX);
		struct sw_prefix prefix = { .addr = random_address(kind->v6), .length = length };
		struct sw_list_key key;

		sw_addr_mask(&prefix.addr, length);
		key = sw_list_key(&prefix, seed);
		if (sw_prefixes_find(&bench->table, &key))
			continue;
		if (sw_prefixes_insert(&bench->table, &key, 0, 0))
			return sw_error(ENOSPC, "the table takes no more than %u prefixes", i);
		bench->prefixes[i++] = prefix;
	}
	headers[LIST].tables[0] = bench->about;
	if (!bench->prefixes || bpf_map_update_elem(bpf_map__fd(bench->program->maps.list_headers),
						    &list, &headers[LIST], BPF_ANY))
		return failed("cannot write the list");
	return 0;
}

static int bench_open(struct bench *bench, const struct kind *kind)
{
	bench->program = list_lookup_bpf__open();
	if (!bench->program)
		return failed("cannot open the program");
	memcpy(bench->program->rodata->load.seed, seed, sizeof(seed));
	if (list_lookup_bpf__load(bench->program))
		return failed("the kernel refused the program; run as root");
	bench->program->bss->asked_list = LIST;
	bench->questions = map_memory(bpf_map__fd(bench->program->maps.questions),
				      QUESTIONS * sizeof(*bench->questions));
	if (!bench->questions)
		return failed("cannot map the questions");
	if (make_maps(bench))
		return -1;
	return fill(bench, kind);
}

static int run(const struct bpf_program *program, __u32 *ns)
{
	static const __u8 packet[64];
	LIBBPF_OPTS(bpf_test_run_opts, test, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = QUESTIONS);

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &test))
		return failed("BPF_PROG_TEST_RUN failed");
	*ns = test.duration;
	return 0;
}

enum ask { ASK_HIT, ASK_SAME, ASK_MISS, ASKS };

static void choose(struct bench *bench, enum ask ask, bool v6)
{
	for (__u32 i = 0; i < QUESTIONS; i++)
		bench->questions[i] =
			ask == ASK_MISS ?
				random_address(v6) :
				bench->prefixes[ask == ASK_SAME ? 0 : roll() % PREFIXES].addr;
}

static int by_size(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return (x > y) - (x < y);
}

/* The median of the rounds, of each the difference to doing all but the lookup. */
static int measure(struct bench *bench, enum ask ask, bool v6, __u32 *ns)
{
	__u32 times[ROUNDS], with, without;

	for (int round = 0; round < ROUNDS; round++) {
		choose(bench, ask, v6);
		if (run(bench->program->progs.ask_nothing, &without) ||
		    run(bench->program->progs.ask, &with))
			return -1;
		times[round] = with > without ? with - without : 0;
	}
	qsort(times, ROUNDS, sizeof(*times), by_size);
	*ns = times[ROUNDS / 2];
	return 0;
}

static int bench_kind(const struct kind *kind)
{
	__attribute__((cleanup(bench_close))) struct bench bench = { .buckets_fd = -1,
								     .filter_fd = -1 };
	__u32 ns[ASKS];

	if (bench_open(&bench, kind))
		return -1;
	for (int ask = 0; ask < ASKS; ask++)
		if (measure(&bench, (enum ask)ask, kind->v6, &ns[ask]))
			return -1;
	printf("%-32s %8u %8u %8u\n", kind->name, ns[ASK_HIT], ns[ASK_SAME], ns[ASK_MISS]);
	return 0;
}

/* To one CPU: the one that it is on. */
static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
}

int main(void)
{
	stay_here();
	printf("a lookup among %u prefixes, in ns\n%-32s %8s %8s %8s\n", PREFIXES, "list", "hit",
	       "the same", "random");
	for (size_t i = 0; i < KINDS; i++) {
		if (bench_kind(&kinds[i])) {
			sw_error_report(-EIO, false);
			return 1;
		}
	}
	return 0;
}
