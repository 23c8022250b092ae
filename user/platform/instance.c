// SPDX-License-Identifier: GPL-2.0-or-later
#include "instance.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "preflight.h"

#include <bpf/bpf.h>
#include <string.h>
#include <sys/stat.h>

static int no_access(const struct sw_pins *pins, const char *name)
{
	const char *missing = sw_missing_capabilities();

	return sw_error(SW_NOT_ALLOWED, "no permission to open %s/%s%s%s; run as root", pins->shown,
			name, missing[0] ? ": missing " : "", missing);
}

static int may_not_open(const struct sw_instance *instance, const char *name)
{
	if (!instance->read_only)
		return no_access(&instance->pins, name);
	return sw_error(SW_NOT_ALLOWED,
			"no permission to open %s/%s; run as root, or as a member of the group %s",
			instance->pins.shown, name, SW_READERS);
}

static int foreign(const struct sw_pins *pins, const char *name)
{
	return sw_error(
		EEXIST,
		"%s/%s is not synward's; choose another directory with --pin-dir, or remove it",
		pins->shown, name);
}

/* What an older or newer synward has left may mean anything: nothing of it is read. */
static int other_version(const struct sw_pins *pins, uint32_t version)
{
	return sw_error(
		SW_OTHER_VERSION,
		"%s holds the state of ABI version %u, and this synward has version %u: detach "
		"with the synward that attached, or discard it: synward --pin-dir %s detach "
		"--all --force",
		pins->shown, version, SW_ABI_VERSION, pins->shown);
}

static int other_layout(const struct sw_pins *pins, const char *name)
{
	return sw_error(
		SW_OTHER_VERSION,
		"%s/%s is laid out for another build of synward: detach with the synward that "
		"attached, or discard it: synward --pin-dir %s detach --all --force",
		pins->shown, name, pins->shown);
}

static int map_info(int fd, struct bpf_map_info *info)
{
	__u32 length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &length) ? -errno : 0;
}

int sw_instance_get(const struct sw_instance *instance, const char *name)
{
	LIBBPF_OPTS(bpf_obj_get_opts, options,
		    .file_flags = instance->read_only ? BPF_F_RDONLY : 0);
	char path[SW_PIN_PATH];

	sw_pins_path(&instance->pins, path, "%s", name);
	return bpf_obj_get_opts(path, &options);
}

/* Is anything in a directory? 1, 0, also if it is not there, or -errno if that cannot be found out. */
static int has_entries(const struct sw_pins *pins, const char *name)
{
	SW_AUTO_DIR DIR *dir = NULL;
	struct dirent *entry;
	char path[SW_PIN_PATH];

	sw_pins_path(pins, path, "%s", name);
	dir = opendir(path);
	if (!dir)
		return sw_is_absent(errno) ? 0 : -errno;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			return 1;
	return 0;
}

/*
 * Is there a link? Hooks come after the identity and go before it, so without it a link tells of somebody's rm, and
 * the programs may go on. 1, 0, or -errno if that cannot be found out.
 */
static int has_links(const struct sw_pins *pins)
{
	return has_entries(pins, "links");
}

/*
 * Is what was opened, or would be, still what is attached? A detach takes the hooks off and then the identity away.
 * 1, 0, or -errno if that cannot be found out.
 */
static int is_attached(const struct sw_instance *instance)
{
	struct sw_identity now;
	struct bpf_map_info info;
	__u32 key = 0;
	SW_AUTO_FD int fd = sw_instance_get(instance, "maps/identity");

	if (fd < 0)
		return sw_is_absent(errno) ? has_links(&instance->pins) : -errno;
	return !sw_instance_is_open(instance) || map_info(fd, &info) ||
	       info.value_size != sizeof(now) || bpf_map_lookup_elem(fd, &key, &now) ||
	       !memcmp(&now, &instance->identity, sizeof(now));
}

int sw_instance_check(const struct sw_instance *instance)
{
	if (is_attached(instance)) /* or that cannot be told, which is not what was asked */
		return 0;
	return sw_error(SW_DETACHED, "%s was detached while it was read", instance->pins.shown);
}

