// SPDX-License-Identifier: GPL-2.0-or-later
/* What of the lists an address meets, as a packet from there would. */
#include "lists.h"

#include "../base/address.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/time.h"
#include "auto_blocks.h"
#include "list_build.h"
#include "list_journal.h"

/* The longest prefix around the address that has not expired, if there is one. */
static int add_longest(const struct sw_list_generation *now, const struct sw_addr *addr,
		       struct sw_entries *entries)
{
	uint32_t shortest = sw_addr_is_v4(addr) ? SW_V4_BITS + 1 : 1, now_s = (uint32_t)sw_boot_s();

	for (uint32_t length = 128; now->prefixes.about && length >= shortest; length--) {
		struct sw_entry entry = { .prefix = sw_prefix_around(addr, length), .reason = "" };
		struct sw_list_key key = sw_list_key(&entry.prefix, now->prefixes.seed);
		const struct sw_list_row *row = sw_prefixes_find(&now->prefixes, &key);

		if (!row || !sw_list_is_live(row, now_s))
			continue;
		entry.hits = __atomic_load_n(&row->hits, __ATOMIC_RELAXED);
		entry.expires_s = row->expires_s;
		return sw_entries_add(entries, &entry);
	}
	return 0;
}

/* The source that was blocked for what it did, if the address is its. */
static int add_automatic(const struct sw_instance *instance, const struct sw_addr *addr,
			 struct sw_entries *entries)
{
	SW_AUTO_ENTRIES struct sw_entries automatic = {};
	int error = sw_auto_blocks_read(instance, &automatic);

	for (size_t i = 0; i < automatic.count && !error; i++) {
		const struct sw_entry *entry = &automatic.rows[i];
		struct sw_prefix around = sw_prefix_around(addr, entry->prefix.length);

		if (!sw_prefix_compare(&around, &entry->prefix))
			error = sw_entries_add(entries, entry);
	}
	return error;
}

int sw_lists_check(const char *pin_dir, const char *state_dir, const struct sw_addr *addr,
		   struct sw_entries met[SW_LIST_COUNT])
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	SW_AUTO_LISTS struct sw_lists lists = SW_LISTS_NONE;
	struct sw_entries known[SW_LIST_COUNT] = {};
	int error = sw_instance_open(pin_dir, SW_ACCESS_CHANGE, &instance);

	if (!error)
		error = sw_lists_open(&instance, &lists);
	if (!error)
		error = sw_journal_read(state_dir, known);
	for (int i = 0; i < SW_LIST_COUNT && !error; i++) {
		SW_AUTO_LIST_GENERATION struct sw_list_generation now = SW_LIST_GENERATION_NONE;

		error = sw_list_generation_open(&lists, (enum sw_list)i, &now);
		if (!error)
			error = add_longest(&now, addr, &met[i]);
		if (!error)
			error = sw_list_annotate(&met[i], &known[i]);
	}
	if (!error)
		error = add_automatic(&instance, addr, &met[SW_LIST_BLOCK]);
	for (int i = 0; i < SW_LIST_COUNT; i++)
		sw_entries_free(&known[i]);
	return error;
}
