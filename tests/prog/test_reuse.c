// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ports of a connection that is over are used again, at once or later, however it has ended: the next one is accepted, nothing
 * of it is dropped, nothing is counted but that they are used again, and it takes no place of a limit that is not its own.
 */
#include "../lib/forged.h"

#define SOON_MS	   1U
#define LATER_MS   60000U      /* the kernel's TIME-WAIT */
#define MUCH_LATER 200000U     /* longer than what is over is known to be */
#define ISN_STEP   (50U << 20) /* the clock of RFC 9293 section 3.4.1 in so many ms */

static bool behind;

enum rules {
	MONITOR,
	ENFORCE,
	STRICT,
	LIMITS,
	RULES,
};

static int reset(void **state)
{
	(void)state;
	return 0;
}

static void begin_with(void **state, enum rules rules, bool with_router)
{
	SW_AUTO_POLICY policy = policy_strict(0);
	struct sw_rules *all = policy_default_rules(policy);

	behind = with_router;
	begin(state, behind ? ROUTER : SERVER);
	if (behind)
		begin_to_forward();
	all->enforce = rules != MONITOR;
	all->strict = rules == STRICT;
	if (rules == LIMITS)
		all->half_open_source = all->half_open_service = 1;
	policy_install(&prog, policy, 0);
}

static void server(struct segment segment)
{
	server_sends(&(struct talk){ .behind = behind }, segment);
}

static void client(struct segment segment)
{
	assert_true(comes(segment));
}

static struct talk opens(__u32 c, __u32 s, __u32 after_ms)
{
	client(A_SYN(.seq = c, .after_ms = after_ms));
	server(A_SYNACK(.seq = s, .ack = c + 1));
	client(AN_ACK(.seq = c + 1, .ack = s + 1));
	return (struct talk){ .behind = behind, .c = c + 1, .s = s + 1 };
}

static void client_closes(struct talk *talk)
{
	client(AN_ACK(.flags = FIN | ACK, .seq = talk->c++, .ack = talk->s));
}

static void server_closes(struct talk *talk)
{
	server(SERVER_ACK(.flags = FIN | ACK, .seq = talk->s++, .ack = talk->c));
}

static void client_acks(const struct talk *talk)
{
	client(AN_ACK(.seq = talk->c, .ack = talk->s));
}

static void server_acks(const struct talk *talk)
{
	server(SERVER_ACK(.seq = talk->s, .ack = talk->c));
}

/* ---- ends */

static void by_the_client_first(struct talk *talk)
{
	client_closes(talk);
	server_acks(talk);
	server_closes(talk);
	client_acks(talk);
}

static void by_the_server_first(struct talk *talk)
{
	server_closes(talk);
	client_acks(talk);
	client_closes(talk);
	server_acks(talk);
}

static void by_both_at_once(struct talk *talk)
{
	struct talk before = *talk;

	client_closes(talk);
	server(SERVER_ACK(.flags = FIN | ACK, .seq = before.s, .ack = before.c));
	talk->s++;
	client_acks(talk);
	server_acks(talk);
}

static void by_a_reset_of_the_client(struct talk *talk)
{
	client(CLIENT_RST(.seq = talk->c));
}

static void by_a_reset_of_the_server(struct talk *talk)
{
	server(SERVER_RST(.flags = RST | ACK, .seq = talk->s, .ack = talk->c));
}

/* The client has closed and gone, and what the server still says is reset. */
static void by_who_is_gone(struct talk *talk)
{
	client_closes(talk);
	server(SERVER_ACK(.seq = talk->s, .ack = talk->c, .payload = 100));
	client(CLIENT_RST(.seq = talk->c));
}

static void (*const ends[])(struct talk *) = {
	by_the_client_first,	  by_the_server_first,	    by_both_at_once,
	by_a_reset_of_the_client, by_a_reset_of_the_server, by_who_is_gone,
};

static const __u32 pauses[] = { SOON_MS, LATER_MS, MUCH_LATER };

/* ---- and again */

static void expect_nothing_but(const char *name, __u64 count)
{
	struct sw_counters counters = counted();

	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++)
		assert_int_equal(differs("anomaly", anomaly_name(i), counters.anomalies_seen[i],
					 strcmp(anomaly_name(i), name) ? 0 : count),
				 0);
}

