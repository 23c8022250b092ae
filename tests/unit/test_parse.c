// SPDX-License-Identifier: GPL-2.0-or-later
/* Every layer read from frames of both families, whole and cut off at every byte. */
#define _GNU_SOURCE
#include "../lib/sequences.h"

static const struct setup no_checksums;

static struct sw_packet parsed(const struct segment *segment, bool v6)
{
	struct sw_packet packet;
	struct frame frame;

	frame_build(&frame, segment, v6);
	host_parse(&no_checksums, &frame, &packet);
	return packet;
}

/* As parsed(), and asked for the timestamp of a segment that has nothing else. */
static struct sw_packet parsed_with_timestamp(const struct segment *segment, bool v6)
{
	struct sw_packet packet = {};
	struct sw_cursor cursor;
	struct frame frame;

	frame_build(&frame, segment, v6);
	cursor = (struct sw_cursor){ frame.bytes, frame.bytes + frame.length };
	sw_parse_all(&cursor, frame.length, &packet);
	sw_parse_timestamp(&cursor, &packet);
	return packet;
}

/* A segment in which every field has a value of its own; it has so many bytes of options. */
#define FULL_OPTIONS 32
#define FULL(...)                                                                                  \
	tcp(.from = CLIENT, .flags = SYN | ECE | CWR | 0x800, .seq = 0xdeadbeef,                   \
	    .ack = 0x01020304, .window = 0x1234, .urgent = 0x5678, .mss = 1460, .sack_ok = true,   \
	    .timestamp = true, .tsval = 0xa1b2c3d4, .tsecr = 0x15263748, .wscale = 7,              \
	    .fastopen = 8, .payload = 33, ##__VA_ARGS__)

static void assert_is_full(const struct sw_packet *packet, bool v6)
{
	struct sw_addr src = end_address(CLIENT, v6), dst = end_address(SERVER, v6);

	assert_int_equal(packet->kind, SW_KIND_TCP);
	assert_memory_equal(&packet->src, &src, sizeof(src));
	assert_memory_equal(&packet->dst, &dst, sizeof(dst));
	assert_int_equal(packet->sport, CLIENT_PORT);
	assert_int_equal(packet->dport, SERVER_PORT);
	assert_int_equal(packet->seq, 0xdeadbeef);
	assert_int_equal(packet->ack, 0x01020304);
	assert_int_equal(packet->flags, SYN | ECE | CWR | 0x800);
	assert_int_equal(packet->window, 0x1234);
	assert_int_equal(packet->urgent, 0x5678);
	assert_int_equal(packet->payload, 33);
	assert_int_equal(packet->ip_payload, 33 + packet->doff * 4);
	assert_int_equal(packet->mss, 1460);
	assert_int_equal(packet->wscale, 7);
	assert_int_equal(packet->tsval, 0xa1b2c3d4);
	assert_int_equal(packet->tsecr, 0x15263748);
	assert_int_equal(packet->options, SW_OPT_MSS | SW_OPT_SACK_OK | SW_OPT_TIMESTAMP |
						  SW_OPT_WSCALE | SW_OPT_FASTOPEN);
	assert_int_equal(packet->facts & ~SW_PKT_AUTH, 0);
}

struct layers {
	const char *says;
	struct segment segment;
	enum family family;
};

static const struct layers layers[] = {
	{ "plain", FULL(), BOTH_FAMILIES },
	{ "one tag", FULL(.tags = 1), BOTH_FAMILIES },
	{ "two tags", FULL(.tags = 2), BOTH_FAMILIES },
	{ "PPPoE", FULL(.pppoe = true), BOTH_FAMILIES },
	{ "PPPoE behind two tags", FULL(.pppoe = true, .tags = 2), BOTH_FAMILIES },
	{ "PPPoE and IP options", FULL(.pppoe = true, .ip_options = 10), ONLY_V4 },
	{ "PPPoE and extensions", FULL(.pppoe = true, .extensions = "hdrafDhd"), ONLY_V6 },
	{ "IP options", FULL(.ip_options = 1), ONLY_V4 },
	{ "as many IP options as there can be", FULL(.ip_options = 10), ONLY_V4 },
	{ "tags and IP options", FULL(.tags = 2, .ip_options = 10), ONLY_V4 },
	{ "hop by hop", FULL(.extensions = "h"), ONLY_V6 },
	{ "destination options", FULL(.extensions = "D"), ONLY_V6 },
	{ "routing", FULL(.extensions = "r"), ONLY_V6 },
	{ "authentication", FULL(.extensions = "a"), ONLY_V6 },
	{ "a fragment of its own", FULL(.extensions = "f"), ONLY_V6 },
	{ "all of them in two tags", FULL(.extensions = "hdrafD", .tags = 2), ONLY_V6 },
	{ "eight of them", FULL(.extensions = "dddddddd"), ONLY_V6 },
	{ "padding behind", FULL(.padding = 7), BOTH_FAMILIES },
};

static void fields_are_read(void **state)
{
	const struct layers *of = *state;

	for (int v6 = of->family == ONLY_V6; v6 <= (of->family != ONLY_V4); v6++) {
		struct sw_packet packet = parsed(&of->segment, v6);

		assert_is_full(&packet, v6);
		assert_int_equal(packet.link_length,
				 of->segment.pppoe ? 0 : 14 + of->segment.tags * 4);
		assert_int_equal(!!(packet.facts & SW_PKT_AUTH),
				 of->segment.extensions && strchr(of->segment.extensions, 'a'));
	}
}

/* Where the fixed TCP header ends in a frame whose segment is FULL(). */
static __u32 end_of_tcp(const struct frame *frame, const struct segment *segment)
{
	return frame->length - segment->padding - segment->payload - FULL_OPTIONS;
}

/*
 * Cut off at any byte, as by a capture: either there is enough to know the segment, or it is
 * malformed. The sanitizer watches that nothing behind the cut is read.
 */
static void cut_anywhere(void **state)
{
	const struct layers *of = *state;

	for (int v6 = of->family == ONLY_V6; v6 <= (of->family != ONLY_V4); v6++) {
		struct sw_packet packet;
		struct frame frame;
		__u32 enough;

		frame_build(&frame, &of->segment, v6);
		enough = end_of_tcp(&frame, &of->segment);
		for (frame.captured = 0; frame.captured < frame.length; frame.captured++) {
			host_parse(&no_checksums, &frame, &packet);
			if (frame.captured < enough)
				assert_int_equal(packet.kind, SW_KIND_MALFORMED);
			else
				assert_int_equal(packet.kind, SW_KIND_TCP);
			assert_false(packet.options & SW_OPT_BAD);
		}
		assert_int_equal(packet.payload, 33);
	}
}

static void assert_ends(const struct sw_packet *packet, enum end from, enum end to, bool v6)
{
	struct sw_addr src = end_address(from, v6), dst = end_address(to, v6);

	assert_memory_equal(&packet->src, &src, sizeof(src));
	assert_memory_equal(&packet->dst, &dst, sizeof(dst));
}

/*
 * The same of an ICMP error: it says something only once the quoted numbers are there; until then it is a packet
 * from the router that sent it.
 */
static void icmp_cut_anywhere(void **state __unused)
{
	static const char *const extensions[] = { NULL, "h", "hDrad" };

	for (__u32 i = 0; i < 2 * COUNT(extensions); i++) {
		struct segment segment = icmp_error(.from = CLIENT, .seq = 7, .tags = 1,
						    .extensions = extensions[i / 2]);
		struct sw_packet packet;
		struct frame frame;
		bool v6 = i % 2;

		frame_build(&frame, &segment, v6);
		for (frame.captured = 0; frame.captured < frame.length; frame.captured++) {
			host_parse(&no_checksums, &frame, &packet);
			assert_int_not_equal(packet.kind, SW_KIND_ICMP_ERROR);
			if (packet.kind != SW_KIND_MALFORMED)
				assert_ends(&packet, ROUTER, CLIENT, v6);
		}
		host_parse(&no_checksums, &frame, &packet);
		assert_int_equal(packet.kind, SW_KIND_ICMP_ERROR);
		assert_ends(&packet, CLIENT, SERVER, v6);
		assert_int_equal(packet.sport, CLIENT_PORT);
		assert_int_equal(packet.dport, SERVER_PORT);
		assert_int_equal(packet.seq, 7);
	}
}

struct kind_of {
	const char *says;
	struct segment segment;
	enum sw_kind kind;
	__u8 facts;
	enum family family;
};

static const struct kind_of kinds[] = {
	{ "three tags", tcp(.tags = 3), SW_KIND_NOT_IP },
	{ "ARP", tcp(.ether_type = 0x0806), SW_KIND_NOT_IP },
	{ "a length instead of a type", tcp(.ether_type = 64), SW_KIND_NOT_IP },
	{ "UDP", tcp(.protocol = 17), SW_KIND_OTHER_IP },
	{ "a tunnel", tcp(.protocol = 4), SW_KIND_OTHER_IP },
	{ "the wrong version", tcp(.ip_version = 5), SW_KIND_MALFORMED },
	{ "IPv6 said to be IPv4", tcp(.ether_type = 0x0800), SW_KIND_MALFORMED, 0, ONLY_V6 },
	{ "a header of 4 words", tcp(.ip_words = 4), SW_KIND_MALFORMED, 0, ONLY_V4 },
	{ "a header longer than the packet", tcp(.ip_words = 15, .ip_length = 59),
	  SW_KIND_MALFORMED, 0, ONLY_V4 },
	{ "shorter than its header", tcp(.ip_length = 19), SW_KIND_MALFORMED, 0, ONLY_V4 },
	{ "nine extension headers", tcp(.extensions = "ddddddddd"), SW_KIND_OTHER_IP,
	  SW_PKT_MORE_EXTENSIONS, ONLY_V6 },
	{ "an extension longer than the packet says", tcp(.extensions = "D", .ip_length = 23),
	  SW_KIND_MALFORMED, 0, ONLY_V6 },
	{ "a loopback device", tcp(.no_macs = true), SW_KIND_TCP, SW_PKT_LOOPBACK },
	{ "a first fragment", tcp(.more_fragments = true, .payload = 4), SW_KIND_TCP,
	  SW_PKT_MORE_FRAGMENTS },
	{ "a fragment in the middle", tcp(.more_fragments = true, .fragment_offset = 1480),
	  SW_KIND_FRAGMENT, SW_PKT_MORE_FRAGMENTS },
	{ "the last fragment of the longest packet", tcp(.fragment_offset = 65528),
	  SW_KIND_FRAGMENT },
	{ "a later fragment of another protocol", tcp(.fragment_offset = 8, .protocol = 17),
	  SW_KIND_OTHER_IP },
	{ "nine extension headers, the last a fragment", tcp(.extensions = "ddddddddf"),
	  SW_KIND_OTHER_IP, SW_PKT_MORE_EXTENSIONS, ONLY_V6 },
	{ "nine extension headers in an ICMP error", icmp_error(.extensions = "ddddddddd"),
	  SW_KIND_OTHER_IP, SW_PKT_HARD_ERROR, ONLY_V6 },
	{ "a fragment before other headers", tcp(.extensions = "fd", .fragment_offset = 8),
	  SW_KIND_OTHER_IP, 0, ONLY_V6 },
	{ "a hard ICMP error", icmp_error(), SW_KIND_ICMP_ERROR, SW_PKT_HARD_ERROR },
	{ "an ICMP error that may pass", icmp_error(.code = 0), SW_KIND_ICMP_ERROR },
	{ "fragmentation needed", icmp_error(.code = 4), SW_KIND_OTHER_IP, 0, ONLY_V4 },
	{ "an echo", icmp_error(.type = 8), SW_KIND_OTHER_IP },
	{ "an ICMP error about UDP", icmp_error(.protocol = 17), SW_KIND_OTHER_IP },
	{ "an ICMP error about a later fragment", icmp_error(.fragment_offset = 8),
	  SW_KIND_OTHER_IP },
	{ "an ICMP error that quotes too little", icmp_error(.l4_length = 7), SW_KIND_OTHER_IP },
	{ "an ICMP error about IP options", icmp_error(.ip_options = 10), SW_KIND_ICMP_ERROR,
	  SW_PKT_HARD_ERROR, ONLY_V4 },
	{ "an ICMP error about extension headers", icmp_error(.extensions = "hdr"),
	  SW_KIND_ICMP_ERROR, SW_PKT_HARD_ERROR, ONLY_V6 },
};

static void kind_is_told(void **state)
{
	const struct kind_of *of = *state;

	for (int v6 = of->family == ONLY_V6; v6 <= (of->family != ONLY_V4); v6++) {
		struct sw_packet packet = parsed(&of->segment, v6);

		assert_int_equal(packet.kind, of->kind);
		if (of->kind == SW_KIND_TCP || of->kind == SW_KIND_FRAGMENT ||
		    of->kind == SW_KIND_ICMP_ERROR || of->facts)
			assert_int_equal(packet.facts, of->facts);
	}
}

static void ports_of_the_undecodable(void **state __unused)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct sw_packet four = parsed(&tcp(.l4_length = 4), v6);
		struct sw_packet three = parsed(&tcp(.l4_length = 3, .padding = 9), v6);

		assert_int_equal(four.kind, SW_KIND_UNDECODABLE);
		assert_int_equal(four.sport, CLIENT_PORT);
		assert_int_equal(four.dport, SERVER_PORT);
		assert_int_equal(three.kind, SW_KIND_UNDECODABLE);
		assert_int_equal(three.sport, 0);
		assert_int_equal(three.dport, 0);
	}
}

