// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A strict router with both of its sides attached. Each interface warms up by itself; and where connections come in
 * numbers whose beginning strict rules have not seen, they begin anew.
 */
#include "../lib/forged.h"
#include "../lib/random.h"
#include "../../bpf/core/sides.h"

#define WARM_UP_MS   60000U
#define FORGED_STEPS 20000U
#define OF(number)   .from = networked(number)
#define TO(number)   .to = networked(number)

static __u32 slot;

static void set_settings(const struct sw_settings *settings)
{
	prog_set(prog.skeleton->maps.data_settings, settings);
}

/* The interfaces were attached so long ago. */
static void watched(__u32 near_ms, __u32 far_ms)
{
	struct sw_settings settings = prog_settings(&prog);

	settings.watching_since_ms[0] = prog.now_ns / NS_PER_MS - near_ms;
	settings.watching_since_ms[1] = prog.now_ns / NS_PER_MS - far_ms;
	set_settings(&settings);
}

static void handshakes(__u32 count)
{
	for (__u32 i = 0; i < count; i++) {
		assert_true(comes(A_SYN(OF(1000 + i))));
		assert_true(comes_from_behind(A_SYNACK(TO(1000 + i))));
		assert_true(comes(AN_ACK(OF(1000 + i))));
	}
}

static int reset(void **state)
{
	SW_AUTO_POLICY policy = policy_strict(WARM_UP_MS);

	begin(state, ROUTER);
	begin_to_forward();
	slot = policy_install(&prog, policy, 0);
	watched(WARM_UP_MS, WARM_UP_MS);
	handshakes(SW_ENOUGH_BOTH_SIDED);
	return 0;
}

static void wait_ms(__u32 ms)
{
	prog.now_ns += ms * NS_PER_MS;
}

static struct sw_service_state known(void)
{
	return prog_service_state(&prog, slot, SW_SERVICE_DEFAULT);
}

static __u64 adopted(void)
{
	return tallied(SW_TALLY_CONNECTIONS_ADOPTED);
}

/* Is something out of nothing taken for what it seems? */
static bool is_strict(void)
{
	static __u32 number;

	return !comes(AN_ACK(OF(100000 + number++)));
}

/* A connection from elsewhere: its client says something and, since that is lost, once more; then it is answered. */
static void moves_here(__u32 number)
{
	comes(AN_ACK(OF(number), .payload = 10));
	assert_true(comes(AN_ACK(OF(number), .payload = 10, .after_ms = 200)));
	assert_true(comes_from_behind(SERVER_ACK(TO(number), .ack = ISN_C + 11)));
	assert_true(comes(AN_ACK(OF(number), .seq = ISN_C + 11, .payload = 10)));
}

static void move_here(__u32 first, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		moves_here(first + i);
}

/* ---- warming up */

static void each_interface_warms_up_by_itself(void **state __unused)
{
	watched(WARM_UP_MS, 0);
	assert_false(comes(AN_ACK(OF(1))));
	assert_true(comes_from_behind(SERVER_ACK(TO(2))));
	wait_ms(WARM_UP_MS - 1);
	assert_true(comes_from_behind(SERVER_ACK(TO(3))));
	wait_ms(1);
	assert_false(comes_from_behind(SERVER_ACK(TO(4))));
	assert_int_equal(adopted(), 0);
}

/* One of both may be new: whoever comes by it was there before. */
static void a_flow_is_learned_by_its_newer_side(void **state __unused)
{
	watched(WARM_UP_MS, 0);
	/* dropped, and nevertheless heard */
	assert_false(comes(AN_ACK(OF(1))));
	assert_true(comes_from_behind(SERVER_ACK(TO(1))));
	assert_int_equal(adopted(), 1);
	assert_true(comes(AN_ACK(OF(1), .payload = 10)));
	assert_true(comes_from_behind(SERVER_ACK(TO(2))));
	assert_true(comes(AN_ACK(OF(2))));
	assert_int_equal(adopted(), 2);
	assert_int_equal(known().window_moved, 0);
}

/* ---- connections from elsewhere */

static void a_few_are_no_reason_to_begin_anew(void **state __unused)
{
	move_here(0, SW_UNLIKE_SOURCES - 1);
	assert_int_equal(adopted(), SW_UNLIKE_SOURCES - 1);
	assert_int_equal(known().window_moved, SW_UNLIKE_SOURCES - 1);
	assert_true(is_strict());
	assert_int_equal(known().moved_ms, 0);
}

