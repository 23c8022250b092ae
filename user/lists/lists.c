// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes of the lists. The order is: everything that can fail, then the state file, then the
 * kernel. An add or a delete is made in the table that packets look at; what is too much for that
 * gets a new table, which takes the old one's place.
 */
#include "lists.h"

#include "../base/address.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/number.h"
#include "../base/time.h"
#include "../model/names.h"
#include "../platform/notice.h"
#include "auto_blocks.h"
#include "list_build.h"
#include "list_journal.h"
#include "protected.h"

#include <string.h>

/* Up to so many lines nobody minds that most of them are dead. */
#define MANY_LINES 1000U

/* A list that is being changed. */
struct session {
	const struct sw_list_target *target;
	struct sw_instance instance;
	struct sw_lists lists;
	struct sw_list_generation now;
};

static void session_close(struct session *session)
{
	sw_list_generation_close(&session->now);
	sw_lists_close(&session->lists);
	sw_instance_close(&session->instance);
}

#define SW_AUTO_SESSION __attribute__((cleanup(session_close)))
#define SESSION(of)                                                                                \
	{                                                                                          \
		.target = (of), .instance = SW_INSTANCE_NONE, .lists = SW_LISTS_NONE,              \
		.now = SW_LIST_GENERATION_NONE                                                     \
	}

static int session_open(struct session *session)
{
	const struct sw_list_target *target = session->target;
	int error = sw_instance_open(target->pin_dir, SW_ACCESS_CHANGE, &session->instance);

	if (!error)
		error = sw_protected_refresh(&session->instance);
	if (!error)
		error = sw_lists_open(&session->instance, &session->lists);
	return error ? error :
		       sw_list_generation_open(&session->lists, target->list, &session->now);
}

static uint64_t entries_now(const struct session *session)
{
	return session->now.prefixes.about ? session->now.prefixes.about->entries : 0;
}

static struct sw_list_row *find_row(const struct session *session, const struct sw_prefix *prefix)
{
	struct sw_list_key key = sw_list_key(prefix, session->now.prefixes.seed);

	return session->now.prefixes.about ? sw_prefixes_find(&session->now.prefixes, &key) : NULL;
}

/* Says to the journal of events what has been done to how many; entries: with which, NULL: with all. */
static void tell(const struct session *session, enum sw_deed deed, uint64_t count,
		 const struct sw_entries *entries)
{
	struct sw_notice notice = { .head = { .type = SW_EVENT_LIST, .deed = deed },
				    .count = count,
				    .list = session->target->list };

	if (!count)
		return;
	if (entries && entries->count == 1)
		sw_format_prefix(notice.what, &entries->rows[0].prefix);
	sw_notice_tell(&session->instance.pins, &notice);
}

/* ---- checks */

static int check_protected(const struct session *session, const struct sw_entries *entries,
			   const char *where)
{
	SW_AUTO_GUARD struct sw_guard guard = {};
	const struct sw_guarded *who;
	const struct sw_entry *entry;
	char line[512], reason[SW_GUARD_REASON_SIZE];
	size_t next = 0;
	int error;

	if (session->target->list != SW_LIST_BLOCK)
		return 0;
	error = sw_guard_collect(&session->instance, &guard);
	if (error)
		return error;
	entry = sw_guard_find(&guard, entries, &next, &who);
	if (!entry)
		return 0;
	if (entry->line)
		sw_format(line, sizeof(line), "%s:%u", where, entry->line);
	else
		sw_format(line, sizeof(line), "%s", where);
	return sw_error(EPERM, "%s: %s; nothing was changed", line,
			sw_guard_explain(reason, entry, who));
}

static int check_count(const struct session *session, uint64_t count)
{
	char wanted[SW_NUMBER_SIZE], most[SW_NUMBER_SIZE];

	if (count <= SW_MAX_LIST)
		return 0;
	return sw_error(E2BIG, "the %s list would have %s prefixes; it takes at most %s",
			sw_list_words[session->target->list].name, sw_format_count(wanted, count),
			sw_format_count(most, SW_MAX_LIST));
}

