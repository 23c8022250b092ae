// SPDX-License-Identifier: GPL-2.0-or-later
/* The allow and the block list: two commands that differ in nothing but the list. */
#include "command.h"

#include "../base/cleanup.h"
#include "../base/names.h"
#include "../base/progress.h"
#include "../base/time.h"
#include "../config/prefix_file.h"
#include "../control/lists.h"
#include "../report/report.h"

#include <errno.h>
#include <string.h>

enum sort { SORT_PREFIX, SORT_HITS };
static const char *const sorts[] = { "prefix", "hits", NULL };

static struct {
	uint64_t expires_ms;
	const char *reason;
	bool replace;
	bool all;
	uint64_t limit;
	int sort;
} given = { .limit = 100 };

#define MAX_EXPIRY_MS 315360000000ULL /* ten years */

static const struct sw_option options[] = {
	{ "expires", 'e', SW_OPTION_DURATION, &given.expires_ms, "DURATION",
	  .help = "add, load: for that long, such as 30m or 7d", .minimum = 1000,
	  .maximum = MAX_EXPIRY_MS },
	{ "reason", 'r', SW_OPTION_STRING, &given.reason, "TEXT",
	  .help = "add, load: why, for those who will wonder" },
	{ "replace", 0, SW_OPTION_FLAG, &given.replace, NULL,
	  .help = "load: what is not in the file goes" },
	{ "all", 'a', SW_OPTION_FLAG, &given.all, NULL,
	  .help = "del: everything; list: more than the first 100" },
	{ "limit", 'n', SW_OPTION_NUMBER, &given.limit, "N", .help = "list: the first N (100)",
	  .minimum = 1, .maximum = SW_MAX_LIST },
	{ "sort", 's', SW_OPTION_CHOICE, &given.sort, "BY", .help = "list: by prefix or by hits",
	  .choices = sorts },
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

		error = sw_prefix_take(EINVAL, where, call->words[i], &entry.prefix);
		if (!error)
			error = sw_entries_add(&call->entries, &entry);
	}
	return error;
}

/* ---- the verbs */

/* -EINVAL is for the command line. */
static int failure(int error)
{
	return error == -EINVAL ? -EIO : error;
}

