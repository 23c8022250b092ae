// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel and the network namespace that this process is in. */
#include "facts.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../hooks/handover.h"
#include "../platform/wall_clock.h"
#include "../platform/pins.h"
#include "../platform/preflight.h"
#include "../platform/sysctl.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>

#define CLOCK "/sys/devices/system/clocksource/clocksource0/current_clocksource"

void sw_fact_append(char text[SW_FACT_TEXT], const char *word)
{
	size_t length = strlen(text);

	if (length + strlen(word) + sizeof(", ") <= SW_FACT_TEXT)
		sw_format(text + length, SW_FACT_TEXT - length, "%s%s", length ? ", " : "", word);
}

/* What the programs call that not every kernel has. Tried by loading: distributions port back. */
static const struct {
	enum bpf_func_id id;
	const char *name;
} helpers[] = {
	{ BPF_FUNC_loop, "bpf_loop" },
	{ BPF_FUNC_timer_init, "bpf_timer_init" },
	{ BPF_FUNC_map_lookup_percpu_elem, "bpf_map_lookup_percpu_elem" },
	{ BPF_FUNC_skc_lookup_tcp, "bpf_skc_lookup_tcp" },
	{ BPF_FUNC_xdp_get_buff_len, "bpf_xdp_get_buff_len" },
	{ BPF_FUNC_fib_lookup, "bpf_fib_lookup" },
};

static void read_helpers(struct sw_host_facts *host)
{
	host->may_probe = !host->missing[0];
	for (unsigned int i = 0; host->may_probe && i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, helpers[i].id, NULL) == 0)
			sw_fact_append(host->helpers, helpers[i].name);
}

static void read_bpffs(const char *pin_dir, struct sw_host_facts *host)
{
	struct sw_pins pins = SW_PINS_NONE;
	int error = sw_pins_locate(pin_dir, false, &pins);
	struct stat about = {};

	if (!error && fstat(pins.parent_fd, &about))
		error = -errno;
	host->bpffs_error = -error;
	host->bpffs_mode = about.st_mode & 07777;
	if (sw_error_text())
		sw_format(host->bpffs_line, sizeof(host->bpffs_line), "%s", sw_error_text());
	sw_error_clear();
	sw_pins_close(&pins);
	host->readers = getgrnam(SW_READERS) != NULL;
}

static void read_clock(struct sw_host_facts *host)
{
	SW_AUTO_FILE FILE *file = fopen(CLOCK, "re");

	struct sw_wall_clock wall;

	if (!file || fscanf(file, "%31s", host->clock) != 1)
		host->clock[0] = '\0';
	sw_wall_clock_read(&wall);
	host->clock_synchronised = wall.synchronised;
}

static void read_types(struct sw_host_facts *host)
{
	static char line[256];

	host->btf_error = -sw_preflight_types();
	sw_format(line, sizeof(line), "%s", sw_error_text() ? sw_error_text() : "");
	host->btf_line = line;
	sw_error_clear();
}

void sw_read_host(const char *pin_dir, struct sw_host_facts *host)
{
	host->missing = sw_missing_capabilities();
	read_types(host);
	read_bpffs(pin_dir, host);
	read_helpers(host);
	read_clock(host);
	host->jit = sw_sysctl_read("core/bpf_jit_enable", 0, -1);
	host->timestamps = sw_sysctl_read("ipv4/tcp_timestamps", 0, 1);
	host->window_scaling = sw_sysctl_read("ipv4/tcp_window_scaling", 0, 1);
	host->sack = sw_sysctl_read("ipv4/tcp_sack", 0, 1);
	host->flood = (struct sw_flood_host){
		.hands_over = sw_handover_is_possible(),
		.checks_cookies = host->may_probe && sw_raw_cookies_are_possible(),
		.syncookies = (int)sw_sysctl_read("ipv4/tcp_syncookies", 0, -1),
	};
	sw_read_listeners(&host->listeners);
	sw_read_firewall(&host->firewall);
}
