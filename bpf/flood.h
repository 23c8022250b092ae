/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_FLOOD_DEFENCE_H
#define SYNWARD_FLOOD_DEFENCE_H

/*
 * What packets do under a SYN flood: a SYN is answered in place and nothing is remembered of it; the
 * ACK that brings the cookie back makes a connection; any other ACK of nothing known dies here.
 */

#include "adopt.h"
#include "core/answer.h"
#include "core/cookie.h"
#include "core/flood.h"
#include "enforce.h"

static __always_inline struct sw_flood_state *flood_of(__u32 word, __u32 service)
{
	__u32 key = (word & SW_POLICY_SLOT_MASK) * SW_SERVICE_SLOTS +
		    (service & (SW_SERVICE_SLOTS - 1));

	return bpf_map_lookup_elem(&floods, &key);
}

static __always_inline struct sw_cookie_keys *cookie_secrets(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&cookie_keys, &key);
}

static __always_inline const struct sw_cookie_offer *cookie_offer(void)
{
	__u32 key = load.slot;

	return bpf_map_lookup_elem(&cookie_offers, &key);
}

/* ---- sources that have answered a cookie */

static __always_inline struct sw_verified *verified_of(const struct sw_addr *source, __u32 *tag)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] };
	__u64 hash = mix_end(source, 1, seed);
	__u32 key = hash & (SW_VERIFIED_SOURCES - 1);

	*tag = hash >> 32 | 1;
	return bpf_map_lookup_elem(&verified, &key);
}

static __always_inline bool is_verified(const struct sw_addr *source, __u32 now_ms)
{
	const struct sw_verified *entry;
	__u32 tag;

	entry = verified_of(source, &tag);
	return entry && entry->tag == tag && (__s32)(entry->until_ms - now_ms) > 0;
}

static __always_inline void verify_source(const struct sw_addr *source, __u32 now_ms)
{
	struct sw_verified *entry;
	__u32 tag;

	entry = verified_of(source, &tag);
	if (!entry)
		return;
	entry->until_ms = now_ms + SW_VERIFIED_MS;
	entry->tag = tag;
}

/* ---- SYNs */

/* How many sources there are is estimated from the share of bits that are set. */
static __always_inline void sketch_source(struct sw_flood_state *state,
					  const struct sw_addr *source)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] };
	__u32 bit = mix_end(source, 2, seed) & (SW_FLOOD_SKETCH_BITS - 1);
	__u64 *word = &state->sources[bit / 64];

	if (!(*word >> (bit & 63) & 1))
		*word |= 1ULL << (bit & 63); /* one that another CPU undoes is one of very many */
}

/*
 * Is the SYN to be answered instead of passing? Its service is found, and counts it. A SYN whose
 * flow may be a connection goes on: its server has the right to ask back (RFC 5961 section 4).
 */
__noinline int wants_cookie(const struct sw_packet *packet, struct inquiry *inquiry)
{
	__u32 key = sw_bucket_index(inquiry ? inquiry->hash : 0, load.connection_buckets);
	struct sw_place place = { .filter = bpf_map_lookup_elem(&connection_filter, &key) };
	const struct sw_policy *policy;
	struct sw_flood_state *state;

	if (!packet || !inquiry || !place.filter)
		return 0;
	policy = policy_of(inquiry->policy);
	state = flood_of(inquiry->policy, inquiry->service);
	if (!policy || !state)
		return 0;
	sketch_source(state, &packet->src);
	place.tag = sw_tag(inquiry->hash);
	if (!state->on || sw_connection_maybe(&place) || !enforces(policy, inquiry->service) ||
	    is_allowed(&packet->src, inquiry->lists))
		return 0;
	if (state->half_open <
		    policy->rules[inquiry->service & (SW_SERVICE_SLOTS - 1)].flood.half_open &&
	    is_verified(&packet->src, inquiry->now.ms))
		return 0;
	return sw_is_answerable(packet);
}

/* Writes the answer over the SYN. Returns by how many bytes it begins later, or SW_NO_ANSWER. */
__noinline int write_answer(struct xdp_md *ctx, __u32 tcp, const struct sw_packet *syn,
			    const struct sw_cookie_answer *answer)
{
	struct sw_syn_frame frame = { .start = (__u8 *)(__u64)ctx->data,
				      .end = (const __u8 *)(__u64)ctx->data_end,
				      .tcp = tcp };
	__u32 length;

	if (!syn || !answer)
		return SW_NO_ANSWER;
	frame.link_length = syn->link_length;
	return sw_answer(&frame, syn, answer, &length);
}

/* What a SYN is answered with. Returns 1, or 0 if this interface has nothing to offer. */
__noinline int make_answer(const struct sw_packet *syn, struct sw_cookie_answer *answer)
{
	const struct sw_cookie_offer *offer = cookie_offer();
	const struct sw_cookie_keys *keys = cookie_secrets();

	if (!offer || !keys || !syn || !answer || !offer->ttl)
		return 0;
	sw_cookie_make(keys, offer, syn, clock_ms(), answer);
	return 1;
}

