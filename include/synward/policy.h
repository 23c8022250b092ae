/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_POLICY_H
#define SYNWARD_POLICY_H

#include "anomaly.h"
#include "config.h"
#include "flood.h"
#include "flow.h"
#include "limit.h"
#include "tables.h"

/*
 * A policy, as the kernel reads it: what is done for each service, and for everything else. It is
 * written as a whole into a slot that no packet looks at, then made the active one by a single
 * store: no packet meets a mixture of two.
 *
 * A packet belongs to the service that has its destination; of several, to the one with the lowest
 * number. User space orders them: the longer prefix first, then the narrower range of ports, then
 * as they stand in the file. The last row is everything else.
 */
#define SW_MAX_SERVICES	   63U
#define SW_SERVICE_SLOTS   64U
#define SW_SERVICE_DEFAULT 63U
#define SW_SERVICE_NAME	   32

#define SW_SERVICE_PREFIXES 16U
#define SW_SERVICE_PORTS    16U

/* Ports that all services treat alike are one class. */
#define SW_PORT_CLASSES 1024U
#define SW_PORTS	65536U

/* The active one, the one to go back to, and the one that is being written. */
#define SW_POLICY_SLOTS 3U

/* What a policy has, so that packets pay for nothing else: bits of sw_policy.features. */
enum {
	SW_HAS_SERVICES = 1 << 0,	  /* any but the default */
	SW_HAS_ADDRESSES = 1 << 1,	  /* a service with an address or a family: ask the trie */
	SW_HAS_SYN_RATE = 1 << 2,	  /* any row has */
	SW_HAS_HALF_OPEN = 1 << 3,	  /* any row has one of the two */
	SW_HAS_SERVICE_TIMEOUTS = 1 << 4, /* a row's timeouts are not the default row's */
	SW_HAS_STRICT = 1 << 5,		  /* any row is strict */
	SW_HAS_AUTO_BLOCK = 1 << 6,
	SW_HAS_ENFORCE = 1 << 7,	/* any row enforces */
	SW_HAS_FLOOD_DEFENCE = 1 << 9,	/* any row's SYNs may be answered with cookies */
	SW_HAS_UNHEARD = 1 << 10,	/* whether somebody was heard answering does not count */
	SW_HAS_HAIRPIN = 1 << 11,	/* both ends may be behind one interface */
	SW_HAS_NO_HAIRPIN = 1 << 12,	/* they never are, whatever is seen */
	SW_HAS_SHARED_SECRET = 1 << 13, /* cookies are such that other hosts know them */
	SW_HAS_OWNERS = 1 << 8, /* an earlier policy limited half-open handshakes: see sw_owner() */
};

/* A prefix; the length is that of the mapped form: an IPv4 /n is n + 96. */
struct sw_prefix {
	struct sw_addr addr; /* bits behind the length are 0 */
	__u32 length;
	__u32 pad;
};

struct sw_port_range {
	__u16 first;
	__u16 last;
};

enum sw_family {
	SW_FAMILY_ANY,
	SW_FAMILY_IPV4,
	SW_FAMILY_IPV6,
};

/* Which packets a service is about: any of its prefixes and any of its ports. None means all. */
struct sw_service {
	char name[SW_SERVICE_NAME];
	__u32 family; /* enum sw_family; counts only if there is no prefix */
	__u32 prefix_count;
	__u32 port_count;
	__u32 pad;
	struct sw_prefix prefixes[SW_SERVICE_PREFIXES];
	struct sw_port_range ports[SW_SERVICE_PORTS];
};

#define SW_MAX_SYN_RATE	  1000000U
#define SW_MAX_SYN_BURST  4000000U
#define SW_MAX_HALF_OPEN  16777216U
#define SW_MAX_WARM_UP_MS (7U * 24 * 3600 * 1000)

#define SW_DEFAULT_WARM_UP_MS (3600U * 1000)
#define SW_MIN_SUSPENSION_MS  (3600U * 1000)
#define SW_DEFAULT_PREFIX4    32U
#define SW_DEFAULT_PREFIX6    64U

/* What is done about the packets of one service. */
struct sw_rules {
	__u64 drop;	   /* anomalies whose action is drop, as SW_BIT()s */
	__u64 strict_drop; /* anomalies whose action is strict: they drop only if strict is set */
	__u32 syn_rate;	   /* SYNs a second of one source prefix; 0: no limit */
	__u32 syn_burst;   /* how many may come at once, at least 1 if there is a rate */
	__u32 half_open_source;	 /* unfinished handshakes of one source prefix; 0: no limit */
	__u32 half_open_service; /* of all sources together; 0: no limit */
	/* of these, established and closed are of the default row for all services */
	__u32 timeout_ms[SW_TIMEOUT_COUNT];
	__u32 warm_up_ms; /* strict anomalies drop only after having watched for that long */
	__u8 enforce;	  /* 0: monitor, counts what it would drop */
	__u8 strict;
	__u8 prefix4; /* how many bits of a source's address the limits look at: 8 to 32 */
	__u8 prefix6; /* 16 to 128 */
	__u8 pad[4];
	struct sw_flood_rules flood;
};

/* Sources that are proven not to be spoofed are blocked for what they do. */
struct sw_auto_block {
	__u32 offences; /* segments that the policy drops, or would drop, ... */
	__u32 window_s; /* ... within that time; then it is blocked ... */
	__u32 expiry_s; /* ... for that long */
	__u32 maximum;	/* of so many sources at a time, at most SW_MAX_AUTO_BLOCKS */
	__u8 enabled;
	__u8 own_flows; /* only what happens on a connection of its own counts */
	__u8 pad[2];
};

