/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_LISTS_H
#define SYNWARD_LISTS_H
#include "../include/synward/list.h"
#include "maps.h"
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SW_MAX_AUTO_BLOCKS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct sw_addr);
	__type(value, struct sw_auto_blocked);
} auto_blocks SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct sw_protected_key);
	__type(value, __u32);
} protected SEC(".maps");
__noinline int list_lookup(__u32 which, const struct sw_addr *addr)
{
	return addr && which == 7;
}
static __always_inline __u32 boot_seconds(void)
{
	return bpf_ktime_get_boot_ns() / 1000000000;
}
#endif
