// SPDX-License-Identifier: GPL-2.0-or-later
/* Handshakes have the timeouts of their responder's service, whoever sends the segment at hand. */
#include "../lib/sequences.h"
#include "../lib/enforce.h"

#define EVENT_RECORDS 1024U
#define WEB	      80
#define OTHER_PORT    8080

static struct prog prog;
static bool v6;

static int reset(void **state)
{
	struct setup setup = setup_ordinary();
	SW_AUTO_POLICY policy = policy_new();
	struct sw_rules *rules = policy_default_rules(policy), *web;

	v6 = *state;
	rules->timeout_ms[SW_TIMEOUT_SYN_SENT] = 9000;
	rules->timeout_ms[SW_TIMEOUT_SYN_RECEIVED] = 8000;
	rules->timeout_ms[SW_TIMEOUT_RST_GRACE] = 7000;
	web = policy_add(policy, "web", v6 ? "2001:db8:1::/64" : "192.0.2.0/24", WEB, WEB);
	web->timeout_ms[SW_TIMEOUT_SYN_SENT] = 900;
	web->timeout_ms[SW_TIMEOUT_SYN_RECEIVED] = 800;
	web->timeout_ms[SW_TIMEOUT_RST_GRACE] = 70;
	prog_reset_policies(&prog, &setup);
	policy_install(&prog, policy, 0);
	return 0;
}

static void send(enum hook hook, struct segment segment)
{
	prog_segment(&prog, hook, &segment, v6);
}

/* At the last moment nothing is over yet, and a millisecond later it is. */
static void ends_after(enum sw_outcome outcome, __u32 ms)
{
	__u64 before;

	prog.now_ns += ms * NS_PER_MS;
	prog_sweep(&prog, false);
	before = prog_result(&prog).counters.outcomes[outcome];
	prog.now_ns += NS_PER_MS;
	prog_sweep(&prog, false);
	assert_int_equal(prog_result(&prog).counters.outcomes[outcome], before + 1);
}

static void a_syn_without_answer(void **state __unused)
{
	send(HOOK_XDP, A_SYN(.dport = WEB));
	ends_after(SW_OUTCOME_NO_RESPONSE, 900);
	send(HOOK_XDP, A_SYN(.dport = OTHER_PORT));
	ends_after(SW_OUTCOME_NO_RESPONSE, 9000);
}

/* What comes back is of the service that sends it, on the way out and on the way through. */
static void an_answer_without_end(void **state __unused)
{
	const enum hook ways[] = { HOOK_XDP, HOOK_EGRESS };

	for (__u32 i = 0; i < COUNT(ways); i++) {
		send(HOOK_XDP, A_SYN(.dport = WEB, .sport = 1 + i));
		send(ways[i], A_SYNACK(.sport = WEB, .dport = 1 + i));
		ends_after(SW_OUTCOME_HALF_OPEN, 800);
		send(HOOK_XDP, A_SYN(.dport = OTHER_PORT, .sport = 1 + i));
		send(ways[i], A_SYNACK(.sport = OTHER_PORT, .dport = 1 + i));
		ends_after(SW_OUTCOME_HALF_OPEN, 8000);
	}
}

static void a_refusal(void **state __unused)
{
	send(HOOK_XDP, A_SYN(.dport = WEB));
	send(HOOK_EGRESS, REFUSAL(.sport = WEB));
	ends_after(SW_OUTCOME_REJECTED, 70);
	send(HOOK_XDP, A_SYN(.dport = OTHER_PORT));
	send(HOOK_EGRESS, REFUSAL(.sport = OTHER_PORT));
	ends_after(SW_OUTCOME_REJECTED, 7000);
}

/* A port of the client's that is one of the service's does not make it the service. */
static void whose_port_it_is(void **state __unused)
{
	send(HOOK_XDP, A_SYN(.sport = WEB, .dport = OTHER_PORT));
	ends_after(SW_OUTCOME_NO_RESPONSE, 9000);
	send(HOOK_XDP, A_SYN(.sport = WEB, .dport = 8081));
	send(HOOK_XDP, A_SYNACK(.dport = WEB, .sport = 8081));
	ends_after(SW_OUTCOME_HALF_OPEN, 8000);
}

/* What is over for the service is over for the packet, whether or not it was swept. */
static void too_late(void **state __unused)
{
	struct result result;

	send(HOOK_XDP, A_SYN(.dport = WEB));
	send(HOOK_XDP, A_SYNACK(.sport = WEB));
	send(HOOK_XDP, AN_ACK(.dport = WEB, .after_ms = 801));
	send(HOOK_XDP, A_SYN(.dport = WEB, .sport = 1));
	send(HOOK_XDP, A_SYNACK(.sport = WEB, .dport = 1));
	send(HOOK_XDP, AN_ACK(.dport = WEB, .sport = 1, .after_ms = 800));
	result = prog_result(&prog);
	assert_int_equal(result.counters.anomalies_seen[SW_ANOMALY_MIDSTREAM], 1);
	assert_int_equal(result.counters.outcomes[SW_OUTCOME_ACCEPTED], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_FAMILY(a_syn_without_answer),
		EACH_FAMILY(an_answer_without_end),
		EACH_FAMILY(a_refusal),
		EACH_FAMILY(whose_port_it_is),
		EACH_FAMILY(too_late),
	};
	struct setup setup = setup_ordinary();

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
