// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lists in the kernel: a packet's lookup is the host's on the same memory, and while user space
 * changes a list, no lookup misses what is in it all the time, and no hit is lost.
 */
#include "../lib/prefixes.h"

#include "../../user/base/cleanup.h"
#include "../../user/base/error.h"
#include "../../user/base/time.h"
#include "../../user/lists/list_table.h"
#include "../../user/lists/list_build.h"
#include "../../user/maps/map_name.h"

#include <synward/config.h>
#include <synward/load.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "list_lookup.skel.h"

#define QUESTIONS 65536U
#define LIST	  SW_LIST_BLOCK

static struct list_lookup_bpf *skeleton;
static struct sw_addr *questions;
static struct sw_instance instance = SW_INSTANCE_NONE;
static struct sw_lists lists = SW_LISTS_NONE;

static void must(bool worked, const char *what)
{
	if (worked)
		return;
	fprintf(stderr, "%s: %s (%s)\n", what, strerror(errno),
		sw_error_text() ? sw_error_text() : "");
	abort();
}

/* ---- an instance of nothing but the lists, pinned so that generations can be */

static void pin(const struct bpf_map *map)
{
	char path[SW_PIN_PATH];

	sw_pins_path(&instance.pins, path, "maps/%s", sw_map_name(map));
	must(!bpf_obj_pin(bpf_map__fd(map), path), path);
}

static int open_all(void **state __unused)
{
	char dir[64];

	instance.identity.seed[0] = roll64();
	instance.identity.seed[1] = roll64();
	skeleton = list_lookup_bpf__open();
	must(skeleton, "open");
	memcpy(skeleton->rodata->load.seed, instance.identity.seed, sizeof(instance.identity.seed));
	must(!list_lookup_bpf__load(skeleton), "load");
	questions = mmap(NULL, QUESTIONS * sizeof(*questions), PROT_READ | PROT_WRITE, MAP_SHARED,
			 bpf_map__fd(skeleton->maps.questions), 0);
	must(questions != MAP_FAILED, "mmap");
	snprintf(dir, sizeof(dir), "/sys/fs/bpf/swtest-lists-%d", getpid());
	must(!sw_pins_locate(dir, false, &instance.pins), dir);
	must(!sw_pins_make_dir(&instance.pins, "") && !sw_pins_make_dir(&instance.pins, "maps"),
	     dir);
	pin(skeleton->maps.list_headers);
	pin(skeleton->maps.list_buckets);
	pin(skeleton->maps.list_filters);
	pin(skeleton->maps.data_settings);
	must(!sw_lists_open(&instance, &lists), "lists");
	skeleton->bss->asked_list = LIST;
	return 0;
}

static int close_all(void **state __unused)
{
	sw_lists_close(&lists);
	sw_pins_remove_all(&instance.pins);
	sw_instance_close(&instance);
	list_lookup_bpf__destroy(skeleton);
	return 0;
}

static __u32 announced(void)
{
	struct sw_settings settings;
	__u32 zero = 0;

	must(!bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.data_settings), &zero, &settings),
	     "settings");
	return settings.lists;
}

/* ---- asking */

static __u32 run_program(const struct bpf_program *program, __u32 repeat)
{
	static const __u8 packet[64];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = (int)repeat);

	must(!bpf_prog_test_run_opts(bpf_program__fd(program), &run), "BPF_PROG_TEST_RUN");
	return run.retval;
}

static bool ask(const struct sw_addr *addr)
{
	__u32 answer;

	skeleton->bss->next_question = 0;
	questions[0] = *addr;
	answer = run_program(skeleton->progs.ask, 1);
	assert_in_range(answer, 0, 1);
	return answer;
}

static uint64_t hits_of(const struct sw_list_generation *generation, const struct sw_prefix *prefix)
{
	struct sw_list_key key = sw_list_key(prefix, generation->prefixes.seed);
	const struct sw_list_row *row = sw_prefixes_find(&generation->prefixes, &key);

	return row ? row->hits : 0;
}

/* ---- one table */

static struct model model;

