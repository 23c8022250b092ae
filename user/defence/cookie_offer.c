// SPDX-License-Identifier: GPL-2.0-or-later
#include "cookie_offer.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/map_keys.h"
#include "../platform/netns.h"
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
	struct ifreq request = {};

	sw_format(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(sw_netns_socket(), SIOCGIFMTU, &request) || request.ifr_mtu <= IP6_AND_TCP)
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

void sw_offer_make(struct sw_cookie_offer *offer)
{
	*offer = (struct sw_cookie_offer){ .ttl = 64, .wscale = window_scale(), .window = 64240 };
	if (sw_sysctl_read("ipv4/tcp_timestamps", 0, 1))
		offer->options |= SW_OFFER_TIMESTAMP;
	if (sw_sysctl_read("ipv4/tcp_window_scaling", 0, 1))
		offer->options |= SW_OFFER_WSCALE;
	if (sw_sysctl_read("ipv4/tcp_sack", 0, 1))
		offer->options |= SW_OFFER_SACK;
	if (sw_sysctl_read("ipv4/tcp_ecn", 0, 2))
		offer->options |= SW_OFFER_ECN;
}

void sw_offer_fit(const char *interface, struct sw_cookie_offer *offer)
{
	uint32_t mtu = mtu_of(interface);

	offer->mss4 = at_most_16_bits(mtu - IP4_AND_TCP);
	offer->mss6 = at_most_16_bits(mtu - IP6_AND_TCP);
}

bool sw_host_forwards(void)
{
	return sw_sysctl_read("ipv4/ip_forward", 0, 0) ||
	       sw_sysctl_read("ipv6/conf/all/forwarding", 0, 0);
}

/* ---- whose addresses they are */

#define SW_KEYS_OF_ADDRESSES                                                                       \
	{                                                                                          \
		.size = sizeof(struct sw_own_address)                                              \
	}

/* One listing under way. */
struct listing {
	struct sw_keys *found;
	uint32_t netns;
};

static void take_address(void *context, const struct sw_addr *addr, uint32_t ifindex)
{
	struct listing *listing = context;
	struct sw_own_address key = { .addr = *addr, .netns = listing->netns };

	(void)ifindex;
	sw_keys_add(listing->found, &key);
}

/* Those of this network namespace, and all that are noted, both sorted. Errors are recorded. */
static int read_both(const struct sw_instance *instance, uint32_t netns, int *fd,
		     struct sw_keys *found, struct sw_keys *noted)
{
	struct listing listing = { found, netns };
	int error = sw_own_addresses(take_address, &listing);

	if (!error && found->lacks_memory)
		error = -ENOMEM;
	if (error)
		return sw_error(error, "cannot list this host's addresses: %s",
				sw_errno_text(error));
	error = sw_instance_map(instance, "own_addresses", sizeof(__u32), fd);
	if (error)
		return error;
	error = sw_keys_read(*fd, noted);
	sw_keys_sort(found);
	sw_keys_sort(noted);
	return error;
}

static bool is_of(const struct sw_keys *noted, size_t number, uint32_t netns)
{
	const struct sw_own_address *address = sw_keys_at(noted, number);

	return address->netns == netns;
}

int sw_own_addresses_write(const struct sw_instance *instance, uint32_t netns)
{
	SW_AUTO_KEYS struct sw_keys found = SW_KEYS_OF_ADDRESSES, noted = SW_KEYS_OF_ADDRESSES;
	SW_AUTO_FD int fd = -1;
	const __u32 value = 1;
	int error = read_both(instance, netns, &fd, &found, &noted);
	size_t left_out = 0;

	for (size_t i = 0; !error && i < noted.count; i++)
		if (is_of(&noted, i, netns) && !sw_keys_have(&found, sw_keys_at(&noted, i)))
			bpf_map_delete_elem(fd, sw_keys_at(&noted, i));
	for (size_t i = 0; !error && i < found.count; i++) {
		if (sw_keys_have(&noted, sw_keys_at(&found, i)) ||
		    !bpf_map_update_elem(fd, sw_keys_at(&found, i), &value, BPF_ANY))
			continue;
		if (errno == E2BIG)
			left_out++;
		else
			error = sw_error(errno, "cannot note this host's addresses: %s",
					 sw_errno_text(errno));
	}
	if (left_out)
		sw_note("%zu addresses of this host are left out, since there is room for %u: "
			"packets to them count as forwarded",
			left_out, SW_MAX_OWN_ADDRESSES);
	return error;
}

int sw_own_addresses_differ(const struct sw_instance *instance, uint32_t netns, bool *differ)
{
	SW_AUTO_KEYS struct sw_keys found = SW_KEYS_OF_ADDRESSES, noted = SW_KEYS_OF_ADDRESSES;
	SW_AUTO_FD int fd = -1;
	int error = read_both(instance, netns, &fd, &found, &noted);

	*differ = false;
	for (size_t i = 0; !error && i < noted.count; i++)
		*differ |= is_of(&noted, i, netns) && !sw_keys_have(&found, sw_keys_at(&noted, i));
	for (size_t i = 0; !error && i < found.count; i++)
		*differ |= !sw_keys_have(&noted, sw_keys_at(&found, i));
	return error;
}

int sw_own_addresses_forget(const struct sw_instance *instance, const uint32_t *keep,
			    uint32_t count)
{
	SW_AUTO_KEYS struct sw_keys noted = SW_KEYS_OF_ADDRESSES;
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "own_addresses", sizeof(__u32), &fd);

	if (!error)
		error = sw_keys_read(fd, &noted);
	for (size_t i = 0; !error && i < noted.count; i++) {
		uint32_t kept = 0;

		while (kept < count && !is_of(&noted, i, keep[kept]))
			kept++;
		if (kept == count)
			bpf_map_delete_elem(fd, sw_keys_at(&noted, i));
	}
	return error;
}
