// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/command.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static int run(int argc, char **argv)
{
	int first = sw_options_parse(argc, argv, NULL, sw_global_options, true);
	const struct sw_command *command;

	if (first < 0)
		return first;
	if (first == argc && sw_global.version && !sw_global.help) {
		sw_version_print(stdout);
		return SW_EXIT_OK;
	}
	if (first == argc) {
		sw_overview(sw_global.help ? stdout : stderr);
		return sw_global.help ? SW_EXIT_OK : SW_EXIT_USAGE;
	}
	command = sw_command_find(NULL, argv[first]);
	return command ? sw_command_run(command, argc - first, argv + first) : -EINVAL;
}

/* Tells what went wrong; that what a command has printed could not be written is a failure, too. */
static int exit_code(int result)
{
	bool told = result < 0;
	int written;

	if (told && result != -EPIPE)
		sw_error_report(result, sw_global.json);
	sw_error_clear();
	written = sw_command_flush();
	if (written && written != -EPIPE && !told)
		sw_error_report(written, false);
	if (result == -EINVAL)
		return SW_EXIT_USAGE;
	return told || written ? SW_EXIT_FAILURE : result;
}

static void end(int signal)
{
	_exit(128 + signal);
}

/*
 * The kernel keeps from the first process of a PID namespace what it has no handler for: without these, nobody could end
 * 'stats --watch' in a container. A command that tidies up has handlers of its own.
 */
static void be_mortal(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP };
	const struct sigaction action = { .sa_handler = end };

	for (unsigned int i = 0; i < sizeof(ends) / sizeof(ends[0]) && getpid() == 1; i++)
		sigaction(ends[i], &action, NULL);
}

int main(int argc, char **argv)
{
	const char *pin_dir = getenv("SYNWARD_PIN_DIR");
	const char *secret_file = getenv("SYNWARD_SECRET_FILE");
	int result;

	if (pin_dir && *pin_dir)
		sw_global.pin_dir = pin_dir;
	if (secret_file && *secret_file)
		sw_global.secret_file = secret_file;
	sw_global.state_dir = getenv("SYNWARD_STATE_DIR");
	be_mortal();
	result = run(argc, argv);
	return exit_code(result);
}
