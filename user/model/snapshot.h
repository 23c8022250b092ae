/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_SNAPSHOT_H
#define SYNWARD_MODEL_SNAPSHOT_H

/*
 * What was read from the kernel at one moment, as plain data: readers/ fills it in, report/ prints
 * it. Nothing here knows of either.
 */

#include "flood_way.h"
#include "policy_view.h"

#include <synward/config.h>
#include <synward/counters.h>
#include <synward/tables.h>

#include <stdint.h>

/*
 * Of attempts that were only counted, since more came than could be followed: how many of them no segment told the
 * end of, and how many of those ended in one way, if they did as those that were followed meanwhile.
 */
uint64_t sw_untold_attempts(const struct sw_counters *total);
uint64_t sw_estimated_outcome(const struct sw_counters *total, enum sw_outcome outcome);

struct sw_snapshot_interface {
	struct sw_interface record;
	uint32_t slot;
	struct sw_interface_traffic traffic; /* all CPUs together */
};

/* What `stats` shows. */
struct sw_snapshot {
	uint64_t taken_ns; /* CLOCK_MONOTONIC */
	uint64_t created_ns;
	struct sw_counters total; /* all CPUs together */
	uint64_t half_open;
	uint64_t connections;
	uint64_t map_bytes;
	uint32_t handshake_capacity;
	uint32_t connection_capacity;
	struct sw_policy_view policy;
	struct sw_service_counters
		services[SW_SERVICE_SLOTS]; /* as policy.rows, if there are any */
	uint32_t interface_count;	    /* in order of their slots */
	struct sw_snapshot_interface interfaces[SW_MAX_INTERFACES];
};

enum sw_health {
	SW_HEALTH_OK,
	SW_HEALTH_MISSING,  /* was never made, or its pin is gone */
	SW_HEALTH_DETACHED, /* somebody took it off the interface */
	SW_HEALTH_GONE,	    /* the interface is no more */
	SW_HEALTH_MOVED,    /* the interface has another index now */
	SW_HEALTH_FOREIGN,  /* our link has somebody else's program */
	SW_HEALTH_UNKNOWN,  /* it may not be looked at */
};

/* Whose value net.ipv4.tcp_syncookies has in a network namespace. */
enum sw_syncookies_owner {
	SW_SYNCOOKIES_OTHERS,  /* we have not set it */
	SW_SYNCOOKIES_OURS,    /* we have, and restore it when no policy asks for it any more */
	SW_SYNCOOKIES_CHANGED, /* we had, but somebody else has set it since */
};

struct sw_syncookies_view {
	enum sw_syncookies_owner owner;
	int now;    /* -1: there is none */
	int before; /* what it would be without us */
	int set;    /* what we have set */
};

/* How floods are kept off at an interface. */
struct sw_status_flood {
	bool known; /* its network namespace could be looked at, and no attach of it is under way */
	bool forwards;
	bool defends; /* the active policy answers SYNs */
	bool shares;  /* with cookies that other hosts know, too */
	struct sw_flood_asked asked;
	struct sw_flood_host host;
	struct sw_flood_choice choice;
	enum sw_flood_way way; /* the one in force */
	struct sw_syncookies_view syncookies;
	int syncookies_needed;	 /* at least, by what is active or may be by itself */
	int syncookies_wanted;	 /* the same, had nobody else changed it */
	bool handover_needed;	 /* the same */
	enum sw_health handover; /* of its hook */
	uint32_t handover_program;
	bool by_tc;	 /* XDP cannot send there, so TC does, as far as packets have shown */
	uint32_t drifts; /* by bit */
	uint8_t wscale;	 /* that is offered: all hosts that share a secret have to offer the same */
};

/* A program of somebody else's that sees packets before ours: what it ends we do not see. */
struct sw_program_before {
	uint32_t id;
	char name[32]; /* "?" if it may not be looked at */
};

#define SW_MAX_BEFORE 4

struct sw_programs_before {
	uint32_t count; /* of these, the first */
	struct sw_program_before rows[SW_MAX_BEFORE];
};

