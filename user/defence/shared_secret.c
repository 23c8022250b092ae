// SPDX-License-Identifier: GPL-2.0-or-later
#include "shared_secret.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/wipe.h"
#include "../maps/settings.h"
#include "../platform/notice.h"
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
	int error = 0;

	next += !next; /* 0 means that there was none yet */
	key = next & 1;
	memcpy(secrets.masters, masters, sizeof(secrets.masters));
	if (getrandom(secrets.own, sizeof(secrets.own), 0) != sizeof(secrets.own))
		error = sw_error(EIO, "the kernel gave no random numbers: %s",
				 sw_errno_text(errno));
	else if (bpf_map_update_elem(fd, &key, &secrets, BPF_ANY))
		error = failed("write");
	explicit_bzero(&secrets, sizeof(secrets));
	sw_wipe_stack_below();
	if (error)
		return error;
	for (unsigned int i = 0; i < SW_COOKIE_MASTERS; i++)
		settings->cookie_ids[i] = masters[i].id;
	*(volatile __u32 *)&settings->cookie_secrets = next;
	return 0;
}

/* By its public id only: whoever may read the events may not know the secret. */
static void tell(const struct sw_instance *instance, const struct sw_cookie_master *master)
{
	struct sw_notice notice = { .head = { .type = SW_EVENT_POLICY,
					      .deed = SW_DEED_SECRET_LOADED } };

	sw_format(notice.what, sizeof(notice.what), "%08x", master->id);
	sw_notice_tell(&instance->pins, &notice);
}

int sw_shared_secret_load(const struct sw_instance *instance,
			  const struct sw_cookie_master masters[SW_COOKIE_MASTERS], bool *changed)
{
	SW_AUTO_SETTINGS struct sw_settings *settings = NULL;
	struct sw_cookie_secrets now = {};
	struct sw_wall_clock clock;
	SW_AUTO_FD int fd = -1;
	int error = sw_instance_map(instance, "cookie_secrets", sizeof(now), &fd);
	__u32 key;

	*changed = false;
	if (!error)
		error = sw_settings_map(instance, &settings);
	if (error)
		return error;
	sw_wall_clock_read(&clock);
	settings->tai_minus_utc_s = clock.tai_minus_utc_s;
	key = settings->cookie_secrets & 1;
	if (bpf_map_lookup_elem(fd, &key, &now))
		return failed("read");
	*changed = !settings->cookie_secrets ||
		   memcmp(now.masters, masters, sizeof(now.masters)) != 0;
	explicit_bzero(&now, sizeof(now));
	error = *changed ? write_next(fd, settings, masters) : 0;
	*changed &= !error;
	if (*changed)
		tell(instance, &masters[0]);
	return error;
}
