// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The journal of events: what each says, that what is not there was suppressed or missed, and that readers get whole
 * records, whoever writes meanwhile.
 */
#include "../lib/sequences.h"
#include "../lib/prog.h"

#include <pthread.h>
#include <stdatomic.h>

#define EVENT_RECORDS 32U

static struct prog prog;

static struct {
	__u32 count;
	struct sw_event first;
} read_out;

static __u32 drain(void)
{
	struct sw_event_record record;

	memset(&read_out, 0, sizeof(read_out));
	while (prog_next_event(&prog, &record))
		if (!read_out.count++)
			read_out.first = record.event;
	return read_out.count;
}

static int reset_with(__u32 events_per_second)
{
	struct setup setup = setup_ordinary();

	setup.settings.events_per_second = events_per_second;
	prog_reset(&prog, &setup);
	prog_skip_events(&prog);
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

/* Of hosts that were not heard of before: each is an event. */
static __u32 strays;

static void send_strays(__u32 count)
{
	while (count--)
		send(AN_ACK(.from = FIRST_NUMBERED + strays++), false);
}

static void who_comes_late_is_told_how_many_are_gone(void **state __unused)
{
	__u32 oldest = FIRST_NUMBERED + strays + 9 * EVENT_RECORDS;
	struct sw_addr sender = end_address(oldest, false);

	send_strays(10 * EVENT_RECORDS);
	assert_int_equal(tallied(SW_TALLY_EVENTS_SENT), 10 * EVENT_RECORDS);
	assert_int_equal(tallied(SW_TALLY_EVENTS_SUPPRESSED) + tallied(SW_TALLY_EVENTS_LOST), 0);
	assert_int_equal(drain(), EVENT_RECORDS);
	assert_int_equal(prog.journal.missed, 9 * EVENT_RECORDS);
	assert_memory_equal(&read_out.first.flow.orig, &sender, sizeof(sender));
	assert_int_equal(drain(), 0);
}

/* It is told of one gap for many events, and not of one for each. */
static void who_is_overtaken_again_gets_a_lead(void **state __unused)
{
	const __u32 lead = EVENT_RECORDS / 4;
	struct sw_event_record record;

	send_strays(10 * EVENT_RECORDS);
	assert_true(prog_next_event(&prog, &record));
	assert_int_equal(prog.journal.missed, 9 * EVENT_RECORDS);
	send_strays(2); /* the next is gone, and the one behind it would be soon */
	assert_true(prog_next_event(&prog, &record));
	assert_int_equal(prog.journal.missed, 9 * EVENT_RECORDS + 1 + lead);
	for (__u32 i = 0; i < lead; i++) {
		send_strays(2);
		assert_true(prog_next_event(&prog, &record));
	}
	assert_int_equal(prog.journal.missed, 9 * EVENT_RECORDS + 1 + lead);
	/* it was faster for long enough: whatever is left is its own */
	send_strays(EVENT_RECORDS);
	assert_true(prog_next_event(&prog, &record));
	assert_int_equal(drain(), EVENT_RECORDS - 1);
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
	send_strays(3);
	assert_int_equal(drain(), 3);
}

static void produced_is_sent_and_suppressed(void **state __unused)
{
	reset_with(EVENT_RECORDS + 20);
	send_strays(EVENT_RECORDS + 50);
	assert_int_equal(tallied(SW_TALLY_EVENTS_SUPPRESSED), 30);
	assert_int_equal(prog_result(&prog).events, EVENT_RECORDS + 50);
	assert_int_equal(drain() + prog.journal.missed, tallied(SW_TALLY_EVENTS_SENT));
	assert_int_equal(prog.journal.missed, 20);
}

/* ---- who reads beside others */

/* The journal as whoever may write it sees it. */
static struct sw_event_record *records_to_write(void)
{
	size_t size = EVENT_RECORDS * sizeof(struct sw_event_record);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(prog.skeleton->maps.events), 0);

	must(memory != MAP_FAILED, "mmap");
	return memory;
}