static void put_random(struct sw_list_generation *generation, __u32 count, __u32 now_s)
{
	while (model.count < count) {
		struct sw_prefix prefix = random_prefix();
		struct sw_list_key key = sw_list_key(&prefix, generation->prefixes.seed);
		/* in the past, far away, or never */
		__u32 expires_s = roll(4) ? 0 : roll(2) ? 1 + roll(now_s) : now_s + 100000;

		if (model_find(&model, &prefix))
			continue;
		must(!sw_prefixes_insert(&generation->prefixes, &key, 0, expires_s), "insert");
		model_insert(&model, &prefix, expires_s);
	}
}

static void the_kernel_finds_what_the_host_finds(void **state __unused)
{
	__u32 now_s = (__u32)sw_boot_s(), found = 0;

	for (__u32 size = 50; size <= 1250; size *= 5) {
		SW_AUTO_LIST_GENERATION struct sw_list_generation generation =
			SW_LIST_GENERATION_NONE;

		model.count = 0;
		/* else it would have the hits of the one before */
		assert_int_equal(sw_list_generation_install(&lists, LIST, NULL), 0);
		assert_int_equal(
			sw_list_generation_create(&lists, LIST, sw_buckets_for(size), &generation),
			0);
		put_random(&generation, size, now_s);
		assert_int_equal(sw_list_generation_install(&lists, LIST, &generation), 0);
		for (int i = 0; i < 4000; i++) {
			struct sw_addr addr =
				roll(3) ? address_within(&model.rows[roll(size)].prefix) :
					  random_address(roll(2));
			struct modelled *expected = model_lookup(&model, &addr, now_s);

			assert_int_equal(ask(&addr), expected != NULL);
			if (expected)
				expected->hits++;
			found += expected != NULL;
		}
		for (__u32 i = 0; i < size; i++)
			assert_int_equal(hits_of(&generation, &model.rows[i].prefix),
					 model.rows[i].hits);
	}
	assert_in_range(found, 6000, 11500); /* most, but not all */
}

/* The other list is another list, and an empty one has nothing. */
static void lists_are_apart(void **state __unused)
{
	SW_AUTO_LIST_GENERATION struct sw_list_generation generation = SW_LIST_GENERATION_NONE;
	struct sw_prefix prefix = prefix_of(random_address(false), 128);
	struct sw_list_key key;

	assert_int_equal(sw_list_generation_install(&lists, LIST, NULL), 0);
	assert_int_equal(announced(), 0);
	assert_false(ask(&prefix.addr));
	assert_int_equal(
		sw_list_generation_create(&lists, SW_LIST_ALLOW, SW_MIN_BUCKETS, &generation), 0);
	key = sw_list_key(&prefix, generation.prefixes.seed);
	must(!sw_prefixes_insert(&generation.prefixes, &key, 0, 0), "insert");
	assert_int_equal(sw_list_generation_install(&lists, SW_LIST_ALLOW, &generation), 0);
	assert_int_equal(announced(), 1 << SW_LIST_ALLOW);
	assert_false(ask(&prefix.addr));
	skeleton->bss->asked_list = SW_LIST_ALLOW;
	assert_true(ask(&prefix.addr));
	skeleton->bss->asked_list = LIST;
	assert_int_equal(sw_list_generation_install(&lists, SW_LIST_ALLOW, NULL), 0);
	assert_int_equal(announced(), 0);
}

/* ---- changes while packets flow */

#define STAYING 512U

static struct sw_prefix staying[STAYING];
static bool over;

/* Of its lower or upper half, so that none of the one is in one of the other. */
static struct sw_prefix prefix_in_half(bool upper, __u32 shortest)
{
	bool v6 = roll(2);
	struct sw_addr addr = random_address(v6);
	__u32 length = v6 ? shortest + roll(129 - shortest) : SW_V4_PREFIX + 8 + roll(25);

	if (upper)
		addr.bytes[v6 ? 0 : 12] |= 0x80;
	else
		addr.bytes[v6 ? 0 : 12] &= 0x7f;
	return prefix_of(addr, length);
}

static struct sw_prefix passing_prefix(void)
{
	return prefix_in_half(false, 8);
}

static void *keep_asking(void *unused)
{
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		run_program(skeleton->progs.ask, 1000);
	return unused;
}

/* What the program counts for itself, while it goes on counting. */
static uint64_t answers(int which)
{
	return __atomic_load_n(&skeleton->bss->answered[which], __ATOMIC_RELAXED);
}

