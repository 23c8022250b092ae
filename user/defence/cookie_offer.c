// SPDX-License-Identifier: GPL-2.0-or-later
#include "cookie_offer.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../platform/routes.h"
#include "../platform/sysctl.h"

#include <synward/tables.h>

#include <bpf/bpf.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define IP4_AND_TCP 40
#define IP6_AND_TCP 60

/* ---- what is offered */

static uint32_t mtu_of(const char *name)
{
	SW_AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {};

	sw_format(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFMTU, &request) || request.ifr_mtu <= IP6_AND_TCP)
		return 1500;
	return (uint32_t)request.ifr_mtu;
}

/* As much as it takes for the largest receive buffer to be told in 16 bits, as the kernel does. */
static uint8_t window_scale(void)
{
	long space = sw_sysctl_read("ipv4/tcp_rmem", 2, 6291456);
	uint8_t scale = 0;

	while (space > 65535 && scale < 14) {
		space >>= 1;
		scale++;
	}
	return scale;
}

static uint16_t at_most_16_bits(uint32_t value)
{
	return (uint16_t)(value < 65535 ? value : 65535);
}

void sw_offer_make(const char *interface, struct sw_cookie_offer *offer)
{
	uint32_t mtu = mtu_of(interface);

	*offer = (struct sw_cookie_offer){ .ttl = 64, .wscale = window_scale(), .window = 64240 };
	offer->mss4 = at_most_16_bits(mtu - IP4_AND_TCP);
	offer->mss6 = at_most_16_bits(mtu - IP6_AND_TCP);
	if (sw_sysctl_read("ipv4/tcp_timestamps", 0, 1))
		offer->options |= SW_OFFER_TIMESTAMP;
	if (sw_sysctl_read("ipv4/tcp_window_scaling", 0, 1))
		offer->options |= SW_OFFER_WSCALE;
	if (sw_sysctl_read("ipv4/tcp_sack", 0, 1))
		offer->options |= SW_OFFER_SACK;
	if (sw_sysctl_read("ipv4/tcp_ecn", 0, 2))
		offer->options |= SW_OFFER_ECN;
}

bool sw_host_forwards(void)
{
	return sw_sysctl_read("ipv4/ip_forward", 0, 0) ||
	       sw_sysctl_read("ipv6/conf/all/forwarding", 0, 0);
}

/* ---- whose addresses they are */

struct found {
	struct sw_own_address rows[SW_MAX_OWN_ADDRESSES];
	uint32_t count;
	uint32_t netns;
};

static void take_address(void *context, const struct sw_addr *addr, uint32_t ifindex)
{
	struct found *found = context;

	(void)ifindex;
	if (found->count < SW_MAX_OWN_ADDRESSES)
		found->rows[found->count++] = (struct sw_own_address){ .addr = *addr,
								       .netns = found->netns };
}

/* Those of this network namespace. NULL with the line recorded; the caller frees it. */
static struct found *find_addresses(uint32_t netns)
{
	struct found *found = calloc(1, sizeof(*found));
	int error = found ? 0 : -ENOMEM;

	if (!error) {
		found->netns = netns;
		error = sw_own_addresses(take_address, found);
	}
	if (!error)
		return found;
	free(found);
	sw_error(error, "cannot list this host's addresses: %s", sw_errno_text(error));
	return NULL;
}

static bool has(const struct found *found, const struct sw_own_address *address)
{
	for (uint32_t i = 0; i < found->count; i++)
		if (sw_addr_equal(&found->rows[i].addr, &address->addr))
			return true;
	return false;
}

/* What is in the map; the caller frees it. NULL without memory. */
static struct found *noted_addresses(int fd)
{
	struct found *noted = calloc(1, sizeof(*noted));

	while (noted && noted->count < SW_MAX_OWN_ADDRESSES &&
	       !bpf_map_get_next_key(fd, noted->count ? &noted->rows[noted->count - 1] : NULL,
				     &noted->rows[noted->count]))
		noted->count++;
	return noted;
}

static int open_both(const struct sw_instance *instance, int *fd, struct found **noted)
{
	int error = sw_instance_map(instance, "own_addresses", sizeof(__u32), fd);

	if (error)
		return error;
	*noted = noted_addresses(*fd);
	return *noted ? 0 : -ENOMEM;
}

int sw_own_addresses_write(const struct sw_instance *instance, uint32_t netns)
{
	SW_AUTO_FREE struct found *found = find_addresses(netns);
	SW_AUTO_FREE struct found *noted = NULL;
	SW_AUTO_FD int fd = -1;
	const __u32 value = 1;
	int error = found ? open_both(instance, &fd, &noted) : -EIO;

	for (uint32_t i = 0; !error && i < noted->count; i++)
		if (noted->rows[i].netns == netns && !has(found, &noted->rows[i]))
			bpf_map_delete_elem(fd, &noted->rows[i]);
	for (uint32_t i = 0; !error && i < found->count; i++)
		if (bpf_map_update_elem(fd, &found->rows[i], &value, BPF_ANY))
			error = sw_error(errno, "cannot note this host's addresses: %s",
					 sw_errno_text(errno));
	return error;
}

int sw_own_addresses_differ(const struct sw_instance *instance, uint32_t netns, bool *differ)
{
	SW_AUTO_FREE struct found *found = find_addresses(netns);
	SW_AUTO_FREE struct found *noted = NULL;
	SW_AUTO_FD int fd = -1;
	int error = found ? open_both(instance, &fd, &noted) : -EIO;
	__u32 value;

	*differ = false;
	for (uint32_t i = 0; !error && i < noted->count; i++)
		*differ |= noted->rows[i].netns == netns && !has(found, &noted->rows[i]);
	for (uint32_t i = 0; !error && i < found->count; i++)
		*differ |= bpf_map_lookup_elem(fd, &found->rows[i], &value) != 0;
	return error;
}

int sw_own_addresses_forget(const struct sw_instance *instance, const uint32_t *keep,
			    uint32_t count)
{
	SW_AUTO_FREE struct found *noted = NULL;
	SW_AUTO_FD int fd = -1;
	int error = open_both(instance, &fd, &noted);

	for (uint32_t i = 0; !error && i < noted->count; i++) {
		uint32_t kept = 0;

		while (kept < count && keep[kept] != noted->rows[i].netns)
			kept++;
		if (kept == count)
			bpf_map_delete_elem(fd, &noted->rows[i]);
	}
	return error;
}
