// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* OpenMetrics, made of the text format: families without _total, and an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../user/report/openmetrics.c"

static const struct {
	const char *text;
	const char *open;
} cases[] = {
	{ "", "# EOF\n" },
	{ "# HELP a_total Some.\n# TYPE a_total counter\na_total{b=\"c\"} 1\na_total 2\n",
	  "# HELP a Some.\n# TYPE a counter\na_total{b=\"c\"} 1\na_total 2\n# EOF\n" },
	/* only the name, and only where one is declared */
	{ "# HELP a How much a_total is.\n# TYPE a gauge\na 1\n",
	  "# HELP a How much a_total is.\n# TYPE a gauge\na 1\n# EOF\n" },
	{ "# HELP a_total_b_total a_total\n", "# HELP a_total_b a_total\n# EOF\n" },
	{ "# a_total\n", "# a_total\n# EOF\n" },
	{ "# TYPE a_total", "# TYPE a# EOF\n" },
	{ "# TYPE _total x\n", "# TYPE  x\n# EOF\n" },
	{ "# TYPE \n# HELP", "# TYPE \n# HELP# EOF\n" },
};

static void test_openmetrics(void **state __attribute__((unused)))
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *printed = NULL;
		size_t length;
		FILE *out = open_memstream(&printed, &length);

		sw_openmetrics(out, cases[i].text);
		fclose(out);
		assert_string_equal(printed, cases[i].open);
		free(printed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_openmetrics) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
