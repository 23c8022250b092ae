// SPDX-License-Identifier: GPL-2.0-or-later
/* The two buckets that a connection may be in: which they are, which one it gets, and who moves for whom. */
#define _GNU_SOURCE
#include "../lib/sequences.h"

#define BUCKETS 8

static struct host host;

static int open_host(void **state __unused)
{
	struct setup setup = setup_of_buckets(BUCKETS);

	host_open(&host, &setup);
	return 0;
}

static int close_host(void **state __unused)
{
	host_close(&host);
	return 0;
}

static struct sw_packet flow(__u32 number)
{
	return (struct sw_packet){ .src = end_address(FIRST_NUMBERED + number, number & 1),
				   .dst = end_address(SERVER, number & 1),
				   .sport = 40000,
				   .dport = 443 };
}

static __u64 hash_of(__u32 number)
{
	struct sw_packet packet = flow(number);

	return sw_flow_hash(&packet, host.setup.seed);
}

static __u32 first_of(__u32 number)
{
	return sw_bucket_index(hash_of(number), BUCKETS);
}

static __u32 second_of(__u32 number)
{
	return sw_other_bucket(first_of(number), sw_tag(hash_of(number)), BUCKETS);
}

/* Where the table says that a flow is; BUCKETS: nowhere. */
static __u32 place_of(__u32 number)
{
	struct sw_table table = host_table(&host);
	struct sw_packet packet = flow(number);

	return sw_find_bucket(&table, hash_of(number), &packet);
}

static void connect_flow(__u32 number)
{
	enum end end = FIRST_NUMBERED + number;
	bool v6 = number & 1;

	host_segment(&host, &A_SYN(.from = end, .after_ms = 1), v6);
	host_segment(&host, &A_SYNACK(.to = end), v6);
	host_segment(&host, &AN_ACK(.from = end), v6);
}

/* Opens the next flow, from a number on, whose buckets are these; its number. */
static __u32 connect_one(__u32 from, __u32 first, __u32 second)
{
	while (first_of(from) != first || second_of(from) != second)
		from++;
	connect_flow(from);
	return from;
}

static __u64 evicted(void)
{
	return host.result.counters.tallies[SW_TALLY_CONNECTIONS_EVICTED];
}

static void each_bucket_leads_to_the_other(void **state __unused)
{
	static const __u32 sizes[] = { 1, 2, 3, 8, 1000, 32768, 4194304 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		__u32 elsewhere = 0;

		for (__u32 number = 0; number < 65536; number++) {
			__u64 hash = number * 0x9e3779b97f4a7c15ULL;
			__u32 first = sw_bucket_index(hash, sizes[i]);
			__u32 second = sw_other_bucket(first, sw_tag(hash), sizes[i]);

			assert_in_range(second, 0, sizes[i] - 1);
			assert_int_equal(sw_other_bucket(second, sw_tag(hash), sizes[i]), first);
			elsewhere += first != second;
		}
		/* by chance one in so many buckets has no other: at most a third more than that here */
		assert_true(elsewhere >= 65536 - 65536 / sizes[i] * 4 / 3 - 300 || sizes[i] < 3);
	}
}

/* One cache line is enough for most. */
static void the_first_is_taken_until_it_is_half_full(void **state __unused)
{
	__u32 number = 0;

	for (__u32 i = 0; i < SW_WAYS; i++) {
		number = connect_one(number, 2, 5) + 1;
		assert_int_equal(place_of(number - 1), i < SW_WAYS / 2 ? 2 : 5);
	}
}

static void of_two_that_are_half_full_the_emptier_is_taken(void **state __unused)
{
	__u32 number = 0;

	for (__u32 i = 0; i < SW_WAYS / 2 + 1; i++)
		number = connect_one(number, 5, 2) + 1;
	/* two of them are in 5, one is in 2 */
	for (__u32 i = 0; i < SW_WAYS - 1; i++) {
		number = connect_one(number, 2, 5) + 1;
		assert_int_equal(place_of(number - 1), i < SW_WAYS / 2 ? 2 : 5);
	}
}

/* Fills both buckets of a flow with others, the first of which may be in a third one as well. */
static __u32 fill_both(__u32 *movable)
{
	__u32 number = connect_one(0, 2, 7);

	*movable = number;
	for (__u32 i = 0; i < 2 * SW_WAYS - 1; i++)
		number = connect_one(number + 1, 2, 5);
	assert_int_equal(evicted(), 0);
	return number;
}

static void who_has_another_place_moves_for_who_has_none(void **state __unused)
{
	__u32 movable, number = fill_both(&movable);

	assert_int_equal(place_of(movable), 2);
	number = connect_one(number + 1, 2, 5);
	assert_int_equal(evicted(), 0);
	assert_int_equal(place_of(movable), 7);
	assert_int_equal(place_of(number), 2);
	assert_int_equal(live_connections(host.connections, BUCKETS), 2 * SW_WAYS + 1);
	/* none can make room for the next one */
	connect_one(number + 1, 2, 5);
	assert_int_equal(evicted(), 1);
	assert_int_equal(live_connections(host.connections, BUCKETS), 2 * SW_WAYS + 1);
}

/* What moves is the same connection: its data are known as before. */
static void who_moved_goes_on(void **state __unused)
{
	__u32 movable, number = fill_both(&movable);
	enum end end;

	connect_one(number + 1, 2, 5);
	end = FIRST_NUMBERED + movable;
	assert_int_equal(place_of(movable), 7);
	host_segment(&host, &SERVER_ACK(.to = end, .payload = 10), movable & 1);
	host_segment(&host, &AN_ACK(.from = end, .payload = 10), movable & 1);
	assert_int_equal(host.result.counters.anomalies_seen[SW_ANOMALY_MIDSTREAM], 0);
}

/* Who opens the same flow once more, with other numbers, is where he was. */
static void a_flow_is_in_one_place(void **state __unused)
{
	__u32 number = 0;

	for (__u32 i = 0; i < SW_WAYS; i++)
		number = connect_one(number, 2, 5) + 1;
	number--;
	assert_int_equal(place_of(number), 5);
	host_segment(&host, &SERVER_RST(.to = FIRST_NUMBERED + number), number & 1);
	connect_flow(number);
	assert_int_equal(place_of(number), 5);
	assert_int_equal(live_connections(host.connections, BUCKETS), SW_WAYS);
}

/* Of 1,024 places four fifths are taken by connections, and nobody is pushed out. */
static void four_fifths_push_out_nobody(void **state __unused)
{
	struct setup setup = setup_of_buckets(256);

	host_close(&host);
	host_open(&host, &setup);
	for (__u32 i = 0; i < 1024 * 4 / 5; i++)
		connect_flow(i);
	assert_int_equal(evicted(), 0);
	assert_int_equal(live_connections(host.connections, 256), 1024 * 4 / 5);
}

#define TEST(name)                                                                                 \
	{                                                                                          \
#name, name, open_host, close_host, NULL                                           \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_bucket_leads_to_the_other),
		TEST(the_first_is_taken_until_it_is_half_full),
		TEST(of_two_that_are_half_full_the_emptier_is_taken),
		TEST(who_has_another_place_moves_for_who_has_none),
		TEST(who_moved_goes_on),
		TEST(a_flow_is_in_one_place),
		TEST(four_fifths_push_out_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