static void put_records_back(struct sw_event_record *records)
{
	munmap(records, EVENT_RECORDS * sizeof(*records));
}

static __u32 drain_journal(struct sw_event_journal *journal)
{
	struct sw_event_record record;
	__u32 count = 0;

	while (sw_event_journal_next(journal, &record))
		count++;
	return count;
}

static void each_reader_has_all(void **state __unused)
{
	struct sw_event_journal other;
	__u32 there;

	prog_open_journal(&prog, &other);
	there = drain_journal(&other);
	assert_in_range(there, 0, EVENT_RECORDS);
	send_strays(20);
	assert_int_equal(drain(), 20);
	assert_int_equal(drain_journal(&other), 20);
	assert_int_equal(other.missed + prog.journal.missed, 0);
	sw_event_journal_close(&other);
}

static void around_the_end_none_is_missed(void **state __unused)
{
	for (__u32 i = 0; i < 5 * EVENT_RECORDS; i += 7) {
		send_strays(7);
		assert_int_equal(drain(), 7);
	}
	assert_int_equal(prog.journal.missed, 0);
}

static void one_that_is_being_written_is_waited_for(void **state __unused)
{
	struct sw_event_record *records = records_to_write(), *record;
	__u64 number = sw_event_journal_head(&prog.journal);

	send_strays(3);
	record = &records[number & (EVENT_RECORDS - 1)];
	record->stamp = 2 * number + 1;
	assert_int_equal(drain(), 0); /* nor those behind it */
	assert_true(prog.journal.missing_since_ns != 0);
	record->stamp = 2 * number + 2;
	assert_int_equal(drain(), 3);
	assert_int_equal(prog.journal.missed, 0);
	/* one whose writer does not come back is passed over when others have waited for it for long */
	record = &records[(number + 3) & (EVENT_RECORDS - 1)];
	send_strays(2);
	record->stamp = 2 * (number + 3) + 1;
	assert_int_equal(drain(), 0);
	prog.journal.missing_since_ns -= SW_EVENT_PATIENCE_MS * NS_PER_MS;
	assert_int_equal(drain(), 1);
	assert_int_equal(prog.journal.missed, 1);
	record->stamp = 2 * (number + 3) + 2;
	put_records_back(records);
}

/* Others have gone around, and whoever wrote there before has not finished: it is not written over. */
static void a_place_that_is_taken_is_left(void **state __unused)
{
	struct sw_event_record *records = records_to_write(), *record;
	__u64 number = sw_event_journal_head(&prog.journal);
	__u64 before, marks[2];

	record = &records[number & (EVENT_RECORDS - 1)];
	before = record->stamp;
	marks[0] = record->stamp = before | 1; /* somebody who is late */
	marks[1] = record->event.time_ns = 0x5ec0de;
	send_strays(2);
	assert_int_equal(tallied(SW_TALLY_EVENTS_LOST), 1);
	assert_int_equal(tallied(SW_TALLY_EVENTS_SENT), 1);
	assert_true(record->stamp == marks[0] && record->event.time_ns == marks[1]);
	record->stamp = before;
	/* so nobody can have that one, which the reader learns at the latest when all others are gone */
	send_strays(EVENT_RECORDS - 2);
	assert_int_equal(drain(), 0);
	send_strays(1);
	assert_int_equal(drain(), EVENT_RECORDS);
	assert_int_equal(prog.journal.missed, 1);
	put_records_back(records);
}