struct sw_status_interface {
	struct sw_interface record;
	uint32_t slot;
	struct sw_programs_before before_ingress; /* at TC */
	struct sw_programs_before before_egress;
	struct sw_programs_before before_handover;
	enum sw_health ingress;
	enum sw_health egress;
	uint32_t ingress_program; /* its id; 0: unknown */
	uint32_t egress_program;
	bool hidden; /* a hook is unknown since its network namespace cannot be found: it has ended, or not for us to see */
	struct sw_status_flood flood;
};

struct sw_status_map {
	char name[32]; /* that of its pin, which the kernel does not cut as it does the map's own */
	uint32_t entries;
	uint64_t bytes; /* as the kernel accounts for it */
};

#define SW_MAX_MAPS 64

/* How full a table is whose entries no counter of a CPU knows. */
struct sw_occupancy {
	const char *table; /* its name, which is its map's */
	uint64_t capacity;
	uint64_t used;
};

#define SW_OCCUPANCY_COUNT 4

enum sw_sweeper { SW_SWEEPER_UNKNOWN, SW_SWEEPER_RUNS, SW_SWEEPER_STOPPED };

/* What may not be as it should be: X(ID, name, meaning). */
#define SW_DEGRADED(X)                                                                             \
	X(HOOK, hook, "a hook is not in its place")                                                \
	X(HOOK_UNKNOWN, hook_unknown, "whoever asked may not look at the hooks")                   \
	X(DEFENCE, defence, "what keeps floods off is not as the policy asks")                     \
	X(STEPPED_ASIDE, stepped_aside, "the defence of a service has stepped aside")              \
	X(NOTHING_WATCHED, nothing_watched,                                                        \
	  "what was attached has ended with its network namespace")                                \
	X(SWEEPER, sweeper, "the sweeper has stopped")                                             \
	X(SECRET, secret, "the policy wants a shared secret, and none is loaded")

enum sw_degraded {
#define X(id, name, meaning) SW_DEGRADED_##id,
	SW_DEGRADED(X)
#undef X
		SW_DEGRADED_COUNT
};

/* What `status` shows. attached is false, and nothing else set but pin_dir, without any state. */
struct sw_status {
	bool attached;
	char pin_dir[256];
	uint64_t taken_ns;
	struct sw_identity identity;
	struct sw_settings settings;
	struct sw_policy_view policy;
	uint64_t half_open;
	uint64_t connections;
	struct sw_occupancy occupancy[SW_OCCUPANCY_COUNT];
	uint64_t map_bytes;
	enum sw_sweeper sweeper;
	uint32_t interface_count;
	struct sw_status_interface interfaces[SW_MAX_INTERFACES];
	uint32_t map_count;
	struct sw_status_map maps[SW_MAX_MAPS];
};

/* One half-open handshake of `list`. */
struct sw_handshake_view {
	struct sw_attempt attempt;
	uint32_t age_ms;
	uint32_t expires_ms; /* from now, if nothing more comes */
};

/* Which of them are meant; what is 0 or NULL excludes none. */
struct sw_handshake_filter {
	uint64_t limit; /* so many are kept, the oldest */
	uint64_t min_age_ms;
	uint32_t port; /* of the responder */
	enum sw_phase phase;
	const char *service; /* of the active policy */
};

struct sw_handshake_list {
	uint64_t total; /* found, of those that are meant, of which count were kept */
	uint64_t count;
	struct sw_handshake_view *views; /* oldest first */
};

/* How `attach` takes the hooks of an interface. */
enum sw_tc_mode { SW_TC_MODE_AUTO, SW_TC_MODE_TCX, SW_TC_MODE_CLSACT };

