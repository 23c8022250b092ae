/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_THIRD_PARTY_H
#define SYNWARD_TESTS_THIRD_PARTY_H

/*
 * Who is there in tests/prog/test_third_party.c: a hundred honest connections with this host, or if it is a router
 * half of them through it, and somebody who knows all of their addresses and ports and none of their numbers. What they
 * do is a list of steps, of which any part can be played again: of honest steps the numbers are worked out
 * while they are played, those of forged ones are in the step.
 */

#include "forged.h"
#include "random.h"

#define CONNECTIONS 100

/* Does this host forward, with both of its sides attached? */
static bool is_router;

/* Everything else about a connection that does not change follows from its number. */
static inline bool is_forwarded(__u32 connection)
{
	return is_router && connection & 1;
}

static inline bool has_v6(__u32 connection)
{
	return connection & 2;
}

/* Which side of the router its forger is on, if he is on one only. */
static inline bool has_forger_behind(__u32 connection)
{
	return is_forwarded(connection) && connection & 4;
}

static inline enum end client_of(__u32 connection)
{
	return FIRST_NUMBERED + connection;
}

/* SERVER is this host, OTHER is behind it. */
static inline enum end server_of(__u32 connection)
{
	return is_forwarded(connection) ? OTHER : SERVER;
}

enum step_kind {
	STEP_HONEST,
	STEP_FORGED,
	STEP_SWEEP, /* as the timer does it */
};

struct step {
	__u8 kind;
	__u8 connection;
	bool from_server;
	bool by_far; /* forged: the interface */
	__u8 manner; /* honest: MANNER_* */
	__u8 pad;
	__u16 flags;
	__u16 payload;
	__u32 seq;
	__u32 ack;
	__u32 after_ms;
};

/* What an honest end may say, and each of it at any time. */
enum {
	MANNER_DATA,
	MANNER_ACK,
	MANNER_AGAIN, /* what it has said before */
	MANNER_KEEPALIVE,
	MANNER_AHEAD, /* behind a segment that was lost before it came here */
	MANNER_COUNT,
	MANNER_ANEW =
		MANNER_COUNT, /* now and then: the client opens another one, from its next port */
};

enum stage {
	TALKING,
	ASKING,	  /* the SYN was sent */
	ANSWERED, /* and the SYN-ACK */
};

/* How far the two ends of a connection are, and the numbers that they say next. */
struct numbers {
	__u32 c;
	__u32 s;
	__u16 ports; /* that the client has had before */
	enum stage stage;
};

/* ---- what is done */

/* He also answers himself: what he has made up last for either end of each connection. */
struct forger {
	struct dice dice;
	bool on_both_sides;
	bool falls_silent; /* all do, at times, for longer than a connection that is closed is kept */
	struct said {
		__u32 c;
		__u32 s;
	} said[CONNECTIONS];
	__u32 connection; /* the one that he is busy with */
};

static inline __u32 random_u32(struct dice *dice)
{
	__u32 value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | roll(dice, 256);
	return value;
}

static inline int forged_flags(struct dice *dice)
{
	static const int usual[] = {
		SYN,	   SYN, SYN | ACK, SYN | ACK, SYN | ACK, ACK, ACK,
		ACK | PSH, RST, RST | ACK, FIN | ACK, FIN | ACK, 0,   FIN | PSH | URG
	};

	return roll(dice, 4) ? usual[roll(dice, COUNT(usual))] : (int)(random_u32(dice) & 0x1ff);
}

/* Any number, or one that fits what he has said before in this end's name, or the other's. */
static inline __u32 forged_number(struct dice *dice, __u32 *said)
{
	return roll(dice, 2) ? *said + roll(dice, 3) : (*said = random_u32(dice));
}

static inline struct step forged_step(struct forger *forger)
{
	struct dice *dice = &forger->dice;
	struct said *said;
	struct step step = { .kind = STEP_FORGED };

	if (!roll(dice, 4))
		forger->connection = roll(dice, CONNECTIONS);
	said = &forger->said[forger->connection];
	step.connection = forger->connection;
	step.from_server = roll(dice, 2);
	step.flags = forged_flags(dice);
	step.payload = roll(dice, 4) ? 0 : roll(dice, 100);
	step.seq = forged_number(dice, step.from_server ? &said->s : &said->c);
	step.ack = step.flags & ACK ? forged_number(dice, step.from_server ? &said->c : &said->s) :
				      0;
	step.by_far = has_forger_behind(step.connection);
	if (forger->on_both_sides && is_forwarded(step.connection))
		step.by_far = roll(dice, 4) ? step.from_server : roll(dice, 2);
	step.after_ms = roll(dice, 8) ? 0 : roll(dice, 256);
	return step;
}

