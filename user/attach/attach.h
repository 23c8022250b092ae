/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_ATTACH_ATTACH_H
#define SYNWARD_ATTACH_ATTACH_H

/*
 * Attaching and detaching. Every function returns 0, or a -errno or enum sw_failure whose line has been
 * recorded with sw_error(), and leaves its out-parameters alone on failure.
 */

#include "../model/snapshot.h"

#include <synward/config.h>

#include <stdbool.h>
#include <stdint.h>

struct sw_instance;
struct sw_policy;

struct sw_attach_request {
	const char *state_dir; /* the first attach takes the lists from there */
	enum sw_mode mode;
	enum sw_tc_mode tc;
	uint32_t handshakes;		       /* 0: what is there, or the default */
	uint32_t connections;		       /* the same */
	uint32_t timeout_ms[SW_TIMEOUT_COUNT]; /* 0: the same */
	bool events_given;
	bool wish_given;
	enum sw_flood_wish wish; /* how floods are kept off, where the policy does not say */
	uint32_t events_per_second;
	bool checksums;			/* verify those of what comes in */
	const struct sw_policy *policy; /* compiled; of the first attach. NULL: the default */
	bool disarmed;			/* nor does that drop anything */
	const struct sw_cookie_master *masters; /* of the shared secret; NULL: it cannot be read */
};

/*
 * Attaches count interfaces of this network namespace, or, if one fails, none of those that were
 * not attached before. results has room for count.
 */
int sw_attach(const char *pin_dir, const struct sw_attach_request *request,
	      const char *const *names, uint32_t count, struct sw_attach_result *results);

/*
 * Detaches interfaces by name (those of this network namespace first, then any other), or all with
 * names NULL. results has room for SW_MAX_INTERFACES; *done says how many were filled in, also on
 * failure. With the last interface everything vanishes. *degraded: a sysctl could not be restored, or
 * what is left does not keep floods off as the policy asks; that was noted.
 */
int sw_detach(const char *pin_dir, const char *const *names, uint32_t count,
	      struct sw_detach_result *results, uint32_t *done, bool *degraded);

/*
 * Puts the programs of this synward into the hooks of all interfaces, or, if one fails, into none. No packet
 * passes unseen, and maps, settings and all that is known stay. Interfaces that are gone, and hooks that were
 * taken off, are left as they are. -SW_OTHER_VERSION, before anything is changed, if the pinned state is of
 * another version.
 */
int sw_upgrade(const char *pin_dir, struct sw_upgrade *upgrade);

/*
 * Removes what an interrupted attach or detach has left, of which no record tells, and restores what it had set. What
 * is not ours stays, and is an error. *degraded is set if a sysctl could not be restored, and left alone otherwise.
 */
int sw_leftover_remove(const struct sw_instance *instance, bool *degraded);

/* Removes whatever is in the pin directory, of whatever version, once its lock is held. *degraded: as of sw_detach(). */
int sw_discard(const char *pin_dir, bool *degraded);

#endif
