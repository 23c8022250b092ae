/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_INGRESS_XDP_H
#define SYNWARD_INGRESS_XDP_H

/*
 * What comes in is seen by XDP. This or ingress_skb.h comes before what is the same for both, since the kernel checks
 * the context of each function that it verifies by itself.
 */

#include "inquiry.h" /* before core/follow.h, which needs it */

#include "core/answer.h"
#include "send.h"

/* The context of programs that see what comes in. */
typedef struct xdp_md ingress_ctx;

#define ct_lookup_ingress bpf_xdp_ct_lookup

/* Of the kernel's structures only what is read; CO-RE finds where that is. */
struct xdp_rxq_info {
	const struct net_device *dev;
} __attribute__((preserve_access_index));

struct xdp_buff {
	const struct xdp_rxq_info *rxq;
} __attribute__((preserve_access_index));

/*
 * Notes whether the driver can send what is about to be answered. TC notes it, too, but not before something has gone up
 * to it: all that was answered until then would be lost. Without the hand-over nobody else could send.
 */
__noinline int note_sender_of(struct xdp_md *ctx)
{
	const struct xdp_buff *buffer = (const void *)ctx;
	volatile struct sw_tc_note *note = tc_note();

	if (note && load.handover)
		note_device(note, BPF_CORE_READ(buffer, rxq, dev));
	return 0;
}

/* Leaves the answer that is about to be written to TC. Returns 0 if the driver has no room for a mark. */
static __always_inline bool leave_to_tc(struct xdp_md *ctx, bool by_route)
{
	struct tc_mark *mark;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*mark)))
		return false;
	mark = (void *)(__u64)ctx->data_meta;
	if ((const void *)(mark + 1) > (const void *)(__u64)ctx->data)
		return false;
	mark->magic = tc_magic();
	mark->by_route = by_route;
	return true;
}

/* Writes the answer over the SYN. Returns by how many bytes it begins later, or SW_NO_ANSWER. */
static __always_inline int write_here(struct xdp_md *ctx, __u32 tcp, const struct sw_packet *syn,
				      const struct sw_cookie_answer *answer)
{
	struct sw_syn_frame frame = { .start = (__u8 *)(__u64)ctx->data,
				      .end = (const __u8 *)(__u64)ctx->data_end,
				      .tcp = tcp,
				      .link_length = syn->link_length };
	__u32 length;

	return sw_answer(&frame, syn, answer, &length);
}

/* The same, verified by itself. */
__noinline int write_answer(struct xdp_md *ctx, __u32 tcp, const struct sw_packet *syn,
			    const struct sw_cookie_answer *answer)
{
	return syn && answer ? write_here(ctx, tcp, syn, answer) : SW_NO_ANSWER;
}

/* Can an answer be sent as SEND_* say? The SYN is not changed yet. */
static __always_inline bool may_answer(struct xdp_md *ctx, __u32 how)
{
	return !(how & SEND_BY_TC) || leave_to_tc(ctx, how & SEND_BY_ROUTE);
}

/* Makes the frame the answer. Returns false if it cannot be one; then the SYN may be lost. */
static __always_inline bool put_answer(struct xdp_md *ctx, __u32 tcp, const struct sw_packet *syn,
				       const struct sw_cookie_answer *answer)
{
	int later = write_answer(ctx, tcp, syn, answer);

	return later >= 0 && !(later && bpf_xdp_adjust_head(ctx, later));
}

/* The same, without a call. */
static __always_inline bool put_answer_here(struct xdp_md *ctx, __u32 tcp,
					    const struct sw_packet *syn,
					    const struct sw_cookie_answer *answer)
{
	int later = write_here(ctx, tcp, syn, answer);

	return later >= 0 && !(later && bpf_xdp_adjust_head(ctx, later));
}

#endif
