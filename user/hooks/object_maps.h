/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_HOOKS_OBJECT_MAPS_H
#define SYNWARD_HOOKS_OBJECT_MAPS_H

/* Maps of an object that is not loaded yet. Errors are recorded. */

#include "../platform/instance.h"

struct bpf_map;
struct bpf_object;

/* Is it one that all programs of an instance share, and that is pinned? */
bool sw_map_is_shared(const struct bpf_map *map);

/* Without create, those that are shared are the instance's, if they are of the very same make. */
int sw_object_share_maps(const struct sw_instance *instance, struct bpf_object *object,
			 bool create);

/* Is the pin of each shared map there? */
int sw_object_find_maps(const struct sw_instance *instance, const struct bpf_object *object);

#endif
