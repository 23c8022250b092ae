// SPDX-License-Identifier: GPL-2.0-or-later
#include "interrupts.h"

#include <errno.h>

static const int interrupts[] = { SIGINT, SIGHUP, SIGTERM };
#define COUNT (sizeof(interrupts) / sizeof(interrupts[0]))

static sigset_t held;

void sw_interrupts_hold(sigset_t *before)
{
	struct sigaction action;

	sigemptyset(&held);
	/* one that is blocked is kept for later even if it is ignored, as `nohup` does */
	for (unsigned int i = 0; i < COUNT; i++)
		if (!sigaction(interrupts[i], NULL, &action) && action.sa_handler != SIG_IGN)
			sigaddset(&held, interrupts[i]);
	pthread_sigmask(SIG_BLOCK, &held, before);
}

int sw_interrupts_check(void)
{
	sigset_t pending;

	sigpending(&pending);
	for (unsigned int i = 0; i < COUNT; i++)
		if (sigismember(&held, interrupts[i]) && sigismember(&pending, interrupts[i]))
			return -EINTR;
	return 0;
}

void sw_interrupts_release(const sigset_t *before)
{
	const struct timespec now = {};

	while (sigtimedwait(&held, NULL, &now) > 0)
		;
	pthread_sigmask(SIG_SETMASK, before, NULL);
}
