// SPDX-License-Identifier: GPL-2.0-or-later
#include "sweeper.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/time.h"

#include <bpf/bpf.h>
#include <string.h>

#define LATE_NS (20 * SW_SWEEP_PERIOD_NS) /* a busy CPU may be late, but not by so much */

enum sw_sweeper sw_sweeper_state(const struct sw_instance *instance)
{
	struct bpf_map_info info = {};
	struct sw_sweeper_value value;
	__u32 length = sizeof(info), zero = 0;
	SW_AUTO_FD int fd = -1;
	uint64_t last;

	if (sw_instance_map(instance, "sweepers", sizeof(value), &fd) ||
	    bpf_obj_get_info_by_fd(fd, &info, &length) || bpf_map_lookup_elem(fd, &zero, &value)) {
		sw_error_clear();
		return SW_SWEEPER_UNKNOWN;
	}
	last = value.swept_ns;
	if (last < instance->identity.created_ns)
		last = instance->identity.created_ns; /* its first run is still to come */
	return (int64_t)(sw_monotonic_ns() - last) > (int64_t)LATE_NS ? SW_SWEEPER_STOPPED :
									SW_SWEEPER_RUNS;
}

int sw_coarse_clock(const struct sw_instance *instance, uint64_t *now_ms)
{
	uint64_t packet[8] = {};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet),
		    .data_out = packet, .data_size_out = sizeof(packet));
	SW_AUTO_FD int program = sw_instance_get(instance, "programs/sw_clock");

	if (program < 0)
		return sw_instance_failed(instance, "programs/sw_clock", errno);
	if (bpf_prog_test_run_opts(program, &run))
		return sw_error(errno,
				"cannot read the clock of the tables (%s/programs/sw_clock): %s",
				instance->pins.shown, sw_errno_text(errno));
	*now_ms = packet[0];
	return 0;
}

int sw_entry_clock(const struct sw_instance *instance, uint32_t *now_ms)
{
	uint64_t whole_ms;
	int error = sw_coarse_clock(instance, &whole_ms);

	if (!error)
		*now_ms = (uint32_t)whole_ms;
	return error;
}
