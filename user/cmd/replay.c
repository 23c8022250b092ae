// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../base/cleanup.h"
#include "../base/number.h"
#include "../base/textfile.h"
#include "../model/names.h"
#include "../replay/replay.h"
#include "timeouts.h"

#include <errno.h>
#include <sys/mman.h>

static struct {
	bool all;
	bool checksums;
	uint64_t limit;
	const char *textfile_dir;
	uint32_t timeout_ms[SW_TIMEOUT_COUNT]; /* 0: not given */
} given = { .limit = 20 };

static const struct sw_option options[] = {
	{ "limit", 'n', SW_OPTION_NUMBER, &given.limit, "N",
	  .help = "list the first N attempts (20)", .maximum = UINT32_MAX },
	{ "all", 'a', SW_OPTION_FLAG, &given.all, NULL, .help = "list all of them" },
	{ "timeout", 't', SW_OPTION_CALLBACK, given.timeout_ms, "NAME=DURATION",
	  .help = "end a silent entry after that time; may be repeated",
	  .parse = sw_parse_timeout },
	{ "prometheus-textfile", 0, SW_OPTION_STRING, &given.textfile_dir, "DIR",
	  .help = "also write its metrics to DIR/synward_replay.prom" },
	{ "checksums", 0, SW_OPTION_FLAG, &given.checksums, NULL,
	  .help = "verify checksums, of frames of up to 496 bytes" },
	{},
};

/*
 * A report has time to wait for what would overtake a RST: unlike on an interface, a reset attempt
 * stays open for as long as one that is not.
 */
static void choose_timeouts(uint32_t timeout_ms[SW_TIMEOUT_COUNT])
{
	for (int i = 0; i < SW_TIMEOUT_COUNT; i++)
		timeout_ms[i] = given.timeout_ms[i] ? given.timeout_ms[i] : sw_timeout_defaults[i];
	if (!given.timeout_ms[SW_TIMEOUT_RST_GRACE])
		timeout_ms[SW_TIMEOUT_RST_GRACE] = timeout_ms[SW_TIMEOUT_SYN_SENT];
}

static void warn(const struct sw_replay_result *result)
{
	char text[SW_NUMBER_SIZE];

	if (result->damage[0])
		sw_note("%s: incomplete after %s %s: %s", result->path,
			sw_format_count(text, result->packets),
			sw_noun(result->packets, "packet", "packets"), result->damage);
	if (result->skipped)
		sw_note("%s: %s %s not judged: link type %s (%d) is not supported", result->path,
			sw_format_count(text, result->skipped),
			sw_noun(result->skipped, "packet is", "packets are"), result->skipped_name,
			result->skipped_link);
	if (result->evicted)
		sw_note("%s: %s %s pushed out of full tables and missing from the attempts",
			result->path, sw_format_count(text, result->evicted),
			sw_noun(result->evicted, "flow was", "flows were"));
}

static int print(const struct sw_replay_result *result)
{
	if (sw_global.json)
		sw_json_replay(stdout, result, sw_global.pretty);
	else
		sw_text_replay(stdout, result, given.all ? UINT64_MAX : given.limit);
	warn(result);
	return sw_replay_is_degraded(result) ? SW_EXIT_DEGRADED : SW_EXIT_OK;
}

/* The bytes of a file, which whoever has the privileges to write there need not understand. */
static void copy_metrics(FILE *out, const void *context)
{
	FILE *from = fdopen(dup(*(const int *)context), "r");
	char piece[4096];
	size_t length;

	if (!from) {
		sw_output_lacks();
		return;
	}
	rewind(from);
	while ((length = fread(piece, 1, sizeof(piece), from)) > 0)
		fwrite(piece, 1, length, out);
	fclose(from);
}

/* In the process that read the capture. */
static int tell(const struct sw_replay_result *result, int metrics_fd)
{
	FILE *out = metrics_fd >= 0 ? fdopen(dup(metrics_fd), "w") : NULL;

	if (out)
		sw_prometheus_replay(out, result);
	if (metrics_fd >= 0 && (!out || fclose(out)))
		return sw_error(errno, "cannot keep the metrics: %s", sw_errno_text(errno));
	return print(result);
}

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_replay, argc, argv), error, code = SW_EXIT_OK;
	SW_AUTO_FD int metrics_fd = -1;
	SW_AUTO_REPLAY struct sw_replay_result *result = NULL;
	struct sw_replay_request request = { .checksums = given.checksums };

	if (first <= 0)
		return first;
	if (argc - first != 1)
		return sw_error(EINVAL,
				"replay: expected one capture file, got %d: synward replay FILE",
				argc - first);
	choose_timeouts(request.timeout_ms);
	request.path = argv[first];
	if (given.textfile_dir)
		metrics_fd = memfd_create("metrics", MFD_CLOEXEC);
	if (given.textfile_dir && metrics_fd < 0)
		return sw_error(errno, "cannot keep the metrics: %s", sw_errno_text(errno));
	error = sw_replay(&request, &result, &code);
	if (!error)
		return tell(result, metrics_fd);
	if (error < 0)
		return error == -EINVAL ? -EIO : error; /* EINVAL is for the command line */
	error = 0;
	if (given.textfile_dir && (code == SW_EXIT_OK || code == SW_EXIT_DEGRADED))
		error = sw_textfile_replace(given.textfile_dir, "synward_replay.prom", copy_metrics,
					    &metrics_fd);
	return error ? error : code;
}

const struct sw_command sw_cmd_replay = {
	.name = "replay",
	.summary = "show how the handshakes of a capture file ended",
	.usage = "FILE",
	.text = "Runs the very program that guards interfaces on a pcap or pcapng file, also "
		"gzipped\n"
		"('-' reads standard input), by the capture's own clock, and lists every attempt "
		"with\n"
		"its outcome; AT is the time since the first packet. Nothing is attached, and what "
		"is\n"
		"attached is not touched. When the capture ends, what is still open is judged as "
		"if\n"
		"silence followed. With -j: the sections of 'stats -j', and the attempts.\n"
		"\n"
		"Exit code 3: the file breaks off, or holds more flows than there was room for.\n"
		"\n"
		"Timeouts: syn_sent, syn_received, rst_grace (here as long as syn_sent), "
		"established,\n"
		"closed.\n"
		"\n"
		"--checksums: a segment, its link, IP and TCP headers included, of more than 496 "
		"bytes\n"
		"is not judged; in a capture of the host that sent it, a checksum may not be there "
		"yet.\n"
		"\n"
		"Examples:\n"
		"  synward replay trace.pcap\n"
		"  synward replay --all --timeout syn_sent=5s trace.pcapng.gz\n"
		"  synward replay --prometheus-textfile /run/metrics trace.pcap\n"
		"  synward replay -j trace.pcap | jq '.attempts[].outcome' | sort | uniq -c\n",
	.options = options,
	.run = run,
};
