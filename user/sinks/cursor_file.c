// SPDX-License-Identifier: GPL-2.0-or-later
#include "cursor_file.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static int failed(const char *path, int error)
{
	return sw_error(error, "cannot keep the place in %s: %s", path, sw_errno_text(error));
}

/* A new one if it is not there. */
static int take(const char *path, struct sw_cursor_file *file)
{
	SW_AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0640);
	struct stat about;

	if (fd < 0 || fstat(fd, &about))
		return failed(path, errno);
	if (!S_ISREG(about.st_mode))
		return failed(path, EINVAL);
	if (flock(fd, LOCK_EX | LOCK_NB))
		return sw_error(EBUSY, "another process keeps its place in %s: choose another file",
				path);
	*file = (struct sw_cursor_file){
		.path = path, .fd = sw_take_fd(&fd), .device = about.st_dev, .inode = about.st_ino
	};
	return 0;
}

/* What is written to a file that has no name any more is for nobody who comes next. */
static int see_that_it_is_there(struct sw_cursor_file *file)
{
	struct stat about;
	int error;

	if (!stat(file->path, &about)) {
		if (about.st_dev == file->device && about.st_ino == file->inode)
			return 0;
		return sw_error(EIO,
				"%s was replaced by another file: run this again to go on from "
				"the place in that file, or choose another file",
				file->path);
	}
	if (errno != ENOENT)
		return failed(file->path, errno);
	sw_close_fd(&file->fd);
	error = take(file->path, file);
	if (!error)
		sw_note("%s was removed: a new one was made, with the place to go on from",
			file->path);
	return error;
}

static int begin(struct sw_cursor_file *file, const char *first_line)
{
	char line[64];
	int error = sw_cursor_file_read(file, line, sizeof(line));

	if (error)
		return error;
	file->is_new = !*line || !strcmp(line, first_line);
	return *line ? 0 : sw_cursor_file_write(file, first_line);
}

int sw_cursor_file_open(const char *path, const char *first_line, struct sw_cursor_file *file)
{
	int error = take(path, file);

	return error ? error : begin(file, first_line);
}

void sw_cursor_file_close(struct sw_cursor_file *file)
{
	sw_close_fd(&file->fd);
}

int sw_cursor_file_read(const struct sw_cursor_file *file, char *line, size_t size)
{
	ssize_t length = pread(file->fd, line, size - 1, 0);

	if (length < 0)
		return failed(file->path, errno);
	line[length] = '\0';
	for (ssize_t i = 0; i < length; i++)
		if (!line[i])
			line[i] = '?';
	return 0;
}

int sw_cursor_file_write(struct sw_cursor_file *file, const char *line)
{
	size_t length = strlen(line);
	int error = see_that_it_is_there(file);
	ssize_t written;

	if (error)
		return error;
	written = pwrite(file->fd, line, length, 0);
	return written == (ssize_t)length ? 0 : failed(file->path, written < 0 ? errno : ENOSPC);
}
