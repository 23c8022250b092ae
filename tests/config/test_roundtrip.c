// SPDX-License-Identifier: GPL-2.0-or-later
/* A policy that is printed and read again is the same, and differences are told as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../user/base/error.h"
#include "../../user/config/config.h"
#include "../lib/policies.h"

#define POLICIES 1000

static struct sw_policy policy, other;

/* As a file has it. Returns the text, which the caller frees. */
static char *print(const struct sw_policy *from)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	sw_config_print(out, from);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void load(const char *text, struct sw_policy *into)
{
	char path[] = "/tmp/synward-policy-XXXXXX";
	int fd = mkstemp(path), error;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	error = sw_config_load(path, into);
	unlink(path);
	if (error)
		fail_msg("%s\n%s", sw_error_text(), text);
}

static void expect_no_difference(const struct sw_policy *a, const struct sw_policy *b,
				 const char *text)
{
	SW_AUTO_CHANGES struct sw_changes changes;

	assert_int_equal(sw_config_diff(a, b, &changes), 0);
	if (changes.count)
		fail_msg("%s: %s, %s\n%s", changes.changes[0].path, changes.changes[0].before,
			 changes.changes[0].after, text);
	assert_true(sw_policy_equal(a, b));
}

static void what_is_printed_reads_the_same(void **state __unused)
{
	unsigned int services = 0;
	__u64 seed = 2026;

	for (int i = 0; i < POLICIES; i++) {
		char *text, *again;

		draw_policy(&seed, &policy);
		assert_int_equal(sw_policy_compile(&policy), 0);
		memset(&other, 0x77, sizeof(other));
		text = print(&policy);
		load(text, &other);
		expect_no_difference(&policy, &other, text);
		/* nor in what packets look at */
		other.generation = policy.generation;
		assert_memory_equal(&policy, &other, sizeof(policy));
		again = print(&other);
		assert_string_equal(text, again);
		services += policy.service_count;
		free(text);
		free(again);
	}
	assert_true(services > 2 * POLICIES);
}

/* ---- differences */

static void two_policies_differ_where_they_are_not_equal(void **state __unused)
{
	__u64 seed = 77;

	for (int i = 0; i < POLICIES; i++) {
		SW_AUTO_CHANGES struct sw_changes changes, back;

		draw_policy(&seed, &policy);
		other = policy;
		if (draw(&seed, 3))
			draw_rules(&seed, &other.rules[draw(&seed, 2) ? SW_SERVICE_DEFAULT : 0]);
		if (!draw(&seed, 3))
			draw_policy(&seed, &other);
		assert_int_equal(sw_policy_compile(&policy), 0);
		assert_int_equal(sw_policy_compile(&other), 0);
		assert_int_equal(sw_config_diff(&policy, &other, &changes), 0);
		assert_int_equal(sw_config_diff(&other, &policy, &back), 0);
		assert_int_equal(!changes.count, sw_policy_equal(&policy, &other));
		assert_int_equal(changes.count, back.count);
		for (size_t j = 0; j < changes.count; j++) {
			const struct sw_change *change = &changes.changes[j];
			const char *before = change->before, *after = change->after;

			assert_true(change->kind == SW_CHANGE_CHANGED ? *before && *after :
				    change->kind == SW_CHANGE_ADDED   ? !*before :
									!*after);
			for (size_t k = 0; k < j; k++)
				assert_string_not_equal(change->path, changes.changes[k].path);
		}
	}
}

