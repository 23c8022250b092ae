/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_DOCTOR_FACTS_H
#define SYNWARD_DOCTOR_FACTS_H

/*
 * What was read of a host and of one of its interfaces, before anybody judges it. The readers change
 * nothing. What could not be read has its error, a positive errno value, beside it.
 */

#include "../model/flood_way.h"
#include "../model/snapshot.h"
#include "../platform/xdp_features.h"

#include <synward/config.h>

#include <stdbool.h>
#include <stdint.h>

#define SW_FACT_TEXT 160

struct sw_listener_facts {
	int error;
	uint32_t count;
	char mptcp[SW_FACT_TEXT];   /* ports of listeners that speak it: "80, 443" */
	char signed_[SW_FACT_TEXT]; /* of those with TCP MD5 keys; only the privileged are told */
	char full[SW_FACT_TEXT];    /* of those whose accept queue is full */
};

struct sw_firewall_facts {
	int error;
	bool tracks;	       /* conntrack is there */
	bool loose;	       /* it follows connections from their midst */
	bool drops_invalid;    /* a rule drops what conntrack calls invalid */
	bool drops_new_no_syn; /* a rule drops what is new and matches TCP flags */
	bool may_drop; /* a rule looks at conntrack's state in a way that is not understood */
	bool legacy;   /* there are tables of the old iptables, which cannot be read */
};

struct sw_host_facts {
	const char *missing; /* capabilities, "" if none is */
	int btf_error;
	const char *btf_line; /* what to say of that */
	int bpffs_error;
	char bpffs_line[320];
	uint32_t bpffs_mode;
	bool readers; /* there is a group of those who may read */
	bool may_probe;
	char helpers[SW_FACT_TEXT]; /* those that the kernel lacks */
	long jit;
	long timestamps, window_scaling, sack;
	char clock[32];
	bool clock_synchronised;
	struct sw_flood_host flood;
	struct sw_listener_facts listeners;
	struct sw_firewall_facts firewall;
};

struct sw_ethtool_facts {
	char driver[32];
	char version[32];
	char firmware[32];
	bool lro, gro_hw, rx_vlan; /* is on, now */
	bool has_channels;
	uint32_t queues, max_queues; /* that packets are received by */
	bool combined;		     /* they also send */
	bool has_rings;
	uint32_t ring, max_ring; /* of one receiving queue, in packets */
	uint64_t drops;		 /* that the card has counted since it is up: before any program */
	char drop_names[SW_FACT_TEXT];
};

struct sw_stack_facts {
	int error;
	uint32_t mtu;
	bool up;
	char kind[16]; /* "" of a card; else veth, bond, vlan, bridge ... */
	char master[SW_IFNAME_SIZE], master_kind[16];
	char netfilter_bridge[SW_IFNAME_SIZE]; /* above it, and br_netfilter is on there; or "" */
	char lower[SW_FACT_TEXT];	       /* what a bond, a bridge or a VLAN is made of */
	char vlans[SW_FACT_TEXT];	       /* VLANs on it */
	char others[SW_FACT_TEXT];	       /* other devices on it: macvlan ... */
	int bond_mode;			       /* as the kernel numbers them; -1: it is none */
	uint32_t related[32];		       /* indexes of all these */
	uint32_t related_count;
};

struct sw_hook_facts {
	int xdp_error;		     /* EBUSY: taken by somebody else, see line */
	char xdp_line[320];	     /* what attach would say */
	bool ours;		     /* this pin directory's program is there */
	bool unrecorded;	     /* or it is, and nothing that can be read tells of it ... */
	char state_line[320];	     /* ... since the state cannot be read; "" if it can */
	enum sw_mode mode;	     /* and in this mode */
	bool foreign[SW_HOOK_COUNT]; /* its link is there, and has somebody else's program */
	char also[SW_FACT_TEXT];     /* related interfaces with ours on them, too */
	int tc_error;
	uint32_t filters; /* of clsact, in both directions */
	int tcx[2];	  /* programs that come in by, and that leave by TCX; -1: unknown */
};

struct sw_link_facts {
	const char *name;
	uint32_t ifindex;
	uint32_t cpus;
	char frames_line[320]; /* why its frames cannot be read; "" if they can */
	bool has_xdp_features; /* the kernel tells them */
	uint64_t xdp_features;
	bool virtual_function;
	int irqs;     /* interrupts of its own, ... */
	int irq_cpus; /* ... and the CPUs that take them */
	long rp_filter;
	bool has_gateways; /* this host has routes by gateways ... */
	bool gateway_here; /* ... and one is behind this interface */
	struct sw_ethtool_facts ethtool;
	struct sw_stack_facts stack;
	struct sw_hook_facts hooks;
	bool hands_over; /* as the host */
};

void sw_read_host(const char *pin_dir, struct sw_host_facts *host);
void sw_read_listeners(struct sw_listener_facts *listeners);
void sw_read_firewall(struct sw_firewall_facts *firewall);

void sw_read_link(const char *pin_dir, const char *name, uint32_t ifindex,
		  struct sw_link_facts *link);
void sw_read_ethtool(const char *name, struct sw_ethtool_facts *ethtool);
void sw_read_stack(uint32_t ifindex, struct sw_stack_facts *stack);
void sw_read_hooks(const char *pin_dir, const char *name, uint32_t ifindex,
		   const struct sw_stack_facts *stack, struct sw_hook_facts *hooks);

/* Appends a word to a list of them, after ", "; what does not fit is left out. */
void sw_fact_append(char text[SW_FACT_TEXT], const char *word);

#endif
