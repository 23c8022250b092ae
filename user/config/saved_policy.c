// SPDX-License-Identifier: GPL-2.0-or-later
#include "saved_policy.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/state_dir.h"
#include "../model/policy.h"
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int failed(const char *what, const char *dir, const char *name)
{
	return sw_error(errno, "cannot %s %s/%s: %s", what, dir, name, sw_errno_text(errno));
}

int sw_saved_policy_load(const char *dir, struct sw_policy *policy, bool *found)
{
	char path[SW_STATE_PATH];
	int error = sw_state_dir_path(dir, SW_SAVED_POLICY, path);

	*found = error || !access(path, F_OK) || (errno != ENOENT && errno != ENOTDIR);
	if (error || !*found)
		return error;
	error = sw_state_dir_check(path);
	return error ? error : sw_config_load(path, policy);
}

bool sw_saved_disarmed(const char *dir)
{
	char path[SW_STATE_PATH];

	return sw_format(path, sizeof(path), "%s/" SW_SAVED_DISARMED, dir) && !access(path, F_OK);
}

/* A file of the directory that is not there is fine. */
static int remove_file(const char *dir, const char *name)
{
	SW_AUTO_FD int fd = -1;
	char path[SW_STATE_PATH];
	int error = sw_state_dir_path(dir, name, path);

	if (error || (access(path, F_OK) && (errno == ENOENT || errno == ENOTDIR)))
		return error;
	error = sw_state_dir_open(dir, &fd);
	if (!error && ((unlinkat(fd, name, 0) && errno != ENOENT) || fsync(fd)))
		error = failed("remove", dir, name);
	return error;
}

static int write_policy(FILE *file, const void *policy)
{
	fputs("# The policy that synward goes on with when it is attached again. "
	      "synward policy apply\n# writes it anew; synward policy reset removes it.\n",
	      file);
	sw_config_print(file, policy);
	return 0;
}

int sw_saved_policy_store(const char *dir, const struct sw_policy *policy)
{
	SW_AUTO_FREE struct sw_policy *usual = malloc(sizeof(*usual));
	SW_AUTO_FD int fd = -1;
	int error;

	if (!usual)
		return -ENOMEM;
	sw_policy_default(usual);
	if (sw_policy_equal(policy, usual))
		return remove_file(dir, SW_SAVED_POLICY);
	error = sw_state_dir_open(dir, &fd);
	if (error)
		return error;
	error = sw_state_dir_replace(fd, SW_SAVED_POLICY, write_policy, policy);
	if (error) {
		errno = -error;
		error = failed("write", dir, SW_SAVED_POLICY);
	}
	return error;
}

int sw_saved_set_disarmed(const char *dir, bool disarmed)
{
	SW_AUTO_FD int fd = -1, mark = -1;
	int error;

	if (!disarmed)
		return remove_file(dir, SW_SAVED_DISARMED);
	error = sw_state_dir_open(dir, &fd);
	if (error)
		return error;
	/* that it is there is all it says: to be opened, whatever it is, without waiting */
	mark = openat(fd, SW_SAVED_DISARMED, O_RDONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
	if (mark < 0 || fsync(fd))
		error = failed("write", dir, SW_SAVED_DISARMED);
	return error;
}
