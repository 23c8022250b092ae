// SPDX-License-Identifier: GPL-2.0-or-later
#include "pins.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "mounts.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

bool sw_is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

bool sw_is_refused(int error)
{
	return error == EACCES || error == EPERM;
}

bool sw_is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

int sw_not_attached(void)
{
	return sw_error(SW_NOT_ATTACHED, "nothing is attached; to start: synward attach IFACE");
}

static int not_allowed(const char *path)
{
	return sw_error(SW_NOT_ALLOWED,
			"no permission to open %s; run as root, or as a member of the group %s",
			path, SW_READERS);
}

static int cannot_open(const char *path, int error)
{
	if (sw_is_refused(-error))
		return not_allowed(path);
	return sw_error(error, "cannot open %s: %s", path, sw_errno_text(error));
}

/*
 * Opens a directory if it is on bpffs. Where it is not there, or on something else, *fd becomes -1.
 * Returns 0, or -errno without a line if that could not be found out.
 */
static int open_on_bpffs(const char *path, int *fd)
{
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd >= 0 && !sw_is_bpffs(*fd))
		sw_close_fd(fd);
	else if (*fd < 0 && !sw_is_absent(errno))
		return -errno;
	return 0;
}

/* The parent directory as another process sees it. */
static int open_in_keeper(const char *parent, bool may_mount, int *fd)
{
	pid_t keeper = sw_mount_keeper();
	char path[SW_PIN_PATH];
	int error;

	if (!sw_format(path, sizeof(path), "/proc/%d/root%s", keeper, parent))
		return sw_error(ENAMETOOLONG, "the pin directory's path is too long: %s", parent);
	error = open_on_bpffs(path, fd);
	if (!error && *fd >= 0)
		return 0;
	if (error && !(may_mount && sw_is_refused(-error)))
		return cannot_open(parent, error);
	/* that there is none is known only of the mount namespace of pid 1 */
	if (!may_mount && keeper != 1)
		return not_allowed(parent);
	if (!may_mount)
		return sw_not_attached();
	error = sw_mount_bpffs(keeper);
	if (error)
		return error;
	error = open_on_bpffs(path, fd);
	if (error)
		return cannot_open(parent, error);
	if (*fd < 0)
		return sw_error(ENOENT, "%s is not there: pins go into %s or a directory in it",
				parent, SW_BPFFS);
	return 0;
}

static bool is_below_bpffs(const char *parent)
{
	size_t length = strlen(SW_BPFFS);

	return !strncmp(parent, SW_BPFFS, length) &&
	       (parent[length] == '\0' || parent[length] == '/');
}

int sw_pins_locate(const char *dir, bool may_mount, struct sw_pins *pins)
{
	char parent[sizeof(pins->shown)], *slash;
	SW_AUTO_FD int fd = -1;
	int error;

	if (!sw_format(parent, sizeof(parent), "%s", dir))
		return sw_error(ENAMETOOLONG, "the pin directory's path is too long: %s", dir);
	while ((slash = strrchr(parent, '/')) && slash != parent && !slash[1])
		*slash = '\0';
	if (!slash || slash == parent || strchr(slash, '.'))
		return sw_error(EINVAL,
				"pin directory %s: expected an absolute path on a bpffs whose last "
				"name holds no dot, such as %s/synward",
				dir, SW_BPFFS);
	*slash = '\0';
	/* else all that is pinned would look as if it were not there */
	if (!sw_proc_is_mounted())
		return sw_error(
			ENODEV,
			"/proc is not mounted, and without it nothing that is pinned can be "
			"reached: mount -t proc proc /proc");
	error = open_on_bpffs(parent, &fd);
	if (error)
		return cannot_open(parent, error);
	if (fd < 0 && is_below_bpffs(parent)) {
		error = open_in_keeper(parent, may_mount, &fd);
		if (error)
			return error;
	}
	if (fd < 0)
		return sw_error(
			ENOENT,
			"pin directory %s: %s is not a directory on a bpffs; use one below %s", dir,
			parent, SW_BPFFS);
	pins->parent_fd = sw_take_fd(&fd);
	pins->locked = false;
	sw_format(pins->shown, sizeof(pins->shown), "%s/%s", parent, slash + 1);
	sw_format(pins->path, sizeof(pins->path), "/proc/self/fd/%d/%s", pins->parent_fd,
		  slash + 1);
	return 0;
}

void sw_pins_close(struct sw_pins *pins)
{
	if (pins->parent_fd >= 0)
		close(pins->parent_fd); /* and with it goes the lock */
	pins->parent_fd = -1;
}

