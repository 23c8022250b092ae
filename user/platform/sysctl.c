// SPDX-License-Identifier: GPL-2.0-or-later
#include "sysctl.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 128

static const char *path_of(char path[PATH_SIZE], const char *name)
{
	sw_format(path, PATH_SIZE, "/proc/sys/net/%s", name);
	return path;
}

long sw_sysctl_read(const char *name, int index, long without)
{
	SW_AUTO_FILE FILE *file = NULL;
	char path[PATH_SIZE];
	long value;

	file = fopen(path_of(path, name), "re");
	for (int i = 0; i <= index; i++)
		if (!file || fscanf(file, "%ld", &value) != 1)
			return without;
	return value;
}

int sw_sysctl_write(const char *name, long value)
{
	char path[PATH_SIZE], text[24];
	SW_AUTO_FD int fd = open(path_of(path, name), O_WRONLY | O_CLOEXEC);
	size_t length;

	sw_format(text, sizeof(text), "%ld\n", value);
	length = strlen(text);
	if (fd < 0)
		return -errno;
	return write(fd, text, length) == (ssize_t)length ? 0 : -errno;
}
