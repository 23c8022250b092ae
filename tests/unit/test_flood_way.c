// SPDX-License-Identifier: GPL-2.0-or-later
/* Which way floods are kept off, for every host and everything that may be asked of it. */
#include "../../user/base/error.c"
#include "../../user/base/printable.c"
#include "../../user/model/flood_way.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Calls check for each host. */
static void for_each_host(void (*check)(const struct sw_flood_host *host))
{
	for (int bits = 0; bits < 16; bits++)
		for (int syncookies = -1; syncookies <= 2; syncookies++)
			check(&(struct sw_flood_host){ .hands_over = bits & 1,
						       .checks_cookies = bits & 2,
						       .has_word = bits & 4,
						       .may_set = bits & 4,
						       .syncookies = syncookies,
						       .bridge = { bits & 8 ? 'b' : 0 } });
}

/* Another writing of what docs/policy.md says of each way. */
static bool does_work(const struct sw_flood_host *host, enum sw_flood_way way)
{
	bool settable = host->may_set && host->syncookies >= 0;

	if (way == SW_WAY_HANDOVER)
		return host->hands_over && !host->bridge[0] && (host->syncookies > 0 || settable);
	if (way == SW_WAY_KERNEL)
		return host->checks_cookies && (host->syncookies == 2 || settable);
	return true;
}

static enum sw_flood_way first_that_works(const struct sw_flood_host *host)
{
	return does_work(host, SW_WAY_HANDOVER) ? SW_WAY_HANDOVER :
	       does_work(host, SW_WAY_KERNEL)	? SW_WAY_KERNEL :
						  SW_WAY_CHALLENGE;
}

static void check_best(const struct sw_flood_host *host)
{
	struct sw_flood_choice choice = sw_flood_choose(host, &(struct sw_flood_asked){});

	assert_int_equal(choice.reason, SW_WAY_BY_BEST);
	assert_int_equal(choice.way, first_that_works(host));
}

static void auto_takes_the_best_that_works(void **state)
{
	(void)state;
	for_each_host(check_best);
}

/* The policy's word goes before attach's; what does not work is never taken. */
static void check_asked(const struct sw_flood_host *host)
{
	for (uint8_t policy = 0; policy < SW_FLOOD_WISH_COUNT; policy++) {
		for (uint8_t attach = 0; attach < SW_FLOOD_WISH_COUNT; attach++) {
			struct sw_flood_choice choice =
				sw_flood_choose(host, &(struct sw_flood_asked){ policy, attach });
			uint8_t wish = policy ? policy : attach;

			assert_true(does_work(host, choice.way));
			if (!wish)
				continue;
			if (does_work(host, SW_WISHED_WAY(wish))) {
				assert_int_equal(choice.way, SW_WISHED_WAY(wish));
				assert_int_equal(choice.reason,
						 policy ? SW_WAY_BY_POLICY : SW_WAY_BY_ATTACH);
			} else {
				assert_int_equal(choice.way, first_that_works(host));
				assert_int_equal(choice.reason, SW_WAY_BY_INSTEAD);
			}
		}
	}
}

static void what_is_asked_for_is_taken_if_it_works(void **state)
{
	(void)state;
	for_each_host(check_asked);
}

static void check_lacks(const struct sw_flood_host *host)
{
	for (enum sw_flood_way way = 0; way < SW_FLOOD_WAY_COUNT; way++) {
		char text[SW_WAY_LACK_SIZE];
		const char *lack = sw_way_lack(text, host, way);

		assert_int_equal(!lack, does_work(host, way));
		if (lack && !strncmp(lack, "net.ipv4", 8))
			assert_non_null(strstr(lack, "set_syncookies: yes in the policy"));
	}
}

static void whoever_is_refused_is_told_why(void **state)
{
	(void)state;
	for_each_host(check_lacks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auto_takes_the_best_that_works),
		cmocka_unit_test(what_is_asked_for_is_taken_if_it_works),
		cmocka_unit_test(whoever_is_refused_is_told_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
