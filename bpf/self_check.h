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

/*
 * Notes a SYN that is about to be answered, if it is one of the sample. Returns 1 if it had better pass: it
 * has been answered before, and that did not help. For a client that is challenged behind a firewall that
 * drops what it has not asked for, this is the way in; few may take it, since anybody can send a SYN twice.
 */
__noinline int note_answered(const struct inquiry *inquiry, __u64 hash, int in_doubt)
{
	__u32 index = sw_answered_index(hash), key = index / 2;
	struct sw_service_counters *mine;
	struct sw_flood_state *state;
	struct answered_pair *pair;

	pair = bpf_map_lookup_elem(&answered_syns, &key);
	if (!inquiry || !pair || !sw_answered_note(&pair->words[index & 1], hash, inquiry->now.ms))
		return 0;
	mine = service_counters(inquiry->policy, inquiry->service);
	state = flood_of(inquiry->policy, inquiry->service);
	if (!mine || !state)
		return 0;
	mine->evidence[SW_EVIDENCE_REPEATED]++;
	if (!in_doubt && state->check_phase != SW_CHECK_TRIES)
		return 0;
	if (!state->second_chance)
		return 0;
	state->second_chance--; /* another CPU may do so meanwhile: then one more passes */
	return 1;
}

/* ---- who brought a cookie back */

/* So long the server has for saying something, or for being found to have a socket. */
#define PROBE_RIPE_MS 200U

/* How long it is until the next look, when one has found nothing to judge. */
#define PROBE_AGAIN_MS 8U

/*
 * A source that was not served has no other probe for so long, and an IPv6 prefix of 64 bits four: whoever
 * does so on purpose has no more to say than others, however many connections he opens.
 */
#define PROBE_LASTS_MS 4000U

static __always_inline struct sw_probes *probes_of(__u32 word, __u32 service)
{
	__u32 key = service_key(word, service);

	return bpf_map_lookup_elem(&probes, &key);
}

static __always_inline struct sw_probe *probe_of(struct sw_probes *of, const struct sw_addr *source)
{
	__u64 seed[2] = { load.seed[1], load.seed[0] };
	struct sw_addr key = culprit(source);
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
	struct sw_settings *set;
	struct sw_probe *probe;
	struct sw_probes *of;
	__u32 key = 0;

	set = bpf_map_lookup_elem(&settings, &key);
	if (!ack || !set)
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
	probe->interface = load.slot;
	probe->phase = SW_PROBE_WAITS;
	if (!(set->probed >> (service & 63) & 1))
		__sync_fetch_and_or(&set->probed, 1ULL << (service & 63));
	if (!set->probe_ms)
		set->probe_ms = (now_ms + PROBE_RIPE_MS) | 1;
	return 0;
}

/* There was no room at the server for a client: it will try again, and says nothing about the defence. */
static __always_inline void give_up_probe(const struct sw_packet *ack)
{
	const struct sw_settings *set = current_settings();
	struct sw_probe *probe;
	struct sw_probes *of;

	if (!set)
		return;
	of = probes_of(set->policy, service_of(ack, SW_INGRESS, set->policy));
	probe = of ? probe_of(of, &ack->src) : NULL;
	if (probe && probe->client_port == ack->sport && sw_addr_equal(&probe->client, &ack->src))
		probe->phase = SW_PROBE_OVER;
}

/* The state of a probe's connection, SW_CONN_*; -1: it has none any more. Without the lock, as ever. */
static __always_inline int probed_connection(const struct sw_probe *probe)
{
	__u32 key = sw_bucket_index(probe->flow, load.connection_buckets);
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

enum probe_result {
	PROBE_SAYS_NOTHING,
	PROBE_SERVED,
	PROBE_UNSERVED,
};

/* What the kernel has for a probe's flow: a socket of its own, or still its listener, which has room. */
static __always_inline enum probe_result ask_kernel(struct xdp_md *ctx,
						    const struct sw_probe *probe)
{
	enum probe_result result = PROBE_SERVED;
	const struct tcp_sock *listener = NULL;
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
	}
	if (listener) {
		queue = queue_of(listener);
		if (queue_is_full(&queue))
			result = PROBE_SAYS_NOTHING;
	}
	bpf_sk_release(found);
	return result;
}

