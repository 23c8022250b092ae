// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is counted of a service to tell an attack from a server that is busy or broken: that it is
 * asked, answers, refuses, is late, and does not take what was completed. And what is not counted.
 */
#include "../lib/sequences.h"
#include "../lib/enforce.h"

#define BUCKETS	      64
#define EVENT_RECORDS 1024U
#define WEB	      80

static struct prog prog;
static bool v6;
static __u32 slot;

static void install(enum sw_flood_mode mode)
{
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_add(policy, "web", NULL, WEB, WEB);

	rules->flood.mode = mode;
	slot = policy_install(&prog, policy, 0);
}

/* Whose addresses this host has: it is the client of some tests, and the server of the others. */
static void be(enum end own)
{
	const enum end ends[] = { CLIENT, SERVER };

	for (size_t i = 0; i < COUNT(ends); i++) {
		const struct sw_addr addr = end_address(ends[i], v6);

		if (ends[i] == own)
			prog_note_address(&prog, &addr, 0);
		else
			prog_forget_address(&prog, &addr, 0);
	}
}

static int reset(void **state)
{
	struct setup setup = setup_ordinary();

	v6 = *state;
	setup.handshake_buckets = BUCKETS;
	setup.connection_buckets = BUCKETS;
	prog_reset_policies(&prog, &setup);
	install(SW_FLOOD_ADAPTIVE);
	be(SERVER);
	return 0;
}

/* A segment of the client of the service comes in, or of its server goes out, as it should be. */
static void pass(struct segment segment)
{
	bool from_server = segment.from == SERVER;

	segment.sport = from_server ? WEB : 40000;
	segment.dport = from_server ? 40000 : WEB;
	prog_segment(&prog, from_server ? HOOK_EGRESS : HOOK_XDP, &segment, v6);
}

/* The same between a client on this host and a server elsewhere. */
static void pass_out(struct segment segment)
{
	bool from_server = segment.from == SERVER;

	segment.sport = from_server ? WEB : 40000;
	segment.dport = from_server ? 40000 : WEB;
	prog_segment(&prog, from_server ? HOOK_XDP : HOOK_EGRESS, &segment, v6);
}

#define EVIDENCE(which) [SW_EVIDENCE_##which]

/* What is not named is 0. */
#define expect(...)                                                                                \
	do {                                                                                       \
		const __u64 expected[SW_EVIDENCE_SLOTS] = { __VA_ARGS__ };                         \
		struct sw_service_counters found = prog_service_counts(&prog, slot, 0);            \
                                                                                                   \
		for (int which = 0; which < SW_EVIDENCE_SLOTS; which++)                            \
			if (found.evidence[which] != expected[which])                              \
				fail_msg("evidence %d: %llu, expected %llu", which,                \
					 found.evidence[which], expected[which]);                  \
	} while (0)

static void a_handshake(void **state __unused)
{
	pass(A_SYN());
	expect(EVIDENCE(SYNS) = 1, EVIDENCE(ATTEMPTS) = 1);
	pass(A_SYNACK());
	expect(EVIDENCE(SYNS) = 1, EVIDENCE(ATTEMPTS) = 1, EVIDENCE(SYNACKS) = 1);
	pass(AN_ACK());
	pass(AN_ACK(.payload = 10));
	expect(EVIDENCE(SYNS) = 1, EVIDENCE(ATTEMPTS) = 1, EVIDENCE(SYNACKS) = 1,
	       EVIDENCE(COMPLETED) = 1);
}

static void what_is_repeated_counts_once(void **state __unused)
{
	pass(A_SYN());
	pass(A_SYN(.after_ms = 100));
	pass(A_SYNACK());
	pass(A_SYNACK(.after_ms = 100));
	expect(EVIDENCE(SYNS) = 2, EVIDENCE(ATTEMPTS) = 1, EVIDENCE(SYNACKS) = 1);
}

static void a_refusal(void **state __unused)
{
	pass(A_SYN());
	pass(REFUSAL());
	pass(REFUSAL());
	expect(EVIDENCE(SYNS) = 1, EVIDENCE(ATTEMPTS) = 1, EVIDENCE(REFUSED) = 1);
}

static void late_is_from_the_first_syn_on(void **state __unused)
{
	pass(A_SYN());
	pass(A_SYNACK(.after_ms = SW_LATE_MS / 2));
	pass(AN_ACK(.after_ms = SW_LATE_MS - SW_LATE_MS / 2));
	expect(EVIDENCE(SYNS) = 1, EVIDENCE(ATTEMPTS) = 1, EVIDENCE(SYNACKS) = 1,
	       EVIDENCE(COMPLETED) = 1, EVIDENCE(LATE) = 1);
}

static void just_in_time_is_not_late(void **state __unused)
{
	pass(A_SYN());
	pass(A_SYNACK());
	pass(AN_ACK(.after_ms = SW_LATE_MS - 1));
	expect(EVIDENCE(SYNS) = 1, EVIDENCE(ATTEMPTS) = 1, EVIDENCE(SYNACKS) = 1,
	       EVIDENCE(COMPLETED) = 1);
}

static void a_synack_again_behind_the_ack(void **state __unused)
{
	pass(A_SYN());
	pass(A_SYNACK());
	pass(AN_ACK());
	pass(A_SYNACK(.after_ms = 1000));
	pass(A_SYNACK(.after_ms = 2000));
	expect(EVIDENCE(SYNS) = 1, EVIDENCE(ATTEMPTS) = 1, EVIDENCE(SYNACKS) = 1,
	       EVIDENCE(COMPLETED) = 1, EVIDENCE(UNACCEPTED) = 2);
}

/* What this host asks others for says nothing about its own service, although its port is theirs. */
static void a_client_here_is_no_evidence(void **state __unused)
{
	be(CLIENT);
	pass_out(A_SYN());
	pass_out(A_SYNACK());
	pass_out(AN_ACK(.after_ms = 2000));
	pass_out(A_SYNACK());
	expect(EVIDENCE(SYNS) = 0);
	pass_out(A_SYN(.seq = 77));
	pass_out(REFUSAL(.ack = 78));
	expect(EVIDENCE(SYNS) = 0);
}

static void strays_are_no_attempts(void **state __unused)
{
	pass(AN_ACK());
	pass(tcp(.from = CLIENT, .flags = 0));
	pass(SERVER_ACK());
	expect(EVIDENCE(SYNS) = 0);
}

static void without_a_defence_only_syns(void **state __unused)
{
	install(SW_FLOOD_OFF);
	pass(A_SYN());
	pass(A_SYNACK());
	pass(AN_ACK(.after_ms = 1000));
	pass(A_SYNACK());
	expect(EVIDENCE(SYNS) = 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(a_handshake),
		EACH_FAMILY(what_is_repeated_counts_once),
		EACH_FAMILY(a_refusal),
		EACH_FAMILY(late_is_from_the_first_syn_on),
		EACH_FAMILY(just_in_time_is_not_late),
		EACH_FAMILY(a_synack_again_behind_the_ack),
		EACH_FAMILY(a_client_here_is_no_evidence),
		EACH_FAMILY(strays_are_no_attempts),
		EACH_FAMILY(without_a_defence_only_syns),
	};
	const struct setup setup = setup_of_buckets(BUCKETS);

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
