// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../base/time.h"
#include "../live/browse.h"
#include "../readers/readers.h"
#include "../report/top_report.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIVE_PERIOD_MS 1000
#define LIVE_ROWS      1000 /* more than anybody scrolls through */
#define PLAIN_ROWS     20

enum view { SOURCES, SERVICES, ANOMALIES, VIEWS };

static const struct sw_browse_view views[VIEWS] = {
	[SOURCES] = { 's', "sources" },
	[SERVICES] = { 'v', "services" },
	[ANOMALIES] = { 'a', "anomalies" },
};

static struct {
	bool once;
	uint64_t watch_ms;
	uint64_t limit;
	int by; /* -1: not given */
} given = { .by = -1 };

static const struct sw_option options[] = {
	{ "limit", 'n', SW_OPTION_NUMBER, &given.limit, "N", .help = "the first N rows (20)",
	  .minimum = 1, .maximum = UINT32_MAX },
	{ "by", 'b', SW_OPTION_CHOICE, &given.by, "WHAT",
	  .help = "rank sources and services by syns, anomalies or weight, which is both (weight)",
	  .choices = sw_top_by_names },
	{ "once", 0, SW_OPTION_FLAG, &given.once, NULL, .help = "one table, also on a terminal" },
	{ "watch", 'w', SW_OPTION_DURATION, &given.watch_ms, "SECONDS",
	  .help = "repeat every SECONDS, until interrupted (on a terminal: 1)", .minimum = 100,
	  .maximum = 86400000 },
	{},
};

/* Two readings in a row of one view: what there is, and what it was. */
struct readings {
	enum view view;
	bool rates; /* wanted, as there will be another reading */
	size_t limit;
	struct sw_top sources[2]; /* 0: the latest */
	struct sw_snapshot *snapshots[2];
};

static void forget(struct readings *all)
{
	for (int i = 0; i < 2; i++) {
		sw_top_free(&all->sources[i]);
		free(all->snapshots[i]);
		all->snapshots[i] = NULL;
	}
}

static enum sw_top_by ranked_by(void)
{
	return given.by < 0 ? SW_TOP_BY_WEIGHT : (enum sw_top_by)given.by;
}

static int read_sources(struct readings *all)
{
	struct sw_top now;
	int error = sw_top_read(sw_global.pin_dir, &now);

	if (error)
		return error;
	sw_top_sort(&now, ranked_by());
	sw_top_free(&all->sources[1]);
	all->sources[1] = all->sources[0];
	sw_top_sort_by_address(&all->sources[1]);
	all->sources[0] = now;
	return 0;
}

static int read_snapshot(struct readings *all)
{
	struct sw_snapshot *now = calloc(1, sizeof(*now));
	int error = now ? sw_snapshot_read(sw_global.pin_dir, now) : -ENOMEM;

	if (error) {
		free(now);
		return error;
	}
	free(all->snapshots[1]);
	all->snapshots[1] = all->snapshots[0];
	all->snapshots[0] = now;
	return 0;
}

/* Reads what a view shows; of another view than before, there is nothing to compare with. */
static int read_view(struct readings *all, enum view view)
{
	static int (*const readers[])(struct readings *) = {
		[SOURCES] = read_sources,
		[SERVICES] = read_snapshot,
		[ANOMALIES] = read_snapshot,
	};
	int error;

	if (view != all->view)
		forget(all);
	all->view = view;
	error = readers[view](all);
	return error == -EINVAL ? -EIO : error; /* EINVAL is for the command line */
}

static void make_page(const struct readings *all, struct sw_page *page)
{
	if (all->view == SOURCES)
		sw_page_sources(page, &all->sources[0], all->rates ? &all->sources[1] : NULL,
				ranked_by(), all->limit);
	else if (all->view == SERVICES)
		sw_page_services(page, all->snapshots[0], all->snapshots[1], ranked_by(),
				 all->rates, all->limit);
	else
		sw_page_anomalies(page, all->snapshots[0], all->snapshots[1], all->rates,
				  all->limit);
}

