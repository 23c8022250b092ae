// SPDX-License-Identifier: GPL-2.0-or-later
/* The frame of a SYN becomes that of its answer: byte by byte what a server would have sent. */
#define _GNU_SOURCE
#include "../lib/sequences.h"
#include "../../bpf/core/answer.h"
#include "../lib/cookies.h"

/* A frame in memory of exactly its length, whose ends the sanitizer guards. */
struct room {
	__u8 *bytes;
	__u32 length;
};

static struct room room_of(const struct frame *frame)
{
	struct room room = { malloc(2 + frame->captured), frame->captured };

	assert_non_null(room.bytes);
	room.bytes += 2;
	memcpy(room.bytes, frame->bytes, frame->captured);
	return room;
}

static void room_free(struct room *room)
{
	free(room->bytes - 2);
}

/* Where the TCP header is, and the packet that the frame holds. */
static __u32 parse_room(const struct room *room, struct sw_packet *packet)
{
	struct sw_cursor cursor = { room->bytes, room->bytes + room->length };

	memset(packet, 0, sizeof(*packet));
	sw_parse_all(&cursor, room->length, packet);
	sw_parse_timestamp(&cursor, packet);
	return cursor.pos - room->bytes - sizeof(struct wire_tcp);
}

static int answer_room(const struct room *room, const struct sw_packet *syn, __u32 tcp,
		       const struct sw_cookie_answer *answer, __u32 *length)
{
	struct sw_syn_frame frame = { .start = room->bytes,
				      .end = room->bytes + room->length,
				      .link_length = syn->link_length,
				      .tcp = tcp };

	return sw_answer(&frame, syn, answer, length);
}

/* ---- what is expected */

static __u32 expect_options(const struct sw_cookie_answer *answer, __u32 room, __u8 *at)
{
	__u8 tsval[4] = { answer->tsval >> 24, answer->tsval >> 16, answer->tsval >> 8,
			  answer->tsval };
	__u8 tsecr[4] = { answer->tsecr >> 24, answer->tsecr >> 16, answer->tsecr >> 8,
			  answer->tsecr };
	bool times = answer->options & SW_OFFER_TIMESTAMP, sack = answer->options & SW_OFFER_SACK;
	bool scaled = times && answer->options & SW_OFFER_WSCALE;
	__u32 length = 0;

	if (answer->mss && room >= 4U + 12 * times + 4 * scaled)
		length += put_option(at, (__u8[]){ 2, 4, answer->mss >> 8, answer->mss }, 4);
	if (times) {
		length += put_option(at + length, (__u8[]){ sack ? 4 : 1, sack ? 2 : 1, 8, 10 }, 4);
		length += put_option(at + length, tsval, 4);
		length += put_option(at + length, tsecr, 4);
	}
	if (scaled)
		length += put_option(at + length, (__u8[]){ 1, 3, 3, answer->wscale }, 4);
	return length;
}

/* What a server that answers so would send: the frame is put together like that of any segment. */
static void expect_answer(struct frame *expected, const struct segment *syn,
			  const struct sw_cookie_answer *answer, __u32 room, bool v6)
{
	__u8 options[40];
	__u32 length = expect_options(answer, room, options);
	struct segment synack = tcp(.from = segment_to(syn), .to = syn->from,
				    .sport = segment_dport(syn), .dport = segment_sport(syn),
				    .flags = SYN | ACK, .seq = answer->seq, .ack = answer->ack,
				    .window = answer->window, .tags = syn->tags,
				    .raw = (const char *)options, .raw_length = length);
	struct wire_ethernet *link = (struct wire_ethernet *)expected->bytes;
	__u8 source[6];

	if (answer->options & SW_OFFER_ECN)
		synack.flags |= ECE;
	frame_build(expected, &synack, v6);
	memcpy(source, link->source, sizeof(source));
	memcpy(link->source, link->destination, sizeof(source));
	memcpy(link->destination, source, sizeof(source));
	if (v6) {
		expected->bytes[14 + 4 * syn->tags + 7] = answer->ttl;
	} else {
		struct wire_ipv4 *ip = (void *)(expected->bytes + 14 + 4 * syn->tags);

		ip->fragment = sw_htons(0x4000);
		ip->ttl = answer->ttl;
		ip->checksum = 0;
		ip->checksum = sw_htons(sum_fold(sum16(ip, sizeof(*ip), 0)));
	}
}

/* ---- every SYN */

/* Layers around and options of a SYN. */
struct shape {
	int tags;
	int ip_options;
	const char *extensions;
	int payload;
	int padding;
	bool spoilt; /* its checksums are not those of the SYN */
};

