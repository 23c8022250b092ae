// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is remembered for a while: a source that has answered a challenge, for a minute, and never
 * again when clocks go round; and that a listener was heard, for seconds.
 */
#include "../../include/synward/cookie.h"
#include "../../bpf/core/hash.h"
#include "../lib/sequences.h"
#include "../lib/enforce.h"

#define BUCKETS	      64
#define EVENT_RECORDS 1024U
#define WEB	      80
#define SECOND	      1000000000ULL
#define HOUR	      (3600 * SECOND)

static struct prog prog;
static bool v6;

static void put(const struct bpf_map *map, __u32 key, const void *value)
{
	must(!bpf_map_update_elem(bpf_map__fd(map), &key, value, BPF_ANY), bpf_map__name(map));
}

/* Every SYN to the service is answered in this way from here on. */
static void defend(enum sw_flood_way way)
{
	const struct sw_cookie_offer offer = { .ttl = 64, .ways = { way, way, way, way } };

	put(prog.skeleton->maps.cookie_offers, 0, &offer);
}

static int reset(void **state)
{
	struct setup setup = setup_ordinary();
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_add(policy, "web", NULL, WEB, WEB);
	__u32 slot;

	v6 = *state;
	setup.handshake_buckets = BUCKETS;
	setup.connection_buckets = BUCKETS;
	prog_reset_policies(&prog, &setup);
	prog_clear(prog.skeleton->maps.verified, 1);
	rules->flood.mode = SW_FLOOD_ALWAYS;
	rules->enforce = true;
	slot = policy_install(&prog, policy, 0);
	prog_begin_flood(&prog, slot * SW_SERVICE_SLOTS);
	return 0;
}

static __u32 verdict_on(struct segment segment)
{
	if (segment.sport < 40000)
		segment.sport = 40000;
	segment.dport = WEB;
	return prog_receive(&prog, &segment, v6);
}

static void wait_ms(__u32 ms)
{
	prog.now_ns += ms * NS_PER_MS;
}

/* What the challenge that was sent acknowledges. */
static __u32 challenge(void)
{
	__u32 ack;

	memcpy(&ack, prog.after + 14 + (v6 ? 40 : 20) + 8, sizeof(ack));
	return sw_ntohl(ack);
}

static void for_a_minute_and_never_again(void **state __unused)
{
	defend(SW_WAY_CHALLENGE);
	assert_int_equal(verdict_on(A_SYN()), XDP_TX);
	assert_int_equal(verdict_on(tcp(.flags = RST, .seq = challenge())), XDP_DROP);
	assert_int_equal(verdict_on(A_SYN()), XDP_PASS);
	prog.now_ns += 59 * SECOND;
	assert_int_equal(verdict_on(A_SYN()), XDP_PASS);
	prog.now_ns += 2 * SECOND;
	prog_sweep(&prog, true); /* the server would go on with a SYN that it knows */
	for (int hours = 0; hours < 24 * 45; hours += 12) {
		assert_int_equal(verdict_on(A_SYN()), XDP_TX);
		prog.now_ns += 12 * HOUR;
	}
}

/* Nor as many as it likes, where it has another way in; a proxy that is challenged has none. */
static void not_more_than_a_client_sends(void **state __unused)
{
	defend(SW_WAY_CHALLENGE);
	assert_int_equal(verdict_on(A_SYN()), XDP_TX);
	assert_int_equal(verdict_on(tcp(.flags = RST, .seq = challenge())), XDP_DROP);
	for (__u32 n = 0; n < 1000; n++)
		assert_int_equal(verdict_on(A_SYN(.sport = 50000 + n)), XDP_PASS);
	defend(SW_WAY_HANDOVER);
	for (int round = 0; round < 3; round++) {
		__u32 passed = 0;

		for (__u32 n = 0; n < 1000; n++)
			passed += verdict_on(A_SYN(.sport = 40001 + n + 1000 * round)) == XDP_PASS;
		assert_int_equal(passed, SW_VERIFIED_SYNS);
		wait_ms(1U << SW_VERIFIED_WINDOW_SHIFT);
	}
}

/* A SYN-ACK of the service has left just now. */
static void hear(void)
{
	const struct sw_addr server = end_address(SERVER, v6);
	const __u64 seed[2] = { prog.setup.seed[0], prog.setup.seed[1] };
	__u64 hash = mix_end(&server, WEB, seed);
	__u32 now_ms = prog.now_ns / NS_PER_MS;
	struct sw_addressees line = {};

	line.of[2].heard = (hash >> 32 | 1) << 32 | (now_ms & ~15U) | SW_HEARD_HERE;
	line.of[2].asked = now_ms >> 4;
	put(prog.skeleton->maps.addressees, hash & (SW_ADDRESSEE_LINES - 1), &line);
}

static __u32 verdict_on_next(void)
{
	static __u32 number;

	return verdict_on(A_SYN(.from = FIRST_NUMBERED + number++));
}

/* The kernel honours its cookies only while it sends some: it has to be heard doing so. */
static void the_kernel_is_asked_again_and_again(void **state __unused)
{
	defend(SW_WAY_KERNEL);
	for (int i = 0; i < 3; i++) {
		for (int syns = 0; syns < 3; syns++)
			assert_int_equal(verdict_on_next(), XDP_PASS);
		hear();
		assert_int_equal(verdict_on_next(), XDP_TX);
		wait_ms(SW_HEARD_FRESH_MS - 20);
		assert_int_equal(verdict_on_next(), XDP_TX);
		wait_ms(40);
		for (int asked = 0; asked < 3; asked++) {
			assert_int_equal(verdict_on_next(), XDP_PASS);
			for (int syns = 0; syns < 3; syns++)
				assert_int_equal(verdict_on_next(), XDP_TX);
			wait_ms(SW_ASK_AGAIN_MS);
		}
		wait_ms(SW_HEARD_VALID_MS);
	}
}

/* Neither when the clock has gone round, nor half the way round. */
static void what_was_heard_does_not_come_back(void **state __unused)
{
	defend(SW_WAY_KERNEL);
	hear();
	assert_int_equal(verdict_on_next(), XDP_TX);
	for (int hours = 0; hours < 24 * 49; hours += 12) {
		prog.now_ns += 12 * HOUR;
		assert_int_equal(verdict_on_next(), XDP_PASS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(for_a_minute_and_never_again),
		EACH_FAMILY(not_more_than_a_client_sends),
		EACH_FAMILY(the_kernel_is_asked_again_and_again),
		EACH_FAMILY(what_was_heard_does_not_come_back),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
