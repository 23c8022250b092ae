// SPDX-License-Identifier: GPL-2.0-or-later
/* What a card gives up for a native XDP program, told before one is attached. */
#include "checks.h"
#include "doctor.h"

#include "../hooks/hooks.h"

#include <net/if.h>

void sw_native_cost(const char *name, char *text, size_t size)
{
	struct sw_ethtool_facts card = {};
	uint32_t ifindex = if_nametoindex(name);

	text[0] = '\0';
	if (!ifindex || sw_xdp_is_taken(ifindex))
		return; /* what that has cost is paid */
	sw_read_ethtool(name, &card);
	sw_say_native_cost(&card, text, size);
}
