/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_EVIDENCE_H
#define SYNWARD_EVIDENCE_H

/*
 * What is known of sources beyond the packet at hand: who met a rule and turned out to be real (the
 * score of a policy that only watches), and who is real and goes on offending (auto-block).
 */

#include "core/proven.h"
#include "core/suspects.h"
#include "count.h"
#include "emit.h"
#include "lists.h"
#include "policy.h"

static __always_inline struct sw_suspect *suspect_of(const struct sw_addr *source, __u64 *hash)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] };

	*hash = sw_suspect_hash(source, seed);
	return place_in(suspects, *hash & (SW_SUSPECTS - 1));
}

/*
 * A source met rules without being dropped; real says that the packet was one of a connection of
 * its own, so that dropping it would have harmed that.
 */
__noinline int score_suspect(const struct sw_addr *source, __u64 anomalies, __u64 limits, int real)
{
	struct sw_counters *mine = my_counters();
	struct sw_suspect *suspect;
	__u64 hash;

	if (!source || !mine)
		return 0;
	suspect = suspect_of(source, &hash);
	if (!suspect)
		return 0;
	mine->score.forgotten += sw_suspect_note(suspect, hash, &anomalies, &limits);
	count_score(anomalies, limits, false);
	if (!real)
		return 0;
	sw_suspect_clear(suspect, hash, &anomalies, &limits);
	count_score(anomalies, limits, true);
	return 0;
}

/* A source has completed a handshake: whatever it met before, it is not spoofed. */
__noinline int score_real(const struct sw_addr *source)
{
	__u64 anomalies = 0, limits = 0, hash;
	struct sw_suspect *suspect;

	if (!source)
		return 0;
	suspect = suspect_of(source, &hash);
	if (!suspect)
		return 0;
	sw_suspect_clear(suspect, hash, &anomalies, &limits);
	count_score(anomalies, limits, true);
	return 0;
}

/* ---- auto-block */

static __always_inline __u32 boot_seconds(void)
{
	return bpf_ktime_get_boot_ns() / 1000000000;
}

static __always_inline struct sw_proven_line *proven_line(const struct sw_addr *source, __u64 *hash)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] };
	struct sw_addr of = sw_addr_host(source);

	*hash = sw_proven_hash(&of, seed);
	return place_in(proven, *hash & (SW_PROVEN_SOURCES / SW_WAYS - 1));
}

/* The source completed a handshake, so it is where it says. */
static __always_inline void prove_source(const struct sw_addr *source, __u32 now_ms)
{
	struct sw_proven_line *line;
	__u64 hash;

	line = proven_line(source, &hash);
	if (line)
		sw_proven_note(line, hash, now_ms);
}

static __always_inline bool is_protected(const struct sw_addr *addr)
{
	struct sw_protected_key key = sw_protected_key(addr);

	return bpf_map_lookup_elem(&protected, &key);
}

static __always_inline void block_source(const struct sw_addr *source, const struct sw_addr *key,
					 const struct sw_auto_block *rule, __u32 now_ms)
{
	struct sw_auto_blocked fresh = {};
	struct sw_counters *mine = my_counters();
	struct sw_event *event;

	/* where nothing is enforced, who is blocked goes on offending */
	if (!mine || is_protected(source) || bpf_map_lookup_elem(&auto_blocks, key))
		return;
	/* counted before it is there, so that several CPUs cannot exceed the maximum */
	if (__sync_fetch_and_add(&settings.auto_blocks, 1) >= rule->maximum) {
		__sync_fetch_and_add(&settings.auto_blocks, -1);
		mine->tallies[SW_TALLY_AUTO_BLOCKS_REFUSED]++;
		return;
	}
	fresh.until_s = boot_seconds() + rule->expiry_s;
	if (bpf_map_update_elem(&auto_blocks, key, &fresh, BPF_NOEXIST)) {
		__sync_fetch_and_add(&settings.auto_blocks, -1);
		return;
	}
	mine->tallies[SW_TALLY_AUTO_BLOCKS]++;
	event = event_begin(now_ms, SW_EVENT_BLOCKED, SW_INGRESS);
	if (!event)
		return;
	event->flow.orig = *source;
	event_submit(event);
}

/*
 * A packet of the source was dropped by a rule, or would have been. Only a source that has proven
 * itself can be blocked for that: whoever spoofs an address must not get its owner blocked by the
 * packets that he sends before the owner was ever here.
 */
__noinline int note_offence(const struct sw_addr *source, __u32 word, __u32 now_ms)
{
	const struct sw_policy *policy = policy_of(word);
	struct sw_proven_line *line;
	struct sw_proven *known;
	struct sw_addr key;
	__u64 hash;

	if (!source || !policy)
		return 0;
	line = proven_line(source, &hash);
	known = line ? sw_proven_find(line, hash) : NULL;
	if (!known)
		return 0;
	key = sw_addr_host(source);
	if (now_ms - known->window_ms >= policy->auto_block.window_s * 1000) {
		known->window_ms = now_ms;
		known->offences = 0;
	}
	if (__sync_fetch_and_add(&known->offences, 1) + 1 < policy->auto_block.offences)
		return 0;
	/* when the block is over, the count begins anew */
	known->window_ms = now_ms;
	known->offences = 0;
	block_source(source, &key, &policy->auto_block, now_ms);
	return 1;
}

/* Is the source blocked for what it did? */
__noinline int is_auto_blocked(const struct sw_addr *source)
{
	struct sw_auto_blocked *blocked;
	struct sw_addr key;

	if (!source)
		return 0;
	key = sw_addr_host(source);
	blocked = bpf_map_lookup_elem(&auto_blocks, &key);
	if (!blocked || blocked->until_s <= boot_seconds())
		return 0;
	__sync_fetch_and_add(&blocked->hits, 1);
	return 1;
}

/* ---- their end, once a second or so */

struct auto_block_round {
	__u32 now_s;
	__u32 left;
};

static long end_auto_block(void *map, struct sw_addr *key, struct sw_auto_blocked *blocked,
			   struct auto_block_round *round)
{
	if (blocked->until_s <= round->now_s)
		bpf_map_delete_elem(map, key);
	else
		round->left++;
	return 0;
}

static __always_inline void end_auto_blocks(void)
{
	__u32 before = *(volatile __u32 *)&settings.auto_blocks;
	struct auto_block_round round = {};

	if (!before)
		return;
	round.now_s = boot_seconds();
	bpf_for_each_map_elem(&auto_blocks, end_auto_block, &round, 0);
	/* if one was added meanwhile, the next round knows; or it would count as none, and not block */
	__sync_val_compare_and_swap(&settings.auto_blocks, before, round.left);
}

#endif
