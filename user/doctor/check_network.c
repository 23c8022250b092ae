// SPDX-License-Identifier: GPL-2.0-or-later
/* Would connections live that began with an answer of ours? */
#include "checks.h"

#include "../base/error.h"
#include "../model/names.h"

#include <errno.h>

static void judge_ways(const struct sw_host_facts *host, struct sw_finding *finding)
{
	const struct sw_flood_asked asked = {};
	struct sw_flood_choice choice = sw_flood_choose(&host->flood, &asked);
	char lack[SW_WAY_LACK_SIZE];

	if (choice.way == SW_WAY_HANDOVER) {
		sw_found(finding, SW_FINDING_OK,
			 "floods would be kept off by the best way: handover");
		return;
	}
	sw_found(finding, SW_FINDING_DEGRADED,
		 "floods would be kept off by %s, since handover lacks: %s",
		 sw_name(sw_flood_way_words, choice.way),
		 sw_way_lack(lack, &host->flood, SW_WAY_HANDOVER));
	sw_found_why(finding, choice.way == SW_WAY_KERNEL ?
				      "connections then do without window scaling and SACK" :
				      "each new client then needs a round trip more");
	if (host->flood.hands_over && host->flood.syncookies >= 0)
		sw_found_command(finding, "sysctl -w net.ipv4.tcp_syncookies=1");
	else
		sw_found_remedy(finding, "run Linux 6.9 or newer, with CONFIG_SYN_COOKIES");
}

static void judge_options(const struct sw_host_facts *host, struct sw_finding *finding)
{
	const char *name = !host->timestamps	 ? "tcp_timestamps" :
			   !host->window_scaling ? "tcp_window_scaling" :
			   !host->sack		 ? "tcp_sack" :
						   NULL;

	sw_found(finding, SW_FINDING_OK, "TCP may offer timestamps, window scaling and SACK");
	if (!name)
		return;
	sw_found(finding, SW_FINDING_DEGRADED, "net.ipv4.%s is 0", name);
	sw_found_why(finding,
		     name == NULL || host->timestamps ?
			     "long or lossy ways are slow without, also for who is answered" :
			     "a cookie carries a client's other options in the timestamp; without "
			     "it they are lost");
	sw_found_command(finding, "sysctl -w net.ipv4.%s=1", name);
}

static void judge_listeners(const struct sw_host_facts *host, struct sw_finding *finding)
{
	const struct sw_listener_facts *listeners = &host->listeners;

	if (listeners->error) {
		sw_found(finding, SW_FINDING_UNKNOWN, "the listeners could not be listed: %s",
			 sw_errno_text(listeners->error));
		sw_found_why(finding, "so nobody knows whether their queues are full, and whether "
				      "they take a hand-over");
		if (listeners->error == ENOENT)
			sw_found_command(finding, "modprobe tcp_diag");
		return;
	}
	if (listeners->full[0]) {
		sw_found(finding, SW_FINDING_DEGRADED, "the accept queue is full on port %s",
			 listeners->full);
		sw_found_why(finding,
			     "the kernel drops what is completed there, answered by us or not");
		sw_found_remedy(finding, "see why the program does not accept");
		sw_found_command(finding, "ss -ltnp");
		return;
	}
	sw_found(finding, SW_FINDING_OK, "all that listens takes a hand-over (%u)",
		 listeners->count);
	if (!listeners->mptcp[0] && !listeners->signed_[0])
		return;
	sw_found(finding, SW_FINDING_NOTE, "listeners that take no hand-over:%s%s%s%s",
		 listeners->mptcp[0] ? " MPTCP on port " : "", listeners->mptcp,
		 listeners->signed_[0] ? " TCP MD5 on port " : "", listeners->signed_);
	sw_found_why(finding,
		     "in a flood their clients are challenged, which costs a round trip, or, if "
		     "their SYNs are signed, pass unanswered");
	if (listeners->mptcp[0]) {
		sw_found_remedy(
			finding,
			"if nobody needs MPTCP there, switch it off, or for a program in Go by "
			"GODEBUG=multipathtcp=0, and restart the program");
		sw_found_command(finding, "sysctl -w net.mptcp.enabled=0");
	}
}

#define NOTRACK                                                                                    \
	"have the service not tracked (docs/operating.md, \"When the defence steps aside\"), "     \
	"or load nf_conntrack before attach"

#define LOOSE "sysctl -w net.netfilter.nf_conntrack_tcp_loose=1"

static void judge_firewall(const struct sw_host_facts *host, struct sw_finding *finding)
{
	const struct sw_firewall_facts *wall = &host->firewall;

	if (wall->error) {
		sw_found(finding, SW_FINDING_UNKNOWN, "the rules of nftables could not be read: %s",
			 sw_errno_text(wall->error));
		sw_found_why(finding, "one that drops the ACKs of clients that were answered would "
				      "not be found");
		sw_found_command(finding, "sudo synward doctor");
		return;
	}
	sw_found(finding, SW_FINDING_OK,
		 "no rule of nftables drops an ACK whose SYN it has not seen");
	if (wall->drops_invalid && !wall->loose) {
		sw_found(finding, SW_FINDING_DEGRADED,
			 "nf_conntrack_tcp_loose is 0, and a rule drops what conntrack calls "
			 "invalid");
		sw_found_why(
			finding,
			"to conntrack, the ACK of a client whose SYN XDP has answered is that");
		sw_found_remedy(finding, "let conntrack pick it up, or " NOTRACK);
		sw_found_command(finding, LOOSE);
	} else if (wall->drops_new_no_syn && wall->loose) {
		sw_found(finding, SW_FINDING_DEGRADED,
			 "a rule drops what is new and has other TCP flags "
			 "than a SYN");
		sw_found_why(finding,
			     "to conntrack, the ACK of a client whose SYN XDP has answered is new");
		sw_found_remedy(finding, NOTRACK);
	} else if (wall->may_drop || wall->legacy) {
		sw_found(finding, SW_FINDING_NOTE,
			 "there are rules that cannot be understood here: a map of conntrack's "
			 "states, or "
			 "of iptables");
		sw_found_why(finding,
			     "one that drops INVALID, or NEW without SYN, would drop the ACK of a "
			     "client whose SYN XDP has answered");
		sw_found_remedy(finding, "read them");
		sw_found_command(finding, "nft list ruleset; iptables-save; ip6tables-save");
	} else if (wall->tracks && !wall->loose) {
		sw_found(finding, SW_FINDING_NOTE, "nf_conntrack_tcp_loose is 0");
		sw_found_why(finding,
			     "a rule that drops what is invalid would drop the ACK of a client "
			     "whose SYN XDP has answered");
		sw_found_command(finding, LOOSE);
	}
}

const struct sw_host_check sw_network_checks[] = {
	{ "flood_ways", judge_ways },
	{ "tcp_options", judge_options },
	{ "listeners", judge_listeners },
	{ "firewall", judge_firewall },
	{},
};
