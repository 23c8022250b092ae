/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_READERS_READERS_H
#define SYNWARD_READERS_READERS_H

/*
 * What is read out of the kernel at one moment. Every function returns 0, or a -errno or enum
 * sw_failure whose line has been recorded with sw_error(), and leaves its out-parameters alone on failure.
 */

#include <stdint.h>

struct sw_handshake_filter;
struct sw_handshake_list;
struct sw_policy;
struct sw_policy_view;
struct sw_scrape;
struct sw_snapshot;
struct sw_status;
struct sw_top;

int sw_snapshot_read(const char *pin_dir, struct sw_snapshot *snapshot);

int sw_status_read(const char *pin_dir, struct sw_status *status);

/* The same without how full the tables of sources are, whose every entry would have to be looked at. */
int sw_status_read_often(const char *pin_dir, struct sw_status *status);

/* Both, and what is around them: what a page of metrics says. -SW_NOT_ATTACHED if nothing is attached. */
int sw_scrape_read(const char *pin_dir, struct sw_scrape *scrape);
/* The active policy, and what is said of it: of one and the same, should it be changed just now. Both are large. */
int sw_active_policy_read(const char *pin_dir, struct sw_policy *policy,
			  struct sw_policy_view *view);

/* The half-open handshakes that are meant. -ESRCH: there is no such service. The caller frees the views. */
int sw_handshakes_read(const char *pin_dir, const struct sw_handshake_filter *filter,
		       struct sw_handshake_list *list);

/* The heavy sources of now, ranked by weight. The caller frees them with sw_top_free(). */
int sw_top_read(const char *pin_dir, struct sw_top *top);

#endif
