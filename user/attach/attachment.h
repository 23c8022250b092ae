/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_ATTACH_ATTACHMENT_H
#define SYNWARD_ATTACH_ATTACHMENT_H

/* One interface of an attach. Errors are recorded. */

#include "../hooks/bpf_object.h"
#include "../hooks/load_batch.h"
#include "../maps/interface_records.h"
#include "attach.h"

/* One attach command under way. */
struct attachment {
	struct sw_instance instance;
	struct sw_records records;
	const struct sw_attach_request *request;
	struct sw_creation creation;
	struct sw_policy *policy; /* the first one, if there are no maps yet */
	uint32_t netns;
	bool create;		    /* there are no maps yet */
	bool open;		    /* records are */
	bool was_empty;		    /* there was no instance when the command began */
	uint64_t taken;		    /* slots of the interfaces that this command has attached */
	struct sw_load_batch ahead; /* programs for the next interfaces */
};

/*
 * Loads programs for the next interfaces by those names, for as many as can be at a time, and returns for how many it
 * has looked. It is no promise: whatever cannot be foreseen is loaded, or told, when an interface's turn comes. The maps
 * are there.
 */
uint32_t sw_attach_load_ahead(struct attachment *at, const char *const *names, uint32_t count);

/*
 * Attaches an interface of this network namespace, or repairs it if it is attached. In a failure it is as it was, but for
 * what an interrupted attach had left of it.
 */
int sw_attach_one(struct attachment *at, const char *name, uint32_t ifindex,
		  struct sw_attach_result *result);

/* Takes an interface off its hooks and frees its slot. */
int sw_attach_release(struct attachment *at, uint32_t slot);

#endif