static void a_notice_from_outside(void **state __unused)
{
	struct sw_tell_request request = {
		.abi_version = SW_ABI_VERSION,
		.notice = { .head = { .type = SW_EVENT_LIST, .deed = SW_DEED_ADDED },
			    .count = 1,
			    .user = 1000,
			    .what = "192.0.2.7/32" },
	};
	struct sw_event_record record;

	prog_set_clock(&prog, 0);
	assert_int_equal(
		prog_test_run(&prog, prog.skeleton->progs.sw_tell, &request, sizeof(request), 1),
		XDP_PASS);
	request.abi_version++; /* another one's */
	assert_int_equal(
		prog_test_run(&prog, prog.skeleton->progs.sw_tell, &request, sizeof(request), 1),
		XDP_ABORTED);
	assert_true(prog_next_event(&prog, &record));
	assert_true(record.event.time_ns == prog.now_ns);
	record.event.time_ns = 0;
	assert_memory_equal(&record.notice, &request.notice, sizeof(request.notice));
	assert_false(prog_next_event(&prog, &record));
}

static atomic_bool writers_go_on;

/* Of each the sequence number follows from the port: a record that two have written would show. */
static void *write_events(void *beside)
{
	struct prog *own = beside;
	__u32 round = 0;

	while (writers_go_on) {
		__u16 port = 1024 + round++ % 2000;
		struct segment segment = tcp(.flags = 0, .sport = port, .seq = port * 65537U);
		struct frame frame;

		frame_build(&frame, &segment, false);
		must(prog_test_run(own, own->skeleton->progs.sw_egress, frame.bytes, frame.captured,
				   500) == (__u32)TC_ACT_UNSPEC,
		     "sw_egress");
	}
	return NULL;
}

/*
 * The reader is slower than the writers, so that it comes for most when they are just being overwritten. What it gets
 * is whole, all the same, and the gaps are counted.
 */
static void two_writers_and_a_slow_reader(void **state __unused)
{
	__u64 from = sw_event_journal_head(&prog.journal), taken = 0, torn = 0;
	struct setup setup = setup_ordinary();
	struct prog beside[2];
	pthread_t writers[2];

	setup.settings.events_per_second = 0;
	setup.settings.event_anomalies = SW_BIT(FLAGS_NULL);
	prog_reset(&prog, &setup);
	prog_set_clock(&prog, 0);
	writers_go_on = true;
	for (__u32 i = 0; i < 2; i++) {
		prog_open_beside(&beside[i], &prog, 1 + i);
		must(!pthread_create(&writers[i], NULL, write_events, &beside[i]),
		     "pthread_create");
	}
	while (taken < 2000 || !prog.journal.missed) {
		struct sw_event_record record;
		__u64 number;

		if (!prog_next_event(&prog, &record))
			continue;
		number = prog.journal.next - 1;
		taken++;
		torn += record.stamp != 2 * number + 2 ||
			record.event.isn_orig != record.event.flow.orig_port * 65537U;
	}
	writers_go_on = false;
	for (__u32 i = 0; i < 2; i++) {
		pthread_join(writers[i], NULL);
		prog_close_beside(&beside[i]);
	}
	taken += drain();
	assert_true(torn == 0);
	assert_true(taken + prog.journal.missed == sw_event_journal_head(&prog.journal) - from);
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
		cmocka_unit_test_setup(who_comes_late_is_told_how_many_are_gone, reset),
		cmocka_unit_test_setup(who_is_overtaken_again_gets_a_lead, reset),
		cmocka_unit_test(a_budget_suppresses_the_rest),
		cmocka_unit_test(produced_is_sent_and_suppressed),
		cmocka_unit_test_setup(each_reader_has_all, reset),
		cmocka_unit_test_setup(around_the_end_none_is_missed, reset),
		cmocka_unit_test_setup(one_that_is_being_written_is_waited_for, reset),
		cmocka_unit_test_setup(a_place_that_is_taken_is_left, reset),
		cmocka_unit_test_setup(a_notice_from_outside, reset),
		cmocka_unit_test_setup(two_writers_and_a_slow_reader, reset),
		cmocka_unit_test(the_armed_are_dropped_on_the_way_in),
	};
	struct setup setup = setup_ordinary();

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
