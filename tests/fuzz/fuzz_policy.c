// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a policy file: it is refused with a line that names the file, or what it says, written down
 * again, says the same. The Makefile has the files that are linked with this.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../user/base/error.h"
#include "../../user/config/config.h"
#include "../../user/model/policy.h"

static char path[64];

/* A file of nothing but these bytes, by path. */
static void fill(const void *bytes, size_t length)
{
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("policy", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	assert(fd >= 0 && !ftruncate(fd, 0) && pwrite(fd, bytes, length, 0) == (ssize_t)length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct sw_policy policy, again;
	char *printed = NULL;
	size_t size;
	FILE *out;
	int error;

	fill(bytes, length);
	error = sw_config_load(path, &policy);
	if (error) {
		assert(error == -EINVAL && !strncmp(sw_error_text(), path, strlen(path)));
		sw_error_clear();
		return 0;
	}
	out = open_memstream(&printed, &size);
	assert(out);
	sw_config_print(out, &policy);
	fclose(out);
	fill(printed, size);
	assert(!sw_config_load(path, &again));
	assert(sw_policy_equal(&policy, &again));
	free(printed);
	return 0;
}