/* How floods are kept off, whichever service they are for. */
struct sw_flood_defence {
	__u8 way;	     /* enum sw_flood_wish */
	__u8 set_syncookies; /* net.ipv4.tcp_syncookies may be set to what the way needs */
	__u8 unheard;	     /* SYNs are answered also where nobody was heard answering */
	__u8 shared_secret;  /* cookies are made with a secret that other hosts have, too */
	__u8 pad[4];
};

/* May both ends of a connection be behind one interface? */
enum sw_hairpin {
	SW_HAIRPIN_AUTO, /* where something leaves by the interface that it came in by */
	SW_HAIRPIN_YES,
	SW_HAIRPIN_NO,
	SW_HAIRPIN_COUNT
};

/* What a host is to those between which it stands. */
struct sw_gateway {
	__u8 hairpin; /* enum sw_hairpin */
	__u8 pad[7];
};

#define SW_MAX_AUTO_BLOCKS    65536U
#define SW_MAX_OFFENCES	      1000000U
#define SW_MAX_BLOCK_WINDOW_S (24U * 3600)
#define SW_MAX_BLOCK_EXPIRY_S (7U * 24 * 3600)

/* One value of the map "policies". */
struct sw_policy {
	__u32 features;	     /* SW_HAS_* */
	__u32 generation;    /* another with each policy that is applied */
	__u64 anywhere;	     /* services without address and family, and the default, by bit */
	__u32 service_count; /* of the first rows; the default not counted */
	struct sw_auto_block auto_block;
	struct sw_rules rules[SW_SERVICE_SLOTS];
	__u64 class_services[SW_PORT_CLASSES]; /* which services have the ports of a class */
	__u16 port_classes[SW_PORTS];
	/*
	 * For people and commands: packets do not read it. Behind the first service_count, those that
	 * have a name are of earlier policies, and their counters, too.
	 */
	struct sw_service services[SW_SERVICE_SLOTS];
	struct sw_flood_defence flood_defence;
	struct sw_gateway gateway;
	__u32 being_written; /* 1: its slot's counters do not belong to its names at the moment */
	__u32 pad;
};

/* Key of the map "service_nets", a trie; its value: the services that have the prefix, by bit. */
struct sw_service_prefix_key {
	__u32 length; /* 32 for the slot, and the prefix's */
	__u32 slot;
	struct sw_addr addr;
};

#define SW_MAX_SERVICE_PREFIXES ((SW_MAX_SERVICES * SW_SERVICE_PREFIXES + 2) * SW_POLICY_SLOTS)

/* What the program sw_switch is asked for, as its packet. */
enum sw_switch_verb {
	SW_SWITCH_ACTIVATE, /* slot becomes the active one; with deadline_ms, until then if not kept */
	SW_SWITCH_CONFIRM,   /* keep what is active */
	SW_SWITCH_ROLL_BACK, /* at once to what was before */
};

struct sw_switch_request {
	__u32 verb;
	__u32 slot;
	__u32 deadline_ms; /* from now; 0: none */
	__u32 arm;	   /* with ACTIVATE: 1 also arms, until that is rolled back */
	__u8 pad[48];	   /* as long as the shortest frame */
};

/* Of the map "policy_state": which slot is active, and whether that is for good. */
struct sw_policy_state {
	struct sw_lock lock;
	__u32 active;
	__u32 fallback;		 /* to go back to; SW_POLICY_SLOTS: there is none */
	__u32 deadline_ms;	 /* of the coarse clock, if pending */
	__u32 pending;		 /* 1: fallback becomes active at the deadline */
	__u32 rolled_back;	 /* how often that has happened */
	__u32 fallback_disarmed; /* 1: nothing was armed before the active one */
	__u32 pad;
	__u64 since_ms; /* when it became active, by the coarse clock */
};

/*
 * For how long a handshake that was seen from one side only suspends strict anomalies, in ms. Who
 * does without a warm-up, or with a short one, does not do without this: behind an asymmetric route
 * there is no other sign, and one-sided handshakes may be rare there.
 */
static __always_inline __u32 sw_suspension_ms(const struct sw_rules *rules)
{
	return rules->warm_up_ms > SW_MIN_SUSPENSION_MS ? rules->warm_up_ms : SW_MIN_SUSPENSION_MS;
}

/* The default row without any policy: watch, with the default actions. */
static __always_inline void sw_rules_default(struct sw_rules *rules)
{
	static const __u32 defaults[SW_TIMEOUT_COUNT] = {
#define X(id, name, ms, meaning) ms,
		SW_TIMEOUTS(X)
#undef X
	};

	*rules = (struct sw_rules){
		.drop = SW_MASK_DROP | SW_MASK_DROP_SYM,
		.strict_drop = SW_MASK_STRICT,
		.warm_up_ms = SW_DEFAULT_WARM_UP_MS,
		.prefix4 = SW_DEFAULT_PREFIX4,
		.prefix6 = SW_DEFAULT_PREFIX6,
		.flood = { .half_open = SW_DEFAULT_FLOOD_HALF_OPEN,
			   .syn_rate = SW_DEFAULT_FLOOD_SYN_RATE,
			   .calm_ms = SW_DEFAULT_FLOOD_CALM_MS,
			   .self_check = 1 },
	};
	for (int i = 0; i < SW_TIMEOUT_COUNT; i++)
		rules->timeout_ms[i] = defaults[i];
}

SW_STATIC_ASSERT(sizeof(struct sw_rules) == 80, "a row has no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_prefix) == 24, "a prefix has no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_service) == 496, "a service has no hidden padding");
SW_STATIC_ASSERT(sizeof(struct sw_switch_request) == 64, "a frame");

#endif
