// SPDX-License-Identifier: GPL-2.0-or-later
/* The ingress hook: XDP by a pinned link. */
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "records.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <string.h>

static int link_xdp(int program_fd, uint32_t ifindex, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);

	return bpf_link_create(program_fd, (int)ifindex, BPF_XDP, &options);
}

/* Would generic mode fare any better? */
static bool is_about_driver(int error)
{
	switch (-error) {
	case EBUSY:
	case EEXIST:
	case EPERM:
	case EACCES:
	case ENODEV:
	case ENOMEM:
		return false;
	}
	return true;
}

static int explain(const struct sw_interface *record, int error, enum sw_xdp_mode mode)
{
	if (error == -EBUSY || error == -EEXIST)
		return sw_occupied(record);
	if (mode == SW_XDP_NATIVE && is_about_driver(error))
		return sw_error(
			error,
			"%s: its driver does not take an XDP program (%s); use --mode generic, "
			"which works everywhere but costs more",
			record->name, sw_errno_text(error));
	return sw_error(error, "%s: the kernel did not attach the XDP program: %s", record->name,
			sw_errno_text(error));
}

int sw_ingress_attach(const struct sw_pins *pins, struct sw_interface *record, uint32_t slot,
		      int program_fd, enum sw_xdp_mode mode, struct sw_attach_result *result)
{
	bool generic = mode == SW_XDP_GENERIC;
	SW_AUTO_FD int link = -1;
	char path[SW_PIN_PATH];

	link = link_xdp(program_fd, record->ifindex,
			generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	if (link < 0 && mode == SW_XDP_AUTO && is_about_driver(link)) {
		sw_format(result->note, sizeof(result->note),
			  "its driver does not take an XDP program (%s)", sw_errno_text(link));
		result->native_refused = true;
		generic = true;
		link = link_xdp(program_fd, record->ifindex, XDP_FLAGS_SKB_MODE);
	}
	if (link < 0)
		return explain(record, link, mode);
	sw_pins_path(pins, path, "links/%u/xdp", slot);
	if (bpf_obj_pin(link, path))
		return sw_error(errno, "cannot pin the link of %s: %s", record->name,
				sw_errno_text(errno));
	record->xdp_generic = generic;
	return 0;
}

enum sw_health sw_ingress_health(const struct sw_pins *pins, const struct sw_interface *record,
				 uint32_t slot, uint32_t *program)
{
	char path[SW_PIN_PATH];

	sw_pins_path(pins, path, "links/%u/xdp", slot);
	return sw_link_health(path, record, program);
}

enum sw_health sw_link_health(const char *path, const struct sw_interface *record,
			      uint32_t *program)
{
	SW_AUTO_FD int link = bpf_obj_get(path);
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);
	int exists;

	*program = 0;
	if (link < 0)
		return errno == ENOENT ? SW_HEALTH_MISSING : SW_HEALTH_UNKNOWN;
	if (bpf_obj_get_info_by_fd(link, &info, &length))
		return SW_HEALTH_UNKNOWN;
	/* a TCX link has its ifindex in the same place, which libbpf 1.1 has no name for */
	exists = sw_record_exists(record);
	if (info.xdp.ifindex == 0)
		return exists == 0 ? SW_HEALTH_GONE : SW_HEALTH_DETACHED;
	if (info.xdp.ifindex != record->ifindex || exists == 0)
		return SW_HEALTH_MOVED;
	*program = info.prog_id;
	return SW_HEALTH_OK;
}
