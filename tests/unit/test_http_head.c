// SPDX-License-Identifier: GPL-2.0-or-later
/* Heads of requests: whole, not yet, or refused, and that as early as it shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../user/exporter/http_head.c"
#include "../../user/exporter/http_request.c"

#define FIRST "GET / HTTP/1.1\r\n"

/* Byte by byte: nothing may be decided before the last one. */
static int take(const char *text)
{
	struct sw_http_head head = {};
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		assert_int_equal(sw_http_head_take(&head, text, i), 0);
	return sw_http_head_take(&head, text, length);
}

static void a_head_is_whole_with_its_empty_line(void **state __attribute__((unused)))
{
	assert_int_equal(take(FIRST "\r\n"), SW_HTTP_OK);
	assert_int_equal(take("HEAD /metrics?a=b HTTP/1.0\n\n"), SW_HTTP_OK);
	assert_int_equal(take(FIRST "Host: a\r\nX:\r\nContent-Length: 0\r\n\r\n"), SW_HTTP_OK);
	assert_int_equal(take(FIRST "Expect: 100-Continue\r\n\r\n"), SW_HTTP_OK);
	assert_int_equal(take(FIRST "Host: a\r\n"), 0);
}

static void what_is_no_head_is_refused_with_its_line(void **state __attribute__((unused)))
{
	static const char *const lines[] = {
		"\r\n",
		"GET\r\n",
		"GET /\r\n",
		"GET / HTTP/2.0\r\n",
		"GET / HTTP/1.1 \r\n",
		"GET  / HTTP/1.1\r\n",
		" GET / HTTP/1.1\r\n",
		"GET /\x01 HTTP/1.1\r\n",
		FIRST "Host\r\n",
		FIRST ": a\r\n",
		FIRST "Host : a\r\n",
		FIRST " folded: a\r\n",
		FIRST "Host: a\x01\r\n",
		FIRST "Host: a\rb\r\n",
		FIRST "Content-Length: -1\r\n",
		FIRST "Content-Length: 0, 0\r\n",
		FIRST "Content-Length:\r\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(take(lines[i]), SW_HTTP_BAD_REQUEST);
	assert_int_equal(take("BREW / HTTP/1.1\r\n"), SW_HTTP_NO_SUCH_METHOD);
	assert_int_equal(take("get / HTTP/1.1\r\n"), SW_HTTP_NO_SUCH_METHOD);
}

static void bodies_and_wishes_are_refused_with_their_field(void **state __attribute__((unused)))
{
	assert_int_equal(take(FIRST "content-length: \t1 \r\n"), SW_HTTP_BODY_TOO_LARGE);
	assert_int_equal(take(FIRST "Content-Length: 99999999999999999999999\n"),
			 SW_HTTP_BODY_TOO_LARGE);
	assert_int_equal(take(FIRST "Transfer-Encoding: chunked\r\n"), SW_HTTP_BODY_TOO_LARGE);
	assert_int_equal(take(FIRST "Expect: 200-maybe\r\n"), SW_HTTP_NOT_EXPECTED);
}

static void a_zero_is_a_byte_like_any_other(void **state __attribute__((unused)))
{
	static const char text[] = FIRST "Host: a\0b\r\n\r\n";
	struct sw_http_head head = {};

	assert_int_equal(sw_http_head_take(&head, text, sizeof(text) - 1), SW_HTTP_BAD_REQUEST);
}

static void it_has_an_end(void **state __attribute__((unused)))
{
	struct sw_http_head target = {}, field = {};
	char *text = malloc(SW_HTTP_MAX_HEAD);

	assert_non_null(text);
	memset(text, 'a', SW_HTTP_MAX_HEAD);
	assert_int_equal(sw_http_head_take(&target, text, SW_HTTP_MAX_HEAD - 1), 0);
	assert_int_equal(sw_http_head_take(&target, text, SW_HTTP_MAX_HEAD),
			 SW_HTTP_TARGET_TOO_LONG);
	memcpy(text, FIRST, strlen(FIRST));
	assert_int_equal(sw_http_head_take(&field, text, SW_HTTP_MAX_HEAD - 1), 0);
	assert_int_equal(sw_http_head_take(&field, text, SW_HTTP_MAX_HEAD), SW_HTTP_HEAD_TOO_LARGE);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_whole_with_its_empty_line),
		cmocka_unit_test(what_is_no_head_is_refused_with_its_line),
		cmocka_unit_test(bodies_and_wishes_are_refused_with_their_field),
		cmocka_unit_test(a_zero_is_a_byte_like_any_other),
		cmocka_unit_test(it_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
