/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_LISTENER_H
#define SYNWARD_LISTENER_H

/*
 * What the kernel knows of a listener: how many connections wait there to be accepted, its keys, whether
 * it can be given handshakes, and what its network namespace lets it agree on with clients.
 */

#include "adopt.h"
#include "kernel_sockets.h"
#include "policy.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

struct sw_queue {
	__u32 waiting;
	__u32 room;
};

/* As the kernel has it (sk_acceptq_is_full() in include/net/sock.h): there is room for one more. */
static __always_inline bool queue_is_full(const struct sw_queue *queue)
{
	return queue->waiting > queue->room;
}

static __always_inline struct sw_queue queue_of(const struct tcp_sock *listener)
{
	const struct sock *sk = (const struct sock *)listener;

	return (struct sw_queue){ sk->sk_ack_backlog, sk->sk_max_ack_backlog };
}

static __always_inline struct bpf_sock *find_socket(void *ctx, const struct sw_packet *packet)
{
	return socket_of(ctx, &packet->src, packet->sport, &packet->dst, packet->dport);
}

/*
 * Where a field of a listener is a pointer, BPF_CORE_READ() gets it, and what it points to: each time that the verifier
 * of Linux 6.18 sees a plain load of one, it looks through all names of the kernel's BTF, several times. That made a
 * tenth of what an attach takes.
 */

/* Has a listener ever been given keys, for any of its peers? */
static __always_inline bool has_keys(const struct tcp_sock *listener)
{
	return (bpf_core_field_exists(listener->md5sig_info) &&
		BPF_CORE_READ(listener, md5sig_info)) ||
	       (bpf_core_field_exists(listener->ao_info) && BPF_CORE_READ(listener, ao_info));
}

/* Does the listener speak MPTCP, as those of Go do by themselves? */
static __always_inline bool is_multipath(const struct tcp_sock *listener)
{
	return bpf_core_field_exists(listener->is_mptcp) && listener->is_mptcp;
}

/* Its fields, too, are got by BPF_CORE_READ(). */
static __always_inline const struct netns_ipv4 *sysctls_of(const struct tcp_sock *listener)
{
	const struct net *net = BPF_CORE_READ((const struct sock *)listener,
					      __sk_common.skc_net.net);

	return &net->ipv4;
}

/* As the sysctl says: 0 none, 1 when a queue is full, 2 always. */
static __always_inline __u8 sends_cookies(const struct tcp_sock *listener)
{
	return BPF_CORE_READ(sysctls_of(listener), sysctl_tcp_syncookies);
}

/*
 * Does the kernel take handshakes for the listener? It refuses one of MPTCP, and all without its SYN
 * cookies. For a listener with keys it would, and open a connection that nobody has signed.
 */
static __always_inline bool takes_handovers(const struct tcp_sock *listener)
{
	return !has_keys(listener) && !is_multipath(listener) && sends_cookies(listener);
}

/* The kernel believes in cookies for two minutes after a listener, or one of its group, has sent one. */
#define SENT_COOKIE_MS 60000U

/* Does the kernel believe in cookies that come back to a listener? Not if that has just begun. */
static __always_inline bool takes_kernel_cookies(const struct tcp_sock *listener)
{
	const struct sock_reuseport *group = BPF_CORE_READ((const struct sock *)listener,
							   sk_reuseport_cb);
	__u32 sent = group ? BPF_CORE_READ(group, synq_overflow_ts) :
			     listener->rx_opt.ts_recent_stamp;

	return sent &&
	       ((__u32)bpf_jiffies64() - sent) * (__u64)load.tick_ms_q20 >> 20 < SENT_COOKIE_MS;
}

/* What a listener may agree on with its clients now: SW_OFFER_*. */
static __always_inline __u8 offers_of(const struct tcp_sock *listener)
{
	const struct netns_ipv4 *sysctls = sysctls_of(listener);
	__u8 options = 0;

	if (BPF_CORE_READ(sysctls, sysctl_tcp_timestamps))
		options |= SW_OFFER_TIMESTAMP;
	if (BPF_CORE_READ(sysctls, sysctl_tcp_window_scaling))
		options |= SW_OFFER_WSCALE;
	if (BPF_CORE_READ(sysctls, sysctl_tcp_sack))
		options |= SW_OFFER_SACK;
	if (BPF_CORE_READ(sysctls, sysctl_tcp_ecn))
		options |= SW_OFFER_ECN;
	return options;
}

/*
 * Does the listener of a SYN that came in check signatures? Then it does so before it remembers
 * anything. One without keys, or a kernel that does not know them, takes any SYN.
 */
__noinline int checks_signatures(ingress_ctx *ctx, const struct sw_packet *syn)
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