static const struct shape shapes4[] = {
	{ 0 },
	{ .tags = 1 },
	{ .tags = 2 },
	{ .ip_options = 1 },
	{ .ip_options = 10 },
	{ .ip_options = 1, .tags = 2 },
	{ .ip_options = 2, .tags = 1 },
	{ .ip_options = 10, .tags = 2, .payload = 7, .padding = 3 },
	{ .payload = 1000 },
	{ .payload = 1, .padding = 30, .spoilt = true },
};

static const struct shape shapes6[] = {
	{ 0 },
	{ .tags = 1 },
	{ .tags = 2 },
	{ .extensions = "h" },
	{ .extensions = "D" },
	{ .extensions = "hdrD", .tags = 1 },
	{ .extensions = "f" },
	{ .extensions = "dddddddd", .tags = 2, .payload = 7, .padding = 3 },
	{ .payload = 1000 },
	{ .payload = 1, .padding = 30, .spoilt = true },
};

static void check_answer(const struct segment *syn, const struct sw_cookie_answer *like, bool v6)
{
	struct frame frame, expected;
	struct sw_cookie_answer answer = *like;
	struct sw_packet packet;
	struct room room;
	__u32 tcp, length = 0;
	int later;

	frame_build(&frame, syn, v6);
	room = room_of(&frame);
	tcp = parse_room(&room, &packet);
	assert_true(sw_is_answerable(&packet));
	/* only what a SYN has is agreed on, and that is why there is always room */
	if (!(packet.options & SW_OPT_TIMESTAMP))
		answer.options = 0;
	if (!(packet.options & SW_OPT_WSCALE))
		answer.options &= ~SW_OFFER_WSCALE;
	if (!(packet.options & SW_OPT_SACK_OK))
		answer.options &= ~SW_OFFER_SACK;

	later = answer_room(&room, &packet, tcp, &answer, &length);
	assert_true(later >= 0);
	expect_answer(&expected, syn, &answer, packet.doff * 4 - 20, v6);
	assert_int_equal(later, frame.length - expected.length - packet.payload - syn->padding -
					(packet.doff * 4 - expected.length + (v6 ? 40 : 20) +
					 packet.link_length));
	assert_int_equal(length, expected.length);
	assert_true(later + length <= frame.length);
	assert_memory_equal(room.bytes + later, expected.bytes, length);
	/* what is behind the answer is as it was */
	assert_memory_equal(room.bytes + later + length, frame.bytes + later + length,
			    frame.length - later - length);
	room_free(&room);
}

/* Sets of options in the order of several stacks, and some that no stack sends. */
struct options {
	const char *bytes;
	int length;
};

#define MSS_	"\2\4\5\264"
#define SACK_	"\4\2"
#define TIMES_	"\10\12\21\42\63\104\0\0\0\0"
#define WSCALE_ "\3\3\7"
#define OPTIONS(literal)                                                                           \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

static const struct options option_sets[] = {
	OPTIONS(""),
	OPTIONS(MSS_),
	OPTIONS(MSS_ SACK_ TIMES_ "\1" WSCALE_),	       /* Linux */
	OPTIONS(MSS_ "\1" WSCALE_ "\1\1" SACK_),	       /* Windows */
	OPTIONS(MSS_ "\1" WSCALE_ "\1\1" TIMES_ SACK_ "\0\0"), /* macOS */
	OPTIONS(MSS_ "\1" WSCALE_ SACK_ TIMES_),	       /* FreeBSD */
	OPTIONS(MSS_ SACK_ TIMES_ "\1" WSCALE_ "\42\12"
				  "12345678"
				  "\1\1"), /* with fast open */
	OPTIONS(TIMES_),
	OPTIONS("\1\1" TIMES_),
	OPTIONS(TIMES_ SACK_),
	OPTIONS(TIMES_ WSCALE_),
	OPTIONS(TIMES_ MSS_),
	OPTIONS(TIMES_ WSCALE_ SACK_),
	OPTIONS(TIMES_ WSCALE_ MSS_),
	OPTIONS(TIMES_ MSS_ SACK_),
	OPTIONS(TIMES_ TIMES_ TIMES_ TIMES_),
	OPTIONS(WSCALE_ WSCALE_ TIMES_),
	OPTIONS(SACK_),
	OPTIONS(WSCALE_),
	OPTIONS("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"),
	OPTIONS(TIMES_ "\2\1"), /* broken from there on */
};

