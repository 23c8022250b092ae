// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flood: SYNs, ACKs or both from random sources, for bench/flood.py. It floods nothing but a veth
 * of a laboratory (guard.h), for a bounded time, and says how many segments it sent.
 */
#include "../user/base/cleanup.h"
#include "../user/base/error.h"
#include "../user/text/options.h"
#include "flood.h"
#include "frame.h"
#include "guard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/ether.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>

#include "flood.skel.h"

#define SECOND	    1000000000ULL
#define MAX_SECONDS 120
/* More would be made up for in a burst that no queue holds. */
#define CATCH_UP_NS (SECOND / 20000)
/*
 * So many runs before whoever waits for this core gets it, and so many frames kept for reuse. The
 * kernel's 64 have both cores allocate memory for every fifth frame or so; with its most, 256, the
 * wire waits for so long that the victim runs dry in between.
 */
#define BATCH 128

enum kind { KIND_SYN, KIND_ACK, KIND_MIXED };

static const char *const kinds[] = { "syn", "ack", "mixed", NULL };

static struct {
	const char *interface;
	const char *secret;
	const char *destination;
	struct ether_addr to, from;
	int kind;
	uint64_t port, rate, count, seconds;
} given = { .port = 443, .count = UINT64_MAX, .seconds = 1 };

static int parse_mac(const char *argument, void *value)
{
	if (!ether_aton_r(argument, value))
		return sw_error(EINVAL, "%s: expected a MAC address such as 02:00:00:00:00:01",
				argument);
	return 0;
}

static const struct sw_option options[] = {
	{ "interface", 'i', SW_OPTION_STRING, &given.interface, "NAME",
	  .help = "the veth that is flooded" },
	{ "secret", 0, SW_OPTION_STRING, &given.secret, "TEXT",
	  .help = "of the laboratory, which its namespaces carry" },
	{ "destination", 'd', SW_OPTION_STRING, &given.destination, "ADDRESS",
	  .help = "IPv4 or IPv6" },
	{ "port", 'p', SW_OPTION_NUMBER, &given.port, "N", .help = "TCP port (443)", .minimum = 1,
	  .maximum = UINT16_MAX },
	{ "to", 0, SW_OPTION_CALLBACK, &given.to, "MAC", .help = "the victim", .parse = parse_mac },
	{ "from", 0, SW_OPTION_CALLBACK, &given.from, "MAC", .help = "where answers go",
	  .parse = parse_mac },
	{ "kind", 'k', SW_OPTION_CHOICE, &given.kind, "KIND", .help = "syn, ack or mixed (syn)",
	  .choices = kinds },
	{ "rate", 'r', SW_OPTION_NUMBER, &given.rate, "N",
	  .help = "segments a second; 0: as many as it can (0)", .maximum = 10000000 },
	{ "count", 'n', SW_OPTION_NUMBER, &given.count, "N", .help = "segments at the most",
	  .minimum = 1, .maximum = UINT64_MAX },
	{ "seconds", 's', SW_OPTION_NUMBER, &given.seconds, "N", .help = "how long (1)",
	  .minimum = 1, .maximum = MAX_SECONDS },
	{},
};

/* ---- frames */

