// SPDX-License-Identifier: GPL-2.0-or-later
/* Loaded before libc: how often the kernel is asked by bpf(2), and for a link, is said on standard error when the process ends. */
#include "preloaded.h"

#include <stdio.h>

static unsigned long asked, linked;

static bool bpf_fails(long command, const union bpf_attr *attr)
{
	(void)attr;
	asked++;
	linked += command == BPF_LINK_CREATE;
	return false;
}

__attribute__((destructor)) static void say(void)
{
	fprintf(stderr, "asked %lu times, %lu for a link\n", asked, linked);
}
