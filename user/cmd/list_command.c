// SPDX-License-Identifier: GPL-2.0-or-later
/* The allow and the block list: two commands that differ in nothing but the list. */
#include "command.h"

#include "../base/address.h"
#include "../base/cleanup.h"
#include "../base/input.h"
#include "../base/time.h"
#include "../config/prefix_file.h"
#include "../lists/lists.h"
#include "../model/names.h"
#include "../model/policy_view.h"
#include "../readers/readers.h"
#include "../report/report.h"
#include "../text/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum sort { SORT_PREFIX, SORT_HITS };
static const char *const sorts[] = { "prefix", "hits", NULL };

static struct {
	uint64_t expires_ms;
	const char *reason;
	bool wide;
	bool replace;
	bool all;
	uint64_t limit;
	int sort;
} given = { .limit = 100 };

#define MAX_EXPIRY_MS 315360000000ULL /* ten years */

#define EXPIRES                                                                                    \
	{                                                                                          \
		"expires", 'e', SW_OPTION_DURATION, &given.expires_ms, "DURATION",                 \
			.help = "remove it after that time, such as 30m or 7d", .minimum = 1000,   \
			.maximum = MAX_EXPIRY_MS                                                   \
	}
#define REASON                                                                                     \
	{                                                                                          \
		"reason", 'r', SW_OPTION_STRING, &given.reason, "TEXT",                            \
			.help = "why it is on the list"                                            \
	}

#define WIDE                                                                                       \
	{                                                                                          \
		"wide", 0, SW_OPTION_FLAG, &given.wide, NULL,                                      \
			.help = "take prefixes of a quarter of all addresses in use, and more"     \
	}

static const struct sw_option add_options[] = { EXPIRES, REASON, WIDE, {} };

static const struct sw_option del_options[] = {
	{ "all", 'a', SW_OPTION_FLAG, &given.all, NULL, .help = "every prefix" },
	{},
};

static const struct sw_option list_options[] = {
	{ "limit", 'n', SW_OPTION_NUMBER, &given.limit, "N", .help = "the first N (100)",
	  .minimum = 1, .maximum = SW_MAX_LIST },
	{ "all", 'a', SW_OPTION_FLAG, &given.all, NULL, .help = "all of them" },
	{ "sort", 's', SW_OPTION_CHOICE, &given.sort, "BY",
	  .help = "by prefix (the default) or hits", .choices = sorts },
	{},
};

static const struct sw_option check_options[] = { {} };

static const struct sw_option load_options[] = {
	EXPIRES,
	REASON,
	WIDE,
	{ "replace", 0, SW_OPTION_FLAG, &given.replace, NULL,
	  .help = "remove every prefix that is not in the file" },
	{},
};

/* One command under way. */
struct call {
	struct sw_list_target target;
	const char *name; /* of the list */
	struct sw_entries entries;
	struct sw_list_change change;
	struct sw_progress progress;
	char **words; /* behind the verb */
	int count;
};

/* ---- what goes in */

/* Whoever drops, or lets in, that many has to say that it is meant. where is as of sw_list_add(). */
static int check_width(const struct call *call, const char *where)
{
	char text[SW_PREFIX_SIZE], line[16] = "";

	for (size_t i = 0; i < call->entries.count && !given.wide; i++) {
		const struct sw_entry *entry = &call->entries.rows[i];

		if (!sw_prefix_is_wide(&entry->prefix))
			continue;
		if (entry->line)
			sw_format(line, sizeof(line), ":%u", entry->line);
		return sw_error(EINVAL,
				"%s%s: %s holds a quarter or more of the %s addresses in use; to "
				"add it all the same: --wide",
				where, line, sw_format_prefix(text, &entry->prefix),
				sw_prefix_is_v4(&entry->prefix) ? "IPv4" : "IPv6");
	}
	return 0;
}

