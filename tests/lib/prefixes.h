/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_PREFIXES_H
#define SYNWARD_TESTS_PREFIXES_H

/*
 * Random prefixes of both families that lie within each other, and a model of a list: an array that
 * is walked from its beginning to its end.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../bpf/core/prefixes.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static __u64 dice = 1;

/* splitmix64 */
static inline __u64 roll64(void)
{
	__u64 z = dice += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline __u32 roll(__u32 n)
{
	return (roll64() >> 32) % n;
}

/* ---- addresses that meet: few bits differ, anywhere in the address */

static inline struct sw_addr random_address(bool v6)
{
	struct sw_addr addr = {};

	if (v6) {
		addr.bytes[0] = 0x20;
		for (int i = 0; i < 6; i++)
			addr.bytes[roll(16)] ^= 1U << roll(8);
		addr.bytes[0] |= 0x20; /* never a mapped one */
		return addr;
	}
	addr.words[2] = SW_V4_MAPPED_WORD;
	for (int i = 0; i < 5; i++)
		addr.bytes[12 + roll(4)] ^= 1U << roll(8);
	return addr;
}

static inline struct sw_prefix prefix_of(struct sw_addr addr, __u32 length)
{
	struct sw_prefix prefix = { .addr = addr, .length = length };

	sw_addr_mask(&prefix.addr, length);
	return prefix;
}

/* Of any length, though the few that hold most of all addresses are rare. */
static inline struct sw_prefix random_prefix(void)
{
	bool v6 = roll(2);
	__u32 first = v6 ? 1 : SW_V4_PREFIX + 1;

	if (roll(100))
		first += v6 ? 19 : 9;
	return prefix_of(random_address(v6), first + roll(129 - first));
}

/* An address in a prefix: the bits behind its length are any. */
static inline struct sw_addr address_within(const struct sw_prefix *prefix)
{
	struct sw_addr addr = prefix->addr;

	for (__u32 bit = prefix->length; bit < 128; bit++)
		if (roll(2))
			addr.bytes[bit / 8] |= 0x80 >> bit % 8;
	return addr;
}

/* ---- the model */

struct modelled {
	struct sw_prefix prefix;
	__u32 expires_s;
	__u64 hits;
};

#define MODEL_ROOM 8192U

struct model {
	struct modelled rows[MODEL_ROOM];
	__u32 count;
};

static inline bool is_within(const struct sw_addr *addr, const struct sw_prefix *prefix)
{
	for (__u32 bit = 0; bit < prefix->length; bit++)
		if ((addr->bytes[bit / 8] ^ prefix->addr.bytes[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static inline struct modelled *model_find(struct model *model, const struct sw_prefix *prefix)
{
	for (__u32 i = 0; i < model->count; i++)
		if (model->rows[i].prefix.length == prefix->length &&
		    sw_addr_equal(&model->rows[i].prefix.addr, &prefix->addr))
			return &model->rows[i];
	return NULL;
}

static inline void model_insert(struct model *model, const struct sw_prefix *prefix,
				__u32 expires_s)
{
	assert_true(model->count < MODEL_ROOM);
	model->rows[model->count++] = (struct modelled){ .prefix = *prefix,
							 .expires_s = expires_s };
}

static inline void model_delete(struct model *model, struct modelled *row)
{
	*row = model->rows[--model->count];
}

/* The longest that has not expired; IPv4 addresses are only in prefixes of IPv4. */
static inline struct modelled *model_lookup(struct model *model, const struct sw_addr *addr,
					    __u32 now_s)
{
	struct modelled *best = NULL;

	for (__u32 i = 0; i < model->count; i++) {
		struct modelled *row = &model->rows[i];

		if (is_within(addr, &row->prefix) &&
		    (!sw_addr_is_v4(addr) || row->prefix.length > SW_V4_PREFIX) &&
		    (!row->expires_s || row->expires_s > now_s) &&
		    (!best || row->prefix.length > best->prefix.length))
			best = row;
	}
	return best;
}

#endif
