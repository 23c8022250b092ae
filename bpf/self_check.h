/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_SELF_CHECK_H
#define SYNWARD_SELF_CHECK_H

/*
 * What packets say about the defence itself: which SYNs come again although they were answered, and
 * whether the server has taken who brought a cookie back. What follows from it is in core/self_check.h.
 */

#include "core/self_check.h"
#include "evidence.h"
#include "flood.h"
#include "listener.h"

/* ---- SYNs that come again */

/* An array's element has at least eight bytes. */
struct answered_pair {
	__u32 words[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SW_ANSWERED_SYNS / 2);
	__type(key, __u32);
	__type(value, struct answered_pair);
} answered_syns SEC(".maps");

/* While the defence has stepped aside, it tries on a tenth of the flows. */
static __always_inline bool is_tried(__u64 flow)
{
	return (flow >> 38 & 1023) < 102;
}

/* Does the SYN pass, since the defence of its service has stepped aside? */
static __always_inline bool stands_aside(const struct sw_flood_state *state, __u64 flow)
{
	return state->check_phase != SW_CHECK_ANSWERS &&
	       !(state->check_phase == SW_CHECK_TRIES && is_tried(flow));
}

static __always_inline volatile __u32 *answered_word(__u64 flow)
{
	__u32 index = sw_answered_index(flow), key = index / 2;
	struct answered_pair *pair = bpf_map_lookup_elem(&answered_syns, &key);

	return pair ? &pair->words[index & 1] : NULL;
}

/* Where a sampled SYN is remembered is hardly ever in a cache: it comes there while the answer is made. */
static __always_inline void touch_answered(__u64 flow)
{
	volatile __u32 *word = answered_word(flow);

	if (word)
		(void)*word;
}

/* What becomes of a SYN that is sampled. */
enum sampled {
	SAMPLED_PASSES, /* and no more */
	SAMPLED_IS_ANSWERED,
	SAMPLED_IS_CHALLENGED,
};

static __always_inline enum sampled sampled_way(enum sw_flood_way way)
{
	return way == SW_WAY_CHALLENGE ? SAMPLED_IS_CHALLENGED : SAMPLED_IS_ANSWERED;
}

/*
 * Notes a SYN that is about to be answered, and counts one that comes again. Returns 1 if it had better pass: it has been
 * answered before, and that did not help. For a client that is challenged behind a firewall that drops what it has not
 * asked for, this is the way in; few may take it, since anybody can send a SYN twice.
 */
__noinline int note_sampled(const struct inquiry *inquiry, __u32 isn, __u32 what)
{
	volatile __u32 *word = answered_word(inquiry ? inquiry->hash : 0);
	struct sw_service_counters *mine;
	struct sw_flood_state *state;

	if (!inquiry || !word ||
	    !sw_answered_note(word, sw_answered_tag(inquiry->hash, isn), inquiry->now.ms,
			      what != SAMPLED_PASSES))
		return 0;
	mine = service_counters(inquiry->policy, inquiry->service);
	state = flood_of(inquiry->policy, inquiry->service);
	if (!mine || !state)
		return 0;
	mine->evidence[SW_EVIDENCE_REPEATED]++;
	if (what == SAMPLED_PASSES ||
	    (what == SAMPLED_IS_ANSWERED && state->check_phase != SW_CHECK_TRIES))
		return 0;
	if (!state->second_chance)
		return 0;
	state->second_chance--; /* another CPU may do so meanwhile: then one more passes */
	return 1;
}

/* ---- who brought a cookie back */

/* How long it is until the next look, when one has found nothing to judge. */
#define PROBE_AGAIN_MS 8U

/*
 * A source that was not served has no other probe for so long, and an IPv6 prefix of 64 bits four: whoever
 * does so on purpose has no more to say than others, however many connections he opens.
 */
#define PROBE_LASTS_MS 4000U