/* An IPv6 host has as many addresses as it likes, of one network. */
static void a_host_of_many_addresses_is_one(void **state __unused)
{
	for (__u32 i = 1; i <= SW_UNLIKE_MANY - 1; i++)
		moves_here(i * NETWORKS);
	assert_int_equal(known().window_moved, SW_UNLIKE_MANY - 1);
	assert_int_equal(is_strict(), v6);
}

static void many_are(void **state __unused)
{
	__u64 since_ms;

	for (__u32 i = 0; !known().moved_ms && i < SW_UNLIKE_MANY; i++)
		moves_here(i);
	/* two sources may have one bit */
	assert_in_range(known().window_moved, SW_UNLIKE_SOURCES, SW_UNLIKE_SOURCES + 3);
	since_ms = prog.now_ns / NS_PER_MS;
	assert_true(known().moved_ms == since_ms);
	assert_false(is_strict());
	/* and of those that come now nothing is lost any more, whoever speaks first */
	assert_true(comes(AN_ACK(OF(50), .payload = 10)));
	assert_true(comes_from_behind(SERVER_ACK(TO(50), .ack = ISN_C + 11)));
	assert_true(comes_from_behind(SERVER_ACK(TO(51))));
	assert_true(comes(AN_ACK(OF(51))));
	assert_true(comes_from_behind(SERVER_ACK(TO(51), .payload = 10, .after_ms = 200)));
	assert_true(comes_from_behind(SERVER_ACK(TO(51), .payload = 10, .after_ms = 200)));
	assert_true(comes(AN_ACK(OF(51), .ack = ISN_S + 11)));
	prog.now_ns = (known().moved_ms + SW_MIN_SUSPENSION_MS - 1) * NS_PER_MS;
	assert_false(is_strict());
	wait_ms(1);
	assert_true(is_strict());
	/* they are known now */
	assert_true(comes(AN_ACK(OF(50), .seq = ISN_C + 11, .payload = 10)));
	assert_true(comes_from_behind(SERVER_ACK(TO(51), .seq = ISN_S + 11, .payload = 10)));
}

/* Behind a proxy all of them have one source. */
static void very_many_of_one_source_are(void **state __unused)
{
	for (__u32 i = 0; i < SW_UNLIKE_MANY; i++) {
		assert_int_equal(known().moved_ms, 0);
		comes(AN_ACK(OF(1), .sport = 2000 + i, .payload = 10));
		assert_true(
			comes(AN_ACK(OF(1), .sport = 2000 + i, .payload = 10, .after_ms = 200)));
		assert_true(
			comes_from_behind(SERVER_ACK(TO(1), .dport = 2000 + i, .ack = ISN_C + 11)));
	}
	assert_int_not_equal(known().moved_ms, 0);
	assert_false(is_strict());
}

/* Only the clients' wire is attached: what leaves there came in by another one. */
static void what_leaves_is_heard_as_well(void **state __unused)
{
	for (__u32 i = 0; i < SW_UNLIKE_MANY; i++) {
		comes(AN_ACK(OF(i), .payload = 10));
		assert_true(comes(AN_ACK(OF(i), .payload = 10, .after_ms = 200)));
		leaves(SERVER_ACK(TO(i), .ack = ISN_C + 11));
	}
	assert_int_equal(adopted(), SW_UNLIKE_MANY);
	assert_false(is_strict());
}

/* Where nothing is forwarded, as on a mirror's two ports, an interface tells nothing of who has sent. */
static void two_ports_of_a_mirror_are_no_sides(void **state __unused)
{
	struct sw_settings settings = prog_settings(&prog);

	settings.forwarders = 0;
	set_settings(&settings);
	move_here(0, SW_UNLIKE_MANY);
	assert_int_equal(adopted(), SW_UNLIKE_MANY);
	assert_int_equal(known().window_moved, 0);
	assert_true(is_strict());
}

/* Those that roam, among many others. */
static void a_small_part_is_not(void **state __unused)
{
	handshakes(SW_UNLIKE_MANY * SW_UNLIKE_SHARE);
	move_here(0, SW_UNLIKE_MANY - 1);
	assert_int_equal(known().moved_ms, 0);
	assert_true(is_strict());
}

