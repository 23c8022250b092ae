// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which policy is active: what may be asked for, what the kernel does by itself when nobody confirms,
 * and that no packet ever meets a mixture of two policies. The clock is the kernel's own.
 */
#include "../lib/sequences.h"
#include "../lib/enforce.h"
#include "../lib/sweeper.h"

#include <pthread.h>

#define EVENT_RECORDS 1024U
#define LONG_MS	      (3600U * 1000)
#define NOBODY	      SW_POLICY_SLOTS

static struct prog prog;

/* How many policies were rolled back since this was asked last. */
static __u32 policy_events(void)
{
	struct sw_event_record record;
	__u32 count = 0;

	while (prog_next_event(&prog, &record))
		count += record.event.type == SW_EVENT_POLICY;
	return count;
}

static int reset(void **state __unused)
{
	struct setup setup = setup_ordinary();

	setup.live = true;
	prog_reset_policies(&prog, &setup);
	prog_skip_events(&prog);
	return 0;
}

/* ---- the sweeper, whose timer takes policies back; once started it runs to the end */

/* The coarse clock, as the sweeper reads it. */
static __u32 clock_now(void)
{
	static const __u8 packet[64];

	return prog_test_run(&prog, prog.skeleton->progs.sw_clock, packet, sizeof(packet), 1);
}

/* Until the sweeper has come by after a time of the coarse clock. */
static void wait_until_swept_after(__u32 deadline_ms)
{
	while ((__s32)(clock_now() - deadline_ms) < 0)
		pause_a_moment();
	wait_for_ticks(&prog, 2);
}

/* ---- what may be asked for */

static void expect_state(__u32 active, __u32 fallback, bool pending)
{
	struct sw_policy_state state = prog_policy_state(&prog);

	assert_int_equal(state.active, active);
	assert_int_equal(state.fallback, fallback);
	assert_int_equal(state.pending, pending);
	assert_int_equal(state.lock.held, 0);
	assert_int_equal(prog_settings(&prog).policy & SW_POLICY_SLOT_MASK, active);
}

/* Policies that differ in what packets ask of the settings. */
static struct sw_policy *numbered_policy(__u32 number)
{
	struct sw_policy *policy = policy_new();
	struct sw_rules *rules = policy_default_rules(policy);

	for (__u32 i = 0; i < SW_TIMEOUT_COUNT; i++)
		rules->timeout_ms[i] = 1000 * (i + 1) + number;
	rules->enforce = number & 1;
	rules->strict = number >> 1 & 1;
	return policy;
}

static __u32 install_numbered(__u32 number, __u32 deadline_ms)
{
	SW_AUTO_POLICY policy = numbered_policy(number);

	return policy_install(&prog, policy, deadline_ms);
}

static void expect_settings(__u32 number)
{
	struct sw_settings settings = prog_settings(&prog);
	__u32 features = settings.policy >> SW_POLICY_FEATURE_SHIFT;

	for (__u32 i = 0; i < SW_TIMEOUT_COUNT; i++)
		assert_int_equal(settings.timeout_ms[i], 1000 * (i + 1) + number);
	assert_int_equal(!!(features & SW_HAS_ENFORCE), number & 1);
	assert_int_equal(!!(features & SW_HAS_STRICT), number >> 1 & 1);
}

static void at_first_there_is_nothing_to_do(void **state __unused)
{
	expect_state(0, NOBODY, false);
	assert_false(policy_switch(&prog, SW_SWITCH_CONFIRM, 0, 0));
	assert_false(policy_switch(&prog, SW_SWITCH_ROLL_BACK, 0, 0));
	assert_false(policy_switch(&prog, SW_SWITCH_ROLL_BACK + 1, 1, 0));
	expect_state(0, NOBODY, false);
}

