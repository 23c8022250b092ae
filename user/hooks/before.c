// SPDX-License-Identifier: GPL-2.0-or-later
/* Who comes before our programs in the chains of TC. */
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../platform/privileges.h"
#include "../platform/tc_filters.h"

#include <bpf/bpf.h>
#include <string.h>

/* linux/bpf.h of Debian 12 is older than TCX; the numbers are ABI */
enum { TCX_INGRESS = 46, TCX_EGRESS = 47 };

#define MAX_PROGRAMS 64

static void add(struct sw_programs_before *before, uint32_t id)
{
	struct sw_program_before *row = &before->rows[before->count];
	SW_AUTO_FD int fd = -1;
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (before->count == SW_MAX_BEFORE)
		return;
	before->count++;
	row->id = id;
	fd = bpf_prog_get_fd_by_id(id);
	sw_format(row->name, sizeof(row->name), "%s",
		  fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) ? "?" : info.name);
}

static int query(uint32_t ifindex, int hook, struct bpf_prog_query_opts *found)
{
	if (sw_privileges_are_dropped())
		return -EPERM;
	return bpf_prog_query_opts((int)ifindex, (enum bpf_attach_type)hook, found);
}

/* The kernel lists them in the order in which it runs them. */
static void tcx_before(const struct sw_interface *record, int hook, uint32_t program,
		       struct sw_programs_before *before)
{
	__u32 programs[MAX_PROGRAMS];
	LIBBPF_OPTS(bpf_prog_query_opts, found, .prog_ids = programs, .prog_cnt = MAX_PROGRAMS);

	if (query(record->ifindex, hook, &found))
		return;
	for (uint32_t i = 0; i < found.prog_cnt && programs[i] != program; i++)
		add(before, programs[i]);
}

bool sw_tcx_has_program(uint32_t ifindex, uint32_t hook, uint32_t program)
{
	__u32 programs[MAX_PROGRAMS];
	LIBBPF_OPTS(bpf_prog_query_opts, found, .prog_ids = programs, .prog_cnt = MAX_PROGRAMS);

	if (query(ifindex, (int)hook, &found))
		return true;
	for (uint32_t i = 0; i < found.prog_cnt; i++)
		if (programs[i] == program)
			return true;
	return false;
}

void sw_tc_before(const struct sw_interface *record, enum sw_direction direction, uint32_t program,
		  struct sw_programs_before *before)
{
	struct sw_filters filters;

	before->count = 0;
	tcx_before(record, direction == SW_INGRESS ? TCX_INGRESS : TCX_EGRESS, program, before);
	if (record->tc_hook != SW_TC_CLSACT ||
	    sw_filters_read(record->ifindex, direction, record->tc_priority, &filters))
		return;
	for (uint32_t i = 0; i < filters.before; i++)
		add(before, filters.programs_before[i]);
}

int sw_tcx_check(const struct sw_pins *pins, const struct sw_interface *record)
{
	struct sw_programs_before there = {};
	int error;

	tcx_before(record, TCX_INGRESS, 0, &there);
	for (uint32_t i = 0; i < there.count; i++) {
		if (strcmp(there.rows[i].name, "sw_tc") != 0)
			continue;
		error = sw_check_owner(pins, record->name, there.rows[i].id);
		return error ? error :
			       sw_error(EBUSY,
					"%s: program sw_tc (id %u) of another synward --pin-dir "
					"sees already what it receives; detach that one first",
					record->name, there.rows[i].id);
	}
	return 0;
}
