/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_COOKIES_H
#define SYNWARD_TESTS_COOKIES_H

/* What tests of cookies share: keys, offers, and segments as the core sees them. */

#include "../../bpf/core/cookie_keys.h"
#include "random.h"

#define EPOCH_MS (1U << SW_COOKIE_EPOCH_MS_SHIFT)

static const struct sw_cookie_offer whole_offer = {
	.mss4 = 1460,
	.mss6 = 1440,
	.window = 64000,
	.wscale = 9,
	.ttl = 61,
	.options = SW_OFFER_ALL,
};

static inline __u64 random_u64(struct dice *dice)
{
	__u64 value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | roll(dice, 256);
	return value;
}

static inline void random_entropy(struct dice *dice, __u64 entropy[2])
{
	entropy[0] = random_u64(dice);
	entropy[1] = random_u64(dice);
}

/*
 * As when they are created: all random, and of the coming epoch nothing is known yet. Their clock's epochs
 * begin where the coarse clock's would, so that tests know where.
 */
static inline struct sw_cookie_keys random_keys(struct dice *dice)
{
	struct sw_cookie_keys keys = { .clock_offset = random_u64(dice) * EPOCH_MS };

	for (__u32 i = 0; i < SW_COOKIE_EPOCHS; i++)
		random_entropy(dice, keys.secrets[i]);
	return keys;
}

/* A segment as the core sees it, timestamp included. */
static inline struct sw_packet seen(const struct segment *segment, bool v6)
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

/* The ACK of an honest client to the answer of its SYN. */
static inline struct segment ack_to(const struct segment *syn,
				    const struct sw_cookie_answer *answer)
{
	return tcp(.from = syn->from, .sport = syn->sport, .dport = syn->dport, .flags = ACK,
		   .seq = answer->ack, .ack = answer->seq + 1,
		   .timestamp = answer->options & SW_OFFER_TIMESTAMP, .tsval = syn->tsval + 3,
		   .tsecr = answer->tsval);
}

/* ---- a server and its clients */

#define START_MS 1000000U

struct world {
	struct dice dice;
	struct sw_cookie_keys keys;
	struct sw_cookie_memos memos; /* what is made is made with them, and checked without */
	struct sw_cookie_offer offer;
	__u32 now_ms;
};

static inline struct world new_world(__u32 now_ms)
{
	struct world world = { .dice.state = 42, .offer = whole_offer, .now_ms = now_ms };

	world.keys = random_keys(&world.dice);
	return world;
}

/* The epoch that it is to its cookies. */
static inline __u32 epoch_now(const struct world *world)
{
	return cookie_epoch(cookie_clock(&world->keys, world->now_ms));
}

/* Lets time pass as the sweeper would notice it. */
static inline void pass(struct world *world, __u32 ms)
{
	while (ms) {
		__u32 step = ms < EPOCH_MS / 4 ? ms : EPOCH_MS / 4;
		__u64 entropy[2];

		world->now_ms += step;
		ms -= step;
		random_entropy(&world->dice, entropy);
		sw_cookie_rotate(&world->keys, world->now_ms, entropy);
	}
}

static inline struct sw_cookie_answer answer_to(struct world *world, const struct segment *syn,
						bool v6)
{
	struct sw_packet packet = seen(syn, v6);
	struct sw_cookie_answer answer;

	/* it fills in everything */
	memset(&answer, 0xa5, sizeof(answer));
	sw_cookie_make(&world->keys, &world->memos, &world->offer, &packet, world->now_ms, &answer);
	return answer;
}

static inline bool is_good(const struct world *world, const struct sw_packet *ack)
{
	struct sw_cookie_options options, before;

	memset(&options, 0xa5, sizeof(options));
	before = options;
	if (sw_cookie_check(&world->keys, NULL, &world->offer, ack, world->now_ms, &options))
		return true;
	assert_memory_equal(&options, &before, sizeof(options));
	return false;
}

/* The SYN of a Linux client. */
#define USUAL_SYN(...)                                                                             \
	A_SYN(.mss = 1460, .sack_ok = true, .timestamp = true, .tsval = 0x77777777, .wscale = 7,   \
	      ##__VA_ARGS__)

/* Its honest ACK, as the core sees it. */
static inline struct sw_packet usual_ack(struct world *world, bool with_timestamp, bool v6)
{
	struct segment syn = USUAL_SYN(.timestamp = with_timestamp);
	struct sw_cookie_answer answer = answer_to(world, &syn, v6);
	struct segment ack = ack_to(&syn, &answer);

	return seen(&ack, v6);
}

/* Changes one bit. */
static inline void flip(void *bytes, __u32 bit)
{
	((__u8 *)bytes)[bit / 8] ^= 1 << bit % 8;
}

#endif
