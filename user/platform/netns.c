// SPDX-License-Identifier: GPL-2.0-or-later
#include "netns.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "netlink.h"

#include <ctype.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static uint32_t inode_of(const char *path)
{
	struct stat about;

	return stat(path, &about) ? 0 : (uint32_t)about.st_ino;
}

/* Of the namespace that this process is in; 0 or -1: not known yet. It is asked for with every record of every look. */
static uint32_t own_inode;
static uint64_t own_cookie;
static int own_socket = -1;

static int arrive(int failed)
{
	if (failed)
		return -errno;
	own_inode = 0;
	own_cookie = 0;
	sw_close_fd(&own_socket);
	sw_netlink_let_go();
	return 0;
}

int sw_netns_go(int fd)
{
	return arrive(setns(fd, CLONE_NEWNET));
}

int sw_netns_make(int others)
{
	return arrive(unshare(CLONE_NEWNET | others));
}

uint32_t sw_netns_own(void)
{
	if (!own_inode)
		own_inode = inode_of("/proc/self/ns/net");
	return own_inode;
}

int sw_netns_socket(void)
{
	if (own_socket < 0)
		own_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return own_socket;
}

uint64_t sw_netns_cookie(void)
{
	socklen_t length = sizeof(own_cookie);

	if (!own_cookie &&
	    getsockopt(sw_netns_socket(), SOL_SOCKET, SO_NETNS_COOKIE, &own_cookie, &length))
		own_cookie = 0;
	return own_cookie;
}

bool sw_netns_may_look(void)
{
	return inode_of("/proc/1/ns/net") != 0;
}

#define PATH_SIZE 320

/* The namespace of a directory's next entry that has one, or 0; suffix leads from the entry to the namespace's file. */
static uint32_t next_among(DIR *dir, const char *directory, const char *suffix,
			   char path[PATH_SIZE])
{
	struct dirent *entry;
	uint32_t netns;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || (*suffix && !isdigit((unsigned char)*entry->d_name)))
			continue;
		sw_format(path, PATH_SIZE, "%s/%s%s", directory, entry->d_name, suffix);
		netns = inode_of(path);
		if (netns)
			return netns;
	}
	return 0;
}

static int open_among(const char *directory, const char *suffix, uint32_t netns)
{
	SW_AUTO_DIR DIR *dir = opendir(directory);
	char path[PATH_SIZE];
	uint32_t found;

	while ((found = next_among(dir, directory, suffix, path)))
		if (found == netns)
			return open(path, O_RDONLY | O_CLOEXEC);
	return -1;
}

static const struct {
	const char *directory;
	const char *suffix;
} places[] = { { "/run/netns", "" }, { "/proc", "/ns/net" } };

static int add_once(uint32_t **netns, int count, uint32_t one)
{
	uint32_t *more;

	for (int i = 0; i < count; i++)
		if ((*netns)[i] == one)
			return count;
	more = realloc(*netns, (size_t)(count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[count] = one;
	*netns = more;
	return count + 1;
}

int sw_netns_list(uint32_t **netns)
{
	char path[PATH_SIZE];
	uint32_t one;
	int count = 0;

	*netns = NULL;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		SW_AUTO_DIR DIR *dir = opendir(places[i].directory);

		while (count >= 0 &&
		       (one = next_among(dir, places[i].directory, places[i].suffix, path)))
			count = add_once(netns, count, one);
	}
	return count;
}

int sw_netns_enter(uint32_t netns, int *saved)
{
	SW_AUTO_FD int back = -1, there = -1;
	int error;

	*saved = -1;
	if (sw_netns_own() == netns)
		return 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places) && there < 0; i++)
		there = open_among(places[i].directory, places[i].suffix, netns);
	if (there < 0)
		return -ENOENT;
	back = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	error = back < 0 ? -errno : sw_netns_go(there);
	if (error)
		return error;
	*saved = sw_take_fd(&back);
	return 0;
}

void sw_netns_leave(int *saved)
{
	if (*saved < 0)
		return;
	/* going on in the wrong network would do harm elsewhere */
	if (sw_netns_go(*saved))
		abort();
	close(*saved);
	*saved = -1;
}
