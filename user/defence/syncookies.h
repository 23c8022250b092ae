/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_DEFENCE_SYNCOOKIES_H
#define SYNWARD_DEFENCE_SYNCOOKIES_H

/*
 * net.ipv4.tcp_syncookies, where the operator has given his word that it may be set. What it was
 * before is in the map "syncookies" before it is changed, and until it has been restored: whoever is
 * killed in between, the next command knows what to do. What somebody else has set since is never
 * overwritten.
 */

#include "../model/snapshot.h"
#include "../platform/instance.h"

/* Opens the map. Records its errors. */
int sw_syncookies_open(const struct sw_instance *instance, int *fd);

/* How it is; of the network namespace that this process is in, as all of these. */
struct sw_syncookies_view sw_syncookies_look(int fd, uint32_t netns);

/* Sets it, unless somebody else has: then -EEXIST. 0 or -errno, without a line. */
int sw_syncookies_set(int fd, uint32_t netns, int value);

/* Restores it if we have set it; *changed: somebody else has since, and that stays. */
int sw_syncookies_restore(int fd, uint32_t netns, bool *changed);

/*
 * Restores that of all network namespaces but those in keep, which count of them are; what is gone
 * has nothing to restore. Notes what somebody else has changed, and what could not be restored; then
 * it returns false.
 */
bool sw_syncookies_restore_others(int fd, const uint32_t *keep, uint32_t count);

#endif
