// SPDX-License-Identifier: GPL-2.0-or-later
#include "textfile.h"

#include "cleanup.h"
#include "error.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define MODE 0644

/* Prints into a file that is open, and sees it onto the disk. Returns 0 or -errno. */
static int fill(int fd, void (*print)(FILE *out, const void *context), const void *context)
{
	int copy = dup(fd), error = 0;
	FILE *out = copy >= 0 ? fdopen(copy, "w") : NULL;

	if (!out) {
		error = -errno;
		sw_close_fd(&copy);
		return error;
	}
	print(out, context);
	if (fflush(out) || fchmod(fd, MODE) || fsync(fd))
		error = -errno;
	else if (ferror(out))
		error = -EIO;
	if (fclose(out) && !error)
		error = -errno;
	return error;
}

/* A name that was given to a file lasts only once its directory is on the disk, too. */
static int sync_directory(const char *dir)
{
	SW_AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

int sw_textfile_replace(const char *dir, const char *name,
			void (*print)(FILE *out, const void *context), const void *context)
{
	char path[PATH_MAX], made[PATH_MAX]; /* hidden until it is whole, and not "*.prom" */
	SW_AUTO_FD int fd = -1;
	int error;

	if (!sw_format(path, sizeof(path), "%s/%s", dir, name) ||
	    !sw_format(made, sizeof(made), "%s/.%s.XXXXXX", dir, name))
		return sw_error(ENAMETOOLONG, "cannot write %s/%s: %s", dir, name,
				sw_errno_text(ENAMETOOLONG));
	fd = mkostemp(made, O_CLOEXEC);
	if (fd < 0)
		return sw_error(errno, "cannot write %s: %s", path, sw_errno_text(errno));
	error = fill(fd, print, context);
	if (!error && rename(made, path))
		error = -errno;
	if (error)
		unlink(made);
	else
		error = sync_directory(dir);
	return error ? sw_error(error, "cannot write %s: %s", path, sw_errno_text(error)) : 0;
}
