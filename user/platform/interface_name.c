// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface_name.h"

#include "netns.h"

#include <string.h>
#include <sys/ioctl.h>

bool sw_interface_name(uint32_t ifindex, char name[IF_NAMESIZE])
{
	struct ifreq request = { .ifr_ifindex = (int)ifindex };

	if (ioctl(sw_netns_socket(), SIOCGIFNAME, &request))
		return false;
	memcpy(name, request.ifr_name, IF_NAMESIZE);
	return true;
}
