// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * honest_server: answers each request with some bytes and closes after its client has. Says
 * "listening" when it is, and runs until it is killed.
 */
#include "../user/base/cleanup.h"
#include "../user/text/options.h"
#include "honest.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 256

static struct {
	const char *address;
	uint64_t port, backlog;
} given = { .address = "0.0.0.0", .port = 443, .backlog = 1024 };

static const struct sw_option options[] = {
	{ "address", 'a', SW_OPTION_STRING, &given.address, "ADDRESS",
	  .help = "where to listen (0.0.0.0)" },
	{ "port", 'p', SW_OPTION_NUMBER, &given.port, "N", .help = "TCP port (443)", .minimum = 1,
	  .maximum = UINT16_MAX },
	{ "backlog", 'b', SW_OPTION_NUMBER, &given.backlog, "N",
	  .help = "connections that wait to be accepted (1024)", .minimum = 1, .maximum = 65535 },
	{},
};

static int open_listener(int *listener)
{
	union endpoint endpoint;
	int error = parse_endpoint(given.address, (uint16_t)given.port, &endpoint), yes = 1;
	SW_AUTO_FD int made = -1;

	if (error)
		return error;
	made = socket(endpoint.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (made < 0 || setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    bind(made, &endpoint.any, endpoint_size(&endpoint)) || listen(made, (int)given.backlog))
		return sw_error(errno, "cannot listen at %s, port %u: %s", given.address,
				(unsigned int)given.port, sw_errno_text(errno));
	*listener = sw_take_fd(&made);
	return 0;
}

static void watch_for_input(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		close(fd);
}

static void accept_all(int epoll, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		watch_for_input(epoll, fd);
}

/* A request, or the client's end. */
static void serve(int fd)
{
	static const char answer[ANSWER_SIZE] = "!";
	char request[256];
	ssize_t length = read(fd, request, sizeof(request));

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* an answer this short fits into an empty socket buffer */
	if (length <= 0 || write(fd, answer, sizeof(answer)) != sizeof(answer))
		close(fd);
}

static int run(int listener)
{
	SW_AUTO_FD int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[EVENTS];

	if (epoll < 0)
		return sw_error(errno, "cannot wait for clients: %s", sw_errno_text(errno));
	watch_for_input(epoll, listener);
	puts("listening");
	fflush(stdout);
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		if (count < 0 && errno != EINTR)
			return sw_error(errno, "cannot wait for clients: %s", sw_errno_text(errno));
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				accept_all(epoll, listener);
			else
				serve(events[i].data.fd);
		}
	}
}

int main(int argc, char **argv)
{
	SW_AUTO_FD int listener = -1;
	int error, first = sw_options_parse(argc, argv, options, NULL, false);

	if (first != argc) {
		sw_error_report(first < 0 ? first : sw_error(EINVAL, "expected no argument"),
				false);
		fprintf(stderr, "usage: %s OPTIONS, of:\n", argv[0]);
		sw_options_help(stderr, options);
		return SW_EXIT_USAGE;
	}
	settle_in();
	error = open_listener(&listener);
	if (!error)
		error = run(listener);
	sw_error_report(error, false);
	return SW_EXIT_FAILURE;
}