static __always_inline struct sw_probe *probe_of(struct sw_probes *of, const struct sw_addr *source)
{
	__u64 seed[2] = { load.seed[1], load.seed[0] };
	struct sw_addr key = sw_addr_host(source);
	__u64 place = mix_end(&key, 0, seed);

	if (!sw_addr_is_v4(source))
		place = (place & ~3ULL) | (mix_end(source, 0, seed) & 3);
	return &of->probes[place & (SW_PROBES - 1)];
}

/*
 * A client has brought a cookie back, or does so again: whether the server takes it will be looked for,
 * unless another one has the place. What two CPUs write there at a time may be one wrong sign; it takes
 * several.
 */
__noinline int begin_probe(const struct sw_packet *ack, __u64 flow, __u32 policy, __u32 service,
			   __u32 now_ms)
{
	struct sw_probe *probe;
	struct sw_probes *of;

	if (!ack)
		return 0;
	of = probes_of(policy, service);
	if (!of)
		return 0;
	probe = probe_of(of, &ack->src);
	if (probe->phase != SW_PROBE_FREE && now_ms - probe->began_ms < PROBE_LASTS_MS)
		return 0;
	probe->phase = SW_PROBE_FREE;
	probe->client = ack->src;
	probe->server = ack->dst;
	probe->client_port = ack->sport;
	probe->server_port = ack->dport;
	probe->flow = flow;
	probe->began_ms = now_ms;
	probe->judge_ms = now_ms + SW_PROBE_RIPE_MS;
	probe->interface = load.slot;
	probe->phase = SW_PROBE_WAITS;
	if (!(settings.probed >> (service & 63) & 1))
		__sync_fetch_and_or(&settings.probed, 1ULL << (service & 63));
	if (!settings.probe_ms)
		settings.probe_ms = (now_ms + SW_PROBE_RIPE_MS) | 1;
	return 0;
}

/*
 * What became of a client says nothing about the defence: there was no room at the server, or nobody
 * listened there just then.
 */
static __always_inline void give_up_probe(const struct sw_addr *client, __u16 port, __u32 service)
{
	struct sw_probe *probe;
	struct sw_probes *of;

	of = probes_of(settings.policy, service);
	probe = of ? probe_of(of, client) : NULL;
	if (probe && probe->phase == SW_PROBE_WAITS && probe->client_port == port &&
	    sw_addr_equal(&probe->client, client))
		probe->phase = SW_PROBE_FREE;
}

/* A RST without an ACK that leaves, while nobody listens: a server that is restarted. */
__noinline int excuse_probe(struct __sk_buff *skb, const struct sw_packet *rst, __u32 policy)
{
	if (rst && !socket_state(skb, &rst->dst, rst->dport, &rst->src, rst->sport))
		give_up_probe(&rst->dst, rst->dport, service_of(rst, SW_EGRESS, policy));
	return 0;
}

/* The state of a probe's connection in a bucket, SW_CONN_*; -1: it is not there. Without the lock, as ever. */
static __always_inline int probed_connection_in(__u32 key, const struct sw_probe *probe)
{
	const struct sw_connection_bucket *bucket = bpf_map_lookup_elem(&connections, &key);

	if (!bucket)
		return -1;
	for (__u32 way = 0; way < SW_WAYS; way++) {
		const struct sw_connection *connection = &bucket->connections[way];

		if (bucket->tags[way] == sw_tag(probe->flow) &&
		    connection->orig_port == probe->client_port &&
		    connection->resp_port == probe->server_port &&
		    sw_addr_equal(&connection->orig, &probe->client) &&
		    sw_addr_equal(&connection->resp, &probe->server))
			return bucket->states[way];
	}
	return -1;
}

static __always_inline int probed_connection(const struct sw_probe *probe)
{
	__u32 first = sw_bucket_index(probe->flow, load.connection_buckets);
	int state = probed_connection_in(first, probe);

	if (state >= 0)
		return state;
	return probed_connection_in(
		sw_other_bucket(first, sw_tag(probe->flow), load.connection_buckets), probe);
}

