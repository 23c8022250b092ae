// SPDX-License-Identifier: GPL-2.0-or-later
/* What flows are called: the vectors that are published with the specification of Community ID, in both directions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../include/synward/base.h"
#include "../../user/model/flow_ids.c"

static const struct {
	int family;
	const char *orig, *resp;
	uint16_t orig_port, resp_port;
	const char *id;
} vectors[] = {
	{ AF_INET, "128.232.110.120", "66.35.250.204", 34855, 80,
	  "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
	{ AF_INET6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25,
	  "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=" },
};

static void set_address(struct sw_addr *addr, int family, const char *text)
{
	*addr = (struct sw_addr){};
	if (family == AF_INET)
		addr->words[2] = SW_V4_MAPPED_WORD;
	assert_int_equal(
		inet_pton(family, text, family == AF_INET ? addr->bytes + 12 : addr->bytes), 1);
}

static void test_the_published_ones(void **state __unused)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct sw_flow flow = { .orig_port = vectors[i].orig_port,
					.resp_port = vectors[i].resp_port };
		struct sw_flow back = { .orig_port = vectors[i].resp_port,
					.resp_port = vectors[i].orig_port };
		struct sw_flow_ids ids;

		set_address(&flow.orig, vectors[i].family, vectors[i].orig);
		set_address(&flow.resp, vectors[i].family, vectors[i].resp);
		back.orig = flow.resp;
		back.resp = flow.orig;
		ids = sw_flow_ids(&flow);
		assert_string_equal(ids.community_id, vectors[i].id);
		assert_true(ids.flow_id && ids.flow_id < 1ULL << 51);
		assert_string_equal(sw_flow_ids(&back).community_id, vectors[i].id);
		assert_true(sw_flow_ids(&back).flow_id == ids.flow_id);
	}
}

static void test_with_one_address_the_port_decides(void **state __unused)
{
	struct sw_flow flow = { .orig_port = 40000, .resp_port = 80 };
	struct sw_flow back = { .orig_port = 80, .resp_port = 40000 };

	set_address(&flow.orig, AF_INET, "127.0.0.1");
	flow.resp = back.orig = back.resp = flow.orig;
	assert_string_equal(sw_flow_ids(&flow).community_id, sw_flow_ids(&back).community_id);
	back.orig_port = 81;
	assert_string_not_equal(sw_flow_ids(&flow).community_id, sw_flow_ids(&back).community_id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_published_ones),
		cmocka_unit_test(test_with_one_address_the_port_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
