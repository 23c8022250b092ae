// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every action of every anomaly, on every sequence that shows it: what becomes of each segment, what
 * is counted for it, and that no byte is ever changed. Then what strict anomalies wait for.
 */
#include "../lib/sequences.h"
#include "../lib/enforce.h"

#define EVENT_RECORDS 1024U
#define DAY_MS	      (24U * 3600 * 1000)

/*
 * No sequence shows these: some are of many segments together, others take an address of the host's own or
 * two sides. Whoever finds them has to test them.
 */
#define BY_THEMSELVES                                                                              \
	(SW_BIT(SYN_FLOOD) | SW_BIT(HALF_OPEN_PRESSURE) | SW_BIT(SCAN) | SW_BIT(MARTIAN_SOURCE) |  \
	 SW_BIT(WRONG_SIDE))

/* What a policy says about an anomaly, and whether that is in force. */
enum action { COUNT_IT, DROP_IT, STRICT_AND_STRICT, STRICT_BUT_NOT_STRICT, ACTIONS };
enum mode { MONITOR, ENFORCE, DISARMED, ENFORCE_EGRESS, ENFORCE_TC, MODES };

static const char *const action_names[] = { "count", "drop", "strict", "strict, not strict" };
static const char *const mode_names[] = { "monitor", "enforce", "disarmed", "egress", "tc" };

static const struct sequence_set sets[] = {
	{ outcome_sequences, COUNT(outcome_sequences) },
	{ stateful_sequences, COUNT(stateful_sequences) },
	{ stateless_sequences, COUNT(stateless_sequences) },
};

/* One with checksums, and one without. */
static struct prog programs[2];

struct run {
	const struct sequence *sequence;
	bool v6;
	enum sw_anomaly which;
	enum action action;
	enum mode mode;
	__u32 sent;
	__u32 dropped;
};

static void describe(const struct run *run)
{
	fprintf(stderr, "%s: %s, %s, IPv%d: %s\n", anomaly_name(run->which),
		action_names[run->action], mode_names[run->mode], run->v6 ? 6 : 4,
		run->sequence->says);
}

static struct setup setup_of(const struct run *run)
{
	struct setup setup = sequence_setup(run->sequence);
	__u64 bit = 1ULL << run->which;
	bool strict = run->action == STRICT_AND_STRICT || run->action == STRICT_BUT_NOT_STRICT;

	setup.rules.drop = run->action == DROP_IT ? bit : 0;
	setup.rules.strict_drop = strict ? bit : 0;
	setup.rules.strict = run->action == STRICT_AND_STRICT;
	setup.rules.enforce = run->mode != MONITOR;
	setup.rules.warm_up_ms = 0;
	return setup;
}

static struct prog *program_for(const struct setup *setup)
{
	struct prog *prog = &programs[setup->checksums];

	if (!prog->skeleton) {
		struct setup whole = *setup;

		whole.tc = true;
		prog_open(prog, &whole, EVENT_RECORDS);
	}
	prog_reset(prog, setup);
	return prog;
}

static enum hook hook_of(enum mode mode)
{
	return mode == ENFORCE_EGRESS ? HOOK_EGRESS : mode == ENFORCE_TC ? HOOK_TC : HOOK_XDP;
}

/* The host says what becomes of each segment, the program does it. */
static void send_all(struct run *run, struct prog *prog, struct host *host)
{
	const int drops = run->mode == ENFORCE_TC ? TC_ACT_SHOT : XDP_DROP;
	const int passes = hook_of(run->mode) == HOOK_XDP ? XDP_PASS : TC_ACT_UNSPEC;
	bool leaves = run->mode == ENFORCE_EGRESS;

	for (run->sent = 0; run->sent < sequence_length(run->sequence); run->sent++) {
		const struct segment *segment = &run->sequence->segments[run->sent];
		int verdict = prog_segment(prog, hook_of(run->mode), segment, run->v6);
		enum sw_verdict expected;
		struct frame frame;

		host->now_ns = prog->now_ns;
		frame_build(&frame, segment, run->v6);
		expected = host_frame(host, &frame, leaves ? SW_EGRESS : SW_INGRESS);
		assert_int_equal(verdict,
				 expected == SW_VERDICT_DROPPED && !leaves ? drops : passes);
		run->dropped += verdict == drops;
	}
}

