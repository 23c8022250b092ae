// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What happens in tables of a single bucket, so that every flow is in the way of every other: who
 * has to go, what is counted, and what a flood cannot do.
 */
#define _GNU_SOURCE
#include "../lib/crowded.h"

static int open_one_bucket(void **state __unused)
{
	struct setup setup = setup_ordinary();

	setup.handshake_buckets = 1;
	setup.connection_buckets = 1;
	host_open(&host, &setup);
	return 0;
}

static int close_host(void **state __unused)
{
	host_close(&host);
	return 0;
}

static void wait_ms(__u32 ms)
{
	host.now_ns += ms * NS_PER_MS;
}

static __u64 tallied(enum sw_tally which)
{
	return host.result.counters.tallies[which];
}

static __u64 ended(enum sw_outcome which)
{
	return host.result.counters.outcomes[which];
}

static __u64 seen(enum sw_anomaly which)
{
	return host.result.counters.anomalies_seen[which];
}

/* Whatever was opened is still there or was counted when it left. */
static void assert_conserved(void)
{
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_OPENED) - tallied(SW_TALLY_ATTEMPTS_CLOSED),
			 live_attempts(host.handshakes, 1));
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_OPENED) -
				 tallied(SW_TALLY_CONNECTIONS_CLOSED),
			 live_connections(host.connections, 1));
}

/* ---- handshakes */

/* One of each worth: an answered SYN, a SYN, a SYN-ACK out of nothing, and a stray. */
static void fill_with_one_of_each(void)
{
	send(A_SYN(OF(0)));
	send(A_SYNACK(TO(0)));
	send(A_SYN(OF(1)));
	send(A_SYNACK(TO(2)));
	send(AN_ACK(OF(3)));
}

static void a_stray_goes_first_and_silently(void **state __unused)
{
	fill_with_one_of_each();
	send(A_SYN(OF(10)));
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_EVICTED), 0);
	send(A_SYNACK(TO(3)));
	assert_int_equal(seen(SW_ANOMALY_UNSOLICITED_SYNACK), 2); /* nothing is known of it now */
	assert_conserved();
}

static void an_unsolicited_synack_goes_second(void **state __unused)
{
	fill_with_one_of_each();
	send(A_SYN(OF(10)));
	send(A_SYN(OF(11)));
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_EVICTED), 1);
	send(A_SYN(OF(1)));
	assert_int_equal(seen(SW_ANOMALY_SYN_RETRANSMIT), 1); /* the SYN is still there */
	assert_conserved();
}

static void of_the_syns_the_oldest_goes_third(void **state __unused)
{
	fill_with_one_of_each();
	for (__u32 i = 10; i < 13; i++)
		send(A_SYN(OF(i)));
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_EVICTED), 2);
	for (__u32 i = 10; i < 13; i++)
		send(A_SYN(OF(i)));
	assert_int_equal(seen(SW_ANOMALY_SYN_RETRANSMIT), 3);
	send(A_SYN(OF(1)));
	assert_int_equal(seen(SW_ANOMALY_SYN_RETRANSMIT), 3);
	assert_conserved();
}

static void an_answered_syn_outlasts_a_flood(void **state __unused)
{
	fill_with_one_of_each();
	for (__u32 i = 100; i < 1100; i++)
		send(A_SYN(OF(i)));
	send(AN_ACK(OF(0)));
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 1);
	/* all that went: the SYN-ACK, the SYN, and of the flood all but three */
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_EVICTED), 2 + 997);
	assert_conserved();
}

static void of_answered_syns_the_oldest_goes(void **state __unused)
{
	for (__u32 i = 0; i < 4; i++) {
		send(A_SYN(OF(i)));
		send(A_SYNACK(TO(i)));
	}
	send(A_SYN(OF(10)));
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_EVICTED), 1);
	for (__u32 i = 1; i < 4; i++)
		send(AN_ACK(OF(i)));
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 3);
	send(AN_ACK(OF(0)));
	assert_int_equal(seen(SW_ANOMALY_MIDSTREAM), 1);
	assert_conserved();
}

