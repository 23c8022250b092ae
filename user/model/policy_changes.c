// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy_changes.h"

#include <stdlib.h>

void sw_changes_free(struct sw_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		free(changes->changes[i].path);
		free(changes->changes[i].before);
		free(changes->changes[i].after);
	}
	free(changes->changes);
	*changes = (struct sw_changes){};
}
