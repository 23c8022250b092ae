// SPDX-License-Identifier: GPL-2.0-or-later
/* What makes way for a new connection, where its two buckets are full. */
#define _GNU_SOURCE
#include "../lib/crowded.h"

#define BUCKETS 16U
#define LIVE	(BUCKETS * SW_WAYS * 4 / 5)

/* One that has ended goes first, also one in neither bucket of the new one: a live one moves to its place. */
static void the_closed_go_first_wherever_they_are(void **state __unused)
{
	const __u64 *tallies = host.result.counters.tallies;
	struct setup setup = setup_ordinary();

	setup.connection_buckets = BUCKETS;
	host_open(&host, &setup);
	for (__u32 i = 0; i < 1000; i++) {
		connect_flow(i);
		if (i >= LIVE)
			send(SERVER_RST(TO(i)));
	}
	for (__u32 i = 0; i < LIVE; i++)
		send(AN_ACK(OF(i)));
	assert_int_equal(tallies[SW_TALLY_CONNECTIONS_EVICTED], 0);
	assert_int_equal(host.result.counters.anomalies_seen[SW_ANOMALY_MIDSTREAM], 0);
	assert_int_equal(tallies[SW_TALLY_CONNECTIONS_OPENED] -
				 tallies[SW_TALLY_CONNECTIONS_CLOSED],
			 live_connections(host.connections, BUCKETS));
	host_close(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_closed_go_first_wherever_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
