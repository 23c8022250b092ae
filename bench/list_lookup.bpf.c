// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The lookup of the lists by itself: what bench_lists measures, and what tests/prog/test_lists asks. */
#include "../bpf/lists.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* What the program is asked: the list, and the addresses to go through, one for each run. */
#define QUESTIONS 65536

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, QUESTIONS);
	__type(key, __u32);
	__type(value, struct sw_addr);
} questions SEC(".maps");

__u32 asked_list;
__u32 next_question;
__u64 answered[2]; /* no, yes */

/* Returns 1 if the next address is in the list. */
SEC("xdp")
int ask(struct xdp_md *ctx __unused)
{
	__u32 index = next_question++ & (QUESTIONS - 1);
	struct sw_addr *addr = bpf_map_lookup_elem(&questions, &index);
	int answer;

	if (!addr)
		return 2;
	answer = list_lookup(asked_list, addr) & 1;
	answered[answer]++;
	return answer;
}

/* All of the above but the lookup. */
SEC("xdp")
int ask_nothing(struct xdp_md *ctx __unused)
{
	__u32 index = next_question++ & (QUESTIONS - 1);
	struct sw_addr *addr = bpf_map_lookup_elem(&questions, &index);

	if (!addr)
		return 2;
	answered[addr->words[3] & 1]++;
	return 1;
}
