/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_CONNTRACK_H
#define SYNWARD_CONNTRACK_H

/*
 * The kernel's connection tracking, by functions that are there if it is when the program is loaded. It is told of a
 * connection that it has not seen begin, so that a firewall that wants to have seen the SYN lets its segments pass.
 */

#include "adopt.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Of the kernel's structures as much as is read; their places are looked up when the programs are loaded. */
union nf_inet_addr {
	__u32 all[4];
} __attribute__((preserve_access_index));

union nf_conntrack_man_proto {
	__u16 all;
} __attribute__((preserve_access_index));

struct nf_conntrack_man {
	union nf_inet_addr u3;
	union nf_conntrack_man_proto u;
} __attribute__((preserve_access_index));

struct nf_conntrack_tuple {
	struct nf_conntrack_man src;
	struct {
		union nf_inet_addr u3;
		union {
			__u16 all;
		} u;
	} dst;
} __attribute__((preserve_access_index));

struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
} __attribute__((preserve_access_index));

struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2];
	unsigned long status;
} __attribute__((preserve_access_index));

struct nf_conn___init {
	struct nf_conn ct;
} __attribute__((preserve_access_index));

/* Of the kernel's structure of that name, as much as all versions have. */
struct conntrack_options {
	__s32 netns_id; /* -1: the buffer's own */
	__s32 error;
	__u8 protocol;
	__u8 direction;
	__u8 reserved[2];
};

extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *xdp, struct bpf_sock_tuple *tuple,
					 __u32 tuple__sz, struct conntrack_options *opts,
					 __u32 opts__sz) __ksym __weak;
extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
					 __u32 tuple__sz, struct conntrack_options *opts,
					 __u32 opts__sz) __ksym __weak;
extern struct nf_conn___init *bpf_skb_ct_alloc(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
					       __u32 tuple__sz, struct conntrack_options *opts,
					       __u32 opts__sz) __ksym __weak;
extern struct nf_conn *bpf_ct_insert_entry(struct nf_conn___init *nfct) __ksym __weak;
extern void bpf_ct_set_timeout(struct nf_conn___init *nfct, __u32 ms) __ksym __weak;
extern int bpf_ct_set_status(const struct nf_conn___init *nfct, __u32 status) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *nfct) __ksym __weak;

/* of the kernel's enum ip_conntrack_status */
enum {
	CONNTRACK_SEEN_REPLY = 1 << 1,
	CONNTRACK_ASSURED = 1 << 2,
	CONNTRACK_NAT = 1 << 4 | 1 << 5, /* of the source, of the destination */
};

/* of its enum ip_conntrack_dir: the direction of who opened the flow */
#define CONNTRACK_ORIGINAL 0

/* Until the first segment makes conntrack set its own: as long as a SYN-ACK of its waits for an ACK. */
#define CONNTRACK_MS (60U * 1000)

/* What the kernel calls these options; they come with the functions. */
struct bpf_ct_opts {
	__s32 error;
} __attribute__((preserve_access_index));

/*
 * Are the functions there? To ask for one of a module by its address is what libbpf 1.1 gets wrong: then the kernel refuses
 * the whole program.
 */
static __always_inline bool has_conntrack(void)
{
	return bpf_core_type_exists(struct bpf_ct_opts);
}

/* Does conntrack know the connection of a segment that leaves? If not of a SYN-ACK, it looks at none. */
__noinline int is_tracked(struct __sk_buff *skb, const struct sw_packet *packet)
{
	struct conntrack_options options = { .netns_id = -1, .protocol = WIRE_IP_TCP };
	struct bpf_sock_tuple tuple = {};
	struct nf_conn *known;
	__u32 size;

	if (!packet || !has_conntrack())
		return false;
	size = socket_tuple(&tuple, &packet->src, packet->sport, &packet->dst, packet->dport);
	known = bpf_skb_ct_lookup(skb, &tuple, size, &options, sizeof(options));
	if (!known)
		return false;
	bpf_ct_release(known);
	return true;
}

/*
 * Makes an entry for the connection of an ACK that came in. If there is one already, or no room, nothing
 * happens: then it is conntrack's to judge, as ever.
 */
static __always_inline void tell_conntrack(struct __sk_buff *skb, const struct sw_packet *ack)
{
	struct conntrack_options options = { .netns_id = -1, .protocol = WIRE_IP_TCP };
	struct bpf_sock_tuple tuple = {};
	__u32 size = socket_tuple(&tuple, &ack->src, ack->sport, &ack->dst, ack->dport);
	struct nf_conn___init *fresh;
	struct nf_conn *entered;

	if (!has_conntrack())
		return;
	fresh = bpf_skb_ct_alloc(skb, &tuple, size, &options, sizeof(options));
	if (!fresh)
		return;
	bpf_ct_set_timeout(fresh, CONNTRACK_MS);
	bpf_ct_set_status(fresh, CONNTRACK_SEEN_REPLY | CONNTRACK_ASSURED);
	entered = bpf_ct_insert_entry(fresh);
	if (entered)
		bpf_ct_release(entered);
}

#endif
