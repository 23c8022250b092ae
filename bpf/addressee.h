/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_ADDRESSEE_H
#define SYNWARD_ADDRESSEE_H

/*
 * Who stands behind the address and port that a SYN is for. NAT, bridges, namespaces, firewalls, routes,
 * listeners: all of them decide on it, each of them changes, and nobody can be asked about all of
 * them. So nobody is asked: a SYN-ACK that leaves by the interface where SYNs come in says that they
 * are answered there, and by whom. Nothing is answered in the stead of somebody who was not heard.
 *
 * Hardly a flood can use that to get in: what takes a place in a listener's queue is what makes it answer,
 * and a SYN that the kernel throws away takes none. What is left to it is in docs/design.md.
 */

#include "conntrack.h"
#include "core/sanity.h"
#include "inquiry.h"
#include "listener.h"
#include "policy.h"
#include "send.h"

#define HEARD_KIND_MASK	 3U
#define HEARD_VLAN_SHIFT 2
#define HEARD_TIME_MASK	 0xfffffff0U
#define HEARD_TAG_SHIFT	 32

#define ASKED_SHIFT 4

/* What seems to be heard so soon from now is of now. */
#define HEARD_EARLY_MS 1000U

/*
 * Of an interface, and of what the address and port were mixed to: the answer that was heard leaving by one
 * interface may be another's on the next one.
 */
static __always_inline __u64 addressee_hash(__u64 mixed)
{
	return mixed + load.slot * 0x9e3779b97f4a7c15ULL;
}

static __always_inline __u32 addressee_tag(__u64 hash)
{
	return hash >> HEARD_TAG_SHIFT | 1;
}

static __always_inline struct sw_addressees *addressee_line(__u64 hash)
{
	__u32 key = hash & (SW_ADDRESSEE_LINES - 1);

	return bpf_map_lookup_elem(&addressees, &key);
}

/* NULL: it was not heard. */
static __always_inline struct sw_addressee *addressee_of(__u64 hash)
{
	struct sw_addressees *line = addressee_line(hash);
	__u32 tag = addressee_tag(hash);

	for (__u32 way = 0; line && way < SW_ADDRESSEE_WAYS; way++)
		if (line->of[way].heard >> HEARD_TAG_SHIFT == tag)
			return &line->of[way];
	return NULL;
}

static __always_inline __u64 hash_of_addressee(const struct sw_addr *addr, __u16 port)
{
	__u64 seed[2] = { load.seed[0], load.seed[1] };

	return addressee_hash(mix_end(addr, port, seed));
}

static __always_inline struct sw_addressee *find_addressee(const struct sw_addr *addr, __u16 port)
{
	return addressee_of(hash_of_addressee(addr, port));
}

static __always_inline enum sw_addressee_kind heard_kind(const struct sw_addressee *addressee)
{
	return addressee->heard & HEARD_KIND_MASK;
}

/* How many VLAN tags its answers have; those beside the frame count. */
static __always_inline __u32 heard_tags(const struct sw_addressee *addressee)
{
	return addressee->heard >> HEARD_VLAN_SHIFT & 3;
}

/* How many VLAN tags a frame has in it. */
static __always_inline __u32 vlan_tags(const struct sw_packet *packet)
{
	return (packet->link_length - 14U) / 4 & 3;
}

/*
 * How long ago the addressee was heard; now may be a tick of another CPU's earlier. What was heard before
 * the clock went round seems to be of some later day: a row is never that long believed.
 */
static __always_inline __u32 heard_ago(const struct sw_addressee *addressee, __u32 now_ms)
{
	__u32 ago = now_ms - ((__u32)addressee->heard & HEARD_TIME_MASK);

	return ago > -HEARD_EARLY_MS ? 0 : ago;
}

/* Where one that was not known takes place: instead of who was not heard for the longest time. */
static __always_inline struct sw_addressee *oldest_addressee(struct sw_addressees *line,
							     __u32 now_ms)
{
	struct sw_addressee *oldest = &line->of[0];

	for (__u32 way = 0; way < SW_ADDRESSEE_WAYS; way++) {
		if (!line->of[way].heard)
			return &line->of[way];
		if (heard_ago(&line->of[way], now_ms) > heard_ago(oldest, now_ms))
			oldest = &line->of[way];
	}
	return oldest;
}

/* ---- what leaves */

enum listener_fact {
	LISTENER_TAKES_HANDOVERS = 1 << 0,
	LISTENER_SENDS_COOKIES = 1 << 1, /* with each of its SYN-ACKs */
};

/*
 * Facts about the listener that sent a SYN-ACK, as the hand-over finds it: LISTENER_*; none if it would not, since
 * the listener is bound to a device above this one.
 */
__noinline int ask_listener(struct __sk_buff *skb, const struct sw_packet *synack)
{
	const struct tcp_sock *listener = NULL;
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *found;
	__u32 size, facts = 0;

	if (!synack)
		return 0;
	size = socket_tuple(&tuple, &synack->dst, 0, &synack->src, synack->sport);
	found = bpf_skc_lookup_tcp(skb, &tuple, size, THIS_NETNS, 0);
	if (!found)
		return 0;
	if (found->state == TCP_STATE_LISTEN)
		listener = bpf_skc_to_tcp_sock(found);
	if (listener && takes_handovers(listener))
		facts |= LISTENER_TAKES_HANDOVERS;
	if (listener && sends_cookies(listener) == 2)
		facts |= LISTENER_SENDS_COOKIES;
	bpf_sk_release(found);
	return facts;
}