static void every_syn_is_answered(void **state __unused)
{
	static const struct sw_cookie_answer like = { .seq = 0xfedcba98,
						      .ack = ISN_C + 1,
						      .tsval = 0x89abcdef,
						      .tsecr = 0x11223344,
						      .mss = 1460,
						      .window = 64000,
						      .wscale = 9,
						      .ttl = 61 };

	for (__u32 i = 0; i < COUNT(shapes4) * COUNT(option_sets) * 16 * 2 * 2; i++) {
		bool v6 = i & 1, no_mss = i & 2;
		const struct options *options = &option_sets[i / 64 % COUNT(option_sets)];
		const struct shape *shape = &(v6 ? shapes6 : shapes4)[i / 64 / COUNT(option_sets)];
		struct segment syn = A_SYN(.raw = options->bytes, .raw_length = options->length,
					   .tags = shape->tags, .ip_options = shape->ip_options,
					   .extensions = shape->extensions,
					   .payload = shape->payload, .padding = shape->padding,
					   .bad_tcp_sum = shape->spoilt,
					   .bad_ip_sum = shape->spoilt, .urgent = 3, .ack = 5);
		struct sw_cookie_answer answer = like;

		answer.options = i >> 2 & 15;
		if (no_mss)
			answer.mss = 0;
		check_answer(&syn, &answer, v6);
	}
}

/* Sums at their ends: carries that are folded once, twice, and to all ones. */
static void checksums_carry(void **state __unused)
{
	static const __u32 words[] = { 0,	   1,	       0xffff,	   0x10000,
				       0xfffe0001, 0xffff0000, 0xfffffffe, 0xffffffff };

	for (__u32 i = 0; i < COUNT(words) * COUNT(words) * COUNT(words) * 2; i++) {
		struct sw_cookie_answer answer = { .seq = words[i / 2 % 8],
						   .ack = words[i / 16 % 8],
						   .tsval = words[i / 128 % 8],
						   .tsecr = words[i / 16 % 8],
						   .mss = words[i / 2 % 8] | 1,
						   .window = words[i / 128 % 8],
						   .options = SW_OFFER_TIMESTAMP,
						   .ttl = i };
		struct segment syn = A_SYN(.from = LAST_NUMBERED, .mss = 1460, .timestamp = true,
					   .sport = 0xffff, .dport = 0xffff);

		check_answer(&syn, &answer, i & 1);
	}
}

/* All the way from a SYN to its cookie and back, through the frames of both. */
static void an_answer_is_acked(void **state __unused)
{
	struct world world = new_world(START_MS);

	for (__u32 i = 0; i < COUNT(option_sets) * 2 * 3; i++) {
		const struct options *options = &option_sets[i / 2 % COUNT(option_sets)];
		bool v6 = i & 1;
		struct segment ack, syn = A_SYN(.raw = options->bytes, .tsval = 0x11223344,
						.raw_length = options->length,
						.tags = i / 2 / COUNT(option_sets));
		struct sw_cookie_answer answer;
		struct sw_cookie_options agreed;
		struct sw_packet packet, synack;
		struct frame frame;
		struct room room;
		__u32 tcp, length;

		frame_build(&frame, &syn, v6);
		room = room_of(&frame);
		tcp = parse_room(&room, &packet);
		sw_cookie_make(&world.keys, NULL, &world.offer, &packet, world.now_ms, &answer);
		assert_int_equal(answer_room(&room, &packet, tcp, &answer, &length), 0);
		room.length = length;
		parse_room(&room, &synack);
		ack = ack_to(&syn, &answer);
		ack.ack = synack.seq + 1;
		ack.tsecr = synack.tsval;
		ack.timestamp = synack.options & SW_OPT_TIMESTAMP;
		packet = seen(&ack, v6);
		assert_true(sw_cookie_check(&world.keys, NULL, &world.offer, &packet, world.now_ms,
					    &agreed));
		assert_int_equal(agreed.options & SW_OFFER_SACK,
				 synack.options & SW_OPT_SACK_OK ? SW_OFFER_SACK : 0);
		assert_int_equal(agreed.options & SW_OFFER_WSCALE,
				 synack.options & SW_OPT_WSCALE ? SW_OFFER_WSCALE : 0);
		assert_int_equal(synack.flags, SYN | ACK);
		room_free(&room);
	}
}

/* ---- no answer */

/* A signature is none unless somebody looks at it, and then not here. */
static void what_says_to_be_signed_is_answerable(void **state __unused)
{
	static const struct {
		struct segment syn;
		bool is_signed;
	} syns[] = {
		{ A_SYN(.mss = 1460, .raw_length = 20,
			.raw = "\1\1\23\22"
			       "0123456789abcdef"),
		  true },
		{ A_SYN(.mss = 1460, .raw_length = 4, .raw = "\23\2\1\1") },
		{ A_SYN(.mss = 1460, .raw_length = 12,
			.raw = "\1\1\23\12"
			       "01234567"),
		  false },
		{ A_SYN(.raw_length = 16, .raw = "\35\20"
						 "0123456789abcd"),
		  true },
		{ A_SYN(.raw_length = 4, .raw = "\35\4\1\1"), true },
		{ A_SYN(.raw_length = 4, .raw = "\35\3\1\1") },
	};

	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < COUNT(syns); i++) {
			struct sw_packet packet = seen(&syns[i].syn, v6);

			assert_true(sw_is_answerable(&packet));
			assert_int_equal(!!(packet.options & SW_OPT_SIGNED), syns[i].is_signed);
		}
	}
}

