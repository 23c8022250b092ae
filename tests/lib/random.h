/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_RANDOM_H
#define SYNWARD_TESTS_RANDOM_H

/*
 * Random sequences: a few flows, each led by the script of an honest connection that is now and
 * then left, repeated or damaged. Numbers lie close to each other and around 2^32, so that ranges
 * are met at their ends. The dice are a generator, or the bytes that a fuzzer chose.
 */

#include "sequence.h"

struct dice {
	__u64 state;
	const __u8 *pos; /* NULL: of the generator */
	const __u8 *end;
};

static inline bool dice_are_out(const struct dice *dice)
{
	return dice->pos && dice->pos >= dice->end;
}

/* A number below n, which is at most 256. Bytes that have run out are 0. */
static inline __u32 roll(struct dice *dice, __u32 n)
{
	__u64 z;

	if (dice->pos)
		return dice_are_out(dice) ? 0 : *dice->pos++ % n;
	/* splitmix64 */
	z = dice->state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return ((z ^ z >> 31) >> 32) % n;
}

static inline bool once_in(struct dice *dice, __u32 n)
{
	/* not at 0: bytes that have run out decide for the ordinary */
	return roll(dice, n) == n - 1;
}

/* Timeouts that a sequence of a few dozen segments can outlast. */
static inline struct setup setup_random(void)
{
	struct setup setup = setup_ordinary();

	setup.handshake_buckets = 2;
	setup.connection_buckets = 1;
	setup.settings.timeout_ms[SW_TIMEOUT_SYN_SENT] = 1000;
	setup.settings.timeout_ms[SW_TIMEOUT_SYN_RECEIVED] = 700;
	setup.settings.timeout_ms[SW_TIMEOUT_RST_GRACE] = 100;
	setup.settings.timeout_ms[SW_TIMEOUT_ESTABLISHED] = 4000;
	setup.settings.timeout_ms[SW_TIMEOUT_CLOSED] = 500;
	return setup;
}

#define RANDOM_FLOWS 12

struct script {
	__u32 at;
	__u32 isn_c;
	__u32 isn_s;
};

struct random_sequence {
	struct dice dice;
	struct script scripts[RANDOM_FLOWS];
	struct segment last;
};

static inline __u32 random_isn(struct dice *dice)
{
	static const __u32 isns[] = { 0xfffffffe, 0xffffffff, 0, 1, 4, 70000, 0x80000000 };

	return isns[roll(dice, sizeof(isns) / sizeof(isns[0]))];
}

/* An honest connection, from its SYN to the last ACK. */
static inline struct segment script_next(struct dice *dice, struct script *script)
{
	__u32 c, s;

	if (script->at == 0) {
		script->isn_c = random_isn(dice);
		script->isn_s = random_isn(dice);
	}
	c = script->isn_c + 1;
	s = script->isn_s + 1;
	script->at = (script->at + 1) % 8;
	switch (script->at) {
	case 1:
		return A_SYN(.seq = c - 1);
	case 2:
		return A_SYNACK(.seq = s - 1, .ack = c);
	case 3:
		return AN_ACK(.seq = c, .ack = s);
	case 4:
		return AN_ACK(.seq = c, .ack = s, .payload = 10);
	case 5:
		return SERVER_ACK(.seq = s, .ack = c + 10, .payload = 20);
	case 6:
		return AN_ACK(.flags = FIN | ACK, .seq = c + 10, .ack = s + 20);
	case 7:
		return SERVER_ACK(.flags = FIN | ACK, .seq = s + 20, .ack = c + 11);
	default:
		return AN_ACK(.seq = c + 11, .ack = s + 21);
	}
}

/* What the script does not have. */
static inline struct segment random_other(struct dice *dice, const struct script *script)
{
	__u32 c = script->isn_c + 1, s = script->isn_s + 1;

	switch (roll(dice, 8)) {
	case 0:
		return CLIENT_RST(.seq = c);
	case 1:
		return SERVER_RST(.seq = s);
	case 2:
		return REFUSAL(.ack = c);
	case 3:
		return icmp_error(.seq = c - 1);
	case 4:
		return tcp(.from = SERVER, .flags = SYN, .seq = s - 1);
	case 5:
		return tcp(.from = CLIENT, .flags = SYN | ACK, .seq = c - 1, .ack = s);
	case 6:
		return SERVER_ACK(.seq = s, .ack = c);
	default:
		return tcp(.from = roll(dice, 2), .flags = roll(dice, 64), .seq = random_isn(dice),
			   .ack = random_isn(dice));
	}
}

