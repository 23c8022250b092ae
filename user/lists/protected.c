// SPDX-License-Identifier: GPL-2.0-or-later
#include "protected.h"

#include "../base/address.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/interface_records.h"
#include "../maps/map_keys.h"
#include "../model/names.h"
#include "../platform/interface_name.h"
#include "../platform/netns.h"
#include "../platform/routes.h"

#include <bpf/bpf.h>
#include <string.h>

static const char *const resolv_confs[] = {
	"/etc/resolv.conf",
	"/run/systemd/resolve/resolv.conf", /* whom systemd-resolved asks in its turn */
};

/* One collection under way. */
struct collection {
	struct sw_guard *guard;
	enum sw_protected kind;
	const char *where; /* NULL: the interface's name */
	int error;
};

static int add(struct sw_guard *guard, const struct sw_prefix *prefix, enum sw_protected kind,
	       const char *where)
{
	size_t room = guard->room ? guard->room * 2 : 32;
	struct sw_guarded *rows;

	if (guard->count == guard->room) {
		rows = reallocarray(guard->rows, room, sizeof(*rows));
		if (!rows)
			return sw_error(ENOMEM, "not enough memory for the protected addresses");
		guard->rows = rows;
		guard->room = room;
	}
	guard->rows[guard->count] = (struct sw_guarded){ .prefix = *prefix, .kind = kind };
	sw_format(guard->rows[guard->count].where, sizeof(guard->rows[0].where), "%s", where);
	guard->count++;
	return 0;
}

static int add_text(struct sw_guard *guard, const char *text, enum sw_protected kind,
		    const char *where)
{
	struct sw_prefix prefix;

	if (sw_parse_prefix(text, &prefix) != SW_PREFIX_FINE)
		return 0;
	return add(guard, &prefix, kind, where);
}

static void take(void *context, const struct sw_addr *addr, uint32_t ifindex)
{
	struct collection *all = context;
	struct sw_prefix prefix = { .addr = *addr, .length = 128 };
	char name[IF_NAMESIZE] = "";

	if (!all->error) {
		if (ifindex)
			sw_interface_name(ifindex, name);
		all->error = add(all->guard, &prefix, all->kind, name);
	}
}

static int collect_here(struct sw_guard *guard)
{
	struct collection all = { .guard = guard, .kind = SW_PROTECTED_OWN };
	int error = sw_own_addresses(take, &all);

	if (error)
		return sw_error(error, "cannot read the addresses of this host: %s",
				sw_errno_text(error));
	all.kind = SW_PROTECTED_GATEWAY;
	error = sw_gateways(take, &all);
	if (error)
		return sw_error(error, "cannot read the routes of this host: %s",
				sw_errno_text(error));
	return all.error;
}

/* The namespaces of what is attached; one that is gone, or may not be entered, has nothing to add. */
static int collect_attached(const struct sw_instance *instance, struct sw_guard *guard)
{
	SW_AUTO_RECORDS struct sw_records records = SW_RECORDS_NONE;
	uint32_t last = sw_netns_own();
	int error = sw_records_open(instance, &records);

	for (uint32_t slot = 0; slot < SW_MAX_INTERFACES && !error; slot++) {
		const struct sw_interface *record = &records.slots[slot];
		SW_AUTO_NETNS int back = -1;

		if (!record->ifindex || record->netns == last || record->netns == sw_netns_own())
			continue;
		last = record->netns;
		if (!sw_netns_enter(record->netns, &back))
			error = collect_here(guard);
	}
	return error;
}

/* nameserver ADDRESS; of a link-local one the interface follows behind a percent sign. */
static int collect_dns(struct sw_guard *guard)
{
	char line[256], server[64];
	int error = 0;

	for (size_t i = 0; i < sizeof(resolv_confs) / sizeof(resolv_confs[0]); i++) {
		SW_AUTO_FILE FILE *file = fopen(resolv_confs[i], "re");

		while (file && !error && fgets(line, sizeof(line), file))
			if (sscanf(line, " nameserver %63[^ \t\r\n%%]", server) == 1)
				error = add_text(guard, server, SW_PROTECTED_DNS, resolv_confs[i]);
	}
	return error;
}

/* By its prefix, then as it came. */
static int compare(const void *a, const void *b, void *rows)
{
	const struct sw_guarded *all = rows;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	int order = memcmp(&all[i].prefix, &all[j].prefix, sizeof(all[i].prefix));

	return order ? order : (i > j) - (i < j);
}

/* Leaves each prefix only once, as what it was known first, and in that order. */
static int leave_each_once(struct sw_guard *guard)
{
	SW_AUTO_FREE size_t *sorted = calloc(guard->count, sizeof(*sorted));
	size_t kept = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < guard->count; i++)
		sorted[i] = i;
	qsort_r(sorted, guard->count, sizeof(*sorted), compare, guard->rows);
	for (size_t i = guard->count; i-- > 1;)
		if (!memcmp(&guard->rows[sorted[i]].prefix, &guard->rows[sorted[i - 1]].prefix,
			    sizeof(struct sw_prefix)))
			guard->rows[sorted[i]].kind = SW_PROTECTED_COUNT;
	for (size_t i = 0; i < guard->count; i++)
		if (guard->rows[i].kind != SW_PROTECTED_COUNT)
			guard->rows[kept++] = guard->rows[i];
	guard->count = kept;
	return 0;
}