static void the_expired_make_way_with_their_outcome(void **state __unused)
{
	for (__u32 i = 0; i < 4; i++)
		send(A_SYN(OF(i)));
	wait_ms(127010);
	send(A_SYN(OF(10)));
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_EVICTED), 0);
	assert_int_equal(ended(SW_OUTCOME_NO_RESPONSE), 1);
	host_sweep(&host, false);
	assert_int_equal(ended(SW_OUTCOME_NO_RESPONSE), 4);
	assert_int_equal(live_attempts(host.handshakes, 1), 1);
	assert_conserved();
}

static void nothing_is_swept_before_its_time(void **state __unused)
{
	send(A_SYN(OF(0)));
	wait_ms(127000);
	host_sweep(&host, false);
	assert_int_equal(ended(SW_OUTCOME_NO_RESPONSE), 0);
	wait_ms(1);
	host_sweep(&host, false);
	assert_int_equal(ended(SW_OUTCOME_NO_RESPONSE), 1);
	assert_conserved();
}

static void a_flow_has_two_attempts_at_most(void **state __unused)
{
	for (__u32 i = 0; i < 3; i++)
		send(A_SYN(OF(0), .seq = 1000 * i));
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_OPENED), 3);
	assert_int_equal(ended(SW_OUTCOME_NO_RESPONSE), 1);
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_EVICTED), 0);
	assert_int_equal(live_attempts(host.handshakes, 1), 2);
	send(A_SYN(OF(0), .seq = 0)); /* of two alike the younger had made way */
	send(A_SYN(OF(0), .seq = 2000));
	assert_int_equal(seen(SW_ANOMALY_SYN_RETRANSMIT), 2);
	assert_conserved();
}

/* Its end is counted once, and its stragglers are not taken for something new. */
static void a_reported_end_is_remembered(void **state __unused)
{
	send(A_SYN(OF(0)));
	send(REFUSAL(TO(0)));
	wait_ms(2001);
	host_sweep(&host, false);
	assert_int_equal(ended(SW_OUTCOME_REJECTED), 1);
	assert_conserved();
	send(REFUSAL(TO(0)));
	assert_int_equal(seen(SW_ANOMALY_RST_NO_SESSION), 0);
	for (__u32 i = 10; i < 14; i++)
		send(A_SYN(OF(i)));
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_EVICTED), 0); /* it went first */
	host_sweep(&host, true);
	assert_int_equal(ended(SW_OUTCOME_REJECTED), 1);
	assert_conserved();
}

static void a_reported_end_is_forgotten(void **state __unused)
{
	send(A_SYN(OF(0)));
	send(REFUSAL(TO(0)));
	wait_ms(2001);
	host_sweep(&host, false);
	wait_ms(120001);
	host_sweep(&host, false);
	send(REFUSAL(TO(0)));
	assert_int_equal(seen(SW_ANOMALY_RST_NO_SESSION), 1);
	assert_int_equal(ended(SW_OUTCOME_REJECTED), 1);
}

/* Whoever is refused and goes on trying for half a minute has tried once, as long as it is the same SYN. */
static void a_straggler_is_no_second_attempt(void **state __unused)
{
	for (__u32 i = 0; i < 4; i++) {
		send(A_SYN(OF(0), .after_ms = 500));
		send(REFUSAL(TO(0)));
	}
	for (__u32 i = 0; i < 5; i++) {
		wait_ms(20000);
		host_sweep(&host, false);
		send(A_SYN(OF(0)));
		send(REFUSAL(TO(0)));
	}
	host_sweep(&host, true);
	assert_int_equal(ended(SW_OUTCOME_REJECTED), 1);
	assert_int_equal(seen(SW_ANOMALY_SYN_RETRANSMIT), 8);
	assert_int_equal(tallied(SW_TALLY_ATTEMPTS_OPENED), 1);
	assert_conserved();
}

/* Nor is one that comes before the sweeper; then its attempt is told. */
static void a_straggler_is_before_the_sweeper(void **state __unused)
{
	send(A_SYN(OF(0)));
	send(REFUSAL(TO(0)));
	wait_ms(2001);
	send(A_SYN(OF(0)));
	assert_int_equal(ended(SW_OUTCOME_REJECTED), 1);
	assert_int_equal(seen(SW_ANOMALY_SYN_RETRANSMIT), 1);
	assert_int_equal(live_attempts(host.handshakes, 1), 0);
	assert_conserved();
}

