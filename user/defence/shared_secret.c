// SPDX-License-Identifier: GPL-2.0-or-later
#include "shared_secret.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/settings.h"
#include "../platform/wall_clock.h"

#include <bpf/bpf.h>
#include <string.h>
#include <sys/random.h>

static int failed(const char *what)
{
	return sw_error(errno, "cannot %s the shared secret: %s", what, sw_errno_text(errno));
}

/* The sweeper may be reading the value that counts, so the other one is written; a single store then makes it that. */
static int write_next(int fd, struct sw_settings *settings,
		      const struct sw_cookie_master masters[SW_COOKIE_MASTERS])
{
	struct sw_cookie_secrets secrets;
	__u32 next = settings->cookie_secrets + 1, key;

	next += !next; /* 0 means that there was none yet */
	key = next & 1;
	memcpy(secrets.masters, masters, sizeof(secrets.masters));
	if (getrandom(secrets.own, sizeof(secrets.own), 0) != sizeof(secrets.own))
		return sw_error(EIO, "the kernel gave no random numbers: %s", sw_errno_text(errno));
	if (bpf_map_update_elem(fd, &key, &secrets, BPF_ANY))
		return failed("write");
	explicit_bzero(&secrets, sizeof(secrets));
	for (unsigned int i = 0; i < SW_COOKIE_MASTERS; i++)
		settings->cookie_ids[i] = masters[i].id;
	*(volatile __u32 *)&settings->cookie_secrets = next;
	return 0;
}

int sw_shared_secret_load(const struct sw_instance *instance,
			  const struct sw_cookie_master masters[SW_COOKIE_MASTERS])
{
	SW_AUTO_SETTINGS struct sw_settings *settings = NULL;
	struct sw_cookie_secrets now = {};
	struct sw_wall_clock clock;
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "cookie_secrets", sizeof(now), &fd);
	__u32 key;
	bool same;

	if (!error)
		error = sw_settings_map(instance, &settings);
	if (error)
		return error;
	sw_wall_clock_read(&clock);
	settings->tai_minus_utc_s = clock.tai_minus_utc_s;
	key = settings->cookie_secrets & 1;
	if (bpf_map_lookup_elem(fd, &key, &now))
		return failed("read");
	same = settings->cookie_secrets && !memcmp(now.masters, masters, sizeof(now.masters));
	explicit_bzero(&now, sizeof(now));
	return same ? 0 : write_next(fd, settings, masters);
}