enum probe_result {
	PROBE_SAYS_NOTHING,
	PROBE_WAITS_ON,
	PROBE_SERVED,
	PROBE_UNSERVED,
};

/* What of a client has come to a socket, which the kernel then acknowledges. */
static __always_inline bool has_heard_client(const struct bpf_sock *found)
{
	const struct tcp_sock *sk = bpf_skc_to_tcp_sock((struct bpf_sock *)found);

	return sk && sk->bytes_received;
}

/*
 * What the kernel has for a probe's flow, of which nothing has been heard: still its listener, which has room;
 * or a socket, which has nothing to say as long as its client has not, and may be about to say it.
 */
static __always_inline enum probe_result ask_kernel(ingress_ctx *ctx, const struct sw_probe *probe,
						    bool is_late)
{
	enum probe_result result = PROBE_SERVED;
	const struct tcp_sock *listener;
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *found;
	struct sw_queue queue;
	__u32 size;

	size = socket_tuple(&tuple, &probe->client, probe->client_port, &probe->server,
			    probe->server_port);
	found = bpf_skc_lookup_tcp(ctx, &tuple, size, THIS_NETNS, 0);
	if (!found)
		return PROBE_SAYS_NOTHING; /* nobody listens any more */
	if (found->state == TCP_STATE_LISTEN) {
		result = PROBE_UNSERVED;
		listener = bpf_skc_to_tcp_sock(found);
		if (listener) {
			queue = queue_of(listener);
			if (queue_is_full(&queue))
				result = PROBE_SAYS_NOTHING;
		}
	} else if (found->state == TCP_STATE_ESTABLISHED && has_heard_client(found)) {
		result = is_late ? PROBE_UNSERVED : PROBE_WAITS_ON;
	}
	bpf_sk_release(found);
	return result;
}

/*
 * Has the server taken the client? What it has said is enough; unless that is a RST, by which its kernel
 * refuses a connection that it knows nothing of. A client that is gone says nothing. Where what the server says
 * may leave by another interface, neither does a client that closes, nor that nothing was heard.
 */
static __always_inline enum probe_result judge_probe(ingress_ctx *ctx, const struct sw_probe *probe,
						     __u32 policy, __u32 now_ms)
{
	bool is_deaf = policy_has(policy, SW_HAS_UNHEARD);
	int state = probed_connection(probe);
	enum probe_result result;

	if (state < 0)
		return PROBE_SAYS_NOTHING;
	if (!(state & SW_CONN_UNHEARD))
		return PROBE_SERVED;
	if (state & SW_CONN_RST_ORIG)
		return PROBE_SAYS_NOTHING;
	if (state & SW_CONN_RST_RESP)
		return PROBE_UNSERVED;
	if (is_deaf && state & SW_CONN_FIN_ORIG)
		return PROBE_SAYS_NOTHING;
	result = ask_kernel(ctx, probe, now_ms - probe->began_ms >= SW_PROBE_LATE_MS);
	if (is_deaf && result == PROBE_WAITS_ON)
		return PROBE_SERVED;
	return result;
}

/* What is looked for among the probes of a service. */
struct probe_search {
	__u32 policy;
	__u32 service;
	__u32 now_ms;
	__u32 ripe; /* which one has waited for long enough, on this interface; SW_PROBES: none */
	__u32 waiting; /* any waits */
};

/* One of an interface on which nothing has come for so long is given up. */
static long look_at_probe(__u32 i, void *context)
{
	struct probe_search *search = context;
	struct sw_probes *of = probes_of(search->policy, search->service);
	struct sw_probe *probe;
	__s32 late_ms;

	if (!of)
		return 1;
	probe = &of->probes[i & (SW_PROBES - 1)];
	if (probe->phase != SW_PROBE_WAITS)
		return 0;
	late_ms = search->now_ms - probe->judge_ms;
	if (probe->interface != load.slot && late_ms >= (__s32)PROBE_LASTS_MS) {
		probe->phase = SW_PROBE_FREE;
		return 0;
	}
	search->waiting = 1;
	if (probe->interface == load.slot && late_ms >= 0)
		search->ripe = i;
	return 0;
}

