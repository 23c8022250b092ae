/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_SERVE_H
#define SYNWARD_EXPORTER_SERVE_H

#include "listen.h"

#include <stddef.h>

struct sw_serving {
	const char *pin_dir;
	const char *const *names;    /* other hosts that requests may be for; ends with NULL */
	int sockets[SW_MAX_SOCKETS]; /* that listen; they are closed in the end */
	size_t socket_count;
};

/* Serves until SIGTERM or SIGINT. Returns 0, or a -errno with its line. */
int sw_serve(const struct sw_serving *serving);

#endif