static void in_each_way(void **state, void (*again)(void **, void (*)(struct talk *), __u32))
{
	for (size_t i = 0; i < COUNT(ends) * COUNT(pauses) * RULES * 2; i++) {
		begin_with(state, i % RULES, i / RULES % 2);
		again(state, ends[i / (RULES * 2) % COUNT(ends)],
		      pauses[i / (RULES * 2) / COUNT(ends)]);
	}
}

static void opens_thrice(void **state __unused, void (*end)(struct talk *), __u32 pause_ms)
{
	struct talk talk = opens(ISN_C, ISN_S, 0);

	for (__u32 i = 1; i < 3; i++) {
		goes_on(&talk);
		end(&talk);
		prog_sweep(&prog, false);
		talk = opens(talk.c + ISN_STEP, talk.s + ISN_STEP, pause_ms);
	}
	goes_on(&talk);
	expect_nothing_but("syn_reuse", pause_ms == MUCH_LATER ? 0 : 2);
	prog_sweep(&prog, true);
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 3);
	expect_completed(3);
}

static void once_it_is_over(void **state)
{
	in_each_way(state, opens_thrice);
}

/*
 * The server waits for old segments, and the new SYN's number is not higher (RFC 9293 section 3.6.1): it asks back, is
 * told by a RST that there is nothing, and takes the SYN when it is repeated.
 */
static void asks_back(void **state __unused, void (*end)(struct talk *), __u32 pause_ms)
{
	struct talk talk = opens(ISN_C, ISN_S, 0);

	goes_on(&talk);
	end(&talk);
	client(A_SYN(.seq = 77, .after_ms = pause_ms));
	server_acks(&talk);
	client(CLIENT_RST(.seq = talk.c));
	client(A_SYN(.seq = 77, .after_ms = 1000));
	server(A_SYNACK(.seq = 99, .ack = 78));
	client(AN_ACK(.seq = 78, .ack = 100));
	talk = (struct talk){ .behind = behind, .c = 78, .s = 100 };
	goes_on(&talk);
	prog_sweep(&prog, true);
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 2);
	expect_completed(2);
	expect_dropped_only_for("");
}

static void also_when_the_server_asks_back(void **state)
{
	in_each_way(state, asks_back);
}

static void nothing(struct talk *talk __unused)
{
}

/* Only the client has closed, or nobody has: it has started anew. */
static void after_half_of_it(void **state)
{
	for (int i = 0; i < 4 * RULES; i++) {
		begin_with(state, i % RULES, i / RULES % 2);
		asks_back(state, i / RULES / 2 ? client_closes : nothing, SOON_MS);
	}
}

/* What is late of the old connection does the new one no harm. */
static void what_is_late(void **state)
{
	for (int i = 0; i < 2 * RULES; i++) {
		struct talk old, talk;

		begin_with(state, i % RULES, i / RULES % 2);
		old = opens(ISN_C, ISN_S, 0);
		goes_on(&old);
		by_the_client_first(&old);
		client(A_SYN(.seq = old.c + ISN_STEP, .after_ms = SOON_MS));
		server(SERVER_ACK(.flags = FIN | ACK, .seq = old.s - 1, .ack = old.c));
		client_acks(&old);
		server(A_SYNACK(.seq = old.s + ISN_STEP, .ack = old.c + ISN_STEP + 1));
		client_acks(&old);
		client(AN_ACK(.seq = old.c + ISN_STEP + 1, .ack = old.s + ISN_STEP + 1));
		talk = (struct talk){ .behind = behind,
				      .c = old.c + ISN_STEP + 1,
				      .s = old.s + ISN_STEP + 1 };
		server(SERVER_ACK(.flags = FIN | ACK, .seq = old.s - 1, .ack = old.c));
		client_acks(&old);
		goes_on(&talk);
		prog_sweep(&prog, true);
		assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 2);
		expect_dropped_only_for("");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(once_it_is_over),
		EACH_FAMILY(also_when_the_server_asks_back),
		ON_EACH_WIRE(after_half_of_it),
		ON_EACH_WIRE(what_is_late),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);

	return forged_run(&setup, tests);
}