/* Counts what the entries will add, and what they will only change. */
static void count_changes(const struct session *session, const struct sw_entries *entries,
			  struct sw_list_change *change)
{
	uint32_t now_s = (uint32_t)sw_boot_s();

	for (size_t i = 0; i < entries->count; i++) {
		const struct sw_entry *entry = &entries->rows[i];
		const struct sw_list_row *row = find_row(session, &entry->prefix);
		bool there = row && sw_list_is_live(row, now_s);

		change->added += !there;
		change->updated += there;
		change->lost_expiry += there && row->expires_s && !entry->expires_s;
	}
}

/* ---- the state file */

/* Where most lines are dead, the file is written anew. */
static int tidy_state(const struct session *session)
{
	const struct sw_list_target *target = session->target;
	uint64_t lines = sw_journal_lines(target->state_dir), live = 0;

	for (int i = 0; i < SW_LIST_COUNT; i++) {
		const struct sw_list_header *header = &session->lists.headers[i];

		live += header->tables[header->generation & 1].entries;
	}
	if (lines < MANY_LINES || lines <= 2 * live)
		return 0;
	return sw_list_rewrite_journal(&session->lists, target->state_dir, target->list,
				       &session->now, NULL);
}

/* ---- add and load */

/* Makes a new table of the old one and the entries, and has packets look at it. */
static int rebuild(struct session *session, const struct sw_list_recipe *recipe, bool rewrite)
{
	const struct sw_list_target *target = session->target;
	SW_AUTO_LIST_GENERATION struct sw_list_generation made = SW_LIST_GENERATION_NONE;
	int error = sw_list_build(&session->lists, target->list, recipe, &made);

	if (!error && rewrite)
		error = sw_list_rewrite_journal(&session->lists, target->state_dir, target->list,
						&made, recipe->entries);
	else if (!error)
		error = sw_journal_append(target->state_dir, target->list, recipe->entries, false);
	if (!error)
		error = sw_list_generation_install(&session->lists, target->list, &made);
	if (error)
		return error;
	sw_list_generation_close(&session->now);
	return sw_list_generation_open(&session->lists, target->list, &session->now);
}

/* Is there room, without the table becoming so full that lookups suffer? */
static bool has_room(const struct session *session, uint64_t more)
{
	const struct sw_list_table *about = session->now.prefixes.about;

	return about && about->entries + about->deleted + more <=
				(uint64_t)about->buckets * SW_LIST_WAYS * 3 / 4;
}

/* Returns 1 if there was no room after all. */
static int put_in_place(struct session *session, const struct sw_entries *entries)
{
	struct sw_prefixes *table = &session->now.prefixes;

	for (size_t i = 0; i < entries->count; i++) {
		const struct sw_entry *entry = &entries->rows[i];
		struct sw_list_key key = sw_list_key(&entry->prefix, table->seed);
		struct sw_list_row *row = sw_prefixes_find(table, &key);

		if (row)
			__atomic_store_n(&row->expires_s, entry->expires_s, __ATOMIC_RELAXED);
		else if (sw_prefixes_insert(table, &key, 0, entry->expires_s))
			return 1;
	}
	return 0;
}

static int add_in_place(struct session *session, const struct sw_entries *entries)
{
	const struct sw_list_target *target = session->target;
	struct sw_list_recipe recipe = { .old = &session->now,
					 .entries = entries,
					 .buckets = session->now.buckets * 2 };
	int error = sw_journal_append(target->state_dir, target->list, entries, false);

	if (error)
		return error;
	if (put_in_place(session, entries))
		return rebuild(session, &recipe, true);
	error = sw_lists_announce(&session->lists);
	return error ? error : tidy_state(session);
}