static __always_inline void count_probe(struct sw_probes *of, const struct sw_probe *probe,
					__u32 policy, __u32 service, bool served)
{
	__u32 family = sw_addr_is_v4(&probe->client) ? SW_CHECK_IPV4 : SW_CHECK_IPV6;
	struct sw_service_counters *mine = service_counters(policy, service);

	if (mine)
		mine->evidence[served ? SW_EVIDENCE_SERVED : SW_EVIDENCE_UNSERVED]++;
	__sync_fetch_and_add(served ? &of->counts.served[family] : &of->counts.unserved[family], 1);
}

/* Is it time that some packet, any, looks at a probe? */
static __always_inline bool is_time_to_probe(__u32 now_ms)
{
	return settings.probe_ms && (__s32)(now_ms - settings.probe_ms) >= 0;
}

/* The next service in turn that has probes which wait, so that none keeps the others from being looked at. */
static __always_inline __u32 next_probed(void)
{
	__u64 all = settings.probed, later = all & ~1ULL << (settings.probe_last & 63);

	return sw_lowest_bit(later ? later : all);
}

/* What is to be done with a probe, by what it said. */
static __always_inline void settle_probe(struct sw_probes *of, struct sw_probe *probe, __u32 policy,
					 __u32 service, enum probe_result result)
{
	switch (result) {
	case PROBE_UNSERVED:
		probe->phase = SW_PROBE_OVER;
		count_probe(of, probe, policy, service, false);
		break;
	case PROBE_SERVED:
		count_probe(of, probe, policy, service, true);
		probe->phase = SW_PROBE_FREE;
		break;
	case PROBE_SAYS_NOTHING:
		probe->phase = SW_PROBE_FREE;
		break;
	case PROBE_WAITS_ON:
		probe->judge_ms = probe->began_ms + SW_PROBE_LATE_MS;
		probe->phase = SW_PROBE_WAITS;
		break;
	}
}

/*
 * Judges one probe, if one is ripe. What two CPUs do here at a time may judge one twice, or leave one
 * unjudged until its service has another.
 */
__noinline int look_at_probes(ingress_ctx *ctx, __u32 policy, __u32 now_ms)
{
	struct probe_search search = { .policy = policy, .now_ms = now_ms, .ripe = SW_PROBES };
	struct sw_probe *probe;
	struct sw_probes *of;

	if (!settings.probed) {
		settings.probe_ms = 0;
		return 0;
	}
	settings.probe_ms = (now_ms + PROBE_AGAIN_MS) | 1;
	search.service = next_probed();
	settings.probe_last = search.service;
	bpf_loop(SW_PROBES, look_at_probe, &search, 0);
	if (!search.waiting)
		__sync_fetch_and_and(&settings.probed, ~(1ULL << (search.service & 63)));
	of = probes_of(policy, search.service);
	if (!of || search.ripe >= SW_PROBES)
		return 0;
	settings.probe_ms = now_ms | 1; /* the next packet looks for another one */
	probe = &of->probes[search.ripe & (SW_PROBES - 1)];
	probe->phase = SW_PROBE_OVER; /* first: another CPU shall not judge it as well */
	settle_probe(of, probe, policy, search.service, judge_probe(ctx, probe, policy, now_ms));
	return 0;
}

/* The same, if it is time to. */
static __always_inline void look_at_probes_in_time(ingress_ctx *ctx, const struct inquiry *inquiry)
{
	if (is_time_to_probe(inquiry->now.ms))
		look_at_probes(ctx, inquiry->policy, inquiry->now.ms);
}

#endif
