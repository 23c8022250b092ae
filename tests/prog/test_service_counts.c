// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose counters find a row when a slot's policy is replaced: all, as long as there are rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../user/maps/service_counts.h"

#define LAST 30

static struct sw_policy *policy_of(const char *letter, uint32_t count)
{
	struct sw_policy *policy = calloc(1, sizeof(*policy));

	assert_non_null(policy);
	policy->service_count = count;
	for (uint32_t i = 0; i < count; i++)
		snprintf(policy->services[i].name, SW_SERVICE_NAME, "%s%u", letter, i);
	strcpy(policy->services[SW_SERVICE_DEFAULT].name, "default");
	return policy;
}

static unsigned int times(const struct sw_policy *policy, const char *name)
{
	unsigned int found = 0;

	for (uint32_t row = 0; row < SW_SERVICE_SLOTS; row++)
		found += !strcmp(policy->services[row].name, name);
	return found;
}

static void test_a_name_that_is_missing_keeps_a_row(void **state __unused)
{
	struct sw_policy *last = policy_of("a", LAST), *now = policy_of("a", 2),
			 *next = policy_of("b", 1);

	sw_service_counts_keep_names(now, last);
	assert_int_equal(now->service_count, 2);
	for (uint32_t i = 0; i < LAST; i++)
		assert_int_equal(times(now, last->services[i].name), 1);
	sw_service_counts_keep_names(next, now); /* also of what was an earlier policy's already */
	assert_int_equal(times(next, "a29"), 1);
	assert_int_equal(times(next, "b0"), 1);
	assert_int_equal(times(next, "default"), 1);
	free(last);
	free(now);
	free(next);
}

static void test_what_has_no_row_is_lost(void **state __unused)
{
	struct sw_policy *last = policy_of("a", LAST),
			 *now = policy_of("b", SW_MAX_SERVICES - LAST + 1);

	sw_service_counts_keep_names(now, last);
	assert_int_equal(times(now, "a28"), 1);
	assert_int_equal(times(now, "a29"), 0);
	assert_int_equal(times(now, "default"), 1);
	free(last);
	free(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_that_is_missing_keeps_a_row),
		cmocka_unit_test(test_what_has_no_row_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