int sw_list_add(const struct sw_list_target *target, struct sw_entries *entries, const char *where,
		struct sw_list_change *change)
{
	SW_AUTO_SESSION struct session session = SESSION(target);
	struct sw_list_change made = { .duplicates = sw_entries_settle(entries) };
	struct sw_list_recipe recipe = { .old = &session.now, .entries = entries };
	int error = session_open(&session);

	if (!error)
		error = check_protected(&session, entries, where);
	if (!error)
		error = check_count(&session, entries_now(&session) + entries->count);
	if (error)
		return error;
	count_changes(&session, entries, &made);
	recipe.buckets = session.now.buckets * 2;
	error = has_room(&session, made.added) ? add_in_place(&session, entries) :
						 rebuild(&session, &recipe, false);
	made.entries = entries_now(&session);
	if (error)
		return error;
	tell(&session, SW_DEED_ADDED, made.added + made.updated, entries);
	*change = made;
	return 0;
}

int sw_list_load(const struct sw_list_target *target, struct sw_entries *entries, const char *where,
		 bool replace, sw_list_progress *progress, void *context,
		 struct sw_list_change *change)
{
	SW_AUTO_SESSION struct session session = SESSION(target);
	struct sw_list_change made = { .duplicates = sw_entries_settle(entries) };
	struct sw_list_recipe recipe = { .old = replace ? NULL : &session.now,
					 .entries = entries,
					 .progress = progress,
					 .context = context };
	uint64_t before;
	int error = session_open(&session);

	if (!error)
		error = check_protected(&session, entries, where);
	if (!error)
		error = check_count(&session,
				    (replace ? 0 : entries_now(&session)) + entries->count);
	if (error)
		return error;
	before = entries_now(&session);
	count_changes(&session, entries, &made);
	if (entries->count || replace)
		error = rebuild(&session, &recipe, replace || entries->count >= before);
	made.entries = entries_now(&session);
	if (replace)
		made.removed = before - made.updated;
	if (error)
		return error;
	tell(&session, SW_DEED_LOADED, entries->count, entries);
	*change = made;
	return 0;
}

/* ---- delete */

/* What is not there, with what one may have meant. */
static int not_there(const struct session *session, const struct sw_prefix *prefix)
{
	const char *name = sw_list_words[session->target->list].name;
	char text[SW_PREFIX_SIZE], other[SW_PREFIX_SIZE];
	uint32_t shortest = sw_prefix_is_v4(prefix) ? SW_V4_BITS + 1 : 1;

	sw_format_prefix(text, prefix);
	for (uint32_t length = prefix->length; length-- > shortest;) {
		struct sw_prefix around = sw_prefix_around(&prefix->addr, length);

		if (find_row(session, &around))
			return sw_error(ESRCH,
					"%s is not on the %s list, but %s is, which contains it; "
					"nothing was changed",
					text, name, sw_format_prefix(other, &around));
	}
	return sw_error(ESRCH, "%s is not on the %s list; nothing was changed", text, name);
}

/*
 * Every entry must be in the table or among the sources that the kernel has blocked, which are copied
 * to automatic; those that are not in the table are then taken out of the entries.
 */
static int check_all_there(const struct session *session, struct sw_entries *entries,
			   struct sw_entries *automatic)
{
	bool found = false;
	int error = 0;

	for (size_t i = 0; i < entries->count && !error; i++) {
		struct sw_entry *entry = &entries->rows[i];

		entry->dead = !find_row(session, &entry->prefix);
		if (session->target->list == SW_LIST_BLOCK)
			error = sw_auto_block_find(&session->instance, &entry->prefix, false,
						   &found);
		if (!error && found)
			error = sw_entries_add(automatic, entry);
		else if (!error && entry->dead)
			error = not_there(session, &entry->prefix);
	}
	if (!error)
		sw_entries_settle(entries);
	return error;
}

