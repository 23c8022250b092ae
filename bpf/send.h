/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_SEND_H
#define SYNWARD_SEND_H

/*
 * How an answer leaves. XDP sends it, which is fast, and does not arrive everywhere: then it goes up as the
 * frame that it is, with a mark beside it, and the hand-over sends it, as the kernel sends its own.
 */

#include "core/checksum.h"
#include "core/packet.h"
#include "count.h"
#include "inquiry.h"
#include "policy.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Of the kernel's structures only what is read; CO-RE finds where that is. */
struct rtnl_link_ops {
	const char *kind;
} __attribute__((preserve_access_index));

struct net_device {
	const struct rtnl_link_ops *rtnl_link_ops;
	const void *rx_handler;
} __attribute__((preserve_access_index));

struct veth_rq {
	const void *xdp_prog;
} __attribute__((preserve_access_index));

struct veth_priv {
	const struct net_device *peer;
	const void *_xdp_prog;
	const struct veth_rq *rq;
} __attribute__((preserve_access_index));

struct sk_buff {
	const struct net_device *dev;
	__u8 ip_summed : 2;
	__u16 csum_start; /* from head on */
	__u16 csum_offset;
	const __u8 *head;
	const __u8 *data;
} __attribute__((preserve_access_index));

#define NETDEV_ALIGN	 32U /* of what a driver has of its own, behind a device */
#define CHECKSUM_PARTIAL 3   /* of ip_summed: the sum of the rest is added when it is sent */

/* ---- what can be had */

static __always_inline const struct veth_priv *veth_of(const struct net_device *device)
{
	__u64 size = bpf_core_type_size(struct net_device);

	return (const void *)device + ((size + NETDEV_ALIGN - 1) & ~(__u64)(NETDEV_ALIGN - 1));
}

static __always_inline bool is_veth(const struct net_device *device)
{
	const char veth[] = "veth";
	char kind[sizeof(veth)];

	if (bpf_probe_read_kernel(kind, sizeof(kind), BPF_CORE_READ(device, rtnl_link_ops, kind)))
		return false;
	for (__u32 i = 0; i < sizeof(kind); i++)
		if (kind[i] != veth[i])
			return false;
	return true;
}

/*
 * Is a device one by which XDP cannot send? That is a veth whose other end has no XDP program, as
 * that of any container: what is sent to it is thrown away, or, if it does GRO, lies there until something else
 * comes. It can change at any time.
 */
static __always_inline bool is_mute(const struct net_device *device)
{
	const struct net_device *peer;

	if (!bpf_core_type_exists(struct veth_priv) ||
	    !bpf_core_field_exists(((struct veth_priv *)0)->_xdp_prog))
		return false;
	/* generic XDP sends as the kernel does */
	if (!is_veth(device) || !BPF_CORE_READ(veth_of(device), _xdp_prog))
		return false;
	peer = BPF_CORE_READ(veth_of(device), peer);
	return peer && !BPF_CORE_READ(veth_of(peer), rq, xdp_prog);
}

static __always_inline volatile struct sw_tc_note *tc_note(void)
{
	__u32 key = load.slot;

	return bpf_map_lookup_elem(&tc_notes, &key);
}

/* Notes whether XDP can send by a device, which is the interface's. */
static __always_inline void note_device(volatile struct sw_tc_note *note,
					const struct net_device *device)
{
	__u32 must_send = is_mute(device);

	if (note->must_send != must_send)
		note->must_send = must_send;
}

/* The same of the device of a buffer. */
__noinline int note_device_of(struct __sk_buff *skb)
{
	const struct sk_buff *buffer = (const void *)skb;
	volatile struct sw_tc_note *note = tc_note();

	if (note)
		note_device(note, BPF_CORE_READ(buffer, dev));
	return 0;
}

/* The hand-over has seen a segment. */
static __always_inline void note_tc_ran(struct __sk_buff *skb, __u32 now_ms)
{
	volatile struct sw_tc_note *note = tc_note();

	if (!note || note->ran_ms == now_ms)
		return;
	note->ran_ms = now_ms; /* once a tick: all CPUs have it in their caches meanwhile */
	note_device_of(skb);
}

/* Does the hand-over see what comes in? Somebody else's program may have been put before it. */
static __always_inline bool tc_runs(const volatile struct sw_tc_note *note, __u32 now_ms)
{
	return note && now_ms - note->ran_ms < SW_HEARD_VALID_MS;
}

/* ---- how an answer is put */

#define SEND_BY_TC (1U << 9) /* XDP cannot */
#define SEND_BY_ROUTE                                                                              \
	(1U << 10) /* not to where the SYN came from, but where the kernel would send it */

/* ---- the mark */

/* Beside a frame, in front of it. Every kernel has room for 32 bytes there, if the driver has. */
struct tc_mark {
	__u32 magic;	/* nobody else's, but by chance */
	__u32 by_route; /* not to where the SYN came from, but where the kernel would send it */
};

