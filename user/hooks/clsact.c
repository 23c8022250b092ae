// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hooks of TC in kernels before 6.6. A filter does not live by its pin, so its program is pinned
 * to know it again, and its place follows from the slot: an attach that was interrupted at any
 * moment has left enough to take it off.
 */
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/interface_records.h"
#include "../platform/netns.h"
#include "../platform/tc_filters.h"
#include "program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILTER_PRIORITY 0x5357 /* no meaning, but others are unlikely to have chosen it */

/* Of the filter of a direction: its pin, the one beside while it is replaced, and whose names its programs have. */
static const struct side {
	const char *name;
	const char *pin, *next;
	const char *program;
	enum bpf_tc_attach_point point;
} sides[] = {
	[SW_INGRESS] = { "ingress", "links/%u/filter_ingress", "links/%u/filter_ingress_next",
			 "sw_tc:", BPF_TC_INGRESS },
	[SW_EGRESS] = { "egress", "links/%u/filter", "links/%u/filter_next",
			"sw_egress:", BPF_TC_EGRESS },
};

static uint32_t filter_handle(uint32_t slot)
{
	return slot + 1;
}

/*
 * By what our filter of a slot is known: its pinned program, of which there are two while one is being replaced, or,
 * after somebody's rm, a map that all our programs use.
 */
struct known {
	uint32_t ids[2]; /* 0: none */
	uint32_t map;	 /* the same */
};

static int pinned_id(const struct sw_pins *pins, const char *format, uint32_t slot,
		     uint32_t (*id_of)(int fd), uint32_t *id)
{
	char path[SW_PIN_PATH], name[32];
	SW_AUTO_FD int fd = -1;

	sw_format(name, sizeof(name), format, slot);
	sw_pins_path(pins, path, "%s", name);
	fd = bpf_obj_get(path);
	if (fd < 0 && sw_is_shortage(errno))
		return sw_error(errno, "cannot open %s/%s: %s", pins->shown, name,
				sw_errno_text(errno));
	*id = fd < 0 ? 0 : id_of(fd);
	return 0;
}

static int find_known(const struct sw_pins *pins, uint32_t slot, enum sw_direction direction,
		      struct known *known)
{
	int error = pinned_id(pins, sides[direction].pin, slot, sw_program_id, &known->ids[0]);

	if (!error)
		error = pinned_id(pins, sides[direction].next, slot, sw_program_id, &known->ids[1]);
	return error ? error : pinned_id(pins, "maps/traffic", slot, sw_map_id, &known->map);
}

static bool is_known(const struct known *known, const struct sw_filter *filter)
{
	return filter && filter->program &&
	       (filter->program == known->ids[0] || filter->program == known->ids[1]);
}

static bool is_ours(const struct known *known, const struct sw_filter *filter)
{
	SW_AUTO_FD int fd = -1;

	if (!filter || !filter->program || is_known(known, filter))
		return filter && filter->program;
	fd = bpf_prog_get_fd_by_id(filter->program);
	return fd >= 0 && known->map && sw_program_uses(fd, known->map);
}

/* What is in the clsact qdisc, and at our filters' priority. */
static int look(const struct sw_interface *record, enum sw_direction direction,
		struct sw_filters *filters)
{
	int error = sw_filters_read(record->ifindex, direction, FILTER_PRIORITY, filters);

	if (error)
		return sw_error(error, "%s: cannot list its filters: %s", record->name,
				sw_errno_text(error));
	return 0;
}

static int in_the_way(const struct sw_pins *pins, const struct sw_interface *record,
		      enum sw_direction direction, const struct sw_filter *filter)
{
	int error = sw_check_owner(pins, record->name, filter->program);

	if (error)
		return error;
	return sw_error(
		EEXIST,
		"%s: an %s filter has the priority %u and handle %u of synward's filter, and is "
		"not pinned; remove it first: tc filter del dev %s %s protocol all pref %u "
		"handle %u bpf",
		record->name, sides[direction].name, FILTER_PRIORITY, filter->handle, record->name,
		sides[direction].name, FILTER_PRIORITY, filter->handle);
}

