// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the active policy, whole. */
#include "readers.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/policy_slot.h"
#include "../policy/policy_view_reader.h"

#define LOOKS 5 /* until what is read is of one policy */

int sw_active_policy_read(const char *pin_dir, struct sw_policy *policy,
			  struct sw_policy_view *view)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	SW_AUTO_FREE struct sw_policy *made = malloc(sizeof(*made));
	SW_AUTO_FREE struct sw_policy_view *made_view = malloc(sizeof(*made_view));
	struct sw_policy_state state;
	int error;

	if (!made || !made_view)
		return -ENOMEM;
	error = sw_instance_open(pin_dir, SW_ACCESS_READ, &instance);
	for (int look = 0; look < LOOKS && !error; look++) {
		error = sw_policy_read(&instance, made, &state);
		if (!error)
			error = sw_policy_view_read(&instance, made_view);
		if (!error && made_view->generation == made->generation)
			break;
	}
	if (error)
		return error;
	*policy = *made;
	*view = *made_view;
	return 0;
}
