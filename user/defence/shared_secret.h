/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_DEFENCE_SHARED_SECRET_H
#define SYNWARD_DEFENCE_SHARED_SECRET_H

/*
 * The secret that hosts share, as the kernel has it: it makes the keys of cookies of it by itself, epoch by
 * epoch, if the active policy wants that.
 */

#include "../platform/instance.h"

#include <synward/cookie.h>

/*
 * Gives the kernel what was derived of a file's keys, and what it has to know of its clocks. The same ones
 * once more change nothing else: *changed says whether they are others than before, which is also told to the journal of
 * events. Whoever calls this has opened the instance with SW_ACCESS_CHANGE. Errors are recorded.
 */
int sw_shared_secret_load(const struct sw_instance *instance,
			  const struct sw_cookie_master masters[SW_COOKIE_MASTERS], bool *changed);

#endif
