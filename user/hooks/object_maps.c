// SPDX-License-Identifier: GPL-2.0-or-later
/* Which maps of an object are the instance's, and those of the instance in their place. */
#include "object_maps.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/map_name.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

/* Only a replay has use for these. */
static bool is_for_replay(const struct bpf_map *map)
{
	return !strncmp(bpf_map__name(map), "replay_", 7);
}

/* Nobody looks at it from outside, and only one program has it. */
static bool is_own(const struct bpf_map *map)
{
	return sw_map_is_private(map) || !strcmp(bpf_map__name(map), "received");
}

bool sw_map_is_shared(const struct bpf_map *map)
{
	return !is_own(map) && !is_for_replay(map);
}

/* A pinned map may take the place of the object's own only if it is of the very same make. */
static int reuse_map(const struct sw_instance *instance, struct bpf_map *map)
{
	const char *name = sw_map_name(map);
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	SW_AUTO_FD int fd = -1;
	int error;

	error = sw_instance_map(instance, name, bpf_map__value_size(map), &fd);
	if (error)
		return error;
	if (bpf_obj_get_info_by_fd(fd, &info, &length) || info.type != bpf_map__type(map) ||
	    info.key_size != bpf_map__key_size(map) ||
	    info.max_entries != bpf_map__max_entries(map) ||
	    info.map_flags != bpf_map__map_flags(map))
		return sw_error(EPROTO,
				"%s/maps/%s is laid out for another build of synward; discard it: "
				"synward --pin-dir %s detach --all --force",
				instance->pins.shown, name, instance->pins.shown);
	error = bpf_map__reuse_fd(map, fd);
	if (error)
		return sw_error(error, "cannot share %s/maps/%s: %s", instance->pins.shown, name,
				sw_errno_text(error));
	return 0;
}

int sw_object_share_maps(const struct sw_instance *instance, struct bpf_object *object, bool create)
{
	struct bpf_map *map;
	int error = 0;

	bpf_object__for_each_map(map, object)
	{
		if (is_for_replay(map))
			error = bpf_map__set_autocreate(map, false);
		else if (!create && sw_map_is_shared(map))
			error = reuse_map(instance, map);
		if (error)
			return error;
	}
	return 0;
}

int sw_object_find_maps(const struct sw_instance *instance, const struct bpf_object *object)
{
	const struct bpf_map *map;
	char name[64];

	bpf_object__for_each_map(map, object)
	{
		sw_format(name, sizeof(name), "maps/%s", sw_map_name(map));
		if (sw_map_is_shared(map) && !sw_pins_exist(&instance->pins, name))
			return sw_instance_failed(instance, name, ENOENT);
	}
	return 0;
}
