/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_GLIMPSE_H
#define SYNWARD_GLIMPSE_H

/*
 * More SYNs than the table of handshakes can remember for a round trip: to enter each of them is of no use to anybody,
 * it is pushed out before its ACK can come. All are counted; a sample is entered, and of the rest a word is kept, by
 * which an honest client's handshake is recognised all the same. So watching a flood costs its host next to nothing.
 *
 * That is for who only watches: where limits count attempts, or something may be dropped for what is not known, all are
 * entered.
 */

#include "core/glimpse.h"
#include "count.h"
#include "enforce.h"
#include "inquiry.h"
#include "listener.h"
#include "translated.h"
#include "policy.h"

/* After the last one of which only a word is kept, so long a segment may belong to one. */
#define GLIMPSE_VALID_MS 20000U

/* How often a CPU may enter more attempts, in ms: 1 << it. The loader says how many. */
#define FOLLOWED_WINDOW_SHIFT 4

/* What makes every attempt worth an entry. */
#define FOLLOWS_ALL (SW_HAS_ENFORCE | SW_HAS_HALF_OPEN | SW_HAS_OWNERS | SW_HAS_FLOOD_DEFENCE)

/* May a segment belong to an attempt that was only counted, or was pushed out? */
static __always_inline bool may_be_glimpsed(__u32 now_ms)
{
	__u32 last = *(volatile const __u32 *)&settings.unfollowed_ms;

	return load.followed && last && now_ms - last < GLIMPSE_VALID_MS;
}

/* The line of a flow's word. */
static __always_inline struct sw_glimpse_line *glimpse_line(__u64 hash)
{
	__u32 key = sw_bucket_index(hash, sw_glimpse_lines(load.handshake_buckets));

	return bpf_map_lookup_elem(&glimpses, &key);
}

/* Where it is there; 0: nowhere. By itself: seven places would be as many paths through whoever asks. */
__noinline int glimpse_place(__u64 hash)
{
	const struct sw_glimpse_line *line = glimpse_line(hash);

	return line ? sw_glimpse_find(line, sw_tag(hash)) : 0;
}

/* Notes that of an attempt only a word is kept, in a line that all CPUs read: a few times a second. */
static __always_inline void note_unfollowed(__u32 now_ms)
{
	now_ms |= !now_ms; /* 0 is never */
	if (may_be_glimpsed(now_ms) && now_ms - settings.unfollowed_ms < SW_UNFOLLOWED_NOTE_MS)
		return;
	if (!may_be_glimpsed(now_ms))
		settings.unfollowed_since_ms = now_ms;
	*(volatile __u32 *)&settings.unfollowed_ms = now_ms;
}

/*
 * The budget of this CPU, a token bucket: each window gives back what one may use, and what was left unused is kept, up
 * to a burst. A burst that the table has room for is no flood, however short it is; a flood has what the windows give.
 * Only this CPU writes it.
 */
static __always_inline struct cpu_budget *followed_budget(__u32 now_ms)
{
	__u32 key = 0, window = now_ms >> FOLLOWED_WINDOW_SHIFT;
	struct cpu_budget *budget = bpf_map_lookup_elem(&budgets, &key);
	__u64 given;

	if (budget && budget->followed_window != window) {
		given = (__u64)(window - budget->followed_window) * load.followed;
		budget->followed -= given < budget->followed ? given : budget->followed;
		budget->followed_again = 0;
		budget->followed_window = window;
	}
	return budget;
}

/*
 * Is an attempt followed without a look at those that were only counted, since there are none? Nearly all are. In what may
 * be the beginning of a flood each gets a word, by which it is known when it comes again or has been pushed out.
 */
static __always_inline bool is_followed_at_once(__u32 now_ms)
{
	struct cpu_budget *budget = followed_budget(now_ms);

	if (!budget || budget->followed >= load.followed || may_be_glimpsed(now_ms))
		return false;
	budget->followed++;
	return true;
}

/*
 * Counts a SYN that comes in, and keeps its word, unless it is to be followed. Of those that are repeated, as honest
 * clients do that were not heard, as many are followed again. Returns 1 if there is nothing more to do.
 */
__noinline int glimpse_syn(const struct sw_packet *syn, __u64 hash, __u32 now_ms)
{
	struct cpu_budget *budget = followed_budget(now_ms);
	struct sw_counters *mine = my_counters();
	struct sw_glimpse_line *line;
	__u32 place, first;
	bool repeats, over;
	__u64 word;

	if (!syn || !budget || !mine)
		return 0;
	over = budget->followed >= load.burst;
	line = glimpse_line(hash);
	if (!line || may_have_connection(hash))
		return 0;
	first = syn->seq + 1;
	place = glimpse_place(hash);
	word = sw_glimpse_at(line, place);
	repeats = sw_glimpse_repeats(word, syn);
	if (repeats && sw_glimpse_phase(word) == SW_GLIMPSE_FOLLOWED)
		return 0;
	if (!over || (repeats && budget->followed_again < load.followed)) {
		budget->followed += !over;
		budget->followed_again += over;
		sw_glimpse_keep(line, place,
				sw_glimpse(sw_tag(hash), SW_GLIMPSE_FOLLOWED, first, 0), load.slot);
		return 0;
	}
	if (repeats)
		return 1;
	sw_glimpse_keep(line, place, sw_glimpse(sw_tag(hash), SW_GLIMPSE_SYN, first, first),
			load.slot);
	mine->tallies[SW_TALLY_ATTEMPTS_UNFOLLOWED]++;
	note_unfollowed(now_ms);
	return 1;
}

