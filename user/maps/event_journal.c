// SPDX-License-Identifier: GPL-2.0-or-later
#include "event_journal.h"

#include "../base/cleanup.h"
#include "../base/time.h"

#include <bpf/bpf.h>

#define NS_PER_MS 1000000ULL

static uint64_t oldest(const struct sw_event_journal *journal)
{
	uint64_t head = sw_event_journal_head(journal);

	return head > journal->count ? head - journal->count : 0;
}

int sw_event_journal_open(int head_fd, int records_fd, struct sw_event_journal *journal)
{
	struct sw_event_journal made = { .head_fd = head_fd, .records_fd = records_fd };
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	int error = 0;

	if (bpf_obj_get_info_by_fd(records_fd, &info, &length))
		error = -errno;
	else if (info.value_size != sizeof(struct sw_event_record))
		error = -EPROTO;
	if (error) {
		sw_event_journal_close(&made);
		return error;
	}
	made.count = info.max_entries;
	made.next = oldest(&made);
	*journal = made;
	return 0;
}

void sw_event_journal_close(struct sw_event_journal *journal)
{
	sw_close_fd(&journal->head_fd);
	sw_close_fd(&journal->records_fd);
}

/* An element of an array is always there, so a lookup does not fail. */
static void look_up(int fd, uint32_t key, void *value)
{
	(void)bpf_map_lookup_elem(fd, &key, value);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the next lookup is behind all of this one */
}

uint64_t sw_event_journal_head(const struct sw_event_journal *journal)
{
	struct sw_event_head head = {};

	look_up(journal->head_fd, 0, &head);
	return head.next;
}

static void go_on(struct sw_event_journal *journal, uint64_t to)
{
	journal->missed += to - journal->next;
	journal->next = to;
	journal->missing_since_ns = 0;
}

/* The next was overwritten: all are passed over that must have been, too. */
static void catch_up(struct sw_event_journal *journal)
{
	uint64_t to = oldest(journal), lead = journal->count / 4;
	bool again = journal->overtaken_until && journal->next - journal->overtaken_until < lead;

	/* a writer may have claimed the very next of which the head does not tell yet */
	if (to <= journal->next)
		to = journal->next + 1;
	go_on(journal, again ? to + lead : to);
	journal->overtaken_until = journal->next;
}

/* The next is not there. Will it never be? Its writer had no place, or is kept from running for too long. */
static bool is_given_up(struct sw_event_journal *journal)
{
	uint64_t head = sw_event_journal_head(journal), now_ns;

	if (head <= journal->next)
		return false;
	if (head - journal->next > journal->count)
		return true;
	now_ns = sw_monotonic_ns();
	if (!journal->missing_since_ns)
		journal->missing_since_ns = now_ns;
	return now_ns - journal->missing_since_ns >= SW_EVENT_PATIENCE_MS * NS_PER_MS;
}

bool sw_event_journal_next(struct sw_event_journal *journal, struct sw_event_record *copy)
{
	struct sw_event_record before = {}, after = {};

	while (true) {
		uint32_t place = (uint32_t)(journal->next % journal->count);
		uint64_t whole = 2 * journal->next + 2;

		look_up(journal->records_fd, place, &before);
		if (before.stamp < whole) {
			if (!is_given_up(journal))
				return false;
			go_on(journal, journal->next + 1);
			continue;
		}
		look_up(journal->records_fd, place, copy);
		look_up(journal->records_fd, place, &after);
		if (before.stamp == whole && after.stamp == whole) {
			journal->next++;
			journal->missing_since_ns = 0;
			return true;
		}
		catch_up(journal);
	}
}
