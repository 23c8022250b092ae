/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CORE_GLIMPSE_H
#define SYNWARD_CORE_GLIMPSE_H

/*
 * What is kept of an attempt that is counted and not followed: a word, from which its SYN-ACK and its
 * final ACK are known by their numbers. Seven of them are in a line, the newest in place of the oldest.
 *
 * There is no lock. A word is read and written as a whole; two CPUs that write one line at the same time
 * can lose a word. They cannot make one up: whoever wants to pass for an opener has to guess 32 bits that
 * only the other end has told him, and 14 of his own.
 */

#include "../../include/synward/outcome.h"
#include "../../include/synward/tables.h"
#include "classify.h"
#include "packet.h"

/* How far an attempt has come. */
enum sw_glimpse_phase {
	SW_GLIMPSE_NONE,
	SW_GLIMPSE_SYN,
	SW_GLIMPSE_SYNACK,
	SW_GLIMPSE_FOLLOWED, /* the table of handshakes has it: nothing more is kept here */
};

#define SW_GLIMPSE_OPENER_SHIFT 32
#define SW_GLIMPSE_OPENER_MASK	0x3fffU
#define SW_GLIMPSE_PHASE_SHIFT	46
#define SW_GLIMPSE_TAG_SHIFT	48

/* opener: the number of the first byte after its SYN; number: what the next segment of the other one acknowledges. */
static __always_inline __u64 sw_glimpse(__u16 tag, enum sw_glimpse_phase phase, __u32 opener,
					__u32 number)
{
	return (__u64)tag << SW_GLIMPSE_TAG_SHIFT | (__u64)phase << SW_GLIMPSE_PHASE_SHIFT |
	       (__u64)(opener & SW_GLIMPSE_OPENER_MASK) << SW_GLIMPSE_OPENER_SHIFT | number;
}

static __always_inline enum sw_glimpse_phase sw_glimpse_phase(__u64 word)
{
	return word >> SW_GLIMPSE_PHASE_SHIFT & 3;
}

/* Is seq, or what acknowledges it, the first byte after the opener's SYN? */
static __always_inline bool glimpse_opener_is(__u64 word, __u32 seq)
{
	return (word >> SW_GLIMPSE_OPENER_SHIFT & SW_GLIMPSE_OPENER_MASK) ==
	       (seq & SW_GLIMPSE_OPENER_MASK);
}

/* Where the word of a flow is; 0: nowhere. */
static __always_inline __u32 sw_glimpse_find(const struct sw_glimpse_line *line, __u16 tag)
{
	__u32 found = 0;

	for (__u32 place = 1; place <= SW_GLIMPSES; place++)
		if (line->words[place] >> SW_GLIMPSE_TAG_SHIFT == tag)
			found = place;
	return found;
}

/* The word at a place; of none, a word that says nothing. */
static __always_inline __u64 sw_glimpse_at(const struct sw_glimpse_line *line, __u32 place)
{
	return place ? *(volatile const __u64 *)&line->words[place & SW_GLIMPSES] : 0;
}

static __always_inline void sw_glimpse_put(struct sw_glimpse_line *line, __u32 place, __u64 word)
{
	*(volatile __u64 *)&line->words[place & SW_GLIMPSES] = word;
}

/*
 * By which interface the SYN of a word came in: the first word has a byte for the slot of each place. Two CPUs that
 * write it at the same time can leave an old one there.
 */
static __always_inline __u8 sw_glimpse_slot(const struct sw_glimpse_line *line, __u32 place)
{
	return line->words[0] >> 8 * (place & SW_GLIMPSES);
}

/* Puts the word of a flow, whose SYN came in by a slot, where it was, or if that is nowhere, in place of the oldest. */
static __always_inline void sw_glimpse_keep(struct sw_glimpse_line *line, __u32 place, __u64 word,
					    __u8 slot)
{
	__u64 head = line->words[0];

	if (!place) {
		place = (head & SW_GLIMPSES) + 1;
		if (place > SW_GLIMPSES)
			place = 1;
		head = (head & ~(__u64)SW_GLIMPSES) | place;
	}
	place &= SW_GLIMPSES;
	line->words[0] = (head & ~(0xffULL << 8 * place)) | (__u64)slot << 8 * place;
	sw_glimpse_put(line, place, word);
}

/* Of a SYN: has the same one come before, by the word of its flow? */
static __always_inline bool sw_glimpse_repeats(__u64 word, const struct sw_packet *syn)
{
	return sw_glimpse_phase(word) != SW_GLIMPSE_NONE && glimpse_opener_is(word, syn->seq + 1);
}