static int add(struct call *call)
{
	char where[32];
	int error = take_words(call, "add");

	if (!error)
		error = complete_entries(call);
	sw_format(where, sizeof(where), "%s add", call->name);
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
		error = sw_error(EBADMSG,
				 "%s: holds no prefix; to empty the list: synward %s del --all",
				 path, call->name);
	if (!error)
		error = complete_entries(call);
	call->progress.unit = "prefixes";
	if (!error)
		error = failure(sw_list_load(
			&call->target, &call->entries, strcmp(path, "-") ? path : "standard input",
			given.replace, note_building, &call->progress, &call->change));
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

/* Which options a verb knows. */
enum {
	TAKES_EXPIRES = 1 << 0, /* and a reason */
	TAKES_REPLACE = 1 << 1,
	TAKES_ALL = 1 << 2,
	TAKES_ORDER = 1 << 3, /* limit and sort */
};

static const struct verb {
	const char *name;
	int (*run)(struct call *call);
	unsigned int takes;
	bool changes;
} verbs[] = {
	{ "add", add, TAKES_EXPIRES, true },
	{ "del", delete, TAKES_ALL, true },
	{ "list", show, TAKES_ALL | TAKES_ORDER, false },
	{ "load", load, TAKES_EXPIRES | TAKES_REPLACE, true },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *find_verb(const char *name, const char *word)
{
	for (size_t i = 0; i < VERBS; i++)
		if (!strcmp(verbs[i].name, word))
			return &verbs[i];
	sw_error(EINVAL, "%s %s: expected add, del, list or load", name, word);
	return NULL;
}

static int check_options(const char *name, const struct verb *verb)
{
	const struct {
		const char *option;
		bool given;
		unsigned int taken_by;
	} uses[] = {
		{ "--expires", given.expires_ms, TAKES_EXPIRES },
		{ "--reason", given.reason, TAKES_EXPIRES },
		{ "--replace", given.replace, TAKES_REPLACE },
		{ "--all", given.all, TAKES_ALL },
		{ "--limit", given.limit != 100, TAKES_ORDER },
		{ "--sort", given.sort, TAKES_ORDER },
	};

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (uses[i].given && !(verb->takes & uses[i].taken_by))
			return sw_error(EINVAL, "%s %s takes no %s; see synward help %s", name,
					verb->name, uses[i].option, name);
	return 0;
}

static int run(const struct sw_command *command, enum sw_list list, int argc, char **argv)
{
	struct call call = { .name = command->name };
	int first = sw_command_options(command, argc, argv), error;
	const struct verb *verb;

	if (first <= 0)
		return first;
	if (first == argc)
		return sw_error(EINVAL, "%s: expected add, del, list or load; see synward help %s",
				command->name, command->name);
	verb = find_verb(command->name, argv[first]);
	if (!verb)
		return -EINVAL;
	error = check_options(command->name, verb);
	if (error)
		return error;
	call.target = (struct sw_list_target){ sw_global.pin_dir, sw_command_state_dir(), list };
	call.words = argv + first + 1;
	call.count = argc - first - 1;
	error = verb->run(&call);
	if (error == -ENOENT && !sw_error_text())
		sw_error(ENOENT, "nothing is attached: synward attach IFACE begins");
	if (!error && verb->changes) {
		if (sw_global.json)
			sw_json_list_change(stdout, list, &call.change, sw_global.pretty);
		else
			sw_text_list_change(stdout, list, &call.change);
	}
	sw_entries_free(&call.entries);
	return error;
}

static int run_allow(int argc, char **argv)
{
	return run(&sw_cmd_allow, SW_LIST_ALLOW, argc, argv);
}

static int run_block(int argc, char **argv)
{
	return run(&sw_cmd_block, SW_LIST_BLOCK, argc, argv);
}

#define USAGE "add PREFIX... | del PREFIX... | list | load FILE"

#define COMMON                                                                                     \
	"A PREFIX is an address or an address with a length, of IPv4 or IPv6. A FILE has one a\n"  \
	"line, the reason behind it if there is one, and comments that begin with #; - is\n"       \
	"standard input. A file that has a mistake changes nothing, and a million prefixes\n"      \
	"take a second or two, while packets go on being looked up in the old list.\n"             \
	"The list outlives detach and reboot: it is kept in the state directory.\n"                \
	"\n"                                                                                       \
	"Examples:\n"

const struct sw_command sw_cmd_allow = {
	.name = "allow",
	.summary = "sources whose packets are never dropped",
	.usage = USAGE,
	.text = "The allow list: what comes from it is followed like everything else, but no rule "
		"of a\n"
		"policy drops it, and the block list does not either.\n"
		"\n" COMMON "  synward allow add 192.0.2.10 --reason 'monitoring'\n"
		"  synward allow load partners.txt --replace\n"
		"  synward allow list\n",
	.options = options,
	.run = run_allow,
};

const struct sw_command sw_cmd_block = {
	.name = "block",
	.summary = "sources whose packets are dropped",
	.usage = USAGE,
	.text = "The block list: a service that enforces its policy drops all that comes from it, "
		"and one\n"
		"that only watches counts it. Never the host's own addresses, its gateways or its "
		"DNS\n"
		"servers: what contains one of them is refused. list shows the sources, too, that "
		"a\n"
		"policy has blocked by itself.\n"
		"\n" COMMON "  synward block add 203.0.113.0/24 --expires 1h --reason 'scans'\n"
		"  synward block load threats.txt --replace --expires 2d\n"
		"  synward block list --sort hits\n"
		"  synward block del 203.0.113.0/24\n",
	.options = options,
	.run = run_block,
};
