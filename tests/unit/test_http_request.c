// SPDX-License-Identifier: GPL-2.0-or-later
/* What a request asks for, and whether it may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../user/exporter/http_request.c"

static void expect_slice(const struct sw_slice *slice, const char *text)
{
	assert_int_equal(slice->length, strlen(text));
	assert_memory_equal(slice->text, text, slice->length);
}

static void test_targets(void **state __attribute__((unused)))
{
	static const struct {
		const char *text, *authority, *path, *query;
	} good[] = {
		{ "/", "", "/", "" },
		{ "/metrics", "", "/metrics", "" },
		{ "/a?b=c&d", "", "/a", "b=c&d" },
		{ "/a?", "", "/a", "" },
		{ "/a??b", "", "/a", "?b" },
		{ "//a/../b", "", "//a/../b", "" },
		{ "/%2e%2e/b", "", "/%2e%2e/b", "" },
		{ "http://[::1]:9945/a?b", "[::1]:9945", "/a", "b" },
		{ "HTTP://a/", "a", "/", "" },
		{ "/http://a", "", "/http://a", "" },
	};
	static const char *const bad[] = {
		"",	    "*",	  "metrics",	"?a",		"http://", "http:///a",
		"http://a", "http://a?b", "https://a/", "a.example:80", "/a#b",	   "/a b",
		"/a\tb",    "/a\x7f",	  "/\xc3\xbc",	"/a\"",		"/a\\b",   "/<a>",
	};
	struct sw_http_target target;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(sw_http_target(good[i].text, &target));
		expect_slice(&target.authority, good[i].authority);
		expect_slice(&target.path, good[i].path);
		expect_slice(&target.query, good[i].query);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		target.path.text = "untouched";
		assert_false(sw_http_target(bad[i], &target));
		assert_string_equal(target.path.text, "untouched");
	}
}

static void test_parameters(void **state __attribute__((unused)))
{
	static const char *const expected[][2] = {
		{ "a", "1" }, { "b", "" }, { "", "" }, { "c", "2=3" }, { "", "4" }, { "d", "" },
	};
	const char *text = "a=1&b&&c=2=3&=4&d=&";
	struct sw_slice query = { text, strlen(text) }, name, value;

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_true(sw_http_parameter(&query, &name, &value));
		expect_slice(&name, expected[i][0]);
		expect_slice(&value, expected[i][1]);
	}
	assert_false(sw_http_parameter(&query, &name, &value));
}

static void test_hosts(void **state __attribute__((unused)))
{
	static const char *const names[] = { "web1.example", NULL };
	static const char *const ours[] = {
		"localhost",	    "LOCALHOST:1",  "127.0.0.1",	 "192.0.2.1:9945", "[::1]",
		"[2001:db8::1]:80", "web1.example", "Web1.Example:9945", "localhost:",
	};
	static const char *const others[] = {
		"",
		"evil.example",
		"localhost.evil.example",
		"127.0.0.1.nip.example",
		"127.1",
		"0x7f000001",
		"2130706433",
		"::1",
		"[::1",
		"[]",
		"[::1]a",
		"[::1]:a",
		"[127.0.0.1]",
		"localhost:-1",
		"localhost:1:2",
		"web1.example.",
		"user@localhost",
		" localhost",
		"[fe80::1%25eth0]",
	};
	char many[1000];
	struct sw_slice slice = { many, sizeof(many) };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		slice = (struct sw_slice){ ours[i], strlen(ours[i]) };
		assert_true(sw_http_host_is_ours(&slice, names));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		slice = (struct sw_slice){ others[i], strlen(others[i]) };
		assert_false(sw_http_host_is_ours(&slice, names));
	}
	memset(many, 'a', sizeof(many));
	slice = (struct sw_slice){ many, sizeof(many) };
	assert_false(sw_http_host_is_ours(&slice, names));
	/* of a part of a text, what follows does not count; and nothing hides behind a NUL */
	slice = (struct sw_slice){ "localhost.evil", strlen("localhost") };
	assert_true(sw_http_host_is_ours(&slice, names));
	slice = (struct sw_slice){ "localhost\0.evil", sizeof("localhost\0.evil") - 1 };
	assert_false(sw_http_host_is_ours(&slice, names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
