// SPDX-License-Identifier: GPL-2.0-or-later
#include "swap.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "hooks.h"
#include "program.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

/* Of a link wherever its interface is: it is reached by its pin, not by a network namespace. */
static enum sw_health find_on_link(const struct sw_pins *pins, const struct sw_swap *swap,
				   uint32_t *program)
{
	enum sw_health health = sw_link_health(pins, swap->pin, swap->record, program);

	return health == SW_HEALTH_MOVED ? SW_HEALTH_OK : health;
}

static int open_program(const struct sw_swap *swap, uint32_t id, int *fd)
{
	*fd = bpf_prog_get_fd_by_id(id);
	if (*fd >= 0)
		return 0;
	return sw_error(errno, "%s: cannot open its program %u: %s%s", swap->record->name, id,
			sw_errno_text(errno),
			sw_is_refused(errno) ? "; an upgrade needs root" : "");
}

static int open_pin(const struct sw_pins *pins, const struct sw_swap *swap, int *fd)
{
	char path[SW_PIN_PATH];

	sw_pins_path(pins, path, "%s", swap->pin);
	*fd = bpf_obj_get(path);
	if (*fd >= 0 || errno == ENOENT)
		return 0;
	return sw_error(errno, "cannot open %s/%s: %s", pins->shown, swap->pin,
			sw_errno_text(errno));
}

enum sw_health sw_swap_prepare(const struct sw_pins *pins, struct sw_swap *swap, int after,
			       int *error)
{
	enum sw_health health = SW_HEALTH_OK;
	uint32_t program = 0;

	swap->before = -1;
	swap->after = after;
	if (swap->kind == SW_SWAP_LINK)
		health = find_on_link(pins, swap, &program);
	else if (swap->kind == SW_SWAP_FILTER)
		health = sw_clsact_health(pins, swap->record, swap->slot, swap->direction,
					  &program);
	*error = 0;
	if (health != SW_HEALTH_OK)
		return health;
	if (swap->kind == SW_SWAP_PIN)
		*error = open_pin(pins, swap, &swap->before);
	else
		*error = open_program(swap, program, &swap->before);
	if (!*error && swap->kind == SW_SWAP_FILTER)
		*error = sw_clsact_settle(pins, swap->slot, swap->direction, program);
	return *error ? SW_HEALTH_UNKNOWN : SW_HEALTH_OK;
}

int sw_swap_is_idle(const struct sw_swap *swap)
{
	int equal;

	if (swap->before < 0)
		return 0;
	/* what is on no hook may be of another interface's object, whose constants are others */
	equal = sw_programs_equal(swap->before, swap->after, swap->kind != SW_SWAP_PIN);
	if (equal < 0)
		return sw_error(equal, "cannot compare the programs: %s", sw_errno_text(equal));
	return equal;
}

/* Only if it has still the program that it is thought to have: who else changed it is not undone. */
static int swap_link(const struct sw_pins *pins, const struct sw_swap *swap, int before, int after)
{
	LIBBPF_OPTS(bpf_link_update_opts, options, .flags = BPF_F_REPLACE,
		    .old_prog_fd = (__u32)before);
	char path[SW_PIN_PATH];
	SW_AUTO_FD int link = -1;

	sw_pins_path(pins, path, "%s", swap->pin);
	link = bpf_obj_get(path);
	if (link >= 0 && !bpf_link_update(link, after, &options))
		return 0;
	if (errno == ENOLINK)
		return sw_error(errno,
				"%s: somebody took off the hook of %s/%s meanwhile; to put it "
				"back: synward attach %s; then run this again",
				swap->record->name, pins->shown, swap->pin, swap->record->name);
	return sw_error(errno, "%s: the kernel did not replace the program of %s/%s: %s",
			swap->record->name, pins->shown, swap->pin, sw_errno_text(errno));
}

static int swap_pin(const struct sw_pins *pins, const struct sw_swap *swap, int program)
{
	return program < 0 ? sw_pins_remove(pins, swap->pin) :
			     sw_pins_replace(pins, swap->pin, program);
}

static int put(const struct sw_pins *pins, const struct sw_swap *swap, int before, int after)
{
	switch (swap->kind) {
	case SW_SWAP_LINK:
		return swap_link(pins, swap, before, after);
	case SW_SWAP_FILTER:
		return sw_clsact_replace(pins, swap->record, swap->slot, swap->direction, after);
	case SW_SWAP_PIN:
		return swap_pin(pins, swap, after);
	}
	return -EINVAL;
}

int sw_swap_do(const struct sw_pins *pins, const struct sw_swap *swap)
{
	return put(pins, swap, swap->before, swap->after);
}

int sw_swap_undo(const struct sw_pins *pins, const struct sw_swap *swap)
{
	return put(pins, swap, swap->after, swap->before);
}

void sw_swap_free(struct sw_swap *swap)
{
	sw_close_fd(&swap->before);
	sw_close_fd(&swap->after);
}
