/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_HOOKS_LOAD_BATCH_H
#define SYNWARD_HOOKS_LOAD_BATCH_H

/*
 * The programs of several interfaces, loaded at a time. Nearly all of an attach is the verifier, whom the kernel lets run
 * on as many processors as there are.
 */

#include "bpf_object.h"

#include <stdbool.h>
#include <stdint.h>

/* Each has some 20 MB of the kernel's while it is verified, charged to the control group of whoever loads it. */
#define SW_LOADED_AT_ONCE 4

struct sw_load_job {
	struct sw_object_options options; /* without create: the maps are there */
	struct sw_object *object;	  /* NULL: handed on, or there was an error */
	int error;
	char why[512]; /* the line of the error */
};

struct sw_load_batch {
	struct sw_load_job jobs[SW_LOADED_AT_ONCE];
	uint32_t count;
};

/*
 * How many it pays to load at once: no more than this process may use processors. Never 0, and at most
 * SW_LOADED_AT_ONCE.
 */
uint32_t sw_load_batch_size(void);

/* One more to be loaded, if the batch has room. */
void sw_load_batch_add(struct sw_load_batch *batch, const struct sw_object_options *options);

/* Loads all that were added, and waits for the last one. Errors stay with their jobs. */
void sw_load_batch_run(struct sw_load_batch *batch, const struct sw_instance *instance);

/*
 * Hands on the object that was loaded with these options, or its error, which is recorded now; or else loads one. The
 * object is then the caller's.
 */
int sw_load_batch_take(struct sw_load_batch *batch, const struct sw_instance *instance,
		       const struct sw_object_options *options, struct sw_object **object);

/* Frees what was not handed on; the batch is empty then. */
void sw_load_batch_clear(struct sw_load_batch *batch);

#endif
