/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_LISTENER_H
#define SYNWARD_LISTENER_H

/* What the kernel knows of a listener: how many connections wait there to be accepted, and its keys. */

#include "adopt.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Of the kernel's structure only what is read; CO-RE finds where that is. */
struct sock {
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
} __attribute__((preserve_access_index));

/* Either field is there only if the kernel was built with it. */
struct tcp_sock {
	const void *md5sig_info;
	const void *ao_info;
} __attribute__((preserve_access_index));

struct sw_queue {
	__u32 waiting;
	__u32 room;
};

/* As the kernel has it (sk_acceptq_is_full() in include/net/sock.h): there is room for one more. */
static __always_inline bool queue_is_full(const struct sw_queue *queue)
{
	return queue->waiting > queue->room;
}

static __always_inline struct sw_queue queue_of(struct tcp_sock *listener)
{
	const struct sock *sk = (const struct sock *)listener;

	return (struct sw_queue){ sk->sk_ack_backlog, sk->sk_max_ack_backlog };
}

static __always_inline struct bpf_sock *find_socket(void *ctx, const struct sw_packet *packet)
{
	struct bpf_sock_tuple tuple = {};
	__u32 size = socket_tuple(&tuple, &packet->src, packet->sport, &packet->dst, packet->dport);

	return bpf_skc_lookup_tcp(ctx, &tuple, size, THIS_NETNS, 0);
}

/* Of the listener that a SYN, which came in, is for. Returns whether there is one. */
static __always_inline bool accept_queue(void *ctx, const struct sw_packet *syn,
					 struct sw_queue *queue)
{
	struct bpf_sock *found = find_socket(ctx, syn);
	struct tcp_sock *listener = NULL;

	if (!found)
		return false;
	if (found->state == TCP_STATE_LISTEN)
		listener = bpf_skc_to_tcp_sock(found);
	if (listener)
		*queue = queue_of(listener);
	bpf_sk_release(found);
	return listener;
}

/* Has a listener ever been given keys, for any of its peers? */
static __always_inline bool has_keys(const struct tcp_sock *listener)
{
	return (bpf_core_field_exists(listener->md5sig_info) && listener->md5sig_info) ||
	       (bpf_core_field_exists(listener->ao_info) && listener->ao_info);
}

/*
 * Does the listener of a SYN that came in check signatures? Then it does so before it remembers
 * anything. One without keys, or a kernel that does not know them, takes any SYN.
 */
__noinline int checks_signatures(struct xdp_md *ctx, const struct sw_packet *syn)
{
	struct bpf_sock *found = syn ? find_socket(ctx, syn) : NULL;
	const struct tcp_sock *listener = NULL;
	bool checks = false;

	if (!found)
		return 0;
	if (found->state == TCP_STATE_LISTEN)
		listener = bpf_skc_to_tcp_sock(found);
	if (listener)
		checks = has_keys(listener);
	bpf_sk_release(found);
	return checks;
}

#endif