void sw_pins_path(const struct sw_pins *pins, char path[SW_PIN_PATH], const char *format, ...)
{
	size_t length;
	va_list args;

	sw_format(path, SW_PIN_PATH, "%s/", pins->path);
	length = strlen(path);
	va_start(args, format);
	vsnprintf(path + length, SW_PIN_PATH - length, format, args);
	va_end(args);
}

int sw_pins_check_writable(const struct sw_pins *pins)
{
	if (!faccessat(pins->parent_fd, ".", W_OK, 0) || errno != EROFS)
		return 0;
	return sw_error(
		EROFS,
		"%s is on a bpffs that is mounted read-only; mount it for writing: mount -o "
		"remount,rw DIR",
		pins->shown);
}

bool sw_pins_exist(const struct sw_pins *pins, const char *name)
{
	char path[SW_PIN_PATH];

	/* status asks this of every slot, and the way by /proc is the longer part of the whole path */
	sw_format(path, sizeof(path), "%s/%s", strrchr(pins->path, '/') + 1, name);
	return faccessat(pins->parent_fd, path, F_OK, 0) == 0;
}

/* The owner stays, so that what is unfinished is nobody else's. */
static void let_read(const char *path, mode_t mode)
{
	const struct group *readers = getgrnam(SW_READERS);

	if (readers && !chown(path, (uid_t)-1, readers->gr_gid))
		(void)!chmod(path, mode);
}

void sw_pins_let_read(const struct sw_pins *pins, const char *name)
{
	char path[SW_PIN_PATH];

	sw_pins_path(pins, path, "%s", name);
	let_read(path, 0640);
}

int sw_pins_make_dir(const struct sw_pins *pins, const char *name)
{
	mode_t mode = *name ? 0750 : SW_PIN_DIR_MARK | 0750;
	char path[SW_PIN_PATH];

	sw_pins_path(pins, path, "%s", name);
	if (!mkdir(path, mode))
		let_read(path, mode);
	else if (errno != EEXIST)
		return sw_error(errno, "cannot make the directory %s/%s: %s", pins->shown, name,
				sw_errno_text(errno));
	return 0;
}

int sw_pins_replace(const struct sw_pins *pins, const char *name, int fd)
{
	char path[SW_PIN_PATH], next[SW_PIN_PATH];
	struct stat before;

	sw_pins_path(pins, path, "%s", name);
	sw_pins_path(pins, next, "%s_next", name);
	if ((unlink(next) && errno != ENOENT) || bpf_obj_pin(fd, next) ||
	    (!stat(path, &before) &&
	     (chown(next, before.st_uid, before.st_gid) || chmod(next, before.st_mode & 0777))) ||
	    rename(next, path))
		return sw_error(errno, "cannot pin %s/%s: %s", pins->shown, name,
				sw_errno_text(errno));
	return 0;
}

static int remove_tree(int parent_fd, const char *name)
{
	struct dirent *entry;
	SW_AUTO_DIR DIR *dir = NULL;
	int fd, error;

	if (unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		error = -errno;
		close(fd);
		return error;
	}
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		error = remove_tree(fd, entry->d_name);
		if (error)
			return error;
		rewinddir(dir); /* its position means nothing after a removal */
	}
	return unlinkat(parent_fd, name, AT_REMOVEDIR) ? -errno : 0;
}

int sw_pins_remove(const struct sw_pins *pins, const char *name)
{
	SW_AUTO_FD int fd = open(pins->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char parent[SW_PIN_PATH], *slash;
	int error;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	sw_format(parent, sizeof(parent), "%s", name);
	slash = strrchr(parent, '/');
	if (slash) {
		int inner;

		*slash = '\0';
		inner = openat(fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (inner < 0)
			return errno == ENOENT ? 0 : -errno;
		close(fd);
		fd = inner;
	}
	error = remove_tree(fd, slash ? slash + 1 : parent);
	if (error)
		return sw_error(error, "cannot remove %s/%s: %s", pins->shown, name,
				sw_errno_text(error));
	return 0;
}

int sw_pins_remove_all(const struct sw_pins *pins)
{
	int error = sw_pins_remove(pins, "maps/identity"); /* from here on it is a leftover */

	if (!error)
		error = sw_pins_remove(pins, "links");
	if (error)
		return error;
	error = remove_tree(pins->parent_fd, strrchr(pins->path, '/') + 1);
	if (error)
		return sw_error(error, "cannot remove %s: %s", pins->shown, sw_errno_text(error));
	return 0;
}
