// SPDX-License-Identifier: GPL-2.0-or-later
#include "exporter_options.h"

#include "../base/error.h"
#include "../base/places.h"
#include "../text/wrap.h"

#include <errno.h>
#include <string.h>

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

struct sw_exporter_options sw_exporter_given = { .pin_dir = SW_DEFAULT_PIN_DIR };

static int add_endpoint(const char *text, void *value)
{
	struct sw_exporter_options *given = value;
	int error;

	if (given->endpoint_count == SW_MAX_SOCKETS)
		return sw_error(EINVAL, "--listen: expected at most %d of them", SW_MAX_SOCKETS);
	error = sw_endpoint_parse(text, &given->endpoints[given->endpoint_count]);
	if (!error)
		given->endpoint_count++;
	return error;
}

static int add_name(const char *text, void *value)
{
	struct sw_exporter_options *given = value;

	if (given->name_count == SW_MAX_SOCKETS)
		return sw_error(EINVAL, "--allow-host: expected at most %d of them",
				SW_MAX_SOCKETS);
	/* whatever else: no client would ever be taken to have asked for it */
	if (!*text || text[strspn(text, NAME_LETTERS)])
		return sw_error(EINVAL, "--allow-host %s: expected a name, such as web1.example",
				text);
	given->names[given->name_count++] = text;
	return 0;
}

const struct sw_option sw_exporter_options[] = {
	{ "listen", 'l', SW_OPTION_CALLBACK, &sw_exporter_given, "ADDRESS:PORT",
	  .help = "where to serve; may be repeated (127.0.0.1:9945 and [::1]:9945)",
	  .parse = add_endpoint },
	{ "allow-host", 0, SW_OPTION_CALLBACK, &sw_exporter_given, "HOST",
	  .help = "a name by which clients may call this host, beside localhost and its "
		  "addresses; may be repeated",
	  .parse = add_name },
	{ "pin-dir", 0, SW_OPTION_STRING, &sw_exporter_given.pin_dir, "DIR",
	  .help = "directory of the pinned state (" SW_DEFAULT_PIN_DIR ")" },
	{ "version", 0, SW_OPTION_FLAG, &sw_exporter_given.version, NULL,
	  .help = "show the version" },
	{ "help", 'h', SW_OPTION_FLAG, &sw_exporter_given.help, NULL, .help = "show this text" },
	{},
};

void sw_exporter_help(FILE *out)
{
	sw_wrap(out,
		"synward-exporter - serve what synward counts by HTTP, to Prometheus and browsers",
		0, 2);
	fputs("\nUsage: synward-exporter [OPTION...]\n\n", out);
	sw_options_help(out, sw_exporter_options);
	fputc('\n', out);
	sw_wrap_paragraphs(
		out, "Needs no capability, and gives up those that it has. Root may read the state "
		     "of synward, and the group synward if there is one. The exporter changes "
		     "nothing, and runs whether or not anything is attached. 'curl localhost:9945' "
		     "lists the paths; a browser gets a live page there.\n"
		     "\n"
		     "Examples:\n"
		     "  setpriv --reuid=nobody --regid=nogroup --groups=synward synward-exporter\n"
		     "  synward-exporter --listen 192.0.2.1:9945 --allow-host web1.example\n"
		     "\n"
		     "The environment variable SYNWARD_PIN_DIR sets the default of --pin-dir. Exit "
		     "codes: 0 ended by a signal, 1 failure, 2 wrong usage.\n");
}
