// SPDX-License-Identifier: GPL-2.0-or-later
#include "notice.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <bpf/bpf.h>

/* Who has logged in, which sudo does not change. */
static uint32_t login_user(void)
{
	SW_AUTO_FILE FILE *file = fopen("/proc/self/loginuid", "re");
	unsigned int user;

	return file && fscanf(file, "%u", &user) == 1 ? user : SW_NOBODY;
}

void sw_notice_tell(const struct sw_pins *pins, const struct sw_notice *notice)
{
	struct sw_tell_request request = { .abi_version = SW_ABI_VERSION, .notice = *notice };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = &request, .data_size_in = sizeof(request));
	SW_AUTO_FD int program = -1;
	char path[SW_PIN_PATH];

	request.notice.user = getuid();
	request.notice.login = login_user();
	sw_pins_path(pins, path, "programs/sw_tell");
	program = bpf_obj_get(path);
	if (program >= 0)
		(void)bpf_prog_test_run_opts(program, &run);
}

void sw_notice_interface(const struct sw_pins *pins, enum sw_deed deed, const char *name)
{
	struct sw_notice notice = { .head = { .type = SW_EVENT_INTERFACE, .deed = deed } };

	sw_format(notice.what, sizeof(notice.what), "%s", name);
	sw_notice_tell(pins, &notice);
}

void sw_notice_attached(const struct sw_pins *pins, const struct sw_attach_result *results,
			uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!results[i].already)
			sw_notice_interface(pins, SW_DEED_ATTACHED, results[i].name);
}
