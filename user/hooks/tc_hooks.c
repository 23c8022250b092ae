// SPDX-License-Identifier: GPL-2.0-or-later
/* The hooks of TC: a TCX link, or a clsact filter where the kernel has no TCX. */
#include "handover.h"
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/interface_records.h"

#include <bpf/bpf.h>

/* linux/bpf.h of Debian 12 is older than TCX; the numbers are ABI */
#define TCX_BEFORE (1U << 3) /* BPF_F_BEFORE: all that are there */

static const struct side {
	enum bpf_attach_type type;
	const char *pin, *name;
} sides[] = {
	[SW_INGRESS] = { (enum bpf_attach_type)46, "tcx_ingress", "ingress" },
	[SW_EGRESS] = { (enum bpf_attach_type)47, "tcx", "egress" },
};

const char *sw_tcx_pin(enum sw_direction direction)
{
	return sides[direction].pin;
}

static int tcx_attach(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot,
		      enum sw_direction direction, int program_fd)
{
	/* of what comes in, who is there may end the chain */
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = direction == SW_INGRESS ? TCX_BEFORE : 0);
	const struct side *side = &sides[direction];
	SW_AUTO_FD int link = -1;
	char name[32];
	uint32_t id;
	int error;

	sw_format(name, sizeof(name), "links/%u/%s", slot, side->pin);
	error = sw_link_forget_next(pins, name);
	if (error)
		return error;
	if (sw_link_health(pins, name, record, &id) == SW_HEALTH_FOREIGN)
		return sw_link_take_back(pins, name, record, program_fd);
	link = bpf_link_create(program_fd, (int)record->ifindex, side->type, &options);
	if (link < 0)
		return sw_error(link, "%s: the kernel did not attach the %s program by TCX: %s%s",
				record->name, side->name, sw_errno_text(link),
				link == -EINVAL ? " (TCX needs Linux 6.6); use --tc clsact" : "");
	return sw_pins_replace(pins, name, link);
}

int sw_tc_attach(const struct sw_pins *pins, struct sw_interface *record, uint32_t slot,
		 enum sw_direction direction, int program_fd, enum sw_tc_mode mode)
{
	int error = sw_clsact_check(pins, record, slot, direction);

	if (error)
		return error;
	if (mode != SW_TC_MODE_CLSACT) {
		error = tcx_attach(pins, record, slot, direction, program_fd);
		if (!error)
			record->tc_hook = SW_TC_TCX;
		if (error != -EINVAL || mode == SW_TC_MODE_TCX)
			return error;
		sw_error_clear();
	}
	error = sw_clsact_attach(pins, record, slot, direction, program_fd);
	if (!error)
		record->tc_hook = SW_TC_CLSACT;
	return error;
}

enum sw_health sw_tc_health(const struct sw_pins *pins, const struct sw_interface *record,
			    uint32_t slot, enum sw_direction direction, uint32_t *program)
{
	char name[32];

	if (record->tc_hook == SW_TC_CLSACT)
		return sw_clsact_health(pins, record, slot, direction, program);
	sw_format(name, sizeof(name), "links/%u/%s", slot, sides[direction].pin);
	return sw_link_health(pins, name, record, program);
}

static int detach_link(const struct sw_pins *pins, uint32_t slot, const char *name)
{
	char pin[32];
	int error;

	sw_format(pin, sizeof(pin), "links/%u/%s", slot, name);
	error = sw_link_forget_next(pins, pin);
	return error ? error : sw_link_detach(pins, pin);
}

int sw_hooks_unknown(const struct sw_interface *record)
{
	if (sw_record_exists(record) == -ENOENT)
		return sw_error(
			ENOENT,
			"%s: its network namespace %u cannot be found, so its egress filter cannot "
			"be replaced, and nothing was changed; run this as root where a process is "
			"in that namespace or /run/netns names it, or give up all that is "
			"attached: "
			"synward detach --all --force",
			record->name, record->netns);
	return sw_error(EPERM,
			"%s: its hooks cannot be looked at, so nothing was changed; run as root",
			record->name);
}

/*
 * A filter can be taken off only inside its network namespace. One that is not found has ended, or is hidden: as long as
 * the link of XDP has its interface, that goes on somewhere. Without its pins, the filter would stay for good.
 */
static int check_reach(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot)
{
	int exists = sw_record_exists(record);
	uint32_t program;

	if (record->tc_hook != SW_TC_CLSACT || exists >= 0 ||
	    sw_ingress_health(pins, record, slot, &program) != SW_HEALTH_OK)
		return 0;
	return sw_error(exists, "%s: cannot enter its network namespace %u: %s", record->name,
			record->netns, sw_errno_text(exists));
}

int sw_hooks_detach(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot)
{
	char name[32];
	int error = check_reach(pins, record, slot);

	if (!error)
		error = detach_link(pins, slot, "xdp");
	for (int direction = 0; direction < 2 && !error; direction++) {
		error = detach_link(pins, slot, sides[direction].pin);
		if (!error)
			error = sw_clsact_detach(pins, record, slot, direction);
	}
	if (!error)
		error = sw_handover_unlink(pins, slot);
	if (error)
		return error;
	sw_format(name, sizeof(name), "links/%u", slot);
	return sw_pins_remove(pins, name);
}