static int delete_automatic(const struct session *session, const struct sw_entries *entries)
{
	bool found;
	int error = 0;

	for (size_t i = 0; i < entries->count && !error; i++)
		error = sw_auto_block_find(&session->instance, &entries->rows[i].prefix, true,
					   &found);
	return error;
}

static int delete_rows(struct session *session, const struct sw_entries *entries)
{
	const struct sw_list_target *target = session->target;
	int error = sw_journal_append(target->state_dir, target->list, entries, true);

	if (error)
		return error;
	for (size_t i = 0; i < entries->count; i++) {
		struct sw_list_key key = sw_list_key(&entries->rows[i].prefix,
						     session->now.prefixes.seed);

		sw_prefixes_delete(&session->now.prefixes, &key);
	}
	if (entries->count && !entries_now(session)) {
		error = sw_list_generation_install(&session->lists, target->list, NULL);
		sw_list_generation_close(&session->now);
	}
	return error ? error : tidy_state(session);
}

int sw_list_delete(const struct sw_list_target *target, struct sw_entries *entries,
		   struct sw_list_change *change)
{
	SW_AUTO_SESSION struct session session = SESSION(target);
	SW_AUTO_ENTRIES struct sw_entries automatic = {};
	struct sw_list_change made = { .duplicates = sw_entries_settle(entries) };
	int error = session_open(&session);

	made.removed = entries->count;
	if (!error)
		error = check_all_there(&session, entries, &automatic);
	if (!error)
		error = delete_rows(&session, entries);
	if (!error)
		error = delete_automatic(&session, &automatic);
	made.entries = entries_now(&session);
	if (error)
		return error;
	tell(&session, SW_DEED_REMOVED, made.removed, entries);
	*change = made;
	return 0;
}

int sw_list_clear(const struct sw_list_target *target, struct sw_list_change *change)
{
	SW_AUTO_SESSION struct session session = SESSION(target);
	SW_AUTO_ENTRIES struct sw_entries automatic = {};
	struct sw_list_change made = {};
	int error = session_open(&session);

	if (!error && target->list == SW_LIST_BLOCK)
		error = sw_auto_blocks_read(&session.instance, &automatic);
	if (error)
		return error;
	made.removed = entries_now(&session) + automatic.count;
	error = sw_journal_append_clear(target->state_dir, target->list);
	if (!error && session.now.prefixes.about)
		error = sw_list_generation_install(&session.lists, target->list, NULL);
	if (!error)
		error = delete_automatic(&session, &automatic);
	sw_list_generation_close(&session.now);
	if (!error)
		error = tidy_state(&session);
	if (error)
		return error;
	tell(&session, SW_DEED_REMOVED, made.removed, NULL);
	*change = made;
	return 0;
}

/* ---- read */

/* Sources that the kernel has blocked, but for those on the list. */
static int add_automatic(const struct session *session, struct sw_entries *entries)
{
	SW_AUTO_ENTRIES struct sw_entries automatic = {};
	int error = sw_auto_blocks_read(&session->instance, &automatic);

	for (size_t i = 0; i < automatic.count && !error; i++)
		if (!find_row(session, &automatic.rows[i].prefix))
			error = sw_entries_add(entries, &automatic.rows[i]);
	sw_entries_settle(entries);
	return error;
}

int sw_list_read(const struct sw_list_target *target, struct sw_entries *entries)
{
	SW_AUTO_SESSION struct session session = SESSION(target);
	struct sw_entries known[SW_LIST_COUNT] = {};
	int error = session_open(&session);

	if (!error)
		error = sw_list_collect(&session.now, entries);
	if (!error)
		error = sw_journal_read(target->state_dir, known);
	if (!error)
		error = sw_list_annotate(entries, &known[target->list]);
	if (!error && target->list == SW_LIST_BLOCK)
		error = add_automatic(&session, entries);
	for (int i = 0; i < SW_LIST_COUNT; i++)
		sw_entries_free(&known[i]);
	return error;
}