/* What the sequence says of the anomaly is what is counted for it; for others, what the host says. */
static int wrongs_of(const struct run *run, const struct result *result, const struct result *host)
{
	const struct sw_counters *counters = &result->counters;
	__u64 seen = run->sequence->seen[run->which], drops = seen;
	const char *name = anomaly_name(run->which);
	bool enforced = run->mode == ENFORCE || run->mode == ENFORCE_TC;
	int wrongs = 0;

	if (run->action == COUNT_IT || run->action == STRICT_BUT_NOT_STRICT ||
	    run->sequence->tolerated >> run->which & 1)
		drops = 0;
	wrongs += differs("seen", name, counters->anomalies_seen[run->which], seen);
	wrongs += differs("would drop", name, counters->anomalies_would_drop[run->which],
			  enforced ? 0 : drops);
	wrongs += differs("dropped", name, counters->anomalies_dropped[run->which],
			  enforced ? drops : 0);
	wrongs += differs("packets dropped for", name, run->dropped, enforced ? drops : 0);
	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++) {
		const char *other = anomaly_name(i);

		wrongs += differs("seen", other, counters->anomalies_seen[i],
				  host->counters.anomalies_seen[i]);
		if (i == run->which)
			continue;
		wrongs += differs("would drop", other, counters->anomalies_would_drop[i], 0);
		wrongs += differs("dropped", other, counters->anomalies_dropped[i], 0);
	}
	return wrongs;
}

static void run_one(struct run *run)
{
	const struct sw_service_state trusted = { .both_sided = SW_ENOUGH_BOTH_SIDED };
	struct setup setup = setup_of(run);
	struct prog *prog = program_for(&setup);
	enum sw_direction direction = run->mode == ENFORCE_EGRESS ? SW_EGRESS : SW_INGRESS;
	struct result result;
	struct host host;
	int wrongs;

	prog_set_service_state(prog, 0, SW_SERVICE_DEFAULT, &trusted);
	prog_arm_rules(prog, run->mode != DISARMED);
	host_open(&host, &setup);
	host.setup.rules.enforce &= run->mode != DISARMED;
	host.service = trusted;
	send_all(run, prog, &host);
	result = prog_result(prog);
	wrongs = wrongs_of(run, &result, &host.result);
	host_close(&host);
	if (wrongs)
		describe(run);
	assert_int_equal(wrongs, 0);
	assert_conserved_traffic(&result.traffic[direction], run->sent, run->dropped);
}

static void every_way(const struct sequence *sequence, bool v6, enum sw_anomaly which)
{
	for (__u32 i = 0; i < ACTIONS * MODES; i++) {
		struct run run = { .sequence = sequence,
				   .v6 = v6,
				   .which = which,
				   .action = i / MODES,
				   .mode = i % MODES };

		/* checksums are those of what came in through a card */
		if (!sequence->checksums || run.mode != ENFORCE_EGRESS)
			run_one(&run);
	}
}

/* Calls it for each sequence that shows the anomaly, in each of its families. Returns how many. */
static __u32 for_each_shown(enum sw_anomaly which,
			    void (*call)(const struct sequence *, bool, enum sw_anomaly))
{
	__u32 count = 0;

	for (__u32 i = 0; i < COUNT(sets); i++) {
		for (__u32 j = 0; j < sets[i].count * 2; j++) {
			const struct sequence *sequence = &sets[i].sequences[j / 2];

			if (!sequence->seen[which] || !sequence_has_family(sequence, j % 2))
				continue;
			call(sequence, j % 2, which);
			count++;
		}
	}
	return count;
}

static void every_action(void **state)
{
	enum sw_anomaly which = (enum sw_anomaly)(uintptr_t)*state;
	__u32 count = for_each_shown(which, every_way);

	/* if there is one now, BY_THEMSELVES is too many */
	assert_true(BY_THEMSELVES >> which & 1 ? !count : count);
}

/* ---- what strict anomalies wait for */

enum trust { TRUSTED, TOO_EARLY, TOO_FEW, ONE_SIDED, ONE_SIDED_LONG_AGO, TRUSTS };

static const char *const trust_names[] = { "trusted", "too early", "too few handshakes",
					   "one-sided", "one-sided, long ago" };

/* Hosts that are in no sequence: each completes a handshake, or goes on alone. */
static void earn(struct prog *prog, __u32 handshakes, bool one_sided, bool v6)
{
	for (__u32 i = 0; i < handshakes; i++) {
		prog_segment(prog, HOOK_XDP, &A_SYN(.from = FIRST_NUMBERED + i), v6);
		prog_segment(prog, HOOK_XDP, &A_SYNACK(.to = FIRST_NUMBERED + i), v6);
		prog_segment(prog, HOOK_XDP, &AN_ACK(.from = FIRST_NUMBERED + i), v6);
	}
	if (!one_sided)
		return;
	for (__u32 i = 0; i < 2 * handshakes; i++) {
		prog_segment(prog, HOOK_XDP, &A_SYN(.from = FIRST_NUMBERED + 100 + i), v6);
		prog_segment(prog, HOOK_XDP, &AN_ACK(.from = FIRST_NUMBERED + 100 + i), v6);
	}
	prog_sweep(prog, true);
	prog_sweep(prog, true); /* and what is kept for stragglers */
}