static void print_json(const struct readings *all)
{
	if (all->view == SOURCES)
		sw_json_top_sources(stdout, &all->sources[0], ranked_by(), all->limit,
				    sw_global.pretty);
	else if (all->view == SERVICES)
		sw_json_top_services(stdout, all->snapshots[0], ranked_by(), all->limit,
				     sw_global.pretty);
	else
		sw_json_top_anomalies(stdout, all->snapshots[0], all->limit, sw_global.pretty);
}

static void print_text(const struct readings *all)
{
	SW_AUTO_PAGE struct sw_page page = {};

	make_page(all, &page);
	sw_text_page(stdout, &page);
}

static int look(void *context, int view, struct sw_page *page)
{
	struct readings *all = context;
	int error = read_view(all, view);

	if (!error)
		make_page(all, page);
	return error;
}

/* -ENOTTY: the terminal cannot. */
static int browse(struct readings *all, enum view view)
{
	const struct sw_browse browse = {
		.title = "synward top",
		.views = views,
		.view_count = VIEWS,
		.period_ms = given.watch_ms ? given.watch_ms : LIVE_PERIOD_MS,
		.look = look,
		.context = all,
	};

	all->rates = true;
	all->limit = given.limit ? given.limit : LIVE_ROWS;
	return sw_browse(&browse, view);
}

static int print(struct readings *all, enum view view)
{
	all->rates = given.watch_ms;
	all->limit = given.limit ? given.limit : PLAIN_ROWS;
	for (;;) {
		int error = read_view(all, view);

		if (error)
			return error;
		if (sw_global.json)
			print_json(all);
		else
			print_text(all);
		if (given.watch_ms)
			error = sw_command_flush();
		if (error || !given.watch_ms)
			return error;
		usleep((useconds_t)given.watch_ms * 1000);
	}
}

static int find_view(const char *word)
{
	for (int view = 0; view < VIEWS; view++)
		if (!strcmp(word, views[view].name))
			return view;
	return sw_error(EINVAL, "top: expected sources, services or anomalies, got %s", word);
}

static int check_usage(int argc, char **argv, int first, int view)
{
	if (argc - first > 1)
		return sw_error(EINVAL,
				"top: expected one of sources, services and anomalies, "
				"got %s as well",
				argv[first + 1]);
	if (given.once && given.watch_ms)
		return sw_error(EINVAL, "top: expected --once or --watch, not both");
	if (given.by >= 0 && view == ANOMALIES)
		return sw_error(EINVAL, "top: --by is for sources and services; anomalies are "
					"ranked by how often they were seen");
	return 0;
}

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_top, argc, argv), view = SOURCES, error;
	struct readings all = {};

	if (first <= 0)
		return first;
	if (first < argc)
		view = find_view(argv[first]);
	error = view < 0 ? view : check_usage(argc, argv, first, view);
	if (error)
		return error;
	setlocale(LC_CTYPE, "");
	error = -ENOTTY;
	if (!given.once && !sw_global.json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		error = browse(&all, view);
	if (error == -ENOTTY)
		error = print(&all, view);
	forget(&all);
	return error;
}

const struct sw_command sw_cmd_top = {
	.name = "top",
	.summary = "show the top sources, services and anomalies",
	.usage = "[sources | services | anomalies]",
	.text = "sources: the sources that sent the most SYNs, and segments with anomalies, in\n"
		"the last 16 to 33 seconds. Counts are approximate, since memory is limited; the\n"
		"± column shows by how much. An IPv6 source is a /64.\n"
		"\n"
		"services: the counters of each service of the policy. anomalies: all anomalies\n"
		"that were seen, the most frequent first.\n"
		"\n"
		"On a terminal the table is updated; press '?' for the keys. Into a pipe or a\n"
		"file, or with --once, it is printed once.\n"
		"\n"
		"Examples:\n"
		"  synward top\n"
		"  synward top services --by anomalies\n"
		"  synward top sources --once --limit 5\n"
		"  synward top sources -j | jq -r '.sources[0].source'\n",
	.options = options,
	.run = run,
};