/* --expires and --reason hold for all of them; a reason in the file goes before. */
static int complete_entries(struct call *call)
{
	uint32_t expires_s = given.expires_ms ?
				     (uint32_t)(sw_boot_s() + (given.expires_ms + 999) / 1000) :
				     0;
	const char *reason = "";
	char clean[SW_REASON_SIZE];
	uint64_t now_s = sw_wall_s();

	if (given.reason) {
		if (!sw_clean_reason(clean, given.reason, strlen(given.reason)))
			return sw_error(EINVAL, "--reason: expected at most %u bytes",
					SW_REASON_SIZE - 1);
		reason = sw_entries_text(&call->entries, clean, strlen(clean));
		if (!reason)
			return -ENOMEM;
	}
	for (size_t i = 0; i < call->entries.count; i++) {
		struct sw_entry *entry = &call->entries.rows[i];

		entry->expires_s = expires_s;
		entry->added_s = now_s;
		if (!entry->reason[0])
			entry->reason = reason;
	}
	return 0;
}

static int take_words(struct call *call, const char *verb)
{
	char where[32];
	int error = 0;

	if (!call->count)
		return sw_error(EINVAL,
				"%s %s: expected prefixes, such as 192.0.2.0/24 or 2001:db8::7",
				call->name, verb);
	sw_format(where, sizeof(where), "%s %s", call->name, verb);
	for (int i = 0; i < call->count && !error; i++) {
		struct sw_entry entry = { .reason = "" };

		error = sw_prefix_take(where, call->words[i], &entry.prefix);
		if (!error)
			error = sw_entries_add(&call->entries, &entry);
	}
	return error;
}

/* ---- the verbs */

/* -EINVAL is for the command line, and for the files that it names. */
static int failure(int error)
{
	return error == -EINVAL ? -EIO : error;
}

static int add(struct call *call)
{
	char where[32];
	int error = take_words(call, "add");

	sw_format(where, sizeof(where), "%s add", call->name);
	if (!error)
		error = check_width(call, where);
	if (!error)
		error = complete_entries(call);
	if (error)
		return error;
	return failure(sw_list_add(&call->target, &call->entries, where, &call->change));
}

static int delete (struct call *call)
{
	int error;

	if (given.all && call->count)
		return sw_error(EINVAL, "%s del: expected prefixes or --all, not both", call->name);
	if (given.all)
		return failure(sw_list_clear(&call->target, &call->change));
	error = take_words(call, "del");
	if (error)
		return error;
	return failure(sw_list_delete(&call->target, &call->entries, &call->change));
}

static void note_reading(void *context, uint64_t done, uint64_t all, uint64_t lines)
{
	sw_progress_step(context, done, all, lines);
}

static void note_building(void *context, uint64_t done, uint64_t all)
{
	sw_progress_step(context, done, all, done);
}

static int load(struct call *call)
{
	const char *path;
	int error;

	if (call->count != 1)
		return sw_error(EINVAL, "%s load: expected one FILE, got %d", call->name,
				call->count);
	path = call->words[0];
	sw_progress_start(&call->progress, "lines");
	error = sw_prefix_file_read(path, &call->entries, note_reading, &call->progress);
	if (!error && given.replace && !call->entries.count)
		error = sw_error(EINVAL,
				 "%s: holds no prefix; to empty the list: synward %s del --all",
				 sw_input_name(path), call->name);
	if (!error)
		error = check_width(call, sw_input_name(path));
	if (!error)
		error = complete_entries(call);
	call->progress.unit = "prefixes";
	if (!error)
		error = failure(sw_list_load(&call->target, &call->entries, sw_input_name(path),
					     given.replace, note_building, &call->progress,
					     &call->change));
	sw_progress_end(&call->progress);
	return error;
}

static int show(struct call *call)
{
	uint64_t limit = given.all ? 0 : given.limit;
	int error;

	if (call->count)
		return sw_error(EINVAL, "%s list: expected no arguments, got %s", call->name,
				call->words[0]);
	error = failure(sw_list_read(&call->target, &call->entries));
	if (error)
		return error;
	if (given.sort == SORT_HITS)
		sw_entries_sort_by_hits(&call->entries);
	if (sw_global.json)
		sw_json_entries(stdout, call->target.list, &call->entries, limit, sw_global.pretty);
	else
		sw_text_entries(stdout, call->target.list, &call->entries, limit);
	return 0;
}

