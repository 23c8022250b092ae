/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_TRANSLATED_H
#define SYNWARD_TRANSLATED_H

/*
 * Connections that a gateway translates between two attached interfaces (NAT) have a name on either side. Each side sees
 * one direction come in by one name, so what leaves is followed, too, by the other one: silently, since all was told
 * where it came in. A segment that is not translated then is only followed twice, which changes nothing the second time.
 */

#include "core/hash.h"
#include "core/wire.h"
#include "inquiry.h"

/*
 * Is a forwarded SYN of a flow of which there is no attempt? The one under which it came in there is, so it has got
 * another name since. Needs no lock: an entry's tag is written once.
 */
static __always_inline bool begins_anew(__u64 hash, __u32 now_ms)
{
	__u32 key = sw_bucket_index(hash, load.handshake_buckets);
	const struct sw_handshake_bucket *bucket = bpf_map_lookup_elem(&handshakes, &key);
	struct sw_settings *changing;
	__u16 tag = sw_tag(hash);

	if (!bucket)
		return false;
	for (__u32 way = 0; way < SW_WAYS; way++)
		if (bucket->tags[way] == tag)
			return false;
	changing = changing_settings();
	if (changing && (!changing->translates || now_ms - changing->translated_ms >= 1000)) {
		changing->translated_ms = now_ms; /* not by each: all CPUs read this */
		changing->translates = 1;
	}
	return true;
}

/* If nothing has been translated for so long, nothing is: it may have been a flood that pushed out what was known. */
#define TRANSLATED_MS (60U * 60 * 1000)

static __always_inline void end_translation(struct sw_settings *set, __u32 now_ms)
{
	if (set->translates && now_ms - set->translated_ms >= TRANSLATED_MS)
		set->translates = 0;
}

/* Might what leaves be a SYN? Looked at without parsing it, as nearly all that is forwarded is none. */
static __always_inline bool may_be_syn(const struct __sk_buff *skb)
{
	const __u8 *data = (const __u8 *)(__u64)skb->data;
	const __u8 *end = (const __u8 *)(__u64)skb->data_end;
	const __u8 *tcp;

	if (data + sizeof(struct wire_ethernet) + sizeof(struct wire_ipv6) > end)
		return true; /* who knows */
	data += sizeof(struct wire_ethernet);
	if (skb->protocol == sw_htons(WIRE_ETH_IPV4)) {
		if (data[9] != WIRE_IP_TCP)
			return false;
		tcp = data + (data[0] & 0xf) * 4;
	} else if (skb->protocol == sw_htons(WIRE_ETH_IPV6)) {
		if (data[6] != WIRE_IP_TCP)
			return false;
		tcp = data + sizeof(struct wire_ipv6);
	} else {
		return true;
	}
	return tcp + 14 > end || (tcp[13] & (WIRE_TCP_SYN | WIRE_TCP_ACK)) == WIRE_TCP_SYN;
}

/* Is a forwarded segment to be looked at again where it leaves? */
static __always_inline bool may_be_translated(const struct __sk_buff *skb,
					      const struct sw_settings *set)
{
	return set && (*(volatile const __u32 *)&set->translates || may_be_syn(skb));
}

#endif
