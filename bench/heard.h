/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_HEARD_H
#define SYNWARD_BENCH_HEARD_H

/*
 * A SYN is answered only in the stead of a listener that was heard. No packet leaves here: a real
 * listener stands on the port of the frames, in a network namespace of its own, and what was heard
 * of it is written.
 */

#include "../bpf/core/hash.h"
#include "../user/base/cleanup.h"
#include "../user/base/error.h"
#include "frame.h"

#include <synward/load.h>
#include <synward/tables.h>

#include <bpf/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

/* The listener is there until the process ends. Returns 0, or a negative errno with its line recorded. */
static inline int stand_apart(void)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6,
					  .sin6_port = htons(FRAME_RESP_PORT) };
	int fd;

	if (unshare(CLONE_NEWNET))
		return sw_error(-errno, "cannot make a network namespace: %s",
				sw_errno_text(-errno));
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof(any)) || listen(fd, 4096))
		return sw_error(-errno, "cannot listen: %s", sw_errno_text(-errno));
	return 0;
}

/* Writes that the responder of the frames was heard at a time of the program's clock. */
static inline int write_heard(int fd, const struct load_constants *load, __u32 now_ms)
{
	const __u64 seed[2] = { load->seed[0], load->seed[1] };

	for (int v6 = 0; v6 < 2; v6++) {
		struct sw_addr responder = { .words[2] = SW_V4_MAPPED_WORD };
		struct sw_addressees line = {};
		__u64 hash;
		__u32 key;

		inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? "2001:db8:1::2" : "192.0.2.2",
			  v6 ? &responder.words[0] : &responder.words[3]);
		hash = mix_end(&responder, FRAME_RESP_PORT, seed); /* of slot 0 */
		key = hash & (SW_ADDRESSEE_LINES - 1);
		line.of[0].heard = (hash >> 32 | 1) << 32 | (now_ms & ~15U) | SW_HEARD_HERE;
		if (bpf_map_update_elem(fd, &key, &line, BPF_ANY))
			return sw_error(-errno, "cannot write who was heard: %s",
					sw_errno_text(errno));
	}
	return 0;
}

#endif
