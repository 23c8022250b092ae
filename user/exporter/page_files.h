/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_PAGE_FILES_H
#define SYNWARD_EXPORTER_PAGE_FILES_H

/*
 * The page at / and all that it needs, as it was when this program was built: nothing is read of a disk, or comes from
 * elsewhere.
 */

#include "http_request.h"
#include "reply.h"

bool sw_page_has(const struct sw_slice *path);

/* One that it has. Its body is the program's, and is held by the caller all the same. */
struct sw_reply sw_page_reply(const struct sw_slice *path);

#endif
