// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cookies in the loaded program as time goes by: SYNs are answered, and what comes back is honoured as
 * long as it has to be; and whether the connection that one has opened is known to be its server's.
 */
#include "../lib/sequences.h"
#include "../lib/cookies.h"
#include "../lib/enforce.h"

#define BUCKETS	      64
#define EVENT_RECORDS 1024U
#define PORT	      40000
#define MAX_AGE_MS    (EPOCH_MS * SW_COOKIE_MAX_AGE)

static struct prog prog;
static bool v6;
static struct world world; /* the keys, as the sweeper would renew them, and the time */

static void set_time(__u32 ms)
{
	pass(&world, ms);
	prog.now_ns = world.now_ms * NS_PER_MS;
	prog_set(prog.skeleton->maps.cookie_keys, &world.keys);
}

/* From here on SYNs are answered, as after the sweeper has looked. */
static int reset(void **state)
{
	struct setup setup = setup_ordinary();

	v6 = *state;
	setup.handshake_buckets = BUCKETS;
	setup.connection_buckets = BUCKETS;
	setup.start_ns = START_MS * NS_PER_MS;
	prog_reset_policies(&prog, &setup);
	prog_clear(prog.skeleton->maps.verified, 1);
	prog_answer_syns(&prog);
	world = new_world(START_MS);
	prog_set(prog.skeleton->maps.cookie_offers, &world.offer);
	set_time(0);
	return 0;
}

static __u64 tallied(enum sw_tally which)
{
	return prog_result(&prog).counters.tallies[which];
}

static __u64 bad_cookies(void)
{
	return prog_result(&prog).counters.limits_dropped[SW_LIMIT_BAD_COOKIE];
}

static struct segment a_client(void)
{
	return USUAL_SYN(.sport = PORT, .dport = 80);
}

/* The program answers the SYN; what it says is what the core would. Returns the client's ACK. */
static struct segment ask(void)
{
	struct segment syn = a_client();
	struct sw_cookie_answer expected = answer_to(&world, &syn, v6);
	struct sw_cursor cursor = { prog.after, prog.after };
	struct sw_packet answer = {};

	assert_int_equal(prog_receive(&prog, &syn, v6), XDP_TX);
	cursor.end += prog.after_length;
	sw_parse(&cursor, prog.after_length, &answer);
	assert_int_equal(answer.seq, expected.seq);
	assert_int_equal(answer.ack, expected.ack);
	return ack_to(&syn, &expected);
}

static void honoured_for_three_epochs(void **state __unused)
{
	/* how much of the epoch is over when the cookie is made, and when it comes back */
	static const struct {
		__u32 made, after;
		bool good;
	} cases[] = {
		{ 0, 0, true },
		{ EPOCH_MS - 1, 1, true },		     /* of the epoch before */
		{ 0, EPOCH_MS, true },			     /* likewise */
		{ 0, MAX_AGE_MS, true },		     /* of the one before that */
		{ 0, MAX_AGE_MS + EPOCH_MS - 1, true },	     /* the oldest that there can be */
		{ 0, MAX_AGE_MS + EPOCH_MS, false },	     /* a moment later */
		{ EPOCH_MS - 1, MAX_AGE_MS + 1, false },     /* the youngest that is too old */
		{ 0, MAX_AGE_MS + 2 * EPOCH_MS, false },     /* the same two bits again */
		{ 0, MAX_AGE_MS + 2 * EPOCH_MS * 4, false }, /* and again */
	};

	for (__u32 i = 0; i < COUNT(cases); i++) {
		void *family = v6 ? (void *)1 : NULL;
		struct segment ack;

		reset(&family);
		/* to the beginning of an epoch */
		set_time(EPOCH_MS - world.now_ms % EPOCH_MS);
		set_time(cases[i].made);
		ack = ask();
		set_time(cases[i].after);
		assert_int_equal(prog_segment(&prog, HOOK_XDP, &ack, v6),
				 cases[i].good ? XDP_PASS : XDP_DROP);
		assert_int_equal(tallied(SW_TALLY_COOKIES_ACCEPTED), cases[i].good);
		assert_int_equal(bad_cookies(), !cases[i].good);
	}
}

/* Each epoch has a secret of its own, although all of them are honoured. */
static void of_another_epochs_secret(void **state __unused)
{
	struct segment ack;

	ack = ask();
	for (__u32 other = 1; other < SW_COOKIE_EPOCHS; other++) {
		struct segment changed = ack;

		changed.ack = ((ack.ack - 1) ^ other << SW_COOKIE_EPOCH_SHIFT) + 1;
		assert_int_equal(prog_segment(&prog, HOOK_XDP, &changed, v6), XDP_DROP);
		assert_int_equal(bad_cookies(), other);
	}
	assert_int_equal(prog_segment(&prog, HOOK_XDP, &ack, v6), XDP_PASS);
}

