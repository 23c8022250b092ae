// SPDX-License-Identifier: GPL-2.0-or-later
/* Of which instance a program of synward's is that is in the way. */
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "program.h"

#include <bpf/bpf.h>
#include <string.h>

/* Is what is pinned in a directory, ours or one beside it, of a program's instance? Each program asks the settings of its own. */
static bool has_settings_of(const struct sw_pins *pins, const char *directory, int program)
{
	char path[SW_PIN_PATH];
	SW_AUTO_FD int map = -1;
	uint32_t id;

	if (!sw_format(path, sizeof(path), "/proc/self/fd/%d/%s/maps/settings", pins->parent_fd,
		       directory))
		return false;
	map = bpf_obj_get(path);
	id = map < 0 ? 0 : sw_map_id(map);
	return id && sw_program_uses(program, id);
}

bool sw_is_own_program(const struct sw_pins *pins, uint32_t program)
{
	SW_AUTO_FD int fd = pins->parent_fd < 0 ? -1 : bpf_prog_get_fd_by_id(program);

	return fd >= 0 && has_settings_of(pins, strrchr(pins->path, '/') + 1, fd);
}

/* The name of that directory, as long as the listing is open; NULL: there is none. */
static const char *find(const struct sw_pins *pins, DIR *beside, int program)
{
	const char *own = strrchr(pins->path, '/');
	struct dirent *entry;

	while (beside && (entry = readdir(beside)))
		if (entry->d_name[0] != '.' && !(own && !strcmp(entry->d_name, own + 1)) &&
		    has_settings_of(pins, entry->d_name, program))
			return entry->d_name;
	return NULL;
}

int sw_check_owner(const struct sw_pins *pins, const char *interface, uint32_t program)
{
	SW_AUTO_FD int fd = pins->parent_fd < 0 ? -1 : bpf_prog_get_fd_by_id(program);
	const char *slash = strrchr(pins->shown, '/'), *name;
	SW_AUTO_DIR DIR *beside = NULL;
	char path[32], owner[SW_PIN_PATH];

	if (fd < 0 || !slash)
		return 0;
	sw_format(path, sizeof(path), "/proc/self/fd/%d", pins->parent_fd);
	beside = opendir(path);
	name = find(pins, beside, fd);
	if (!name)
		return 0;
	sw_format(owner, sizeof(owner), "%.*s/%s", (int)(slash - pins->shown), pins->shown, name);
	return sw_error(EBUSY,
			"%s: another synward has it already, that of %s; remove it first, for "
			"example: synward --pin-dir %s detach %s",
			interface, owner, owner, interface);
}