/* Answers a SYN with a cookie. Returns the verdict. */
static __always_inline enum sw_verdict answer_syn(struct xdp_md *ctx, __u32 tcp,
						  const struct sw_packet *syn)
{
	struct sw_counters *mine = my_counters();
	struct sw_cookie_answer answer = {};
	int later;

	if (!mine || !make_answer(syn, &answer))
		return SW_VERDICT_PASSED;
	later = write_answer(ctx, tcp, syn, &answer);
	if (later < 0 || (later && bpf_xdp_adjust_head(ctx, later))) {
		mine->tallies[SW_TALLY_COOKIES_UNSENT]++;
		return SW_VERDICT_DROPPED;
	}
	mine->tallies[SW_TALLY_COOKIES_SENT]++;
	return SW_VERDICT_ANSWERED;
}

/* ---- ACKs */

/* What a cookie that came back proves is entered as if its handshake had been followed. */
static __always_inline void finish_handshake(const struct sw_packet *ack,
					     const struct inquiry *inquiry,
					     struct sw_finding *finding)
{
	struct sw_handshake_step *step = &finding->handshake;
	struct sw_attempt *ended = &step->ended;

	__builtin_memset(ended, 0, sizeof(*ended));
	ended->orig = ack->src;
	ended->resp = ack->dst;
	ended->orig_port = ack->sport;
	ended->resp_port = ack->dport;
	ended->isn_orig = ack->seq - 1;
	ended->isn_resp[0] = ack->ack - 1;
	ended->started_ms = inquiry->now.ms;
	ended->phase = SW_PHASE_SYN_RECEIVED;
	step->opened = 1;
	step->belongs = 1;
	step->end = SW_END_JUDGED;
	step->outcome = SW_OUTCOME_ACCEPTED;
	step->completed = SW_OUTCOME_ACCEPTED;
}

/* Enters the connection of a valid cookie. */
__noinline int accept_cookie(const struct sw_packet *ack, const struct inquiry *inquiry)
{
	struct sw_finding *finding = my_finding();
	struct sw_counters *mine = my_counters();
	struct sw_place place;

	if (!ack || !inquiry || !finding || !mine || !locate(inquiry->hash, &inquiry->now, &place))
		return 0;
	finish_handshake(ack, inquiry, finding);
	enter_completed(&place, finding);
	verify_source(&ack->src, inquiry->now.ms);
	mine->tallies[SW_TALLY_COOKIES_ACCEPTED]++;
	return 0;
}

/* May the handshakes know of the flow? Without the lock: an entry that is just made is a SYN's. */
static __always_inline bool handshake_maybe(const struct inquiry *inquiry)
{
	__u32 key = sw_bucket_index(inquiry->hash, load.handshake_buckets);
	const struct sw_handshake_bucket *bucket = bpf_map_lookup_elem(&handshakes, &key);
	__u16 tag = sw_tag(inquiry->hash);

	return !bucket || bucket->tags[0] == tag || bucket->tags[1] == tag ||
	       bucket->tags[2] == tag || bucket->tags[3] == tag;
}

/* May cookies of the packet's service be on their way back? */
__noinline int expects_cookies(const struct sw_packet *packet, __u32 word)
{
	const struct sw_flood_state *state;

	if (!packet)
		return 0;
	state = flood_of(word, service_of(packet, SW_INGRESS, word));
	return state && state->honour;
}

enum cookie_verdict {
	COOKIE_NOT_ASKED, /* nobody expects one: go on as ever */
	COOKIE_VALID,
	COOKIE_BAD,
};

/* Looks whether an ACK brings a cookie back; its timestamp has been read. */
__noinline int check_cookie(const struct sw_packet *ack, struct inquiry *inquiry)
{
	const struct sw_cookie_offer *offer = cookie_offer();
	const struct sw_cookie_keys *keys = cookie_secrets();
	struct sw_cookie_options agreed;
	const struct sw_flood_state *state;

	if (!ack || !inquiry || !offer || !keys)
		return COOKIE_NOT_ASKED;
	inquiry->service = service_of(ack, SW_INGRESS, inquiry->policy);
	state = flood_of(inquiry->policy, inquiry->service);
	if (!state || !state->honour)
		return COOKIE_NOT_ASKED;
	if (sw_cookie_check(keys, offer, ack, inquiry->now.ms, &agreed))
		return COOKIE_VALID;
	return state->on && !handshake_maybe(inquiry) ? COOKIE_BAD : COOKIE_NOT_ASKED;
}

