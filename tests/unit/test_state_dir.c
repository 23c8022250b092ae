// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file of the state directory is written anew: whatever fails, whoever is killed, and after a power
 * cut there is the old one or the new one, as a whole.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/errors.h"

#include "../../include/synward/base.h"
#include "../../user/base/cleanup.h"

#define NAME "file"
#define OLD  "the old one\n"
#define NEW  "the new one, which is longer\n"

enum step {
	STEP_WRITE,
	STEP_SYNC_FILE,
	STEP_RENAME,
	STEP_SYNC_DIR,
	STEP_COUNT,
	STEP_NONE = STEP_COUNT,
};

static char dir[] = "/tmp/synward-state-dir-XXXXXX";
static int dir_fd;
static enum step broken;   /* this one fails, or never comes to be done */
static bool killed;	   /* the latter */
static enum step done[16]; /* in which order */
static size_t count;

/* Returns whether the step is to fail. */
static bool arrive(enum step step)
{
	if (step == broken && killed)
		_exit(0);
	done[count++ % 16] = step;
	errno = EIO;
	return step == broken;
}

static int watched_fsync(int fd)
{
	return arrive(fd == dir_fd ? STEP_SYNC_DIR : STEP_SYNC_FILE) ? -1 : fsync(fd);
}

static int watched_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return arrive(STEP_RENAME) ? -1 : renameat(from_fd, from, to_fd, to);
}

#define fsync	 watched_fsync
#define renameat watched_renameat
#include "../../user/base/state_dir.c"
#undef fsync
#undef renameat

/* Half of it is on its way when it fails or is killed. */
static int write_text(FILE *file, const void *text)
{
	size_t half = strlen(text) / 2;

	assert_int_equal(fwrite(text, 1, half, file), half);
	assert_int_equal(fflush(file), 0);
	if (arrive(STEP_WRITE))
		return -1;
	return fputs((const char *)text + half, file) == EOF ? -1 : 0;
}

static int replace(const char *text)
{
	count = 0;
	return sw_state_dir_replace(dir_fd, NAME, write_text, text);
}

static void expect_text(const char *text)
{
	int fd = openat(dir_fd, NAME, O_RDONLY);
	char bytes[64] = "";

	assert_true(fd >= 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes) - 1), strlen(text));
	assert_string_equal(bytes, text);
	close(fd);
}

static bool has_left_something(void)
{
	return !faccessat(dir_fd, NAME ".new", F_OK, 0);
}

static int make_dir(void **state __unused)
{
	assert_non_null(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	return dir_fd < 0;
}

static int reset(void **state __unused)
{
	killed = false;
	broken = STEP_NONE;
	unlinkat(dir_fd, NAME ".new", 0);
	return replace(OLD);
}

static int remove_dir(void **state __unused)
{
	unlinkat(dir_fd, NAME, 0);
	unlinkat(dir_fd, NAME ".new", 0);
	close(dir_fd);
	return rmdir(dir);
}

/* What is on the disk before the name, and the name before anybody is told, outlives a power cut. */
static void everything_is_on_the_disk_in_order(void **state __unused)
{
	const enum step order[] = { STEP_WRITE, STEP_SYNC_FILE, STEP_RENAME, STEP_SYNC_DIR };
	struct stat about;

	assert_int_equal(replace(NEW), 0);
	assert_int_equal(count, STEP_COUNT);
	assert_memory_equal(done, order, sizeof(order));
	expect_text(NEW);
	assert_int_equal(fstatat(dir_fd, NAME, &about, 0), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	assert_false(has_left_something());
}

static void what_fails_leaves_a_whole_one(void **state)
{
	for (enum step step = 0; step < STEP_COUNT; step++) {
		reset(state);
		broken = step;
		assert_int_equal(replace(NEW), -EIO);
		expect_text(step == STEP_SYNC_DIR ? NEW : OLD);
		assert_false(has_left_something());
	}
}

static void who_is_killed_leaves_a_whole_one(void **state)
{
	for (enum step step = 0; step < STEP_COUNT; step++) {
		pid_t child;

		reset(state);
		broken = step;
		killed = true;
		child = fork();
		assert_true(child >= 0);
		if (!child)
			_exit(!replace(NEW));
		assert_int_equal(waitpid(child, NULL, 0), child);
		expect_text(step == STEP_SYNC_DIR ? NEW : OLD);
		/* and what it has left stands in nobody's way */
		broken = STEP_NONE;
		assert_int_equal(replace("short\n"), 0);
		expect_text("short\n");
		assert_false(has_left_something());
	}
}

static void a_name_that_is_too_long_is_refused(void **state __unused)
{
	char name[SW_STATE_PATH];

	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(sw_state_dir_replace(dir_fd, name, write_text, NEW), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(everything_is_on_the_disk_in_order, reset),
		cmocka_unit_test_setup(what_fails_leaves_a_whole_one, reset),
		cmocka_unit_test_setup(who_is_killed_leaves_a_whole_one, reset),
		cmocka_unit_test_setup(a_name_that_is_too_long_is_refused, reset),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
