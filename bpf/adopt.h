/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_ADOPT_H
#define SYNWARD_ADOPT_H

/*
 * Connections that are older than the attach, or whose entry was evicted: when a segment belongs to
 * nothing known, the kernel is asked whether one of its sockets is synchronised on that flow.
 */

#include "core/packet.h"
#include "core/wire.h"
#include "kernel_sockets.h"
#include "maps.h"

/* of the kernel's enum in net/tcp_states.h, which BTF does not name in all versions */
enum {
	TCP_STATE_ESTABLISHED = 1,
	TCP_STATE_SYN_SENT = 2,
	TCP_STATE_SYN_RECV = 3,
	TCP_STATE_FIN_WAIT1 = 4,
	TCP_STATE_FIN_WAIT2 = 5,
	TCP_STATE_CLOSE_WAIT = 8,
	TCP_STATE_LAST_ACK = 9,
	TCP_STATE_LISTEN = 10,
	TCP_STATE_CLOSING = 11,
	TCP_STATE_NEW_SYN_RECV = 12,
};

#define SYNCHRONISED                                                                               \
	(1 << TCP_STATE_ESTABLISHED | 1 << TCP_STATE_FIN_WAIT1 | 1 << TCP_STATE_FIN_WAIT2 |        \
	 1 << TCP_STATE_CLOSE_WAIT | 1 << TCP_STATE_LAST_ACK | 1 << TCP_STATE_CLOSING)

/* A handshake that goes on, of which the tables may have lost what they knew. */
#define IN_HANDSHAKE                                                                               \
	(1 << TCP_STATE_SYN_SENT | 1 << TCP_STATE_SYN_RECV | 1 << TCP_STATE_NEW_SYN_RECV)

#define THIS_NETNS (-1)

/* Fills in the tuple of a flow, remote and local as the host sees them. Returns its size. */
static __always_inline __u32 socket_tuple(struct bpf_sock_tuple *tuple,
					  const struct sw_addr *remote, __u16 remote_port,
					  const struct sw_addr *local, __u16 local_port)
{
	if (sw_addr_is_v4(remote)) {
		tuple->ipv4.saddr = remote->words[3];
		tuple->ipv4.daddr = local->words[3];
		tuple->ipv4.sport = sw_htons(remote_port);
		tuple->ipv4.dport = sw_htons(local_port);
		return sizeof(tuple->ipv4);
	}
	for (int i = 0; i < 4; i++) {
		tuple->ipv6.saddr[i] = remote->words[i];
		tuple->ipv6.daddr[i] = local->words[i];
	}
	tuple->ipv6.sport = sw_htons(remote_port);
	tuple->ipv6.dport = sw_htons(local_port);
	return sizeof(tuple->ipv6);
}

/* The socket that this host has for a flow, a listener's if none but that; to be released. */
static __always_inline struct bpf_sock *socket_of(void *ctx, const struct sw_addr *remote,
						  __u16 remote_port, const struct sw_addr *local,
						  __u16 local_port)
{
	struct bpf_sock_tuple tuple = {};
	__u32 size = socket_tuple(&tuple, remote, remote_port, local, local_port);

	return bpf_skc_lookup_tcp(ctx, &tuple, size, THIS_NETNS, 0);
}

/* Its state; 0: there is none. */
static __always_inline __u32 socket_state(void *ctx, const struct sw_addr *remote,
					  __u16 remote_port, const struct sw_addr *local,
					  __u16 local_port)
{
	struct bpf_sock *sk = socket_of(ctx, remote, remote_port, local, local_port);
	__u32 state;

	if (!sk)
		return 0;
	state = sk->state;
	bpf_sk_release(sk);
	return state;
}

/* What this host has of a flow. */
enum holding {
	HOLDS_NOTHING,
	HOLDS_ATTEMPT, /* its handshake: the kernel decides what becomes of it */
	HOLDS_CONNECTION,
	HOLDS_BEGINNING, /* a connection whose handshake has just been completed */
};

static __always_inline bool holds_connection(enum holding held)
{
	return held == HOLDS_CONNECTION || held == HOLDS_BEGINNING;
}

/* So few segments have come to the socket of one that has just begun. */
#define BEGINNING_SEGMENTS 8U

static __always_inline enum holding what_socket_holds(struct bpf_sock *sk)
{
	const struct tcp_sock *connection;

	if (sk->state >= 32)
		return HOLDS_NOTHING;
	if (!(1U << sk->state & SYNCHRONISED))
		return 1U << sk->state & IN_HANDSHAKE ? HOLDS_ATTEMPT : HOLDS_NOTHING;
	if (!load.followed || sk->state != TCP_STATE_ESTABLISHED)
		return HOLDS_CONNECTION; /* nobody wants to know */
	connection = bpf_skc_to_tcp_sock(sk);
	return connection && connection->segs_in <= BEGINNING_SEGMENTS ? HOLDS_BEGINNING :
									 HOLDS_CONNECTION;
}

/* Asks what it has of that of a packet which it receives or sends. Its tuple takes none of the caller's stack. */
static __noinline enum holding what_kernel_holds(void *ctx, const struct sw_packet *packet,
						 enum sw_direction direction)
{
	bool comes = direction == SW_INGRESS;
	enum holding held;
	struct bpf_sock *sk;

	sk = socket_of(ctx, comes ? &packet->src : &packet->dst,
		       comes ? packet->sport : packet->dport, comes ? &packet->dst : &packet->src,
		       comes ? packet->dport : packet->sport);
	if (!sk)
		return HOLDS_NOTHING;
	held = what_socket_holds(sk);
	bpf_sk_release(sk);
	return held;
}

/* Does a socket of this host wait for the SYN-ACK that came in? */
__noinline int is_awaited(ingress_ctx *ctx, const struct sw_packet *packet)
{
	return packet && socket_state(ctx, &packet->src, packet->sport, &packet->dst,
				      packet->dport) == TCP_STATE_SYN_SENT;
}

/*
 * Has this host for the flow of a packet that came in nothing but a listener? Where it has nothing at
 * all, the flow may be one that it forwards, under an address of its own.
 */
static __noinline bool only_listens(void *ctx, const struct sw_packet *packet)
{
	return socket_state(ctx, &packet->src, packet->sport, &packet->dst, packet->dport) ==
	       TCP_STATE_LISTEN;
}

#endif
