/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_ENFORCE_H
#define SYNWARD_TESTS_ENFORCE_H

/*
 * Policies of several services for the loaded program: made here, put into a slot and switched to as
 * user/policy does it; and what the program knows of services and sources then. For tests of
 * cmocka, whose headers must be there.
 */

#include "../../include/synward/cookie.h"
#include "../../user/base/address.h"
#include "prog.h"

#include <unistd.h>

/* A test case, after reset(), for each family: its state is NULL for IPv4. */
#define EACH_FAMILY(name)                                                                          \
	{ #name ", IPv4", name, reset, NULL, NULL },                                               \
	{                                                                                          \
#name ", IPv6", name, reset, NULL, (void *)1                                       \
	}

/* ---- making policies */

#define SW_AUTO_POLICY SW_AUTO_FREE struct sw_policy *

/* The default policy, for the caller to change, and to free. */
static inline struct sw_policy *policy_new(void)
{
	struct sw_policy *policy = malloc(sizeof(*policy));

	must(policy, "malloc");
	sw_policy_default(policy);
	return policy;
}

static inline struct sw_rules *policy_default_rules(struct sw_policy *policy)
{
	return &policy->rules[SW_SERVICE_DEFAULT];
}

/* Strict rules in force for all, once an interface has been watched for so long. */
static inline struct sw_policy *policy_strict(__u32 warm_up_ms)
{
	struct sw_policy *policy = policy_new();
	struct sw_rules *rules = policy_default_rules(policy);

	rules->enforce = 1;
	rules->strict = 1;
	rules->warm_up_ms = warm_up_ms;
	return policy;
}

/*
 * Adds a service with the default's rules, for the caller to change. prefix NULL: of any address;
 * first 0: of any port. Its number is known once the policy is installed, which sorts services.
 */
static inline struct sw_rules *policy_add(struct sw_policy *policy, const char *name,
					  const char *prefix, __u16 first, __u16 last)
{
	struct sw_service *service = &policy->services[policy->service_count];
	struct sw_rules *rules = &policy->rules[policy->service_count++];

	*service = (struct sw_service){};
	must(strlen(name) < sizeof(service->name), name);
	strcpy(service->name, name);
	if (prefix)
		must(sw_parse_prefix(prefix, &service->prefixes[service->prefix_count++]) ==
			     SW_PREFIX_FINE,
		     prefix);
	if (first)
		service->ports[service->port_count++] = (struct sw_port_range){ first, last };
	*rules = *policy_default_rules(policy);
	return rules;
}

/* ---- putting them into the kernel */

static inline struct sw_policy_state prog_policy_state(const struct prog *prog)
{
	struct sw_policy_state state;
	__u32 zero = 0;

	must(bpf_map_lookup_elem(bpf_map__fd(prog->skeleton->maps.data_policy_state), &zero,
				 &state) == 0,
	     "policy_state");
	return state;
}

/* Asks the program for a change. Returns whether it did it. */
static inline bool policy_switch(struct prog *prog, enum sw_switch_verb verb, __u32 slot,
				 __u32 deadline_ms)
{
	struct sw_switch_request request = { .verb = verb,
					     .slot = slot,
					     .deadline_ms = deadline_ms };
	__u32 verdict;

	verdict = prog_test_run(prog, prog->skeleton->progs.sw_switch, &request, sizeof(request),
				1);
	must(verdict == XDP_PASS || verdict == XDP_DROP, "sw_switch");
	return verdict == XDP_PASS;
}

static inline void prog_remove_nets(const struct prog *prog, __u32 slot)
{
	int fd = bpf_map__fd(prog->skeleton->maps.service_nets);
	struct sw_service_prefix_key key, *before = NULL;

	while (!bpf_map_get_next_key(fd, before, &key)) {
		if (key.slot == slot) {
			must(!bpf_map_delete_elem(fd, &key), "service_nets");
			before = NULL;
		} else {
			before = &key;
		}
	}
}

static inline void prog_add_nets(const struct prog *prog, __u32 slot,
				 const struct sw_policy *policy)
{
	SW_AUTO_FREE struct sw_policy_net *nets = calloc(SW_POLICY_NETS, sizeof(*nets));
	size_t count = sw_policy_nets(policy, nets, SW_POLICY_NETS);

	for (size_t i = 0; i < count; i++) {
		const struct sw_service_prefix_key key = { .length = 32 + nets[i].prefix.length,
							   .slot = slot,
							   .addr = nets[i].prefix.addr };

		must(!bpf_map_update_elem(bpf_map__fd(prog->skeleton->maps.service_nets), &key,
					  &nets[i].services, BPF_ANY),
		     "service_nets");
	}
}

static inline __u32 free_slot(const struct sw_policy_state *state)
{
	__u32 slot = 0;

	while (slot == state->active || slot == state->fallback)
		slot++;
	return slot;
}

/*
 * Writes a policy into a slot that is neither active nor the one to go back to. Its generation is one
 * that no other has had. Returns the slot.
 */
static inline __u32 policy_put(struct prog *prog, struct sw_policy *policy)
{
	static __u32 generation = 1000;
	struct sw_policy_state state = prog_policy_state(prog);
	const struct sw_service_state none = {};
	__u32 slot = free_slot(&state);

	must(sw_policy_compile(policy) == 0, "compile");
	policy->generation = generation++;
	must(!bpf_map_update_elem(bpf_map__fd(prog->skeleton->maps.policies), &slot, policy,
				  BPF_ANY),
	     "policies");
	prog_remove_nets(prog, slot);
	prog_add_nets(prog, slot, policy);
	for (__u32 i = 0; i < SW_SERVICE_SLOTS; i++) {
		__u32 key = slot * SW_SERVICE_SLOTS + i;

		must(!bpf_map_update_elem(bpf_map__fd(prog->skeleton->maps.service_state), &key,
					  &none, BPF_ANY),
		     "service_state");
	}
	return slot;
}

/* Makes a policy the active one; with deadline_ms it is taken back then, unless confirmed. */
static inline __u32 policy_install(struct prog *prog, struct sw_policy *policy, __u32 deadline_ms)
{
	__u32 slot = policy_put(prog, policy);

	must(policy_switch(prog, SW_SWITCH_ACTIVATE, slot, deadline_ms), "activate");
	return slot;
}

/* To be written back with prog_set() only while nothing else changes them. */
static inline struct sw_settings prog_settings(const struct prog *prog)
{
	struct sw_settings settings;
	__u32 zero = 0;

	must(!bpf_map_lookup_elem(bpf_map__fd(prog->skeleton->maps.data_settings), &zero,
				  &settings),
	     "settings");
	return settings;
}

/* SYNs that come in are answered for the hand-over, with all options. */
static inline void prog_offer_cookies(const struct prog *prog)
{
	const __u8 way = SW_WAY_HANDOVER;
	const struct sw_cookie_offer offer = { .mss4 = 1460,
					       .mss6 = 1440,
					       .window = 64000,
					       .wscale = 9,
					       .ttl = 61,
					       .options = SW_OFFER_ALL,
					       .ways = { way, way, way, way } };
	const __u32 slot = 0;

	must(!bpf_map_update_elem(bpf_map__fd(prog->skeleton->maps.cookie_offers), &slot, &offer,
				  BPF_ANY),
	     "cookie_offers");
}

/* A service, as service_key() has it, answers SYNs, as after the sweeper has looked. */
static inline void prog_begin_flood(const struct prog *prog, __u32 key)
{
	const struct sw_flood_state flood = { .on = 1, .honour = 1 };
	struct sw_settings settings = prog_settings(prog);

	must(!bpf_map_update_elem(bpf_map__fd(prog->skeleton->maps.floods), &key, &flood, BPF_ANY),
	     "floods");
	settings.cookies_sent = 1;
	prog_set(prog->skeleton->maps.data_settings, &settings);
}

static inline void prog_arm_rules(const struct prog *prog, bool armed)
{
	const __u32 value = armed;

	prog_set(prog->skeleton->maps.data_armed, &value);
}

/* The keys are any bytes; count of them are removed, or all. */
static inline void prog_empty(const struct bpf_map *map)
{
	SW_AUTO_FREE void *key = malloc(bpf_map__key_size(map));

	while (!bpf_map_get_next_key(bpf_map__fd(map), NULL, key))
		must(!bpf_map_delete_elem(bpf_map__fd(map), key), bpf_map__name(map));
}

/* As prog_reset(), and all that policies leave behind is gone, too. */
static inline void prog_reset_policies(struct prog *prog, const struct setup *setup)
{
	const struct sw_policy_state state = { .fallback = SW_POLICY_SLOTS };

	prog_reset(prog, setup);
	prog_set(prog->skeleton->maps.data_policy_state, &state);
	prog_clear(prog->skeleton->maps.service_counts, sw_cpu_count());
	prog_clear(prog->skeleton->maps.owners, 1);
	prog_clear(prog->skeleton->maps.sources, 1);
	prog_clear(prog->skeleton->maps.suspects, 1);
	prog_clear(prog->skeleton->maps.proven, 1);
	prog_empty(prog->skeleton->maps.auto_blocks);
	prog_empty(prog->skeleton->maps.protected);
	prog_empty(prog->skeleton->maps.service_nets);
	prog_empty(prog->skeleton->maps.own_addresses);
	prog_clear(prog->skeleton->maps.interfaces, 1);
	prog_empty(prog->skeleton->maps.attached);
}

/* ---- what is known of services and sources */

static inline __u32 service_key(__u32 slot, __u32 service)
{
	return slot * SW_SERVICE_SLOTS + service;
}

/* From here on every SYN is answered, whoever it is for. */
static inline void prog_answer_syns(struct prog *prog)
{
	SW_AUTO_POLICY policy = policy_new();

	policy_default_rules(policy)->flood.mode = SW_FLOOD_ALWAYS;
	policy_default_rules(policy)->enforce = true;
	prog_begin_flood(prog, service_key(policy_install(prog, policy, 0), SW_SERVICE_DEFAULT));
}

static inline struct sw_service_state prog_service_state(const struct prog *prog, __u32 slot,
							 __u32 service)
{
	__u32 key = service_key(slot, service);
	struct sw_service_state state;

	must(!bpf_map_lookup_elem(bpf_map__fd(prog->skeleton->maps.service_state), &key, &state),
	     "service_state");
	return state;
}

static inline void prog_set_service_state(const struct prog *prog, __u32 slot, __u32 service,
					  const struct sw_service_state *state)
{
	__u32 key = service_key(slot, service);

	must(!bpf_map_update_elem(bpf_map__fd(prog->skeleton->maps.service_state), &key, state,
				  BPF_ANY),
	     "service_state");
}

static inline __s64 prog_half_open(const struct prog *prog, __u32 slot, __u32 service)
{
	return prog_service_state(prog, slot, service).half_open;
}

/* Of all sources of all services together. */
static inline __u64 prog_half_open_of_sources(const struct prog *prog)
{
	SW_AUTO_FREE struct sw_source_bucket *buckets = prog_table(prog->skeleton->maps.sources);
	__u64 sum = 0;

	for (__u32 i = 0; i < SW_SOURCE_BUCKETS * SW_SOURCE_WAYS; i++)
		sum += buckets[i / SW_SOURCE_WAYS].sources[i % SW_SOURCE_WAYS].half_open;
	return sum;
}

static inline struct sw_service_counters prog_service_counts(const struct prog *prog, __u32 slot,
							     __u32 service)
{
	const struct bpf_map *map = prog->skeleton->maps.service_counts;
	struct sw_service_counters counts;
	__u32 key = bpf_map__max_entries(map) > SW_SERVICE_SLOTS ? service_key(slot, service) :
								   service;

	memset(&counts, 0, sizeof(counts));
	must(!sw_percpu_sum(bpf_map__fd(map), key, &counts, sizeof(counts)), "service_counts");
	return counts;
}

/* ---- packets */

/* Gives a frame without VLAN tags other addresses, both of its own family. */
static inline void frame_set_ends(struct frame *frame, bool v6, const struct sw_addr *src,
				  const struct sw_addr *dst)
{
	__u8 *ip = frame->bytes + sizeof(struct wire_ethernet);

	if (v6) {
		memcpy(ip + offsetof(struct wire_ipv6, source), src, sizeof(*src));
		memcpy(ip + offsetof(struct wire_ipv6, destination), dst, sizeof(*dst));
	} else {
		memcpy(ip + offsetof(struct wire_ipv4, source), &src->words[3], 4);
		memcpy(ip + offsetof(struct wire_ipv4, destination), &dst->words[3], 4);
	}
}

/* What becomes of a segment that comes in, which may be answered: prog->after is the answer then. */
static inline __u32 prog_receive(struct prog *prog, const struct segment *segment, bool v6)
{
	struct frame frame;

	frame_build(&frame, segment, v6);
	return prog_frame(prog, HOOK_XDP, &frame);
}

/* One segment, after the time that it says; whatever becomes of it, it comes out as it went in. */
static inline __u32 prog_segment(struct prog *prog, enum hook hook, const struct segment *segment,
				 bool v6)
{
	struct frame frame;
	__u32 verdict;

	prog->now_ns += segment->after_ms * NS_PER_MS + segment->after_us * 1000ULL;
	frame_build(&frame, segment, v6);
	verdict = prog_frame(prog, hook, &frame);
	assert_int_equal(prog->after_length, frame.captured);
	assert_memory_equal(prog->after, frame.bytes, frame.captured);
	return verdict;
}

/* The same through XDP, of a client of any address. */
static inline __u32 prog_segment_of(struct prog *prog, const struct sw_addr *client,
				    const struct segment *segment)
{
	bool v6 = !sw_addr_is_v4(client);
	struct sw_addr server = end_address(SERVER, v6);
	struct frame frame;
	__u32 verdict;

	prog->now_ns += segment->after_ms * NS_PER_MS + segment->after_us * 1000ULL;
	frame_build(&frame, segment, v6);
	if (segment->from == SERVER)
		frame_set_ends(&frame, v6, &server, client);
	else
		frame_set_ends(&frame, v6, client, &server);
	verdict = prog_frame(prog, HOOK_XDP, &frame);
	assert_memory_equal(prog->after, frame.bytes, frame.captured);
	return verdict;
}

static inline struct sw_addr address_of(const char *text)
{
	struct sw_prefix prefix;

	must(sw_parse_prefix(text, &prefix) == SW_PREFIX_FINE && prefix.length == 128, text);
	return prefix.addr;
}

/* seen = passed + dropped + answered, and dropped is what is expected. */
static inline void assert_conserved_traffic(const struct sw_traffic *traffic, __u64 seen,
					    __u64 dropped)
{
	assert_int_equal(traffic->seen, seen);
	assert_int_equal(traffic->verdicts[SW_VERDICT_DROPPED], dropped);
	assert_int_equal(traffic->verdicts[SW_VERDICT_ANSWERED], 0);
	assert_int_equal(traffic->verdicts[SW_VERDICT_PASSED], seen - dropped);
}

#endif
