// SPDX-License-Identifier: GPL-2.0-or-later
#include "percpu.h"

#include "../base/cleanup.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

int sw_cpu_count(void)
{
	int count = libbpf_num_possible_cpus();

	return count > 0 ? count : 1;
}

int sw_percpu_sum(int map_fd, uint32_t key, void *sums, size_t size)
{
	size_t cpus = (size_t)sw_cpu_count(), words = size / sizeof(uint64_t);
	SW_AUTO_FREE uint64_t *values = calloc(cpus, size);
	uint64_t *out = sums;

	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(map_fd, &key, values))
		return -errno;
	memset(sums, 0, size);
	for (size_t i = 0; i < cpus * words; i++)
		out[i % words] += values[i];
	return 0;
}