int sw_clsact_check(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot,
		    enum sw_direction direction)
{
	const char *ours = sides[direction].program;
	struct sw_filters there;
	struct known known;
	int error = look(record, direction, &there);

	if (!error)
		error = find_known(pins, slot, direction, &known);
	for (uint32_t i = 0; !error && i < there.found; i++) {
		const struct sw_filter *filter = &there.rows[i];

		if (!strncmp(filter->name, ours, strlen(ours)) &&
		    !(filter->handle == filter_handle(slot) && is_ours(&known, filter)))
			return in_the_way(pins, record, direction, filter);
	}
	return error;
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
		     enum sw_direction direction, int program_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)record->ifindex,
		    .attach_point = sides[direction].point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = program_fd, .priority = FILTER_PRIORITY,
		    .handle = filter_handle(slot));
	const struct sw_filter *found;
	struct sw_filters there;
	struct known known;
	char pin[32];
	int error = look(record, direction, &there);

	if (!error)
		error = find_known(pins, slot, direction, &known);
	if (error)
		return error;
	found = sw_filters_find(&there, filter_handle(slot));
	if (found && !is_ours(&known, found))
		return in_the_way(pins, record, direction, found);
	filter.flags = found ? BPF_TC_F_REPLACE : 0;
	sw_format(pin, sizeof(pin), sides[direction].pin, slot);
	error = sw_pins_replace(pins, pin, program_fd);
	if (!error && !there.clsact)
		error = make_qdisc(pins, record, slot);
	if (error)
		return error;
	error = bpf_tc_attach(&hook, &filter);
	if (error)
		return sw_error(error, "%s: the kernel did not attach the %s filter: %s",
				record->name, sides[direction].name, sw_errno_text(error));
	record->tc_priority = FILTER_PRIORITY;
	record->tc_handle = filter_handle(slot);
	return 0;
}

enum sw_health sw_clsact_health(const struct sw_pins *pins, const struct sw_interface *record,
				uint32_t slot, enum sw_direction direction, uint32_t *program)
{
	const struct sw_filter *filter;
	int exists = sw_record_exists(record);
	SW_AUTO_NETNS int back = -1;
	struct sw_filters there;
	struct known known;

	*program = 0;
	if (find_known(pins, slot, direction, &known)) {
		sw_error_clear();
		return SW_HEALTH_UNKNOWN;
	}
	if (!known.ids[0])
		return SW_HEALTH_MISSING;
	if (exists <= 0)
		return exists ? SW_HEALTH_UNKNOWN : SW_HEALTH_GONE;
	if (sw_netns_enter(record->netns, &back) || look(record, direction, &there)) {
		sw_error_clear();
		return SW_HEALTH_UNKNOWN;
	}
	filter = sw_filters_find(&there, filter_handle(slot));
	/* an upgrade may have replaced it since its pins were looked at */
	if (!is_known(&known, filter) && find_known(pins, slot, direction, &known)) {
		sw_error_clear();
		return SW_HEALTH_UNKNOWN;
	}
	if (!is_known(&known, filter))
		return SW_HEALTH_DETACHED;
	*program = filter->program;
	return SW_HEALTH_OK;
}

/* The filter goes on without a gap: the kernel puts the one in the place of the other. */
static int put_in_place(const struct sw_interface *record, uint32_t slot,
			enum sw_direction direction, int program_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)record->ifindex,
		    .attach_point = sides[direction].point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = program_fd, .flags = BPF_TC_F_REPLACE,
		    .priority = FILTER_PRIORITY, .handle = filter_handle(slot));
	SW_AUTO_NETNS int back = -1;
	int error = sw_netns_enter(record->netns, &back);

	return error ? error : bpf_tc_attach(&hook, &filter);
}

/* Each step leaves a pin by which the filter is known. */
int sw_clsact_replace(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot,
		      enum sw_direction direction, int program_fd)
{
	char path[SW_PIN_PATH], next[SW_PIN_PATH];
	SW_AUTO_FD int before = -1;
	int error;

