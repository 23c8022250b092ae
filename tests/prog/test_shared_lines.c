// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What CPUs write where others do: for a SYN that is answered nothing, for one that is followed its own place in the table,
 * for data of a connection nothing but the time, now and then. So what many queues do, they do beside each other.
 */
#include "../lib/sequences.h"
#include "../lib/cookies.h"
#include "../lib/enforce.h"

#define BUCKETS	      64
#define EVENT_RECORDS 1024U
#define WEB	      80
#define FIRST_CLIENT  (FIRST_NUMBERED + 1)
#define TICK_MS	      10 /* the longest that a kernel has */
#define MAX_MAPS      64
#define SYNS	      200

static struct prog prog;
static bool v6;

/* A map that all CPUs share, as it was. */
struct shared {
	const struct bpf_map *map;
	__u8 *was;
};

static struct shared shared[MAX_MAPS];
static size_t shared_maps;

/* The clock is this test's, and the batch is written by who feeds it. */
static bool is_shared(const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_ARRAY &&
	       strncmp(bpf_map__name(map), "replay", 6) && !sw_map_is_private(map);
}

static void forget(void)
{
	for (size_t i = 0; i < shared_maps; i++)
		free(shared[i].was);
	shared_maps = 0;
}

static void remember(void)
{
	const struct bpf_map *map;

	forget();
	bpf_object__for_each_map(map, prog.skeleton->obj)
	{
		if (!is_shared(map))
			continue;
		assert_true(shared_maps < MAX_MAPS);
		shared[shared_maps++] = (struct shared){ map, prog_table(map) };
	}
}

/* How many elements of a map, by its name, are others than they were; those of all maps that are not named. */
static __u32 changed(const char *name, bool of_the_others)
{
	__u32 count = 0;

	for (size_t i = 0; i < shared_maps; i++) {
		const struct bpf_map *map = shared[i].map;
		SW_AUTO_FREE __u8 *now = NULL;
		size_t size = bpf_map__value_size(map);

		if (!strcmp(bpf_map__name(map), name) == of_the_others)
			continue;
		now = prog_table(map);
		for (__u32 row = 0; row < bpf_map__max_entries(map); row++) {
			if (!memcmp(now + row * size, shared[i].was + row * size, size))
				continue;
			count++;
			if (of_the_others)
				print_message("%s[%u] was written\n", bpf_map__name(map), row);
		}
	}
	return count;
}

static __u32 verdict_on(struct segment segment)
{
	return prog_receive(&prog, &segment, v6);
}

static int reset(void **state)
{
	struct setup setup = setup_ordinary();

	v6 = *state;
	setup.handshake_buckets = BUCKETS;
	setup.connection_buckets = BUCKETS;
	prog_reset_policies(&prog, &setup);
	prog_clear(prog.skeleton->maps.alikes, sw_cpu_count());
	return 0;
}

/*
 * Of a flood's sources each sets one of a thousand bits, unless it is set: these are two lines which the first SYNs
 * after each look of the sweeper write, and those that come later only read.
 */
static void set_all_bits(__u32 key)
{
	int floods = bpf_map__fd(prog.skeleton->maps.floods);
	struct sw_flood_state state;

	must(!bpf_map_lookup_elem(floods, &key, &state), "floods");
	memset(state.sources, 0xff, sizeof(state.sources));
	must(!bpf_map_update_elem(floods, &key, &state, BPF_ANY), "floods");
}

/* From here on SYNs to the service get cookies. */
static void begin_flood(void)
{
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_add(policy, "web", NULL, WEB, WEB);
	__u32 key;

	prog_offer_cookies(&prog);
	rules->flood.mode = SW_FLOOD_ALWAYS;
	rules->enforce = true;
	key = policy_install(&prog, policy, 0) * SW_SERVICE_SLOTS;
	prog_begin_flood(&prog, key);
	set_all_bits(key);
	prog_arm_rules(&prog, true);
}

static void answer(__u32 first)
{
	for (__u32 i = 0; i < SYNS; i++)
		assert_int_equal(
			verdict_on(USUAL_SYN(.from = FIRST_CLIENT + first + i, .dport = WEB)),
			XDP_TX);
}

static void an_answered_syn_writes_nothing(void **state __unused)
{
	begin_flood();
	answer(0);
	remember();
	answer(SYNS);
	assert_int_equal(changed("", true), 0);
}

/* The first of a tick may note in the addressee's row that its listener was looked at: one line, once for all CPUs. */
static void a_tick_writes_one_row(void **state __unused)
{
	begin_flood();
	answer(0);
	remember();
	prog.now_ns += TICK_MS * NS_PER_MS;
	answer(SYNS);
	assert_int_equal(changed("addressees", true), 0);
	assert_true(changed("addressees", false) <= 1);
	remember();
	answer(2 * SYNS);
	assert_int_equal(changed("", true), 0);
}

static void a_followed_syn_writes_its_bucket(void **state __unused)
{
	remember();
	assert_int_equal(verdict_on(USUAL_SYN(.from = FIRST_CLIENT, .dport = WEB)), XDP_PASS);
	assert_int_equal(changed("handshakes", false), 1);
	assert_int_equal(changed("handshakes", true), 1);
	assert_int_equal(changed("handshake_hints", false), 1);
	/* a hint that says so already is only read: in a crowd all do */
	for (__u32 i = 1; i < 40 * SYNS; i++)
		verdict_on(USUAL_SYN(.from = FIRST_CLIENT + i, .dport = WEB));
	remember();
	assert_int_equal(verdict_on(USUAL_SYN(.from = FIRST_CLIENT + 40 * SYNS, .dport = WEB)),
			 XDP_PASS);
	assert_int_equal(changed("handshakes", false), 1);
	assert_int_equal(changed("handshake_hints", false), 0);
}

static void data_write_the_time_now_and_then(void **state __unused)
{
	const struct segment data = tcp(.from = CLIENT, .dport = WEB, .flags = ACK, .seq = 101,
					.ack = 501, .payload = 64);

	verdict_on(USUAL_SYN(.from = CLIENT, .dport = WEB, .seq = 100));
	verdict_on(tcp(.from = SERVER, .sport = WEB, .dport = data.sport, .flags = SYN | ACK,
		       .seq = 500, .ack = 101));
	verdict_on(data);
	assert_int_equal(prog_result(&prog).counters.tallies[SW_TALLY_CONNECTIONS_OPENED], 1);
	remember();
	for (__u32 i = 0; i < SYNS; i++)
		verdict_on(data);
	assert_int_equal(changed("", true), 0);
	prog.now_ns += 1000 * NS_PER_MS;
	for (__u32 i = 0; i < SYNS; i++)
		verdict_on(data);
	assert_int_equal(changed("connections", true), 0);
	assert_int_equal(changed("connections", false), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(an_answered_syn_writes_nothing),
		EACH_FAMILY(a_tick_writes_one_row),
		EACH_FAMILY(a_followed_syn_writes_its_bucket),
		EACH_FAMILY(data_write_the_time_now_and_then),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);
	int failed = prog_run(&prog, &setup, EVENT_RECORDS, tests);

	forget();
	return failed;
}
