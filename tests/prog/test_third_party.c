// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What somebody can do to others' connections who knows their addresses and ports, but none of their numbers:
 * he sends whatever flags and numbers he likes in the name of either end, and answers himself, while they go
 * on. Promised is this.
 *
 * - No segment of a live connection is dropped, whatever he has sent, under any policy. Nothing else would do:
 *   however near a number has to be to be credible, some are so by chance, every second one within 2^30, one of
 *   1,400 within a MiB; so he can have an entry given up by a RST or a FIN. It may go then, first of all and
 *   earlier than others; but a connection that was known is not one out of nothing, so its next segment is no
 *   reason to drop anything, however strict the rules are and however long it was silent, as long as it may
 *   live (the timeout established). Of somebody on both sides of a router that can be promised only to who does not
 *   fall silent: he can play a whole handshake in the place of theirs and end it; then it has ended, for all that is known.
 *   So it is of a handshake that is under way while he sends, or that he has sent for before: he may have any number of
 *   attempts opened beside it. Not if he is on both sides, or the two ends say nothing for longer than an attempt lasts.
 * - No handshake is counted as completed that was not. Of what is forwarded that can be said of somebody on one
 *   side of the router only: whoever can send by both sides can play both ends, and nobody can tell.
 * - Nobody is blocked for what was sent in his name, where the evidence asked for is his own flow: so a segment
 *   counts only with a number that is hardly ever hit by chance.
 * - Strict rules are as ready as they were: a handshake is not one-sided whose other end challenges it, nor one beside
 *   another of its ports, of which the other end answers only one. Who makes up handshakes with addresses that nobody
 *   has can suspend them, if there are enough of these.
 *
 * THIRD_PARTY_SEED names the first round's seed, THIRD_PARTY_SEGMENTS how many segments there are in each test.
 * What breaks a promise is made as short as it can be.
 */
#include "../lib/third_party.h"

#include <stdlib.h>

#define ROUND	   8000 /* steps */
#define SEGMENTS   48000
#define CHECKED	   32 /* after so many steps all is looked at */
#define MAX_TRIALS 400
#define DAYS	   10 /* since the attach: nothing is older than that */

enum promise {
	NOTHING_DROPPED,
	NOTHING_COMPLETED,
	NOBODY_BLOCKED,
	READY_AS_BEFORE,
	PROMISES,
};

#define ALL_PROMISES ((1U << PROMISES) - 1)

/* What it means that one is broken. */
static const char *const breaches[PROMISES] = {
	[NOTHING_DROPPED] = "an honest segment was dropped",
	[NOTHING_COMPLETED] = "a handshake was completed that never was",
	[NOBODY_BLOCKED] = "somebody is blocked for what was sent in his name",
	[READY_AS_BEFORE] = "strict rules are not ready any more",
};

static __u64 first_seed = 1;
static __u64 segments = SEGMENTS;

struct trial {
	bool strict;
	bool on_both_sides;
	bool falls_silent;
	struct step steps[ROUND];
	__u32 count;
	struct numbers numbers[CONNECTIONS];
	__u32 completed; /* handshakes since then */
	__u32 probes;	 /* of strict rules */
	__u32 promises;	 /* those that are looked at, by bit */
	__u32 broken;	 /* and those of them that are broken */
};

static struct trial trial;

static __u32 sends(bool by_far, enum hook hook, const struct segment *segment, bool of_v6)
{
	struct prog *by = by_far ? &far_prog : &prog;
	struct frame frame;

	by->now_ns = prog.now_ns;
	frame_build(&frame, segment, of_v6);
	return prog_frame(by, hook, &frame);
}

/* Does an honest segment pass? */
static bool honest_passes(__u32 connection, bool from_server, struct segment segment)
{
	bool v6_too = has_v6(connection);

	if (!from_server)
		return sends(false, HOOK_XDP, &segment, v6_too) == XDP_PASS;
	if (is_forwarded(connection))
		return sends(true, HOOK_XDP, &segment, v6_too) == XDP_PASS;
	return (int)sends(false, HOOK_EGRESS, &segment, v6_too) == TC_ACT_UNSPEC;
}

static bool say(const struct numbers *numbers, __u32 connection, bool from_server, int flags,
		__u32 seq, __u32 ack)
{
	const struct step step = { .connection = connection,
				   .from_server = from_server,
				   .flags = flags,
				   .seq = seq,
				   .ack = ack };

	return honest_passes(connection, from_server, segment_of(&step, numbers));
}

/* As they were before he came. */
static void open_connections(struct trial *of, struct dice dice)
{
	for (__u32 i = 0; i < CONNECTIONS; i++) {
		struct numbers *numbers = &of->numbers[i];

		*numbers = (struct numbers){ .c = random_u32(&dice), .s = random_u32(&dice) };
		must(say(numbers, i, false, SYN, numbers->c++, 0) &&
			     say(numbers, i, true, SYN | ACK, numbers->s++, numbers->c) &&
			     say(numbers, i, false, ACK, numbers->c, numbers->s) &&
			     say(numbers, i, true, ACK, numbers->s, numbers->c),
		     "a handshake");
	}
}

