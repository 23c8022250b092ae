/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_RAW_COOKIE_H
#define SYNWARD_RAW_COOKIE_H

/*
 * The kernel's own cookies, for kernels that do not take ours: it checks them by itself when the ACK
 * comes. There is no room in them for options other than the MSS.
 */

#include "core/answer.h"
#include "core/packet.h"
#include "core/wire.h"
#include "maps.h"

/* As much of a segment as the kernel's helpers look at. */
struct raw_segment {
	union {
		struct wire_ipv4 v4;
		struct wire_ipv6 v6;
	};
	struct wire_tcp tcp;
	__u32 mss; /* an option, and only that: the helper insists on the header's exact length */
};

static __always_inline void copy_segment(const struct sw_packet *packet, bool syn,
					 struct raw_segment *raw)
{
	__builtin_memset(raw, 0, sizeof(*raw));
	if (sw_addr_is_v4(&packet->src)) {
		raw->v4.version_ihl = 0x45;
		raw->v4.protocol = WIRE_IP_TCP;
		raw->v4.source = packet->src.words[3];
		raw->v4.destination = packet->dst.words[3];
	} else {
		raw->v6.version_class_flow = sw_htonl(6U << 28);
		raw->v6.next_header = WIRE_IP_TCP;
		for (int i = 0; i < 4; i++) {
			raw->v6.source[i] = packet->src.words[i];
			raw->v6.destination[i] = packet->dst.words[i];
		}
	}
	raw->tcp.source = sw_htons(packet->sport);
	raw->tcp.destination = sw_htons(packet->dport);
	raw->tcp.seq = sw_htonl(packet->seq);
	raw->tcp.ack = sw_htonl(packet->ack);
	raw->tcp.offset_flags = sw_htons(syn ? 6 << 12 | WIRE_TCP_SYN : 5 << 12 | WIRE_TCP_ACK);
	raw->mss = sw_htonl(ANSWER_MSS | (packet->options & SW_OPT_MSS ? packet->mss : 536));
}

/* The kernel's cookie for a SYN. Returns it, or a negative number if it has none to give. */
__noinline long kernel_cookie(const struct sw_packet *syn)
{
	struct raw_segment raw;
	__s64 cookie;

	if (!syn || !load.raw_cookies)
		return -1;
	copy_segment(syn, true, &raw);
	if (sw_addr_is_v4(&syn->src))
		cookie = bpf_tcp_raw_gen_syncookie_ipv4((void *)&raw.v4, (void *)&raw.tcp,
							sizeof(raw.tcp) + 4);
	else
		cookie = bpf_tcp_raw_gen_syncookie_ipv6((void *)&raw.v6, (void *)&raw.tcp,
							sizeof(raw.tcp) + 4);
	return cookie < 0 ? cookie : cookie & 0xffffffff;
}

__noinline int is_kernel_cookie(const struct sw_packet *ack)
{
	struct raw_segment raw;

	if (!ack || !load.raw_cookies)
		return 0;
	copy_segment(ack, false, &raw);
	if (sw_addr_is_v4(&ack->src))
		return !bpf_tcp_raw_check_syncookie_ipv4((void *)&raw.v4, (void *)&raw.tcp);
	return !bpf_tcp_raw_check_syncookie_ipv6((void *)&raw.v6, (void *)&raw.tcp);
}

#endif
