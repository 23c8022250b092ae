// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lock of whoever changes something. It is on the parent, since the pin directory itself comes and goes,
 * and may be taken by anybody who may open that: so nobody waits for it without a word or an end.
 */
#include "pins.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/time.h"

#include <ctype.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#define WHO_SIZE      96
#define NOTE_AFTER_MS 500
#define TRY_AGAIN_MS  10

/* The process that has locked the file, or 0 if it is gone, or in no PID namespace of ours. */
static pid_t holder(int fd)
{
	SW_AUTO_FILE FILE *locks = fopen("/proc/locks", "re");
	unsigned int major, minor;
	unsigned long inode;
	struct stat about;
	char line[256];
	int pid;

	if (!locks || fstat(fd, &about))
		return 0;
	/* lines of those that wait have an arrow before FLOCK */
	while (fgets(line, sizeof(line), locks))
		if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid, &major, &minor, &inode) ==
			    4 &&
		    makedev(major, minor) == about.st_dev && inode == about.st_ino)
			return pid;
	return 0;
}

/* Who that is, in words. A process names itself, so its name may hold anything. */
static const char *describe(char who[WHO_SIZE], int fd)
{
	pid_t pid = holder(fd);
	SW_AUTO_FILE FILE *file = NULL;
	char path[32], name[32];
	struct stat about;

	sw_format(path, sizeof(path), "/proc/%d/comm", pid);
	if (pid > 0)
		file = fopen(path, "re");
	if (!file || fstat(fileno(file), &about) || !fgets(name, sizeof(name), file)) {
		sw_format(who, WHO_SIZE, "a process that cannot be seen from here");
		return who;
	}
	name[strcspn(name, "\n")] = '\0';
	for (char *letter = name; *letter; letter++)
		if (!isgraph((unsigned char)*letter))
			*letter = '?';
	sw_format(who, WHO_SIZE, "%s (pid %d, user %u)", name, pid, about.st_uid);
	return who;
}

int sw_pins_lock(struct sw_pins *pins, uint32_t patience_ms)
{
	const struct timespec pause = { .tv_nsec = TRY_AGAIN_MS * 1000000L };
	uint64_t began = sw_monotonic_ns(), waited_ms;
	bool noted = false;
	char who[WHO_SIZE];

	while (flock(pins->parent_fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return sw_error(errno, "cannot lock %s: %s", pins->shown,
					sw_errno_text(errno));
		waited_ms = (sw_monotonic_ns() - began) / 1000000;
		if (waited_ms >= patience_ms)
			return sw_error(EBUSY, "%s is still locked by %s, and nothing was changed",
					pins->shown, describe(who, pins->parent_fd));
		if (!noted && waited_ms >= NOTE_AFTER_MS)
			sw_note("%s is locked by %s; waiting for up to %u seconds", pins->shown,
				describe(who, pins->parent_fd), patience_ms / 1000);
		noted = waited_ms >= NOTE_AFTER_MS;
		nanosleep(&pause, NULL);
	}
	pins->locked = true;
	return 0;
}

bool sw_pins_are_locked(const struct sw_pins *pins)
{
	if (flock(pins->parent_fd, LOCK_SH | LOCK_NB))
		return errno == EWOULDBLOCK;
	flock(pins->parent_fd, LOCK_UN); /* who wanted it just now tries again */
	return false;
}
