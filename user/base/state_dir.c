// SPDX-License-Identifier: GPL-2.0-or-later
#include "state_dir.h"

#include "cleanup.h"
#include "error.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

int sw_state_dir_path(const char *dir, const char *name, char path[SW_STATE_PATH])
{
	if (sw_format(path, SW_STATE_PATH, "%s/%s", dir, name))
		return 0;
	return sw_error(ENAMETOOLONG, "the state directory's path is too long: %s", dir);
}

/* Makes a directory and those above it that are missing. */
static int make_dirs(const char *dir)
{
	char path[SW_STATE_PATH];
	size_t length = strlen(dir);

	sw_format(path, sizeof(path), "%s", dir);
	for (size_t i = 1; i <= length; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		path[i] = '\0';
		if (mkdir(path, i == length ? 0700 : 0755) && errno != EEXIST)
			return sw_error(errno,
					"cannot make the state directory %s: %s; choose another "
					"place with --state-dir",
					path, sw_errno_text(errno));
		path[i] = dir[i];
	}
	return 0;
}

int sw_state_dir_open(const char *dir, int *fd)
{
	char path[SW_STATE_PATH];
	int error = sw_state_dir_path(dir, "", path);

	if (!error)
		error = make_dirs(dir);
	if (error)
		return error;
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (*fd >= 0 && flock(*fd, LOCK_EX)) {
		if (errno == EINTR)
			continue;
		sw_close_fd(fd);
	}
	if (*fd < 0)
		return sw_error(errno, "cannot open the state directory %s: %s", dir,
				sw_errno_text(errno));
	return 0;
}
