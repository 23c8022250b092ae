// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include "../base/number.h"
#include "../config/secret_file.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where it goes is the shell's business, but whoever does not see that it is no secret there is told. */
static void warn_of_readers(void)
{
	struct stat about;

	if (!fstat(STDOUT_FILENO, &about) && S_ISREG(about.st_mode) && about.st_mode & 077)
		sw_note("the file that this goes to has mode %04o: others can read it, so it is no "
			"secret, and will be refused; (umask 077; synward genkey > FILE)",
			about.st_mode & 07777);
}

static int run(int argc, char **argv)
{
	uint8_t key[SW_SECRET_KEY_BYTES];
	char text[SW_SECRET_TEXT_SIZE], line[SW_SECRET_TEXT_SIZE + 32];
	int first = sw_command_alone(&sw_cmd_genkey, argc, argv);

	if (first <= 0)
		return first;
	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return sw_error(EIO, "the kernel gave no random numbers: %s", sw_errno_text(errno));
	warn_of_readers();
	sw_format(line, sizeof(line), sw_global.json ? "{\"schema\":1,\"key\":\"%s\"}\n" : "%s\n",
		  sw_secret_format(text, key));
	setvbuf(stdout, NULL, _IONBF, 0); /* or the key would stay in its buffer */
	fputs(line, stdout);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(text, sizeof(text));
	explicit_bzero(line, sizeof(line));
	return SW_EXIT_OK;
}

const struct sw_command sw_cmd_genkey = {
	.name = "genkey",
	.summary = "make a secret for hosts that check each other's cookies",
	.usage = "",
	.text = "Prints a random key of 256 bits in base64, a line for the "
		"file\n" SW_DEFAULT_SECRET_FILE ". Copy that file to all hosts behind one address; "
		"only root may read it. If the policy has flood_defence.shared_secret, 'synward "
		"policy apply' and 'synward attach' give the key to the kernel.\n"
		"\n"
		"The file may have two lines. synward makes cookies with the first key, and takes "
		"those of both. To change the key without losing a client, add the new key as the "
		"second line on all hosts, then swap the two lines on all hosts, then remove the "
		"old one; run 'synward policy apply' after each step.\n"
		"\n"
		"Examples:\n"
		"  (umask 077; synward genkey > " SW_DEFAULT_SECRET_FILE ")\n",
	.run = run,
};
