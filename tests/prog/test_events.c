// SPDX-License-Identifier: GPL-2.0-or-later
/* The ring of events: what each says, and that what is not there was counted as lost or suppressed. */
#include "../lib/sequences.h"
#include "../lib/prog.h"

#define EVENT_BYTES 4096U
#define RECORD	    (sizeof(struct sw_event) + 8) /* the ring's own header */
#define FITTING	    (EVENT_BYTES / RECORD)

static struct prog prog;
static struct ring_buffer *ring;

static struct {
	__u32 count;
	struct sw_event first;
} read_out;

static int on_event(void *context __unused, void *data, size_t size)
{
	assert_int_equal(size, sizeof(struct sw_event));
	if (!read_out.count++)
		memcpy(&read_out.first, data, sizeof(read_out.first));
	return 0;
}

static __u32 drain(void)
{
	memset(&read_out, 0, sizeof(read_out));
	must(ring_buffer__consume(ring) >= 0, "ring_buffer__consume");
	return read_out.count;
}

static int reset_with(__u32 events_per_second)
{
	struct setup setup = setup_ordinary();

	setup.settings.events_per_second = events_per_second;
	prog_reset(&prog, &setup);
	drain();
	return 0;
}

static int reset(void **state __unused)
{
	return reset_with(0);
}

static void send(struct segment segment, bool v6)
{
	struct frame frame;

	prog.now_ns += segment.after_ms * NS_PER_MS + segment.after_us * 1000ULL;
	frame_build(&frame, &segment, v6);
	assert_int_equal((int)prog_frame(&prog, HOOK_EGRESS, &frame), TC_ACT_UNSPEC);
}

static __u64 tallied(enum sw_tally which)
{
	return prog_result(&prog).counters.tallies[which];
}

/* ---- what an event says */

static void an_accepted_handshake(void **state)
{
	bool v6 = *state;
	struct sw_addr orig = end_address(CLIENT, v6), resp = end_address(SERVER, v6);
	const struct sw_event *event = &read_out.first;

	send(A_SYN(), v6);
	send(A_SYNACK(.after_us = 1500), v6);
	send(AN_ACK(.after_ms = 30), v6);
	assert_int_equal(drain(), 1);
	assert_true(event->time_ns == prog.now_ns);
	assert_int_equal(event->type, SW_EVENT_HANDSHAKE);
	assert_int_equal(event->outcome, SW_OUTCOME_ACCEPTED);
	assert_int_equal(event->phase, SW_PHASE_SYN_RECEIVED);
	assert_int_equal(event->direction, SW_EGRESS);
	assert_memory_equal(&event->flow.orig, &orig, sizeof(orig));
	assert_memory_equal(&event->flow.resp, &resp, sizeof(resp));
	assert_int_equal(event->flow.orig_port, CLIENT_PORT);
	assert_int_equal(event->flow.resp_port, SERVER_PORT);
	assert_int_equal(event->isn_orig, ISN_C);
	assert_int_equal(event->isn_resp, ISN_S);
	/* the clock's lowest bit says that it was read */
	assert_in_range(event->latency_us[SW_LATENCY_SYN_TO_SYNACK], 1499, 1501);
	assert_in_range(event->latency_us[SW_LATENCY_SYNACK_TO_ACK], 29999, 30001);
	assert_int_equal(event->age_ms, 31);
	assert_true(event->anomalies == 0);
}

static void latencies_are_counted(void **state __unused)
{
	const struct sw_histogram *latencies;
	struct result result;

	send(A_SYN(), false);
	send(A_SYNACK(.after_us = 1500), false);
	send(AN_ACK(.after_ms = 30), false);
	result = prog_result(&prog);
	latencies = result.counters.latencies;
	assert_int_equal(latencies[SW_LATENCY_SYN_TO_SYNACK].buckets[sw_hist_bucket(1500)], 1);
	assert_int_equal(latencies[SW_LATENCY_SYNACK_TO_ACK].buckets[sw_hist_bucket(30000)], 1);
	assert_in_range(latencies[SW_LATENCY_SYN_TO_SYNACK].sum_us, 1499, 1501);
	assert_in_range(latencies[SW_LATENCY_SYNACK_TO_ACK].sum_us, 29999, 30001);
}

static void a_rejection_with_its_reason(void **state)
{
	bool icmp = *state;

	send(A_SYN(), false);
	if (icmp)
		send(icmp_error(.seq = ISN_C), false);
	else
		send(REFUSAL(), false);
	assert_int_equal(drain(), 0); /* it may yet succeed */
	prog_sweep(&prog, true);
	assert_int_equal(drain(), 1);
	assert_int_equal(read_out.first.outcome, SW_OUTCOME_REJECTED);
	assert_int_equal(read_out.first.reason, icmp ? SW_REASON_ICMP : SW_REASON_RST);
	prog_sweep(&prog, true);
	assert_int_equal(drain(), 0); /* once */
}

