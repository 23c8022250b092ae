// SPDX-License-Identifier: GPL-2.0-or-later
#include "wait_for_packets.h"

#include "../base/cleanup.h"

#include <bpf/bpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>

#define LONG_NS 100000000 /* no packet takes a thousandth of it */

/* Each change of a map of maps waits for the programs that may have seen it as it was before. */
static int change_a_map_of_maps(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	SW_AUTO_FD int inner = -1, outer = -1;
	__u32 zero = 0;

	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "wait_inner", sizeof(zero), sizeof(zero), 1,
			       NULL);
	options.inner_map_fd = (__u32)inner;
	if (inner >= 0)
		outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "wait_outer", sizeof(zero),
				       sizeof(zero), 1, &options);
	return outer < 0 ? -1 : bpf_map_update_elem(outer, &zero, &inner, BPF_ANY);
}

void sw_wait_for_packets(void)
{
	/* a kernel with CPUs that are kept free of ticks (nohz_full) does not offer this one */
	if (!syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) || !change_a_map_of_maps())
		return;
	nanosleep(&(struct timespec){ .tv_nsec = LONG_NS }, NULL);
}
