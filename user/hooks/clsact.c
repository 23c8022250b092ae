// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The egress hook of kernels before 6.6. A filter does not live by its pin, so its program is pinned
 * to know it again, and its place follows from the slot: an attach that was interrupted at any
 * moment has left enough to take it off.
 */
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/interface_records.h"
#include "../platform/netns.h"
#include "../platform/tc_filters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define FILTER_PRIORITY 0x5357 /* no meaning, but others are unlikely to have chosen it */

static uint32_t filter_handle(uint32_t slot)
{
	return slot + 1;
}

/* *id: of the pinned program, 0 if there is none. */
static int pinned_program(const struct sw_pins *pins, uint32_t slot, uint32_t *id)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);
	SW_AUTO_FD int fd = -1;
	char path[SW_PIN_PATH], name[32];

	sw_format(name, sizeof(name), "links/%u/filter", slot);
	sw_pins_path(pins, path, "%s", name);
	fd = bpf_obj_get(path);
	if (fd < 0 && sw_is_shortage(errno))
		return sw_error(errno, "cannot open %s/%s: %s", pins->shown, name,
				sw_errno_text(errno));
	*id = fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) ? 0 : info.id;
	return 0;
}

/* What is in the clsact qdisc, and in our filter's place. */
static int look(const struct sw_interface *record, uint32_t slot, struct sw_filters *filters)
{
	int error = sw_filters_read(record->ifindex, FILTER_PRIORITY, filter_handle(slot), filters);

	if (error)
		return sw_error(error, "%s: cannot list its filters: %s", record->name,
				sw_errno_text(error));
	return 0;
}

/* The mark comes first: an interrupted attach may leave it, but no qdisc of ours without it. */
static int make_qdisc(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)record->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	char mark[32];
	int error;

	sw_format(mark, sizeof(mark), "links/%u/qdisc", slot);
	error = sw_pins_make_dir(pins, mark);
	if (!error)
		error = bpf_tc_hook_create(&hook);
	if (error)
		return sw_error(error, "%s: cannot make a clsact qdisc: %s", record->name,
				sw_errno_text(error));
	return 0;
}

int sw_clsact_attach(const struct sw_pins *pins, struct sw_interface *record, uint32_t slot,
		     int program_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)record->ifindex,
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = program_fd, .priority = FILTER_PRIORITY,
		    .handle = filter_handle(slot));
	struct sw_filters there;
	char path[SW_PIN_PATH];
	int error = look(record, slot, &there);

	if (error)
		return error;
	if (there.found)
		return sw_error(
			EEXIST,
			"%s: a foreign egress filter has priority %u and handle %u, which are "
			"synward's; remove it with tc filter del",
			record->name, filter.priority, filter.handle);
	sw_pins_path(pins, path, "links/%u/filter", slot);
	if (bpf_obj_pin(program_fd, path))
		return sw_error(errno, "cannot pin the program of %s: %s", record->name,
				sw_errno_text(errno));
	error = there.clsact ? 0 : make_qdisc(pins, record, slot);
	if (error)
		return error;
	error = bpf_tc_attach(&hook, &filter);
	if (error)
		return sw_error(error, "%s: the kernel did not attach the egress filter: %s",
				record->name, sw_errno_text(error));
	record->tc_priority = FILTER_PRIORITY;
	record->tc_handle = filter_handle(slot);
	return 0;
}

enum sw_health sw_clsact_health(const struct sw_pins *pins, const struct sw_interface *record,
				uint32_t slot, uint32_t *program)
{
	uint32_t pinned;
	int exists = sw_record_exists(record);
	SW_AUTO_NETNS int back = -1;
	struct sw_filters there;

	*program = 0;
	if (pinned_program(pins, slot, &pinned)) {
		sw_error_clear();
		return SW_HEALTH_UNKNOWN;
	}
	if (!pinned)
		return SW_HEALTH_MISSING;
	if (exists <= 0)
		return exists ? SW_HEALTH_UNKNOWN : SW_HEALTH_GONE;
	if (sw_netns_enter(record->netns, &back) || look(record, slot, &there)) {
		sw_error_clear();
		return SW_HEALTH_UNKNOWN;
	}
	if (there.program != pinned)
		return SW_HEALTH_DETACHED;
	*program = pinned;
	return SW_HEALTH_OK;
}

static int remove_filter(const struct sw_interface *record, uint32_t slot)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)record->ifindex,
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .priority = FILTER_PRIORITY,
		    .handle = filter_handle(slot));
	int error = bpf_tc_detach(&hook, &filter);

	if (error && error != -ENOENT && error != -EINVAL)
		return sw_error(error, "%s: cannot remove the egress filter: %s", record->name,
				sw_errno_text(error));
	return 0;
}

static int remove_qdisc(const struct sw_interface *record)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)record->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int error = bpf_tc_hook_destroy(&hook);

	if (error && error != -ENOENT && error != -EINVAL)
		return sw_error(error, "%s: cannot remove the clsact qdisc: %s", record->name,
				sw_errno_text(error));
	return 0;
}

int sw_clsact_detach(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot)
{
	uint32_t pinned;
	SW_AUTO_NETNS int back = -1;
	struct sw_filters there;
	char mark[32];
	int error = pinned_program(pins, slot, &pinned), exists;

	if (error)
		return error;
	exists = sw_record_exists(record);
	if (!pinned || exists == 0 || exists == -ENOENT)
		return 0;
	error = sw_netns_enter(record->netns, &back);
	if (error)
		return sw_error(error, "%s: cannot enter its network namespace %u: %s",
				record->name, record->netns, sw_errno_text(error));
	error = look(record, slot, &there);
	if (!error && there.program == pinned) {
		error = remove_filter(record, slot);
		there.count--;
	}
	sw_format(mark, sizeof(mark), "links/%u/qdisc", slot);
	/* if somebody else has come to use the qdisc, it is theirs now */
	if (!error && there.clsact && !there.count && sw_pins_exist(pins, mark))
		error = remove_qdisc(record);
	return error;
}