static void an_anomaly(void **state __unused)
{
	send(A_SYN(.flags = SYN | URG), false); /* not among those that are told */
	assert_int_equal(drain(), 0);
	send(A_SYNACK(), false);
	send(CLIENT_RST(.seq = 7), false);
	assert_int_equal(drain(), 1);
	assert_int_equal(read_out.first.type, SW_EVENT_ANOMALY);
	assert_true(read_out.first.anomalies == SW_BIT(RST_BAD_SEQ));
	assert_int_equal(read_out.first.flow.orig_port, CLIENT_PORT);
	assert_int_equal(read_out.first.verdict, SW_VERDICT_PASSED);
}

/* ---- what is not there */

static void send_strays(__u32 count)
{
	for (__u32 i = 0; i < count; i++)
		send(AN_ACK(.from = FIRST_NUMBERED + i), false);
}

static void a_full_ring_loses_what_does_not_fit(void **state __unused)
{
	send_strays(10 * FITTING);
	assert_int_equal(tallied(SW_TALLY_EVENTS_SENT) + tallied(SW_TALLY_EVENTS_LOST),
			 10 * FITTING);
	/* the ring never fills its last byte */
	assert_in_range(tallied(SW_TALLY_EVENTS_SENT), FITTING - 1, FITTING);
	assert_int_equal(tallied(SW_TALLY_EVENTS_SUPPRESSED), 0);
	assert_int_equal(drain(), tallied(SW_TALLY_EVENTS_SENT));
}

static void a_budget_suppresses_the_rest(void **state __unused)
{
	reset_with(5);
	send_strays(100); /* at one moment */
	assert_int_equal(tallied(SW_TALLY_EVENTS_SENT), 5);
	assert_int_equal(tallied(SW_TALLY_EVENTS_SUPPRESSED), 95);
	assert_int_equal(tallied(SW_TALLY_EVENTS_LOST), 0);
	assert_int_equal(drain(), 5);
	prog.now_ns += 1100 * NS_PER_MS; /* the next second, and others */
	for (__u32 i = 0; i < 3; i++)
		send(AN_ACK(.from = FIRST_NUMBERED + 1000 + i), false);
	assert_int_equal(drain(), 3);
}

static void produced_is_sent_suppressed_and_lost(void **state __unused)
{
	reset_with(FITTING + 20);
	send_strays(FITTING + 50);
	assert_int_equal(tallied(SW_TALLY_EVENTS_SUPPRESSED), 30);
	assert_in_range(tallied(SW_TALLY_EVENTS_LOST), 20, 21);
	assert_int_equal(prog_result(&prog).events, FITTING + 50);
	assert_int_equal(drain(), tallied(SW_TALLY_EVENTS_SENT));
}

/* ---- what is dropped, where that was asked for */

static void the_armed_are_dropped_on_the_way_in(void **state __unused)
{
	struct setup setup = setup_ordinary();
	struct segment bad = tcp(.flags = 0);
	struct result result;
	struct frame frame;

	setup_enforce(&setup, SW_BIT(FLAGS_NULL));
	prog_reset(&prog, &setup);
	frame_build(&frame, &bad, false);
	assert_int_equal(prog_frame(&prog, HOOK_XDP, &frame), XDP_DROP);
	assert_int_equal((int)prog_frame(&prog, HOOK_EGRESS, &frame), TC_ACT_UNSPEC);
	result = prog_result(&prog);
	assert_int_equal(result.counters.anomalies_dropped[SW_ANOMALY_FLAGS_NULL], 1);
	assert_int_equal(result.counters.anomalies_would_drop[SW_ANOMALY_FLAGS_NULL], 1);
	assert_int_equal(result.traffic[SW_INGRESS].verdicts[SW_VERDICT_DROPPED], 1);
	assert_int_equal(result.traffic[SW_EGRESS].verdicts[SW_VERDICT_PASSED], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "an_accepted_handshake, IPv4", an_accepted_handshake, reset, NULL, (void *)0 },
		{ "an_accepted_handshake, IPv6", an_accepted_handshake, reset, NULL, (void *)1 },
		cmocka_unit_test_setup(latencies_are_counted, reset),
		{ "a_rejection, RST", a_rejection_with_its_reason, reset, NULL, (void *)0 },
		{ "a_rejection, ICMP", a_rejection_with_its_reason, reset, NULL, (void *)1 },
		cmocka_unit_test_setup(an_anomaly, reset),
		cmocka_unit_test_setup(a_full_ring_loses_what_does_not_fit, reset),
		cmocka_unit_test(a_budget_suppresses_the_rest),
		cmocka_unit_test(produced_is_sent_suppressed_and_lost),
		cmocka_unit_test(the_armed_are_dropped_on_the_way_in),
	};
	struct setup setup = setup_ordinary();
	int failed;

	prog_open(&prog, &setup, EVENT_BYTES);
	ring = ring_buffer__new(bpf_map__fd(prog.skeleton->maps.events), on_event, NULL, NULL);
	must(ring, "ring_buffer__new");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	ring_buffer__free(ring);
	prog_close(&prog);
	return failed;
}
