/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_PRELOADED_H
#define SYNWARD_TESTS_PRELOADED_H

/* For libraries that are loaded before libc: its functions, and what comes between a program and bpf(2). */

#include <dlfcn.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/syscall.h>

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

/* Called before each bpf(2). Returns whether that is to fail, with errno as it is then. */
static bool bpf_fails(long command, const union bpf_attr *attr);

/* libbpf has no other way to the kernel. */
long syscall(long number, ...)
{
	long a[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_bpf && bpf_fails(a[0], (const void *)a[1]))
		return -1;
	return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#endif