/* Blocking is another promise's matter, and makes each segment of a source be dropped. */
static void install_policy(bool strict, bool blocks)
{
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_default_rules(policy);

	rules->enforce = 1;
	rules->strict = strict;
	rules->warm_up_ms = 0;
	/* who is behind may refuse a SYN that he has made up in the server's name: then its answer is awaited for so long only */
	rules->timeout_ms[SW_TIMEOUT_RST_GRACE] = rules->timeout_ms[SW_TIMEOUT_SYN_SENT];
	policy->auto_block = (struct sw_auto_block){ .enabled = blocks,
						     .offences = 20,
						     .window_s = 86400,
						     .expiry_s = 86400,
						     .maximum = 1000,
						     .own_flows = 1 };
	policy_install(&prog, policy, 0);
}

static void begin_trial(struct trial *of, __u64 seed)
{
	struct setup setup = prog.setup;

	setup.start_ns = ORDINARY_START_NS;
	prog_reset_policies(&prog, &setup);
	prog_note_interface(&prog, 0, NEAR_IFINDEX);
	if (is_router)
		begin_to_forward();
	for (int family = 0; family < 2; family++) {
		struct sw_addr ours = end_address(SERVER, family);

		prog_note_address(&prog, &ours, 0);
	}
	prog.now_ns += DAYS * 86400ULL * 1000 * NS_PER_MS;
	install_policy(of->strict, of->promises & 1 << NOBODY_BLOCKED);
	of->completed = 0;
	of->probes = 0;
	of->broken = 0;
	open_connections(of, (struct dice){ .state = ~seed });
}

/* ---- the promises */

/* Something out of nothing to a server, from where nobody was before; strict rules drop it while they are ready. */
static bool strict_rules_are_ready(struct trial *of)
{
	struct segment stray = tcp(.from = FIRST_NUMBERED + 1000 + of->probes++, .to = SERVER,
				   .flags = ACK, .seq = 1, .ack = 1);

	return sends(false, HOOK_XDP, &stray, of->probes & 1) == XDP_DROP;
}

static __u32 what_is_broken(struct trial *of)
{
	struct sw_counters counters = counted();
	__u64 completed = counters.outcomes[SW_OUTCOME_ACCEPTED] +
			  counters.outcomes[SW_OUTCOME_ACCEPTED_SIMOPEN] +
			  counters.outcomes[SW_OUTCOME_SYNACK_PICKUP];
	__u32 broken = 0;

	if (!of->on_both_sides && completed > CONNECTIONS + of->completed)
		broken |= 1 << NOTHING_COMPLETED;
	if (counters.tallies[SW_TALLY_AUTO_BLOCKS])
		broken |= 1 << NOBODY_BLOCKED;
	if (of->strict && !strict_rules_are_ready(of))
		broken |= 1 << READY_AS_BEFORE;
	return broken;
}

/* ---- playing */

/*
 * An end that gets a SYN on its connection answers with an ACK of that (RFC 5961). What seems to come from this host
 * does not get so far.
 */
static bool is_challenged(const struct step *step)
{
	return (step->flags & (SYN | ACK | RST | FIN)) == SYN &&
	       (!step->from_server || is_forwarded(step->connection));
}

static void play_step(struct trial *of, const struct step *step)
{
	struct numbers *numbers = &of->numbers[step->connection];
	enum stage before = numbers->stage;
	struct segment segment;
	struct step answer;

	prog.now_ns += step->after_ms * NS_PER_MS + 1000;
	switch (step->kind) {
	case STEP_HONEST:
		segment = honest_segment(step, numbers);
		of->completed += before == ANSWERED && numbers->stage == TALKING;
		if (!honest_passes(step->connection, segment.from == server_of(step->connection),
				   segment))
			of->broken |= 1 << NOTHING_DROPPED;
		break;
	case STEP_FORGED:
		segment = segment_of(step, numbers);
		if (sends(step->by_far, HOOK_XDP, &segment, has_v6(step->connection)) != XDP_PASS ||
		    !is_challenged(step))
			break;
		answer = *step;
		answer.from_server = !step->from_server;
		answer.manner = MANNER_ACK;
		segment = honest_segment(&answer, numbers);
		of->completed += before == ANSWERED && numbers->stage == TALKING;
		if (!honest_passes(step->connection, answer.from_server, segment))
			of->broken |= 1 << NOTHING_DROPPED;
		break;
	case STEP_SWEEP:
		prog_sweep(&prog, false);
		prog_sweep_connections(&prog, false);
		break;
	}
}

/* Returns after how many steps one of these promises is broken; 0: never. */
static __u32 play(struct trial *of, __u64 seed, __u32 promises)
{
	of->promises = promises;
	begin_trial(of, seed);
	for (__u32 i = 0; i < of->count; i++) {
		play_step(of, &of->steps[i]);
		if (i % CHECKED == CHECKED - 1 || i + 1 == of->count)
			of->broken |= what_is_broken(of);
		of->broken &= promises;
		if (of->broken)
			return i + 1;
	}
	return 0;
}

