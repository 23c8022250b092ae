// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One frame of any bytes, taken for a SYN: either nothing is written, or what is there then is an
 * answer that a client can read and whose ACK is good. The first byte says what is offered, the
 * second how much of the frame is missing. With SEED_DIR set, it writes frames to begin with there.
 */
#define _GNU_SOURCE
#include "../lib/sequences.h"
#include "../../bpf/core/answer.h"
#include "../lib/cookies.h"
#include "seeds.h"

static struct world world;

/* The packet in so many bytes. Returns where its TCP header is. */
static __u32 parse_bytes(__u8 *bytes, __u32 length, struct sw_packet *packet)
{
	struct sw_cursor cursor = { bytes, bytes + length };

	memset(packet, 0, sizeof(*packet));
	sw_parse_all(&cursor, length, packet);
	sw_parse_timestamp(&cursor, packet);
	return cursor.pos - bytes - sizeof(struct wire_tcp);
}

/* Of an address that only looks like IPv4 mapped, too. */
static bool is_v4_frame(const __u8 *bytes, const struct sw_packet *packet)
{
	return bytes[packet->link_length - 2] == 8 && bytes[packet->link_length - 1] == 0;
}

/* Not by the code that wrote them. */
static void check_sums(const __u8 *frame, __u32 tcp, const struct sw_packet *answer)
{
	bool v6 = !is_v4_frame(frame, answer);
	const __u8 *ip = frame + tcp - (v6 ? 40 : 20);
	__u32 length = answer->doff * 4, sum = WIRE_IP_TCP + length;

	sum = sum16(v6 ? ip + 8 : ip + 12, v6 ? 32 : 8, sum);
	assert(sum_fold(sum16(frame + tcp, length, sum)) == 0);
	if (!v6)
		assert(sum_fold(sum16(ip, 20, 0)) == 0);
}

static void check_answer(__u8 *bytes, __u32 length, const struct sw_packet *syn,
			 const struct sw_cookie_answer *sent)
{
	struct sw_cookie_options agreed;
	struct sw_packet answer, ack = *syn;
	__u32 tcp = parse_bytes(bytes, length, &answer);

	assert(answer.kind == SW_KIND_TCP && answer.flags == (SYN | ACK | (answer.flags & ECE)));
	assert(!(answer.options & SW_OPT_BAD) && !answer.payload && !answer.urgent);
	assert(tcp + answer.doff * 4 == length && answer.doff <= syn->doff);
	assert(sw_addr_equal(&answer.src, &syn->dst) && sw_addr_equal(&answer.dst, &syn->src));
	assert(answer.sport == syn->dport && answer.dport == syn->sport);
	assert(answer.seq == sent->seq && answer.ack == syn->seq + 1);
	/* no option that the SYN does not have, and none twice or in vain */
	assert(!(answer.options & ~(syn->options | SW_OPT_MSS)));
	assert(!(answer.options & SW_OPT_TIMESTAMP) == !(sent->options & SW_OFFER_TIMESTAMP));
	assert(answer.tsval == sent->tsval);
	check_sums(bytes, tcp, &answer);

	ack.flags = ACK;
	ack.seq = answer.ack;
	ack.ack = answer.seq + 1;
	ack.options = answer.options;
	ack.tsecr = answer.tsval;
	assert(sw_cookie_check(&world.keys, NULL, &world.offer, &ack, world.now_ms, &agreed));
	assert(agreed.options == sent->options && agreed.snd_wscale <= 14);
}

int LLVMFuzzerInitialize(int *argc __unused, char ***argv __unused)
{
	write_seeds_if_asked();
	world = new_world(START_MS);
	return 0;
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	struct sw_cookie_answer answer;
	struct sw_syn_frame frame;
	struct sw_packet syn;
	__u32 length, cut;
	__u8 *bytes;
	int later;

	if (size < 2)
		return 0;
	world.offer.options = data[0] & SW_OFFER_ALL;
	cut = data[1];
	size -= 2;
	/* at 2 modulo 4, and nothing behind it */
	bytes = (__u8 *)malloc(2 + size) + 2;
	memcpy(bytes, data + 2, size);
	frame.tcp = parse_bytes(bytes, size, &syn);
	frame.start = bytes;
	frame.end = bytes + size - (cut < size ? cut : 0);
	frame.link_length = syn.link_length;
	if (sw_is_answerable(&syn)) {
		sw_cookie_make(&world.keys, NULL, &world.offer, &syn, world.now_ms, &answer);
		later = sw_answer(&frame, &syn, &answer, &length);
		if (later == SW_NO_ANSWER) {
			assert(!memcmp(bytes, data + 2, size));
			assert(bytes + frame.tcp + syn.doff * 4 > frame.end ||
			       is_v4_frame(bytes, &syn) != sw_addr_is_v4(&syn.src));
		} else {
			assert(later >= 0 && later + length <= size);
			check_answer(bytes + later, length, &syn, &answer);
		}
	}
	free(bytes - 2);
	return 0;
}