/* ---- connections */

static void a_flood_touches_no_connection(void **state __unused)
{
	for (__u32 i = 0; i < 4; i++)
		connect_flow(i);
	for (__u32 i = 100; i < 1100; i++) {
		send(A_SYN(OF(i)));
		send(A_SYNACK(TO(i + 10000)));
		send(AN_ACK(OF(i + 20000), .ack = i));
	}
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_EVICTED), 0);
	assert_int_equal(seen(SW_ANOMALY_MIDSTREAM), 1000);
	for (__u32 i = 0; i < 4; i++)
		send(SERVER_ACK(TO(i), .payload = 10));
	assert_int_equal(seen(SW_ANOMALY_MIDSTREAM), 1000);
	assert_conserved();
}

static void of_live_connections_the_silent_goes(void **state __unused)
{
	for (__u32 i = 0; i < 4; i++)
		connect_flow(i);
	wait_ms(1000);
	for (__u32 i = 0; i < 4; i++)
		if (i != 2)
			send(AN_ACK(OF(i)));
	connect_flow(4);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_EVICTED), 1);
	for (__u32 i = 0; i < 5; i++)
		if (i != 2)
			send(AN_ACK(OF(i)));
	assert_int_equal(seen(SW_ANOMALY_MIDSTREAM), 0);
	send(AN_ACK(OF(2)));
	assert_int_equal(seen(SW_ANOMALY_MIDSTREAM), 1);
	assert_conserved();
}

enum ending {
	BY_RST_OF_SERVER,
	BY_RST_OF_CLIENT,
	BY_FINS,
};

static void close_flow(__u32 number, enum ending ending)
{
	if (ending == BY_RST_OF_SERVER) {
		send(SERVER_RST(TO(number)));
	} else if (ending == BY_RST_OF_CLIENT) {
		send(CLIENT_RST(OF(number)));
	} else {
		send(AN_ACK(OF(number), .flags = FIN | ACK));
		send(SERVER_ACK(TO(number), .flags = FIN | ACK));
	}
}

/* While one that has ended is there, no live one goes, however long it has been silent. */
static void the_closed_go_before_the_live(void **state __unused)
{
	connect_flow(0);
	for (__u32 i = 1; i < 100; i++) {
		connect_flow(i);
		if (i >= 3)
			close_flow(i, i % 3);
	}
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_EVICTED), 0);
	for (__u32 i = 0; i < 3; i++)
		send(AN_ACK(OF(i)));
	assert_int_equal(seen(SW_ANOMALY_MIDSTREAM), 0);
	assert_conserved();
}

static void half_closed_is_live(void **state __unused)
{
	for (__u32 i = 0; i < 4; i++)
		connect_flow(i);
	send(AN_ACK(OF(0), .flags = FIN | ACK));
	connect_flow(4);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_EVICTED), 1);
}

static void a_rst_is_forgotten_when_its_sender_goes_on(void **state __unused)
{
	for (__u32 i = 0; i < 4; i++)
		connect_flow(i);
	send(SERVER_RST(TO(0)));
	send(SERVER_ACK(TO(0)));
	connect_flow(4);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_EVICTED), 1);
}

static void a_rst_is_not_forgotten_when_the_other_goes_on(void **state __unused)
{
	for (__u32 i = 0; i < 4; i++)
		connect_flow(i);
	send(SERVER_RST(TO(0)));
	send(AN_ACK(OF(0)));
	connect_flow(4);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_EVICTED), 0);
}

static void the_same_ends_take_their_own_place(void **state __unused)
{
	for (__u32 i = 0; i < 4; i++)
		connect_flow(i);
	send(A_SYN(OF(1), .seq = 77));
	send(A_SYNACK(TO(1), .seq = 99, .ack = 78));
	send(AN_ACK(OF(1), .seq = 78, .ack = 100));
	assert_int_equal(ended(SW_OUTCOME_ACCEPTED), 5);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_CLOSED), 1);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_EVICTED), 0);
	assert_conserved();
}

