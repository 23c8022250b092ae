// SPDX-License-Identifier: GPL-2.0-or-later
/* Policies: what goes first, and that packets find by tables what a walk through the list finds. */
#define _GNU_SOURCE
#include "../lib/policy.h"

static struct sw_addr address(const char *text)
{
	return prefix(text).addr;
}

/* Compiles; the order is that of the names. */
static void expect_order(const char *names)
{
	char order[256] = "";

	assert_int_equal(sw_policy_compile(&policy), 0);
	for (__u32 i = 0; i < policy.service_count; i++) {
		strcat(order, policy.services[i].name);
		assert_int_equal(policy.rules[i].half_open_source, policy.services[i].name[0]);
	}
	assert_string_equal(order, names);
	assert_string_equal(policy.services[SW_SERVICE_DEFAULT].name, "default");
	assert_int_equal(policy.rules[SW_SERVICE_DEFAULT].half_open_source, 0);
}

static void expect(const char *addr, unsigned int port, const char *name)
{
	struct sw_addr to = address(addr);
	unsigned int found = sw_policy_find(&policy, &to, port);

	assert_string_equal(policy.services[found].name, name);
}

/* ---- precedence */

static void the_longer_prefix_goes_first(void **state __unused)
{
	sw_policy_default(&policy);
	add("a", SW_FAMILY_ANY, "10.0.0.0/8", "");
	add("b", SW_FAMILY_ANY, "10.1.2.3", "");
	add("c", SW_FAMILY_ANY, "", "80");
	add("d", SW_FAMILY_ANY, "10.1.0.0/16 10.0.0.0/9", "");
	expect_order("bdac");
	expect("10.1.2.3", 80, "b");
	expect("10.1.2.4", 80, "d");
	expect("10.200.2.4", 80, "a");
	expect("11.0.0.1", 80, "c");
	expect("2001:db8::1", 80, "c");
	expect("11.0.0.1", 81, "default");
}

static void then_the_narrower_range_of_ports(void **state __unused)
{
	sw_policy_default(&policy);
	add("a", SW_FAMILY_ANY, "", "");
	add("b", SW_FAMILY_ANY, "", "1-1000");
	add("c", SW_FAMILY_ANY, "", "1-100 22");
	add("d", SW_FAMILY_ANY, "", "20-29");
	add("e", SW_FAMILY_ANY, "10.0.0.0/8", "1-50000");
	expect_order("ecdba");
	expect("192.0.2.1", 22, "c");
	expect("192.0.2.1", 25, "c");
	expect("192.0.2.1", 101, "b");
	expect("192.0.2.1", 1001, "a");
	expect("10.0.0.1", 22, "e");
}

static void then_as_they_stood(void **state __unused)
{
	sw_policy_default(&policy);
	add("a", SW_FAMILY_ANY, "10.0.0.0/8", "80");
	add("b", SW_FAMILY_ANY, "11.0.0.0/8", "80");
	add("c", SW_FAMILY_ANY, "12.0.0.0/8", "443");
	add("d", SW_FAMILY_ANY, "10.0.0.0/8", "22");
	expect_order("abcd");
}

/* A family alone is less than any prefix of it, and more than nothing. */
static void a_family_is_the_shortest_prefix(void **state __unused)
{
	sw_policy_default(&policy);
	add("a", SW_FAMILY_ANY, "", "");
	add("b", SW_FAMILY_IPV6, "", "");
	add("c", SW_FAMILY_IPV4, "", "");
	add("d", SW_FAMILY_ANY, "128.0.0.0/1", "");
	add("e", SW_FAMILY_ANY, "8000::/1", "");
	expect_order("dceba");
	expect("128.0.0.1", 1, "d");
	expect("127.0.0.1", 1, "c");
	expect("8000::1", 1, "e");
	expect("::1", 1, "b");
}

static void all_of_ipv6_has_no_ipv4(void **state __unused)
{
	sw_policy_default(&policy);
	add("a", SW_FAMILY_ANY, "::/0", "80");
	add("b", SW_FAMILY_IPV6, "", "81");
	add("c", SW_FAMILY_ANY, "::/80", "82");
	expect_order("cab");
	expect("::1", 80, "a");
	expect("::1", 81, "b");
	expect("::1", 82, "c");
	for (unsigned int port = 80; port <= 82; port++)
		expect("192.0.2.1", port, "default");
}

