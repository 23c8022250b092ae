// SPDX-License-Identifier: GPL-2.0-or-later
#include "progress.h"

#include "../base/number.h"
#include "../base/time.h"

#include <stdio.h>
#include <unistd.h>

#define PATIENCE_NS 2000000000ULL /* before this, a bar would only flash up */
#define PERIOD_NS   200000000ULL
#define BAR_WIDTH   30

void sw_progress_start(struct sw_progress *progress, const char *unit)
{
	*progress = (struct sw_progress){ .unit = unit,
					  .started_ns = sw_monotonic_ns(),
					  .watched = isatty(STDERR_FILENO) };
}

void sw_progress_step(struct sw_progress *progress, uint64_t done, uint64_t all, uint64_t count)
{
	static const char full[] = "##############################";
	char text[SW_NUMBER_SIZE];
	uint64_t now_ns;
	int width;

	if (!progress->watched)
		return;
	now_ns = sw_monotonic_ns();
	if (now_ns - progress->started_ns < PATIENCE_NS || now_ns - progress->shown_ns < PERIOD_NS)
		return;
	progress->shown_ns = now_ns;
	sw_format_count(text, count);
	if (!all) {
		fprintf(stderr, "\r\033[K%s %s", text, progress->unit);
		return;
	}
	if (done > all)
		done = all;
	width = (int)(done * BAR_WIDTH / all);
	fprintf(stderr, "\r\033[K[%-*.*s] %3u%% %s %s", BAR_WIDTH, width, full,
		(unsigned int)(done * 100 / all), text, progress->unit);
}

void sw_progress_end(struct sw_progress *progress)
{
	if (progress->shown_ns)
		fputs("\r\033[K", stderr);
	progress->shown_ns = 0;
}
