// SPDX-License-Identifier: GPL-2.0-or-later
#include "program.h"

#include "../base/cleanup.h"

#include <bpf/bpf.h>
#include <string.h>

#define MAPS_OF_PROGRAM 128
#define RODATA		".rodata" /* how libbpf ends the name of the map that holds constants */

static int program_info(int fd, struct bpf_prog_info *info, uint32_t *map_ids, uint32_t count)
{
	__u32 length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	info->nr_map_ids = count;
	info->map_ids = (__u64)(uintptr_t)map_ids;
	return bpf_obj_get_info_by_fd(fd, info, &length) ? -errno : 0;
}

uint32_t sw_program_id(int fd)
{
	struct bpf_prog_info info;

	return program_info(fd, &info, NULL, 0) ? 0 : info.id;
}

uint32_t sw_map_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &length) ? 0 : info.id;
}

bool sw_program_uses(int fd, uint32_t map)
{
	uint32_t ids[MAPS_OF_PROGRAM];
	struct bpf_prog_info info;

	if (program_info(fd, &info, ids, MAPS_OF_PROGRAM))
		return false;
	for (uint32_t i = 0; i < info.nr_map_ids && i < MAPS_OF_PROGRAM; i++)
		if (ids[i] == map)
			return true;
	return false;
}

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name);

	return length >= strlen(end) && !strcmp(name + length - strlen(end), end);
}

/* The constants of a program, which the caller frees. 0 or -errno; a program without any has NULL. */
static int read_constants(int fd, void **constants, uint32_t *size)
{
	uint32_t ids[MAPS_OF_PROGRAM], zero = 0;
	struct bpf_prog_info info;
	int error = program_info(fd, &info, ids, MAPS_OF_PROGRAM);

	*constants = NULL;
	*size = 0;
	for (uint32_t i = 0; !error && i < info.nr_map_ids && i < MAPS_OF_PROGRAM; i++) {
		SW_AUTO_FD int map = bpf_map_get_fd_by_id(ids[i]);
		struct bpf_map_info about = {};
		__u32 length = sizeof(about);

		if (map < 0 || bpf_obj_get_info_by_fd(map, &about, &length))
			return -errno;
		if (!ends_with(about.name, RODATA))
			continue;
		*constants = calloc(1, about.value_size);
		*size = about.value_size;
		if (!*constants)
			return -ENOMEM;
		return bpf_map_lookup_elem(map, &zero, *constants) ? -errno : 0;
	}
	return error;
}

int sw_programs_equal(int a, int b, bool data)
{
	SW_AUTO_FREE void *data_a = NULL, *data_b = NULL;
	struct bpf_prog_info info_a, info_b;
	uint32_t size_a, size_b;
	int error = program_info(a, &info_a, NULL, 0);

	if (!error)
		error = program_info(b, &info_b, NULL, 0);
	if (error)
		return error;
	if (memcmp(info_a.tag, info_b.tag, sizeof(info_a.tag)) != 0)
		return 0;
	if (!data)
		return 1;
	error = read_constants(a, &data_a, &size_a);
	if (!error)
		error = read_constants(b, &data_b, &size_b);
	if (error)
		return error;
	return size_a == size_b && (!size_a || !memcmp(data_a, data_b, size_a));
}
