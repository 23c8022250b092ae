// SPDX-License-Identifier: GPL-2.0-or-later
#include "confine.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NO_ROOM 100 /* an exit code that no command has */

static int failed(void)
{
	return sw_error(errno, "cannot start a process that reads the capture: %s",
			sw_errno_text(errno));
}

/* Waits for a try. Returns 0 or, if it was killed, a -errno with a line. */
static int await(pid_t pid, int *code)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return failed();
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) {
		/* whoever read what it printed is gone: an end like any other, told as of one process */
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	if (WIFSIGNALED(status))
		return sw_error(EIO, "the process that read the capture was ended by: %s",
				strsignal(WTERMSIG(status)));
	*code = WEXITSTATUS(status);
	return 0;
}

/* In the one that started a try: is another one to follow? Returns as sw_replay_confine(). */
static int attend(pid_t pid, struct sw_replay_try *self, int *asked, int *answers, int *code)
{
	static const char alone = 1;
	struct sw_replay_room more;
	bool asks = read(*asked, &more, sizeof(more)) == sizeof(more), better = false;
	int error;

	sw_close_fd(asked);
	if (asks) {
		self->room = more;
		error = sw_replay_confine(self, code);
		if (!error) { /* in that other try, which has nothing to do with this one */
			sw_close_fd(answers);
			return 0;
		}
		better = error == 1 && *code != NO_ROOM;
		sw_error_clear();
		/* without an answer the first try ends, as if it had never been; it may be dead, too */
		signal(SIGPIPE, SIG_IGN);
		if (!better && write(*answers, &alone, sizeof(alone)) != sizeof(alone))
			kill(pid, SIGKILL);
	}
	sw_close_fd(answers);
	error = await(pid, better ? &(int){ 0 } : code);
	return error ? error : 1;
}

int sw_replay_confine(struct sw_replay_try *self, int *code)
{
	int asks[2], answers[2];
	pid_t parent = getpid(), pid;

	if (pipe2(asks, O_CLOEXEC))
		return failed();
	if (pipe2(answers, O_CLOEXEC)) {
		close(asks[0]);
		close(asks[1]);
		return failed();
	}
	fflush(NULL); /* or a try would print it once more */
	pid = fork();
	if (pid > 0) {
		close(asks[1]);
		close(answers[0]);
		return attend(pid, self, &asks[0], &answers[1], code);
	}
	close(asks[0]);
	close(answers[1]);
	self->asks = asks[1];
	self->answers = answers[0];
	if (pid < 0) {
		close(asks[1]);
		close(answers[0]);
		return failed();
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it has died before that */
		_exit(1);
	return 0;
}

void sw_replay_ask_for(const struct sw_replay_try *self, struct sw_replay_room room)
{
	char alone;

	if (write(self->asks, &room, sizeof(room)) != sizeof(room))
		return;
	if (read(self->answers, &alone, sizeof(alone)) != sizeof(alone))
		_exit(0);
}

void sw_replay_give_up(void)
{
	_exit(NO_ROOM);
}