/* The word after a SYN-ACK; 0: it is not the answer to the SYN that the word is of. */
static __always_inline __u64 sw_glimpse_answered(__u64 word, __u16 tag,
						 const struct sw_packet *synack)
{
	enum sw_glimpse_phase phase = sw_glimpse_phase(word);
	bool answers = phase == SW_GLIMPSE_SYN ? (__u32)word == synack->ack :
						 phase == SW_GLIMPSE_SYNACK;

	if (!answers || !glimpse_opener_is(word, synack->ack))
		return 0;
	/* one that comes again may have another number: the kernel's cookies do */
	return sw_glimpse(tag, SW_GLIMPSE_SYNACK, synack->ack, synack->seq + 1);
}

/*
 * The word of an attempt that was pushed out of the table, given that of its flow; 0: that one is of a later SYN, or the
 * segments that are to come cannot be told by a word.
 */
static __always_inline __u64 sw_glimpse_evicted(__u64 word, __u16 tag,
						const struct sw_attempt *attempt)
{
	__u32 first = attempt->isn_orig + 1;

	if (word &&
	    (sw_glimpse_phase(word) != SW_GLIMPSE_FOLLOWED || !glimpse_opener_is(word, first)))
		return 0;
	if (attempt->phase == SW_PHASE_SYN_RECEIVED)
		return sw_glimpse(tag, SW_GLIMPSE_SYNACK, first, attempt->isn_resp[0] + 1);
	if (attempt->phase == SW_PHASE_SYN_SENT && !attempt->syn_length)
		return sw_glimpse(tag, SW_GLIMPSE_SYN, first, first);
	return 0;
}

/* Is an attempt in the table, which is not told yet, the same as one that has ended, of which the word was? */
static __always_inline bool sw_glimpse_is_of(__u64 word, const struct sw_attempt *ended,
					     const struct sw_attempt *attempt)
{
	return (attempt->phase == SW_PHASE_SYN_SENT || attempt->phase == SW_PHASE_SYN_RECEIVED) &&
	       !(attempt->seen & SW_IS_REPORTED) &&
	       glimpse_opener_is(word, attempt->isn_orig + 1) &&
	       attempt->orig_port == ended->orig_port && attempt->resp_port == ended->resp_port &&
	       sw_addr_equal(&attempt->orig, &ended->orig) &&
	       sw_addr_equal(&attempt->resp, &ended->resp);
}

/* The segments that tell how an attempt ends, by whose they are. */
enum glimpse_sign {
	SIGN_NONE,
	SIGN_ORIG_ACK,
	SIGN_ORIG_RST,
	SIGN_RESP_RST,
};

/* How it does, by how far it had come. */
#define SW_GLIMPSE_ENDS(X)                                                                         \
	X(SYN, ORIG_ACK, ONE_SIDED)                                                                \
	X(SYN, ORIG_RST, CANCELLED)                                                                \
	X(SYN, RESP_RST, REJECTED)                                                                 \
	X(SYNACK, ORIG_ACK, ACCEPTED)                                                              \
	X(SYNACK, ORIG_RST, ABORTED_ORIG)                                                          \
	X(SYNACK, RESP_RST, ABORTED_RESP)

static __always_inline enum glimpse_sign glimpse_sign(__u64 word, const struct sw_packet *packet,
						      enum sw_segment segment)
{
	bool of_opener = glimpse_opener_is(word, packet->seq), answered, of_responder;

	answered = sw_glimpse_phase(word) == SW_GLIMPSE_SYNACK;
	if (segment == SW_SEGMENT_ACK)
		return of_opener && (!answered || packet->ack == (__u32)word) ? SIGN_ORIG_ACK :
										SIGN_NONE;
	of_responder = answered ? packet->seq == (__u32)word :
				  packet->flags & WIRE_TCP_ACK && packet->ack == (__u32)word;
	if (of_responder)
		return SIGN_RESP_RST;
	return of_opener ? SIGN_ORIG_RST : SIGN_NONE;
}

/* How an attempt ends with an ACK or RST, by its word; SW_OUTCOME_COUNT: it does not. */
static __always_inline enum sw_outcome sw_glimpse_end(__u64 word, const struct sw_packet *packet,
						      enum sw_segment segment)
{
	switch (sw_glimpse_phase(word) << 8 | glimpse_sign(word, packet, segment)) {
#define END_OF(phase, sign, outcome)                                                               \
	case SW_GLIMPSE_##phase << 8 | SIGN_##sign:                                                \
		return SW_OUTCOME_##outcome;
		SW_GLIMPSE_ENDS(END_OF)
#undef END_OF
	default:
		return SW_OUTCOME_COUNT;
	}
}

/* May sw_glimpse_end() say so? */
static __always_inline bool sw_glimpse_tells(enum sw_outcome outcome)
{
#define BIT_OF(phase, sign, outcome) | 1U << SW_OUTCOME_##outcome
	const __u32 told = 0 SW_GLIMPSE_ENDS(BIT_OF);
#undef BIT_OF

	return told >> outcome & 1;
}

#endif