/* What the policy makes of the lists; large. NULL with a line recorded. */
static struct sw_policy_view *read_view(int *error)
{
	struct sw_policy_view *view = malloc(sizeof(*view));
	SW_AUTO_FREE struct sw_policy *policy = malloc(sizeof(*policy));

	*error = view && policy ? sw_active_policy_read(sw_global.pin_dir, policy, view) : -ENOMEM;
	if (!*error)
		return view;
	free(view);
	return NULL;
}

/* An address in any of its notations, that of IPv4 in IPv6 too, or the prefix of one alone. */
static bool take_address(const char *text, struct sw_addr *addr)
{
	struct sw_prefix prefix;

	if (sw_parse_address(text, addr))
		return true;
	if (sw_parse_prefix(text, &prefix) != SW_PREFIX_FINE || prefix.length != 128)
		return false;
	*addr = prefix.addr;
	return true;
}

static int check(struct call *call)
{
	struct sw_entries met[SW_LIST_COUNT] = {};
	SW_AUTO_FREE struct sw_policy_view *view = NULL;
	struct sw_addr address;
	int error;

	if (call->count != 1 || !take_address(call->words[0], &address))
		return sw_error(EINVAL, "%s check: expected one address, such as 192.0.2.7%s%s",
				call->name, call->count ? ", got " : "",
				call->count ? call->words[0] : "");
	error = failure(sw_lists_check(sw_global.pin_dir, sw_command_state_dir(), &address, met));
	if (!error)
		view = read_view(&error);
	if (!error && sw_global.json)
		sw_json_list_check(stdout, &address, met, view, sw_global.pretty);
	else if (!error)
		sw_text_list_check(stdout, &address, met, view);
	for (int i = 0; i < SW_LIST_COUNT; i++)
		sw_entries_free(&met[i]);
	return error;
}

/* ---- as commands, twice */

/* Who blocks wants to know whether anything is dropped by that. Without that answer, the change is told alone. */
static void tell_change(const struct call *call, bool adds)
{
	SW_AUTO_FREE struct sw_policy_view *view = NULL;
	enum sw_list list = call->target.list;
	int error;

	if (adds && list == SW_LIST_BLOCK && call->change.entries)
		view = read_view(&error);
	sw_error_clear();
	if (sw_global.json)
		sw_json_list_change(stdout, list, &call->change, view, sw_global.pretty);
	else
		sw_text_list_change(stdout, list, &call->change, view);
}

static int run(const struct sw_command *command, enum sw_list list, int (*verb)(struct call *),
	       int argc, char **argv)
{
	struct call call = { .name = sw_list_words[list].name };
	int first = sw_command_options(command, argc, argv), error;

	if (first <= 0)
		return first;
	call.target = (struct sw_list_target){ sw_global.pin_dir, sw_command_state_dir(), list };
	call.words = argv + first;
	call.count = argc - first;
	error = verb(&call);
	if (!error && verb != show && verb != check)
		tell_change(&call, verb == add || verb == load);
	sw_entries_free(&call.entries);
	return error;
}

/* The verb of one list: LIST_VERB(LIST, list, verb, function, summary, usage, text). */
#define LIST_VERB(id, of, verb, function, about, arguments, words)                                 \
	static const struct sw_command of##_##verb;                                                \
	static int run_##of##_##verb(int argc, char **argv)                                        \
	{                                                                                          \
		return run(&of##_##verb, SW_LIST_##id, function, argc, argv);                      \
	}                                                                                          \
	static const struct sw_command of##_##verb = {                                             \
		.name = #of " " #verb,                                                             \
		.summary = about,                                                                  \
		.usage = arguments,                                                                \
		.text = words,                                                                     \
		.options = verb##_options,                                                         \
		.run = run_##of##_##verb,                                                          \
	}

