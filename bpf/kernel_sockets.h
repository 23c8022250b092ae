/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_KERNEL_SOCKETS_H
#define SYNWARD_KERNEL_SOCKETS_H

#include "../include/synward/base.h"

/* Of the kernel's structures only what is read; CO-RE finds where that is. */
struct netns_ipv4 {
	__u8 sysctl_tcp_ecn;
	__u8 sysctl_tcp_syncookies;
	__u8 sysctl_tcp_sack;
	__u8 sysctl_tcp_window_scaling;
	__u8 sysctl_tcp_timestamps;
} __attribute__((preserve_access_index));

struct net {
	struct netns_ipv4 ipv4;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} __attribute__((preserve_access_index)) possible_net_t;

struct sock_common {
	possible_net_t skc_net;
} __attribute__((preserve_access_index));

struct sock_reuseport {
	__u32 synq_overflow_ts;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
	const struct sock_reuseport *sk_reuseport_cb;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
} __attribute__((preserve_access_index));

struct tcp_options_received {
	__u32 ts_recent_stamp;
} __attribute__((preserve_access_index));

/* Each field is there only if the kernel was built with it. */
struct tcp_sock {
	struct tcp_options_received rx_opt;
	__u64 bytes_received;
	__u32 segs_in;
	bool is_mptcp;
	const void *md5sig_info;
	const void *ao_info;
} __attribute__((preserve_access_index));

#endif
