// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loaded before libbpf: so many runs of a program as ABORTED_RUNS says end with XDP_ABORTED, as that
 * of sw_arm does while the kernel has no memory for a timer.
 */
#include <bpf/bpf.h>
#include <dlfcn.h>
#include <linux/bpf.h>
#include <stdlib.h>

int bpf_prog_test_run_opts(int program, struct bpf_test_run_opts *opts)
{
	static int (*run)(int program, struct bpf_test_run_opts *opts);
	static long left;

	if (!run) {
		run = dlsym(RTLD_NEXT, "bpf_prog_test_run_opts");
		left = strtol(getenv("ABORTED_RUNS"), NULL, 10);
	}
	if (left-- <= 0)
		return run(program, opts);
	opts->retval = XDP_ABORTED;
	return 0;
}