/* What a SYN-ACK is to an attempt that was only counted. */
enum glimpsed {
	GLIMPSED_NOT,
	GLIMPSED, /* its answer: there is nothing more to do */
	GLIMPSED_ON_WRONG_SIDE,
};

/* side: where the SYN-ACK is seen, as sw_side(). Returns enum glimpsed. */
__noinline int glimpse_synack(const struct sw_packet *synack, __u64 hash, __u32 side)
{
	struct sw_glimpse_line *line = glimpse_line(hash);
	__u64 answered;
	__u32 place;

	if (!synack || !line)
		return GLIMPSED_NOT;
	place = glimpse_place(hash);
	answered = sw_glimpse_answered(sw_glimpse_at(line, place), sw_tag(hash), synack);
	if (!answered)
		return GLIMPSED_NOT;
	if (is_wrong_side(side, sw_glimpse_slot(line, place), false))
		return GLIMPSED_ON_WRONG_SIDE;
	sw_glimpse_put(line, place, answered);
	return GLIMPSED;
}

/*
 * An attempt that was recognised may be in the table, too: it came while nothing looked like a flood, so that it got no
 * word, and when its SYN came again that was only counted. Then it is that one which has ended. Nobody pays for the look
 * but who is recognised. Of two that the word cannot tell apart one has ended. If there are limits by now, it is on their books.
 */
__noinline int take_entered(__u64 hash, __u64 word)
{
	__u32 key = sw_bucket_index(hash, load.handshake_buckets);
	struct sw_handshake_bucket *bucket = bpf_map_lookup_elem(&handshakes, &key);
	struct sw_owner_bucket *owned = bpf_map_lookup_elem(&owners, &key);
	struct sw_finding *finding = my_finding();
	struct sw_attempt *ended;

	if (!bucket || !owned || !finding || !sw_lock(&bucket->lock))
		return 0;
	ended = &finding->handshake.ended;
	for (__u32 way = 0; way < SW_WAYS; way++) {
		if (finding->handshake.opened && bucket->tags[way] == sw_tag(hash) &&
		    sw_glimpse_is_of(word, ended, &bucket->attempts[way])) {
			bucket->tags[way] = 0;
			ended->started_ms = bucket->attempts[way].started_ms;
			finding->handshake.opened = 0; /* it was, before */
			finding->released = owned->owners[way];
			owned->owners[way] = 0;
		}
		sw_forget_registers();
	}
	sw_unlock(&bucket->lock);
	return 0;
}

/*
 * A segment of which the connections know nothing: is it of an attempt that was only counted? If it ends one, the finding
 * says how, as if the table had had it. Returns 1 if so.
 */
__noinline int recognise(const struct sw_packet *packet, const struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();
	struct sw_counters *mine = my_counters();
	struct sw_glimpse_line *line;
	enum sw_outcome outcome;
	bool from_opener;
	__u32 place;
	__u64 word;

	if (!packet || !inquiry || !finding || !mine)
		return 0;
	if (inquiry->segment == SW_SEGMENT_SYNACK)
		return glimpse_synack(packet, inquiry->hash, inquiry->side) == GLIMPSED;
	line = glimpse_line(inquiry->hash);
	if (!line)
		return 0;
	place = glimpse_place(inquiry->hash);
	word = sw_glimpse_at(line, place);
	outcome = sw_glimpse_end(word, packet, inquiry->segment);
	if (outcome >= SW_OUTCOME_COUNT)
		return 0;
	sw_glimpse_put(line, place, 0);
	from_opener = outcome != SW_OUTCOME_REJECTED && outcome != SW_OUTCOME_ABORTED_RESP;
	sw_end_unentered(packet, from_opener, outcome, inquiry->side, &inquiry->now,
			 &finding->handshake);
	take_entered(inquiry->hash, word);
	if (sw_glimpse_phase(word) == SW_GLIMPSE_SYN)
		finding->handshake.ended.phase = SW_PHASE_SYN_SENT;
	if (outcome == SW_OUTCOME_REJECTED)
		finding->handshake.ended.seen = SW_SAW_RST_ACKING;
	mine->tallies[SW_TALLY_ATTEMPTS_RECOGNISED]++;
	return 1;
}

