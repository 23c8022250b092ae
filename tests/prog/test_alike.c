// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SYNs of a flood that are answered as the first one of their tick was: what they get is what the long way would give them,
 * and whatever speaks for one of them is heard all the same.
 */
#include "../lib/sequences.h"
#include "../../include/synward/cookie.h"
#include "../lib/cookies.h"
#include "../lib/enforce.h"

#define BUCKETS	      64
#define EVENT_RECORDS 1024U
#define WEB	      80
#define FIRST_CLIENT  (FIRST_NUMBERED + 1)
#define TICK_MS	      10 /* the longest that a kernel has */

static struct prog prog;
static bool v6;
static __u32 slot;

static void put(const struct bpf_map *map, __u32 key, const void *value)
{
	must(!bpf_map_update_elem(bpf_map__fd(map), &key, value, BPF_ANY), bpf_map__name(map));
}

static void set_flood(const struct sw_flood_state *flood)
{
	put(prog.skeleton->maps.floods, slot * SW_SERVICE_SLOTS, flood);
}

/* A flood in which nobody may pass for what he has proven. */
static const struct sw_flood_state a_flood = { .on = 1, .honour = 1, .syn_rate = 1U << 30 };

/* All SYNs to the service get cookies. */
static int reset(void **state)
{
	struct setup setup = setup_ordinary();
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_add(policy, "web", NULL, WEB, WEB);

	v6 = *state;
	setup.handshake_buckets = BUCKETS;
	setup.connection_buckets = BUCKETS;
	prog_reset_policies(&prog, &setup);
	prog_clear(prog.skeleton->maps.verified, 1);
	prog_clear(prog.skeleton->maps.alikes, sw_cpu_count());
	prog_offer_cookies(&prog);
	rules->flood.mode = SW_FLOOD_ALWAYS;
	rules->enforce = true;
	slot = policy_install(&prog, policy, 0);
	prog_begin_flood(&prog, slot * SW_SERVICE_SLOTS);
	set_flood(&a_flood);
	prog_arm_rules(&prog, true);
	return 0;
}

static __u32 verdict_on(struct segment segment)
{
	return prog_receive(&prog, &segment, v6);
}

static __u32 verdict_on_client(__u32 number)
{
	return verdict_on(USUAL_SYN(.from = FIRST_CLIENT + number, .dport = WEB));
}

/* The rules become such that the long way answers nothing any more. In the field they do not change in place. */
static void answer_none(void)
{
	struct sw_policy policy;

	must(!bpf_map_lookup_elem(bpf_map__fd(prog.skeleton->maps.policies), &slot, &policy),
	     "policies");
	policy.rules[0].flood.mode = SW_FLOOD_OFF;
	put(prog.skeleton->maps.policies, slot, &policy);
}

/* The first SYN of the tick. From here on what is answered was answered as that one. */
static void answer_first(void)
{
	assert_int_equal(verdict_on_client(0), XDP_TX);
	answer_none();
	assert_int_equal(verdict_on_client(1), XDP_TX);
}

static void in_its_tick_only(void **state __unused)
{
	answer_first();
	prog.now_ns += TICK_MS * NS_PER_MS;
	assert_int_equal(verdict_on_client(2), XDP_PASS);
}

static void to_its_port_only(void **state __unused)
{
	answer_first();
	assert_int_equal(verdict_on(USUAL_SYN(.from = FIRST_CLIENT, .dport = WEB + 1)), XDP_PASS);
	assert_int_equal(verdict_on_client(2), XDP_TX);
}

static void with_its_tags_only(void **state __unused)
{
	answer_first();
	assert_int_equal(verdict_on(USUAL_SYN(.from = FIRST_CLIENT + 2, .dport = WEB, .tags = 1)),
			 XDP_PASS);
}

static void not_when_all_is_disarmed(void **state __unused)
{
	answer_first();
	prog_arm_rules(&prog, false);
	assert_int_equal(verdict_on_client(2), XDP_PASS);
}

static void not_when_the_flood_is_over(void **state __unused)
{
	struct sw_flood_state calm = a_flood;

	answer_first();
	calm.on = 0;
	set_flood(&calm);
	assert_int_equal(verdict_on_client(2), XDP_PASS);
}

static void not_when_the_defence_steps_aside(void **state __unused)
{
	struct sw_flood_state aside = a_flood;

	answer_first();
	aside.check_phase = SW_CHECK_ASIDE;
	set_flood(&aside);
	assert_int_equal(verdict_on_client(2), XDP_PASS);
}

