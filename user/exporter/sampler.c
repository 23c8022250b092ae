// SPDX-License-Identifier: GPL-2.0-or-later
#include "sampler.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/time.h"
#include "../readers/readers.h"

#include <event2/event_struct.h>

static struct {
	struct event timer;
	const char *pin_dir;
	struct sw_history history;
} sampler;

static void on_timer(evutil_socket_t none, short what, void *context)
{
	SW_AUTO_FREE struct sw_snapshot *snapshot = malloc(sizeof(*snapshot));
	bool read = snapshot && !sw_snapshot_read(sampler.pin_dir, snapshot);

	(void)none;
	(void)what;
	(void)context;
	sw_error_clear();
	sw_history_add(&sampler.history, read ? snapshot : NULL, sw_monotonic_ns());
}

void sw_sampler_start(struct event_base *base, const char *pin_dir)
{
	const struct timeval interval = { SW_HISTORY_INTERVAL_MS / 1000,
					  SW_HISTORY_INTERVAL_MS % 1000 * 1000 };

	sampler.pin_dir = pin_dir;
	event_assign(&sampler.timer, base, -1, EV_PERSIST, on_timer, NULL);
	event_add(&sampler.timer, &interval);
	event_active(&sampler.timer, EV_TIMEOUT, 0);
}

void sw_sampler_stop(void)
{
	if (sampler.pin_dir)
		event_del(&sampler.timer);
}

const struct sw_history *sw_sampler_history(void)
{
	return &sampler.history;
}
