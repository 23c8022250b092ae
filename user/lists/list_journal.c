// SPDX-License-Identifier: GPL-2.0-or-later
#include "list_journal.h"

#include "../base/address.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/number.h"
#include "../base/state_dir.h"
#include "../base/time.h"
#include "journal_line.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#define HEADER "# synward state 1\n"
#define NOTES  5 /* damaged lines that are named */

static int failed(const char *what, const char *path)
{
	return sw_error(errno,
			"cannot %s the state file %s: %s; choose another place with "
			"--state-dir, or remove it",
			what, path, sw_errno_text(errno));
}

/* ---- reading */

static int check_header(const char *path, FILE *file)
{
	char line[sizeof(HEADER)];

	if (!fgets(line, sizeof(line), file))
		return ferror(file) ? failed("read", path) :
				      -ENOENT; /* of no bytes: as good as none */
	if (strcmp(line, HEADER) != 0)
		return sw_error(
			EPROTO,
			"%s is no state file of this synward: expected its first line to be "
			"%.*s; move it away, or choose another place with --state-dir",
			path, (int)strlen(HEADER) - 1, HEADER);
	return 0;
}

static void note_damage(const char *path, uint64_t line, uint64_t count)
{
	if (count <= NOTES)
		sw_note("%s:%" PRIu64 ": a damaged line was left out", path, line);
}

static int read_lines(const char *path, FILE *file, struct sw_entries lists[SW_LIST_COUNT])
{
	struct sw_journal_times times = { .apart_s = sw_boot_to_wall_s(), .boot_s = sw_boot_s() };
	uint64_t number = 1, damaged = 0;
	SW_AUTO_FREE char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int error = 0;

	while (!error && (length = getline(&line, &room, file)) >= 0) {
		number++;
		error = sw_journal_parse(line, (size_t)length, &times, lists);
		if (error == -EBADMSG) {
			note_damage(path, number, ++damaged);
			error = 0;
		}
	}
	if (!error && ferror(file))
		error = failed("read", path);
	if (damaged > NOTES)
		sw_note("%s: %" PRIu64 " more damaged %s left out", path, damaged - NOTES,
			sw_noun(damaged - NOTES, "line was", "lines were"));
	return error;
}

int sw_journal_read(const char *dir, struct sw_entries lists[SW_LIST_COUNT])
{
	SW_AUTO_FILE FILE *file = NULL;
	char path[SW_STATE_PATH];
	int error = sw_state_dir_path(dir, SW_JOURNAL_FILE, path);

	if (!error)
		error = sw_state_dir_check(path);
	if (error)
		return error;
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT || errno == ENOTDIR ? 0 : failed("read", path);
	error = check_header(path, file);
	if (error)
		return error == -ENOENT ? 0 : error;
	error = read_lines(path, file, lists);
	for (int i = 0; i < SW_LIST_COUNT; i++)
		sw_entries_settle(&lists[i]);
	return error;
}

uint64_t sw_journal_lines(const char *dir)
{
	SW_AUTO_FREE char *piece = malloc(SW_JOURNAL_PIECE);
	SW_AUTO_FILE FILE *file = NULL;
	char path[SW_STATE_PATH];
	uint64_t lines = 0;
	size_t length;

	if (piece && sw_format(path, sizeof(path), "%s/" SW_JOURNAL_FILE, dir))
		file = fopen(path, "re");
	while (file && (length = fread(piece, 1, SW_JOURNAL_PIECE, file)) > 0)
		for (const char *at = piece; (at = memchr(at, '\n', length - (size_t)(at - piece)));
		     at++)
			lines++;
	return lines;
}

/* ---- writing */

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return -1;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

/* Appends to an open file; what could not be written as a whole is taken back. */
static int append(int fd, const char *path, const char *bytes, size_t length)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char last = '\n';
	int error;

	if (end < 0 || (end > 0 && pread(fd, &last, 1, end - 1) != 1))
		return failed("read", path);
	/* a line that was torn must not spoil the next one */
	if ((end == 0 && write_all(fd, HEADER, strlen(HEADER))) ||
	    (last != '\n' && write_all(fd, "\n", 1)) || write_all(fd, bytes, length) ||
	    fdatasync(fd)) {
		error = failed("write", path);
		if (ftruncate(fd, end))
			sw_note("%s could not be restored: its last lines may be damaged", path);
		return error;
	}
	return 0;
}

static int append_text(const char *dir, const struct sw_journal_text *text)
{
	SW_AUTO_FD int dir_fd = -1, fd = -1;
	char path[SW_STATE_PATH];
	int error;

	if (text->failed)
		return sw_error(ENOMEM, "not enough memory to write the state");
	error = sw_state_dir_path(dir, SW_JOURNAL_FILE, path);
	if (!error)
		error = sw_state_dir_open(dir, &dir_fd);
	if (error)
		return error;
	error = sw_state_dir_check(path);
	if (error)
		return error;
	fd = openat(dir_fd, SW_JOURNAL_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed("open", path);
	error = append(fd, path, text->bytes, text->length);
	if (!error && fsync(dir_fd))
		error = failed("write", path);
	return error;
}

int sw_journal_append(const char *dir, enum sw_list list, const struct sw_entries *entries,
		      bool deleted)
{
	SW_AUTO_JOURNAL_TEXT struct sw_journal_text text = { .apart_s = sw_boot_to_wall_s() };

	for (size_t i = 0; i < entries->count; i++) {
		if (deleted)
			sw_journal_put_deleted(&text, list, &entries->rows[i].prefix);
		else
			sw_journal_put(&text, list, &entries->rows[i]);
	}
	return entries->count ? append_text(dir, &text) : 0;
}

int sw_journal_append_clear(const char *dir, enum sw_list list)
{
	SW_AUTO_JOURNAL_TEXT struct sw_journal_text text = {};

	sw_journal_put_deleted(&text, list, NULL);
	return append_text(dir, &text);
}

static int write_piece(FILE *file, struct sw_journal_text *text)
{
	size_t length = text->length;

	text->length = 0;
	return fwrite(text->bytes, 1, length, file) == length ? 0 : -1;
}

static int write_lists(FILE *file, const void *context)
{
	SW_AUTO_JOURNAL_TEXT struct sw_journal_text text = { .apart_s = sw_boot_to_wall_s() };
	const struct sw_entries *lists = context;

	if (fputs(HEADER, file) == EOF)
		return -1;
	for (int list = 0; list < SW_LIST_COUNT; list++) {
		for (size_t i = 0; i < lists[list].count; i++) {
			sw_journal_put(&text, (enum sw_list)list, &lists[list].rows[i]);
			if (text.length >= SW_JOURNAL_PIECE && write_piece(file, &text))
				return -1;
		}
	}
	if (text.failed) {
		errno = ENOMEM;
		return -1;
	}
	return text.length ? write_piece(file, &text) : 0;
}

int sw_journal_write(const char *dir, const struct sw_entries lists[SW_LIST_COUNT])
{
	SW_AUTO_FD int dir_fd = -1;
	char path[SW_STATE_PATH];
	int error = sw_state_dir_path(dir, SW_JOURNAL_FILE, path);

	if (!error)
		error = sw_state_dir_open(dir, &dir_fd);
	if (error)
		return error;
	error = sw_state_dir_replace(dir_fd, SW_JOURNAL_FILE, write_lists, lists);
	if (error) {
		errno = -error;
		error = failed("write", path);
	}
	return error;
}
