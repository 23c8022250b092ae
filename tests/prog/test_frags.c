// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The program for frames in several buffers, of which drivers may have anything in the first: it does
 * what the other one does with a frame in one piece, or lets pass what it cannot read.
 */
#include "../lib/sequences.h"
#include "../lib/cookies.h"
#include "../lib/enforce.h"

#define BUCKETS	      64
#define EVENT_RECORDS 1024U
#define MTU	      9000U
#define LINK	      22U   /* at the most */
#define HEADERS	      82U   /* of an ACK without options, at the most: IPv6 and two tags */
#define MOST	      3500U /* a page has no room for more */

static struct prog prog;
static bool v6;

/* A frame of up to the MTU, and how much of it is in the first buffer. */
struct jumbo {
	__u32 length;
	__u8 bytes[LINK + MTU];
};

static struct jumbo sent, after;
static __u32 after_linear;

static void add16(__u8 *at, __u32 more)
{
	__u32 value = (at[0] << 8 | at[1]) + more;

	at[0] = value >> 8;
	at[1] = value;
}

/* The segment with so much more payload as the MTU has room for. Its TCP checksum is wrong. */
static void fill_up(const struct segment *segment)
{
	__u8 *ip = sent.bytes + 14 + segment->tags * 4;
	struct frame frame;
	__u32 more;

	frame_build(&frame, segment, v6);
	more = MTU - (frame.length - (__u32)(ip - sent.bytes));
	memcpy(sent.bytes, frame.bytes, frame.length);
	memset(sent.bytes + frame.length, 'x', more);
	sent.length = frame.length + more;
	if (v6) {
		add16(ip + 4, more);
		return;
	}
	add16(ip + 2, more);
	if (segment->bad_ip_sum)
		return;
	memset(ip + 10, 0, 2);
	add16(ip + 10, sum_fold(sum16(ip, (ip[0] & 15) * 4, 0)));
}

static void take(const struct segment *segment)
{
	struct frame frame;

	frame_build(&frame, segment, v6);
	memcpy(sent.bytes, frame.bytes, frame.length);
	sent.length = frame.length;
}

/* Has the program see what is in sent, so many bytes of it in the first buffer. Returns the verdict. */
static __u32 receive(__u32 linear)
{
	struct xdp_md ctx = { .data_end = linear };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = sent.bytes, .data_size_in = sent.length,
		    .data_out = after.bytes, .data_size_out = sizeof(after.bytes), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .ctx_out = &ctx, .ctx_size_out = sizeof(ctx));

	prog_set_clock(&prog, 0);
	must(!bpf_prog_test_run_opts(bpf_program__fd(prog.skeleton->progs.sw_xdp_frags), &run),
	     "sw_xdp_frags");
	after.length = run.data_size_out;
	after_linear = ctx.data_end;
	return run.retval;
}

static void passes_unchanged(__u32 linear)
{
	assert_int_equal(receive(linear), XDP_PASS);
	assert_int_equal(after.length, sent.length);
	assert_memory_equal(after.bytes, sent.bytes, sent.length);
}

static int reset(void **state)
{
	struct setup setup = setup_ordinary();

	v6 = *state;
	setup.start_ns = START_MS * NS_PER_MS;
	prog_reset_policies(&prog, &setup);
	return 0;
}

/* A handshake whose last ACK comes with as much as a frame holds, and so does all that follows. */
static void connection_of(int tags, __u32 linear)
{
	static int last_port = 1024;
	int sport = ++last_port;
	struct segment syn = A_SYN(.mss = 8960, .sport = sport, .tags = tags);
	struct segment synack = A_SYNACK(.dport = sport, .tags = tags);
	struct segment ack = AN_ACK(.sport = sport, .tags = tags);
	struct result before = prog_result(&prog), now;
	__u64 bytes = 0;

	take(&syn);
	passes_unchanged(sent.length);
	bytes += sent.length;
	prog_segment(&prog, HOOK_EGRESS, &synack, v6);
	fill_up(&ack);
	for (int i = 0; i < 3; i++) {
		passes_unchanged(linear);
		bytes += sent.length;
	}
	now = prog_result(&prog);
	assert_int_equal(now.counters.outcomes[SW_OUTCOME_ACCEPTED],
			 before.counters.outcomes[SW_OUTCOME_ACCEPTED] + 1);
	assert_int_equal(now.traffic[SW_INGRESS].seen, before.traffic[SW_INGRESS].seen + 4);
	assert_int_equal(now.traffic[SW_INGRESS].kinds[SW_KIND_TCP],
			 before.traffic[SW_INGRESS].kinds[SW_KIND_TCP] + 4);
	assert_int_equal(now.traffic[SW_INGRESS].bytes, before.traffic[SW_INGRESS].bytes + bytes);
}

