// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is on an interface's hooks. */
#include "facts.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../hooks/hooks.h"
#include "../platform/netns.h"
#include "../platform/tc_filters.h"
#include "../readers/readers.h"

#include <bpf/bpf.h>
#include <net/if.h>
#include <string.h>

/* linux/bpf.h of Debian 12 is older than TCX; the numbers are ABI */
enum { TCX_INGRESS = 46, TCX_EGRESS = 47 };

static bool is_related(const struct sw_stack_facts *stack, uint32_t ifindex)
{
	for (uint32_t i = 0; i < stack->related_count; i++)
		if (stack->related[i] == ifindex)
			return true;
	return false;
}

static void look_at_ours(const struct sw_status *status, uint32_t ifindex,
			 const struct sw_stack_facts *stack, struct sw_hook_facts *hooks)
{
	uint32_t netns = sw_netns_own();

	for (uint32_t i = 0; i < status->interface_count; i++) {
		const struct sw_status_interface *one = &status->interfaces[i];

		if (one->record.netns != netns)
			continue;
		if (one->record.ifindex == ifindex) {
			hooks->foreign[SW_HOOK_INGRESS] = one->ingress == SW_HEALTH_FOREIGN;
			hooks->foreign[SW_HOOK_EGRESS] = one->egress == SW_HEALTH_FOREIGN;
		}
		if (one->ingress != SW_HEALTH_OK)
			continue;
		if (one->record.ifindex == ifindex) {
			hooks->ours = true;
			hooks->mode = one->record.mode;
		} else if (is_related(stack, one->record.ifindex)) {
			sw_fact_append(hooks->also, one->record.name);
		}
	}
}

static int count_tcx(uint32_t ifindex, int hook)
{
	__u32 programs[64];
	LIBBPF_OPTS(bpf_prog_query_opts, found, .prog_ids = programs, .prog_cnt = 64);

	if (bpf_prog_query_opts((int)ifindex, (enum bpf_attach_type)hook, &found))
		return -1;
	return (int)found.prog_cnt;
}

static void take_stranger(const struct sw_pins *pins, const struct sw_interface *record,
			  struct sw_hook_facts *hooks)
{
	hooks->xdp_error = -sw_occupied(pins, record);
	sw_format(hooks->xdp_line, sizeof(hooks->xdp_line), "%s", sw_error_text());
	sw_error_clear();
}

void sw_read_hooks(const char *pin_dir, const char *name, uint32_t ifindex,
		   const struct sw_stack_facts *stack, struct sw_hook_facts *hooks)
{
	SW_AUTO_FREE struct sw_status *status = calloc(1, sizeof(*status));
	struct sw_interface record = { .ifindex = ifindex };
	struct sw_pins pins = SW_PINS_NONE;
	struct sw_filters filters = {};

	if (status && !sw_status_read(pin_dir, status) && status->attached)
		look_at_ours(status, ifindex, stack, hooks);
	if (sw_error_text())
		sw_format(hooks->state_line, sizeof(hooks->state_line), "%s", sw_error_text());
	sw_error_clear();
	sw_format(record.name, sizeof(record.name), "%s", name);
	if (!hooks->ours && !hooks->foreign[SW_HOOK_INGRESS] && sw_xdp_is_taken(ifindex)) {
		sw_pins_locate(pin_dir, false, &pins);
		sw_error_clear();
		hooks->unrecorded = sw_xdp_is_own(&pins, ifindex);
		if (!hooks->unrecorded)
			take_stranger(&pins, &record, hooks);
		sw_pins_close(&pins);
	}
	hooks->tc_error = -sw_filters_read(ifindex, SW_EGRESS, 0, &filters);
	hooks->filters = filters.count;
	hooks->tcx[0] = count_tcx(ifindex, TCX_INGRESS);
	hooks->tcx[1] = count_tcx(ifindex, TCX_EGRESS);
}
