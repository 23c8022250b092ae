// SPDX-License-Identifier: GPL-2.0-or-later
#include "screen.h"

#include "../base/time.h"
#include "../text/width.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#define ESCAPE_MS 25 /* how long a lone ESC may turn out to be the begin of a key's sequence */
#define PAIR_BAR  1

#define MAYBE_A_KEY 1

static SCREEN *screen;
static bool has_colours;
static sigset_t usual; /* signals that are let in while we wait, and at no other time */
static volatile sig_atomic_t is_over;

static void on_signal(int signal)
{
	(void)signal;
	is_over = 1;
}

/* Set before ncurses looks: what is handled already it leaves alone. */
static void catch_signals(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		sigaction(ends[i], &action, NULL);
		sigaddset(&held, ends[i]);
	}
	sigaddset(&held, SIGWINCH);
	sigprocmask(SIG_BLOCK, &held, &usual);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigdelset(&usual, ends[i]);
	sigdelset(&usual, SIGWINCH);
}

/* A terminal without that, or of a kind that nobody has described, is paper. */
static bool can_move_cursor(void)
{
	const char *sequence;
	int status;

	if (setupterm(NULL, STDOUT_FILENO, &status) != OK)
		return false;
	sequence = tigetstr("cup");
	del_curterm(cur_term);
	return sequence && sequence != (const char *)-1;
}

int sw_screen_open(void)
{
	const char *no_color = getenv("NO_COLOR");
	static bool will_close;

	if (!can_move_cursor())
		return -ENOTTY;
	catch_signals();
	set_escdelay(ESCAPE_MS);
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		sigprocmask(SIG_SETMASK, &usual, NULL);
		return -ENOTTY;
	}
	if (!will_close)
		atexit(sw_screen_close);
	will_close = true;
	set_term(screen);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	has_colours = !(no_color && *no_color) && has_colors() && start_color() == OK &&
		      use_default_colors() == OK &&
		      init_pair(PAIR_BAR, COLOR_WHITE, COLOR_BLUE) == OK;
	return 0;
}

void sw_screen_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
	sigprocmask(SIG_SETMASK, &usual, NULL);
}

/* Returns whether there may be a key now; of what ended the waiting else, SW_KEY_*. */
static int wait_for_input(uint64_t until_ns)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t now_ns = sw_monotonic_ns(), left = until_ns > now_ns ? until_ns - now_ns : 0;
	struct timespec time = { .tv_sec = (time_t)(left / 1000000000),
				 .tv_nsec = (long)(left % 1000000000) };
	int ready = ppoll(&input, 1, until_ns == UINT64_MAX ? NULL : &time, &usual);

	if (is_over || (ready > 0 && input.revents & ~POLLIN)) /* the terminal is gone */
		return SW_KEY_OVER;
	return ready ? MAYBE_A_KEY : SW_KEY_NONE; /* after any signal ncurses is asked */
}

int sw_screen_key(uint64_t until_ns)
{
	for (;;) {
		int key = getch(), ready;

		if (key == KEY_RESIZE)
			return SW_KEY_RESIZE;
		if (key != ERR)
			return key;
		ready = wait_for_input(until_ns);
		if (ready != MAYBE_A_KEY)
			return ready;
	}
}

int sw_screen_rows(void)
{
	return getmaxy(stdscr);
}

int sw_screen_columns(void)
{
	return getmaxx(stdscr);
}

void sw_screen_clear(void)
{
	erase();
}

static attr_t attribute(enum sw_ink ink)
{
	switch (ink) {
	case SW_INK_BOLD:
		return A_BOLD;
	case SW_INK_BAR:
		return has_colours ? COLOR_PAIR(PAIR_BAR) | A_BOLD : A_REVERSE;
	case SW_INK_CHOSEN:
		return A_BOLD | A_REVERSE;
	default:
		return A_NORMAL;
	}
}

/* How many bytes fit into so many cells, and, in *used, how many of these they take. */
static int bytes_of(const char *text, int room, int *used)
{
	int at = 0, bytes, cells;

	for (*used = 0; text[at]; *used += cells) {
		bytes = (int)sw_text_next(text + at, &cells);
		if (*used + cells > room)
			break;
		at += bytes;
	}
	return at;
}

void sw_screen_draw(int row, int column, enum sw_ink ink, const char *text)
{
	int room = sw_screen_columns() - column, used;

	if (row < 0 || row >= sw_screen_rows() || room <= 0)
		return;
	attrset(attribute(ink));
	if (sw_text_width(text) <= room) {
		mvaddstr(row, column, text);
	} else {
		mvaddnstr(row, column, text, bytes_of(text, room - 1, &used));
		mvaddch(row, column + used, '~');
	}
	attrset(A_NORMAL);
}

void sw_screen_bar(int row, enum sw_ink ink, const char *text)
{
	if (row < 0 || row >= sw_screen_rows())
		return;
	attrset(attribute(ink));
	mvhline(row, 0, ' ', sw_screen_columns());
	sw_screen_draw(row, 0, ink, text);
}

void sw_screen_show(void)
{
	refresh();
}

void sw_screen_redraw(void)
{
	clearok(stdscr, TRUE);
}
