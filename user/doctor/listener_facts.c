// SPDX-License-Identifier: GPL-2.0-or-later
/* The listeners of this network namespace, as far as they differ for who answers in their stead. */
#include "facts.h"

#include "../base/error.h"
#include "../platform/listeners.h"

static void take(const struct sw_listener *listener, void *context)
{
	struct sw_listener_facts *facts = context;
	char port[8];

	sw_format(port, sizeof(port), "%u", listener->port);
	facts->count++;
	if (listener->mptcp)
		sw_fact_append(facts->mptcp, port);
	if (listener->is_signed)
		sw_fact_append(facts->signed_, port);
	if (listener->waiting > listener->backlog)
		sw_fact_append(facts->full, port);
}

void sw_read_listeners(struct sw_listener_facts *facts)
{
	facts->error = -sw_listeners_dump(take, facts);
}
