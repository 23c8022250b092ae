// SPDX-License-Identifier: GPL-2.0-or-later
/* Every anomaly of one packet by itself, beside its nearest innocent, through the host's core. */
#define _GNU_SOURCE
#include "../lib/sequences.h"

/* What no sequence can show: it takes more than one flow, an address of the host's own or two sides. */
#define NOT_YET                                                                                    \
	(SW_BIT(SYN_FLOOD) | SW_BIT(HALF_OPEN_PRESSURE) | SW_BIT(SCAN) | SW_BIT(MARTIAN_SOURCE) |  \
	 SW_BIT(WRONG_SIDE))

static void note(const struct sequence_set set, __u64 *outcomes, __u64 *anomalies)
{
	for (size_t i = 0; i < set.count; i++) {
		for (__u32 outcome = 0; outcome < SW_OUTCOME_COUNT; outcome++)
			if (set.sequences[i].ended[outcome])
				*outcomes |= 1ULL << outcome;
		for (__u32 anomaly = 0; anomaly < SW_ANOMALY_COUNT; anomaly++)
			if (set.sequences[i].seen[anomaly])
				*anomalies |= 1ULL << anomaly;
	}
}

/* An outcome or anomaly that is added to the vocabulary asks for its sequence here. */
static void every_name_has_a_sequence(void **state __unused)
{
	__u64 outcomes = 0, anomalies = NOT_YET;

	note(SEQUENCE_SET(outcome_sequences), &outcomes, &anomalies);
	note(SEQUENCE_SET(stateful_sequences), &outcomes, &anomalies);
	note(SEQUENCE_SET(stateless_sequences), &outcomes, &anomalies);
	for (__u32 i = 0; i < SW_OUTCOME_COUNT; i++)
		if (!(outcomes >> i & 1))
			fail_msg("no sequence ends in %s", outcome_name(i));
	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++)
		if (!(anomalies >> i & 1))
			fail_msg("no sequence shows %s", anomaly_name(i));
}

/* ---- the quick answer */

static struct sw_addr v4(__u32 addr)
{
	struct sw_addr made = {};

	made.words[2] = sw_htonl(0xffff);
	made.words[3] = sw_htonl(addr);
	return made;
}

static struct sw_addr v6(__u8 first, __u8 last)
{
	struct sw_addr made = {};

	made.bytes[0] = first;
	made.bytes[15] = last;
	return made;
}

static struct sw_packet usual_syn(bool is_v4)
{
	return (struct sw_packet){
		.src = is_v4 ? v4(0xc0000201) : v6(0x20, 1),
		.dst = is_v4 ? v4(0xc6336402) : v6(0x20, 2),
		.seq = 7,
		.sport = 40000,
		.dport = 80,
		.flags = WIRE_TCP_SYN,
		.mss = 1460,
		.wscale = 7,
		.options = SW_OPT_MSS | SW_OPT_WSCALE | SW_OPT_SACK_OK | SW_OPT_TIMESTAMP,
		.doff = 10,
	};
}

/* Changes one of the fields that have no other of interest near. */
static void change_one(struct sw_packet *packet, unsigned int which)
{
	const bool is_v4 = sw_addr_is_v4(&packet->src);
	const struct sw_addr multicast = is_v4 ? v4(0xe0000001) : v6(0xff, 1);
	const struct sw_addr broadcast = is_v4 ? v4(0xffffffff) : v6(0, 1);

	switch (which) {
	case 0:
		packet->payload = 1;
		break;
	case 1:
		packet->ack = 1;
		break;
	case 2:
		packet->urgent = 1;
		break;
	case 3:
		packet->sport = 0;
		break;
	case 4:
		packet->dport = 0;
		break;
	case 5:
		packet->src = packet->dst;
		break;
	case 6:
		packet->dport = packet->sport;
		break;
	case 7:
		packet->src = multicast;
		break;
	case 8:
		packet->dst = multicast;
		break;
	case 9:
		packet->src = broadcast;
		break;
	case 10:
		packet->dst = broadcast;
		break;
	case 11:
		packet->src = is_v4 ? v4(0x7f000001) : v6(0, 1);
		break;
	}
}

/* Changes one thing of a SYN, which one is said by a number. Returns false if there is none. */
static bool change(struct sw_packet *packet, unsigned int which)
{
	const __u32 value = which % 16;

	switch (which / 16) {
	case 0:
		packet->flags ^= 1 << value & 0xfff;
		break;
	case 1:
		packet->options ^= 1 << value & 0xff;
		break;
	case 2:
		packet->facts ^= 1 << value & 0xff;
		break;
	case 3:
		packet->wscale = value;
		break;
	case 4:
		packet->mss = SW_TINY_MSS - 8 + value;
		break;
	case 5:
		packet->kind = value % SW_KIND_COUNT;
		break;
	case 6:
		change_one(packet, value);
		break;
	default:
		return false;
	}
	return true;
}

/* Whatever is changed of a usual SYN, two things at a time: usual is only what is blameless. */
static void a_usual_syn_is_blameless(void **state)
{
	const bool is_v4 = *(const bool *)*state;
	const struct sw_packet plain = usual_syn(is_v4);
	unsigned int usual = 0, other = 0;
	struct sw_packet once, twice;

	assert_true(sw_is_usual_syn(&plain));
	for (unsigned int i = 0; once = plain, change(&once, i); i++)
		for (unsigned int j = 0; twice = once, change(&twice, j); j++) {
			if (!sw_is_usual_syn(&twice)) {
				other++;
				continue;
			}
			usual++;
			if (sw_sanity(&twice) || sw_classify(&twice, 0) != SW_SEGMENT_SYN)
				fail_msg("changes %u and %u: anomalies %llx", i, j,
					 (unsigned long long)sw_sanity(&twice));
		}
	assert_true(usual > 100 && other > 1000);
}

/* What no host sends to another, and nothing beside it. */
static void martians(void **state __unused)
{
	const struct {
		struct sw_addr addr;
		bool martian;
	} cases[] = {
		{ v4(0x00000000), true },  { v4(0x00000001), true },  { v4(0x00ffffff), true },
		{ v4(0x01000000), false }, { v4(0x7effffff), false }, { v4(0x7f000000), true },
		{ v4(0x7f000001), true },  { v4(0x7fffffff), true },  { v4(0x80000000), false },
		{ v4(0xffffffff), false }, { v6(0, 0), true },	      { v6(0, 1), true },
		{ v6(0, 2), false },	   { v6(0, 0x80), false },    { v6(0x20, 0), false },
		{ v6(0x20, 1), false },	   { v6(0x7f, 0), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		if (sw_is_martian(&cases[i].addr) != cases[i].martian)
			fail_msg("case %zu", i);
}

int main(void)
{
	static bool families[] = { true, false };
	const struct CMUnitTest vocabulary[] = {
		cmocka_unit_test(every_name_has_a_sequence),
		cmocka_unit_test_prestate(a_usual_syn_is_blameless, &families[0]),
		cmocka_unit_test_prestate(a_usual_syn_is_blameless, &families[1]),
		cmocka_unit_test(martians),
	};
	struct case_list list = new_cases(2 * COUNT(stateless_sequences));
	int failed;

	add_cases(&list, SEQUENCE_SET(stateless_sequences), "", sequence_on_host);
	failed = run_cases("sanity", &list);
	return failed + cmocka_run_group_tests(vocabulary, NULL, NULL);
}
