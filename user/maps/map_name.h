/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MAPS_MAP_NAME_H
#define SYNWARD_MAPS_MAP_NAME_H

/*
 * The names of maps. A map of one value is a variable in a section of its own, whose name libbpf gives to the map:
 * ".data.settings" is the map "settings". All other sections hold what is one program's alone.
 */

#include <bpf/libbpf.h>
#include <string.h>

static inline const char *sw_map_name(const struct bpf_map *map)
{
	static const char section[] = ".data.";
	const char *name = bpf_map__name(map);

	return strncmp(name, section, sizeof(section) - 1) ? name : name + sizeof(section) - 1;
}

/* Is it the constants or variables of one program? */
static inline bool sw_map_is_private(const struct bpf_map *map)
{
	return bpf_map__is_internal(map) && sw_map_name(map) == bpf_map__name(map);
}

#endif