static inline void damage(struct dice *dice, struct segment *segment)
{
	static const char *const extensions[] = { "h",	    "d",	"f",	    "a",
						  "hdrDaf", "dddddddd", "ddddddddd" };

	/* from wherever in them: right ones, wrong ones, and ends of some */
	static const char options[] = "\2\4\5\264\3\3\17\1\10\12\1\1\1\1\1\1\1\1\4\2";

	switch (roll(dice, 20)) {
	case 0:
	case 1:
		segment->seq += roll(dice, 5) - 2U;
		break;
	case 2:
	case 3:
		segment->ack += roll(dice, 5) - 2U;
		break;
	case 4:
	case 5:
		segment->flags ^= 1 << roll(dice, 12);
		break;
	case 6:
		segment->seq = random_isn(dice);
		break;
	case 7:
		segment->ack = random_isn(dice);
		break;
	case 8:
		segment->urgent = roll(dice, 2);
		break;
	case 9:
		segment->payload = roll(dice, 40);
		break;
	case 10:
		segment->fastopen = roll(dice, 2) * 8;
		segment->payload = roll(dice, 3) * 5;
		break;
	case 11:
		segment->doff = roll(dice, 16);
		break;
	case 12:
		segment->l4_length = roll(dice, 24);
		break;
	case 13:
		segment->from = segment->from == CLIENT ? SERVER : CLIENT;
		break;
	case 14:
		segment->more_fragments = true;
		break;
	case 15:
		segment->fragment_offset = roll(dice, 5) * 8;
		break;
	case 16:
		segment->extensions = extensions[roll(dice, 7)];
		segment->ip_options = roll(dice, 11);
		break;
	case 17:
		segment->tags = roll(dice, 4);
		segment->pppoe = once_in(dice, 3);
		break;
	case 18:
		segment->raw = &options[roll(dice, 8)];
		segment->raw_length = roll(dice, 13);
		break;
	case 19:
		segment->wscale = 10 + roll(dice, 6);
		segment->mss = 60 + roll(dice, 6);
		break;
	}
}

/* Gives it to one of the flows: they share a server, and some of them a client. */
static inline void set_flow(struct segment *segment, __u32 flow)
{
	enum end client = flow < 3 ? CLIENT : FIRST_NUMBERED + flow / 2;

	if (segment->from == SERVER) {
		segment->to = client;
		segment->dport = CLIENT_PORT + flow;
	} else {
		segment->from = client;
		segment->to = SERVER;
		segment->sport = CLIENT_PORT + flow;
	}
}

static inline __u32 random_wait_ms(struct dice *dice)
{
	static const __u32 waits[] = { 1, 20, 99, 100, 101, 300, 500, 701, 1001, 4001 };

	return once_in(dice, 4) ? waits[roll(dice, 10)] : 0;
}

static inline struct segment random_segment(struct random_sequence *sequence)
{
	struct dice *dice = &sequence->dice;
	__u32 flow = once_in(dice, 3) ? roll(dice, RANDOM_FLOWS) : roll(dice, 3);
	struct script *script = &sequence->scripts[flow];
	struct segment segment;

	if (once_in(dice, 12) && sequence->last.kind != SEGMENT_NONE)
		segment = sequence->last;
	else if (once_in(dice, 5))
		segment = random_other(dice, script);
	else
		segment = script_next(dice, script);
	if (once_in(dice, 16))
		script->at = roll(dice, 8);
	if (once_in(dice, 3))
		segment.window = roll(dice, 4); /* so small that its end is met */
	if (once_in(dice, 3))
		damage(dice, &segment);
	set_flow(&segment, flow);
	segment.after_ms = random_wait_ms(dice);
	segment.after_us = roll(dice, 200);
	sequence->last = segment;
	return segment;
}

/* For whoever has to look into what went wrong. */
static inline void print_segment(FILE *out, const struct segment *segment)
{
	static const char letters[] = "FSRPAUECN";

	fprintf(out, "  +%u.%03u ms  %s %d:%u -> %d:%u  ", segment->after_ms, segment->after_us,
		segment->kind == SEGMENT_TCP ? "tcp" : "icmp about", segment->from,
		segment_sport(segment), segment_to(segment), segment_dport(segment));
	for (int i = 0; letters[i]; i++)
		if (segment->flags >> i & 1)
			fputc(letters[i], out);
	fprintf(out, " seq=%u ack=%u payload=%d window=%d", segment->seq, segment->ack,
		segment->payload, segment->window);
	fprintf(out, " doff=%d l4=%d frag=%d%s ext=%s tfo=%d raw=%d tags=%d%s\n", segment->doff,
		segment->l4_length, segment->fragment_offset, segment->more_fragments ? "+" : "",
		segment->extensions ? segment->extensions : "", segment->fastopen,
		segment->raw_length, segment->tags, segment->pppoe ? " pppoe" : "");
}

#endif