static void what_nobody_uses_is_cleared(void **state __unused)
{
	sw_policy_default(&policy);
	add("a", SW_FAMILY_ANY, "2001:db8::/32 10.0.0.0/8 9.0.0.0/8", "443 1-2 80 1");
	policy.rules[7].enforce = 1;
	strcpy(policy.services[7].name, "rest");
	expect_order("a");
	assert_int_equal(policy.rules[7].enforce, 0);
	assert_string_equal(policy.services[7].name, "");
	assert_int_equal(policy.services[0].prefixes[0].addr.bytes[12], 9);
	assert_int_equal(policy.services[0].prefixes[1].addr.bytes[12], 10);
	assert_int_equal(policy.services[0].prefixes[2].addr.bytes[0], 0x20);
	for (int i = 0; i < 4; i++) {
		static const __u16 last[] = { 1, 2, 80, 443 };

		assert_int_equal(policy.services[0].ports[i].last, last[i]);
	}
}

/* ---- what packets look at first */

static void the_default_has_no_features(void **state __unused)
{
	memset(&policy, 0xff, sizeof(policy));
	sw_policy_default(&policy);
	assert_int_equal(policy.features, 0);
	assert_int_equal(policy.service_count, 0);
	assert_true(policy.anywhere == 1ULL << SW_SERVICE_DEFAULT);
	for (unsigned int port = 0; port < SW_PORTS; port++) {
		assert_int_equal(policy.port_classes[port], 0);
		assert_true(policy.class_services[0] == 1ULL << SW_SERVICE_DEFAULT);
	}
	assert_int_equal(sw_policy_nets(&policy, NULL, 0), 0);
	assert_true(policy.rules[SW_SERVICE_DEFAULT].drop == (SW_MASK_DROP | SW_MASK_DROP_SYM));
}

static __u32 features_with(void (*change)(struct sw_policy *policy))
{
	sw_policy_default(&policy);
	change(&policy);
	assert_int_equal(sw_policy_compile(&policy), 0);
	return policy.features;
}

#define CHANGE(name, statement)                                                                    \
	static void name(struct sw_policy *of)                                                     \
	{                                                                                          \
		statement;                                                                         \
	}
#define OTHERS of->rules[SW_SERVICE_DEFAULT]

CHANGE(make_service, (void)of; add("a", SW_FAMILY_ANY, "", "80"))
CHANGE(make_address, (void)of; add("a", SW_FAMILY_ANY, "10.0.0.1", "80"))
CHANGE(make_family, (void)of; add("a", SW_FAMILY_IPV6, "", "80"))
CHANGE(make_rate, OTHERS.syn_rate = 1)
CHANGE(make_half_open_source, OTHERS.half_open_source = 1)
CHANGE(make_half_open_service, OTHERS.half_open_service = 1)
CHANGE(make_timeout, OTHERS.timeout_ms[0] = 1)
CHANGE(make_strict, OTHERS.strict = 1)
CHANGE(make_cookies, OTHERS.flood.mode = SW_FLOOD_ALWAYS)
CHANGE(make_adaptive, OTHERS.flood.mode = SW_FLOOD_ADAPTIVE)
CHANGE(make_secret, OTHERS.flood.mode = SW_FLOOD_ADAPTIVE; of->flood_defence.shared_secret = 1)
CHANGE(make_secret_in_vain, of->flood_defence.shared_secret = 1)
CHANGE(make_enforce, OTHERS.enforce = 1)
CHANGE(make_auto_block, of->auto_block.enabled = 1)
CHANGE(make_service_rate, make_service(of); of->rules[0].syn_rate = 1)
CHANGE(make_service_half_open, make_service(of); of->rules[0].half_open_service = 1)
CHANGE(make_service_timeout, make_service(of); of->rules[0].timeout_ms[1] = 1)
CHANGE(make_service_strict, make_service(of); of->rules[0].strict = 1)
CHANGE(make_service_enforce, make_service(of); of->rules[0].enforce = 1)

/* services have half_open_source in this test */
#define SERVICE (SW_HAS_SERVICES | SW_HAS_HALF_OPEN)

