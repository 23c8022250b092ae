// SPDX-License-Identifier: GPL-2.0-or-later
#include "line_file.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

static int failed(const char *path, int error)
{
	return sw_error(error, "cannot write to %s: %s", path, sw_errno_text(error));
}

static bool is_full(int error)
{
	return error == ENOSPC || error == EDQUOT;
}

/* Whoever wrote it last may have been cut off by a crash of the machine. */
static int end_last_line(int fd, off_t size)
{
	char last = '\n';

	if (size && pread(fd, &last, 1, size - 1) < 0)
		return -errno;
	return last == '\n' || write(fd, "\n", 1) == 1 ? 0 : -errno;
}

int sw_line_file_open(const char *path, struct sw_line_file *file)
{
	SW_AUTO_FD int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0640);
	struct stat about;
	int error;

	if (fd < 0 || fstat(fd, &about))
		return failed(path, errno);
	if (!S_ISREG(about.st_mode))
		return sw_error(EIO,
				"%s is not a regular file; without --output events go to "
				"standard output",
				path);
	if (flock(fd, LOCK_EX | LOCK_NB))
		return sw_error(EBUSY, "another process appends to %s: choose another file", path);
	error = end_last_line(fd, about.st_size);
	if (error)
		return failed(path, -error);
	*file = (struct sw_line_file){ .path = path, .fd = sw_take_fd(&fd) };
	return 0;
}

void sw_line_file_close(struct sw_line_file *file)
{
	sw_close_fd(&file->fd);
}

bool sw_line_file_is_open(const struct sw_line_file *file)
{
	return file->fd >= 0;
}

static int no_room(struct sw_line_file *file, int error)
{
	if (!file->full)
		sw_note("%s cannot grow: %s; events wait until it can", file->path,
			sw_errno_text(error));
	file->full = true;
	return -EAGAIN;
}

int sw_line_file_reopen(struct sw_line_file *file)
{
	bool full = file->full;
	int error;

	sw_line_file_close(file);
	error = sw_line_file_open(file->path, file);
	if (error && is_full(-error)) {
		sw_error_clear();
		return no_room(file, -error);
	}
	file->full = full;
	return error;
}

/* Takes back the part of a line for which there was room; the lock keeps others from having written behind it. */
static int take_back(struct sw_line_file *file, off_t size, int error)
{
	if (ftruncate(file->fd, size))
		return failed(file->path, errno);
	if (!is_full(error))
		return failed(file->path, error);
	return no_room(file, error);
}

static int length_of(const struct sw_line_file *file, struct stat *about)
{
	return fstat(file->fd, about) ? failed(file->path, errno) : 0;
}

/*
 * How long it is. If it was removed, nobody would ever read what is written to it, so it is made again; or what was put in
 * its place goes on, of which nothing may be taken back.
 */
static int size_of(struct sw_line_file *file, off_t *size)
{
	struct stat about;
	int error = length_of(file, &about);

	if (!error && !about.st_nlink) {
		error = sw_line_file_reopen(file);
		if (!error)
			error = length_of(file, &about);
		if (error)
			return error;
		if (about.st_size)
			sw_note("%s was removed: events go on in the file that is there now",
				file->path);
		else
			sw_note("%s was removed: it was made again", file->path);
	}
	if (!error)
		*size = about.st_size;
	return error;
}

int sw_line_file_put(struct sw_line_file *file, const char *line, size_t length)
{
	ssize_t written;
	off_t size;
	int error = size_of(file, &size);

	if (error)
		return error;
	written = write(file->fd, line, length);
	if (written < 0)
		return take_back(file, size, errno);
	if ((size_t)written < length)
		return take_back(file, size, ENOSPC);
	if (file->full)
		sw_note("%s grows again", file->path);
	file->full = false;
	return 0;
}
