// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Frames that arrive all at once: they come in one, each behind its length, and leave while softirqs
 * are held off, so that the other end of a veth finds them in its ring together. For the egress hook.
 */
#include <synward/base.h>

#include <bpf/bpf_helpers.h>

#define IN_NETWORK_ORDER(x) ((__u16)((x) << 8 | (x) >> 8))
#define ETH_P_BATCH	    0x88b5 /* for local experiments */
#define ETH_BYTES	    14
#define ROOM		    2048U
#define MOST		    8
#define LEAVING		    1 /* mark of what has been cut out */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct room {
	__u8 bytes[2 * ROOM];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct room);
} rooms SEC(".maps");

/* Sends the frame at an offset. Returns the offset of what follows, 0 if there is nothing more. */
static __always_inline __u32 send_one(struct __sk_buff *skb, struct room *room, __u32 at, __u32 end)
{
	__u32 length;

	at &= ROOM - 1;
	length = room->bytes[at] << 8 | room->bytes[at + 1];
	at += 2;
	if (length < ETH_BYTES || length >= ROOM || at + length > end ||
	    bpf_skb_change_tail(skb, length, 0) ||
	    bpf_skb_store_bytes(skb, 0, &room->bytes[at], length, 0) ||
	    bpf_clone_redirect(skb, skb->ifindex, 0))
		return 0;
	return at + length;
}

SEC("tc")
int send_batch(struct __sk_buff *skb)
{
	__u32 key = 0, end = skb->len, at = ETH_BYTES;
	struct room *room = bpf_map_lookup_elem(&rooms, &key);

	if (skb->protocol != IN_NETWORK_ORDER(ETH_P_BATCH) || skb->mark == LEAVING)
		return TC_ACT_UNSPEC;
	if (!room || end <= ETH_BYTES || end >= ROOM ||
	    bpf_skb_load_bytes(skb, 0, room->bytes, end))
		return TC_ACT_SHOT;
	skb->mark = LEAVING;
	for (int i = 0; i < MOST && at; i++)
		at = send_one(skb, room, at, end);
	return TC_ACT_STOLEN;
}
