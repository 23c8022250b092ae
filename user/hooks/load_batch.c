// SPDX-License-Identifier: GPL-2.0-or-later
#include "load_batch.h"

#include "../base/error.h"
#include "handover.h"

#include <pthread.h>
#include <sched.h>

uint32_t sw_load_batch_size(void)
{
	cpu_set_t allowed;
	int cpus;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return SW_LOADED_AT_ONCE; /* more processors than fit into the set */
	cpus = CPU_COUNT(&allowed);
	return cpus < SW_LOADED_AT_ONCE ? (uint32_t)cpus : SW_LOADED_AT_ONCE;
}

void sw_load_batch_add(struct sw_load_batch *batch, const struct sw_object_options *options)
{
	if (batch->count < SW_LOADED_AT_ONCE)
		batch->jobs[batch->count++] = (struct sw_load_job){ .options = *options };
}

/* What a thread is given. Nothing of it is shared but the instance, which nobody changes meanwhile. */
struct loader {
	const struct sw_instance *instance;
	struct sw_load_job *job;
	pthread_t thread;
};

static void *load(void *given)
{
	const struct loader *loader = given;
	struct sw_load_job *job = loader->job;

	job->error = sw_object_load(loader->instance, &job->options, &job->object);
	/* with the others, as it takes as long */
	if (!job->error && job->options.only_tc) {
		int program = sw_object_tc(job->object);

		job->error = program < 0 ? program : 0;
	}
	if (job->error) {
		sw_format(job->why, sizeof(job->why), "%s",
			  sw_error_text() ? sw_error_text() : sw_errno_text(job->error));
		sw_error_clear(); /* it is told when its turn comes, if it ever does */
		sw_object_free(job->object);
		job->object = NULL;
	}
	return NULL;
}

void sw_load_batch_run(struct sw_load_batch *batch, const struct sw_instance *instance)
{
	struct loader loaders[SW_LOADED_AT_ONCE];
	bool runs[SW_LOADED_AT_ONCE] = {};

	sw_handover_is_possible(); /* found out once, before several ask */
	for (uint32_t i = 0; i < batch->count; i++) {
		loaders[i] = (struct loader){ .instance = instance, .job = &batch->jobs[i] };
		/* the last one is ours, and so is any for which there is no thread */
		runs[i] = i + 1 < batch->count &&
			  !pthread_create(&loaders[i].thread, NULL, load, &loaders[i]);
		if (!runs[i])
			load(&loaders[i]);
	}
	for (uint32_t i = 0; i < batch->count; i++)
		if (runs[i])
			pthread_join(loaders[i].thread, NULL);
}

static bool are_same(const struct sw_object_options *a, const struct sw_object_options *b)
{
	return !a->create && !b->create && a->netns == b->netns && a->slot == b->slot &&
	       a->checksums == b->checksums && a->only_tc == b->only_tc;
}

int sw_load_batch_take(struct sw_load_batch *batch, const struct sw_instance *instance,
		       const struct sw_object_options *options, struct sw_object **object)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		struct sw_load_job *job = &batch->jobs[i];

		if (!are_same(&job->options, options))
			continue;
		if (job->error)
			return sw_error(job->error, "%s", job->why);
		if (!job->object)
			continue;
		*object = job->object;
		job->object = NULL;
		return 0;
	}
	return sw_object_load(instance, options, object);
}

void sw_load_batch_clear(struct sw_load_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++)
		sw_object_free(batch->jobs[i].object);
	batch->count = 0;
}
