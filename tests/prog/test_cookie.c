// SPDX-License-Identifier: GPL-2.0-or-later
/* SYN cookies as BPF: the frames that the program sends are those of the core on the host. */
#include "../lib/sequences.h"
#include "../../bench/cookie.h"
#include "../../bpf/core/answer.h"
#include "../lib/cookies.h"

#include <linux/bpf.h>

struct program {
	struct world world; /* the same keys, the same offer, the same time */
	struct cookie_bpf *skeleton;
	bool challenge;
	struct frame sent;
};

static void open_program(struct program *program, bool challenge)
{
	struct cookie_state state;
	__u32 zero = 0;

	*program = (struct program){ .world = new_world(START_MS), .challenge = challenge };
	program->skeleton = cookie_bpf__open();
	assert_non_null(program->skeleton);
	program->skeleton->rodata->fixed_ms = START_MS;
	program->skeleton->rodata->challenge = challenge;
	assert_int_equal(cookie_bpf__load(program->skeleton), 0);
	state = (struct cookie_state){ .keys = program->world.keys, .offer = program->world.offer };
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(program->skeleton->maps.states), &zero,
					     &state, BPF_ANY),
			 0);
}

/* Returns the verdict; what the packet became is in program->sent. */
static __u32 run_frame(struct program *program, const struct frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->bytes, .data_size_in = frame->length,
		    .data_out = program->sent.bytes, .data_size_out = FRAME_MAX);

	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(program->skeleton->progs.cookie_xdp), &run),
		0);
	program->sent.length = program->sent.captured = run.data_size_out;
	return run.retval;
}

static __u32 run_segment(struct program *program, const struct segment *segment, bool v6)
{
	struct frame frame;

	frame_build(&frame, segment, v6);
	return run_frame(program, &frame);
}

/* What the host makes of it: the frame, and how long the answer in it is. */
static __u32 answer_on_host(const struct program *program, struct frame *frame,
			    struct sw_cookie_answer *answer)
{
	struct sw_cursor cursor = { frame->bytes, frame->bytes + frame->length };
	struct sw_syn_frame place = { .start = frame->bytes, .end = cursor.end };
	const struct world *world = &program->world;
	struct sw_packet syn = {};
	__u32 length;
	int later;

	memset(answer, 0, sizeof(*answer));
	sw_parse_all(&cursor, frame->length, &syn);
	sw_parse_timestamp(&cursor, &syn);
	place.tcp = cursor.pos - frame->bytes - sizeof(struct wire_tcp);
	place.link_length = syn.link_length;
	if (program->challenge)
		assert_true(sw_challenge_make(&world->keys, NULL, &syn, world->now_ms, answer));
	else
		sw_cookie_make(&world->keys, NULL, &world->offer, &syn, world->now_ms, answer);
	later = sw_answer(&place, &syn, answer, &length);
	assert_true(later >= 0);
	frame->length -= later;
	memmove(frame->bytes, frame->bytes + later, frame->length);
	return length;
}

static const char *const extensions[] = { NULL, "h", "D", "hdrD", "dddddddd" };

/* SYNs of all layers and options, from a client of their own each. */
static struct segment numbered_syn(__u32 i, bool v6)
{
	struct segment syn = A_SYN(.from = FIRST_NUMBERED + i, .sport = 1024 + i,
				   .tsval = i * 77777, .timestamp = i & 1, .sack_ok = i & 2);

	if (i & 4)
		syn.mss = 500 + i;
	if (i & 8)
		syn.wscale = i / 16 % 16;
	if (i & 16)
		syn.flags |= ECE | CWR;
	if (i & 32)
		syn.payload = i % 50;
	if (v6)
		syn.extensions = extensions[i / 3 % 5];
	else
		syn.ip_options = i / 3 % 11;
	syn.tags = i % 3;
	return syn;
}

static void frames_are_those_of_the_host(void **state __unused)
{
	for (int challenge = 0; challenge < 2; challenge++) {
		struct program program;

		open_program(&program, challenge);
		for (__u32 i = 0; i < 2000; i++) {
			struct segment syn = numbered_syn(i, i & 64);
			struct sw_cookie_answer answer;
			struct frame expected;

			frame_build(&expected, &syn, i & 64);
			assert_int_equal(run_frame(&program, &expected), XDP_TX);
			answer_on_host(&program, &expected, &answer);
			assert_int_equal(program.sent.length, expected.length);
			assert_memory_equal(program.sent.bytes, expected.bytes, expected.length);
		}
		cookie_bpf__destroy(program.skeleton);
	}
}

static void acks_are_judged_as_on_the_host(void **state __unused)
{
	struct program program;

	open_program(&program, false);
	for (__u32 i = 0; i < 2000; i++) {
		struct segment syn = numbered_syn(i, i & 64), ack;
		struct sw_cookie_answer answer;
		struct frame frame;

		frame_build(&frame, &syn, i & 64);
		answer_on_host(&program, &frame, &answer);
		ack = ack_to(&syn, &answer);
		assert_int_equal(run_segment(&program, &ack, i & 64), XDP_PASS);
		if (i & 128)
			ack.ack ^= 1U << i % 32;
		else
			ack.sport++;
		assert_int_equal(run_segment(&program, &ack, i & 64), XDP_DROP);
	}
	cookie_bpf__destroy(program.skeleton);
}

static void rsts_are_judged_as_on_the_host(void **state __unused)
{
	struct program program;

	open_program(&program, true);
	for (__u32 i = 0; i < 200; i++) {
		struct segment syn = numbered_syn(i, i & 64), rst;
		struct sw_cookie_answer answer;
		struct frame frame;

		frame_build(&frame, &syn, i & 64);
		answer_on_host(&program, &frame, &answer);
		rst = tcp(.from = syn.from, .sport = syn.sport, .flags = RST, .seq = answer.ack);
		assert_int_equal(run_segment(&program, &rst, i & 64), XDP_PASS);
		rst.seq ^= 1U << i % 32;
		assert_int_equal(run_segment(&program, &rst, i & 64), XDP_DROP);
	}
	cookie_bpf__destroy(program.skeleton);
}

static void what_cannot_be_answered_is_not(void **state __unused)
{
	struct segment authentic = A_SYN(.extensions = "a");
	struct segment split = A_SYN(.mss = 1460, .more_fragments = true, .l4_length = 20);
	struct segment synack = tcp(.flags = SYN | ACK);
	struct program program;

	open_program(&program, false);
	assert_int_equal(run_segment(&program, &authentic, true), XDP_DROP);
	for (int v6 = 0; v6 < 2; v6++) {
		assert_int_equal(run_segment(&program, &split, v6), XDP_DROP);
		assert_int_equal(run_segment(&program, &synack, v6), XDP_PASS);
	}
	cookie_bpf__destroy(program.skeleton);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_those_of_the_host),
		cmocka_unit_test(acks_are_judged_as_on_the_host),
		cmocka_unit_test(rsts_are_judged_as_on_the_host),
		cmocka_unit_test(what_cannot_be_answered_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
