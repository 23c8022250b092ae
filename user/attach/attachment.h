/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_ATTACH_ATTACHMENT_H
#define SYNWARD_ATTACH_ATTACHMENT_H

/* One interface of an attach. Errors are recorded. */

#include "../hooks/bpf_object.h"
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
	bool create;	/* there are no maps yet */
	bool open;	/* records are */
	bool was_empty; /* there was no instance when the command began */
	uint64_t taken; /* slots of the interfaces that this command has attached */
};

/*
 * Attaches an interface of this network namespace, or repairs it if it is attached. In a failure it is as it was, but for
 * what an interrupted attach had left of it.
 */
int sw_attach_one(struct attachment *at, const char *name, uint32_t ifindex,
		  struct sw_attach_result *result);

/* Takes an interface off its hooks and frees its slot. */
int sw_attach_release(struct attachment *at, uint32_t slot);

#endif