/*
 * Who has sent a SYN-ACK that leaves. It is ours if we hold its request: NAT may have given it an end that
 * it does not know itself. For a cookie of the kernel's there is no request, nor does the buffer know
 * a socket; such a one says that who was here still is, and where the kernel sends nothing else,
 * that this is a listener of ours.
 */
static __always_inline enum sw_addressee_kind who_answers(struct __sk_buff *skb,
							  const struct sw_packet *synack,
							  __u32 policy, __u32 now_ms)
{
	const struct sw_addressee *known = find_addressee(&synack->src, synack->sport);
	const struct sw_cookie_offer *offer = cookie_offer();
	__u32 state, facts, way;

	if (skb->ingress_ifindex || !offer)
		return SW_HEARD_ELSEWHERE;
	state = socket_state(skb, &synack->dst, synack->dport, &synack->src, synack->sport);
	if (!state || (state == TCP_STATE_LISTEN && skb->sk))
		return SW_HEARD_ELSEWHERE;
	if (state != TCP_STATE_LISTEN && state != TCP_STATE_NEW_SYN_RECV)
		return SW_NOBODY_HEARD;
	facts = ask_listener(skb, synack);
	if (state == TCP_STATE_LISTEN &&
	    (!(facts & LISTENER_SENDS_COOKIES) || !is_ours(&synack->src)))
		return known ? heard_kind(known) : SW_NOBODY_HEARD;
	way = offer->ways[policy & (SW_OFFER_WAYS - 1)];
	if (way == SW_WAY_HANDOVER &&
	    (!(facts & LISTENER_TAKES_HANDOVERS) || !tc_runs(tc_note(), now_ms)))
		return SW_HEARD_ELSEWHERE;
	if (way == SW_WAY_KERNEL && !(facts & LISTENER_SENDS_COOKIES))
		return SW_HEARD_ELSEWHERE;
	return SW_HEARD_HERE;
}

/* Times are kept in fewer bits where one that comes round again, after minutes, only asks once less. */
static __always_inline __u16 asked_at(__u32 now_ms)
{
	return now_ms >> ASKED_SHIFT;
}

static __always_inline void note_heard(const struct sw_packet *synack, enum sw_addressee_kind kind,
				       __u32 tags, __u32 now_ms)
{
	__u64 hash = hash_of_addressee(&synack->src, synack->sport);
	struct sw_addressee *known = addressee_of(hash);
	struct sw_addressees *line = addressee_line(hash);

	if (!line)
		return;
	/* a stranger's packet that strays must not undo what was heard just now; when asked again, it counts */
	if (known && kind == SW_HEARD_ELSEWHERE && heard_kind(known) == SW_HEARD_HERE &&
	    heard_ago(known, now_ms) < SW_HEARD_FRESH_MS)
		return;
	if (!known) {
		known = oldest_addressee(line, now_ms);
		known->looked = 0;
		known->few = 0;
		known->asked = asked_at(now_ms);
	}
	known->mss = synack->options & SW_OPT_MSS ? synack->mss : 0;
	known->heard = (__u64)addressee_tag(hash) << HEARD_TAG_SHIFT | (now_ms & HEARD_TIME_MASK) |
		       tags << HEARD_VLAN_SHIFT | kind;
}

/* Takes note of a SYN-ACK that leaves, whoever has sent it. */
__noinline int hear_synack(struct __sk_buff *skb, const struct sw_packet *synack, __u32 policy)
{
	const struct sw_addressee *known;
	enum sw_addressee_kind kind;
	__u32 now_ms = clock_ms();

	if (!synack)
		return 0;
	known = settings.cookies_sent ? NULL : find_addressee(&synack->src, synack->sport);
	if (known && heard_ago(known, now_ms) < SW_HEARD_FRESH_MS)
		return 0;
	kind = who_answers(skb, synack, policy, now_ms);
	if (kind != SW_NOBODY_HEARD)
		note_heard(synack, kind, (vlan_tags(synack) + !!skb->vlan_present) & 3, now_ms);
	return kind;
}

/*
 * Takes note of a RST that leaves and refuses a SYN. If it was time to ask whether somebody still
 * answers, this was the answer; else it is one client's, whom a firewall refuses.
 */
__noinline int hear_refusal(const struct sw_packet *rst)
{
	struct sw_addressee *known = rst ? find_addressee(&rst->src, rst->sport) : NULL;

	if (known && heard_ago(known, clock_ms()) >= SW_HEARD_FRESH_MS)
		known->heard = 0;
	return 0;
}

/*
 * Is anybody listened for? Before a flood, too: it may fill a listener's queue before it is noticed, and then
 * the kernel sends cookies, of which nobody can tell whose they are. Meanwhile once a second will do.
 */
