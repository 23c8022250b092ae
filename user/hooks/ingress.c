// SPDX-License-Identifier: GPL-2.0-or-later
/* The ingress hook: XDP by a pinned link, or that of TC. */
#include "hooks.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/interface_records.h"
#include "../platform/interface_name.h"
#include "../platform/netns.h"
#include "../platform/xdp_features.h"
#include "bpf_object.h"
#include "refusal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int link_xdp(int program_fd, uint32_t ifindex, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);

	return bpf_link_create(program_fd, (int)ifindex, BPF_XDP, &options);
}

/* Would generic mode fare any better? */
static bool is_about_driver(int error)
{
	switch (-error) {
	case EBUSY:
	case EEXIST:
	case EPERM:
	case EACCES:
	case ENODEV:
	case ENOMEM:
		return false;
	}
	return true;
}

/* What became of the first try. */
struct refused {
	int error;		      /* 0: nothing was refused */
	char words[SW_REFUSAL_WORDS]; /* the driver's own, if there are any */
};

struct reason {
	char text[SW_REFUSAL_WORDS + 64];
};

static struct reason reason_of(const struct refused *refused)
{
	struct reason reason;

	sw_format(reason.text, sizeof(reason.text), "%s%s%s", sw_errno_text(refused->error),
		  refused->words[0] ? ": " : "", refused->words);
	return reason;
}

/* Natively, and listens to why not. Returns the link, or -errno without a line. */
static int link_natively(int program, uint32_t ifindex, struct refused *refused)
{
	SW_AUTO_REFUSAL struct sw_refusal refusal;
	int link;

	sw_refusal_begin(&refusal);
	link = link_xdp(program, ifindex, XDP_FLAGS_DRV_MODE);
	if (link < 0)
		sw_refusal_words(&refusal, refused->words);
	return link;
}

static int explain(const struct sw_pins *pins, const struct sw_interface *record,
		   const struct refused *refused, enum sw_mode mode)
{
	int error = refused->error;

	if (error == -EBUSY || error == -EEXIST)
		return sw_occupied(pins, record);
	if (mode == SW_MODE_NATIVE && is_about_driver(error))
		return sw_error(error,
				"%s: its driver does not take an XDP program (%s); use --mode tc, "
				"which works everywhere but costs more",
				record->name, reason_of(refused).text);
	return sw_error(error, "%s: the kernel did not attach the XDP program: %s", record->name,
			sw_errno_text(error));
}

/*
 * A program that lets everything pass, and may say that it knows of frames in several buffers: -errno from a kernel that
 * does not know what that is.
 */
static int load_probe(uint32_t flags)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_XDP,
		    .prog_flags = flags);

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "sw_probe", "GPL", pass,
			     sizeof(pass) / sizeof(pass[0]), &options);
}

/*
 * A driver whose frames are larger than its buffers may want a program for frames in several. Whether it
 * takes one is found out by a small one: to load ours would take its time, and mostly in vain. Ours then
 * takes its place, since to attach again could mean another reset of the card.
 */
static int link_frags(struct sw_object *object, uint32_t ifindex)
{
	SW_AUTO_FD int probe = load_probe(BPF_F_XDP_HAS_FRAGS);
	SW_AUTO_FD int link = probe < 0 ? probe : link_xdp(probe, ifindex, XDP_FLAGS_DRV_MODE);
	int program, error;

	if (link < 0)
		return link;
	program = sw_object_xdp_frags(object);
	if (program < 0)
		return program;
	error = bpf_link_update(link, program, NULL);
	return error ? error : sw_take_fd(&link);
}

/*
 * Are frames in several buffers beyond a program's reach there? In its usual way of receiving them, mlx5
 * leaves the first buffer empty: every frame would pass unread.
 */
static bool hides_headers(const char *interface)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (void *)&info };
	SW_AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sw_format(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	return fd >= 0 && !ioctl(fd, SIOCETHTOOL, &request) && !strcmp(info.driver, "mlx5_core");
}

/* As the record says that it was attached. */
static int take_back(const struct sw_pins *pins, const char *name,
		     const struct sw_interface *record, struct sw_object *object)
{
	int program = record->xdp_frags ? sw_object_xdp_frags(object) : sw_object_xdp(object);

	return program < 0 ? program : sw_link_take_back(pins, name, record, program);
}

