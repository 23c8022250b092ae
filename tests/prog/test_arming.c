// SPDX-License-Identifier: GPL-2.0-or-later
/* What an operator has disarmed stays so, unless a change of the policy arms it; going back undoes that. */
#include "../lib/sequences.h"
#include "../lib/enforce.h"

#define EVENT_RECORDS 1024U
#define LONG_MS	      (3600U * 1000)

static struct prog prog;

static int reset(void **state __unused)
{
	struct setup setup = setup_ordinary();

	prog_reset_policies(&prog, &setup);
	return 0;
}

static void change(bool arm, __u32 deadline_ms)
{
	SW_AUTO_POLICY policy = policy_new();
	struct sw_switch_request request = { .verb = SW_SWITCH_ACTIVATE,
					     .deadline_ms = deadline_ms,
					     .arm = arm };

	policy_default_rules(policy)->enforce = 1;
	request.slot = policy_put(&prog, policy);
	assert_int_equal(
		prog_test_run(&prog, prog.skeleton->progs.sw_switch, &request, sizeof(request), 1),
		XDP_PASS);
}

static void go_back(void)
{
	assert_true(policy_switch(&prog, SW_SWITCH_ROLL_BACK, 0, 0));
}

static bool is_armed(void)
{
	__u32 zero = 0, value;

	must(!bpf_map_lookup_elem(bpf_map__fd(prog.skeleton->maps.data_armed), &zero, &value),
	     "armed");
	return value;
}

/* An enforcing policy drops, if anything may. */
static void expect_drops(bool drops)
{
	assert_int_equal(is_armed(), drops);
	assert_int_equal(prog_segment(&prog, HOOK_XDP, &tcp(.flags = 0), false),
			 drops ? XDP_DROP : XDP_PASS);
}

static void nothing_drops_while_disarmed(void **state __unused)
{
	change(false, 0);
	expect_drops(true);
	prog_arm_rules(&prog, false);
	expect_drops(false);
	change(false, 0);
	expect_drops(false);
	go_back();
	expect_drops(false);
	prog_arm_rules(&prog, true);
	expect_drops(true);
}

static void going_back_disarms_again(void **state __unused)
{
	prog_arm_rules(&prog, false);
	change(true, 0);
	expect_drops(true);
	go_back();
	assert_false(is_armed());
}

static void of_two_changes_the_first_counts(void **state __unused)
{
	prog_arm_rules(&prog, false);
	change(true, LONG_MS);
	change(true, LONG_MS);
	expect_drops(true);
	go_back();
	assert_false(is_armed());
}

static void what_was_confirmed_is_armed(void **state __unused)
{
	prog_arm_rules(&prog, false);
	change(true, LONG_MS);
	assert_true(policy_switch(&prog, SW_SWITCH_CONFIRM, 0, 0));
	change(false, LONG_MS);
	go_back();
	expect_drops(true);
}

/* Whoever disarms while a change waits to be confirmed is not overruled by its end. */
static void disarmed_meanwhile(void **state __unused)
{
	change(false, LONG_MS);
	expect_drops(true);
	prog_arm_rules(&prog, false);
	go_back();
	assert_false(is_armed());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_drops_while_disarmed, reset),
		cmocka_unit_test_setup(going_back_disarms_again, reset),
		cmocka_unit_test_setup(of_two_changes_the_first_counts, reset),
		cmocka_unit_test_setup(what_was_confirmed_is_armed, reset),
		cmocka_unit_test_setup(disarmed_meanwhile, reset),
	};
	struct setup setup = setup_ordinary();

	return prog_run(&prog, &setup, EVENT_RECORDS, tests);
}