static __always_inline bool listens_for_answers(void)
{
	return policy_has(settings.policy, SW_HAS_FLOOD_DEFENCE);
}

/* Whether conntrack knows of the connection for which a service's SYN-ACK leaves. */
__noinline int note_tracked(struct __sk_buff *skb, const struct sw_packet *synack, __u32 policy)
{
	struct sw_flood_state *state;

	if (!synack)
		return 0;
	state = flood_of(policy, service_of(synack, SW_EGRESS, policy));
	if (state)
		state->tracked = is_tracked(skb, synack);
	return 0;
}

/* What a segment that leaves says about who is asked there. */
static __always_inline void hear(struct __sk_buff *skb, const struct sw_packet *packet)
{
	const __u16 decisive = WIRE_TCP_SYN | WIRE_TCP_ACK | WIRE_TCP_RST | WIRE_TCP_FIN;
	__u16 flags = packet->flags & decisive;

	if (packet->kind != SW_KIND_TCP || !packet->link_length)
		return;
	if (flags == (WIRE_TCP_SYN | WIRE_TCP_ACK)) {
		if (hear_synack(skb, packet, settings.policy) == SW_HEARD_HERE &&
		    !policy_has(settings.policy, SW_HAS_UNHEARD))
			note_tracked(skb, packet, settings.policy);
	} else if (flags == (WIRE_TCP_RST | WIRE_TCP_ACK) && !packet->seq) {
		hear_refusal(packet);
	}
}

/* ---- what comes in */

/* Was somebody heard lately? NULL: nobody ever. */
static __always_inline bool is_heard(const struct sw_addressee *addressee, __u32 now_ms)
{
	return addressee && heard_ago(addressee, now_ms) <= SW_HEARD_VALID_MS;
}

/*
 * Who was heard last for an address and port, however long ago. The policy may have it that this does
 * not matter; and in a capture, nothing leaves: then it is us for our own addresses.
 */
static __always_inline enum sw_addressee_kind last_behind(const struct sw_addressee *addressee,
							  const struct sw_addr *addr, __u32 policy)
{
	if (load.replay)
		return SW_HEARD_HERE;
	if (policy_has(policy, SW_HAS_UNHEARD))
		return is_ours(addr) ? SW_HEARD_HERE : SW_HEARD_ELSEWHERE;
	return addressee ? heard_kind(addressee) : SW_NOBODY_HEARD;
}

/* The same, of those who were heard lately. */
static __always_inline enum sw_addressee_kind who_is_behind(const struct sw_addressee *addressee,
							    const struct sw_addr *addr,
							    __u32 policy, __u32 now_ms)
{
	if (load.replay || policy_has(policy, SW_HAS_UNHEARD) || is_heard(addressee, now_ms))
		return last_behind(addressee, addr, policy);
	return SW_NOBODY_HEARD;
}

/*
 * Is it time that a SYN passes, to hear whether it is still answered? Only one of many does then, and none of a
 * source that every kernel throws away: of that nothing would be heard.
 */
static __always_inline bool is_asked_again(const struct sw_packet *syn,
					   struct sw_addressee *addressee, __u32 now_ms)
{
	if (!addressee || heard_ago(addressee, now_ms) < SW_HEARD_FRESH_MS ||
	    sw_is_martian(&syn->src) ||
	    (__u16)(asked_at(now_ms) - addressee->asked) < SW_ASK_AGAIN_MS >> ASKED_SHIFT)
		return false;
	/* one that another CPU lets through as well does no harm */
	addressee->asked = asked_at(now_ms);
	return true;
}

/*
 * Does a SYN have fewer VLAN tags than the answers to such? Then its own is beside the frame, where XDP
 * does not see it, and what it sends back would be of no VLAN.
 */
static __always_inline bool has_lost_tags(const struct sw_packet *syn,
					  const struct sw_addressee *addressee)
{
	return addressee && vlan_tags(syn) < heard_tags(addressee);
}

#define LOOKED_FULL 1U /* there was no room for another connection */
#define LOOKED_MUTE 2U /* XDP cannot send by the interface */
#define LOOKED_BITS 3U

/* Must TC send what a SYN to an addressee is answered with, whatever the SYN is? */
static __always_inline bool must_be_sent_by_tc(const struct sw_addressee *addressee)
{
	const volatile struct sw_tc_note *note;

	if (addressee)
		return addressee->looked & LOOKED_MUTE;
	note = tc_note();
	return note && note->must_send;
}

/* So many places in a queue are few: so many clients may come in one tick. */
#define FEW_PLACES 64U

/* A minute later it is the same again: then a SYN is not looked at that another one was, in its tick. */
static __always_inline __u16 looked_at(__u32 now_ms)
{
	return now_ms & ~LOOKED_BITS;
}

/* Was there no room for another connection when its listener was looked at last? */
static __always_inline bool is_full(const struct sw_addressee *addressee, __u32 now_ms)
{
	return addressee && addressee->looked & LOOKED_FULL &&
	       (__u16)(looked_at(now_ms) - looked_at(addressee->looked)) < SW_FULL_VALID_MS;
}

#endif
