// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * honest_client: connects so many times a second, whatever becomes of earlier ones; each connection
 * sends a request, reads the first bytes of the answer and closes. Prints as JSON how many got
 * that far within the timeout, and how long that took.
 */
#include "../user/base/cleanup.h"
#include "../user/text/options.h"
#include "honest.h"

#include <jansson.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS	    256
#define MAX_RATE    10000
#define MAX_SECONDS 120
#define SECOND	    1000000000ULL
#define MS	    1000000ULL

static struct {
	const char *address;
	uint64_t port, rate, seconds, timeout_ms;
} given = { .port = 443, .rate = 300, .seconds = 5, .timeout_ms = 3000 };

static const struct sw_option options[] = {
	{ "address", 'a', SW_OPTION_STRING, &given.address, "ADDRESS", .help = "the server" },
	{ "port", 'p', SW_OPTION_NUMBER, &given.port, "N", .help = "TCP port (443)", .minimum = 1,
	  .maximum = UINT16_MAX },
	{ "rate", 'r', SW_OPTION_NUMBER, &given.rate, "N", .help = "connections a second (300)",
	  .minimum = 1, .maximum = MAX_RATE },
	{ "seconds", 's', SW_OPTION_NUMBER, &given.seconds, "N", .help = "how long (5)",
	  .minimum = 1, .maximum = MAX_SECONDS },
	{ "timeout", 't', SW_OPTION_DURATION, &given.timeout_ms, "DURATION",
	  .help = "after which a connection has failed (3s)", .minimum = 1, .maximum = 60000 },
	{},
};

enum phase { CONNECTING, CONNECTED, SUCCEEDED, TIMED_OUT, REFUSED, PHASES };

static const char *const phase_names[PHASES] = {
	[SUCCEEDED] = "succeeded", [TIMED_OUT] = "timed_out", [REFUSED] = "refused", /* or reset */
};

struct attempt {
	enum phase phase;
	int fd;
	uint64_t began_ns;
	uint64_t connected_ns; /* since it began; 0: never */
	uint64_t first_byte_ns;
};

struct client {
	union endpoint server;
	int epoll;
	struct attempt *attempts; /* in the order of their beginning */
	uint32_t count;
	uint32_t begun;
	uint32_t oldest; /* all before it have ended */
	uint64_t began_ns;
	uint64_t late_ns; /* the most that an attempt began after its time */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static void end(struct attempt *attempt, enum phase phase)
{
	attempt->phase = phase;
	if (attempt->fd >= 0)
		close(attempt->fd);
	attempt->fd = -1;
}

static int begin(struct client *client)
{
	struct attempt *attempt = &client->attempts[client->begun];
	struct epoll_event event = { .events = EPOLLOUT, .data.u32 = client->begun };

	client->begun++;
	attempt->fd = socket(client->server.any.sa_family,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (attempt->fd < 0)
		return sw_error(errno, "cannot make a socket: %s", sw_errno_text(errno));
	attempt->began_ns = now_ns();
	if (connect(attempt->fd, &client->server.any, endpoint_size(&client->server)) &&
	    errno != EINPROGRESS)
		return sw_error(errno, "cannot connect to %s: %s", given.address,
				sw_errno_text(errno));
	if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, attempt->fd, &event))
		return sw_error(errno, "cannot wait for a socket: %s", sw_errno_text(errno));
	return 0;
}

static void connected(struct client *client, uint32_t number)
{
	struct attempt *attempt = &client->attempts[number];
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };
	socklen_t size = sizeof(int);
	int error = 0;

	getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (!error)
		attempt->connected_ns = now_ns() - attempt->began_ns;
	if (error || write(attempt->fd, REQUEST, strlen(REQUEST)) < 0 ||
	    epoll_ctl(client->epoll, EPOLL_CTL_MOD, attempt->fd, &event))
		end(attempt, error == ETIMEDOUT ? TIMED_OUT : REFUSED);
	else
		attempt->phase = CONNECTED;
}

static void answered(struct attempt *attempt)
{
	char answer[ANSWER_SIZE];
	ssize_t length = read(attempt->fd, answer, sizeof(answer));

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length > 0)
		attempt->first_byte_ns = now_ns() - attempt->began_ns;
	end(attempt, length > 0 ? SUCCEEDED : REFUSED);
}

