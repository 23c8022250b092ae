// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long packets look for cookies when none is sent any more: as long as one that was sent is good,
 * whatever the policy says by then, and no longer. The sweeper runs; the clock is the test's.
 */
#include "../lib/sequences.h"
#include "../lib/cookies.h"
#include "../lib/enforce.h"
#include "../lib/sweeper.h"

#define BUCKETS	      64
#define EVENT_RECORDS 1024U
#define PORT	      40000
#define SYNS	      10
#define CALM_MS	      1000
#define HONOUR_MS     (200U * 1000)
/* A cookie that is made as an epoch begins is good until two others are over. */
#define LIFE_MS (EPOCH_MS * (SW_COOKIE_MAX_AGE + 1))

static struct prog prog;
static bool v6;
static __u64 start_ms; /* where a case began: an epoch, too */

static void put(const struct bpf_map *map, __u32 key, const void *value)
{
	must(!bpf_map_update_elem(bpf_map__fd(map), &key, value, BPF_ANY), bpf_map__name(map));
}

/* Until the sweeper has looked for floods at the time that it is now. */
static void wait_for_look(void)
{
	prog_set_clock(&prog, 0);
	wait_for_ticks(&prog, SW_FLOOD_TICKS + 2);
}

/* Lets so much time of the case pass that it is as long as this; the sweeper misses no epoch. */
static void pass_until(__u32 ms)
{
	__u64 until = start_ms + ms, now;

	while ((now = prog.now_ns / NS_PER_MS) < until) {
		__u64 step = until - now < EPOCH_MS ? until - now : EPOCH_MS;

		prog.now_ns += step * NS_PER_MS;
		wait_for_look();
	}
}

static void install(enum sw_flood_mode mode)
{
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_default_rules(policy);

	rules->enforce = true;
	rules->flood.mode = mode;
	rules->flood.syn_rate = SYNS;
	rules->flood.calm_ms = CALM_MS;
	policy_install(&prog, policy, 0);
}

/* Time goes on from case to case, as the sweeper does. */
static int reset(void **state)
{
	struct setup setup = setup_ordinary();
	struct sw_cookie_keys keys;
	struct dice dice = { .state = 42 };

	v6 = *state;
	start_ms = (prog.now_ns / NS_PER_MS / EPOCH_MS + 2) * EPOCH_MS;
	setup.handshake_buckets = BUCKETS;
	setup.connection_buckets = BUCKETS;
	setup.start_ns = start_ms * NS_PER_MS;
	prog_clear(prog.skeleton->maps.floods, 1);
	prog_clear(prog.skeleton->maps.verified, 1);
	prog_reset_policies(&prog, &setup);
	keys = random_keys(&dice);
	put(prog.skeleton->maps.cookie_keys, 0, &keys);
	put(prog.skeleton->maps.cookie_offers, 0, &whole_offer);
	wait_for_look();
	return 0;
}

static __u64 accepted(void)
{
	return prog_result(&prog).counters.tallies[SW_TALLY_COOKIES_ACCEPTED];
}

static __u32 send_syn(__u16 sport)
{
	const struct segment syn = USUAL_SYN(.sport = sport, .dport = 80);

	return prog_receive(&prog, &syn, v6);
}

static void send_flood(void)
{
	for (__u16 i = 1; i <= SYNS; i++)
		send_syn(PORT + i);
}

/* A SYN is answered with a cookie. Returns the client's ACK. */
static struct segment ask(void)
{
	struct segment syn = USUAL_SYN(.sport = PORT, .dport = 80);
	struct sw_cookie_answer said = { .options = SW_OFFER_ALL };
	struct sw_packet answer = {};
	struct sw_cursor cursor;

	assert_int_equal(send_syn(PORT), XDP_TX);
	cursor = (struct sw_cursor){ prog.after, prog.after + prog.after_length };
	sw_parse(&cursor, prog.after_length, &answer);
	sw_parse_timestamp(&cursor, &answer);
	said.seq = answer.seq;
	said.ack = answer.ack;
	said.tsval = answer.tsval;
	return ack_to(&syn, &said);
}

/* By what is known of the service, or for cookies of an earlier policy. */
static bool looks_for_cookies(void)
{
	__u32 key = service_key(prog_policy_state(&prog).active, SW_SERVICE_DEFAULT);
	struct sw_flood_state state;

	must(!bpf_map_lookup_elem(bpf_map__fd(prog.skeleton->maps.floods), &key, &state), "floods");
	return state.honour || prog_settings(&prog).cookies_sent;
}

static bool has_defence(void)
{
	return prog_settings(&prog).policy >> SW_POLICY_FEATURE_SHIFT & SW_HAS_FLOOD_DEFENCE;
}

/* A client takes until just before the end; nobody looks for one that comes after that. */
static void honoured_to_the_end(const struct segment *ack, __u32 last_sent_ms)
{
	pass_until(LIFE_MS - 1);
	assert_int_equal(prog_segment(&prog, HOOK_XDP, ack, v6), XDP_PASS);
	assert_int_equal(accepted(), 1);
	pass_until(last_sent_ms + HONOUR_MS - 1);
	assert_true(looks_for_cookies());
	assert_true(has_defence());
	pass_until(last_sent_ms + HONOUR_MS);
	assert_false(looks_for_cookies());
}

/* As if the service had another name by then: the policy itself knows of no flood. */
static void without_a_defence(void **state __unused)
{
	struct segment ack;

	install(SW_FLOOD_ALWAYS);
	wait_for_look();
	ack = ask();
	install(SW_FLOOD_OFF);
	assert_true(has_defence());
	honoured_to_the_end(&ack, 0);
	assert_false(has_defence());
}

/* The flood is over. The next one is noticed, so the policy's own defence goes on. */
static void after_the_flood(void **state __unused)
{
	const __u32 noticed_ms = SW_FLOOD_PERIOD_MS, over_ms = noticed_ms + CALM_MS;
	struct segment ack;

	install(SW_FLOOD_ADAPTIVE);
	send_flood();
	pass_until(noticed_ms);
	ack = ask();
	pass_until(over_ms);
	assert_int_equal(send_syn(PORT - 2), XDP_PASS);
	honoured_to_the_end(&ack, over_ms);
	assert_true(has_defence());
	send_flood();
	pass_until(over_ms + HONOUR_MS + SW_FLOOD_PERIOD_MS);
	assert_int_equal(send_syn(PORT - 1), XDP_TX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(without_a_defence),
		EACH_FAMILY(after_the_flood),
	};
	struct setup setup = setup_of_buckets(BUCKETS);
	int failed;

	prog_open(&prog, &setup, EVENT_RECORDS);
	prog_start_sweeper(&prog);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	prog_close(&prog);
	return failed;
}
