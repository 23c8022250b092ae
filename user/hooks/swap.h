/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_HOOKS_SWAP_H
#define SYNWARD_HOOKS_SWAP_H

/*
 * Other programs into live hooks, without a gap: every packet meets the one or the other. Each swap can be
 * taken back, and leaves what the next command knows if it is interrupted. Errors are recorded.
 */

#include "../model/snapshot.h"
#include "../platform/pins.h"

#include <synward/config.h>

enum sw_swap_kind {
	SW_SWAP_LINK,	/* the program of the pinned link */
	SW_SWAP_FILTER, /* that of the clsact filter of the slot */
	SW_SWAP_PIN,	/* the pinned program itself, which is on no hook */
};

struct sw_swap {
	enum sw_swap_kind kind;
	uint32_t slot;
	enum sw_direction direction;	   /* of a filter */
	const struct sw_interface *record; /* of a hook; borrowed */
	char pin[48];
	int before, after; /* owned descriptors of programs; before is -1 if nothing was pinned */
};

/*
 * Finds what is live where a swap of that kind, slot and pin will be. after is taken over, whatever comes of it.
 * SW_HEALTH_OK: the swap can be done. With all others there is nothing to swap: *error, if it is not 0, has its line.
 */
enum sw_health sw_swap_prepare(const struct sw_pins *pins, struct sw_swap *swap, int after,
			       int *error);

/* Would it change nothing? 1, 0, or -errno with its line. */
int sw_swap_is_idle(const struct sw_swap *swap);

int sw_swap_do(const struct sw_pins *pins, const struct sw_swap *swap);
int sw_swap_undo(const struct sw_pins *pins, const struct sw_swap *swap);

void sw_swap_free(struct sw_swap *swap);

#endif