static void there_and_back(void **state __unused)
{
	assert_int_equal(install_numbered(5, 0), 1);
	expect_state(1, 0, false);
	expect_settings(5);
	assert_false(policy_switch(&prog, SW_SWITCH_CONFIRM, 0, 0));
	assert_int_equal(install_numbered(6, 0), 2);
	expect_state(2, 1, false);
	expect_settings(6);
	assert_true(policy_switch(&prog, SW_SWITCH_ROLL_BACK, 0, 0));
	expect_state(1, NOBODY, false);
	expect_settings(5);
	assert_false(policy_switch(&prog, SW_SWITCH_ROLL_BACK, 0, 0));
	expect_state(1, NOBODY, false);
	assert_int_equal(prog_policy_state(&prog).rolled_back, 0); /* nobody's time was up */
}

static void kept_or_taken_back_by_hand(void **state __unused)
{
	install_numbered(5, LONG_MS);
	expect_state(1, 0, true);
	assert_true(policy_switch(&prog, SW_SWITCH_CONFIRM, 0, 0));
	expect_state(1, 0, false);
	assert_false(policy_switch(&prog, SW_SWITCH_CONFIRM, 0, 0));
	assert_true(policy_switch(&prog, SW_SWITCH_ROLL_BACK, 0, 0)); /* on second thoughts */
	expect_state(0, NOBODY, false);
	install_numbered(6, LONG_MS);
	assert_true(policy_switch(&prog, SW_SWITCH_ROLL_BACK, 0, 0));
	expect_state(0, NOBODY, false);
}

/* A second change within the time of the first goes back to what was before both. */
static void back_to_what_was_confirmed(void **state __unused)
{
	install_numbered(4, 0);
	assert_int_equal(install_numbered(5, LONG_MS), 2);
	expect_state(2, 1, true);
	assert_int_equal(install_numbered(6, LONG_MS), 0);
	expect_state(0, 1, true);
	assert_int_equal(install_numbered(7, 0), 2); /* for good: no deadline any more */
	expect_state(2, 1, false);
	assert_true(policy_switch(&prog, SW_SWITCH_ROLL_BACK, 0, 0));
	expect_state(1, NOBODY, false);
	expect_settings(4);
}

static void slots_that_are_in_use_are_refused(void **state __unused)
{
	static const __u32 deadlines[] = { 0, LONG_MS };
	static const __u32 none[] = { SW_POLICY_SLOTS, SW_POLICY_SLOTS + 1, 255, 256, ~0U };

	for (__u32 i = 0; i < COUNT(deadlines); i++) {
		reset(NULL);
		install_numbered(5, deadlines[i]);
		for (__u32 j = 0; j < COUNT(deadlines); j++) {
			assert_false(policy_switch(&prog, SW_SWITCH_ACTIVATE, 1, deadlines[j]));
			assert_false(policy_switch(&prog, SW_SWITCH_ACTIVATE, 0, deadlines[j]));
			for (__u32 k = 0; k < COUNT(none); k++)
				assert_false(policy_switch(&prog, SW_SWITCH_ACTIVATE, none[k],
							   deadlines[j]));
			expect_state(1, 0, !!deadlines[i]);
			expect_settings(5);
		}
	}
}

static void a_request_that_is_cut_off(void **state __unused)
{
	struct sw_switch_request request = { .verb = SW_SWITCH_ACTIVATE, .slot = 1 };

	assert_int_equal(prog_test_run(&prog, prog.skeleton->progs.sw_switch, &request,
				       sizeof(request) - 1, 1),
			 XDP_ABORTED);
	expect_state(0, NOBODY, false);
}

/* ---- what the kernel does by itself */

static void nobody_confirms(void **state __unused)
{
	__u64 from = monotonic_ms();
	__u32 deadline;

	install_numbered(5, 300);
	deadline = prog_policy_state(&prog).deadline_ms;
	wait_until_swept_after(deadline);
	assert_true(monotonic_ms() - from + 2 * prog_tick_ms() >= 300);
	expect_state(0, NOBODY, false);
	assert_int_equal(prog_policy_state(&prog).rolled_back, 1);
	wait_for_ticks(&prog, 3);
	assert_int_equal(policy_events(), 1);
	assert_int_equal(prog_policy_state(&prog).rolled_back, 1);
}