static void draw_steps(struct trial *of, __u64 seed)
{
	static struct forger forger;

	forger = (struct forger){ .dice.state = seed * 0x2545f4914f6cdd1d,
				  .on_both_sides = of->on_both_sides,
				  .falls_silent = of->falls_silent };
	of->count = ROUND;
	for (__u32 i = 0; i < ROUND; i++)
		of->steps[i] = next_step(&forger);
}

/* Leaves out pieces as long as the promise is still broken, then shorter ones. */
static void shorten(struct trial *of, __u64 seed, __u32 promise)
{
	static struct step before[ROUND];
	__u32 trials = 0;

	for (__u32 piece = of->count / 2; piece && trials < MAX_TRIALS; piece /= 2) {
		for (__u32 at = 0; at < of->count && trials < MAX_TRIALS; trials++) {
			__u32 count = of->count, end = at + piece < count ? at + piece : count;
			__u32 fails;

			memcpy(before, of->steps, count * sizeof(*before));
			memmove(&of->steps[at], &before[end], (count - end) * sizeof(*before));
			of->count -= end - at;
			fails = play(of, seed, promise);
			if (fails) {
				of->count = fails;
				continue;
			}
			memcpy(of->steps, before, count * sizeof(*before));
			of->count = count;
			at = end;
		}
	}
}

static void explain(const struct trial *of, __u64 seed, const char *breach)
{
	__u32 shown = of->count < 40 ? of->count : 40;

	fprintf(stderr, "THIRD_PARTY_SEED=%llu THIRD_PARTY_SEGMENTS=%u: %s after %u steps", seed,
		ROUND, breach, of->count);
	fprintf(stderr, shown < of->count ? ", the last of which are:\n" : ":\n");
	for (__u32 i = of->count - shown; i < of->count; i++)
		print_step(stderr, &of->steps[i]);
}

/* Each promise that a round breaks by itself, and that is not among those known to be broken. */
static __u32 look_closer(struct trial *of, __u64 seed, __u32 known)
{
	static struct step steps[ROUND];
	__u32 broken = 0;

	memcpy(steps, of->steps, sizeof(steps));
	for (enum promise i = 0; i < PROMISES; i++) {
		__u32 promise = 1U << i;

		memcpy(of->steps, steps, sizeof(steps));
		of->count = ROUND;
		of->count = promise & known ? 0 : play(of, seed, promise);
		if (!of->count)
			continue;
		shorten(of, seed, promise);
		explain(of, seed, breaches[i]);
		broken |= promise;
	}
	return broken;
}

enum scene {
	A_ROUTER = 1 << 0,
	STRICT_RULES = 1 << 1,
	ALL_FALL_SILENT = 1 << 2, /* for longer than a closed connection is kept */
	ON_BOTH_SIDES = 1 << 3,
};

static void keeps_its_promises(enum scene scene)
{
	__u32 broken = 0;

	is_router = scene & A_ROUTER;
	trial.strict = scene & STRICT_RULES;
	trial.falls_silent = scene & ALL_FALL_SILENT;
	trial.on_both_sides = scene & ON_BOTH_SIDES;
	printf("from seed %llu on, %llu segments\n", first_seed, segments);
	for (__u64 seed = first_seed; (seed - first_seed) * ROUND < segments; seed++) {
		draw_steps(&trial, seed);
		if (play(&trial, seed, ALL_PROMISES & ~broken))
			broken |= look_closer(&trial, seed, broken);
	}
	if (broken)
		fail_msg("promises are broken, see above");
}

/* ---- the tests */

static void with_a_host(void **state __unused)
{
	keeps_its_promises(0);
}

static void with_a_strict_host(void **state __unused)
{
	keeps_its_promises(STRICT_RULES | ALL_FALL_SILENT);
}

static void through_a_router(void **state __unused)
{
	keeps_its_promises(A_ROUTER);
}

static void through_a_strict_router(void **state __unused)
{
	keeps_its_promises(A_ROUTER | STRICT_RULES);
}

static void through_a_strict_router_after_silence(void **state __unused)
{
	keeps_its_promises(A_ROUTER | STRICT_RULES | ALL_FALL_SILENT);
}

static void by_somebody_on_both_sides(void **state __unused)
{
	keeps_its_promises(A_ROUTER | STRICT_RULES | ON_BOTH_SIDES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_a_host),
		cmocka_unit_test(with_a_strict_host),
		cmocka_unit_test(through_a_router),
		cmocka_unit_test(through_a_strict_router),
		cmocka_unit_test(through_a_strict_router_after_silence),
		cmocka_unit_test(by_somebody_on_both_sides),
	};
	struct setup setup = setup_of_buckets(4096);

	setup.handshake_buckets = 8192; /* an attempt that is pushed out is another matter */
	if (getenv("THIRD_PARTY_SEED"))
		first_seed = strtoull(getenv("THIRD_PARTY_SEED"), NULL, 0);
	if (getenv("THIRD_PARTY_SEGMENTS"))
		segments = strtoull(getenv("THIRD_PARTY_SEGMENTS"), NULL, 0);
	return forged_run(&setup, tests);
}