/* Begins what is due, ends what has waited for too long, and says when it is to be called again. */
static int keep_time(struct client *client, uint64_t *next_ns)
{
	uint64_t now = now_ns(), due = UINT64_MAX, timeout = given.timeout_ms * MS;
	int error;

	while (client->begun < client->count) {
		due = client->began_ns + client->begun * SECOND / given.rate;
		if (due > now)
			break;
		if (now - due > client->late_ns)
			client->late_ns = now - due;
		error = begin(client);
		if (error)
			return error;
	}
	for (; client->oldest < client->begun; client->oldest++) {
		struct attempt *attempt = &client->attempts[client->oldest];

		if (attempt->phase >= SUCCEEDED)
			continue;
		if (attempt->began_ns + timeout > now)
			break;
		end(attempt, TIMED_OUT);
	}
	if (client->begun == client->count)
		due = UINT64_MAX;
	if (client->oldest < client->begun &&
	    client->attempts[client->oldest].began_ns + timeout < due)
		due = client->attempts[client->oldest].began_ns + timeout;
	*next_ns = due;
	return 0;
}

static int run(struct client *client)
{
	struct epoll_event events[EVENTS];
	uint64_t next, now;
	int error;

	client->began_ns = now_ns();
	while (client->oldest < client->count) {
		struct timespec wait = {};
		int ready;

		error = keep_time(client, &next);
		if (error)
			return error;
		now = now_ns();
		if (next > now && client->oldest < client->count)
			wait = (struct timespec){ .tv_sec = (time_t)((next - now) / SECOND),
						  .tv_nsec = (long)((next - now) % SECOND) };
		ready = epoll_pwait2(client->epoll, events, EVENTS, &wait, NULL);
		for (int i = 0; i < ready; i++) {
			uint32_t number = events[i].data.u32;

			if (client->attempts[number].phase == CONNECTING)
				connected(client, number);
			else if (client->attempts[number].phase == CONNECTED)
				answered(&client->attempts[number]);
		}
	}
	return 0;
}

/* ---- reporting */

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The smallest value that so many percent do not exceed, in microseconds. */
static double percentile(const uint64_t *sorted, uint32_t count, uint32_t percent)
{
	return (double)sorted[((uint64_t)count * percent + 99) / 100 - 1] / 1000;
}

static json_t *distribution(uint64_t *values, uint32_t count)
{
	if (!count)
		return json_null();
	qsort(values, count, sizeof(*values), by_size);
	return json_pack("{s:f,s:f,s:f,s:f}", "p50", percentile(values, count, 50), "p90",
			 percentile(values, count, 90), "p99", percentile(values, count, 99), "max",
			 percentile(values, count, 100));
}

static int report(const struct client *client)
{
	SW_AUTO_FREE uint64_t *connects = calloc(client->count, sizeof(*connects));
	SW_AUTO_FREE uint64_t *answers = calloc(client->count, sizeof(*answers));
	uint32_t connected = 0, phases[PHASES] = {};
	json_t *root;

	if (!connects || !answers)
		return -ENOMEM;
	for (uint32_t i = 0; i < client->count; i++) {
		const struct attempt *attempt = &client->attempts[i];

		if (attempt->connected_ns)
			connects[connected++] = attempt->connected_ns;
		if (attempt->phase == SUCCEEDED)
			answers[phases[SUCCEEDED]] = attempt->first_byte_ns;
		phases[attempt->phase]++;
	}
	root = json_pack("{s:i,s:i,s:o,s:o,s:f}", "tried", client->count, "connected", connected,
			 "connect_us", distribution(connects, connected), "first_byte_us",
			 distribution(answers, phases[SUCCEEDED]), "late_us_max",
			 (double)client->late_ns / 1000);
	for (int phase = SUCCEEDED; phase < PHASES; phase++)
		json_object_set_new(root, phase_names[phase], json_integer(phases[phase]));
	json_dumpf(root, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(root);
	return fflush(stdout) ? sw_error(errno, "cannot write: %s", sw_errno_text(errno)) : 0;
}

static int parse(int argc, char **argv, struct client *client)
{
	int first = sw_options_parse(argc, argv, options, NULL, false);

	if (first < 0)
		return first;
	if (first < argc)
		return sw_error(EINVAL, "%s: expected no argument", argv[first]);
	if (!given.address)
		return sw_error(EINVAL, "--address is needed");
	client->count = (uint32_t)(given.rate * given.seconds);
	return parse_endpoint(given.address, (uint16_t)given.port, &client->server);
}

int main(int argc, char **argv)
{
	struct client client = {};
	int error = parse(argc, argv, &client);

	if (error) {
		sw_error_report(error, false);
		fprintf(stderr, "usage: %s OPTIONS, of:\n", argv[0]);
		sw_options_help(stderr, options);
		return SW_EXIT_USAGE;
	}
	settle_in();
	client.epoll = epoll_create1(EPOLL_CLOEXEC);
	client.attempts = calloc(client.count, sizeof(*client.attempts));
	if (client.epoll < 0 || !client.attempts)
		error = sw_error(errno, "cannot begin: %s", sw_errno_text(errno));
	if (!error)
		error = run(&client);
	if (!error)
		error = report(&client);
	free(client.attempts);
	if (error)
		sw_error_report(error, false);
	return error ? SW_EXIT_FAILURE : SW_EXIT_OK;
}
