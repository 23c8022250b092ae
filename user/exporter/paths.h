/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_PATHS_H
#define SYNWARD_EXPORTER_PATHS_H

/* What there is to be asked for, and how it is answered: everything is read when it is asked for. */

#include "http_request.h"
#include "reply.h"

/*
 * Answers a request for a target, of the instance in pin_dir; accept: its Accept field, or NULL. The
 * caller holds the reply's body, which is NULL without memory.
 */
struct sw_reply sw_paths_answer(const char *pin_dir, const struct sw_http_target *target,
				const char *accept);

/*
 * Between two calls of this, who asks for the same gets the same. Who answers all that is there to be
 * read, and then calls it, gives nobody what was read before he began to ask.
 */
void sw_paths_forget(void);

#endif