/* What was pushed out comes back; that strict rules know about evictions is enough. */
static void evicted_ones_are_not(void **state __unused)
{
	struct sw_settings settings = prog_settings(&prog);

	settings.evicted_ms = prog.now_ns / NS_PER_MS;
	set_settings(&settings);
	move_here(0, SW_UNLIKE_MANY);
	assert_int_equal(adopted(), SW_UNLIKE_MANY);
	assert_int_equal(known().moved_ms, 0);
}

/* ---- who would like strict rules to begin anew */

/* Nobody answers for whom he plays both ends, on one side; and nothing is learned from him while they wait. */
static void somebody_on_one_side_cannot_make_them(void **state __unused)
{
	for (__u32 i = 0; i < 2 * SW_UNLIKE_MANY; i++) {
		comes(AN_ACK(OF(i), .payload = 10));
		comes(SERVER_ACK(TO(i), .ack = ISN_C + 11));
		comes(AN_ACK(OF(i), .payload = 10, .after_ms = 200));
		comes(SERVER_ACK(TO(i), .ack = ISN_C + 11));
		comes(SERVER_ACK(TO(i), .ack = ISN_C + 11, .payload = 10));
		comes(SERVER_ACK(TO(i), .ack = ISN_C + 11, .payload = 10, .after_ms = 500));
		comes(AN_ACK(OF(i), .ack = ISN_S + 11, .payload = 10));
	}
	assert_int_equal(adopted(), 0);
	assert_int_equal(known().window_moved, 0);
	assert_true(is_strict());
	move_here(2000, SW_UNLIKE_MANY);
	assert_false(is_strict());
	assert_int_equal(adopted(), SW_UNLIKE_MANY);
	assert_true(comes(AN_ACK(OF(50000), .payload = 10)));
	assert_true(comes(SERVER_ACK(TO(50000), .ack = ISN_C + 11)));
	assert_int_equal(adopted(), SW_UNLIKE_MANY);
}

/* A host that does not know the connection says so. */
static void nor_can_a_scan(void **state __unused)
{
	for (__u32 i = 0; i < 2 * SW_UNLIKE_MANY; i++) {
		assert_false(comes(AN_ACK(OF(i))));
		assert_true(comes(AN_ACK(OF(i), .after_ms = 1100)));
		assert_false(comes_from_behind(SERVER_RST(TO(i), .seq = ISN_S + 1)));
	}
	assert_int_equal(known().window_moved, 0);
	assert_true(is_strict());
}

/* A server that has answered a SYN takes no other one of the same ports for now, whoever has sent either. */
static void nor_can_syns_beside_true_ones(void **state __unused)
{
	for (__u32 i = 0; i < 2 * SW_UNLIKE_MANY; i++) {
		assert_true(comes(A_SYN(OF(i))));
		assert_true(comes_from_behind(A_SYNACK(TO(i))));
		assert_true(comes(A_SYN(OF(i), .seq = FORGED_C)));
		comes(AN_ACK(OF(i), .seq = FORGED_C + 1, .ack = FORGED_S, .payload = 10));
	}
	prog_sweep(&prog, true);
	assert_int_equal(ended(SW_OUTCOME_ONE_SIDED), 2 * SW_UNLIKE_MANY);
	assert_int_equal(known().window_one, 0);
	assert_true(is_strict());
}

/* This host's kernel knows its own connections. */
static void nor_who_talks_to_this_host(void **state __unused)
{
	note_address_of(SERVER, 0);
	for (__u32 i = 0; i < 2 * SW_UNLIKE_MANY; i++) {
		comes(AN_ACK(OF(i), .payload = 10));
		comes(AN_ACK(OF(i), .payload = 10, .after_ms = 200));
		leaves(SERVER_ACK(TO(i), .ack = ISN_C + 11));
	}
	assert_int_equal(known().window_moved, 0);
	assert_true(is_strict());
}

/* As a kernel does that has no socket for the segment (RFC 9293, 3.10.7.1). */
static void server_refuses(const struct segment *to)
{
	if (to->flags & RST)
		return;
	comes_from_behind(tcp(.from = SERVER, .to = to->from, .sport = to->dport,
			      .dport = to->sport, .flags = to->flags & ACK ? RST : RST | ACK,
			      .seq = to->ack, .ack = to->seq + to->payload));
}

