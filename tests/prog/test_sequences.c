// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every outcome and every anomaly once more, now through the loaded programs: what they count, that they
 * let everything pass, and that they change no byte.
 */
#include "../lib/sequences.h"
#include "../lib/prog.h"

#include "tagged.skel.h"

#define EVENT_RECORDS 8192U

/* Programs are loaded once; which of the two only the sequence says. */
static struct prog programs[2];
static struct tagged_bpf *tagged;

static struct prog *program_for(const struct sequence *sequence)
{
	struct setup setup = sequence_setup(sequence);
	struct prog *prog = &programs[sequence->checksums];

	setup.tc = true;
	if (!prog->skeleton)
		prog_open(prog, &setup, EVENT_RECORDS);
	prog_reset(prog, &setup);
	return prog;
}

static __u64 advance(__u64 now_ns, const struct segment *segment)
{
	return now_ns + segment->after_ms * NS_PER_MS + segment->after_us * 1000ULL;
}

static void assert_as_said(struct prog *prog, const struct sequence *sequence,
			   enum sw_direction direction)
{
	const struct sw_traffic *traffic;
	struct result result;

	prog_sweep(prog, true);
	result = prog_result(prog);
	assert_int_equal(sequence_wrongs(sequence, &result), 0);
	traffic = &result.traffic[direction];
	assert_int_equal(traffic->seen, sequence_length(sequence));
	assert_int_equal(traffic->verdicts[SW_VERDICT_PASSED], traffic->seen);
	assert_int_equal(result.counters.tallies[SW_TALLY_EVENTS_LOST], 0);
}

/* As a replay does it, in one call. */
static void through_xdp(void **state)
{
	const struct sequence_case *of = *state;
	struct prog *prog = program_for(of->sequence);
	__u32 length = sequence_length(of->sequence);
	__u64 now_ns = prog->now_ns;
	struct frame frame;

	for (__u32 i = 0; i < length; i++) {
		now_ns = advance(now_ns, &of->sequence->segments[i]);
		frame_build(&frame, &of->sequence->segments[i], of->v6);
		prog_batch(prog, i, &frame, now_ns);
	}
	assert_int_equal(prog_feed(prog, length), XDP_PASS);
	assert_int_equal(prog->after_length, frame.captured);
	assert_memory_equal(prog->after, frame.bytes, frame.captured);
	prog->now_ns = now_ns;
	assert_as_said(prog, of->sequence, SW_INGRESS);
}

/* Packet by packet, with a look at each that comes out. */
static void through_egress(void **state)
{
	const struct sequence_case *of = *state;
	struct prog *prog = program_for(of->sequence);

	for (__u32 i = 0; i < sequence_length(of->sequence); i++) {
		struct frame frame;

		prog->now_ns = advance(prog->now_ns, &of->sequence->segments[i]);
		frame_build(&frame, &of->sequence->segments[i], of->v6);
		assert_int_equal((int)prog_frame(prog, HOOK_EGRESS, &frame), TC_ACT_UNSPEC);
		assert_int_equal(prog->after_length, frame.length);
		assert_memory_equal(prog->after, frame.bytes, frame.length);
	}
	assert_as_said(prog, of->sequence, SW_EGRESS);
}

/* The same where TC sees what comes in, by that program itself or by one that goes on with it. */
static void through_tc(struct prog *prog, const struct sequence_case *of,
		       const struct bpf_program *program)
{
	for (__u32 i = 0; i < sequence_length(of->sequence); i++) {
		struct frame frame;

		prog->now_ns = advance(prog->now_ns, &of->sequence->segments[i]);
		frame_build(&frame, &of->sequence->segments[i], of->v6);
		prog_set_clock(prog, frame.length);
		assert_int_equal((int)prog_test_run(prog, program, frame.bytes, frame.captured, 1),
				 TC_ACT_UNSPEC);
		assert_int_equal(prog->after_length, frame.length);
		assert_memory_equal(prog->after, frame.bytes, frame.length);
	}
	assert_as_said(prog, of->sequence, SW_INGRESS);
}

static void through_ingress(void **state)
{
	const struct sequence_case *of = *state;
	struct prog *prog = program_for(of->sequence);

	through_tc(prog, of, prog->tc->progs.sw_tc);
}

/* As the kernel gives it to TC: with the outer tag beside the frame. */
static void with_tag(void **state)
{
	const struct sequence_case *of = *state;
	struct prog *prog = program_for(of->sequence);
	int target = bpf_program__fd(prog->tc->progs.sw_tc);

	if (!tagged)
		tagged = tagged_bpf__open_and_load();
	must(tagged, "tagged");
	prog_set(tagged->maps.tagged_next, &target);
	through_tc(prog, of, tagged->progs.tagged);
}

static void add_hooks(struct case_list *list, struct sequence_set set)
{
	add_cases(list, set, "xdp, ", through_xdp);
	add_cases(list, set, "tc, ", through_ingress);
	add_cases(list, set, "tc with a tag, ", with_tag);
	for (size_t i = 0; i < set.count; i++) {
		/* checksums are those of what came in through a card */
		if (set.sequences[i].checksums)
			continue;
		add_case(list, &set.sequences[i], false, "egress, ", through_egress);
		add_case(list, &set.sequences[i], true, "egress, ", through_egress);
	}
}

int main(void)
{
	struct case_list list =
		new_cases(8 * (COUNT(outcome_sequences) + COUNT(stateful_sequences) +
			       COUNT(stateless_sequences)));
	int failed;

	add_hooks(&list, SEQUENCE_SET(outcome_sequences));
	add_hooks(&list, SEQUENCE_SET(stateful_sequences));
	add_hooks(&list, SEQUENCE_SET(stateless_sequences));
	failed = run_cases("sequences", &list);
	for (size_t i = 0; i < COUNT(programs); i++)
		if (programs[i].skeleton)
			prog_close(&programs[i]);
	tagged_bpf__destroy(tagged);
	return failed;
}
