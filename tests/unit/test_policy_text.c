// SPDX-License-Identifier: GPL-2.0-or-later
/* What policies say: when two say the same, and the texts of prefixes, durations and values. */
#define _GNU_SOURCE
#include "../lib/policy.h"

#include "../../user/model/policy_idle.c"

/* ---- what a policy says without effect */

static char told[1024];

static void note_path(void *context __unused, const char *path, const char *why)
{
	size_t length = strlen(told);

	assert_true(strlen(why) > 10);
	snprintf(told + length, sizeof(told) - length, "%s ", path);
}

static void expect_idle(const char *expected)
{
	assert_int_equal(sw_policy_compile(&policy), 0);
	told[0] = '\0';
	sw_policy_idle(&policy, note_path, NULL);
	assert_string_equal(told, expected);
}

static void what_does_nothing_is_told_once(void **state __unused)
{
	struct sw_rules *others = &policy.rules[SW_SERVICE_DEFAULT];

	sw_policy_default(&policy);
	add("a", SW_FAMILY_ANY, "", "80");
	add("b", SW_FAMILY_ANY, "", "81");
	expect_idle("");
	others->enforce = policy.rules[0].enforce = 1;
	others->flood.mode = policy.rules[0].flood.mode = policy.rules[1].flood.mode =
		SW_FLOOD_ALWAYS;
	expect_idle("services.b.syn_flood ");
	others->enforce = 0;
	expect_idle("default.syn_flood ");
	policy.rules[1].flood.mode = SW_FLOOD_ADAPTIVE;
	expect_idle("default.syn_flood services.b.syn_flood ");
	others->drop |= SW_BIT(SCAN) | SW_BIT(MIDSTREAM);
	expect_idle("default.syn_flood default.actions.scan services.b.syn_flood ");
	policy.rules[0].drop |= SW_BIT(SCAN);
	policy.rules[1].strict_drop |= SW_BIT(SYN_FLOOD);
	others->flood.mode = policy.rules[0].flood.mode = policy.rules[1].flood.mode = SW_FLOOD_OFF;
	policy.flood_defence.way = SW_WISH_KERNEL;
	policy.flood_defence.set_syncookies = 1;
	expect_idle("default.actions.scan services.b.actions.syn_flood flood_defence.way "
		    "flood_defence.set_syncookies ");
	sw_policy_default(&policy);
	others->enforce = 1;
	others->flood.mode = SW_FLOOD_ADAPTIVE;
	policy.flood_defence.shared_secret = 1;
	expect_idle("");
	policy.flood_defence.way = SW_WISH_KERNEL;
	expect_idle("flood_defence.shared_secret ");
}

/* ---- what a policy says */

static void expect_difference(const struct sw_policy *changed)
{
	assert_false(sw_policy_equal(&policy, changed));
	assert_false(sw_policy_equal(changed, &policy));
}

static void whatever_is_said_makes_a_difference(void **state __unused)
{
	sw_policy_default(&policy);
	add("a", SW_FAMILY_ANY, "10.0.0.0/8", "80");
	add("b", SW_FAMILY_IPV6, "", "");
	assert_int_equal(sw_policy_compile(&policy), 0);
	for (int row = 0; row < 3; row++) {
		for (int i = 0; i < SW_RULE_KEY_COUNT; i++) {
			__u32 at = row == 2 ? SW_SERVICE_DEFAULT : (__u32)row;
			const struct sw_key *key = &sw_rule_keys[i];

			other = policy;
			assert_true(sw_policy_equal(&policy, &other));
			sw_key_set(key, &other.rules[at],
				   sw_key_get(key, &other.rules[at]) != key->maximum ?
					   key->maximum :
					   key->minimum);
			expect_difference(&other);
		}
	}
	for (int i = 0; i < SW_BLOCK_KEY_COUNT; i++) {
		other = policy;
		sw_key_set(&sw_auto_block_keys[i], &other.auto_block,
			   sw_auto_block_keys[i].maximum);
		expect_difference(&other);
	}
	for (int i = 0; i < SW_DEFENCE_KEY_COUNT; i++) {
		other = policy;
		sw_key_set(&sw_flood_defence_keys[i], &other.flood_defence,
			   sw_flood_defence_keys[i].maximum);
		expect_difference(&other);
	}
	other = policy;
	other.gateway.hairpin = 1;
	expect_difference(&other);
	other = policy;
	other.services[0].prefixes[0].length++;
	expect_difference(&other);
	other = policy;
	other.services[0].ports[0].last++;
	expect_difference(&other);
	other = policy;
	other.services[1].family = SW_FAMILY_IPV4;
	expect_difference(&other);
	other = policy;
	other.services[1].name[0] = 'c';
	expect_difference(&other);
	other = policy;
	other.service_count--;
	expect_difference(&other);
}

static void what_is_derived_makes_none(void **state __unused)
{
	sw_policy_default(&policy);
	add("a", SW_FAMILY_ANY, "10.0.0.0/8", "80 81");
	assert_int_equal(sw_policy_compile(&policy), 0);
	other = policy;
	other.generation++;
	other.features ^= 1;
	other.port_classes[80]++;
	other.services[0].family = SW_FAMILY_IPV4; /* does not count beside a prefix */
	assert_true(sw_policy_equal(&policy, &other));
}

/* ---- texts */

