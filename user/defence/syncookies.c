// SPDX-License-Identifier: GPL-2.0-or-later
#include "syncookies.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../platform/netns.h"
#include "../platform/sysctl.h"

#include <bpf/bpf.h>
#include <errno.h>

#define NAME "ipv4/tcp_syncookies"

int sw_syncookies_open(const struct sw_instance *instance, int *fd)
{
	return sw_instance_map(instance, "syncookies", sizeof(struct sw_syncookies), fd);
}

struct sw_syncookies_view sw_syncookies_look(int fd, uint32_t netns)
{
	struct sw_syncookies_view view = { .now = (int)sw_sysctl_read(NAME, 0, -1) };
	struct sw_syncookies row;

	view.before = view.now;
	if (bpf_map_lookup_elem(fd, &netns, &row))
		return view;
	/* a command that was killed may have recorded what it did not come to do, or undid already */
	if (!row.done && view.now == (int)row.before)
		return view;
	view.owner = view.now == (int)row.set ? SW_SYNCOOKIES_OURS : SW_SYNCOOKIES_CHANGED;
	if (view.owner == SW_SYNCOOKIES_OURS)
		view.before = (int)row.before;
	view.set = (int)row.set;
	return view;
}

static int put(int fd, uint32_t netns, const struct sw_syncookies *row)
{
	return bpf_map_update_elem(fd, &netns, row, BPF_ANY) ? -errno : 0;
}

int sw_syncookies_set(int fd, uint32_t netns, int value)
{
	struct sw_syncookies_view view = sw_syncookies_look(fd, netns);
	struct sw_syncookies row = { .before = (uint32_t)view.before, .set = (uint32_t)value };
	int error;

	if (view.owner == SW_SYNCOOKIES_CHANGED)
		return -EEXIST;
	error = put(fd, netns, &row);
	if (!error)
		error = sw_sysctl_write(NAME, value);
	row.done = 1;
	if (!error)
		return put(fd, netns, &row);
	bpf_map_delete_elem(fd, &netns); /* of what could not be set nothing is to be restored */
	return error;
}

int sw_syncookies_restore(int fd, uint32_t netns, bool *changed)
{
	struct sw_syncookies_view view = sw_syncookies_look(fd, netns);
	struct sw_syncookies row = { .before = (uint32_t)view.before, .set = (uint32_t)view.set };
	int error = 0;

	*changed = view.owner == SW_SYNCOOKIES_CHANGED;
	if (view.owner == SW_SYNCOOKIES_OURS) {
		error = put(fd, netns, &row);
		if (!error)
			error = sw_sysctl_write(NAME, view.before);
	}
	if (!error)
		bpf_map_delete_elem(fd, &netns);
	return error;
}

static bool restore_there(int fd, uint32_t netns)
{
	SW_AUTO_NETNS int back = -1;
	int error = sw_netns_enter(netns, &back);
	bool changed = false;

	if (error == -ENOENT)
		bpf_map_delete_elem(fd, &netns);
	else if (!error)
		error = sw_syncookies_restore(fd, netns, &changed);
	if (error && error != -ENOENT)
		sw_note("net.ipv4.tcp_syncookies of network namespace %u could not be restored: %s",
			netns, sw_errno_text(error));
	if (changed)
		sw_note("net.ipv4.tcp_syncookies of network namespace %u is not what synward has "
			"set, so somebody else's value stays",
			netns);
	return !error || error == -ENOENT;
}

static bool is_among(const uint32_t *all, uint32_t count, uint32_t one)
{
	for (uint32_t i = 0; i < count; i++)
		if (all[i] == one)
			return true;
	return false;
}

bool sw_syncookies_restore_others(int fd, const uint32_t *keep, uint32_t count)
{
	uint32_t all[SW_MAX_INTERFACES], found = 0, key;
	bool restored = true;

	/* what is found stays until the last is: its key leads to the next */
	while (found < SW_MAX_INTERFACES &&
	       !bpf_map_get_next_key(fd, found ? &all[found - 1] : NULL, &key))
		all[found++] = key;
	for (uint32_t i = 0; i < found; i++)
		if (!is_among(keep, count, all[i]))
			restored &= restore_there(fd, all[i]);
	return restored;
}
