// SPDX-License-Identifier: GPL-2.0-or-later
#include "wall_clock.h"

#include <sys/timex.h>

void sw_wall_clock_read(struct sw_wall_clock *clock)
{
	struct timex time = {};
	int state = adjtimex(&time);

	clock->synchronised = state >= 0 && state != TIME_ERROR && !(time.status & STA_UNSYNC);
	clock->tai_minus_utc_s = time.tai;
}
