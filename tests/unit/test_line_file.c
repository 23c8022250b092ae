// SPDX-License-Identifier: GPL-2.0-or-later
/* A file that lines are appended to, and that somebody else takes away. */
#include "../../user/base/error.c"
#include "../../user/base/number.c"
#include "../../user/base/printable.c"
#include "../../user/sinks/line_file.c"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define LINE	"a line that is longer than there is room for\n"
#define FOREIGN "somebody else's\n"

/* What is in its place has room for no more: what it held before stays. */
static void what_took_its_place_is_left_whole(void **state)
{
	struct rlimit before,
		no_room = { .rlim_cur = strlen(FOREIGN) + 4, .rlim_max = RLIM_INFINITY };
	char path[] = "/tmp/synward-line-file-XXXXXX";
	struct sw_line_file file;
	struct stat about;
	FILE *foreign;
	int made = mkstemp(path), error;

	(void)state;
	assert_true(made >= 0 && !close(made));
	assert_int_equal(sw_line_file_open(path, &file), 0);
	assert_int_equal(sw_line_file_put(&file, LINE, strlen(LINE)), 0);
	assert_int_equal(unlink(path), 0);
	foreign = fopen(path, "w");
	assert_non_null(foreign);
	fputs(FOREIGN, foreign);
	assert_int_equal(fclose(foreign), 0);
	signal(SIGXFSZ, SIG_IGN);
	/* of whatever this process writes, its report as well */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &no_room), 0);
	error = sw_line_file_put(&file, LINE, strlen(LINE));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(error < 0);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_size, strlen(FOREIGN));
	sw_line_file_close(&file);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_took_its_place_is_left_whole) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