/* Natively, or generically, or else why not at the first try; no line is recorded for that. */
static int attach_xdp(const struct sw_pins *pins, struct sw_interface *record, uint32_t slot,
		      struct sw_object *object, bool generic, struct refused *refused)
{
	SW_AUTO_FD int link = -1;
	bool frags = false;
	uint32_t id;
	char name[32];
	int error;

	*refused = (struct refused){};
	sw_format(name, sizeof(name), "links/%u/xdp", slot);
	error = sw_link_forget_next(pins, name);
	if (error)
		return error;
	if (sw_link_health(pins, name, record, &id) == SW_HEALTH_FOREIGN)
		return take_back(pins, name, record, object);
	link = generic ? link_xdp(sw_object_xdp(object), record->ifindex, XDP_FLAGS_SKB_MODE) :
			 link_natively(sw_object_xdp(object), record->ifindex, refused);
	refused->error = link < 0 ? link : 0;
	if (link < 0 && !generic && is_about_driver(link) && !hides_headers(record->name)) {
		link = link_frags(object, record->ifindex);
		frags = link >= 0;
	}
	if (link < 0)
		return link;
	error = sw_pins_replace(pins, name, link);
	if (error)
		return error;
	record->mode = generic ? SW_MODE_GENERIC : SW_MODE_NATIVE;
	record->xdp_frags = frags;
	return 0;
}

static int attach_tc(const struct sw_pins *pins, struct sw_interface *record, uint32_t slot,
		     struct sw_object *object, enum sw_tc_mode tc)
{
	int program = sw_object_tc(object), error;

	if (program < 0)
		return program;
	error = sw_tc_attach(pins, record, slot, SW_INGRESS, program, tc);
	if (error)
		return error;
	record->mode = SW_MODE_TC;
	record->xdp_frags = false;
	return 0;
}

static void note_refused(struct sw_attach_result *result, const struct refused *refused)
{
	sw_format(result->note, sizeof(result->note),
		  "its driver does not take an XDP program (%s)", reason_of(refused).text);
	result->native_refused = true;
}

bool sw_native_is_refused(uint32_t ifindex, struct sw_attach_result *result)
{
	SW_AUTO_FD int probe = -1, link = -1;
	struct refused refused = {};
	uint64_t features;

	if (!sw_read_xdp_features(ifindex, &features) || features & SW_XDP_BASIC)
		return false;
	probe = load_probe(0);
	if (probe < 0)
		return false;
	link = link_natively(probe, ifindex, &refused);
	refused.error = link < 0 ? link : 0;
	if (link >= 0 || !is_about_driver(link))
		return false;
	note_refused(result, &refused);
	return true;
}

int sw_ingress_attach(const struct sw_pins *pins, struct sw_interface *record, uint32_t slot,
		      struct sw_object *object, const struct sw_hook_wish *wish,
		      struct sw_attach_result *result)
{
	struct refused refused;
	int error;

	if (wish->mode == SW_MODE_TC)
		return attach_tc(pins, record, slot, object, wish->tc);
	error = sw_clsact_check(pins, record, slot, SW_INGRESS); /* it would count all once more */
	if (error)
		return error;
	error = attach_xdp(pins, record, slot, object, wish->mode == SW_MODE_GENERIC, &refused);
	if (!error || !refused.error)
		return error;
	if (wish->mode != SW_MODE_AUTO || !is_about_driver(refused.error))
		return explain(pins, record, &refused, wish->mode);
	sw_error_clear();
	note_refused(result, &refused);
	return attach_tc(pins, record, slot, object, wish->tc);
}

/* What anybody may see of a hook whose link he may not look at: whether there is a program at all. */
static enum sw_health seen_by_anybody(const struct sw_interface *record)
{
	char name[IF_NAMESIZE];

	if (!sw_record_is_here(record))
		return SW_HEALTH_UNKNOWN;
	if (!sw_interface_name(record->ifindex, name))
		return SW_HEALTH_GONE;
	return sw_xdp_is_taken(record->ifindex) ? SW_HEALTH_UNKNOWN : SW_HEALTH_DETACHED;
}

enum sw_health sw_ingress_health(const struct sw_pins *pins, const struct sw_interface *record,
				 uint32_t slot, uint32_t *program)
{
	enum sw_health health;
	char name[32];

	if (record->mode == SW_MODE_TC)
		return sw_tc_health(pins, record, slot, SW_INGRESS, program);
	sw_format(name, sizeof(name), "links/%u/xdp", slot);
	health = sw_link_health(pins, name, record, program);
	return health == SW_HEALTH_UNKNOWN ? seen_by_anybody(record) : health;
}