static void connections_are_followed(void **state __unused)
{
	static const __u32 linear[] = { HEADERS, HEADERS + 1, 1000, MOST };

	for (int tags = 0; tags <= 2; tags++)
		for (size_t i = 0; i < COUNT(linear); i++)
			connection_of(tags, linear[i]);
}

/* Where a segment's payload begins. */
static __u32 headers_of(const struct segment *segment)
{
	struct frame frame;

	frame_build(&frame, segment, v6);
	return frame.length - segment->payload;
}

/* Whatever the policy drops: of a frame whose headers are not all in the first buffer nothing is known. */
static void what_cannot_be_read_passes(void **state __unused)
{
	const struct segment segments[] = {
		USUAL_SYN(),
		USUAL_SYN(.tags = 2, .ip_options = 3, .extensions = "hD"),
		AN_ACK(.timestamp = true, .extensions = "D"),
		AN_ACK(.tags = 1),
		tcp(.flags = RST, .raw = "\3\3\7\0", .raw_length = 4), /* not plain */
	};
	SW_AUTO_POLICY policy = policy_new();
	struct result result;
	__u64 frames = 0, bytes = 0;

	policy_default_rules(policy)->enforce = true;
	policy_default_rules(policy)->drop = ~0ULL;
	policy_install(&prog, policy, 0);
	for (size_t i = 0; i < COUNT(segments); i++) {
		fill_up(&segments[i]);
		for (__u32 linear = 0; linear < headers_of(&segments[i]); linear++, frames++) {
			passes_unchanged(linear);
			bytes += sent.length;
		}
	}
	result = prog_result(&prog);
	assert_int_equal(result.traffic[SW_INGRESS].verdicts[SW_VERDICT_PASSED], frames);
	for (int kind = 0; kind < SW_KIND_COUNT; kind++)
		if (kind != SW_KIND_MALFORMED && kind != SW_KIND_OTHER_IP)
			assert_int_equal(result.traffic[SW_INGRESS].kinds[kind], 0);
	assert_int_equal(result.traffic[SW_INGRESS].bytes, bytes);
	for (int i = 0; i < SW_ANOMALY_COUNT; i++)
		assert_int_equal(result.counters.anomalies_seen[i], 0);
}

/* The answer is in the first buffer, and what follows there is part of the frame, but not of it. */
static void syns_are_answered(void **state __unused)
{
	static const __u32 linear[] = { 2 * HEADERS, MOST };
	struct world world = new_world(START_MS);

	prog_answer_syns(&prog);
	prog_set(prog.skeleton->maps.cookie_offers, &world.offer);
	prog_set(prog.skeleton->maps.cookie_keys, &world.keys);
	for (size_t i = 0; i < COUNT(linear); i++) {
		struct segment syn = USUAL_SYN(.sport = 1024 + i, .ip_options = v6 ? 0 : 2,
					       .extensions = v6 ? "D" : NULL);
		struct sw_cookie_answer expected = answer_to(&world, &syn, v6);
		struct sw_cursor cursor = { after.bytes, after.bytes };
		struct sw_packet answer = {};

		fill_up(&syn);
		assert_int_equal(receive(linear[i]), XDP_TX);
		assert_int_equal(after.length, sent.length - (v6 ? 24 : 8));
		cursor.end += after_linear;
		sw_parse(&cursor, after.length, &answer);
		assert_int_equal(answer.kind, SW_KIND_TCP);
		assert_int_equal(answer.flags, SYN | ACK);
		assert_int_equal(answer.seq, expected.seq);
		assert_int_equal(answer.ack, expected.ack);
	}
}

/* Of a segment in several buffers only the IP header's checksum is verified. */
static void checksums_of_one_buffer(void **state __unused)
{
	struct segment whole = AN_ACK(.bad_tcp_sum = true), parts = AN_ACK();
	struct segment header = AN_ACK(.bad_ip_sum = true);
	const __u64 *seen;
	struct result result;

	fill_up(&parts);
	passes_unchanged(MOST);
	result = prog_result(&prog);
	seen = result.counters.anomalies_seen;
	assert_int_equal(seen[SW_ANOMALY_BAD_TCP_CSUM] + seen[SW_ANOMALY_BAD_IP_CSUM], 0);
	take(&whole);
	passes_unchanged(sent.length);
	fill_up(&header);
	passes_unchanged(MOST);
	result = prog_result(&prog);
	assert_int_equal(seen[SW_ANOMALY_BAD_TCP_CSUM], 1);
	assert_int_equal(seen[SW_ANOMALY_BAD_IP_CSUM], !v6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(connections_are_followed),
		EACH_FAMILY(what_cannot_be_read_passes),
		EACH_FAMILY(syns_are_answered),
		EACH_FAMILY(checksums_of_one_buffer),
	};
	struct setup setup = setup_of_buckets(BUCKETS);

	setup.frags = true;
	setup.checksums = true;
	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