/*
 * A SYN that was let through before the flood is not answered while its server may know of it. When its attempt is told,
 * that has forgotten it, too: the SYN gets a cookie, and that is honoured although the attempt is still remembered.
 */
static void an_attempt_of_before_is_over_when_it_is_told(void **state __unused)
{
	struct segment syn = a_client(), ack;

	prog_clear(prog.skeleton->maps.floods, 1);
	assert_int_equal(prog_segment(&prog, HOOK_XDP, &syn, v6), XDP_PASS);
	prog_answer_syns(&prog);
	assert_int_equal(prog_segment(&prog, HOOK_XDP, &syn, v6), XDP_PASS);
	prog_sweep(&prog, true);
	assert_int_equal(prog_result(&prog).counters.outcomes[SW_OUTCOME_NO_RESPONSE], 1);
	ack = ask();
	assert_int_equal(prog_segment(&prog, HOOK_XDP, &ack, v6), XDP_PASS);
	assert_int_equal(tallied(SW_TALLY_COOKIES_ACCEPTED), 1);
}

/*
 * But a server that has answered remembers that for a minute, and may be told sooner by a policy's timeouts. Whoever then
 * brought back another number would be reset. Of a client's next SYN that knows nothing.
 */
static void who_has_answered_knows_it_when_it_is_told(void **state __unused)
{
	struct segment syn = a_client(), next = syn,
		       synack = tcp(.from = SERVER, .sport = 80, .dport = PORT, .flags = SYN | ACK,
				    .seq = ISN_S, .ack = syn.seq + 1);
	struct frame frame;

	prog_clear(prog.skeleton->maps.floods, 1);
	assert_int_equal(prog_segment(&prog, HOOK_XDP, &syn, v6), XDP_PASS);
	prog_segment(&prog, HOOK_EGRESS, &synack, v6);
	prog_answer_syns(&prog);
	prog_sweep(&prog, true);
	assert_int_equal(prog_result(&prog).counters.outcomes[SW_OUTCOME_HALF_OPEN], 1);
	assert_int_equal(prog_segment(&prog, HOOK_XDP, &syn, v6), XDP_PASS);
	next.seq += 100000;
	frame_build(&frame, &next, v6);
	assert_int_equal(prog_frame(&prog, HOOK_XDP, &frame), XDP_TX);
}

/* ---- of which connection the server has been heard */

/* The states of the only connection. */
static __u8 states_of(void)
{
	SW_AUTO_FREE struct sw_connection_bucket *table =
		prog_table(prog.skeleton->maps.connections);
	__u32 found = 0;
	__u8 states = 0;

	for (__u32 i = 0; i < BUCKETS * SW_WAYS; i++) {
		if (!table[i / SW_WAYS].tags[i % SW_WAYS])
			continue;
		found++;
		states = table[i / SW_WAYS].states[i % SW_WAYS];
	}
	assert_int_equal(found, 1);
	return states;
}

static struct segment from_server(const struct segment *ack, __u16 flags)
{
	return tcp(.from = SERVER, .sport = 80, .dport = PORT, .flags = flags, .seq = ack->ack,
		   .ack = ack->seq);
}

/* Whoever sends in the server's name from elsewhere must not make the client's next try the last. */
static void the_server_is_heard_where_it_sends(void **state __unused)
{
	static const __u16 others[] = { ACK, PSH | ACK, FIN | ACK, RST, RST | ACK };
	struct segment ack = ask(), heard = from_server(&ack, ACK);

	assert_int_equal(prog_segment(&prog, HOOK_XDP, &ack, v6), XDP_PASS);
	assert_true(states_of() & SW_CONN_UNHEARD);
	for (__u32 i = 0; i < COUNT(others); i++) {
		struct segment forged = from_server(&ack, others[i]),
			       reset = from_server(&ack, RST);

		prog_segment(&prog, HOOK_XDP, &forged, v6);
		/* a listener sends these when it has not been given the handshake */
		prog_segment(&prog, HOOK_EGRESS, &reset, v6);
		prog_segment(&prog, HOOK_XDP, &ack, v6);
		assert_true(states_of() & SW_CONN_UNHEARD);
	}
	prog_segment(&prog, HOOK_EGRESS, &heard, v6);
	assert_false(states_of() & SW_CONN_UNHEARD);
	assert_true(states_of() & SW_CONN_ISNS_KNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(honoured_for_three_epochs),
		EACH_FAMILY(of_another_epochs_secret),
		EACH_FAMILY(an_attempt_of_before_is_over_when_it_is_told),
		EACH_FAMILY(who_has_answered_knows_it_when_it_is_told),
		EACH_FAMILY(the_server_is_heard_where_it_sends),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