/* Of an interface: what it has sent may come to another one, and the kernel leaves the mark there. */
static __always_inline __u32 tc_magic(void)
{
	return ((__u32)load.seed[0] ^ 0x53594e57) + load.slot * 0x9e3779b1U;
}

/* The mark beside a frame, if there is one: pointers from its context. */
static __always_inline const struct tc_mark *tc_mark_of(__u64 meta, __u64 data)
{
	const struct tc_mark *mark = (const void *)meta;

	return (const void *)(mark + 1) <= (const void *)data && mark->magic == tc_magic() ? mark :
											     NULL;
}

/* ---- what TC does */

/*
 * In tc_index of a buffer that our ingress has sent. For our egress: it is none of what the host sends. For our
 * ingress, should it come back: its mark is used up. (To write over the mark would be dear: for a program that does so
 * the kernel copies what others look at, every segment, while tcpdump runs.)
 */
#define SENT_BY_TC 0x5357

/* The mark that has still to be followed. */
static __always_inline const struct tc_mark *fresh_mark(const struct __sk_buff *skb)
{
	return skb->tc_index == SENT_BY_TC ? NULL : tc_mark_of(skb->data_meta, skb->data);
}

/*
 * Between two ends on one host a SYN may come without its checksum, which is then added when it is sent: over
 * all that is in the buffer by then, and from what is in the checksum's place. Returns false if that place is
 * another.
 */
static __always_inline bool leave_checksum(struct __sk_buff *skb, const struct sw_packet *ends,
					   __u32 tcp, __u32 tcp_length)
{
	const struct sk_buff *buffer = (const void *)skb;
	__u64 sum = sw_htons(WIRE_IP_TCP) + sw_htonl(tcp_length);
	__u64 start = BPF_CORE_READ(buffer, csum_start);
	__u16 pseudo;

	if (BPF_CORE_READ_BITFIELD_PROBED(buffer, ip_summed) != CHECKSUM_PARTIAL)
		return true;
	/* whoever makes his frames himself may have it anywhere */
	if (BPF_CORE_READ(buffer, head) + start != BPF_CORE_READ(buffer, data) + tcp ||
	    BPF_CORE_READ(buffer, csum_offset) != __builtin_offsetof(struct wire_tcp, checksum))
		return false;
	pseudo = sw_sum_fold(sw_sum_address(&ends->src, sw_sum_address(&ends->dst, sum)));
	return !bpf_skb_store_bytes(skb, tcp + __builtin_offsetof(struct wire_tcp, checksum),
				    &pseudo, sizeof(pseudo), 0);
}

/*
 * May the buffer's device have routes? Not one with a VLAN's tags, nor one whose frames somebody above takes, such as a
 * bridge: those of their own addresses are of another device.
 */
static __always_inline bool may_have_routes(const struct __sk_buff *skb)
{
	const struct sk_buff *buffer = (const void *)skb;

	return !skb->vlan_present && !BPF_CORE_READ(buffer, dev, rx_handler);
}

/* An answer that XDP has counted as sent is not. */
static __always_inline void count_unsent(const struct sw_packet *answer)
{
	struct sw_counters *mine = my_counters();
	struct sw_service_counters *of;

	if (!mine)
		return;
	mine->tallies[SW_TALLY_COOKIES_UNSENT]++;
	of = service_counters(settings.policy, service_of(answer, SW_EGRESS, settings.policy));
	if (of)
		of->cookies_unsent++;
}

/*
 * Sends what is an answer by now, between those ends, whose TCP header of tcp_length bytes is there. A tag beside it
 * stays with it. Returns what is to be done with the buffer: TC_ACT_REDIRECT, or TC_ACT_SHOT if it cannot be sent.
 */
static __always_inline int send_buffer(struct __sk_buff *skb, const struct sw_packet *ends,
				       __u32 tcp, __u32 tcp_length, bool by_route)
{
	if (bpf_skb_change_tail(skb, tcp + tcp_length, 0) ||
	    !leave_checksum(skb, ends, tcp, tcp_length))
		return TC_ACT_SHOT;
	skb->tc_index = SENT_BY_TC;
	if (by_route && may_have_routes(skb))
		return bpf_redirect_neigh(skb->ifindex, NULL, 0, 0);
	return bpf_redirect(skb->ifindex, 0);
}

/* Sends an answer that XDP has written. Returns what is to be done with the buffer. */
__noinline int send_from_tc(struct __sk_buff *skb, const struct sw_packet *answer, __u32 tcp,
			    int by_route)
{
	int action = TC_ACT_SHOT;

	if (!answer)
		return TC_ACT_SHOT;
	if (answer->kind == SW_KIND_TCP)
		action = send_buffer(skb, answer, tcp, answer->doff * 4U, by_route);
	if (action == TC_ACT_SHOT)
		count_unsent(answer);
	return action;
}

/* Is it one of these that leaves? */
static __always_inline bool was_sent_by_tc(const struct __sk_buff *skb)
{
	return skb->tc_index == SENT_BY_TC && skb->ingress_ifindex == skb->ifindex;
}

#endif
