// SPDX-License-Identifier: GPL-2.0-or-later
/* Which form of the metrics an Accept field asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../user/exporter/http_accept.c"

enum { TEXT, OPEN };

static const struct sw_media offers[] = {
	[TEXT] = { "text", "plain", "0.0.4" },
	[OPEN] = { "application", "openmetrics-text", "1.0.0" },
};

#define OM "application/openmetrics-text"

static const struct {
	const char *accept;
	size_t form;
} cases[] = {
	{ NULL, TEXT },
	{ "", TEXT },
	{ "*/*", TEXT },
	{ "text/*", TEXT },
	{ "application/*", OPEN },
	{ "text/plain", TEXT },
	{ OM, OPEN },
	{ "APPLICATION/OpenMetrics-Text", OPEN },
	/* Prometheus, old and new */
	{ OM ";version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/"
	     "plain;version=0.0.4;"
	     "q=0.5,*/*;q=0.1",
	  OPEN },
	{ OM ";version=1.0.0;escaping=allow-utf-8;q=0.6," OM
	     ";version=0.0.1;q=0.5,text/plain;version=1.0.0;"
	     "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
	  OPEN },
	/* a browser */
	{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT },
	/* qualities, and the first of two that are as good */
	{ "text/plain;q=0.5," OM ";q=0.6", OPEN },
	{ "text/plain;q=0.6," OM ";q=0.5", TEXT },
	{ OM ",text/plain", TEXT },
	{ OM ";q=0.999,text/plain;q=0.998", OPEN },
	{ OM ";q=1.000,text/plain;q=0.9", OPEN },
	{ "text/plain;q=0," OM ";q=0.001", OPEN },
	{ "text/plain ; Q=0.1 , " OM " ; q=0.2", OPEN },
	/* the closest range counts, not the best one */
	{ "text/*;q=0.9,text/plain;q=0.1," OM ";q=0.5", OPEN },
	{ "*/*;q=0.9,text/plain;q=0.1", OPEN },
	{ "text/plain;version=0.0.4;q=0.1,text/plain;q=0.9," OM ";q=0.5", OPEN },
	/* other versions are other things */
	{ OM ";version=0.0.1", TEXT },
	{ OM ";version=2.0.0,text/plain;q=0.1", TEXT },
	{ OM ";version=\"1.0.0\"", OPEN },
	{ OM ";version=\"1.0.0\";q=0.4,text/plain;q=0.3", OPEN },
	/* nothing that there is: what there is */
	{ "image/png", TEXT },
	{ "*/*;q=0", TEXT },
	{ OM ";q=0", TEXT },
	/* what is malformed is left out, and nothing else */
	{ OM ";q=2,text/plain;q=0.1", TEXT },
	{ OM ";q=-1", TEXT },
	{ OM ";q=0.1234", TEXT },
	{ OM ";q=", TEXT },
	{ OM ";q", TEXT },
	{ OM " garbage", TEXT },
	{ "*/plain," OM ";q=0.1", OPEN },
	{ ",,;/," OM ",,", OPEN },
	{ "\"," OM, TEXT },
	{ "x/y;z=\"a,b\\\"," OM "\"", TEXT },
	{ "x/y;z=\"a,b\"," OM, OPEN },
	{ OM ";;;version=1.0.0;", OPEN },
	{ "text", TEXT },
	{ "/", TEXT },
	{ OM "\x01", TEXT },
};

static void test_accept(void **state __attribute__((unused)))
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (sw_http_accept(cases[i].accept, offers, 2) != cases[i].form)
			fail_msg("wrong for: %s", cases[i].accept);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_accept) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