/* A SYN-ACK comes in where its SYN did: it is an answer only if both ends are there. Returns 1 if so. */
__noinline int recognise_beside(ingress_ctx *ctx, const struct sw_packet *synack,
				const struct inquiry *inquiry)
{
	const struct sw_finding *finding = my_finding();

	if (!ctx || !synack || !inquiry || !finding)
		return 0;
	return glimpse_synack(synack, inquiry->hash, inquiry->side) == GLIMPSED_ON_WRONG_SIDE &&
	       is_hairpin(ctx, synack, inquiry, finding) &&
	       glimpse_synack(synack, inquiry->hash, 0) == GLIMPSED;
}

/*
 * An attempt has been pushed out of its table: from now on it is one of those that were only counted, and recognised as
 * they are. However slow a flood is, it fills the table in the time for which SYNs are remembered. The attempt is hashed
 * anew, since a bucket says too little of where its word is.
 */
__noinline int keep_evicted(__u32 now_ms)
{
	const __u64 seed[2] = { load.seed[0], load.seed[1] };
	const struct sw_finding *finding = my_finding();
	const struct sw_attempt *attempt;
	struct sw_glimpse_line *line;
	__u64 hash, word;
	__u32 place;

	if (!finding)
		return 0;
	attempt = &finding->handshake.ended;
	hash = sw_hash_of(&attempt->orig, attempt->orig_port,
			  mix_end(&attempt->resp, attempt->resp_port, seed), seed);
	line = glimpse_line(hash);
	if (!line)
		return 0;
	place = glimpse_place(hash);
	word = sw_glimpse_evicted(sw_glimpse_at(line, place), sw_tag(hash), attempt);
	if (!word)
		return 0;
	sw_glimpse_keep(line, place, word, attempt->side);
	note_unfollowed(now_ms);
	return 0;
}

/*
 * A SYN that was only counted comes again, and is entered, since all are by now. What its word says would keep the
 * SYN-ACK from the table.
 */
__noinline int forget_glimpse(const struct sw_packet *syn, __u64 hash)
{
	struct sw_glimpse_line *line = glimpse_line(hash);
	__u32 place;

	if (!syn || !line)
		return 0;
	place = glimpse_place(hash);
	if (place && sw_glimpse_repeats(sw_glimpse_at(line, place), syn))
		sw_glimpse_put(line, place, 0);
	return 0;
}

/* As is_only_counted(), of a SYN that comes in. limited: there are limits, for which it was booked or is to be told. */
static __always_inline bool is_syn_only_counted(const struct sw_packet *syn,
						const struct inquiry *inquiry, bool limited)
{
	if (!limited && !policy_has(inquiry->policy, FOLLOWS_ALL))
		return !is_followed_at_once(inquiry->now.ms) &&
		       glimpse_syn(syn, inquiry->hash, inquiry->now.ms);
	if (may_be_glimpsed(inquiry->now.ms))
		forget_glimpse(syn, inquiry->hash);
	return false;
}

/* Is it an opening of which nothing more is done than to count it? */
static __always_inline bool is_only_counted(const struct sw_packet *packet,
					    const struct inquiry *inquiry, bool limited)
{
	if (inquiry->segment == SW_SEGMENT_SYN)
		return inquiry->direction == SW_INGRESS && !packet->payload &&
		       is_syn_only_counted(packet, inquiry, limited);
	return inquiry->segment == SW_SEGMENT_SYNACK && !packet->payload &&
	       may_be_glimpsed(inquiry->now.ms) &&
	       (inquiry->direction == SW_EGRESS || !is_ours(&packet->src)) && /* or a martian */
	       glimpse_synack(packet, inquiry->hash, where_seen(inquiry)) == GLIMPSED;
}

/* May a segment of no connection be of an attempt that was only counted? A SYN-ACK, if it has another name by now. */
static __always_inline bool may_be_recognised(const struct inquiry *inquiry)
{
	return load.followed && may_be_glimpsed(inquiry->now.ms) &&
	       inquiry->relation == SW_RELATION_NONE &&
	       (inquiry->segment == SW_SEGMENT_ACK || inquiry->segment == SW_SEGMENT_RST ||
		inquiry->segment == SW_SEGMENT_SYNACK);
}

/*
 * The kernel has a connection of which nothing is known, and that has just begun. Was its opening one that was only
 * counted, and the word of it pushed out before its ACK came? Then it counts now.
 */
static __always_inline void count_beginning(const struct sw_packet *packet,
					    const struct inquiry *inquiry)
{
	struct sw_counters *mine = my_counters();

	if (!mine || !may_be_recognised(inquiry))
		return;
	mine->outcomes[SW_OUTCOME_ACCEPTED]++;
	mine->tallies[SW_TALLY_ATTEMPTS_OPENED]++;
	mine->tallies[SW_TALLY_ATTEMPTS_CLOSED]++;
	mine->tallies[SW_TALLY_ATTEMPTS_RECOGNISED]++;
	count_service(inquiry->policy, service_of(packet, inquiry->direction, inquiry->policy),
		      false, true, SW_LIMIT_NONE, false);
}

#endif
