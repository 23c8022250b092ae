// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <bpf/bpf.h>
#include <sys/mman.h>

static int failed(const char *what)
{
	return sw_error(errno, "cannot %s: %s", what, sw_errno_text(errno));
}

int sw_settings_read(const struct sw_instance *instance, struct sw_settings *settings)
{
	SW_AUTO_FD int fd = -1;
	__u32 zero = 0;
	int error = sw_instance_map(instance, "settings", sizeof(*settings), &fd);

	if (!error && bpf_map_lookup_elem(fd, &zero, settings))
		error = failed("read the settings");
	return error;
}

int sw_settings_map(const struct sw_instance *instance, struct sw_settings **settings)
{
	SW_AUTO_FD int fd = -1;
	void *memory;
	int error = sw_instance_map(instance, "settings", sizeof(**settings), &fd);

	if (error)
		return error;
	memory = mmap(NULL, sizeof(**settings), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return failed("write the settings");
	*settings = memory;
	return 0;
}

void sw_settings_unmap(struct sw_settings **settings)
{
	if (*settings)
		munmap(*settings, sizeof(**settings));
	*settings = NULL;
}