	sw_pins_path(pins, path, sides[direction].pin, slot);
	sw_pins_path(pins, next, sides[direction].next, slot);
	if (bpf_obj_pin(program_fd, next))
		return sw_error(errno, "cannot pin the program of %s: %s", record->name,
				sw_errno_text(errno));
	error = put_in_place(record, slot, direction, program_fd);
	if (error) {
		unlink(next);
		return sw_error(error,
				"%s: the kernel did not replace the program of its %s "
				"hook: %s",
				record->name, sides[direction].name, sw_errno_text(error));
	}
	if (!rename(next, path))
		return 0;
	error = sw_error(errno, "cannot pin the program of %s: %s", record->name,
			 sw_errno_text(errno));
	before = bpf_obj_get(path);
	/* both pins stay if it does not come back, since either may be the filter's */
	if (before >= 0 && !put_in_place(record, slot, direction, before))
		unlink(next);
	return error;
}

/* What an interrupted replacement has left: the pin of the program that the filter has is the one that counts. */
int sw_clsact_settle(const struct sw_pins *pins, uint32_t slot, enum sw_direction direction,
		     uint32_t program)
{
	char path[SW_PIN_PATH], next[SW_PIN_PATH];
	struct known known;
	int error = find_known(pins, slot, direction, &known);

	if (error || !known.ids[1])
		return error;
	sw_pins_path(pins, path, sides[direction].pin, slot);
	sw_pins_path(pins, next, sides[direction].next, slot);
	if (known.ids[1] == program ? rename(next, path) : unlink(next))
		return sw_error(errno, "cannot pin %s/links/%u/filter: %s", pins->shown, slot,
				sw_errno_text(errno));
	return 0;
}

static int remove_filter(const struct sw_interface *record, uint32_t slot,
			 enum sw_direction direction)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)record->ifindex,
		    .attach_point = sides[direction].point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .priority = FILTER_PRIORITY,
		    .handle = filter_handle(slot));
	int error = bpf_tc_detach(&hook, &filter);

	if (error && error != -ENOENT && error != -EINVAL)
		return sw_error(error, "%s: cannot remove the %s filter: %s", record->name,
				sides[direction].name, sw_errno_text(error));
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

/* The filter, if it is ours, and then the qdisc, if that is ours and nobody has come to use it. */
static int take_off(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot,
		    enum sw_direction direction, bool ours, struct sw_filters *there)
{
	int error = ours ? remove_filter(record, slot, direction) : 0;
	char mark[32];

	there->count -= ours && !error;
	sw_format(mark, sizeof(mark), "links/%u/qdisc", slot);
	if (!error && there->clsact && !there->count && sw_pins_exist(pins, mark))
		error = remove_qdisc(record);
	return error;
}

int sw_clsact_detach(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot,
		     enum sw_direction direction)
{
	SW_AUTO_NETNS int back = -1;
	struct sw_filters there;
	struct known known;
	int error = find_known(pins, slot, direction, &known), exists;

	if (error)
		return error;
	exists = sw_record_exists(record);
	if ((!known.ids[0] && record->tc_hook != SW_TC_CLSACT) || exists == 0 || exists == -ENOENT)
		return 0;
	error = sw_netns_enter(record->netns, &back);
	if (error)
		return sw_error(error, "%s: cannot enter its network namespace %u: %s",
				record->name, record->netns, sw_errno_text(error));
	error = look(record, direction, &there);
	if (error)
		return error;
	return take_off(pins, record, slot, direction,
			is_ours(&known, sw_filters_find(&there, filter_handle(slot))), &there);
}

int sw_clsact_discard(const struct sw_pins *pins, const struct sw_interface *record,
		      enum sw_direction direction, bool (*is_ours)(void *context, uint32_t program),
		      void *context)
{
	struct sw_filters there;
	int error = look(record, direction, &there);

	for (uint32_t i = 0; !error && i < there.found; i++) {
		const struct sw_filter *filter = &there.rows[i];

		if (filter->handle && filter->handle <= SW_MAX_INTERFACES && filter->program &&
		    is_ours(context, filter->program))
			error = take_off(pins, record, filter->handle - 1, direction, true, &there);
	}
	return error;
}