/* What a capture cut off may have been anything. */
static void options_that_are_not_there(void **state __unused)
{
	struct segment segment = tcp(.flags = ACK, .raw = "\1\1\120\1\2\4\5\264", .raw_length = 8);

	for (int v6 = 0; v6 < 2; v6++) {
		struct sw_packet packet;
		struct frame frame;

		frame_build(&frame, &segment, v6);
		host_parse(&no_checksums, &frame, &packet);
		assert_int_equal(packet.options, SW_OPT_BAD);
		frame.captured = frame.length - 1;
		host_parse(&no_checksums, &frame, &packet);
		assert_int_equal(packet.options, 0);
	}
}

struct timestamp_in {
	const char *says;
	struct segment segment;
	bool on_request;
};

static const struct timestamp_in timestamps[] = {
	{ "alone, as in data", tcp(.flags = ACK, .timestamp = true), true },
	{ "as in a SYN",
	  tcp(.flags = SYN, .mss = 1460, .wscale = 7, .raw_length = 12,
	      .raw = "\4\2\10\12\377\356\335\314\273\252\231\210"),
	  false },
	{ "the usual one of a SYN",
	  tcp(.flags = SYN, .raw_length = 20,
	      .raw = "\2\4\5\264\4\2\10\12\377\356\335\314\273\252\231\210\1\3\3\7"),
	  false },
	{ "at an odd place",
	  tcp(.flags = ACK, .raw_length = 11, .raw = "\1\10\12\377\356\335\314\273\252\231\210"),
	  false },
	{ "behind another option", tcp(.flags = ACK, .sack_ok = true, .timestamp = true), false },
};