static __u64 duration_ms(const struct sequence *sequence)
{
	__u64 ms = 0;

	for (__u32 i = 0; i < sequence_length(sequence); i++)
		ms += sequence->segments[i].after_ms;
	return ms;
}

/* Up to the millisecond in which it begins to be over, or through the sequence is not yet. */
static struct setup setup_with_trust(const struct sequence *sequence, enum trust trust,
				     enum action action, enum sw_anomaly which)
{
	struct run run = {
		.sequence = sequence, .which = which, .action = action, .mode = ENFORCE
	};
	struct setup setup = setup_of(&run);

	setup.start_ns += 100ULL * DAY_MS * NS_PER_MS; /* of which we watch the last ones */
	setup.rules.warm_up_ms = 20 * DAY_MS;
	setup.settings.watching_since_ms[0] = setup.start_ns / NS_PER_MS - setup.rules.warm_up_ms;
	if (trust == TOO_EARLY)
		setup.settings.watching_since_ms[0] += duration_ms(sequence) + 1;
	return setup;
}

static bool drops_with_trust(const struct sequence *sequence, bool v6, enum sw_anomaly which,
			     enum action action, enum trust trust)
{
	struct setup setup = setup_with_trust(sequence, trust, action, which);
	struct prog *prog = program_for(&setup);
	__u32 handshakes = SW_ENOUGH_BOTH_SIDED, dropped = 0;
	__u64 seen = sequence->seen[which];
	struct result result;

	if (trust == TOO_FEW)
		handshakes -= 1 + sequence->ended[SW_OUTCOME_ACCEPTED];
	earn(prog, handshakes, trust == ONE_SIDED || trust == ONE_SIDED_LONG_AGO, v6);
	if (trust == ONE_SIDED_LONG_AGO)
		prog->now_ns += setup.rules.warm_up_ms * NS_PER_MS;
	for (__u32 i = 0; i < sequence_length(sequence); i++)
		dropped += prog_segment(prog, HOOK_XDP, &sequence->segments[i], v6) == XDP_DROP;
	result = prog_result(prog);
	assert_int_equal(result.counters.anomalies_dropped[which], dropped);
	assert_int_equal(result.counters.anomalies_would_drop[which], 0);
	assert_true(dropped == 0 || dropped == seen);
	return dropped;
}

static void with_every_trust(const struct sequence *sequence, bool v6, enum sw_anomaly which)
{
	static const enum action actions[] = { DROP_IT, STRICT_AND_STRICT };
	bool waits = SW_MASK_STRICT >> which & 1;

	for (__u32 i = 0; i < COUNT(actions) * TRUSTS; i++) {
		enum action action = actions[i / TRUSTS];
		enum trust trust = i % TRUSTS;
		bool expected = !waits || trust == TRUSTED || trust == ONE_SIDED_LONG_AGO;

		if (sequence->tolerated >> which & 1)
			expected = false;
		if (drops_with_trust(sequence, v6, which, action, trust) == expected)
			continue;
		fail_msg("%s, %s, IPv%d: %s", action_names[action], trust_names[trust], v6 ? 6 : 4,
			 sequence->says);
	}
}

/* Also where a policy says drop: what belongs to nothing known may be our own blindness. */
static void trust_is_earned(void **state)
{
	for_each_shown((enum sw_anomaly)(uintptr_t)*state, with_every_trust);
}

int main(void)
{
	static const char *const names[] = {
#define X(id, name, ...) #name,
		SW_ANOMALIES(X)
#undef X
	};
	struct CMUnitTest tests[2 * SW_ANOMALY_COUNT];
	int failed;

	for (uintptr_t i = 0; i < SW_ANOMALY_COUNT; i++) {
		tests[i] = (struct CMUnitTest){ names[i], every_action, NULL, NULL, (void *)i };
		tests[SW_ANOMALY_COUNT + i] = (struct CMUnitTest){ names[i], trust_is_earned, NULL,
								   NULL, (void *)i };
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < COUNT(programs); i++)
		if (programs[i].skeleton)
			prog_close(&programs[i]);
	return failed;
}
