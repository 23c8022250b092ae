// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What test_top runs: the sketch of heavy sources without the pipeline before it. Events come from a
 * map, many in a call, and so does the time.
 */
#include "../../bpf/top.h"
#include "top_events.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TOP_EVENTS);
	__type(key, __u32);
	__type(value, struct top_event);
} top_events SEC(".maps");

/* How many of them there are. */
__u32 event_count;

/* Only one program runs at a time, and on one CPU. */
__u64 random_state = 1;

static long note_event(__u32 i, void *context __unused)
{
	const struct top_event *event = bpf_map_lookup_elem(&top_events, &i);

	if (!event)
		return 1;
	top_note(&event->source, event->kind, event->now_ms);
	return 0;
}

SEC("xdp")
int note_events(struct xdp_md *ctx __unused)
{
	bpf_loop(event_count, note_event, NULL, 0);
	return XDP_PASS;
}

/* For the cost: a source that differs each time, with the sketch and without. */
static __always_inline __u32 next_source(struct sw_addr *source)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	source->halves[0] = 0;
	source->words[2] = SW_V4_MAPPED_WORD;
	source->words[3] = random_state >> 32;
	return bpf_jiffies64() * load.tick_ms_q20 >> 20;
}

/* Of type TC: a call for XDP waits for a grace period, which is more than what is measured. */
SEC("tc")
int cost_floor(struct __sk_buff *skb __unused)
{
	struct sw_addr source;
	__u32 now_ms = next_source(&source);

	return source.words[3] == now_ms ? TC_ACT_OK : TC_ACT_UNSPEC;
}

SEC("tc")
int cost_note(struct __sk_buff *skb __unused)
{
	struct sw_addr source;
	__u32 now_ms = next_source(&source);

	top_note(&source, SW_TOP_SYNS, now_ms);
	return source.words[3] == now_ms ? TC_ACT_OK : TC_ACT_UNSPEC;
}
