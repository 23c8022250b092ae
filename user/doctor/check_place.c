// SPDX-License-Identifier: GPL-2.0-or-later
/* Where an interface stands: what it is made of, who else looks at its packets, and the way back. */
#include "checks.h"

#include "../base/error.h"
#include "../model/names.h"

#include <string.h>

static void judge_frames(const struct sw_link_facts *link, struct sw_finding *finding)
{
	sw_found(finding, SW_FINDING_OK, "its frames are Ethernet's");
	if (link->frames_line[0])
		sw_found(finding, SW_FINDING_BROKEN, "%s", link->frames_line);
	else if (!link->stack.error && !link->stack.up) {
		sw_found(finding, SW_FINDING_NOTE, "it is down");
		sw_found_why(finding, "nothing arrives");
		sw_found_command(finding, "ip link set dev %s up", link->name);
	}
}

/* Our link is there, and so is somebody else's program. */
static void judge_foreign(const struct sw_link_facts *link, const char *hook,
			  struct sw_finding *finding)
{
	sw_found(finding, SW_FINDING_DEGRADED,
		 "somebody has put another program into synward's link on its %s", hook);
	sw_found_why(finding, "no packet of that direction is seen");
	sw_found_command(finding, "synward attach %s", link->name);
}

/* As an interface that came from another network namespace with its program, or one of which only another version can tell. */
static void judge_unrecorded(const struct sw_link_facts *link, struct sw_finding *finding)
{
	if (!link->hooks.state_line[0]) {
		sw_found(finding, SW_FINDING_DEGRADED,
			 "synward is on its XDP hook, and has no record of it here");
		sw_found_why(finding, "its other hooks are not checked, and its packets may be "
				      "counted for another interface");
		sw_found_command(finding, "synward attach %s", link->name);
		return;
	}
	sw_found(finding, SW_FINDING_BROKEN,
		 "synward is on its XDP hook, and its state cannot be read");
	sw_found_why(finding, "%s", link->hooks.state_line);
}

static void judge_hook(const struct sw_link_facts *link, struct sw_finding *finding)
{
	static const char *const cut = "; remove it first";
	const char *line = link->hooks.xdp_line, *end = strstr(line, cut), *how;

	if (link->hooks.foreign[SW_HOOK_INGRESS]) {
		judge_foreign(link, "XDP hook", finding);
		return;
	}
	if (link->hooks.unrecorded) {
		judge_unrecorded(link, finding);
		return;
	}
	if (!link->hooks.xdp_error && link->hooks.ours && link->hooks.mode != SW_MODE_TC) {
		sw_found(finding, SW_FINDING_OK, "synward is on its XDP hook (%s)",
			 sw_attach_mode_name(link->hooks.mode));
		return;
	}
	if (!link->hooks.xdp_error) {
		sw_found(finding, SW_FINDING_OK, "its XDP hook is free%s",
			 link->hooks.ours ? ", and synward is at TC" : "");
		return;
	}
	how = end ? strstr(end, "for example: ") : NULL;
	sw_found(finding, SW_FINDING_BROKEN, "%.*s", end ? (int)(end - line) : (int)strlen(line),
		 line);
	sw_found_why(finding, "an interface takes one XDP program, so attach fails");
	sw_found_remedy(finding, "remove it");
	if (how)
		sw_found_command(finding, "%s", how + strlen("for example: "));
}

static void judge_tc(const struct sw_link_facts *link, struct sw_finding *finding)
{
	const struct sw_hook_facts *hooks = &link->hooks;
	int tcx = (hooks->tcx[0] > 0 ? hooks->tcx[0] : 0) + (hooks->tcx[1] > 0 ? hooks->tcx[1] : 0);

	if (hooks->tc_error) {
		sw_found(finding, SW_FINDING_UNKNOWN, "its filters could not be listed: %s",
			 sw_errno_text(hooks->tc_error));
		sw_found_why(finding, "one before ours that hides packets would not be found");
		return;
	}
	if (hooks->foreign[SW_HOOK_EGRESS]) {
		judge_foreign(link, "TC egress hook", finding);
		return;
	}
	if (hooks->ours || (!hooks->filters && !tcx)) {
		sw_found(finding, SW_FINDING_OK,
			 hooks->ours ? "synward is among its TC programs" :
				       "nobody is on its TC hooks");
		return;
	}
	sw_found(finding, SW_FINDING_NOTE,
		 "others are on its TC hooks: %u filters, %d TCX programs", hooks->filters, tcx);
	sw_found_why(finding,
		     "one before ours that ends the chain, or sends packets elsewhere, hides "
		     "them from synward");
	sw_found_remedy(finding, "see who they are");
	sw_found_command(finding, "bpftool net show dev %s", link->name);
}

/* 802.3ad, balance-xor, balance-rr and active-backup, as the kernel numbers them. */
static bool bond_takes_xdp(int mode)
{
	return mode == 0 || mode == 1 || mode == 2 || mode == 4;
}

static void judge_bond(const struct sw_link_facts *link, struct sw_finding *finding)
{
	const struct sw_stack_facts *stack = &link->stack;

	sw_found(finding, SW_FINDING_NOTE, "it is a bond of %s",
		 stack->lower[0] ? stack->lower : "no ports");
	sw_found_why(finding,
		     "each port's driver has to take the program, and while it is there no "
		     "other port can join that has one");
	if (bond_takes_xdp(stack->bond_mode))
		return;
	finding->state = SW_FINDING_DEGRADED;
	sw_found_why(finding, "a bond of this mode takes no XDP program, so attach goes to TC");
	sw_found_remedy(finding, "use mode active-backup, 802.3ad, balance-xor or balance-rr");
}

