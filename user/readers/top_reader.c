// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the sketches of heavy sources out of the kernel. */
#include "readers.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/time.h"
#include "../maps/percpu.h"
#include "../maps/sweeper.h"
#include "../model/top.h"
#include "../platform/instance.h"

#include <synward/top.h>

#include <bpf/bpf.h>
#include <string.h>

#define LOOKS 8 /* at a set, until nobody in it has been replaced meanwhile */

/* All of a map of each CPU's: key by key, and of each key CPU by CPU. */
struct copy {
	int fd;
	size_t cpus;
	struct sw_top_set *sets;
};

static struct sw_top_set *set_of(const struct copy *copy, uint32_t key, size_t cpu)
{
	return &copy->sets[key * copy->cpus + cpu];
}

static int read_failed(void)
{
	return sw_error(errno, "cannot read the sources: %s", sw_errno_text(errno));
}

static int read_sets(struct copy *copy)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	SW_AUTO_FREE __u32 *keys = calloc(SW_TOP_KEYS, sizeof(*keys));
	__u32 position, count = SW_TOP_KEYS;

	copy->sets = calloc(SW_TOP_KEYS * copy->cpus, sizeof(*copy->sets));
	if (!keys || !copy->sets)
		return -ENOMEM;
	if (bpf_map_lookup_batch(copy->fd, NULL, &position, keys, copy->sets, &count, &options) &&
	    errno != ENOENT) /* that was the last of them */
		return read_failed();
	return 0;
}

static bool all_settled(const struct sw_top_set *a, const struct sw_top_set *b, size_t cpus)
{
	for (size_t i = 0; i < cpus * SW_TOP_WAYS; i++)
		if (!sw_top_settled(&a[i / SW_TOP_WAYS], &b[i / SW_TOP_WAYS], i % SW_TOP_WAYS))
			return false;
	return true;
}

/* Has in the copy what two looks agree on, and counts without a source where none did. */
static int settle(const struct copy *copy, uint32_t key, struct sw_top_set *again)
{
	struct sw_top_set *first = set_of(copy, key, 0);

	for (int look = 1;; look++) {
		if (bpf_map_lookup_elem(copy->fd, &key, again))
			return read_failed();
		if (look == LOOKS || all_settled(first, again, copy->cpus))
			break;
		memcpy(first, again, copy->cpus * sizeof(*first));
	}
	for (size_t cpu = 0; cpu < copy->cpus; cpu++)
		sw_top_settle(&first[cpu], &again[cpu]);
	return 0;
}

static bool is_empty(const struct copy *copy, uint32_t key)
{
	for (size_t cpu = 0; cpu < copy->cpus; cpu++)
		if (set_of(copy, key, cpu)->entries[0].count)
			return false;
	return true;
}

/* A flood of random sources replaces somebody in each set some hundred times a second. */
static int settle_all(const struct copy *copy)
{
	SW_AUTO_FREE struct sw_top_set *again = calloc(copy->cpus, sizeof(*again));
	int error = 0;

	if (!again)
		return -ENOMEM;
	for (uint32_t key = 0; key < SW_TOP_KEYS && !error; key++)
		if (!is_empty(copy, key))
			error = settle(copy, key, again);
	return error;
}

/* Puts one CPU's sets in a row. */
static struct sw_top_part part_of(const struct copy *copy, size_t cpu, struct sw_top_set *row,
				  const struct sw_top_samplers *samplers)
{
	for (uint32_t key = 0; key < SW_TOP_KEYS; key++)
		row[key] = *set_of(copy, key, cpu);
	return (struct sw_top_part){ .sets = row, .samplers = *samplers };
}

static int merge(const struct copy *copy, const struct sw_top_samplers *samplers, uint32_t now_ms,
		 uint64_t age_ms, struct sw_top *top)
{
	SW_AUTO_FREE struct sw_top_part *parts = calloc(copy->cpus, sizeof(*parts));
	SW_AUTO_FREE struct sw_top_set *rows = calloc(copy->cpus * SW_TOP_KEYS,
						      sizeof(struct sw_top_set));

	if (!parts || !rows)
		return -ENOMEM;
	for (size_t cpu = 0; cpu < copy->cpus; cpu++)
		parts[cpu] = part_of(copy, cpu, &rows[cpu * SW_TOP_KEYS], &samplers[cpu]);
	return sw_top_merge(parts, copy->cpus, now_ms, age_ms, top);
}

/* The sets first: what is spent while they are read is known when they are judged. */
static int read_samplers(const struct sw_instance *instance, struct sw_top_samplers *samplers)
{
	SW_AUTO_FD int fd = -1;
	__u32 zero = 0;
	int error = sw_instance_map(instance, "top_samplers", sizeof(*samplers), &fd);

	if (!error && bpf_map_lookup_elem(fd, &zero, samplers))
		error = read_failed();
	return error;
}

int sw_top_read(const char *pin_dir, struct sw_top *top)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	size_t cpus = (size_t)sw_cpu_count();
	SW_AUTO_FREE struct sw_top_samplers *samplers = calloc(cpus, sizeof(*samplers));
	SW_AUTO_FREE struct sw_top_set *sets = NULL;
	struct copy copy = { .cpus = cpus };
	SW_AUTO_FD int fd = -1;
	uint32_t now_ms;
	uint64_t age_ns;
	int error;

	if (!samplers)
		return -ENOMEM;
	error = sw_instance_open(pin_dir, SW_ACCESS_READ, &instance);
	if (!error)
		error = sw_instance_map(&instance, "top_sources", sizeof(*sets), &fd);
	copy.fd = fd;
	if (!error)
		error = read_sets(&copy);
	sets = copy.sets;
	if (!error)
		error = settle_all(&copy);
	if (!error)
		error = read_samplers(&instance, samplers);
	if (!error)
		error = sw_entry_clock(&instance, &now_ms);
	if (error)
		return error;
	age_ns = sw_monotonic_ns() - instance.identity.created_ns;
	error = merge(&copy, samplers, now_ms, age_ns / 1000000, top);
	if (!error)
		top->taken_ns = sw_monotonic_ns();
	return error;
}
