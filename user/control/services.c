// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads what was counted for each service of the active policy. */
#include "../base/services.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/time.h"
#include "control.h"
#include "instance.h"
#include "percpu.h"
#include "policy.h"

#include <string.h>

static int read_counters(int fd, uint32_t slot, struct sw_service_view *view)
{
	if (sw_percpu_sum(fd, slot, &view->counters, sizeof(view->counters)))
		return sw_error(errno, "cannot read the counters of the services: %s",
				sw_errno_text(errno));
	return 0;
}

static int read_services(int fd, const struct sw_policy *policy, struct sw_services *services)
{
	uint32_t count = policy->service_count < SW_MAX_SERVICES ? policy->service_count :
								   SW_MAX_SERVICES;
	int error = 0;

	services->generation = policy->generation;
	if (!count)
		return 0;
	for (uint32_t i = 0; i <= count && !error; i++) {
		uint32_t slot = i < count ? i : SW_SERVICE_DEFAULT;
		struct sw_service_view *view = &services->services[i];

		sw_format(view->name, sizeof(view->name), "%.*s", SW_SERVICE_NAME - 1,
			  i < count ? policy->services[slot].name : "default");
		error = read_counters(fd, slot, view);
	}
	services->count = count + 1;
	return error;
}

int sw_services_read(const char *pin_dir, struct sw_services *services)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	SW_AUTO_FREE struct sw_policy *policy = calloc(1, sizeof(*policy));
	SW_AUTO_FREE struct sw_services *made = calloc(1, sizeof(*made));
	struct sw_policy_state state;
	SW_AUTO_FD int fd = -1;
	int error;

	if (!policy || !made)
		return -ENOMEM;
	error = sw_instance_open(pin_dir, SW_ACCESS_READ, &instance);
	if (!error)
		error = sw_policy_read(&instance, policy, &state);
	if (!error)
		error = sw_instance_map(&instance, "service_counts",
					sizeof(struct sw_service_counters), &fd);
	if (!error)
		error = read_services(fd, policy, made);
	if (error)
		return error;
	made->taken_ns = sw_monotonic_ns();
	*services = *made;
	return 0;
}
