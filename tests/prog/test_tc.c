// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The program by which TC sees what comes in, where it has ways of its own: it answers SYNs with the very bytes that XDP
 * answers with, and it knows the tag beside a frame.
 */
#include "../lib/sequences.h"
#include "../lib/cookies.h"
#include "../lib/enforce.h"
#include "tagged.h"

#include "tagged.skel.h"

#define BUCKETS	      64
#define EVENT_RECORDS 1024U
#define ACT_REDIRECT  7 /* linux/pkt_cls.h of Debian 12 has it, as TC_ACT_REDIRECT */

static struct prog prog;
static struct tagged_bpf *tagged;
static bool v6;

static int reset(void **state)
{
	struct setup setup = setup_ordinary();

	v6 = *state;
	setup.start_ns = START_MS * NS_PER_MS;
	prog_reset_policies(&prog, &setup);
	return 0;
}

/* From here on each SYN is answered. */
static struct world begin_flood(void)
{
	struct world world = new_world(START_MS);

	prog_answer_syns(&prog);
	prog_set(prog.skeleton->maps.cookie_offers, &world.offer);
	prog_set(prog.skeleton->maps.cookie_keys, &world.keys);
	return world;
}

static void answers_are_those_of_xdp(void **state __unused)
{
	const struct segment syns[] = {
		USUAL_SYN(),
		USUAL_SYN(.tags = 1),
		USUAL_SYN(.tags = 2),
		USUAL_SYN(.ip_options = v6 ? 0 : 3, .extensions = v6 ? "hD" : NULL),
		/* nothing can be taken out behind a tag: the answer begins earlier */
		USUAL_SYN(.ip_options = v6 ? 0 : 1, .extensions = v6 ? "D" : NULL, .tags = 2),
		A_SYN(),			      /* no room for any option */
		A_SYN(.mss = 536),		      /* only for that */
		A_SYN(.timestamp = true, .tsval = 7), /* for all but that */
		USUAL_SYN(.payload = 100),
		USUAL_SYN(.padding = 20),
	};
	struct result before, after;
	__u8 expected[FRAME_MAX];
	__u32 length;

	begin_flood();
	for (size_t i = 0; i < COUNT(syns); i++) {
		struct frame frame;

		frame_build(&frame, &syns[i], v6);
		before = prog_result(&prog);
		assert_int_equal(prog_frame(&prog, HOOK_XDP, &frame), XDP_TX);
		/* XDP leaves behind the answer what it does not need of the frame */
		length = prog.after_length;
		memcpy(expected, prog.after, length);
		assert_int_equal(prog_frame(&prog, HOOK_TC, &frame), ACT_REDIRECT);
		assert_true(prog.after_length <= length);
		assert_memory_equal(prog.after, expected, prog.after_length);
		after = prog_result(&prog);
		assert_int_equal(after.counters.tallies[SW_TALLY_COOKIES_SENT],
				 before.counters.tallies[SW_TALLY_COOKIES_SENT] + 2);
		assert_int_equal(after.traffic[SW_INGRESS].verdicts[SW_VERDICT_ANSWERED],
				 2 * (i + 1));
		assert_int_equal(after.traffic[SW_INGRESS].bytes,
				 before.traffic[SW_INGRESS].bytes + 2 * frame.length);
	}
}

/* The frame is the answer and no more, as is read from what it says of itself. */
static void an_answer_is_whole(void **state __unused)
{
	struct world world = begin_flood();
	struct segment syn = USUAL_SYN(.payload = 100);
	struct sw_cookie_answer expected = answer_to(&world, &syn, v6);
	struct sw_packet answer = {};
	struct sw_cursor cursor;
	struct frame frame;

	frame_build(&frame, &syn, v6);
	assert_int_equal(prog_frame(&prog, HOOK_TC, &frame), ACT_REDIRECT);
	cursor = (struct sw_cursor){ prog.after, prog.after + prog.after_length };
	sw_parse_all(&cursor, prog.after_length, &answer);
	assert_int_equal(answer.kind, SW_KIND_TCP);
	assert_int_equal(answer.flags, SYN | ACK);
	assert_int_equal(answer.seq, expected.seq);
	assert_int_equal(answer.payload, 0);
	assert_int_equal(prog.after_length, 14 + (v6 ? 40 : 20) + answer.doff * 4);
	cursor = (struct sw_cursor){ prog.after, prog.after + prog.after_length };
	sw_check_ip_sum(&cursor, &answer);
	cursor.pos = prog.after + prog.after_length - answer.doff * 4;
	sw_check_tcp_sum(&cursor, &answer);
	assert_int_equal(answer.facts, 0);
}