static uint64_t sum_of(const uint8_t *bytes, uint32_t length)
{
	uint64_t sum = 0;
	uint16_t word;

	for (uint32_t i = 0; i < length; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	return sum;
}

/* The frame of a Linux host to the victim, with nothing where the flood puts what changes. */
static struct flood_frame make_frame(enum frame_kind kind, const uint8_t *victim, bool v6)
{
	struct frame frame = frame_make(kind, v6);
	uint32_t source = v6 ? FLOOD_V6_SOURCE : FLOOD_V4_SOURCE, size = v6 ? 16 : 4;
	uint32_t at = v6 ? FLOOD_V6_TCP : FLOOD_V4_TCP, tcp_length = frame.length - at;
	uint8_t *tcp = frame.bytes + at;
	uint16_t port = htons((uint16_t)given.port);
	struct flood_frame made = { .length = frame.length, .is_ack = kind != FRAME_SYN };

	memcpy(frame.bytes, &given.to, ETH_ALEN);
	memcpy(frame.bytes + ETH_ALEN, &given.from, ETH_ALEN);
	memset(frame.bytes + source, 0, size);
	if (v6)
		inet_pton(AF_INET6, "2001:db8::", frame.bytes + source);
	memcpy(frame.bytes + source + size, victim, size);
	memcpy(tcp + 2, &port, sizeof(port));
	memset(tcp + FLOOD_TCP_PORT, 0, 2);
	memset(tcp + FLOOD_TCP_SEQ, 0, 8);
	made.tcp_sum = sum_of(frame.bytes + source, 2 * size) + htons(IPPROTO_TCP) +
		       htons((uint16_t)tcp_length) + sum_of(tcp, tcp_length);
	made.ip_sum = v6 ? 0 : sum_of(frame.bytes + sizeof(struct ether_header), at - 14);
	memcpy(made.words, frame.bytes, frame.length);
	return made;
}

static int make_settings(uint32_t ifindex, struct flood_settings *settings)
{
	static const enum frame_kind frames[][2] = { [KIND_SYN] = { FRAME_SYN, FRAME_SYN },
						     [KIND_ACK] = { FRAME_ACK, FRAME_ACK },
						     [KIND_MIXED] = { FRAME_SYN, FRAME_ACK } };
	bool v6 = strchr(given.destination, ':');
	uint8_t victim[16];

	if (inet_pton(v6 ? AF_INET6 : AF_INET, given.destination, victim) != 1)
		return sw_error(EINVAL, "--destination %s: expected an IPv4 or IPv6 address",
				given.destination);
	for (int i = 0; i < 2; i++)
		settings->frames[i] = make_frame(frames[given.kind][i], victim, v6);
	settings->kinds = given.kind == KIND_MIXED ? 2 : 1;
	settings->is_v6 = v6;
	settings->ifindex = ifindex;
	settings->interval_ns = given.rate ? SECOND / given.rate : 0;
	settings->catch_up_ns = CATCH_UP_NS;
	settings->count = given.count;
	return 0;
}

/* ---- sending */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/*
 * The thread that is in the kernel. Each call sets up and tears down memory, for which the kernel
 * may wait for milliseconds, so it is to be one long call, and a signal ends it.
 */
struct sender {
	pthread_t thread;
	int program;
	atomic_bool stop;
	int error;
};

static void *send_all(void *context)
{
	static uint8_t frame[FLOOD_FRAME_SIZE];
	struct sender *sender = context;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = INT32_MAX, .batch_size = BATCH, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	while (!sender->stop && !sender->error)
		if (bpf_prog_test_run_opts(sender->program, &run) && errno != EINTR)
			sender->error = errno;
	return NULL;
}

static void interrupt(int signal)
{
	(void)signal;
}

static int start(struct sender *sender)
{
	struct sigaction action = { .sa_handler = interrupt };
	int error;

	sigaction(SIGUSR1, &action, NULL);
	error = pthread_create(&sender->thread, NULL, send_all, sender);
	if (error)
		return sw_error(error, "cannot start a thread: %s", sw_errno_text(error));
	return 0;
}

/* A signal that comes just before the call into the kernel does not end it: again, then. */
static int stop(struct sender *sender)
{
	struct timespec pause = { .tv_nsec = 1000000 };

	sender->stop = true;
	while (pthread_tryjoin_np(sender->thread, NULL)) {
		pthread_kill(sender->thread, SIGUSR1);
		nanosleep(&pause, NULL);
	}
	if (sender->error)
		return sw_error(sender->error,
				"BPF_PROG_TEST_RUN with live frames failed: %s (it takes Linux "
				"5.18)",
				sw_errno_text(sender->error));
	return 0;
}

static void report(const struct flood_bpf *skeleton, uint64_t ns, bool last)
{
	printf("{\"sent\":%llu,\"seconds\":%.3f,\"done\":%s}\n",
	       (unsigned long long)skeleton->bss->sent, (double)ns / SECOND,
	       last ? "true" : "false");
	fflush(stdout);
}

/* Waits for the end: all is sent, time is over, or somebody has had enough. */
static void watch(const struct flood_bpf *skeleton, const struct sender *sender,
		  const sigset_t *enough, uint64_t began)
{
	struct timespec pause = { .tv_nsec = SECOND / 100 };
	uint64_t passed = 0, next_report = SECOND;

	while (passed < given.seconds * SECOND && skeleton->bss->sent < given.count &&
	       !sender->error && sigtimedwait(enough, NULL, &pause) < 0) {
		passed = now_ns() - began;
		if (passed >= next_report) {
			report(skeleton, passed, false);
			next_report += SECOND;
		}
	}
}

static int flood(struct flood_bpf *skeleton, const sigset_t *enough)
{
	struct sender sender = { .program = bpf_program__fd(skeleton->progs.flood) };
	uint64_t began = now_ns(), ended;
	int error;

	skeleton->bss->next_ns = began;
	error = start(&sender);
	if (error)
		return error;
	watch(skeleton, &sender, enough, began);
	ended = now_ns();
	error = stop(&sender);
	if (!error)
		report(skeleton, ended - began, true);
	return error;
}

static void destroy(struct flood_bpf **skeleton)
{
	flood_bpf__destroy(*skeleton);
}

static int load_and_flood(uint32_t ifindex, const sigset_t *enough)
{
	__attribute__((cleanup(destroy))) struct flood_bpf *skeleton = flood_bpf__open();
	struct flood_settings settings;
	int error;

	if (!skeleton)
		return sw_error(errno, "cannot open the program: %s", sw_errno_text(errno));
	error = make_settings(ifindex, &settings);
	if (error)
		return error;
	memcpy((void *)&skeleton->rodata->settings, &settings, sizeof(settings));
	if (getrandom(&skeleton->bss->random_state, sizeof(uint64_t), 0) < 0)
		return sw_error(errno, "the kernel gives no random numbers: %s",
				sw_errno_text(errno));
	error = flood_bpf__load(skeleton);
	if (error)
		return sw_error(error, "the kernel refused the program: %s", sw_errno_text(error));
	return flood(skeleton, enough);
}

static int parse(int argc, char **argv)
{
	int first = sw_options_parse(argc, argv, options, NULL, false);

	if (first < 0)
		return first;
	if (first < argc)
		return sw_error(EINVAL, "%s: expected no argument", argv[first]);
	if (!given.interface || !given.secret || !given.destination)
		return sw_error(EINVAL, "--interface, --secret and --destination are needed");
	return 0;
}

int main(int argc, char **argv)
{
	sigset_t enough;
	uint32_t ifindex;
	int error = parse(argc, argv);

	if (error) {
		sw_error_report(error, false);
		fprintf(stderr, "usage: %s OPTIONS, of:\n", argv[0]);
		sw_options_help(stderr, options);
		return SW_EXIT_USAGE;
	}
	/* nobody else would end it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&enough);
	sigaddset(&enough, SIGTERM);
	sigaddset(&enough, SIGINT);
	sigprocmask(SIG_BLOCK, &enough, NULL);
	error = guard_check(given.interface, given.secret, &ifindex);
	if (!error)
		error = load_and_flood(ifindex, &enough);
	if (error)
		sw_error_report(error, false);
	return error ? SW_EXIT_FAILURE : SW_EXIT_OK;
}