static void connections_are_swept_in_their_time(void **state __unused)
{
	connect_flow(0);
	connect_flow(1);
	close_flow(1, BY_FINS);
	wait_ms(119999);
	host_sweep_connections(&host, false);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_CLOSED), 0);
	wait_ms(1);
	host_sweep_connections(&host, false);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_CLOSED), 1);
	wait_ms(432000000);
	host_sweep_connections(&host, false);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_CLOSED), 2);
	assert_conserved();
}

/* As it does every 50 days: nothing ends then, and nothing lives for ever. */
static void the_clock_may_wrap(void **state __unused)
{
	host.now_ns = ((1ULL << 32) - 1000) * NS_PER_MS;
	connect_flow(0);
	send(A_SYN(OF(1)));
	for (int wrapped = 0; wrapped < 2; wrapped++) {
		wait_ms(700);
		send(AN_ACK(OF(0), .payload = 1));
		sweep_all();
		assert_int_equal(live_attempts(host.handshakes, 1), 1);
		assert_int_equal(live_connections(host.connections, 1), 1);
	}
	wait_ms(432000000);
	sweep_all();
	assert_int_equal(live_attempts(host.handshakes, 1), 0);
	assert_int_equal(live_connections(host.connections, 1), 0);
}

/* Its time is written at most every 256 ms: no more than that may an entry live too short. */
static void traffic_keeps_a_connection(void **state __unused)
{
	connect_flow(0);
	for (int i = 0; i < 5000; i++) {
		wait_ms(100000);
		send(AN_ACK(OF(0), .payload = 1));
	}
	wait_ms(432000000 - 256);
	host_sweep_connections(&host, false);
	assert_int_equal(tallied(SW_TALLY_CONNECTIONS_CLOSED), 0);
}

/* Tags that are neighbours, or differ in their highest bit, are what borrows and carries confuse. */
static void a_filter_row_has_its_tags_and_no_other(void **state __unused)
{
	static const __u16 tags[] = { 1, 3, 5, 0x7fff, 0x8001, 0x8003, 0xfffd, 0xffff };
	struct sw_connection_filter row;
	bool has;

	for (size_t i = 0; i < 8 * 8 * 8 * 8; i++) {
		for (size_t way = 0; way < SW_WAYS; way++)
			row.tags[way] = tags[i >> way * 3 & 7];
		row.tags[i % SW_WAYS] = i % 5 ? row.tags[i % SW_WAYS] : 0;
		for (size_t j = 0; j < 8; j++) {
			has = false;
			for (size_t way = 0; way < SW_WAYS; way++)
				has |= row.tags[way] == tags[j];
			assert_int_equal(sw_filter_has(row.all, tags[j]), has);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one_bucket, close_host)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stray_goes_first_and_silently),
		TEST(an_unsolicited_synack_goes_second),
		TEST(of_the_syns_the_oldest_goes_third),
		TEST(an_answered_syn_outlasts_a_flood),
		TEST(of_answered_syns_the_oldest_goes),
		TEST(the_expired_make_way_with_their_outcome),
		TEST(nothing_is_swept_before_its_time),
		TEST(a_flow_has_two_attempts_at_most),
		TEST(a_reported_end_is_remembered),
		TEST(a_reported_end_is_forgotten),
		TEST(a_straggler_is_no_second_attempt),
		TEST(a_straggler_is_before_the_sweeper),
		TEST(a_flood_touches_no_connection),
		TEST(of_live_connections_the_silent_goes),
		TEST(the_closed_go_before_the_live),
		TEST(half_closed_is_live),
		TEST(a_rst_is_forgotten_when_its_sender_goes_on),
		TEST(a_rst_is_not_forgotten_when_the_other_goes_on),
		TEST(the_same_ends_take_their_own_place),
		TEST(connections_are_swept_in_their_time),
		TEST(the_clock_may_wrap),
		TEST(traffic_keeps_a_connection),
		cmocka_unit_test(a_filter_row_has_its_tags_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
