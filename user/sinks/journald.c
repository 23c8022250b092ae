// SPDX-License-Identifier: GPL-2.0-or-later
#include "journald.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PLACE	    "/run/systemd/journal/socket"
#define PATIENCE_MS 100

static int connect_to_it(void)
{
	const struct sockaddr_un place = { .sun_family = AF_UNIX, .sun_path = PLACE };
	SW_AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&place, sizeof(place)))
		return -errno;
	return sw_take_fd(&fd);
}

int sw_journald_open(struct sw_journald *journald)
{
	int fd = connect_to_it();

	if (fd < 0)
		return sw_error(fd, "systemd's journal is not there: %s: %s; use --output FILE",
				PLACE, sw_errno_text(fd));
	*journald = (struct sw_journald){ .fd = fd };
	return 0;
}

void sw_journald_close(struct sw_journald *journald)
{
	sw_close_fd(&journald->fd);
}

static int is_away(struct sw_journald *journald)
{
	if (!journald->away)
		sw_note("systemd's journal has gone away; events wait until it is back");
	journald->away = true;
	return -EAGAIN;
}

static bool is_full(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

/* A journal that is busy for a moment is waited for, and one that hangs keeps nobody. */
static ssize_t send_entry(int fd, const char *entry, size_t length)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	ssize_t sent = send(fd, entry, length, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent >= 0 || !is_full(errno) || poll(&room, 1, PATIENCE_MS) < 0)
		return sent;
	return send(fd, entry, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int sw_journald_put(struct sw_journald *journald, const char *entry, size_t length)
{
	if (journald->fd < 0)
		journald->fd = connect_to_it();
	if (journald->fd < 0)
		return is_away(journald);
	if (send_entry(journald->fd, entry, length) < 0) {
		if (errno == EINTR || is_full(errno))
			return -EAGAIN;
		if (errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET &&
		    errno != EPIPE)
			return sw_error(errno, "cannot write to systemd's journal: %s",
					sw_errno_text(errno));
		sw_journald_close(journald);
		return is_away(journald);
	}
	if (journald->away)
		sw_note("systemd's journal is back");
	journald->away = false;
	return 0;
}
