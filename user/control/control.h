/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONTROL_CONTROL_H
#define SYNWARD_CONTROL_CONTROL_H

/*
 * All that the commands can ask of the kernel. Every function returns 0 or a -errno whose line has
 * been recorded with sw_error(), and leaves its out-parameters alone on failure. -ENOENT without a
 * recorded line means that nothing is attached in that pin directory.
 */

#include "../base/snapshot.h"

#include <synward/config.h>

#include <stdbool.h>
#include <stdint.h>

struct sw_event;
struct sw_policy;
struct sw_handshake_list;
struct sw_reader;
struct sw_snapshot;
struct sw_status;
struct sw_top;

enum sw_xdp_mode { SW_XDP_AUTO, SW_XDP_NATIVE, SW_XDP_GENERIC };
enum sw_tc_mode { SW_TC_MODE_AUTO, SW_TC_MODE_TCX, SW_TC_MODE_CLSACT };

struct sw_attach_request {
	const char *state_dir; /* the first attach takes the lists from there */
	enum sw_xdp_mode mode;
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
};

/* Shows (verbose) or condenses what libbpf and the verifier say. Call once. */
void sw_control_start(bool verbose);

/*
 * Attaches count interfaces of this network namespace, or, if one fails, none of those that were
 * not attached before. results has room for count.
 */
int sw_attach(const char *pin_dir, const struct sw_attach_request *request,
	      const char *const *names, uint32_t count, struct sw_attach_result *results);

/*
 * Detaches interfaces by name (those of this network namespace first, then any other), or all with
 * names NULL. results has room for SW_MAX_INTERFACES; *done says how many were filled in, also on
 * failure. With the last interface everything vanishes.
 */
int sw_detach(const char *pin_dir, const char *const *names, uint32_t count,
	      struct sw_detach_result *results, uint32_t *done);

/* Removes whatever is in the pin directory, of whatever version. */
int sw_discard(const char *pin_dir);

int sw_snapshot_read(const char *pin_dir, struct sw_snapshot *snapshot);
int sw_status_read(const char *pin_dir, struct sw_status *status);

/* The half-open handshakes, of which at most limit (0: all) are kept. The caller frees the views. */
int sw_handshakes_read(const char *pin_dir, uint64_t limit, struct sw_handshake_list *list);

/* The heavy sources of now, ranked by weight. The caller frees them with sw_top_free(). */
int sw_top_read(const char *pin_dir, struct sw_top *top);

/* A follower of the events; only one at a time can be, for each pin directory. */
int sw_reader_open(const char *pin_dir, struct sw_reader **reader);
void sw_reader_close(struct sw_reader *reader);

/*
 * Waits up to timeout_ms and hands events to take until it returns non-zero; with 0 all that are there.
 * Returns that value, 0 when the time is over, -EINTR on a signal, -ENODEV when everything was detached.
 */
int sw_reader_poll(struct sw_reader *reader, int timeout_ms,
		   int (*take)(const struct sw_event *event, void *context), void *context);

/* The name of the interface in a slot, or "" if it has none (any more). */
const char *sw_reader_interface(struct sw_reader *reader, uint32_t slot);

/* The name of a service by its number in the policy that is active now, or "" if it has none. */
const char *sw_reader_service(struct sw_reader *reader, uint32_t number);

#endif