/*
 * Has the server taken the client? What it has said is enough; unless that is a RST, by which its kernel
 * refuses a connection that it knows nothing of. A client that is gone says nothing; nor does one that
 * closes, where what the server says may leave by another interface.
 */
static __always_inline enum probe_result judge_probe(struct xdp_md *ctx,
						     const struct sw_probe *probe, __u32 policy)
{
	int state = probed_connection(probe);
	enum probe_result result;

	if (state < 0 || state & SW_CONN_RST_ORIG)
		return PROBE_SAYS_NOTHING;
	if (!(state & SW_CONN_UNHEARD))
		return PROBE_SERVED;
	if (state & SW_CONN_RST_RESP)
		return PROBE_UNSERVED;
	result = ask_kernel(ctx, probe);
	if (result == PROBE_UNSERVED && state & SW_CONN_FIN_ORIG &&
	    policy_has(policy, SW_HAS_UNHEARD))
		return PROBE_SAYS_NOTHING;
	return result;
}

/* Which probe has waited for long enough, on this interface; SW_PROBES: none. *waiting: any waits. */
static __always_inline __u32 ripe_probe(const struct sw_probes *of, __u32 now_ms, bool *waiting)
{
	__u32 ripe = SW_PROBES;

	for (__u32 i = 0; i < SW_PROBES; i++) {
		const struct sw_probe *probe = &of->probes[i];

		if (probe->phase != SW_PROBE_WAITS)
			continue;
		*waiting = true;
		if (probe->interface == load.slot &&
		    (__s32)(now_ms - probe->began_ms - PROBE_RIPE_MS) >= 0)
			ripe = i;
	}
	return ripe;
}

static __always_inline void count_probe(__u32 policy, __u32 service, enum probe_result result)
{
	struct sw_service_counters *mine = service_counters(policy, service);

	if (!mine)
		return;
	mine->evidence[SW_EVIDENCE_SERVED] += result == PROBE_SERVED;
	mine->evidence[SW_EVIDENCE_UNSERVED] += result == PROBE_UNSERVED;
}

/* Is it time that some packet, any, looks at a probe? */
static __always_inline bool is_time_to_probe(const struct sw_settings *set, __u32 now_ms)
{
	return set->probe_ms && (__s32)(now_ms - set->probe_ms) >= 0;
}

/*
 * Judges one probe, if one is ripe. What two CPUs do here at a time may judge one twice, or leave one
 * unjudged until its service has another.
 */
__noinline int look_at_probes(struct xdp_md *ctx, __u32 policy, __u32 now_ms)
{
	struct sw_settings *set;
	struct sw_probes *of;
	struct sw_probe *probe;
	enum probe_result result;
	bool waiting = false;
	__u32 ripe, service, key = 0;

	set = bpf_map_lookup_elem(&settings, &key);
	if (!set)
		return 0;
	if (!set->probed) {
		set->probe_ms = 0;
		return 0;
	}
	set->probe_ms = (now_ms + PROBE_AGAIN_MS) | 1;
	service = sw_lowest_bit(set->probed);
	of = probes_of(policy, service);
	if (!of)
		return 0;
	ripe = ripe_probe(of, now_ms, &waiting);
	if (!waiting)
		__sync_fetch_and_and(&set->probed, ~(1ULL << (service & 63)));
	if (ripe >= SW_PROBES)
		return 0;
	set->probe_ms = now_ms | 1; /* the next packet looks for another one */
	probe = &of->probes[ripe];
	probe->phase = SW_PROBE_OVER; /* first: another CPU shall not judge it as well */
	result = judge_probe(ctx, probe, policy);
	count_probe(policy, service, result);
	if (result == PROBE_SERVED)
		probe->phase = SW_PROBE_FREE;
	return 0;
}

#endif