static void somebody_confirms(void **state __unused)
{
	__u32 deadline;

	install_numbered(5, 300);
	deadline = prog_policy_state(&prog).deadline_ms;
	assert_true(policy_switch(&prog, SW_SWITCH_CONFIRM, 0, 0));
	wait_until_swept_after(deadline);
	expect_state(1, 0, false);
	expect_settings(5);
	assert_int_equal(policy_events(), 0);
}

/* The deadline is the last one's, and the way back the first one's. */
static void two_unconfirmed(void **state __unused)
{
	__u32 first, second;

	install_numbered(4, 0);
	install_numbered(5, 200);
	first = prog_policy_state(&prog).deadline_ms;
	install_numbered(6, 1500);
	second = prog_policy_state(&prog).deadline_ms;
	assert_true((__s32)(second - first) > 0);
	while (prog_policy_state(&prog).active == 0)
		pause_a_moment();
	assert_true((__s32)(clock_now() - second) >= 0);
	expect_state(1, NOBODY, false);
	expect_settings(4);
}

/* Who holds the lock for that long has stopped; as soon as it is free, the timer goes on. */
static void the_lock_is_held(void **state __unused)
{
	struct sw_policy_state held;
	__u32 verdict;
	struct sw_switch_request confirm = { .verb = SW_SWITCH_CONFIRM };

	install_numbered(5, LONG_MS);
	held = prog_policy_state(&prog);
	held.lock.held = 1;
	held.deadline_ms = clock_now();
	prog_set(prog.skeleton->maps.data_policy_state, &held);
	wait_for_ticks(&prog, 3);
	verdict = prog_test_run(&prog, prog.skeleton->progs.sw_switch, &confirm, sizeof(confirm),
				1);
	assert_int_equal(verdict, XDP_ABORTED);
	assert_int_equal(prog_policy_state(&prog).active, 1);
	held.lock.held = 0;
	prog_set(prog.skeleton->maps.data_policy_state, &held);
	wait_for_ticks(&prog, 2);
	expect_state(0, NOBODY, false);
}

/* ---- no packet under a mixture */

#define FLIPS  4000
#define REPEAT 500

/* A packet that shows two anomalies, of which each of the two policies drops one. */
struct runner {
	pthread_t thread;
	struct segment segment;
	enum sw_anomaly first, second;
	__u64 sent;
};

/*
 * Packets run while a policy takes another's place, and rest until the next one: then none is under way that knew
 * what its slot held before.
 */
static pthread_barrier_t begin, end;
static bool changed, over;

static void *run_packets(void *of)
{
	struct runner *runner = of;
	struct frame frame, after;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.bytes, .repeat = REPEAT);

	frame_build(&frame, &runner->segment, false);
	run.data_size_in = frame.captured;
	run.data_out = after.bytes;
	for (;;) {
		pthread_barrier_wait(&begin);
		if (over)
			return NULL;
		do {
			run.data_size_out = sizeof(after.bytes);
			must(!bpf_prog_test_run_opts(bpf_program__fd(prog.skeleton->progs.sw_xdp),
						     &run),
			     "sw_xdp");
			must(run.retval == XDP_DROP, "every packet is dropped");
			runner->sent += REPEAT;
		} while (!__atomic_load_n(&changed, __ATOMIC_RELAXED));
		pthread_barrier_wait(&end);
	}
}

/*
 * The service that drops has another number in each policy, and what has its number in the other one
 * drops nothing: whoever took the ports from one and the rules from the other would let it pass.
 */
static struct sw_policy *policy_that_drops(__u64 drop, bool second)
{
	struct sw_policy *policy = policy_new();

	policy_default_rules(policy)->enforce = 1;
	policy_default_rules(policy)->drop = 0;
	policy_add(policy, "other", second ? "203.0.113.0/24" : NULL, second ? 0 : 1000, 60000);
	policy_add(policy, "web", NULL, 443, 443)->drop = drop;
	return policy;
}

