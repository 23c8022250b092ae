// SPDX-License-Identifier: GPL-2.0-or-later
#include "state_dir.h"

#include "cleanup.h"
#include "error.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int sw_state_dir_path(const char *dir, const char *name, char path[SW_STATE_PATH])
{
	if (sw_format(path, SW_STATE_PATH, "%s/%s", dir, name))
		return 0;
	return sw_error(ENAMETOOLONG, "the state directory's path is too long: %s", dir);
}

int sw_state_dir_check(const char *path)
{
	struct stat about;

	if (stat(path, &about) || S_ISREG(about.st_mode))
		return 0;
	return sw_error(EPROTO,
			"%s is not a file; move it away, or choose another place with --state-dir",
			path);
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

/* Writes a file and sees it onto the disk. Returns 0, or -1 with errno. */
static int write_file(int dir_fd, const char *name, int (*write)(FILE *file, const void *context),
		      const void *context)
{
	FILE *file;
	int error = 0, fd;

	unlinkat(dir_fd, name, 0); /* of one that was killed, or a FIFO, which nobody may read */
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	file = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!file) {
		error = errno;
		sw_close_fd(&fd);
		errno = error;
		return -1;
	}
	if (write(file, context) || fflush(file) || fsync(fileno(file)))
		error = errno;
	else if (ferror(file))
		error = EIO;
	if (fclose(file) && !error)
		error = errno;
	errno = error;
	return error ? -1 : 0;
}

int sw_state_dir_replace(int dir_fd, const char *name,
			 int (*write)(FILE *file, const void *context), const void *context)
{
	char new[SW_STATE_PATH]; /* until it is whole */
	int error = 0;

	if (!sw_format(new, sizeof(new), "%s.new", name))
		return -ENAMETOOLONG;
	/* the directory last: a name that is on the disk is never that of what is not */
	if (write_file(dir_fd, new, write, context) || renameat(dir_fd, new, dir_fd, name) ||
	    fsync(dir_fd))
		error = -errno;
	if (error)
		unlinkat(dir_fd, new, 0);
	return error;
}