/* What became of one interface of `attach` or `detach`. */
struct sw_attach_result {
	char name[SW_IFNAME_SIZE];
	uint32_t ifindex;
	uint32_t netns;
	uint32_t slot;
	enum sw_mode mode;
	bool frags;	     /* by the program for frames in several buffers */
	bool native_refused; /* by TC, since native was tried first */
	bool already;	     /* it was attached before */
	bool repaired;	     /* and something was missing */
	bool created;	     /* of the first: all that is shared was made with it ... */
	const char *policy;  /* ... and begins with this one: saved, default or refused */
	bool disarmed;	     /* and whether nothing is dropped, whatever that says */
	bool undefended;     /* and whether floods are not kept off as the policy asks */
	bool shares_secret;  /* and whether the policy wants the secret that hosts share */
	uint32_t tc_hook;    /* enum sw_tc_hook */
	char note[256];	     /* why native was refused, for people; may be empty */
};

struct sw_detach_result {
	char name[SW_IFNAME_SIZE];
	uint32_t ifindex;
	uint32_t netns;
	bool gone; /* the interface had vanished before */
};

/* What became of one hook in `upgrade`. */
enum sw_upgraded {
	SW_UPGRADED_NONE,     /* this interface has no such hook now */
	SW_UPGRADED_REPLACED, /* it has the program of this version ... */
	SW_UPGRADED_ALREADY,  /* ... or had it before */
	SW_UPGRADED_MISSING,  /* somebody took it off: an attach repairs it */
};

/* Where an interface's programs are: X(ID, name). */
#define SW_HOOKS(X)                                                                                \
	X(INGRESS, ingress)                                                                        \
	X(EGRESS, egress)                                                                          \
	X(HANDOVER, handover)

enum sw_hook {
#define X(id, name) SW_HOOK_##id,
	SW_HOOKS(X)
#undef X
		SW_HOOK_COUNT
};

struct sw_upgrade_result {
	char name[SW_IFNAME_SIZE];
	uint32_t ifindex;
	uint32_t netns;
	bool gone;   /* the interface has vanished, and there was nothing to do */
	bool hidden; /* its network namespace cannot be found, and all its hooks are only there */
	enum sw_upgraded hooks[SW_HOOK_COUNT];
	uint32_t before[SW_HOOK_COUNT]; /* ids of the programs; 0: none */
	uint32_t after[SW_HOOK_COUNT];
};

struct sw_upgrade {
	bool already; /* all were of this version, and nothing was changed */
	uint32_t count;
	struct sw_upgrade_result interfaces[SW_MAX_INTERFACES]; /* in order of their slots */
};

/* The fraction-th (0 to 1) latency in microseconds, interpolated in its bucket; 0 if there is none. */
uint64_t sw_histogram_percentile(const struct sw_histogram *histogram, double fraction);

/* How many latencies a histogram holds. */
uint64_t sw_histogram_count(const struct sw_histogram *histogram);

/* Does seen = sum of verdicts = sum of kinds + forwarded hold? */
bool sw_traffic_is_conserved(const struct sw_traffic *traffic);

/* Is everything that this interface needs in its place? */
/* Is the hand-over's hook missing where it is needed? What may not be looked at is told of the others. */
bool sw_handover_is_missing(const struct sw_status_flood *flood);

bool sw_status_interface_ok(const struct sw_status_interface *interface);

/* Is what keeps floods off in its place? Without such a policy nothing has to be. */
bool sw_status_flood_ok(const struct sw_status_flood *flood);

/* Is the way one by which other hosts cannot know the cookies, although the policy wants them to? */
bool sw_way_cannot_share(const struct sw_status_flood *flood);

/* Is the sysctl ours although nothing asks for it any more, and the next command restores it? */
bool sw_syncookies_are_left(const struct sw_status_flood *flood);

/* Why something is not as it should be: bits of enum sw_degraded. */
uint32_t sw_status_reasons(const struct sw_status *status);

/*
 * Those of them that are faults. Whoever is no root may not look at the hooks, and that is the only one that
 * is about who asks, and not about what is attached.
 */
uint32_t sw_status_faults(const struct sw_status *status);

/* Is anything not as it should be? */
bool sw_status_degraded(const struct sw_status *status);

#endif