#define LIST_VERBS(id, of)                                                                         \
	LIST_VERB(id, of, add, add, "add prefixes", "PREFIX...",                                   \
		  "A PREFIX is an address, or an address with a length, of IPv4 or IPv6. If it\n"  \
		  "is on the list already, it gets the new expiry and reason.\n"                   \
		  "\n"                                                                             \
		  "Examples:\n"                                                                    \
		  "  synward " #of " add 203.0.113.0/24 --expires 1h --reason 'for now'\n"         \
		  "  synward " #of " add 2001:db8::/32 192.0.2.7\n");                              \
	LIST_VERB(id, of, del, delete, "delete prefixes", "PREFIX... | --all",                     \
		  "Removes these prefixes, as they were added. If one of them is not on the\n"     \
		  "list, none is removed.\n"                                                       \
		  "\n"                                                                             \
		  "Examples:\n"                                                                    \
		  "  synward " #of " del 203.0.113.0/24\n"                                         \
		  "  synward " #of " del --all\n");                                                \
	LIST_VERB(id, of, list, show, "show the prefixes with hits and reasons", "",               \
		  "Shows each prefix with its hits, when it expires, since when it is on the\n"    \
		  "list, and why. A packet is a hit of the longest prefix that matches it.\n"      \
		  "\n"                                                                             \
		  "Examples:\n"                                                                    \
		  "  synward " #of " list --sort hits\n"                                           \
		  "  synward " #of " list -j --all | jq -r '.prefixes[].prefix'\n");               \
	LIST_VERB(                                                                                 \
		id, of, check, check, "show which entries match an address, and why", "ADDRESS",   \
		"Looks into both lists, as is done for a packet from this address: the longest\n"  \
		"prefix of each list counts, and the allow list goes before the block list.\n"     \
		"\n"                                                                               \
		"Examples:\n"                                                                      \
		"  synward " #of " check 203.0.113.7\n");                                          \
	LIST_VERB(                                                                                 \
		id, of, load, load, "add the prefixes of a file", "FILE",                          \
		"Each line of FILE is a prefix, with a reason behind it if you like; # begins a\n" \
		"comment; - is standard input. A mistake in it changes nothing. A million\n"       \
		"prefixes take about two seconds; until then packets meet the old list.\n"         \
		"\n"                                                                               \
		"Examples:\n"                                                                      \
		"  synward " #of " load feed.txt --expires 2d --reason 'feed of today'\n"          \
		"  synward " #of " load feed.txt --replace\n");                                    \
	static const struct sw_command *const of##_verbs[] = {                                     \
		&of##_add, &of##_del, &of##_list, &of##_check, &of##_load, NULL                    \
	}

LIST_VERBS(ALLOW, allow);
LIST_VERBS(BLOCK, block);

const struct sw_command sw_cmd_allow = {
	.name = "allow",
	.summary = "sources whose packets are never dropped",
	.usage = "VERB",
	.text = "Packets from a source on the allow list are watched like all others, but they\n"
		"are never dropped: not by a rule of a policy, and not by the block list. The\n"
		"list survives a detach and a reboot.\n"
		"\n"
		"Examples:\n"
		"  synward allow add 192.0.2.10 --reason 'the monitoring'\n"
		"  synward allow list\n",
	.verbs = allow_verbs,
};

const struct sw_command sw_cmd_block = {
	.name = "block",
	.summary = "sources whose packets are dropped",
	.usage = "VERB",
	.text = "Packets from a source on the block list are dropped if they are for a service\n"
		"that enforces. Packets for other services are only counted. You cannot add the\n"
		"addresses of this host, its gateways or its DNS servers. Sources that a policy\n"
		"has blocked by itself are listed too, and you can delete them. The list survives\n"
		"a detach and a reboot.\n"
		"\n"
		"Examples:\n"
		"  synward block add 203.0.113.0/24 --expires 1h --reason 'scans'\n"
		"  synward block check 203.0.113.7\n"
		"  synward block load feed.txt --replace\n"
		"  synward block list --sort hits\n",
	.verbs = block_verbs,
};
