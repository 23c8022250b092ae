// SPDX-License-Identifier: GPL-2.0-or-later
#include "privileges.h"

#include "../base/error.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/prctl.h>

static bool dropped;

bool sw_privileges_are_dropped(void)
{
	return dropped;
}

int sw_drop_privileges(void)
{
	bool may_shrink;

	if (capng_get_caps_process())
		return sw_error(EPERM, "cannot find out which capabilities this process has");
	/* the bounding set takes a capability to shrink, and is for programs that are run later */
	may_shrink = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	/* who has none may be forbidden to ask */
	if (capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE) {
		capng_clear(CAPNG_SELECT_BOTH);
		/* with what is permitted goes what is ambient: capabilities(7) */
		if ((may_shrink && capng_apply(CAPNG_SELECT_BOUNDS)) ||
		    capng_apply(CAPNG_SELECT_CAPS))
			return sw_error(EPERM, "cannot give up the capabilities of this process");
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return sw_error(errno, "cannot give up what other programs could gain: %s",
				sw_errno_text(errno));
	dropped = true;
	return 0;
}