int sw_instance_failed(const struct sw_instance *instance, const char *name, int error)
{
	const char *shown = instance->pins.shown;
	int refused = error == EROFS ? sw_pins_check_writable(&instance->pins) : 0;

	if (refused)
		return refused;
	if (sw_is_refused(error))
		return may_not_open(instance, name);
	if (sw_is_shortage(error))
		return sw_error(error, "cannot open %s/%s: %s", shown, name, sw_errno_text(error));
	if (sw_is_absent(error)) {
		int attached = is_attached(instance);

		if (attached < 0)
			return sw_instance_failed(instance, name, -attached);
		if (!attached)
			return sw_instance_is_open(instance) ? sw_instance_check(instance) :
							       sw_not_attached();
	}
	if (sw_is_absent(error) && !strncmp(name, "programs/", strlen("programs/")))
		return sw_error(SW_DAMAGED,
				"%s is damaged: %s cannot be opened (%s); to put it back: synward "
				"attach IFACE, with one that is attached",
				shown, name, sw_errno_text(error));
	return sw_error(SW_DAMAGED,
			"%s is damaged: %s cannot be opened (%s); discard it: synward --pin-dir %s "
			"detach --all --force",
			shown, name, sw_errno_text(error), shown);
}

static int read_identity(struct sw_instance *instance)
{
	const struct sw_pins *pins = &instance->pins;
	struct bpf_map_info info;
	__u32 key = 0, *value;
	SW_AUTO_FREE void *buffer = NULL;
	SW_AUTO_FD int fd = sw_instance_get(instance, "maps/identity");

	if (fd < 0)
		return sw_instance_failed(instance, "maps/identity", errno);
	if (map_info(fd, &info) || info.type != BPF_MAP_TYPE_ARRAY ||
	    info.key_size != sizeof(key) || info.value_size < sizeof(*value) ||
	    strcmp(info.name, "identity"))
		return foreign(pins, "maps/identity");
	buffer = calloc(1, info.value_size);
	if (!buffer || bpf_map_lookup_elem(fd, &key, buffer))
		return sw_error(ENOMEM, "cannot read %s/maps/identity: %s", pins->shown,
				sw_errno_text(errno));
	value = buffer; /* whatever else changes, the version stays in the first word */
	if (*value != SW_ABI_VERSION)
		return other_version(pins, *value);
	if (info.value_size != sizeof(instance->identity))
		return other_layout(pins, "maps/identity");
	memcpy(&instance->identity, buffer, sizeof(instance->identity));
	return 0;
}

int sw_instance_open(const char *dir, enum sw_access access, struct sw_instance *instance)
{
	int error = sw_pins_locate(dir, access == SW_ACCESS_CREATE, &instance->pins);

	instance->read_only = access == SW_ACCESS_READ;
	if (!error && access != SW_ACCESS_READ)
		error = sw_pins_lock(&instance->pins, SW_LOCK_PATIENCE_MS);
	if (!error)
		error = read_identity(instance);
	return error;
}

void sw_instance_close(struct sw_instance *instance)
{
	sw_pins_close(&instance->pins);
}

int sw_instance_map(const struct sw_instance *instance, const char *name, uint32_t value_size,
		    int *fd)
{
	const struct sw_pins *pins = &instance->pins;
	struct bpf_map_info info;
	SW_AUTO_FD int map = -1;
	char pin[64];

	sw_format(pin, sizeof(pin), "maps/%s", name);
	map = sw_instance_get(instance, pin);
	if (map < 0 || map_info(map, &info))
		return sw_instance_failed(instance, pin, errno);
	if (value_size && info.value_size != value_size)
		return other_layout(pins, pin);
	*fd = sw_take_fd(&map);
	return 0;
}

bool sw_pins_are_unused(const struct sw_pins *pins)
{
	struct stat about;

	return !stat(pins->path, &about) && !(about.st_mode & SW_PIN_DIR_MARK) &&
	       has_entries(pins, "") == 0;
}

int sw_pins_check_leftover(const struct sw_pins *pins)
{
	static const char *const ours[] = { ".", "..", "maps", "links", "lists", "programs" };
	SW_AUTO_DIR DIR *dir = opendir(pins->path);
	struct dirent *entry;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir && errno == ENOTDIR)
		return foreign(pins, "");
	if (!dir && sw_is_refused(errno))
		return no_access(pins, "");
	if (!dir)
		return sw_error(errno, "cannot open %s: %s", pins->shown, sw_errno_text(errno));
	while ((entry = readdir(dir))) {
		size_t i = 0;

		while (i < sizeof(ours) / sizeof(ours[0]) && strcmp(entry->d_name, ours[i]))
			i++;
		if (i == sizeof(ours) / sizeof(ours[0]))
			return foreign(pins, entry->d_name);
	}
	return 0;
}
