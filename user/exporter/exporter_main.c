// SPDX-License-Identifier: GPL-2.0-or-later
#include "exporter_options.h"
#include "serve.h"

#include "../base/error.h"
#include "../platform/bpf_log.h"
#include "../platform/privileges.h"

#include <synward/base.h>

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Of memory that is free, so much is not given back. */
#define KEPT_BYTES (4 << 20)

/* Where to listen if nobody says so. */
static const char *const loopbacks[] = { "127.0.0.1:9945", "[::1]:9945" };

static int add_socket(struct sw_serving *serving, struct sw_endpoint *endpoint)
{
	char text[SW_ENDPOINT_TEXT];
	int fd = sw_endpoint_listen(endpoint);

	if (fd < 0)
		return fd;
	serving->sockets[serving->socket_count++] = fd;
	sw_note("serving http://%s/", sw_endpoint_text(text, endpoint));
	return 0;
}

/* A host without IPv6, or without IPv4, has one loopback address. */
static int listen_on_loopbacks(struct sw_serving *serving)
{
	for (size_t i = 0; i < sizeof(loopbacks) / sizeof(loopbacks[0]); i++) {
		struct sw_endpoint endpoint;
		int error = sw_endpoint_parse(loopbacks[i], &endpoint);

		if (!error)
			error = add_socket(serving, &endpoint);
		if (error && error != -EADDRNOTAVAIL && error != -EAFNOSUPPORT)
			return error;
	}
	if (!serving->socket_count)
		return -EADDRNOTAVAIL;
	sw_error_clear();
	return 0;
}

static int listen_as_asked(struct sw_serving *serving)
{
	int error = 0;

	for (size_t i = 0; i < sw_exporter_given.endpoint_count && !error; i++)
		error = add_socket(serving, &sw_exporter_given.endpoints[i]);
	return error;
}

static int run(int argc, char **argv)
{
	int first = sw_options_parse(argc, argv, sw_exporter_options, NULL, false), error;
	struct sw_serving serving = { .names = sw_exporter_given.names };

	if (first < 0)
		return first;
	if (sw_exporter_given.help) {
		sw_exporter_help(stdout);
		return 0;
	}
	if (sw_exporter_given.version) {
		printf("synward-exporter %s (ABI version %u)\n", SYNWARD_VERSION, SW_ABI_VERSION);
		return 0;
	}
	if (first < argc)
		return sw_error(EINVAL, "expected no arguments, got %s", argv[first]);
	serving.pin_dir = sw_exporter_given.pin_dir;
	sw_bpf_log_start(false);
	error = sw_drop_privileges();
	if (!error)
		error = sw_exporter_given.endpoint_count ? listen_as_asked(&serving) :
							   listen_on_loopbacks(&serving);
	return error ? error : sw_serve(&serving);
}

/*
 * What the last answer took is about what the next one takes: given back, and asked for again with each, the kernel would
 * clear every page of it once more.
 */
static void keep_memory(void)
{
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
}

int main(int argc, char **argv)
{
	const char *pin_dir = getenv("SYNWARD_PIN_DIR");
	int error;

	keep_memory();
	if (pin_dir && *pin_dir)
		sw_exporter_given.pin_dir = pin_dir;
	error = run(argc, argv);
	if (!error && (fflush(stdout) || ferror(stdout)))
		error = sw_error(EIO, "cannot write to standard output: %s", sw_errno_text(EIO));
	if (error)
		sw_error_report(error, false);
	if (error == -EINVAL)
		return SW_EXIT_USAGE;
	return error ? SW_EXIT_FAILURE : SW_EXIT_OK;
}
