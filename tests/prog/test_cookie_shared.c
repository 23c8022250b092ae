// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A secret that hosts share, in the loaded programs: what one host's SYN was answered with is honoured by
 * another one, whatever the sweeper of each has made of the secret. The sweeper runs; the clock is the
 * test's, and a host's differs from it by whole seconds.
 */
#include "../lib/sequences.h"
#include "../lib/cookies.h"
#include "../lib/enforce.h"
#include "../lib/sweeper.h"

#include <sys/mman.h>

#define BUCKETS	      64
#define EVENT_RECORDS 1024U
#define PORT	      40000
#define HONOUR_MS     (200U * 1000)

static const struct sw_cookie_master a_secret = { .key = { 11, 12 }, .id = 1 };
static const struct sw_cookie_master another = { .key = { 11, 13 }, .phase_ms = 777, .id = 2 };

static struct prog prog;
static bool v6;
static struct sw_settings *settings; /* the sweeper's, too */

static void put(const struct bpf_map *map, __u32 key, const void *value)
{
	must(!bpf_map_update_elem(bpf_map__fd(map), &key, value, BPF_ANY), bpf_map__name(map));
}

static struct sw_cookie_keys keys_of(enum sw_cookie_set which)
{
	struct sw_cookie_keys keys;
	__u32 key = which;

	must(!bpf_map_lookup_elem(bpf_map__fd(prog.skeleton->maps.cookie_keys), &key, &keys),
	     "cookie_keys");
	return keys;
}

/* Until the sweeper has looked at the time that it is now. */
static void wait_for_look(void)
{
	prog_set_clock(&prog, 0);
	wait_for_ticks(&prog, SW_FLOOD_TICKS + 2);
}

static void install(enum sw_flood_mode mode, bool shared)
{
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_default_rules(policy);

	rules->enforce = true;
	rules->flood.mode = mode;
	policy->flood_defence.shared_secret = shared;
	policy_install(&prog, policy, 0);
}

/* As the loader does it. second NULL: there is only one line. */
static void load_secret(const struct sw_cookie_master *first, const struct sw_cookie_master *second)
{
	struct sw_cookie_secrets secrets = { .masters = { *first }, .own = { 3, 4 } };

	if (second)
		secrets.masters[1] = *second;
	put(prog.skeleton->maps.cookie_secrets, (settings->cookie_secrets + 1) & 1, &secrets);
	settings->cookie_secrets++;
}

/* All that a host remembers of cookies is another one's from now on; its clock is ahead of the test's. */
static void become_host(__s32 ahead_s, const struct sw_cookie_master *first,
			const struct sw_cookie_master *second)
{
	struct dice dice = { .state = 42 };
	struct sw_cookie_keys own = random_keys(&dice);

	prog_clear(prog.skeleton->maps.cookie_keys, 1);
	prog_clear(prog.skeleton->maps.verified, 1);
	put(prog.skeleton->maps.cookie_keys, SW_COOKIE_SET_ACTIVE, &own);
	settings->tai_minus_utc_s = -ahead_s;
	load_secret(first, second);
	wait_for_look();
}

/* Time goes on from case to case, as the sweeper does; each begins with an epoch. */
static int reset(void **state)
{
	struct setup setup = setup_ordinary();

	v6 = *state;
	setup.handshake_buckets = BUCKETS;
	setup.connection_buckets = BUCKETS;
	setup.start_ns = (prog.now_ns / NS_PER_MS / EPOCH_MS + 8) * EPOCH_MS * NS_PER_MS;
	prog_clear(prog.skeleton->maps.floods, 1);
	prog_reset_policies(&prog, &setup);
	put(prog.skeleton->maps.cookie_offers, 0, &whole_offer);
	return 0;
}

static __u64 accepted(void)
{
	return prog_result(&prog).counters.tallies[SW_TALLY_COOKIES_ACCEPTED];
}

/* A SYN is answered with a cookie. Returns the client's ACK. */
static struct segment ask(__u16 sport)
{
	struct segment syn = USUAL_SYN(.sport = sport, .dport = 80);
	struct sw_cookie_answer said = { .options = SW_OFFER_ALL };
	struct sw_packet answer = {};
	struct sw_cursor cursor;
	struct frame frame;

	frame_build(&frame, &syn, v6);
	assert_int_equal(prog_frame(&prog, HOOK_XDP, &frame), XDP_TX);
	cursor = (struct sw_cursor){ prog.after, prog.after + prog.after_length };
	sw_parse(&cursor, prog.after_length, &answer);
	sw_parse_timestamp(&cursor, &answer);
	said.seq = answer.seq;
	said.ack = answer.ack;
	said.tsval = answer.tsval;
	return ack_to(&syn, &said);
}

