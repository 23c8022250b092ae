// SPDX-License-Identifier: GPL-2.0-or-later
#include "event_reader.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../platform/instance.h"
#include "../policy/policy_view_reader.h"

#include <synward/event.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

struct sw_event_reader {
	struct sw_instance instance;
	struct ring_buffer *ring;
	int interfaces_fd;
	int lock_fd;
	struct sw_interface cached; /* the slot that was asked for last */
	uint32_t cached_slot;
	struct sw_policy_view policy; /* of this poll; without rows: not read yet */
	int (*take)(const struct sw_event *event, void *context);
	void *context;
	int answer;
};

static bool is_whole(const struct sw_event *event, size_t size)
{
	if (size < sizeof(*event))
		return false;
	return size >= sizeof(struct sw_flood_event) || !sw_is_flood_event(event);
}

static int on_record(void *context, void *data, size_t size)
{
	struct sw_event_reader *reader = context;

	if (!is_whole(data, size))
		return 0;
	reader->answer = reader->take(data, reader->context);
	return reader->answer ? -ECANCELED : 0; /* only a negative one makes libbpf stop */
}

/* A ring buffer has one place up to which it was read: two readers would each get a part. */
static int lock_ring(struct sw_event_reader *reader)
{
	char path[SW_PIN_PATH];

	sw_pins_path(&reader->instance.pins, path, "maps");
	reader->lock_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (reader->lock_fd < 0)
		return sw_instance_failed(&reader->instance, "maps", errno);
	if (flock(reader->lock_fd, LOCK_EX | LOCK_NB))
		return sw_error(EBUSY,
				"another 'synward events' follows them already, and there can be "
				"only one reader");
	return 0;
}

static int open_ring(struct sw_event_reader *reader)
{
	struct sw_instance instance = reader->instance;
	SW_AUTO_FD int fd = -1;
	int error;

	instance.read_only = false; /* how far they were read is kept in there */
	error = sw_instance_map(&instance, "events", 0, &fd);

	if (error)
		return error;
	reader->ring = ring_buffer__new(fd, on_record, reader, NULL);
	if (!reader->ring)
		return sw_error(errno, "cannot open the events: %s", sw_errno_text(errno));
	return 0;
}

int sw_event_reader_open(const char *pin_dir, struct sw_event_reader **reader)
{
	struct sw_event_reader *made = calloc(1, sizeof(*made));
	int error;

	if (!made)
		return -ENOMEM;
	made->instance = (struct sw_instance)SW_INSTANCE_NONE;
	made->interfaces_fd = -1;
	made->lock_fd = -1;
	made->cached_slot = SW_MAX_INTERFACES;
	error = sw_instance_open(pin_dir, SW_ACCESS_READ, &made->instance);
	if (!error)
		error = lock_ring(made);
	if (!error)
		error = sw_instance_map(&made->instance, "interfaces", sizeof(struct sw_interface),
					&made->interfaces_fd);
	if (!error)
		error = open_ring(made);
	if (error) {
		sw_event_reader_close(made);
		return error;
	}
	*reader = made;
	return 0;
}

void sw_event_reader_close(struct sw_event_reader *reader)
{
	if (!reader)
		return;
	ring_buffer__free(reader->ring);
	sw_close_fd(&reader->interfaces_fd);
	sw_close_fd(&reader->lock_fd);
	sw_instance_close(&reader->instance);
	free(reader);
}

int sw_event_reader_poll(struct sw_event_reader *reader, int timeout_ms,
			 int (*take)(const struct sw_event *event, void *context), void *context)
{
	int error;

	reader->take = take;
	reader->context = context;
	reader->answer = 0;
	reader->cached_slot = SW_MAX_INTERFACES;
	reader->policy.row_count = 0;
	/* polling tells what the kernel has told of, which it does a moment after an event is there */
	error = timeout_ms ? ring_buffer__poll(reader->ring, timeout_ms) :
			     ring_buffer__consume(reader->ring);
	if (error == -ECANCELED || reader->answer)
		return reader->answer;
	if (error == -EINTR)
		return error;
	if (error < 0)
		return sw_error(error, "cannot read the events: %s", sw_errno_text(error));
	if (error || !sw_instance_check(&reader->instance))
		return 0;
	sw_error_clear();
	return -ENODEV;
}

const char *sw_event_reader_interface(struct sw_event_reader *reader, uint32_t slot)
{
	if (slot >= SW_MAX_INTERFACES)
		return "";
	if (slot != reader->cached_slot &&
	    bpf_map_lookup_elem(reader->interfaces_fd, &slot, &reader->cached))
		return "";
	reader->cached_slot = slot;
	reader->cached.name[SW_IFNAME_SIZE - 1] = '\0';
	return reader->cached.name;
}

const char *sw_event_reader_service(struct sw_event_reader *reader, uint32_t number)
{
	const struct sw_row_view *row;

	if (!reader->policy.row_count && sw_policy_view_read(&reader->instance, &reader->policy)) {
		sw_error_clear();
		return "";
	}
	row = sw_policy_row(&reader->policy, number);
	return row ? row->name : "";
}