/* Some are never silent for long, and some hardly ever say anything. */
static inline struct step honest_step(struct forger *forger)
{
	struct dice *dice = &forger->dice;
	__u32 luck = roll(dice, 200);
	bool anew = !forger->falls_silent && !forger->on_both_sides && !roll(dice, 16);

	return (struct step){ .kind = STEP_HONEST,
			      .connection = luck * luck * CONNECTIONS / (200 * 200),
			      .from_server = roll(dice, 2),
			      .manner = anew ? MANNER_ANEW : roll(dice, MANNER_COUNT),
			      .payload = roll(dice, 256),
			      .seq = random_u32(dice),
			      .after_ms = roll(dice, 50) };
}

static inline struct step next_step(struct forger *forger)
{
	struct dice *dice = &forger->dice;

	if (!roll(dice, 256))
		return (struct step){ .kind = STEP_SWEEP,
				      .after_ms = forger->falls_silent && roll(dice, 2) ?
							  100000 + 1000 * roll(dice, 100) :
							  1000 };
	return roll(dice, 4) ? forged_step(forger) : honest_step(forger);
}

/* ---- as segments */

static inline struct segment segment_of(const struct step *step, const struct numbers *numbers)
{
	enum end client = client_of(step->connection), server = server_of(step->connection);
	__u16 port = CLIENT_PORT + numbers->ports;

	return tcp(.from = step->from_server ? server : client,
		   .to = step->from_server ? client : server,
		   .sport = step->from_server ? SERVER_PORT : port,
		   .dport = step->from_server ? port : SERVER_PORT, .flags = step->flags,
		   .seq = step->seq, .ack = step->ack, .payload = step->payload);
}

/* The next one of a handshake, or the last one again. */
static inline struct segment opening_segment(const struct step *step, struct numbers *numbers)
{
	struct step said = *step;

	said.payload = 0;
	if (numbers->stage == TALKING || (numbers->stage == ASKING && !step->from_server)) {
		if (numbers->stage == TALKING) {
			numbers->c = step->seq + 1;
			numbers->ports++;
		}
		numbers->stage = ASKING;
		said.from_server = false;
		said.flags = SYN;
		said.seq = numbers->c - 1;
		said.ack = 0;
	} else if (step->from_server) {
		if (numbers->stage == ASKING)
			numbers->s = step->seq + 1;
		numbers->stage = ANSWERED;
		said.flags = SYN | ACK;
		said.seq = numbers->s - 1;
		said.ack = numbers->c;
	} else {
		numbers->stage = TALKING;
		said.flags = ACK;
		said.seq = numbers->c;
		said.ack = numbers->s;
	}
	return segment_of(&said, numbers);
}

/* With the numbers that its end has come to by now; it has come further then. */
static inline struct segment honest_segment(const struct step *step, struct numbers *numbers)
{
	__u32 *mine = step->from_server ? &numbers->s : &numbers->c;
	__u32 bytes = step->payload + 1;
	struct step said = *step;

	if (numbers->stage != TALKING || step->manner == MANNER_ANEW)
		return opening_segment(step, numbers);
	said.flags = ACK;
	said.ack = step->from_server ? numbers->c : numbers->s;
	said.seq = *mine;
	said.payload = 0;
	switch (step->manner) {
	case MANNER_DATA:
		said.flags = ACK | PSH;
		said.payload = bytes;
		*mine += bytes;
		break;
	case MANNER_AGAIN:
		said.seq -= bytes;
		said.payload = bytes;
		break;
	case MANNER_KEEPALIVE:
		said.seq--;
		break;
	case MANNER_AHEAD:
		*mine += 1460;
		said.seq = *mine;
		said.payload = bytes;
		*mine += bytes;
		break;
	}
	return segment_of(&said, numbers);
}

/* ---- for whoever has to look into what went wrong */

static inline void print_step(FILE *out, const struct step *step)
{
	static const char *const manners[] = { "data",	      "an ACK",	    "data again",
					       "a keepalive", "data ahead", "a new SYN" };
	const struct numbers any = {};
	struct segment segment = segment_of(step, &any);

	if (step->kind == STEP_SWEEP) {
		fprintf(out, "  +%u ms, then a sweep\n", step->after_ms);
		return;
	}
	fprintf(out, "  connection %u, IPv%d, %s, %s", step->connection,
		has_v6(step->connection) ? 6 : 4,
		is_forwarded(step->connection) ? "forwarded" : "ours",
		step->from_server ? "server" : "client");
	if (step->kind == STEP_HONEST) {
		fprintf(out, " itself: +%u ms, %s\n", step->after_ms, manners[step->manner]);
		return;
	}
	segment.after_ms = step->after_ms;
	fprintf(out, " forged, comes by the %s side:\n", step->by_far ? "far" : "near");
	print_segment(out, &segment);
}

#endif