/* The ACK to such an answer makes a connection, and a number that is made up makes none. */
static void cookies_come_back(void **state __unused)
{
	struct world world = begin_flood();
	struct segment syn = USUAL_SYN();
	struct sw_cookie_answer answer = answer_to(&world, &syn, v6);
	struct segment ack = ack_to(&syn, &answer), wrong = ack;
	struct result result;

	wrong.sport = 4711;
	assert_int_equal((int)prog_segment(&prog, HOOK_TC, &ack, v6), TC_ACT_UNSPEC);
	assert_int_equal(prog_segment(&prog, HOOK_TC, &wrong, v6), TC_ACT_SHOT);
	result = prog_result(&prog);
	assert_int_equal(result.counters.tallies[SW_TALLY_COOKIES_ACCEPTED], 1);
	assert_int_equal(result.counters.limits_dropped[SW_LIMIT_BAD_COOKIE], 1);
	assert_int_equal(result.counters.outcomes[SW_OUTCOME_ACCEPTED], 1);
	assert_int_equal(result.traffic[SW_INGRESS].verdicts[SW_VERDICT_DROPPED], 1);
}

/* What has no way back for an answer is asked for no cookie, neither. */
static void in_pppoe_nothing_is_answered(void **state __unused)
{
	const struct segment syn = USUAL_SYN(.pppoe = true),
			     ack = AN_ACK(.pppoe = true, .sport = 4711);
	struct result result;

	begin_flood();
	assert_int_equal(prog_segment(&prog, HOOK_XDP, &syn, v6), XDP_PASS);
	assert_int_equal(prog_segment(&prog, HOOK_XDP, &ack, v6), XDP_PASS);
	assert_int_equal((int)prog_segment(&prog, HOOK_TC, &syn, v6), TC_ACT_UNSPEC);
	assert_int_equal((int)prog_segment(&prog, HOOK_TC, &ack, v6), TC_ACT_UNSPEC);
	result = prog_result(&prog);
	assert_int_equal(result.counters.tallies[SW_TALLY_COOKIES_SENT], 0);
	assert_int_equal(result.counters.limits_seen[SW_LIMIT_BAD_COOKIE], 0);
	assert_int_equal(result.counters.anomalies_seen[SW_ANOMALY_SYN_RETRANSMIT], 1);
	assert_int_equal(result.counters.outcomes[SW_OUTCOME_MIDSTREAM], 1);
}

/* An event names the tag beside the frame as the outer one. */
static void a_tag_beside_is_known(void **state __unused)
{
	const __u16 outer = sw_vlan(TAGGED_TCI);
	struct sw_event_record record;
	int target = bpf_program__fd(prog.tc->progs.sw_tc);

	prog_set(tagged->maps.tagged_next, &target);
	for (int tags = 0; tags < 2; tags++) {
		struct frame frame;

		frame_build(&frame, &tcp(.flags = 0, .tags = tags), v6);
		prog_skip_events(&prog);
		prog_set_clock(&prog, frame.length);
		assert_int_equal((int)prog_test_run(&prog, tagged->progs.tagged, frame.bytes,
						    frame.captured, 1),
				 TC_ACT_UNSPEC);
		assert_true(prog_next_event(&prog, &record));
		assert_int_equal(record.event.vlans[0], outer);
		assert_int_equal(!!record.event.vlans[1], tags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(answers_are_those_of_xdp), EACH_FAMILY(an_answer_is_whole),
		EACH_FAMILY(cookies_come_back),	       EACH_FAMILY(in_pppoe_nothing_is_answered),
		EACH_FAMILY(a_tag_beside_is_known),
	};
	struct setup setup = setup_of_buckets(BUCKETS);
	int failed;

	setup.tc = true;
	tagged = tagged_bpf__open_and_load();
	must(tagged, "tagged");
	failed = prog_run(&prog, &setup, EVENT_RECORDS, tests);
	tagged_bpf__destroy(tagged);
	return failed;
}
