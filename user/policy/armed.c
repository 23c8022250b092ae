// SPDX-License-Identifier: GPL-2.0-or-later
#include "armed.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../platform/notice.h"

#include <bpf/bpf.h>

static int failed(const char *what)
{
	return sw_error(errno, "cannot %s: %s", what, sw_errno_text(errno));
}

int sw_armed_read(const struct sw_instance *instance, bool *armed)
{
	SW_AUTO_FD int fd = -1;
	__u32 zero = 0, value;
	int error = sw_instance_map(instance, "armed", sizeof(value), &fd);

	if (!error && bpf_map_lookup_elem(fd, &zero, &value))
		error = failed("read whether synward is armed");
	if (!error)
		*armed = value;
	return error;
}

int sw_armed_write(const struct sw_instance *instance, bool armed)
{
	struct sw_notice notice = { .head.type = SW_EVENT_ARMING };
	__u32 zero = 0, value = armed, before = !armed;
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "armed", sizeof(value), &fd);

	if (!error) /* if it cannot be read, it is written and told all the same */
		(void)bpf_map_lookup_elem(fd, &zero, &before);
	if (!error && bpf_map_update_elem(fd, &zero, &value, BPF_ANY))
		error = failed("arm or disarm");
	notice.head.deed = armed ? SW_DEED_ARMED : SW_DEED_DISARMED;
	if (!error && !before != !armed)
		sw_notice_tell(&instance->pins, &notice);
	return error;
}

int sw_disarm(const char *pin_dir)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	int error = sw_pins_locate(pin_dir, false, &instance.pins);

	return error ? error : sw_armed_write(&instance, false);
}