static void judge_stack(const struct sw_link_facts *link, struct sw_finding *finding)
{
	const struct sw_stack_facts *stack = &link->stack;
	bool is_port_of_bond = !strcmp(stack->master_kind, "bond") ||
			       !strcmp(stack->master_kind, "team");

	if (stack->error) {
		sw_found(finding, SW_FINDING_UNKNOWN, "the interfaces could not be listed: %s",
			 sw_errno_text(stack->error));
		sw_found_why(finding, "what it stands on, and what on it, is not known");
	} else if (link->hooks.also[0]) {
		sw_found(finding, SW_FINDING_DEGRADED,
			 "synward is also attached to %s, below or above it", link->hooks.also);
		sw_found_why(finding, "the same packet is then seen twice");
		sw_found_command(finding, "synward detach %s", link->hooks.also);
	} else if (is_port_of_bond) {
		sw_found(finding, SW_FINDING_DEGRADED, "it is a port of %s %s", stack->master_kind,
			 stack->master);
		sw_found_why(finding, "what comes by the other ports is not seen here");
		sw_found_remedy(finding, "attach %s, or all of its ports", stack->master);
		sw_found_command(finding, "synward attach %s", stack->master);
	} else if (stack->bond_mode >= 0) {
		judge_bond(link, finding);
	} else if (!strcmp(stack->kind, "bridge")) {
		sw_found(finding, SW_FINDING_NOTE, "it is a bridge of %s",
			 stack->lower[0] ? stack->lower : "no ports");
		sw_found_why(finding,
			     "only what is for this host is seen on it, not what it passes on");
		sw_found_remedy(finding, "to see that, attach its ports");
	} else if (stack->netfilter_bridge[0]) {
		sw_found(finding, SW_FINDING_DEGRADED,
			 "what comes by it goes through the bridge %s, and br_netfilter is on",
			 stack->netfilter_bridge);
		sw_found_why(finding,
			     "that takes from each segment the listener that it was handed over "
			     "to, so another way than handover keeps floods off");
		sw_found_remedy(finding,
				"attach %s, if only this host is to be defended; or else switch "
				"br_netfilter off",
				stack->netfilter_bridge);
		sw_found_command(finding, "sysctl -w net.bridge.bridge-nf-call-iptables=0 "
					  "net.bridge.bridge-nf-call-ip6tables=0");
	} else if (!strcmp(stack->master_kind, "bridge")) {
		sw_found(finding, SW_FINDING_OK,
			 "it is a port of the bridge %s, without br_netfilter", stack->master);
	} else if (stack->lower[0]) {
		sw_found(finding, SW_FINDING_NOTE, "it stands on %s", stack->lower);
		sw_found_why(finding, "packets have come a long way when they get here");
		sw_found_command(finding, "synward attach %s", stack->lower);
	} else {
		sw_found(finding, SW_FINDING_OK, "it stands by itself%s%s%s%s",
			 stack->vlans[0] ? "; VLANs on it: " : "", stack->vlans,
			 stack->others[0] ? "; others on it: " : "", stack->others);
	}
}

/*
 * A veth's other end receives what XDP sends only if it has a program. The kernel says that GRO is enough, and then leaves
 * it lying there.
 */
static void judge_answers(const struct sw_link_facts *link, struct sw_finding *finding)
{
	if (link->hooks.ours && link->hooks.mode == SW_MODE_TC) {
		sw_found(finding, SW_FINDING_OK, "what is answered is sent by TC");
		return;
	}
	sw_found(finding, SW_FINDING_OK, "what XDP answers is sent by the driver");
	if (strcmp(link->ethtool.driver, "veth") != 0 || !link->has_xdp_features ||
	    link->xdp_features & SW_XDP_TARGET)
		return;
	sw_found(finding, link->hands_over ? SW_FINDING_NOTE : SW_FINDING_DEGRADED,
		 "the other end of this veth takes nothing that XDP sends");
	sw_found_why(finding,
		     link->hands_over ?
			     "answers are sent by TC, which costs more" :
			     "answers are lost, and the defence steps aside; Linux 6.9 can have TC "
			     "send them");
	sw_found_remedy(finding, "attach at TC, or have an XDP program on the other end");
	sw_found_command(finding, "synward attach %s --mode tc", link->name);
}

static void judge_way_back(const struct sw_link_facts *link, struct sw_finding *finding)
{
	bool elsewhere = link->has_gateways && !link->gateway_here;

	sw_found(finding, SW_FINDING_OK,
		 "clients behind a router are reached by where they come from");
	if (!elsewhere)
		return;
	sw_found(finding, link->rp_filter == 1 ? SW_FINDING_DEGRADED : SW_FINDING_NOTE,
		 "this host's routers are not behind it%s",
		 link->rp_filter == 1 ? ", and rp_filter is 1" : "");
	sw_found_why(finding,
		     link->rp_filter == 1 ?
			     "the kernel drops what comes by it from behind a router, and the ACKs "
			     "of clients that were answered are of those" :
			     "SYNs are answered by where they came in, and all else goes by the "
			     "routes: somebody on the way may mind");
	if (link->rp_filter == 1) {
		sw_found_remedy(finding, "have the kernel ask only whether there is a way back");
		sw_found_command(
			finding,
			"sysctl -w net.ipv4.conf.%s.rp_filter=2 net.ipv4.conf.all.rp_filter=2",
			link->name);
	} else {
		sw_found_remedy(finding, "if clients come by it from behind a router, give it a "
					 "route back");
		sw_found_command(finding, "ip route show");
	}
}

const struct sw_link_check sw_place_checks[] = {
	{ "frames", judge_frames },
	{ "stack", judge_stack },
	{ "xdp_hook", judge_hook },
	{ "tc_hooks", judge_tc },
	{ "answers", judge_answers },
	{ "way_back", judge_way_back },
	{},
};