/* An ACK of nothing known, to a service under a flood: counts it. Returns the verdict. */
__noinline int drop_bad_cookie(const struct sw_packet *ack, const struct inquiry *inquiry)
{
	const struct sw_policy *policy;
	bool enforced;

	if (!ack || !inquiry)
		return SW_VERDICT_PASSED;
	policy = policy_of(inquiry->policy);
	if (!policy || is_allowed(&ack->src, inquiry->lists))
		return SW_VERDICT_PASSED;
	enforced = enforces(policy, inquiry->service);
	count_limit(SW_LIMIT_BAD_COOKIE, enforced);
	count_service(inquiry->policy, inquiry->service, false, false, SW_LIMIT_BAD_COOKIE,
		      enforced);
	return enforced ? SW_VERDICT_DROPPED : SW_VERDICT_PASSED;
}

/*
 * Takes an ACK that belongs to nothing known to the cookies. A bad one is dropped only if the kernel
 * does not know its flow, either, as it may know what was pushed out of our tables.
 */
static __always_inline enum cookie_verdict bring_cookie(struct xdp_md *ctx,
							struct sw_packet *packet,
							struct inquiry *inquiry)
{
	struct sw_cursor options = {
		(const __u8 *)(__u64)ctx->data +
			((inquiry->tcp + sizeof(struct wire_tcp)) & SW_MAX_OFFSET),
		(const __u8 *)(__u64)ctx->data_end,
	};
	enum cookie_verdict verdict;

	sw_parse_timestamp(&options, packet);
	verdict = check_cookie(packet, inquiry);
	if (verdict == COOKIE_VALID)
		accept_cookie(packet, inquiry);
	else if (verdict == COOKIE_BAD && ((!load.replay && kernel_has(ctx, packet)) ||
					   drop_bad_cookie(packet, inquiry) == SW_VERDICT_PASSED))
		verdict = COOKIE_NOT_ASKED;
	return verdict;
}

/* ---- when: the sweeper's part */

struct flood_round {
	__u32 word;
	__u32 now_ms;
	__u32 service;
	__u32 pad;
	__u64 syns;
	__u64 completed;
};

static long add_cpu(__u32 cpu, void *context)
{
	struct flood_round *round = context;
	__u32 key = round->service;
	const struct sw_service_counters *of;

	of = bpf_map_lookup_percpu_elem(&service_counts, &key, cpu);
	if (!of)
		return 1;
	round->syns += of->syns;
	round->completed += of->completed;
	return 0;
}

static __always_inline void tell_flood(const struct flood_round *round, enum sw_flood_change change)
{
	const struct sw_settings *set = current_settings();
	struct sw_event *event;

	if (!set)
		return;
	event = event_begin(set, round->now_ms,
			    change == SW_FLOOD_BEGINS ? SW_EVENT_FLOOD_BEGINS : SW_EVENT_FLOOD_ENDS,
			    SW_INGRESS);
	if (!event)
		return;
	event->service = round->service;
	bpf_ringbuf_submit(event, 0);
}

static long look_at_service(__u32 service, void *context)
{
	struct flood_round *round = context;
	struct sw_flood_state *state = flood_of(round->word, service);
	const struct sw_service_state *open = service_state_of(round->word, service);
	const struct sw_policy *policy = policy_of(round->word);
	enum sw_flood_change change;
	__s64 half_open;

	service &= SW_SERVICE_SLOTS - 1;
	if (!state || !open || !policy)
		return 1;
	if (policy->rules[service].flood.mode == SW_FLOOD_OFF && !state->on && !state->honour)
		return 0;
	round->service = service;
	round->syns = 0;
	round->completed = 0;
	bpf_loop(SW_MAX_CPUS, add_cpu, round, 0);
	half_open = open->half_open;
	change = sw_flood_look(state, &policy->rules[service].flood, round->now_ms, round->syns,
			       round->completed, half_open > 0 ? half_open : 0);
	__builtin_memcpy(state->sources_before, state->sources, sizeof(state->sources));
	__builtin_memset(state->sources, 0, sizeof(state->sources));
	if (change != SW_FLOOD_SAME)
		tell_flood(round, change);
	return 0;
}

/* Looks at all services, a few times a second, and sees to it that the next key is there in time. */
static __always_inline void look_for_floods(__u32 word, __u32 now_ms)
{
	struct flood_round round = { .word = word, .now_ms = now_ms };
	struct sw_cookie_keys *keys = cookie_secrets();
	__u64 entropy[2];

	if (!policy_has(word, SW_HAS_FLOOD_DEFENCE))
		return;
	bpf_loop(SW_SERVICE_SLOTS, look_at_service, &round, 0);
	if (!keys)
		return;
	entropy[0] = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
	entropy[1] = (__u64)bpf_get_prandom_u32() << 32 | bpf_ktime_get_ns();
	sw_cookie_rotate(keys, now_ms, entropy);
}

#endif
