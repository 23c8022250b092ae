// SPDX-License-Identifier: GPL-2.0-or-later
#include "preflight.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/number.h"

#include <cap-ng.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define KERNEL_BTF    "/sys/kernel/btf/vmlinux"
#define MACHINE_USERS 0xEFFFFFFD /* the inode of the first user namespace: PROC_USER_INIT_INO */

#define OUTSIDE " outside this user namespace"

/*
 * In a user namespace of its own, as in a rootless container, a process has all capabilities, but only
 * over what belongs to that. The bpf system call asks for those over the machine.
 */
static bool over_machine(void)
{
	struct stat users;

	return stat("/proc/self/ns/user", &users) || users.st_ino == MACHINE_USERS;
}

static bool have(unsigned int capability)
{
	return capng_have_capability(CAPNG_EFFECTIVE, capability) && over_machine();
}

const char *sw_missing_capabilities(void)
{
	static char missing[96];
	bool all;

	if (capng_get_caps_process())
		return "";
	all = have(CAP_SYS_ADMIN);
	sw_format(missing, sizeof(missing), "%s%s%s", all || have(CAP_BPF) ? "" : "CAP_BPF, ",
		  have(CAP_NET_ADMIN) ? "" : "CAP_NET_ADMIN, ",
		  all || have(CAP_PERFMON) ? "" : "CAP_PERFMON, ");
	if (missing[0])
		strcpy(missing + strlen(missing) - 2, over_machine() ? "" : OUTSIDE);
	return missing;
}

int sw_preflight_detach(void)
{
	const char *missing = sw_missing_capabilities();

	if (missing[0])
		return sw_error(EPERM, "no permission: missing %s; run as root or grant it",
				missing);
	return 0;
}

int sw_preflight_types(void)
{
	if (access(KERNEL_BTF, R_OK))
		return sw_error(
			ENOTSUP,
			"%s is not there: this kernel describes no types (BTF); use one built "
			"with CONFIG_DEBUG_INFO_BTF=y, as Debian 12's is",
			KERNEL_BTF);
	return 0;
}

int sw_preflight_attach(void)
{
	int error = sw_preflight_detach();

	return error ? error : sw_preflight_types();
}

/* The line for an unknown interface. */
static int unknown_interface(const char *name)
{
	struct if_nameindex *list = if_nameindex();
	char names[256] = "";
	const char *best = NULL;
	size_t length = 0;

	for (struct if_nameindex *entry = list; entry && entry->if_index; entry++) {
		sw_word_nearest(&best, name, entry->if_name);
		sw_format(names + length, sizeof(names) - length, "%s%s", length ? ", " : "",
			  entry->if_name);
		length = strlen(names);
	}
	if (best)
		sw_error(ENODEV, "no interface %s here; did you mean %s? There are: %s", name, best,
			 names);
	else
		sw_error(ENODEV, "no interface %s here; there are: %s", name, names);
	if_freenameindex(list);
	return -ENODEV;
}

int sw_interface_index(const char *name, unsigned int *ifindex)
{
	unsigned int found = if_nametoindex(name);

	if (!found)
		return unknown_interface(name);
	*ifindex = found;
	return 0;
}

int sw_preflight_frames(const char *name)
{
	SW_AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {};
	unsigned short type;

	sw_format(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
		return sw_error(errno, "%s: cannot find out what its frames are: %s", name,
				sw_errno_text(errno));
	type = request.ifr_hwaddr.sa_family;
	if (type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK)
		return 0;
	return sw_error(
		EOPNOTSUPP,
		"%s: its packets have no Ethernet header (link type %u, as of a tunnel), and "
		"synward reads no others; attach the Ethernet interface that they come by, or "
		"that they are sent on to",
		name, type);
}
