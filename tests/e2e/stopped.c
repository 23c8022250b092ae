// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loaded before libc: each call that changes something which outlives the process is a step. Before the step
 * STOP_AT (the first is 1) the process is killed, or, with STOP_HOW=fail, the step fails with EIO, or, with
 * STOP_HOW=wait, the process stops until it is told to go on. STEPS names a file that gets a line for each.
 * With STOP_HOW=memory alone, there is no memory for any program. With STOP_GET, it stops before it first opens a pin whose path
 * ends so.
 */
#include "preloaded.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Returns whether the step is to fail. */
static bool step(const char *what, const char *path)
{
	static long taken;
	const char *at = getenv("STOP_AT"), *how = getenv("STOP_HOW"), *log = getenv("STEPS");
	FILE *file = log ? fopen(log, "ae") : NULL;

	taken++;
	if (file) {
		fprintf(file, "%s %s\n", what, path);
		fclose(file);
	}
	if (!at || atol(at) != taken)
		return false;
	if (how && !strcmp(how, "fail")) {
		errno = EIO;
		return true;
	}
	if (how && !strcmp(how, "wait")) {
		raise(SIGSTOP);
		return false;
	}
	kill(getpid(), SIGKILL);
	return true;
}

static const char *lasting(long command)
{
	switch (command) {
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_UPDATE_BATCH:
		return "update";
	case BPF_MAP_DELETE_ELEM:
		return "delete";
	case BPF_OBJ_PIN:
		return "pin";
	case BPF_PROG_TEST_RUN:
		return "run";
	case BPF_LINK_CREATE:
		return "create";
	case BPF_LINK_UPDATE:
		return "replace";
	case BPF_LINK_DETACH:
		return "detach";
	}
	return NULL;
}

static void stop_before_get(const char *path)
{
	static bool stopped;
	const char *end = getenv("STOP_GET");
	size_t length = strlen(path);

	if (stopped || !end || length < strlen(end) ||
	    strcmp(path + length - strlen(end), end) != 0)
		return;
	stopped = true;
	raise(SIGSTOP);
}

static bool bpf_fails(long command, const union bpf_attr *attr)
{
	const char *what = lasting(command), *how = getenv("STOP_HOW");

	if (command == BPF_PROG_LOAD && how && !strcmp(how, "memory")) {
		errno = ENOMEM;
		return true;
	}
	if (command == BPF_OBJ_GET)
		stop_before_get((const char *)attr->pathname);
	return what && step(what, command == BPF_OBJ_PIN ? (const char *)attr->pathname : "");
}

/* Of the kinds of messages of rtnetlink in fours, the first two make and remove. */
static bool changes(const void *data, size_t size)
{
	const struct nlmsghdr *message = data;

	return size >= sizeof(*message) && message->nlmsg_type >= NLMSG_MIN_TYPE &&
	       message->nlmsg_type % 4 < 2;
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	if (changes(data, size) && step("send", ""))
		return -1;
	return REAL(send)(fd, data, size, flags);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
	       socklen_t length)
{
	if (changes(data, size) && step("send", ""))
		return -1;
	return REAL(sendto)(fd, data, size, flags, to, length);
}

int mkdir(const char *path, mode_t mode)
{
	return step("mkdir", path) ? -1 : REAL(mkdir)(path, mode);
}

int rename(const char *from, const char *to)
{
	return step("rename", to) ? -1 : REAL(rename)(from, to);
}

int unlink(const char *path)
{
	return step("unlink", path) ? -1 : REAL(unlink)(path);
}

int unlinkat(int fd, const char *path, int flags)
{
	char name[32], whole[PATH_MAX] = "";
	ssize_t length;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	length = readlink(name, whole, sizeof(whole) / 2);
	if (length > 0)
		snprintf(whole + length, sizeof(whole) / 2, "/%s", path);
	return step("unlink", whole) ? -1 : REAL(unlinkat)(fd, path, flags);
}

int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	if (flags & O_ACCMODE && strncmp(path, "/dev/", 5) && step("open", path))
		return -1;
	return REAL(open)(path, flags, mode);
}