int sw_guard_collect(const struct sw_instance *instance, struct sw_guard *guard)
{
	int error = add_text(guard, "0.0.0.0", SW_PROTECTED_UNSPECIFIED, "");

	if (!error)
		error = add_text(guard, "::", SW_PROTECTED_UNSPECIFIED, "");
	if (!error)
		error = add_text(guard, "127.0.0.0/8", SW_PROTECTED_LOOPBACK, "");
	if (!error)
		error = add_text(guard, "::1", SW_PROTECTED_LOOPBACK, "");
	if (!error)
		error = collect_here(guard);
	if (!error)
		error = collect_attached(instance, guard);
	if (!error)
		error = collect_dns(guard);
	return error ? error : leave_each_once(guard);
}

void sw_guard_free(struct sw_guard *guard)
{
	free(guard->rows);
	*guard = (struct sw_guard){};
}

/* ---- what must not be blocked */

/* An entry that has something in common with a prefix, NULL if none has. */
static const struct sw_entry *find_overlap(const struct sw_entries *entries,
					   const struct sw_prefix *prefix)
{
	uint32_t shortest = sw_prefix_is_v4(prefix) ? SW_V4_BITS + 1 : 1;
	size_t behind = sw_entries_lower_bound(entries, prefix);

	/* within it, they come right behind it */
	if (behind < entries->count && sw_prefix_covers(prefix, &entries->rows[behind].prefix))
		return &entries->rows[behind];
	for (uint32_t length = prefix->length; length-- > shortest;) {
		struct sw_prefix around = sw_prefix_around(&prefix->addr, length);
		const struct sw_entry *entry = sw_entries_find(entries, &around);

		if (entry)
			return entry;
	}
	return NULL;
}

const struct sw_entry *sw_guard_find(const struct sw_guard *guard, const struct sw_entries *entries,
				     size_t *next, const struct sw_guarded **who)
{
	while (*next < guard->count) {
		const struct sw_guarded *row = &guard->rows[(*next)++];
		const struct sw_entry *entry = find_overlap(entries, &row->prefix);

		if (entry) {
			*who = row;
			return entry;
		}
	}
	return NULL;
}

const char *sw_guard_explain(char reason[SW_GUARD_REASON_SIZE], const struct sw_entry *entry,
			     const struct sw_guarded *who)
{
	char prefix[SW_PREFIX_SIZE], address[SW_PREFIX_SIZE];
	bool within = sw_prefix_covers(&who->prefix, &entry->prefix);

	sw_format_prefix(prefix, &entry->prefix);
	sw_format_prefix(address, &who->prefix);
	sw_format(reason, SW_GUARD_REASON_SIZE, "%s must not be blocked: it %s%s%s%s%s%s%s", prefix,
		  within ? "is " : "contains ", within ? "" : address, within ? "" : ", ",
		  sw_protected_words[who->kind].meaning, who->where[0] ? " (" : "", who->where,
		  who->where[0] ? ")" : "");
	return reason;
}

/* ---- the map */

/*
 * Of a host of IPv6 its whole /64 is blocked at once, so that is what must be protected. The
 * loopback's and the unspecified address are alone in theirs, and with them would go all of IPv4.
 */
static struct sw_protected_key key_of(const struct sw_guarded *row)
{
	struct sw_prefix prefix = row->prefix;

	if (!sw_prefix_is_v4(&prefix) && row->kind >= SW_PROTECTED_OWN && prefix.addr.halves[0])
		prefix = sw_prefix_around(&prefix.addr, 64);
	return (struct sw_protected_key){ .length = 32 + prefix.length, .addr = prefix.addr };
}

/* What the map is to have. */
static void keys_of(const struct sw_guard *guard, struct sw_keys *wanted)
{
	for (size_t i = 0; i < guard->count; i++) {
		struct sw_protected_key key = key_of(&guard->rows[i]);

		sw_keys_add(wanted, &key);
	}
	sw_keys_sort(wanted);
}

/* What is no longer protected goes. */
static int remove_others(int fd, const struct sw_keys *wanted)
{
	SW_AUTO_KEYS struct sw_keys present = { .size = sizeof(struct sw_protected_key) };
	int error = sw_keys_read(fd, &present);

	for (size_t i = 0; !error && i < present.count; i++)
		if (!sw_keys_have(wanted, sw_keys_at(&present, i)) &&
		    bpf_map_delete_elem(fd, sw_keys_at(&present, i)))
			error = -errno;
	return error;
}

/* Of several with the same key the last one says what it is; what there is no room for is told. */
static int write_all(int fd, const struct sw_guard *guard)
{
	size_t left_out = 0;

	for (size_t i = 0; i < guard->count; i++) {
		struct sw_protected_key key = key_of(&guard->rows[i]);
		__u32 kind = guard->rows[i].kind;

		if (bpf_map_update_elem(fd, &key, &kind, BPF_ANY) && errno != ENOSPC)
			return -errno;
		left_out += errno == ENOSPC;
		errno = 0;
	}
	if (left_out)
		sw_note("%zu addresses are not protected, since there is room for %u: a rule may "
			"auto-block them",
			left_out, SW_MAX_PROTECTED);
	return 0;
}

int sw_protected_refresh(const struct sw_instance *instance)
{
	SW_AUTO_KEYS struct sw_keys wanted = { .size = sizeof(struct sw_protected_key) };
	SW_AUTO_GUARD struct sw_guard guard = {};
	SW_AUTO_FD int fd = -1;
	int error = sw_guard_collect(instance, &guard);

	if (!error)
		error = sw_instance_map(instance, "protected", sizeof(__u32), &fd);
	if (error)
		return error;
	keys_of(&guard, &wanted);
	error = wanted.lacks_memory ? -ENOMEM : remove_others(fd, &wanted);
	if (!error)
		error = write_all(fd, &guard);
	if (error)
		return sw_error(error, "cannot write the protected addresses: %s",
				sw_errno_text(error));
	return 0;
}
