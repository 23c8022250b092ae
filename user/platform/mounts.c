// SPDX-License-Identifier: GPL-2.0-or-later
#include "mounts.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

bool sw_is_bpffs(int fd)
{
	struct statfs about;

	return fstatfs(fd, &about) == 0 && about.f_type == BPF_FS_MAGIC;
}

bool sw_proc_is_mounted(void)
{
	struct statfs about;

	return statfs("/proc/self/fd", &about) == 0 && about.f_type == PROC_SUPER_MAGIC;
}

static pid_t parent_of(pid_t pid)
{
	char path[32], line[512], *end;
	SW_AUTO_FILE FILE *file = NULL;
	int parent;

	sw_format(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file || !fgets(line, sizeof(line), file))
		return 0;
	end = strrchr(line, ')'); /* the name before it may hold anything */
	if (!end || sscanf(end, ") %*c %d", &parent) != 1)
		return 0;
	return parent;
}

static bool may_enter(pid_t pid)
{
	struct stat about;
	char path[32];

	sw_format(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	if (stat(path, &about))
		return false;
	sw_format(path, sizeof(path), "/proc/%d/root/", pid);
	return stat(path, &about) == 0;
}

pid_t sw_mount_keeper(void)
{
	pid_t keeper = getpid();

	if (may_enter(1))
		return 1;
	for (pid_t pid = parent_of(keeper); pid > 0; pid = parent_of(pid))
		if (may_enter(pid))
			keeper = pid;
	return keeper;
}

/* In a child, since a process that has changed its mount namespace has no way back. */
static int mount_inside(int namespace_fd)
{
	struct statfs about;

	if (setns(namespace_fd, CLONE_NEWNS))
		return errno;
	/* another one above it would hide whatever anybody has pinned */
	if (!statfs(SW_BPFFS, &about) && about.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", SW_BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return errno;
	return 0;
}

int sw_mount_bpffs(pid_t keeper)
{
	SW_AUTO_FD int namespace_fd = -1;
	int status, error;
	char path[32];
	pid_t child;

	sw_format(path, sizeof(path), "/proc/%d/ns/mnt", keeper);
	namespace_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (namespace_fd < 0)
		return sw_error(errno, "cannot open %s: %s; mount a bpffs first: " SW_MOUNT_BPFFS,
				path, sw_errno_text(errno));
	child = fork();
	if (child == 0)
		_exit(mount_inside(namespace_fd));
	if (child < 0 || waitpid(child, &status, 0) != child)
		return sw_error(errno, "cannot start a process: %s", sw_errno_text(errno));
	error = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	if (error)
		return sw_error(error,
				"no bpffs is mounted on %s and mounting one failed: %s; as "
				"root: " SW_MOUNT_BPFFS,
				SW_BPFFS, sw_errno_text(error));
	return 0;
}