/* Wherever it is, it is read; but in data segments only if somebody asks. */
static void timestamp_is_read(void **state)
{
	const struct timestamp_in *of = *state;

	for (int v6 = 0; v6 < 2; v6++) {
		struct segment segment = of->segment;
		struct sw_packet plain, asked;

		segment.tsval = 0xffeeddcc;
		segment.tsecr = 0xbbaa9988;
		plain = parsed(&segment, v6);
		asked = parsed_with_timestamp(&segment, v6);
		assert_true(plain.options & SW_OPT_TIMESTAMP);
		assert_int_equal(plain.tsval, of->on_request ? 0 : 0xffeeddcc);
		assert_int_equal(plain.tsecr, of->on_request ? 0 : 0xbbaa9988);
		assert_int_equal(asked.tsval, 0xffeeddcc);
		assert_int_equal(asked.tsecr, 0xbbaa9988);
	}
}

/* Numbers that a timestamp's length or a cut does not let in are no timestamp. */
static void timestamp_is_not_made_up(void **state __unused)
{
	struct segment wrong = tcp(.flags = ACK, .raw_length = 12,
				   .raw = "\1\10\11\377\356\335\314\273\252\231\210\1");
	struct segment cut = tcp(.flags = ACK, .timestamp = true);
	struct segment data = tcp(.flags = ACK, .timestamp = true, .doff = 5);

	for (int v6 = 0; v6 < 2; v6++) {
		struct sw_packet packet = parsed_with_timestamp(&data, v6);
		struct frame frame;

		assert_int_equal(packet.options, 0);
		assert_int_equal(packet.tsval | packet.tsecr, 0);
		packet = parsed_with_timestamp(&wrong, v6);
		assert_int_equal(packet.options, SW_OPT_BAD);
		assert_int_equal(packet.tsval | packet.tsecr, 0);
		frame_build(&frame, &cut, v6);
		frame.captured = frame.length - 1;
		host_parse(&no_checksums, &frame, &packet);
		assert_int_equal(packet.tsval | packet.tsecr, 0);
	}
}