/* All differences from a policy file to another, a line each: kind, path: before > after. */
static void expect_changes(const char *before, const char *after, const char *expected)
{
	static const char kinds[] = {
		[SW_CHANGE_ADDED] = '+', [SW_CHANGE_REMOVED] = '-', [SW_CHANGE_CHANGED] = '~'
	};
	SW_AUTO_CHANGES struct sw_changes changes;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	load(before, &policy);
	load(after, &other);
	assert_int_equal(sw_config_diff(&policy, &other, &changes), 0);
	for (size_t i = 0; i < changes.count; i++)
		fprintf(out, "%c %s: %s > %s\n", kinds[changes.changes[i].kind],
			changes.changes[i].path, changes.changes[i].before,
			changes.changes[i].after);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

#define EMPTY "version: 1\n"
#define WEB   "services:\n  - name: web\n    ports: [80]\n"

static void values_differ_by_their_path(void **state __unused)
{
	expect_changes(EMPTY, EMPTY, "");
	expect_changes(EMPTY, EMPTY "default: {mode: enforce, warm_up: 90m}\n",
		       "~ default.mode: monitor > enforce\n"
		       "~ default.warm_up: 1h > 90m\n");
	expect_changes(EMPTY "default: {limits: {syn_rate: {per_second: 5}}}\n", EMPTY,
		       "~ default.limits.syn_rate.per_second: 5 > 0\n"
		       "- default.limits.syn_rate.burst: 5 > \n");
	expect_changes(EMPTY, EMPTY "default: {actions: {midstream: drop, land: count}}\n",
		       "~ default.actions.land: drop > count\n"
		       "~ default.actions.midstream: strict > drop\n");
	expect_changes(EMPTY, EMPTY "auto_block: {enabled: yes, window: 2m, evidence: flow}\n",
		       "~ auto_block.enabled: no > yes\n"
		       "~ auto_block.window: 1m > 2m\n"
		       "~ auto_block.evidence: source > flow\n");
	expect_changes(EMPTY "flood_defence: {way: kernel}\n",
		       EMPTY "flood_defence: {set_syncookies: yes, unheard: answer, "
			     "shared_secret: yes}\n",
		       "~ flood_defence.way: kernel > auto\n"
		       "~ flood_defence.set_syncookies: no > yes\n"
		       "~ flood_defence.unheard: pass > answer\n"
		       "~ flood_defence.shared_secret: no > yes\n");
	expect_changes(EMPTY, EMPTY "gateway: {hairpin: yes}\n", "~ gateway.hairpin: auto > yes\n");
	/* what is inherited is a service's as well */
	expect_changes(EMPTY WEB, EMPTY "default: {strict: yes}\n" WEB,
		       "~ default.strict: no > yes\n"
		       "~ services.web.strict: no > yes\n");
}

static void services_come_and_go_by_their_name(void **state __unused)
{
	expect_changes(EMPTY, EMPTY WEB "    mode: enforce\n",
		       "+ services.web:  > \n"
		       "+ services.web.ports:  > 80\n"
		       "+ services.web.mode:  > enforce\n");
	expect_changes(EMPTY WEB "    addresses: [192.0.2.1, 10.0.0.0/8]\n",
		       EMPTY "services: [{name: www, family: ipv6}]\n",
		       "- services.web:  > \n"
		       "- services.web.addresses: 10.0.0.0/8, 192.0.2.1 > \n"
		       "- services.web.ports: 80 > \n"
		       "+ services.www:  > \n"
		       "+ services.www.family:  > ipv6\n");
	expect_changes(EMPTY WEB,
		       EMPTY "services: [{name: web, ports: [8000-8100, 80], family: ipv4}]\n",
		       "+ services.web.family:  > ipv4\n"
		       "~ services.web.ports: 80 > 80, 8000-8100\n");
}

static void an_order_is_a_difference(void **state __unused)
{
	expect_changes(EMPTY "services: [{name: a, ports: [1]}, {name: b, ports: [2]}]\n",
		       EMPTY "services: [{name: b, ports: [2]}, {name: a, ports: [1]}]\n",
		       "~ services: a, b > b, a\n");
	/* but not of what the file has in whatever order */
	expect_changes(EMPTY "services: [{name: a, ports: [1, 2]}]\n",
		       EMPTY "services: [{name: a, ports: [2, 1]}]\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_reads_the_same),
		cmocka_unit_test(two_policies_differ_where_they_are_not_equal),
		cmocka_unit_test(values_differ_by_their_path),
		cmocka_unit_test(services_come_and_go_by_their_name),
		cmocka_unit_test(an_order_is_a_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
