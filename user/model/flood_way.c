// SPDX-License-Identifier: GPL-2.0-or-later
#include "flood_way.h"

#include "../base/error.h"

#include <stddef.h>

int sw_way_syncookies(enum sw_flood_way way)
{
	/* with 0 the kernel resets whatever is handed over (cookie_v4_check() in net/ipv4/syncookies.c),
	 * and but for 2 it honours its own cookies only while it has sent some itself */
	return way == SW_WAY_HANDOVER ? 1 : way == SW_WAY_KERNEL ? 2 : 0;
}

const char *sw_way_lack(char text[SW_WAY_LACK_SIZE], const struct sw_flood_host *host,
			enum sw_flood_way way)
{
	int needed = sw_way_syncookies(way);

	if (way == SW_WAY_HANDOVER && !host->hands_over)
		return "this kernel cannot hand over (Linux 6.9 can)";
	if (way == SW_WAY_HANDOVER && host->bridge[0]) {
		sw_format(text, SW_WAY_LACK_SIZE,
			  "br_netfilter undoes it on the bridge %s; attach %s instead, or set "
			  "net.bridge.bridge-nf-call-iptables and -ip6tables to 0",
			  host->bridge, host->bridge);
		return text;
	}
	if (way == SW_WAY_KERNEL && !host->checks_cookies)
		return "this kernel does not check cookies for others (Linux 6.0 does)";
	if (!needed || host->syncookies >= needed)
		return NULL;
	if (host->syncookies < 0)
		return "this kernel has no SYN cookies";
	if (host->may_set)
		return NULL;
	sw_format(text, SW_WAY_LACK_SIZE,
		  "net.ipv4.tcp_syncookies is %d here, and it takes %s; set it%s", host->syncookies,
		  needed == 2 ? "2" : "1 or 2",
		  host->has_word ? "" : ", or say flood_defence.set_syncookies: yes in the policy");
	return text;
}

static bool works(const struct sw_flood_host *host, enum sw_flood_way way)
{
	char text[SW_WAY_LACK_SIZE];

	return !sw_way_lack(text, host, way);
}

/* They are in order, and the last one always works. */
static enum sw_flood_way best(const struct sw_flood_host *host)
{
	enum sw_flood_way way = SW_WAY_HANDOVER;

	while (way < SW_WAY_CHALLENGE && !works(host, way))
		way++;
	return way;
}

struct sw_flood_choice sw_flood_choose(const struct sw_flood_host *host,
				       const struct sw_flood_asked *asked)
{
	uint8_t wish = asked->policy ? asked->policy : asked->attach;

	if (!wish || wish >= SW_FLOOD_WISH_COUNT)
		return (struct sw_flood_choice){ best(host), SW_WAY_BY_BEST };
	if (!works(host, SW_WISHED_WAY(wish)))
		return (struct sw_flood_choice){ best(host), SW_WAY_BY_INSTEAD };
	return (struct sw_flood_choice){ SW_WISHED_WAY(wish),
					 asked->policy ? SW_WAY_BY_POLICY : SW_WAY_BY_ATTACH };
}
