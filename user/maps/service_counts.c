// SPDX-License-Identifier: GPL-2.0-or-later
#include "service_counts.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "percpu.h"
#include "policy_slot.h"
#include "rows.h"

#include <bpf/bpf.h>
#include <string.h>
#include <unistd.h>

/* A slot is written in a few milliseconds. Who was killed in the midst of it is not waited for longer. */
#define PATIENCE_US 500000
#define PAUSE_US    1000

static int failed(const char *what, int error)
{
	return sw_error(error, "cannot %s: %s", what, sw_errno_text(error));
}

static uint32_t key_of(uint32_t slot, uint32_t row)
{
	return slot * SW_SERVICE_SLOTS + row;
}

/* What a row's counters are called; NULL: it has none. */
static const char *name_of(const struct sw_policy *policy, uint32_t row)
{
	const char *name = policy->services[row].name;

	return *name ? name : NULL;
}

/* The row of that name, an earlier policy's included; -1 if there is none. */
static int row_of(const struct sw_policy *policy, const char *name)
{
	for (uint32_t row = 0; name && row < SW_SERVICE_SLOTS; row++)
		if (!strcmp(policy->services[row].name, name))
			return (int)row;
	return -1;
}

struct counts {
	int fd;
	size_t cpus;
	struct sw_service_counters *values; /* of each row, for each CPU */
};

static void free_counts(struct counts *counts)
{
	sw_close_fd(&counts->fd);
	free(counts->values);
}

#define SW_AUTO_COUNTS __attribute__((cleanup(free_counts)))

static struct sw_service_counters *counts_of(const struct counts *counts, uint32_t row)
{
	return &counts->values[row * counts->cpus];
}

static int open_counts(const struct sw_instance *instance, struct counts *counts)
{
	counts->cpus = (size_t)sw_cpu_count();
	counts->values = calloc(SW_SERVICE_SLOTS * counts->cpus, sizeof(*counts->values));
	return !counts->values ? -ENOMEM :
				 sw_instance_map(instance, "service_counts",
						 sizeof(struct sw_service_counters), &counts->fd);
}

static int read_counts(const struct counts *counts, uint32_t slot)
{
	int error = sw_rows_read(counts->fd, key_of(slot, 0), SW_SERVICE_SLOTS, counts->values);

	return error ? failed("read the services' counters", error) : 0;
}

static void add_counts(struct sw_service_counters *sum, const struct sw_service_counters *values,
		       size_t cpus)
{
	const __u64 *from = (const __u64 *)values;
	__u64 *to = (__u64 *)sum;
	size_t words = sizeof(*sum) / sizeof(*to);

	for (size_t i = 0; i < cpus * words; i++)
		to[i % words] += from[i];
}

int sw_service_counts_of_slot(const struct sw_instance *instance, uint32_t slot,
			      struct sw_service_counters sums[SW_SERVICE_SLOTS])
{
	SW_AUTO_COUNTS struct counts counts = { .fd = -1 };
	int error = open_counts(instance, &counts);

	if (!error)
		error = read_counts(&counts, slot);
	if (error)
		return error;
	memset(sums, 0, SW_SERVICE_SLOTS * sizeof(*sums));
	for (uint32_t row = 0; row < SW_SERVICE_SLOTS; row++)
		add_counts(&sums[row], counts_of(&counts, row), counts.cpus);
	return 0;
}

void sw_service_counts_keep_names(struct sw_policy *policy, const struct sw_policy *last)
{
	uint32_t free_row = policy->service_count;

	for (uint32_t row = free_row; row < SW_SERVICE_DEFAULT; row++)
		policy->services[row] = (struct sw_service){};
	for (uint32_t row = 0; row < SW_SERVICE_DEFAULT && free_row < SW_SERVICE_DEFAULT; row++)
		if (name_of(last, row) && row_of(policy, name_of(last, row)) < 0)
			strcpy(policy->services[free_row++].name, name_of(last, row));
}

int sw_service_counts_move(const struct sw_instance *instance, uint32_t slot,
			   const struct sw_policy *policy, const struct sw_policy *last)
{
	SW_AUTO_COUNTS struct counts counts = { .fd = -1 };
	SW_AUTO_FREE struct sw_service_counters *none = NULL;
	int error = open_counts(instance, &counts);

	if (!error)
		error = read_counts(&counts, slot);
	if (error)
		return error;
	none = calloc(counts.cpus, sizeof(*none));
	if (!none)
		return -ENOMEM;
	for (uint32_t row = 0; row < SW_SERVICE_SLOTS; row++) {
		uint32_t key = key_of(slot, row);
		int from = row_of(last, name_of(policy, row));

		if (bpf_map_update_elem(counts.fd, &key,
					from < 0 ? none : counts_of(&counts, (uint32_t)from),
					BPF_ANY))
			return failed("write the services' counters", errno);
	}
	return 0;
}

/* Adds what a slot, whose policy is other, has counted under the names of policy. */
static int add_slot(const struct counts *counts, uint32_t slot, const struct sw_policy *other,
		    const struct sw_policy *policy, struct sw_service_counters *sums)
{
	int error = read_counts(counts, slot);

	for (uint32_t row = 0; row < SW_SERVICE_SLOTS && !error; row++) {
		int to = row_of(policy, name_of(other, row));

		if (to >= 0)
			add_counts(&sums[to], counts_of(counts, row), counts->cpus);
	}
	return error;
}

/* other: room for one. *torn: a policy was being written meanwhile. */
static int sum_once(const struct sw_instance *instance, const struct counts *counts,
		    struct sw_policy *other, const struct sw_policy *policy,
		    struct sw_service_counters *sums, bool *torn)
{
	uint32_t generations[SW_POLICY_SLOTS];
	int error = 0;

	*torn = false;
	memset(sums, 0, SW_SERVICE_SLOTS * sizeof(*sums));
	for (uint32_t slot = 0; slot < SW_POLICY_SLOTS && !error; slot++) {
		error = sw_policy_slot_read(instance, slot, other);
		generations[slot] = other->generation;
		*torn |= other->being_written;
		if (!error)
			error = add_slot(counts, slot, other, policy, sums);
	}
	for (uint32_t slot = 0; slot < SW_POLICY_SLOTS && !error; slot++) {
		error = sw_policy_slot_read(instance, slot, other);
		*torn |= other->being_written || other->generation != generations[slot];
	}
	return error;
}

int sw_service_counts_sum(const struct sw_instance *instance, const struct sw_policy *policy,
			  struct sw_service_counters sums[SW_SERVICE_SLOTS])
{
	SW_AUTO_COUNTS struct counts counts = { .fd = -1 };
	SW_AUTO_FREE struct sw_policy *other = malloc(sizeof(*other));
	int error = other ? open_counts(instance, &counts) : -ENOMEM;
	bool torn = true;

	for (uint32_t waited_us = 0; !error && torn && waited_us < PATIENCE_US;
	     waited_us += PAUSE_US) {
		if (waited_us)
			usleep(PAUSE_US);
		error = sum_once(instance, &counts, other, policy, sums, &torn);
	}
	return error;
}