static void each_feature_is_told(void **state __unused)
{
	static const struct {
		void (*change)(struct sw_policy *policy);
		__u32 features;
	} cases[] = {
		{ make_service, SERVICE },
		{ make_address, SERVICE | SW_HAS_ADDRESSES },
		{ make_family, SERVICE | SW_HAS_ADDRESSES },
		{ make_rate, SW_HAS_SYN_RATE },
		{ make_half_open_source, SW_HAS_HALF_OPEN },
		{ make_half_open_service, SW_HAS_HALF_OPEN },
		{ make_timeout, 0 },
		{ make_strict, SW_HAS_STRICT },
		{ make_enforce, SW_HAS_ENFORCE },
		{ make_cookies, SW_HAS_FLOOD_DEFENCE | SW_HAS_HALF_OPEN },
		{ make_adaptive, SW_HAS_FLOOD_DEFENCE | SW_HAS_HALF_OPEN },
		{ make_secret, SW_HAS_FLOOD_DEFENCE | SW_HAS_HALF_OPEN | SW_HAS_SHARED_SECRET },
		{ make_secret_in_vain, 0 },
		{ make_auto_block, SW_HAS_AUTO_BLOCK },
		{ make_service_rate, SERVICE | SW_HAS_SYN_RATE },
		{ make_service_half_open, SERVICE },
		{ make_service_timeout, SERVICE | SW_HAS_SERVICE_TIMEOUTS },
		{ make_service_strict, SERVICE | SW_HAS_STRICT },
		{ make_service_enforce, SERVICE | SW_HAS_ENFORCE },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(features_with(cases[i].change), cases[i].features);
}

/* How many sets of services there are, over all ports. */
static unsigned int count_classes(void)
{
	static __u64 sets[2 * SW_MAX_SERVICES * SW_SERVICE_PORTS + 1];
	bool is_end[SW_PORTS + 1] = { true };
	unsigned int count = 0;

	for (__u32 i = 0; i < policy.service_count; i++)
		for (__u32 j = 0; j < policy.services[i].port_count; j++)
			is_end[policy.services[i].ports[j].first] =
				is_end[policy.services[i].ports[j].last + 1] = true;
	for (unsigned int port = 0; port < SW_PORTS; port++) {
		unsigned int known = 0;
		__u64 set = 0;

		if (!is_end[port])
			continue;
		for (__u32 i = 0; i < policy.service_count; i++)
			for (__u32 j = 0; j < policy.services[i].port_count; j++)
				if (port >= policy.services[i].ports[j].first &&
				    port <= policy.services[i].ports[j].last)
					set |= 1ULL << i;
		while (known < count && sets[known] != set)
			known++;
		if (known == count)
			sets[count++] = set;
	}
	return count;
}

/* Ranges that reach across each other in ever new ways, until there is just no room any more. */
static void classes_fill_their_room_and_no_more(void **state __unused)
{
	__u64 seed = 1;

	sw_policy_default(&policy);
	for (__u32 i = 0; i < SW_MAX_SERVICES; i++)
		add("s", SW_FAMILY_ANY, "", "");
	for (__u32 added = 0; count_classes() <= SW_PORT_CLASSES; added++) {
		struct sw_service *service = &policy.services[added % SW_MAX_SERVICES];
		__u16 first = 1 + draw(&seed, 60000);

		assert_int_equal(sw_policy_compile(&policy), 0);
		/* sorted now: of whichever service stands there */
		assert_true(service->port_count < SW_SERVICE_PORTS);
		service->ports[service->port_count++] =
			(struct sw_port_range){ first, first + draw(&seed, 5000) };
	}
	assert_in_range(count_classes(), SW_PORT_CLASSES + 1, SW_PORT_CLASSES + 2);
	assert_int_equal(sw_policy_compile(&policy), -EINVAL);
	assert_non_null(strstr(recorded, "more than 1024 classes"));
}

/* ---- tables against the list */

static struct sw_policy_net nets[SW_POLICY_NETS];

static bool bits_match(const struct sw_addr *a, const struct sw_addr *b, unsigned int length)
{
	for (unsigned int bit = 0; bit < length; bit++)
		if ((a->bytes[bit / 8] ^ b->bytes[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

/* As the kernel's trie does it: the longest row, and nothing known of families. */
static unsigned int find_by_tables(size_t count, const struct sw_addr *addr, unsigned int port)
{
	__u64 services = policy.anywhere;
	int longest = -1;

	for (size_t i = 0; i < count; i++) {
		const struct sw_prefix *row = &nets[i].prefix;

		if ((int)row->length > longest && bits_match(&row->addr, addr, row->length)) {
			longest = (int)row->length;
			services = nets[i].services;
		}
	}
	services &= policy.class_services[policy.port_classes[port]];
	return __builtin_ctzll(services);
}

/* What the service is about, as the format says it, and how precise that is; -1: it is not. */
static int precision(const struct sw_service *service, const struct sw_addr *addr,
		     unsigned int port)
{
	bool is_in = !service->prefix_count, has = !service->port_count;
	unsigned int longest = 0, narrowest = 65536;

	if (is_in && service->family != SW_FAMILY_ANY) {
		is_in = (service->family == SW_FAMILY_IPV4) == sw_addr_is_v4(addr);
		longest = service->family == SW_FAMILY_IPV4 ? 97 : 1;
	}
	for (__u32 i = 0; i < service->prefix_count; i++) {
		const struct sw_prefix *one = &service->prefixes[i];
		bool is_v4 = one->length >= 96 && sw_addr_is_v4(&one->addr);

		is_in |= is_v4 == sw_addr_is_v4(addr) && bits_match(&one->addr, addr, one->length);
		if (one->length + 1 > longest)
			longest = one->length + 1;
	}
	for (__u32 i = 0; i < service->port_count; i++) {
		unsigned int first = service->ports[i].first, last = service->ports[i].last;

		has |= port >= first && port <= last;
		if (last - first + 1 < narrowest)
			narrowest = last - first + 1;
	}
	return is_in && has ? (int)(longest * 70000 + 65536 - narrowest) : -1;
}

/* The first of the most precise, in the order of the file. */
static const char *find_by_format(const struct sw_policy *file, const struct sw_addr *addr,
				  unsigned int port)
{
	const char *best = "default";
	int most = -1;

	for (__u32 i = 0; i < file->service_count; i++) {
		int precise = precision(&file->services[i], addr, port);

		if (precise > most) {
			most = precise;
			best = file->services[i].name;
		}
	}
	return best;
}

/* In, or just outside of, one of the policy's prefixes. */
static struct sw_addr draw_destination(__u64 *seed)
{
	const struct sw_service *service;
	struct sw_addr addr = draw_address(seed);
	const struct sw_prefix *one;
	unsigned int bit;

	if (!policy.service_count || !draw(seed, 4))
		return addr;
	service = &policy.services[draw(seed, policy.service_count)];
	if (!service->prefix_count)
		return addr;
	one = &service->prefixes[draw(seed, service->prefix_count)];
	addr = one->addr;
	if (draw(seed, 2)) /* its last address */
		for (bit = one->length; bit < 128; bit++)
			addr.bytes[bit / 8] |= 0x80 >> bit % 8;
	if (draw(seed, 2)) {
		bit = draw(seed, 2) && one->length ? one->length - 1 : draw(seed, 128);
		addr.bytes[bit / 8] ^= 0x80 >> bit % 8;
	}
	return addr;
}

static unsigned int draw_destination_port(__u64 *seed)
{
	struct sw_port_range range = draw_ports(seed);

	switch (draw(seed, 4)) {
	case 0:
		return range.first - 1;
	case 1:
		return range.first;
	case 2:
		return range.last;
	default:
		return range.last == 65535 ? 0 : range.last + 1;
	}
}

static void tables_find_what_the_list_finds(void **state __unused)
{
	unsigned int of_services = 0, lookups = 0;
	__u64 seed = 42;

	for (int i = 0; i < 400; i++) {
		size_t count;

		draw_policy(&seed, &policy);
		other = policy;
		assert_int_equal(sw_policy_compile(&policy), 0);
		count = sw_policy_nets(&policy, nets, COUNT(nets));
		for (int j = 0; j < 100; j++, lookups++) {
			struct sw_addr addr = draw_destination(&seed);
			unsigned int port = draw_destination_port(&seed);
			unsigned int found = sw_policy_find(&policy, &addr, port);

			of_services += found != SW_SERVICE_DEFAULT;
			assert_int_equal(find_by_tables(count, &addr, port), found);
			assert_string_equal(policy.services[found].name,
					    find_by_format(&other, &addr, port));
		}
	}
	/* both happen */
	assert_in_range(of_services, lookups / 4, lookups * 3 / 4);
}

/* As many rows as the map has room for in a slot: all prefixes of all services, and two. */
static void every_prefix_has_a_row(void **state __unused)
{
	sw_policy_default(&policy);
	for (__u32 i = 0; i < SW_MAX_SERVICES; i++) {
		add("s", SW_FAMILY_ANY, "10.0.0.0", "");
		for (__u32 j = 0; j < SW_SERVICE_PREFIXES; j++) {
			policy.services[i].prefixes[j] = prefix("10.0.0.0");
			policy.services[i].prefixes[j].addr.bytes[13] = i;
			policy.services[i].prefixes[j].addr.bytes[15] = j;
		}
		policy.services[i].prefix_count = SW_SERVICE_PREFIXES;
	}
	policy.services[0].prefix_count = 0;
	policy.services[0].family = SW_FAMILY_IPV6;
	assert_int_equal(sw_policy_compile(&policy), 0);
	assert_int_equal(sw_policy_nets(&policy, nets, COUNT(nets)),
			 (SW_MAX_SERVICES - 1) * SW_SERVICE_PREFIXES + 2);
	assert_int_equal(COUNT(nets) * SW_POLICY_SLOTS, SW_MAX_SERVICE_PREFIXES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longer_prefix_goes_first),
		cmocka_unit_test(then_the_narrower_range_of_ports),
		cmocka_unit_test(then_as_they_stood),
		cmocka_unit_test(a_family_is_the_shortest_prefix),
		cmocka_unit_test(all_of_ipv6_has_no_ipv4),
		cmocka_unit_test(what_nobody_uses_is_cleared),
		cmocka_unit_test(the_default_has_no_features),
		cmocka_unit_test(each_feature_is_told),
		cmocka_unit_test(classes_fill_their_room_and_no_more),
		cmocka_unit_test(tables_find_what_the_list_finds),
		cmocka_unit_test(every_prefix_has_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
