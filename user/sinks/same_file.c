// SPDX-License-Identifier: GPL-2.0-or-later
#include "same_file.h"

#include "../base/error.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LINKS 40 /* as path_resolution(7) has it */

/* What a path leads to: a file, by an empty name, or a name in a directory, by which there is none yet. */
struct place {
	dev_t device;
	ino_t inode;
	char name[NAME_MAX + 1];
};

/* Follows a link that leads to nothing. False: path is no link. */
static bool follow(char path[PATH_MAX])
{
	char link[PATH_MAX], next[2 * PATH_MAX];
	const char *slash = strrchr(path, '/');
	ssize_t length = readlink(path, link, sizeof(link) - 1);

	if (length < 0)
		return false;
	link[length] = '\0';
	sw_format(next, sizeof(next), "%.*s%s",
		  link[0] == '/' || !slash ? 0 : (int)(slash + 1 - path), path, link);
	return sw_format(path, PATH_MAX, "%s", next);
}

static bool find(const char *given, struct place *place)
{
	char path[PATH_MAX], *slash;
	struct stat about;
	bool is_there = !stat(given, &about);

	memset(place, 0, sizeof(*place));
	if (!is_there) {
		if (!sw_format(path, sizeof(path), "%s", given))
			return false;
		for (int i = 0; i < MAX_LINKS && follow(path); i++)
			;
		slash = strrchr(path, '/');
		if (!sw_format(place->name, sizeof(place->name), "%s", slash ? slash + 1 : path))
			return false;
		sw_format(slash ? slash + 1 : path, 2, "%s", slash ? "" : ".");
		if (stat(path, &about))
			return false;
	}
	place->device = about.st_dev;
	place->inode = about.st_ino;
	return true;
}

bool sw_same_file(const char *one, const char *other)
{
	struct place a, b;

	if (!strcmp(one, other))
		return true;
	return find(one, &a) && find(other, &b) && a.device == b.device && a.inode == b.inode &&
	       !strcmp(a.name, b.name);
}