static void prefixes_are_read_and_written(void **state __unused)
{
	static const struct {
		const char *text;
		enum sw_prefix_flaw flaw;
		const char *written; /* of it, or of what was meant */
	} cases[] = {
		{ "192.0.2.1", SW_PREFIX_FINE, "192.0.2.1" },
		{ "192.0.2.1/32", SW_PREFIX_FINE, "192.0.2.1" },
		{ "192.0.2.0/24", SW_PREFIX_FINE, "192.0.2.0/24" },
		{ "0.0.0.0/0", SW_PREFIX_FINE, "0.0.0.0/0" },
		{ "2001:db8::", SW_PREFIX_FINE, "2001:db8::" },
		{ "2001:0DB8::/32", SW_PREFIX_FINE, "2001:db8::/32" },
		{ "::/0", SW_PREFIX_FINE, "::/0" },
		{ "::/80", SW_PREFIX_FINE, "::/80" },
		{ "::1/128", SW_PREFIX_FINE, "::1" },
		{ "192.0.2.1/24", SW_PREFIX_HOST_BITS, "192.0.2.0/24" },
		{ "128.0.0.0/0", SW_PREFIX_HOST_BITS, "0.0.0.0/0" },
		{ "2001:db8::1/64", SW_PREFIX_HOST_BITS, "2001:db8::/64" },
		{ "2001:db8:0:8::/60", SW_PREFIX_HOST_BITS, "2001:db8::/60" },
		{ "::ffff:0:0/95", SW_PREFIX_HOST_BITS, "::fffe:0:0/95" },
		{ "::ffff:192.0.2.1", SW_PREFIX_MAPPED, NULL },
		{ "::ffff:0:0/96", SW_PREFIX_MAPPED, NULL },
		{ "::ffff:c000:200/120", SW_PREFIX_MAPPED, NULL },
		{ "192.0.2.0/33", SW_PREFIX_NO_LENGTH, NULL },
		{ "192.0.2.0/", SW_PREFIX_NO_LENGTH, NULL },
		{ "192.0.2.0/-1", SW_PREFIX_NO_LENGTH, NULL },
		{ "192.0.2.0/24/", SW_PREFIX_NO_LENGTH, NULL },
		{ "2001:db8::/129", SW_PREFIX_NO_LENGTH, NULL },
		{ "::/18446744073709551616", SW_PREFIX_NO_LENGTH, NULL },
		{ "", SW_PREFIX_NO_ADDRESS, NULL },
		{ "/24", SW_PREFIX_NO_ADDRESS, NULL },
		{ "192.0.2", SW_PREFIX_NO_ADDRESS, NULL },
		{ "192.0.2.256", SW_PREFIX_NO_ADDRESS, NULL },
		{ "192.0.2.1 ", SW_PREFIX_NO_ADDRESS, NULL },
		{ "fe80::1%eth0", SW_PREFIX_NO_ADDRESS, NULL },
		{ "example.org", SW_PREFIX_NO_ADDRESS, NULL },
		{ "2001:db8:::1", SW_PREFIX_NO_ADDRESS, NULL },
		{ "00000000000000000000000000000000000000000000000192.0.2.1", SW_PREFIX_NO_ADDRESS,
		  NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sw_prefix untouched, parsed;
		char text[SW_PREFIX_SIZE];

		memset(&parsed, 0x5a, sizeof(parsed));
		untouched = parsed;
		assert_int_equal(sw_parse_prefix(cases[i].text, &parsed), cases[i].flaw);
		if (cases[i].written)
			assert_string_equal(sw_format_prefix(text, &parsed), cases[i].written);
		else
			assert_memory_equal(&parsed, &untouched, sizeof(parsed));
	}
}

static void every_value_has_a_text_that_means_it(void **state __unused)
{
	static const struct {
		const struct sw_key *keys;
		int count;
	} tables[] = {
		{ sw_rule_keys, SW_RULE_KEY_COUNT },
		{ sw_auto_block_keys, SW_BLOCK_KEY_COUNT },
		{ sw_flood_defence_keys, SW_DEFENCE_KEY_COUNT },
		{ sw_gateway_keys, SW_GATEWAY_KEY_COUNT },
	};
	char text[SW_KEY_TEXT_SIZE];
	__u64 seed = 7;

	for (size_t table = 0; table < sizeof(tables) / sizeof(tables[0]); table++) {
		for (int i = 0; i < tables[table].count; i++) {
			const struct sw_key *key = &tables[table].keys[i];

			for (int j = 0; j < 200; j++) {
				struct sw_rules said = {}, read = {};

				draw_key(&seed, key, &said);
				assert_true(
					sw_key_parse(key, sw_key_format(text, key, &said), &read));
				assert_memory_equal(&said, &read, sizeof(said));
			}
		}
	}
}

static void durations_are_exact(void **state __unused)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "0s" },	    { 1, "1ms" },	 { 999, "999ms" },
		{ 1000, "1s" },	    { 1500, "1500ms" },	 { 59000, "59s" },
		{ 60000, "1m" },    { 90000, "90s" },	 { 3600000, "1h" },
		{ 5400000, "90m" }, { 86400000, "1d" },	 { 90000000, "25h" },
		{ 127000, "127s" }, { 432000000, "5d" }, { 2000000000, "2000000s" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[SW_NUMBER_SIZE];
		uint64_t back;

		assert_string_equal(sw_format_exact_duration(text, cases[i].ms), cases[i].text);
		assert_true(sw_parse_duration(text, &back));
		assert_int_equal(back, cases[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_nothing_is_told_once),
		cmocka_unit_test(whatever_is_said_makes_a_difference),
		cmocka_unit_test(what_is_derived_makes_none),
		cmocka_unit_test(prefixes_are_read_and_written),
		cmocka_unit_test(every_value_has_a_text_that_means_it),
		cmocka_unit_test(durations_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
