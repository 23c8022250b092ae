// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random policies: which service a packet belongs to, and whether the allow list, the block list or
 * the service decides about it. What the program says is compared with going through all of it bit
 * by bit.
 */
#include "../lib/sequences.h"
#include "../lib/lists.h"
#include "../lib/policies.h"

#define POLICIES      150
#define WORLDS	      30 /* each change of a list waits for the kernel */
#define PER_WORLD     900
#define EVENT_RECORDS 4096U
#define QUESTIONS     (SW_REPLAY_BATCH / 2)
#define MAX_LIST      12

static struct prog prog;
static __u64 dice;

/* ---- the model */

static bool lies_in(const struct sw_addr *addr, const struct sw_prefix *prefix)
{
	/* an IPv4 address lies in no prefix of IPv6, however short */
	if (sw_addr_is_v4(addr) != sw_prefix_is_v4(prefix))
		return false;
	for (__u32 bit = 0; bit < prefix->length; bit++)
		if ((addr->bytes[bit / 8] ^ prefix->addr.bytes[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static bool lies_in_any(const struct sw_addr *addr, const struct sw_prefix *prefixes, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		if (lies_in(addr, &prefixes[i]))
			return true;
	return false;
}

static bool is_of(const struct sw_service *service, const struct sw_addr *addr, __u32 port)
{
	bool v4 = sw_addr_is_v4(addr), in_range = !service->port_count;

	for (__u32 i = 0; i < service->port_count; i++)
		in_range |= port >= service->ports[i].first && port <= service->ports[i].last;
	if (!in_range)
		return false;
	if (service->prefix_count)
		return lies_in_any(addr, service->prefixes, service->prefix_count);
	return service->family == SW_FAMILY_ANY || (service->family == SW_FAMILY_IPV4) == v4;
}

/* Of several the first: user space has put them in order. */
static __u32 model_service(const struct sw_policy *policy, const struct sw_addr *addr, __u32 port)
{
	for (__u32 i = 0; i < policy->service_count; i++)
		if (is_of(&policy->services[i], addr, port))
			return i;
	return SW_SERVICE_DEFAULT;
}

/* ---- questions */

static const struct sw_service *draw_service(const struct sw_policy *policy)
{
	return &policy->services[policy->service_count ? draw(&dice, policy->service_count) : 0];
}

/* Often just inside or outside of what the policy names. */
static __u16 draw_port(const struct sw_policy *policy)
{
	const struct sw_service *service = draw_service(policy);
	const struct sw_port_range *range;
	__u32 port;

	if (!service->port_count || !draw(&dice, 4))
		return 1 + draw(&dice, 65535);
	range = &service->ports[draw(&dice, service->port_count)];
	port = draw(&dice, 2) ? range->first : range->last;
	port += draw(&dice, 3) - 1;
	return port && port < SW_PORTS ? port : 1;
}

static struct sw_addr draw_target(const struct sw_policy *policy)
{
	const struct sw_service *service = draw_service(policy);
	const struct sw_prefix *prefix;
	struct sw_addr addr = draw_address(&dice);

	if (!service->prefix_count || draw(&dice, 2))
		return addr;
	prefix = &service->prefixes[draw(&dice, service->prefix_count)];
	addr = prefix->addr;
	if (prefix->length && !draw(&dice, 3))
		addr.bytes[(prefix->length - 1) / 8] ^= 0x80 >> (prefix->length - 1) % 8;
	return addr;
}

struct question {
	struct sw_addr addr;
	__u16 port;
};

static struct question draw_question(const struct sw_policy *policy)
{
	return (struct question){ draw_target(policy), draw_port(policy) };
}

/* Which services there were told to be, by their events. */
static struct answers {
	const struct sw_policy *policy;
	__u32 count;
	__u32 of[SW_SERVICE_SLOTS];
} answers;

static void take_limit(const struct sw_event *event)
{
	__u32 expected = model_service(answers.policy, &event->flow.resp, event->flow.resp_port);

	answers.count++;
	answers.of[expected]++;
	assert_int_equal(event->generation, answers.policy->generation);
	if (event->service != expected) {
		char text[SW_ENDPOINT_SIZE];

		sw_format_endpoint(text, &event->flow.resp, event->flow.resp_port);
		fprintf(stderr, "%s is of service %u, expected %u\n", text, event->service,
			expected);
		answers.policy = NULL;
	}
}

static void read_answers(void)
{
	struct sw_event_record record;

	while (answers.policy && prog_next_event(&prog, &record))
		if (record.event.type == SW_EVENT_LIMIT)
			take_limit(&record.event);
}

static int reset(void **state __unused)
{
	struct setup setup = setup_ordinary();

	prog_reset_policies(&prog, &setup);
	prog_set_list(&prog, SW_LIST_ALLOW, NULL, 0);
	prog_set_list(&prog, SW_LIST_BLOCK, NULL, 0);
	prog_skip_events(&prog);
	dice = 1;
	return 0;
}

/* A policy that says nothing but which services there are. */
static void draw_services(struct sw_policy *policy)
{
	draw_policy(&dice, policy);
	policy->auto_block.enabled = 0;
	for (__u32 i = 0; i < SW_SERVICE_SLOTS; i++)
		sw_rules_default(&policy->rules[i]);
}

/*
 * Each question is a SYN, twice: where one SYN a second is allowed, at least the second tells the
 * service in its event.
 */
static void ask(const struct sw_policy *policy, __u32 slot)
{
	__u64 syns[SW_SERVICE_SLOTS] = {}, sources[SW_SERVICE_SLOTS] = {};

	for (__u32 i = 0; i < QUESTIONS; i++) {
		struct question question = draw_question(policy);
		bool v6 = !sw_addr_is_v4(&question.addr);
		struct segment syn = A_SYN(.dport = question.port, .seq = i);
		struct sw_addr client = end_address(CLIENT, v6);
		struct frame frame;
		__u32 service;

		frame_build(&frame, &syn, v6);
		frame_set_ends(&frame, v6, &client, &question.addr);
		prog_batch(&prog, 2 * i, &frame, prog.now_ns);
		prog_batch(&prog, 2 * i + 1, &frame, prog.now_ns);
		service = model_service(policy, &question.addr, question.port);
		assert_int_equal(sw_policy_find(policy, &question.addr, question.port), service);
		syns[service] += 2;
		sources[service] |= 1 << v6;
	}
	prog_clear(prog.skeleton->maps.service_counts, sw_cpu_count());
	prog_feed(&prog, 2 * QUESTIONS);
	memset(&answers, 0, sizeof(answers));
	answers.policy = policy;
	read_answers();
	assert_non_null(answers.policy);
	assert_true(answers.count >= QUESTIONS);
	for (__u32 i = 0; i < SW_SERVICE_SLOTS; i++) {
		/* the first of each source may pass */
		assert_int_equal(answers.of[i] + (sources[i] & 1) + (sources[i] >> 1), syns[i]);
		assert_int_equal(prog_service_counts(&prog, slot, i).evidence[SW_EVIDENCE_SYNS],
				 policy->service_count ? syns[i] : 0);
	}
}

static void each_packet_has_its_service(void **state __unused)
{
	__u32 of_many = 0;

	for (__u32 i = 0; i < POLICIES; i++) {
		SW_AUTO_POLICY policy = policy_new();

		draw_services(policy);
		for (__u32 j = 0; j < SW_SERVICE_SLOTS; j++) {
			policy->rules[j].syn_rate = 1;
			policy->rules[j].syn_burst = 1;
		}
		ask(policy, policy_install(&prog, policy, 0));
		of_many += policy->service_count > 20;
	}
	assert_true(of_many);
}

/* What leaves is of the service that sends it. */
static void what_leaves_has_its_sender(void **state __unused)
{
	for (__u32 i = 0; i < POLICIES / 5; i++) {
		SW_AUTO_POLICY policy = policy_new();
		__u64 expected[SW_SERVICE_SLOTS] = {};
		__u32 slot;

		draw_services(policy);
		slot = policy_install(&prog, policy, 0);
		prog_clear(prog.skeleton->maps.service_counts, sw_cpu_count());
		for (__u32 j = 0; j < 100; j++) {
			struct question question = draw_question(policy);
			bool v6 = !sw_addr_is_v4(&question.addr);
			struct segment null = tcp(.flags = 0, .sport = question.port);
			struct sw_addr client = end_address(CLIENT, v6);
			struct frame frame;

			frame_build(&frame, &null, v6);
			frame_set_ends(&frame, v6, &question.addr, &client);
			prog_frame(&prog, HOOK_EGRESS, &frame);
			expected[model_service(policy, &question.addr, question.port)]++;
		}
		for (__u32 j = 0; j < SW_SERVICE_SLOTS && policy->service_count; j++)
			assert_int_equal(prog_service_counts(&prog, slot, j).anomalies,
					 expected[j]);
	}
}

/* ---- allow > block > service > default */

struct world {
	struct sw_policy *policy;
	struct sw_prefix allowed[MAX_LIST], blocked[MAX_LIST];
	__u32 allowed_count, blocked_count;
	__u64 by_block, by_anomaly, would_by_block, would_by_anomaly;
};

static __u32 draw_list(enum sw_list list, struct sw_prefix *prefixes)
{
	__u32 count = draw(&dice, MAX_LIST + 1);

	for (__u32 i = 0; i < count; i++) {
		do /* a list of everything is none */
			prefixes[i] = draw_prefix(&dice);
		while (!prefixes[i].length || prefixes[i].length == SW_V4_PREFIX);
	}
	prog_set_list(&prog, list, prefixes, count);
	return count;
}

static void draw_world(struct world *world)
{
	draw_services(world->policy);
	for (__u32 i = 0; i < SW_SERVICE_SLOTS; i++) {
		world->policy->rules[i].enforce = !!draw(&dice, 3);
		world->policy->rules[i].drop = draw(&dice, 2) ? SW_BIT(FLAGS_NULL) : 0;
	}
	world->allowed_count = draw_list(SW_LIST_ALLOW, world->allowed);
	world->blocked_count = draw_list(SW_LIST_BLOCK, world->blocked);
	policy_install(&prog, world->policy, 0);
}

/* Is a packet dropped? Counts by what, or by what it would be. */
static bool model_drops(struct world *world, const struct sw_addr *src, const struct sw_addr *dst,
			__u16 port, bool anomalous)
{
	const struct sw_rules *rules =
		&world->policy->rules[model_service(world->policy, dst, port)];
	bool blocked;

	if (lies_in_any(src, world->allowed, world->allowed_count))
		return false;
	blocked = lies_in_any(src, world->blocked, world->blocked_count);
	if (blocked && rules->enforce) {
		world->by_block++;
		return true;
	}
	world->would_by_block += blocked;
	if (!anomalous || !rules->drop)
		return false;
	world->by_anomaly += rules->enforce;
	world->would_by_anomaly += !rules->enforce;
	return rules->enforce;
}

static void knock(struct world *world)
{
	struct question question = draw_question(world->policy);
	bool v6 = !sw_addr_is_v4(&question.addr), anomalous = draw(&dice, 2), dropped;
	struct segment segment = tcp(.flags = anomalous ? 0 : SYN, .dport = question.port);
	struct frame frame;
	struct sw_addr src;

	do
		src = draw_address(&dice);
	while (sw_addr_is_v4(&src) == v6);
	frame_build(&frame, &segment, v6);
	frame_set_ends(&frame, v6, &src, &question.addr);
	dropped = model_drops(world, &src, &question.addr, question.port, anomalous);
	assert_int_equal(prog_frame(&prog, HOOK_XDP, &frame), dropped ? XDP_DROP : XDP_PASS);
	assert_memory_equal(prog.after, frame.bytes, frame.captured);
}

static void allow_block_service_default(void **state __unused)
{
	struct world world = {};
	const struct sw_counters *counters;
	struct result result;

	for (__u32 i = 0; i < WORLDS; i++) {
		SW_AUTO_POLICY policy = policy_new();

		world.policy = policy;
		draw_world(&world);
		for (__u32 j = 0; j < PER_WORLD; j++)
			knock(&world);
	}
	result = prog_result(&prog);
	counters = &result.counters;
	assert_true(world.by_block > 500 && world.by_anomaly > 500);
	assert_true(world.would_by_block > 500 && world.would_by_anomaly > 500);
	assert_int_equal(counters->limits_dropped[SW_LIMIT_BLOCK_LIST], world.by_block);
	assert_int_equal(counters->limits_would_drop[SW_LIMIT_BLOCK_LIST], world.would_by_block);
	assert_int_equal(counters->limits_seen[SW_LIMIT_BLOCK_LIST],
			 world.by_block + world.would_by_block);
	assert_int_equal(counters->anomalies_dropped[SW_ANOMALY_FLAGS_NULL], world.by_anomaly);
	assert_int_equal(counters->anomalies_would_drop[SW_ANOMALY_FLAGS_NULL],
			 world.would_by_anomaly);
	assert_conserved_traffic(&result.traffic[SW_INGRESS], WORLDS * PER_WORLD,
				 world.by_block + world.by_anomaly);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_packet_has_its_service, reset),
		cmocka_unit_test_setup(what_leaves_has_its_sender, reset),
		cmocka_unit_test_setup(allow_block_service_default, reset),
	};
	struct setup setup = setup_ordinary();
	int failed;

	prog_open(&prog, &setup, EVENT_RECORDS);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	prog_close(&prog);
	return failed;
}