static void wait_for_answers(void)
{
	uint64_t seen = answers(0) + answers(1);

	while (answers(0) + answers(1) == seen)
		sched_yield();
}

/* A new table of those that stay and others, from nothing: what it has of the old one is its hits. */
static void install_with(__u32 others)
{
	SW_AUTO_LIST_GENERATION struct sw_list_generation generation = SW_LIST_GENERATION_NONE;
	SW_AUTO_ENTRIES struct sw_entries entries = {};
	const struct sw_list_recipe recipe = { .entries = &entries };

	for (__u32 i = 0; i < STAYING + others; i++) {
		struct sw_entry entry = { .prefix = i < STAYING ? staying[i] : passing_prefix(),
					  .reason = "" };

		must(!sw_entries_add(&entries, &entry), "entries");
	}
	sw_entries_settle(&entries);
	must(!sw_list_build(&lists, LIST, &recipe, &generation), "build");
	must(!sw_list_generation_install(&lists, LIST, &generation), "install");
}

static uint64_t total_hits(void)
{
	SW_AUTO_LIST_GENERATION struct sw_list_generation generation = SW_LIST_GENERATION_NONE;
	SW_AUTO_ENTRIES struct sw_entries found = {};
	uint64_t sum = 0;

	must(!sw_list_generation_open(&lists, LIST, &generation), "open");
	must(!sw_list_collect(&generation, &found), "collect");
	for (size_t i = 0; i < found.count; i++)
		sum += found.rows[i].hits;
	return sum;
}

/* Every question is about what stays. */
static int start_asking(void **state)
{
	static pthread_t thread;

	must(!sw_list_generation_install(&lists, LIST, NULL), "install");
	for (__u32 i = 0; i < STAYING; i++)
		staying[i] = prefix_in_half(true, 16);
	for (__u32 i = 0; i < QUESTIONS; i++)
		questions[i] = address_within(&staying[i % STAYING]);
	install_with(0);
	memset(skeleton->bss->answered, 0, sizeof(skeleton->bss->answered));
	over = false;
	must(!pthread_create(&thread, NULL, keep_asking, NULL), "thread");
	*state = &thread;
	return 0;
}

static int stop_asking(void **state)
{
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	return *state ? pthread_join(*(pthread_t *)*state, NULL) : 0;
}

static void expect_all_found(void **state)
{
	stop_asking(state);
	*state = NULL;
	assert_int_equal(answers(0), 0);
	assert_true(answers(1) > 10000);
	assert_int_equal(total_hits(), answers(1));
}

static void a_switch_loses_neither_prefix_nor_hit(void **state)
{
	for (int i = 0; i < 40; i++) {
		/* of very different sizes, so that a look into the wrong one finds nothing */
		install_with(i % 2 ? 20000 : 10);
		wait_for_answers();
	}
	expect_all_found(state);
}

#define PASSING 1000U

/* Thousands come and go, so that places are used again and again. */
static void a_change_in_place_loses_neither(void **state)
{
	SW_AUTO_LIST_GENERATION struct sw_list_generation now = SW_LIST_GENERATION_NONE;
	static struct sw_list_key passing[PASSING];
	__u32 deleted = 0;

	install_with(3000);
	must(!sw_list_generation_open(&lists, LIST, &now), "open");
	for (__u32 i = 0; i < 200 * PASSING; i++) {
		struct sw_prefix prefix = passing_prefix();
		struct sw_list_key *key = &passing[i % PASSING];

		if (key->length)
			deleted += sw_prefixes_delete(&now.prefixes, key);
		*key = sw_list_key(&prefix, now.prefixes.seed);
		if (!sw_prefixes_find(&now.prefixes, key))
			must(!sw_prefixes_insert(&now.prefixes, key, 0, 0), "insert");
		if (i % PASSING == 0)
			wait_for_answers();
	}
	assert_true(deleted > 100 * PASSING);
	expect_all_found(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_finds_what_the_host_finds),
		cmocka_unit_test(lists_are_apart),
		cmocka_unit_test_setup_teardown(a_switch_loses_neither_prefix_nor_hit, start_asking,
						stop_asking),
		cmocka_unit_test_setup_teardown(a_change_in_place_loses_neither, start_asking,
						stop_asking),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