/* Neither what a kernel verifies before it is TCP at all, nor what is no SYN. */
static void some_are_not_answerable(void **state __unused)
{
	static const struct segment later = A_SYN(.fragment_offset = 64);
	static const struct segment shorter = A_SYN(.l4_length = 19);
	static const struct segment authentic = A_SYN(.extensions = "ha");

	for (int v6 = 0; v6 < 2; v6++) {
		const struct segment *segments[] = { &later, &shorter, &authentic };

		for (size_t i = 0; i < COUNT(segments) - !v6; i++) {
			struct sw_packet packet = seen(segments[i], v6);

			assert_false(sw_is_answerable(&packet));
		}
	}
}

/* Whoever could get around this by fragments would. A header that is not all there gets no answer. */
static void fragments_are_no_way_around(void **state __unused)
{
	static const struct sw_cookie_answer answer = { .mss = 1460, .ttl = 64 };

	for (int v6 = 0; v6 < 2; v6++) {
		struct segment syn = A_SYN(.mss = 1460, .more_fragments = true, .payload = 12);
		struct segment split = A_SYN(.mss = 1460, .more_fragments = true, .l4_length = 20);
		struct segment plain = A_SYN(.mss = 1460);
		struct frame frame, expected;
		struct sw_packet packet;
		struct room room;
		__u32 tcp, length;
		int later;

		frame_build(&frame, &syn, v6);
		room = room_of(&frame);
		tcp = parse_room(&room, &packet);
		assert_true(sw_is_answerable(&packet));
		later = answer_room(&room, &packet, tcp, &answer, &length);
		assert_int_equal(later, v6 ? 8 : 0);
		expect_answer(&expected, &plain, &answer, 4, v6);
		assert_int_equal(length, expected.length);
		assert_memory_equal(room.bytes + later, expected.bytes, length);
		room_free(&room);

		frame_build(&frame, &split, v6);
		room = room_of(&frame);
		tcp = parse_room(&room, &packet);
		assert_true(packet.facts & SW_PKT_HEADER_SPLIT);
		assert_true(sw_is_answerable(&packet));
		assert_int_equal(answer_room(&room, &packet, tcp, &answer, &length), SW_NO_ANSWER);
		room_free(&room);
	}
}

/* Nothing is written of which there is not all: neither then nor of another family. */
static void nothing_is_answered_in_part(void **state __unused)
{
	static const struct sw_cookie_answer answer = { .mss = 1460, .options = SW_OFFER_ALL };

	for (int v6 = 0; v6 < 2; v6++) {
		struct segment syn = A_SYN(.mss = 1460, .sack_ok = true, .timestamp = true,
					   .wscale = 7, .tags = 1);
		struct sw_packet packet;
		struct frame frame;
		struct room room;
		__u32 tcp, length = 77;

		frame_build(&frame, &syn, v6);
		room = room_of(&frame);
		tcp = parse_room(&room, &packet);
		for (room.length = tcp; room.length < frame.length; room.length++)
			assert_int_equal(answer_room(&room, &packet, tcp, &answer, &length),
					 SW_NO_ANSWER);
		packet.doff -= 3; /* said to be shorter than what was agreed on asks for */
		assert_int_equal(answer_room(&room, &packet, tcp, &answer, &length), SW_NO_ANSWER);
		packet.doff += 3;
		packet.src = end_address(CLIENT, !v6);
		assert_int_equal(answer_room(&room, &packet, tcp, &answer, &length), SW_NO_ANSWER);
		packet.src = end_address(CLIENT, v6);
		assert_int_equal(length, 77);
		assert_memory_equal(room.bytes, frame.bytes, frame.length);
		assert_int_equal(answer_room(&room, &packet, tcp, &answer, &length), 0);
		room_free(&room);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_syn_is_answered),
		cmocka_unit_test(checksums_carry),
		cmocka_unit_test(an_answer_is_acked),
		cmocka_unit_test(what_says_to_be_signed_is_answerable),
		cmocka_unit_test(some_are_not_answerable),
		cmocka_unit_test(fragments_are_no_way_around),
		cmocka_unit_test(nothing_is_answered_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