static void assert_honoured(const struct segment *ack, bool honoured)
{
	__u64 before = accepted();

	assert_int_equal(prog_segment(&prog, HOOK_XDP, ack, v6), honoured ? XDP_PASS : XDP_DROP);
	assert_int_equal(accepted() - before, honoured);
	prog_clear(prog.skeleton->maps.verified, 1); /* it is to be answered the next time, too */
}

/* The sweeper and host C make the same of a secret, each line in its place. */
static void keys_are_what_the_core_makes(void **state __unused)
{
	const struct sw_cookie_master *lines[] = { &a_secret, &another };

	install(SW_FLOOD_ALWAYS, true);
	become_host(0, &a_secret, &another);
	for (__u32 line = 0; line < COUNT(lines); line++) {
		struct sw_cookie_keys expected = {}, found = keys_of(line ? SW_COOKIE_SET_SECOND :
									    SW_COOKIE_SET_ACTIVE);
		__u64 now_ms = prog.now_ns / NS_PER_MS;

		sw_cookie_share(&expected, lines[line], settings->cookie_secrets, now_ms, now_ms);
		assert_memory_equal(found.secrets, expected.secrets, sizeof(found.secrets));
		assert_int_equal(found.coming, expected.coming);
		assert_int_equal(found.clock_offset, expected.clock_offset);
	}
}

static void another_host_honours_them(void **state __unused)
{
	static const struct {
		__u32 phase_ms; /* how much of the epoch is over */
		__s32 ahead_s;	/* of who has made it */
		bool honoured;
	} cases[] = {
		{ 0, 0, true },
		{ 0, 60, true },
		{ EPOCH_MS - 1, 60, true },
		{ 0, -60, true },
		{ EPOCH_MS - 1, -60, true },
		{ 0, -131, true },
		{ 0, 132, false },  /* of the epoch after the next */
		{ 0, -197, false }, /* of the epoch before the last two */
	};

	install(SW_FLOOD_ALWAYS, true);
	prog.now_ns -= prog.now_ns % (EPOCH_MS * NS_PER_MS);
	for (__u32 i = 0; i < COUNT(cases); i++) {
		struct segment ack;

		prog.now_ns += cases[i].phase_ms * NS_PER_MS;
		become_host(cases[i].ahead_s, &a_secret, NULL);
		ack = ask(PORT + i);
		become_host(0, &a_secret, NULL);
		assert_honoured(&ack, cases[i].honoured);
		prog.now_ns += (4 * EPOCH_MS - cases[i].phase_ms) * NS_PER_MS;
	}
}

/* By any step: who was asked before answers after it, the connections that there are go on, and others begin. */
static void a_clock_that_is_set_loses_nobody(void **state __unused)
{
	static const __s32 steps_s[] = { 60, -60, 3600, -3600, 86400, -86400, 366 * 86400 };

	install(SW_FLOOD_ALWAYS, true);
	become_host(0, &a_secret, NULL);
	for (__u32 i = 0; i < COUNT(steps_s); i++) {
		struct segment before = ask(PORT + 2 * i), after, data = before;

		settings->tai_minus_utc_s -= steps_s[i];
		wait_for_look();
		after = ask(PORT + 2 * i + 1);
		assert_honoured(&before, true);
		assert_honoured(&after, true);
		data.payload = 10;
		assert_int_equal(prog_segment(&prog, HOOK_XDP, &data, v6), XDP_PASS);
	}
	for (__u32 passed_ms = 0; passed_ms < HONOUR_MS; passed_ms += EPOCH_MS) {
		assert_true(keys_of(SW_COOKIE_SET_ACTIVE).others);
		prog.now_ns += EPOCH_MS * NS_PER_MS;
		wait_for_look();
	}
	assert_false(keys_of(SW_COOKIE_SET_ACTIVE).others);
}

