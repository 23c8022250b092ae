// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Listens for why the kernel does not attach an XDP link (Linux 6.6): mostly the driver's own sentence, of which
 * the system call returns only a number. Loaded when one was refused, for the moment in which it is tried again.
 */
#include "../include/synward/refusal.h"

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Who is asked about; what others try meanwhile is not meant. */
const volatile struct refusal_asker asker;

char words[SW_REFUSAL_WORDS];

/* Of the kernel's structure of that name. */
struct bpf_pidns_info {
	__u32 pid;
	__u32 tgid;
};

SEC("raw_tp/bpf_xdp_link_attach_failed")
int sw_refusal(const __u64 *args)
{
	struct bpf_pidns_info who = {};

	if (!bpf_get_ns_current_pid_tgid(asker.device, asker.inode, &who, sizeof(who)) &&
	    who.tgid == asker.process)
		bpf_probe_read_kernel_str(words, sizeof(words), (const void *)args[0]);
	return 0;
}