/* A handshake that began before: the server would reset whoever brought back another number. */
static void not_whose_attempt_is_remembered(void **state __unused)
{
	struct sw_flood_state flood = a_flood;

	flood.on = 0;
	set_flood(&flood);
	assert_int_equal(verdict_on_client(2), XDP_PASS);
	flood.on = 1;
	flood.half_open = 1;
	set_flood(&flood);
	answer_first();
	assert_int_equal(verdict_on_client(2), XDP_PASS);
}

/* RFC 5961 section 4: its server has the right to ask back. */
static void not_whose_connection_is_there(void **state __unused)
{
	struct sw_flood_state flood = a_flood;
	const struct segment syn = USUAL_SYN(.from = FIRST_CLIENT + 2, .dport = WEB);

	flood.on = 0;
	set_flood(&flood);
	verdict_on(syn);
	verdict_on(tcp(.from = SERVER, .to = syn.from, .sport = WEB, .dport = CLIENT_PORT,
		       .flags = SYN | ACK, .seq = 7000, .ack = syn.seq + 1));
	verdict_on(
		tcp(.from = syn.from, .dport = WEB, .flags = ACK, .seq = syn.seq + 1, .ack = 7001));
	assert_int_equal(prog_result(&prog).counters.outcomes[SW_OUTCOME_ACCEPTED], 1);
	set_flood(&a_flood);
	answer_first();
	assert_int_equal(verdict_on(syn), XDP_PASS);
}

/* Who has proven himself may pass, if the flood is not too large for that. */
static void not_where_sources_are_asked_for(void **state __unused)
{
	const struct sw_flood_state small = { .on = 1, .honour = 1 };

	set_flood(&small);
	assert_int_equal(verdict_on_client(0), XDP_TX);
	answer_none();
	assert_int_equal(verdict_on_client(1), XDP_PASS);
}

static struct segment any_syn(struct dice *dice)
{
	struct segment syn = A_SYN(.from = FIRST_CLIENT + roll(dice, 1000), .dport = WEB,
				   .sport = 40000 + roll(dice, 9999));

	syn.seq = roll(dice, 1U << 31);
	if (roll(dice, 2))
		syn.mss = 500 + roll(dice, 9000);
	syn.sack_ok = roll(dice, 2);
	syn.timestamp = roll(dice, 2);
	syn.tsval = roll(dice, 1U << 31);
	if (roll(dice, 2))
		syn.wscale = 1 + roll(dice, 14);
	if (!roll(dice, 4))
		syn.flags |= ECE | CWR;
	return syn;
}

/* Byte for byte, and counted alike. */
static void as_the_long_way_would(void **state __unused)
{
	struct dice dice = { .state = 7 };
	struct sw_service_counters counts;
	__u8 before[FRAME_MAX];
	int rounds = 500;

	for (int i = 0; i < rounds; i++) {
		struct segment syn = any_syn(&dice);
		__u32 length;

		prog_clear(prog.skeleton->maps.alikes, sw_cpu_count());
		assert_int_equal(verdict_on(syn), XDP_TX);
		length = prog.after_length;
		memcpy(before, prog.after, length);
		assert_int_equal(verdict_on(syn), XDP_TX);
		assert_int_equal(prog.after_length, length);
		assert_memory_equal(prog.after, before, length);
		prog.now_ns += NS_PER_MS;
	}
	counts = prog_service_counts(&prog, slot, 0);
	assert_int_equal(counts.evidence[SW_EVIDENCE_SYNS], 2 * rounds);
	assert_int_equal(counts.evidence[SW_EVIDENCE_ANSWERED], 2 * rounds);
	assert_int_equal(counts.cookies_sent, 2 * rounds);
	assert_int_equal(prog_result(&prog).counters.tallies[SW_TALLY_COOKIES_SENT], 2 * rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(in_its_tick_only),
		EACH_FAMILY(to_its_port_only),
		EACH_FAMILY(with_its_tags_only),
		EACH_FAMILY(not_when_all_is_disarmed),
		EACH_FAMILY(not_when_the_flood_is_over),
		EACH_FAMILY(not_when_the_defence_steps_aside),
		EACH_FAMILY(not_whose_attempt_is_remembered),
		EACH_FAMILY(not_whose_connection_is_there),
		EACH_FAMILY(not_where_sources_are_asked_for),
		EACH_FAMILY(as_the_long_way_would),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
