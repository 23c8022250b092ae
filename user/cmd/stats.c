// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../base/cleanup.h"
#include "../base/textfile.h"
#include "../readers/readers.h"
#include "../report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
	bool all;
	bool prometheus;
	const char *textfile_dir;
	uint64_t watch_ms;
} given;

static const struct sw_option options[] = {
	{ "all", 'a', SW_OPTION_FLAG, &given.all, NULL, .help = "also print rows that are zero" },
	{ "prometheus", 0, SW_OPTION_FLAG, &given.prometheus, NULL,
	  .help = "print metrics in Prometheus' text format" },
	{ "prometheus-textfile", 0, SW_OPTION_STRING, &given.textfile_dir, "DIR",
	  .help = "write metrics to DIR/synward.prom, for node_exporter" },
	{ "watch", 'w', SW_OPTION_DURATION, &given.watch_ms, "SECONDS",
	  .help = "repeat every SECONDS, until interrupted", .minimum = 100, .maximum = 86400000 },
	{},
};

static void print_metrics(FILE *out, const void *scrape)
{
	sw_prometheus_print(out, scrape, SW_METRICS_TEXT);
}

static int print_prometheus(void)
{
	SW_AUTO_FREE struct sw_scrape *scrape = calloc(1, sizeof(*scrape));
	int error = scrape ? sw_scrape_read(sw_global.pin_dir, scrape) : -ENOMEM;

	if (!error && given.textfile_dir)
		error = sw_textfile_replace(given.textfile_dir, "synward.prom", print_metrics,
					    scrape);
	else if (!error)
		print_metrics(stdout, scrape);
	return error;
}

static int print_once(void)
{
	SW_AUTO_FREE struct sw_snapshot *snapshot = NULL;
	int error;

	if (given.prometheus || given.textfile_dir)
		return print_prometheus();
	snapshot = calloc(1, sizeof(*snapshot));
	error = snapshot ? sw_snapshot_read(sw_global.pin_dir, snapshot) : -ENOMEM;
	if (!error && sw_global.json)
		sw_json_stats(stdout, snapshot, sw_global.pretty);
	else if (!error)
		sw_text_stats(stdout, snapshot, given.all);
	return error;
}

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_stats, argc, argv), error;

	if (first <= 0)
		return first;
	if (first < argc)
		return sw_error(EINVAL, "stats: expected no arguments, got %s", argv[first]);
	if (given.prometheus && sw_global.json)
		return sw_error(EINVAL, "stats: expected --prometheus or --json, not both");
	if (given.textfile_dir && (given.prometheus || sw_global.json))
		return sw_error(
			EINVAL,
			"stats: expected --prometheus-textfile without --prometheus and --json");
	for (;;) {
		if (given.watch_ms && !sw_global.json && !given.textfile_dir &&
		    isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		error = print_once();
		if (error)
			return error == -EINVAL ? -EIO : error;
		if (given.watch_ms)
			error = sw_command_flush();
		if (error || !given.watch_ms)
			return error;
		usleep((useconds_t)given.watch_ms * 1000);
	}
}

const struct sw_command sw_cmd_stats = {
	.name = "stats",
	.summary = "show counters: outcomes, latencies, anomalies, traffic",
	.usage = "",
	.text = "Counts begin with the first attach. Latencies are measured at the interface: from "
		"the\n"
		"SYN to the SYN-ACK (the server's time), and from the SYN-ACK to the ACK (the "
		"client's\n"
		"round trip).\n"
		"\n"
		"Examples:\n"
		"  synward stats\n"
		"  synward stats --watch 1\n"
		"  synward stats -j | jq .handshakes.accepted\n"
		"  synward stats --prometheus-textfile /var/lib/prometheus/node-exporter\n",
	.options = options,
	.run = run,
};
