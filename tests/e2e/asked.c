// SPDX-License-Identifier: GPL-2.0-or-later
/* Loaded before libc: how often the kernel is asked by bpf(2) is said on standard error when the process ends. */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>

static unsigned long asked;

long syscall(long number, ...)
{
	long a[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	asked += number == SYS_bpf;
	return ((typeof(&syscall))dlsym(RTLD_NEXT, "syscall"))(number, a[0], a[1], a[2], a[3], a[4],
							       a[5]);
}

__attribute__((destructor)) static void say(void)
{
	fprintf(stderr, "asked %lu times\n", asked);
}