int main(void)
{
	struct CMUnitTest tests[2 * COUNT(layers) + COUNT(kinds) + COUNT(timestamps) + 4];
	size_t count = 0;

	for (size_t i = 0; i < COUNT(layers); i++) {
		tests[count++] = (struct CMUnitTest){ .name = layers[i].says,
						      .test_func = fields_are_read,
						      .initial_state = (void *)&layers[i] };
		tests[count++] = (struct CMUnitTest){ .name = layers[i].says,
						      .test_func = cut_anywhere,
						      .initial_state = (void *)&layers[i] };
	}
	for (size_t i = 0; i < COUNT(kinds); i++)
		tests[count++] = (struct CMUnitTest){ .name = kinds[i].says,
						      .test_func = kind_is_told,
						      .initial_state = (void *)&kinds[i] };
	for (size_t i = 0; i < COUNT(timestamps); i++)
		tests[count++] = (struct CMUnitTest){ .name = timestamps[i].says,
						      .test_func = timestamp_is_read,
						      .initial_state = (void *)&timestamps[i] };
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(timestamp_is_not_made_up);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(icmp_cut_anywhere);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(ports_of_the_undecodable);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(options_that_are_not_there);
	return _cmocka_run_group_tests("parse", tests, count, NULL, NULL);
}