/* Whatever he sends by his side, in the name of either end and again and again, while nobody knows the flow. */
static void nor_can_whatever_one_side_sends(void **state __unused)
{
	/* the last one, of a server, would begin what looks one-sided: that is another matter */
	static const int flags[] = { ACK, ACK, ACK, ACK | PSH, ACK | FIN, SYN | ACK, RST, SYN };
	struct dice dice = { .state = 3 };

	for (__u32 i = 0; i < FORGED_STEPS; i++) {
		bool as_server = roll(&dice, 3) == 0;
		enum end client = FIRST_NUMBERED + 3000 + roll(&dice, 40);
		struct segment said =
			tcp(.from = as_server ? SERVER : client, .to = as_server ? client : SERVER,
			    .sport = as_server ? SERVER_PORT : CLIENT_PORT,
			    .dport = as_server ? CLIENT_PORT : SERVER_PORT,
			    .flags = flags[roll(&dice, as_server ? 7 : 8)],
			    .seq = 1000 + roll(&dice, 3), .ack = 1000 + roll(&dice, 3),
			    .payload = roll(&dice, 2) * 10, .after_ms = roll(&dice, 100));

		if (comes(said) && !as_server)
			server_refuses(&said);
	}
	assert_int_equal(known().window_moved, 0);
	assert_int_equal(adopted(), 0);
	assert_true(is_strict());
}

/* ---- services */

static void a_service_and_its_answers(void **state __unused)
{
	SW_AUTO_POLICY policy = policy_strict(WARM_UP_MS);
	struct sw_service_state enough = { .both_sided = SW_ENOUGH_BOTH_SIDED };
	__u32 web;

	policy_add(policy, "web", NULL, SERVER_PORT, SERVER_PORT);
	slot = policy_install(&prog, policy, 0);
	web = 0;
	prog_set_service_state(&prog, slot, web, &enough);
	enough.window_both = 1000;
	enough.window_ms = prog.now_ns / NS_PER_MS;
	prog_set_service_state(&prog, slot, SW_SERVICE_DEFAULT, &enough);
	assert_false(comes_from_behind(SERVER_ACK(TO(500), .payload = 10)));
	assert_true(is_strict());
	move_here(0, SW_UNLIKE_MANY);
	assert_int_not_equal(prog_service_state(&prog, slot, web).moved_ms, 0);
	assert_int_equal(known().moved_ms, 0);
	/* clients' ports are nobody's, and what the service sends there passes, too */
	assert_true(comes_from_behind(SERVER_ACK(TO(501), .payload = 10)));
	assert_true(comes(AN_ACK(OF(501), .ack = ISN_S + 11)));
	assert_true(comes_from_behind(SERVER_ACK(TO(501), .seq = ISN_S + 11, .payload = 10)));
	assert_int_equal(adopted(), SW_UNLIKE_MANY + 1);
	/* nothing else has changed */
	assert_false(comes_from_behind(SERVER_ACK(TO(502), .sport = 25)));
	assert_false(comes(AN_ACK(OF(503), .dport = 25)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_EACH_WIRE(each_interface_warms_up_by_itself),
		ON_EACH_WIRE(a_flow_is_learned_by_its_newer_side),
		ON_EACH_WIRE(a_few_are_no_reason_to_begin_anew),
		ON_EACH_WIRE(a_host_of_many_addresses_is_one),
		ON_EACH_WIRE(many_are),
		ON_EACH_WIRE(very_many_of_one_source_are),
		ON_EACH_WIRE(what_leaves_is_heard_as_well),
		ON_EACH_WIRE(two_ports_of_a_mirror_are_no_sides),
		ON_EACH_WIRE(a_small_part_is_not),
		ON_EACH_WIRE(evicted_ones_are_not),
		ON_EACH_WIRE(somebody_on_one_side_cannot_make_them),
		ON_EACH_WIRE(nor_can_a_scan),
		ON_EACH_WIRE(nor_can_syns_beside_true_ones),
		ON_EACH_WIRE(nor_can_whatever_one_side_sends),
		ON_EACH_WIRE(nor_who_talks_to_this_host),
		ON_EACH_WIRE(a_service_and_its_answers),
	};
	struct setup setup = setup_of_buckets(BUCKETS);

	return forged_run(&setup, tests);
}
