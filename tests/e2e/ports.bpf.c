// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Stands in for xdp_synproxy: has its map of ports, and passes nothing unless 443 is in it. */
#include "../../include/synward/base.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u16);
	__uint(max_entries, 8);
} allowed_ports SEC(".maps");

SEC("xdp")
int only_with_port(struct xdp_md *ctx __unused)
{
	__u32 first = 0;
	const __u16 *port = bpf_map_lookup_elem(&allowed_ports, &first);

	return port && *port == 443 ? XDP_PASS : XDP_DROP;
}
