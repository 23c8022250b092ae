// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames that nobody meant: damaged ones and pure noise, always the same. Whatever they are, they
 * pass, they come out as they went in, and the host's core says the same of them.
 */
#include "../lib/sequences.h"
#include "../lib/prog.h"
#include "../lib/random.h"

#define SEED	      20240229
#define FRAMES	      20000
#define EVENT_RECORDS 1024U

static struct prog prog;

/* An honest frame with some bytes changed and perhaps an end missing; or nothing but noise. */
static void damaged_frame(struct dice *dice, struct frame *frame)
{
	struct segment segment =
		tcp(.from = roll(dice, 3), .flags = roll(dice, 64), .seq = roll(dice, 4),
		    .ack = roll(dice, 4), .tags = roll(dice, 4), .pppoe = once_in(dice, 4),
		    .ip_options = roll(dice, 11), .extensions = once_in(dice, 2) ? "hdraf" : NULL,
		    .mss = 1460, .timestamp = once_in(dice, 2), .wscale = 7,
		    .payload = roll(dice, 32));
	struct segment error = icmp_error(.from = roll(dice, 2), .seq = roll(dice, 4));

	frame_build(frame, once_in(dice, 8) ? &error : &segment, roll(dice, 2));
	if (once_in(dice, 16))
		for (__u32 i = 0; i < frame->length; i++)
			frame->bytes[i] = roll(dice, 256);
	for (__u32 i = roll(dice, 6); i; i--)
		frame->bytes[12 + roll(dice, 256) % (frame->length - 12)] = roll(dice, 256);
	/* as short as the kernel lets a test packet be, at the least */
	if (once_in(dice, 3))
		frame->length = 15 + roll(dice, 256) % (frame->length - 14);
	frame->captured = frame->length;
}

static struct dice dice_of(__u32 i)
{
	return (struct dice){ .state = SEED + i * 1000ULL };
}

static void all_pass_xdp(void **state __unused)
{
	struct host host;
	struct result result;

	host_open(&host, &prog.setup);
	for (__u32 i = 0; i < FRAMES; i++) {
		struct dice dice = dice_of(i);
		struct frame frame;

		damaged_frame(&dice, &frame);
		host.now_ns += NS_PER_MS;
		host_frame(&host, &frame, SW_INGRESS);
		prog_batch(&prog, i % SW_REPLAY_BATCH, &frame, host.now_ns);
		if (i % SW_REPLAY_BATCH == SW_REPLAY_BATCH - 1 || i == FRAMES - 1)
			assert_int_equal(prog_feed(&prog, i % SW_REPLAY_BATCH + 1), XDP_PASS);
	}
	result = prog_result(&prog);
	assert_int_equal(result.traffic[SW_INGRESS].seen, FRAMES);
	assert_int_equal(result.traffic[SW_INGRESS].verdicts[SW_VERDICT_PASSED], FRAMES);
	assert_memory_equal(result.traffic, host.result.traffic, sizeof(result.traffic));
	assert_memory_equal(result.counters.outcomes, host.result.counters.outcomes,
			    sizeof(result.counters.outcomes));
	assert_memory_equal(result.counters.anomalies_seen, host.result.counters.anomalies_seen,
			    sizeof(result.counters.anomalies_seen));
	host_close(&host);
}

/* BPF_PROG_TEST_RUN makes no skb of a frame that ends inside the header that it announces. */
static bool makes_no_skb(const struct frame *frame)
{
	__u16 ether_type = frame->bytes[12] << 8 | frame->bytes[13];

	return (ether_type == WIRE_ETH_IPV4 && frame->length < 14 + sizeof(struct wire_ipv4)) ||
	       (ether_type == WIRE_ETH_IPV6 && frame->length < 14 + sizeof(struct wire_ipv6));
}

static void all_pass_egress_unchanged(void **state __unused)
{
	__u32 sent = 0;

	for (__u32 i = 0; i < FRAMES; i++) {
		struct dice dice = dice_of(i);
		struct frame frame;

		damaged_frame(&dice, &frame);
		if (makes_no_skb(&frame))
			continue;
		sent++;
		prog.now_ns += NS_PER_MS;
		assert_int_equal((int)prog_frame(&prog, HOOK_EGRESS, &frame), TC_ACT_UNSPEC);
		assert_int_equal(prog.after_length, frame.length);
		assert_memory_equal(prog.after, frame.bytes, frame.length);
	}
	assert_int_equal(prog_result(&prog).traffic[SW_EGRESS].seen, sent);
	assert_true(sent > FRAMES * 3 / 4);
}

/* Some of them one by one: nothing but each frame itself decides. */
static void some_pass_xdp_unchanged(void **state __unused)
{
	for (__u32 i = 0; i < FRAMES; i += FRAMES / 100) {
		struct dice dice = dice_of(i);
		struct frame frame;

		damaged_frame(&dice, &frame);
		assert_int_equal(prog_frame(&prog, HOOK_XDP, &frame), XDP_PASS);
		assert_int_equal(prog.after_length, frame.length);
		assert_memory_equal(prog.after, frame.bytes, frame.length);
	}
}

static int reset(void **state __unused)
{
	struct setup setup = setup_random();

	prog_reset(&prog, &setup);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_pass_xdp, reset),
		cmocka_unit_test_setup(all_pass_egress_unchanged, reset),
		cmocka_unit_test_setup(some_pass_xdp_unchanged, reset),
	};
	struct setup setup = setup_random();

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
