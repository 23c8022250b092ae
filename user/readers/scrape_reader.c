// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads all that a page of metrics says: the counters, the status, and what is around them. */
#include "readers.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/policy_slot.h"
#include "../model/policy.h"
#include "../model/scrape.h"
#include "../platform/netlink.h"
#include "../platform/netns.h"
#include "accept_queues.h"
#include "snapshot_reader.h"

#include <bpf/bpf.h>
#include <linux/rtnetlink.h>
#include <string.h>

static int take_statistics(const struct nlattr *attribute, void *context)
{
	struct sw_scrape_interface *to = context;
	struct rtnl_link_stats64 found = {};
	size_t length = mnl_attr_get_payload_len(attribute);

	if (mnl_attr_get_type(attribute) != IFLA_STATS_LINK_64)
		return MNL_CB_OK;
	memcpy(&found, mnl_attr_get_payload(attribute),
	       length < sizeof(found) ? length : sizeof(found));
#define X(id, name) to->drops[SW_LINK_DROP_##id] = found.name;
	SW_LINK_DROPS(X)
#undef X
	to->drops_known = true;
	return MNL_CB_OK;
}

static int take_message(const struct nlmsghdr *message, void *context)
{
	mnl_attr_parse(message, sizeof(struct if_stats_msg), take_statistics, context);
	return MNL_CB_OK;
}

/* What its device has thrown away, of an interface of this network namespace; it may be gone. */
static void read_drops(uint32_t ifindex, struct sw_scrape_interface *to)
{
	char buffer[SW_NETLINK_SIZE];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct if_stats_msg *about;

	/* RTM_GETLINK has them, too, with all else that there is to an interface, which costs several times as much */
	request->nlmsg_type = RTM_GETSTATS;
	about = mnl_nlmsg_put_extra_header(request, sizeof(*about));
	about->ifindex = ifindex;
	about->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
	sw_netlink_ask(NETLINK_ROUTE, request, take_message, to);
}

static void read_netns(uint32_t netns, const struct sw_policy *policy,
		       struct sw_accept_queue *queues, struct sw_scrape *scrape)
{
	SW_AUTO_NETNS int back = -1;

	if (sw_netns_enter(netns, &back))
		return;
	for (uint32_t i = 0; i < scrape->status.interface_count; i++)
		if (scrape->status.interfaces[i].record.netns == netns)
			read_drops(scrape->status.interfaces[i].record.ifindex,
				   &scrape->interfaces[i]);
	if (policy->service_count && !sw_accept_queues_add(policy, queues))
		scrape->queues_known = true;
}

/* Is it the first one of its network namespace? */
static bool is_first(const struct sw_status *status, uint32_t which)
{
	for (uint32_t i = 0; i < which; i++)
		if (status->interfaces[i].record.netns == status->interfaces[which].record.netns)
			return false;
	return true;
}

/* Network namespaces that may not be entered are left out. */
static void read_namespaces(const struct sw_policy *policy, struct sw_scrape *scrape)
{
	struct sw_accept_queue queues[SW_SERVICE_SLOTS] = {};
	const struct sw_policy_view *view = &scrape->snapshot.policy;

	for (uint32_t i = 0; i < scrape->status.interface_count; i++)
		if (is_first(&scrape->status, i))
			read_netns(scrape->status.interfaces[i].record.netns, policy, queues,
				   scrape);
	for (uint32_t i = 0; i + 1 < view->row_count; i++)
		scrape->queues[i] = queues[i];
}

static bool kernel_counts_costs(void)
{
	SW_AUTO_FILE FILE *file = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");

	return file && getc(file) == '1';
}

/* False if that may not be read. A program that has gone meanwhile has cost nothing. */
static bool read_cost(uint32_t program, struct sw_program_cost *cost)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);
	SW_AUTO_FD int fd = program ? bpf_prog_get_fd_by_id(program) : -1;

	if (program && fd < 0)
		return errno == ENOENT;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
		return true;
	cost->runs = info.run_cnt;
	cost->ns = info.run_time_ns;
	return true;
}

static void read_costs(struct sw_scrape *scrape)
{
	scrape->costs_known = kernel_counts_costs();
	for (uint32_t i = 0; i < scrape->status.interface_count && scrape->costs_known; i++) {
		const struct sw_status_interface *of = &scrape->status.interfaces[i];
		struct sw_program_cost *costs = scrape->interfaces[i].costs;

		scrape->costs_known = read_cost(of->ingress_program, &costs[SW_HOOK_INGRESS]) &&
				      read_cost(of->egress_program, &costs[SW_HOOK_EGRESS]) &&
				      read_cost(of->flood.handover_program,
						&costs[SW_HOOK_HANDOVER]);
	}
}

/* The policy that the counters are of; without services if another has become active meanwhile. */
static int read_policy(const struct sw_instance *instance, uint32_t generation,
		       struct sw_policy *policy)
{
	struct sw_policy_state state;
	int error = sw_policy_read(instance, policy, &state);

	if (!error && policy->generation != generation)
		policy->service_count = 0;
	return error;
}

/* The instance and its interfaces are opened and read once, and so is what the counters and the status both say. */
static int read_instance(const char *pin_dir, struct sw_policy *policy, struct sw_scrape *made)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	SW_AUTO_RECORDS struct sw_records records = SW_RECORDS_NONE;
	int error = sw_instance_open(pin_dir, SW_ACCESS_READ, &instance);

	if (!error)
		error = sw_records_open(&instance, &records);
	if (!error)
		error = sw_snapshot_take(&instance, &records, &made->snapshot);
	if (error)
		return error;
	sw_format(made->status.pin_dir, sizeof(made->status.pin_dir), "%s", pin_dir);
	made->status.policy = made->snapshot.policy;
	error = sw_status_take(&instance, &records, &made->snapshot.total, &made->status);
	if (!error)
		error = read_policy(&instance, made->snapshot.policy.generation, policy);
	made->snapshot.map_bytes = made->status.map_bytes; /* which has found it out of each */
	return error;
}

int sw_scrape_read(const char *pin_dir, struct sw_scrape *scrape)
{
	SW_AUTO_FREE struct sw_scrape *made = calloc(1, sizeof(*made));
	SW_AUTO_FREE struct sw_policy *policy = malloc(sizeof(*policy));
	int error = made && policy ? read_instance(pin_dir, policy, made) : -ENOMEM;

	if (error)
		return error;
	read_namespaces(policy, made);
	read_costs(made);
	*scrape = *made;
	return 0;
}