static void flip(struct sw_policy *first, struct sw_policy *second)
{
	for (__u32 i = 0; i < FLIPS; i++) {
		changed = false;
		pthread_barrier_wait(&begin);
		policy_install(&prog, i % 2 ? first : second, 0);
		__atomic_store_n(&changed, true, __ATOMIC_RELAXED);
		pthread_barrier_wait(&end);
	}
	over = true;
	pthread_barrier_wait(&begin);
}

static void no_packet_meets_a_mixture(void **state __unused)
{
	struct runner runners[] = {
		/* both by themselves; both by what came before; one of each */
		{ .segment = A_SYN(.sport = 1, .flags = SYN | URG | 0x200),
		  .first = SW_ANOMALY_FLAGS_SYN_URG,
		  .second = SW_ANOMALY_RESERVED_BITS },
		{ .segment = A_SYN(),
		  .first = SW_ANOMALY_SYN_ON_ESTABLISHED,
		  .second = SW_ANOMALY_SYN_RETRANSMIT },
		{ .segment = CLIENT_RST(.sport = 2, .payload = 1),
		  .first = SW_ANOMALY_RST_DATA,
		  .second = SW_ANOMALY_RST_NO_SESSION },
	};
	struct segment handshake[] = { HANDSHAKE };
	__u64 drop[2] = {}, sent = 0;
	struct result before, result;

	for (__u32 i = 0; i < COUNT(handshake); i++)
		prog_segment(&prog, HOOK_XDP, &handshake[i], false);
	for (__u32 i = 0; i < COUNT(runners); i++) {
		drop[0] |= 1ULL << runners[i].first;
		drop[1] |= 1ULL << runners[i].second;
	}
	SW_AUTO_POLICY first = policy_that_drops(drop[0], false);
	SW_AUTO_POLICY second = policy_that_drops(drop[1], true);

	policy_install(&prog, first, 0);
	before = prog_result(&prog);
	must(!pthread_barrier_init(&begin, NULL, COUNT(runners) + 1) &&
		     !pthread_barrier_init(&end, NULL, COUNT(runners) + 1),
	     "barrier");
	for (__u32 i = 0; i < COUNT(runners); i++)
		must(!pthread_create(&runners[i].thread, NULL, run_packets, &runners[i]), "thread");
	flip(first, second);
	for (__u32 i = 0; i < COUNT(runners); i++)
		pthread_join(runners[i].thread, NULL);
	result = prog_result(&prog);
	for (__u32 i = 0; i < COUNT(runners); i++) {
		__u64 by_first = result.counters.anomalies_dropped[runners[i].first];
		__u64 by_second = result.counters.anomalies_dropped[runners[i].second];

		assert_int_equal(by_first + by_second, runners[i].sent);
		assert_true(by_first && by_second);
		sent += runners[i].sent;
	}
	assert_conserved_traffic(&result.traffic[SW_INGRESS],
				 sent + before.traffic[SW_INGRESS].seen, sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(at_first_there_is_nothing_to_do, reset),
		cmocka_unit_test_setup(there_and_back, reset),
		cmocka_unit_test_setup(kept_or_taken_back_by_hand, reset),
		cmocka_unit_test_setup(back_to_what_was_confirmed, reset),
		cmocka_unit_test_setup(slots_that_are_in_use_are_refused, reset),
		cmocka_unit_test_setup(a_request_that_is_cut_off, reset),
		cmocka_unit_test_setup(nobody_confirms, reset),
		cmocka_unit_test_setup(somebody_confirms, reset),
		cmocka_unit_test_setup(two_unconfirmed, reset),
		cmocka_unit_test_setup(the_lock_is_held, reset),
		cmocka_unit_test_setup(no_packet_meets_a_mixture, reset),
	};
	struct setup setup = setup_ordinary();
	int failed;

	setup.live = true;
	prog_open(&prog, &setup, EVENT_RECORDS);
	prog_start_sweeper(&prog);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	prog_close(&prog);
	return failed;
}