/* While a new secret comes to one host after the other, nobody is lost. */
static void secrets_change_line_by_line(void **state __unused)
{
	static const struct {
		const struct sw_cookie_master *made[2], *checked[2];
		bool honoured;
	} cases[] = {
		{ { &a_secret }, { &a_secret, &another }, true },
		{ { &a_secret, &another }, { &a_secret }, true },
		{ { &a_secret, &another }, { &another, &a_secret }, true },
		{ { &another, &a_secret }, { &a_secret, &another }, true },
		{ { &another, &a_secret }, { &another }, true },
		{ { &another }, { &another, &a_secret }, true },
		{ { &another }, { &a_secret }, false },
		{ { &another, &a_secret }, { &a_secret }, false },
	};

	install(SW_FLOOD_ALWAYS, true);
	for (__u32 i = 0; i < COUNT(cases); i++) {
		struct segment ack;

		become_host(0, cases[i].made[0], cases[i].made[1]);
		ack = ask(PORT + i);
		become_host(0, cases[i].checked[0], cases[i].checked[1]);
		assert_honoured(&ack, cases[i].honoured);
	}
}

/* What a host has sent before its keys became others comes back after that. */
static void own_cookies_outlive_a_change(void **state __unused)
{
	struct sw_cookie_keys before;
	struct segment acks[4];

	install(SW_FLOOD_ALWAYS, false);
	become_host(0, &a_secret, NULL);
	before = keys_of(SW_COOKIE_SET_ACTIVE);
	assert_int_equal(before.origin, 0);
	acks[0] = ask(PORT);
	acks[1] = ask(PORT + 1);
	install(SW_FLOOD_ALWAYS, true);
	wait_for_look();
	assert_int_equal(keys_of(SW_COOKIE_SET_ACTIVE).origin, settings->cookie_secrets);
	assert_honoured(&acks[0], true);
	acks[2] = ask(PORT + 2);
	load_secret(&another, NULL);
	wait_for_look();
	assert_honoured(&acks[2], true);
	acks[3] = ask(PORT + 3);
	install(SW_FLOOD_ALWAYS, false);
	wait_for_look();
	assert_int_equal(keys_of(SW_COOKIE_SET_ACTIVE).origin, 0);
	assert_memory_not_equal(keys_of(SW_COOKIE_SET_ACTIVE).secrets, before.secrets,
				sizeof(before.secrets));
	assert_honoured(&acks[3], true);
	assert_honoured(&acks[1], false); /* of the one but last */
	assert_true(keys_of(SW_COOKIE_SET_ACTIVE).others >> SW_COOKIE_SET_FORMER & 1);
	prog.now_ns += HONOUR_MS * NS_PER_MS;
	wait_for_look();
	assert_false(keys_of(SW_COOKIE_SET_ACTIVE).others);
}

/* Who is under no flood is sent the clients of who is. */
static void no_flood_is_needed_here(void **state __unused)
{
	struct segment ack;

	install(SW_FLOOD_ALWAYS, true);
	become_host(0, &a_secret, NULL);
	ack = ask(PORT);
	settings->cookies_sent = 0;
	prog_clear(prog.skeleton->maps.floods, 1);
	install(SW_FLOOD_ADAPTIVE, true);
	become_host(0, &a_secret, NULL);
	assert_honoured(&ack, true);
	prog.now_ns += 2 * HONOUR_MS * NS_PER_MS;
	wait_for_look();
	assert_true(settings->cookies_sent);
	install(SW_FLOOD_ADAPTIVE, false);
	wait_for_look();
	prog.now_ns += 2 * HONOUR_MS * NS_PER_MS;
	wait_for_look();
	assert_false(settings->cookies_sent);
}

/* The policy wants a secret, and none was loaded. */
static void without_a_secret_they_are_its_own(void **state __unused)
{
	struct segment ack;

	install(SW_FLOOD_ALWAYS, true);
	become_host(0, &a_secret, NULL);
	settings->cookie_secrets = 0;
	wait_for_look();
	ack = ask(PORT);
	assert_int_equal(keys_of(SW_COOKIE_SET_ACTIVE).origin, 0);
	assert_honoured(&ack, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(keys_are_what_the_core_makes),
		EACH_FAMILY(another_host_honours_them),
		EACH_FAMILY(a_clock_that_is_set_loses_nobody),
		EACH_FAMILY(secrets_change_line_by_line),
		EACH_FAMILY(own_cookies_outlive_a_change),
		EACH_FAMILY(no_flood_is_needed_here),
		EACH_FAMILY(without_a_secret_they_are_its_own),
	};
	struct setup setup = setup_of_buckets(BUCKETS);
	int failed;

	prog_open(&prog, &setup, EVENT_RECORDS);
	settings = mmap(NULL, sizeof(*settings), PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(prog.skeleton->maps.data_settings), 0);
	must(settings != MAP_FAILED, "settings");
	prog_start_sweeper(&prog);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	munmap(settings, sizeof(*settings));
	prog_close(&prog);
	return failed;
}
