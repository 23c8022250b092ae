/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_OPTIONS_H
#define SYNWARD_EXPORTER_OPTIONS_H

#include "../text/options.h"
#include "listen.h"

struct sw_exporter_options {
	const char *pin_dir;
	struct sw_endpoint endpoints[SW_MAX_SOCKETS]; /* those that were given */
	size_t endpoint_count;
	const char *names[SW_MAX_SOCKETS + 1]; /* of --allow-host; ends with NULL */
	size_t name_count;
	bool version;
	bool help;
};

extern struct sw_exporter_options sw_exporter_given;

/* The rows of sw_exporter_given. */
extern const struct sw_option sw_exporter_options[];

/* Prints the help. */
void sw_exporter_help(FILE *out);

#endif
