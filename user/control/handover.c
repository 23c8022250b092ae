// SPDX-License-Identifier: GPL-2.0-or-later
#include "handover.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <synward/cookie.h>
#include <synward/flow.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* linux/bpf.h of Debian 12 is older than TCX; the number is ABI */
#define ATTACH_TCX_INGRESS ((enum bpf_attach_type)46)

#define IP4_AND_TCP 40
#define IP6_AND_TCP 60

/* The index-th number of a sysctl of this network namespace, or what it would be without. */
static long sysctl_number(const char *name, int index, long without)
{
	SW_AUTO_FILE FILE *file = NULL;
	char path[128];
	long value;

	sw_format(path, sizeof(path), "/proc/sys/net/%s", name);
	file = fopen(path, "re");
	for (int i = 0; i <= index; i++)
		if (!file || fscanf(file, "%ld", &value) != 1)
			return without;
	return value;
}

enum sw_flood_way sw_flood_way_best(void)
{
	long syncookies = sysctl_number("ipv4/tcp_syncookies", 0, 1);

	/* with 0 the kernel resets whatever is handed over (cookie_v4_check() in net/ipv4/syncookies.c) */
	if (syncookies && sw_handover_is_possible())
		return SW_WAY_HANDOVER;
	if (syncookies == 2 && sw_raw_cookies_are_possible())
		return SW_WAY_KERNEL;
	return SW_WAY_CHALLENGE;
}

int sw_flood_way_check(enum sw_flood_way way)
{
	long cookies = sysctl_number("ipv4/tcp_syncookies", 0, 0);

	if (way == SW_WAY_HANDOVER && !sw_handover_is_possible())
		return sw_error(EOPNOTSUPP,
				"--flood-way handover: this kernel cannot (Linux 6.9 can); "
				"choose kernel or challenge");
	if (way == SW_WAY_KERNEL && (cookies != 2 || !sw_raw_cookies_are_possible()))
		return sw_error(EOPNOTSUPP,
				"--flood-way kernel: net.ipv4.tcp_syncookies is %ld here, and the "
				"kernel honours its cookies at any time only with 2; set it, or "
				"choose another way",
				cookies);
	return 0;
}

bool sw_forwards(void)
{
	return sysctl_number("ipv4/ip_forward", 0, 0) ||
	       sysctl_number("ipv6/conf/all/forwarding", 0, 0);
}

bool sw_handover_is_possible(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	bool possible;

	if (libbpf_get_error(kernel))
		return false;
	possible = btf__find_by_name_kind(kernel, "bpf_sk_assign_tcp_reqsk", BTF_KIND_FUNC) > 0;
	btf__free(kernel);
	return possible;
}

bool sw_raw_cookies_are_possible(void)
{
	return !access("/proc/sys/net/ipv4/tcp_syncookies", F_OK) &&
	       libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_tcp_raw_gen_syncookie_ipv4,
				       NULL) == 1;
}

int sw_handover_attach(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot,
		       int program_fd)
{
	SW_AUTO_FD int link = -1;
	char path[SW_PIN_PATH], name[32];
	int error;

	/* of an attach that is repaired, it may still be there */
	sw_format(name, sizeof(name), "links/%u/handover", slot);
	sw_handover_detach(pins, slot);
	error = sw_pins_remove(pins, name);
	if (error)
		return error;
	link = bpf_link_create(program_fd, (int)record->ifindex, ATTACH_TCX_INGRESS, NULL);
	if (link < 0)
		return sw_error(link, "%s: the kernel did not attach the hand-over program: %s",
				record->name, sw_errno_text(link));
	sw_pins_path(pins, path, "links/%u/handover", slot);
	if (bpf_obj_pin(link, path))
		return sw_error(errno, "cannot pin the link of %s: %s", record->name,
				sw_errno_text(errno));
	return 0;
}

void sw_handover_detach(const struct sw_pins *pins, uint32_t slot)
{
	char path[SW_PIN_PATH];
	SW_AUTO_FD int link = -1;

	sw_pins_path(pins, path, "links/%u/handover", slot);
	link = bpf_obj_get(path);
	if (link >= 0)
		bpf_link_detach(link);
}

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
	long space = sysctl_number("ipv4/tcp_rmem", 2, 6291456);
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

int sw_offer_write(const struct sw_instance *instance, const struct sw_interface *record,
		   uint32_t slot)
{
	struct sw_cookie_offer offer = { .ttl = 64, .wscale = window_scale() };
	uint32_t mtu = mtu_of(record->name);
	SW_AUTO_FD int fd = -1;
	int error;

	offer.mss4 = at_most_16_bits(mtu - IP4_AND_TCP);
	offer.mss6 = at_most_16_bits(mtu - IP6_AND_TCP);
	offer.window = 64240;
	if (sysctl_number("ipv4/tcp_timestamps", 0, 1))
		offer.options |= SW_OFFER_TIMESTAMP;
	if (sysctl_number("ipv4/tcp_window_scaling", 0, 1))
		offer.options |= SW_OFFER_WSCALE;
	if (sysctl_number("ipv4/tcp_sack", 0, 1))
		offer.options |= SW_OFFER_SACK;
	if (sysctl_number("ipv4/tcp_ecn", 0, 2))
		offer.options |= SW_OFFER_ECN;
	error = sw_instance_map(instance, "cookie_offers", sizeof(offer), &fd);
	if (!error && bpf_map_update_elem(fd, &slot, &offer, BPF_ANY))
		error = sw_error(errno, "%s: cannot write what is offered to clients: %s",
				 record->name, sw_errno_text(errno));
	return error;
}

/* ---- whose addresses they are */

static bool address_of(const struct sockaddr *from, struct sw_addr *to)
{
	memset(to, 0, sizeof(*to));
	if (from->sa_family == AF_INET) {
		to->words[2] = SW_V4_MAPPED_WORD;
		to->words[3] = ((const struct sockaddr_in *)(const void *)from)->sin_addr.s_addr;
	} else if (from->sa_family == AF_INET6) {
		memcpy(to->bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
		       sizeof(to->bytes));
	}
	return from->sa_family == AF_INET || from->sa_family == AF_INET6;
}

int sw_own_addresses_write(const struct sw_instance *instance)
{
	const __u32 value = 1;
	struct ifaddrs *all, *one;
	SW_AUTO_FD int fd = -1;
	struct sw_addr address;
	int error = sw_instance_map(instance, "own_addresses", sizeof(value), &fd);

	if (error)
		return error;
	if (getifaddrs(&all))
		return sw_error(errno, "cannot list this host's addresses: %s",
				sw_errno_text(errno));
	for (one = all; one && !error; one = one->ifa_next)
		if (one->ifa_addr && address_of(one->ifa_addr, &address) &&
		    bpf_map_update_elem(fd, &address, &value, BPF_ANY))
			error = sw_error(errno, "cannot note this host's addresses: %s",
					 sw_errno_text(errno));
	freeifaddrs(all);
	return error;
}
