// SPDX-License-Identifier: GPL-2.0-or-later
#include "handover.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "hooks.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

/* linux/bpf.h of Debian 12 is older than TCX; the numbers are ABI */
#define ATTACH_TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_BEFORE	   (1U << 3) /* BPF_F_BEFORE: all that are there */

#define LINK	"links/%u/handover"
#define PROGRAM "links/%u/handover_program"

static bool look_for_function(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	bool possible;

	if (libbpf_get_error(kernel))
		return false;
	possible = btf__find_by_name_kind(kernel, "bpf_sk_assign_tcp_reqsk", BTF_KIND_FUNC) > 0;
	btf__free(kernel);
	return possible;
}

bool sw_handover_is_possible(void)
{
	static int possible = -1; /* not looked yet */

	if (possible < 0)
		possible = look_for_function();
	return possible;
}

bool sw_raw_cookies_are_possible(void)
{
	return !access("/proc/sys/net/ipv4/tcp_syncookies", F_OK) &&
	       libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_tcp_raw_gen_syncookie_ipv4,
				       NULL) == 1;
}

int sw_handover_keep(const struct sw_pins *pins, uint32_t slot, int program_fd)
{
	char name[40];

	sw_format(name, sizeof(name), PROGRAM, slot);
	return sw_pins_replace(pins, name, program_fd);
}

bool sw_handover_is_kept(const struct sw_pins *pins, const struct sw_interface *record,
			 uint32_t slot)
{
	char name[40];

	if (record->mode == SW_MODE_TC)
		return sw_handover_is_possible();
	sw_format(name, sizeof(name), PROGRAM, slot);
	return sw_pins_exist(pins, name);
}

enum sw_health sw_handover_health(const struct sw_pins *pins, const struct sw_interface *record,
				  uint32_t slot, uint32_t *program)
{
	enum sw_health health;
	char name[40];

	if (record->mode == SW_MODE_TC) {
		health = sw_ingress_health(pins, record, slot, program);
		*program = 0;
		return health;
	}
	sw_format(name, sizeof(name), LINK, slot);
	return sw_link_health(pins, name, record, program);
}

int sw_handover_link(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot,
		     bool *linked)
{
	/* who is there may end the chain, and all that XDP has let pass is for us to see */
	LIBBPF_OPTS(bpf_link_create_opts, first, .flags = TCX_BEFORE);
	SW_AUTO_FD int program = -1, link = -1;
	char path[SW_PIN_PATH], name[40];
	uint32_t id;
	int error;

	*linked = false;
	if (record->mode == SW_MODE_TC ||
	    sw_handover_health(pins, record, slot, &id) == SW_HEALTH_OK)
		return 0;
	sw_pins_path(pins, path, PROGRAM, slot);
	program = bpf_obj_get(path);
	if (program < 0)
		return sw_error(errno,
				"%s: the hand-over program is not in %s any more (%s); "
				"detach and attach again",
				record->name, pins->shown, sw_errno_text(errno));
	/* a hook takes no program twice */
	error = sw_handover_unlink(pins, slot);
	if (error)
		return error;
	link = bpf_link_create(program, (int)record->ifindex, ATTACH_TCX_INGRESS, &first);
	if (link < 0)
		return sw_error(link, "%s: the kernel did not attach the hand-over program: %s",
				record->name, sw_errno_text(link));
	sw_format(name, sizeof(name), LINK, slot);
	error = sw_pins_replace(pins, name, link);
	*linked = !error;
	return error;
}

int sw_handover_unlink(const struct sw_pins *pins, uint32_t slot)
{
	char name[40];
	int error;

	sw_format(name, sizeof(name), LINK, slot);
	error = sw_link_forget_next(pins, name);
	if (!error)
		error = sw_link_detach(pins, name);
	return error ? error : sw_pins_remove(pins, name);
}
