/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPLAY_CONFINE_H
#define SYNWARD_REPLAY_CONFINE_H

/*
 * Whoever loads programs has to have privileges, and whoever reads captures, which strangers have made,
 * must not. So each try at a capture is a process of its own, which loads the program and then gives
 * up what it may do; only the one that has asked for it can start another try.
 */

#include <stdint.h>
#include <sys/types.h>

/* How many flows the tables of a try have room for; 0: as its file suggests. */
struct sw_replay_room {
	uint32_t handshakes;
	uint32_t connections;
};

/* A try, as it sees itself. */
struct sw_replay_try {
	struct sw_replay_room room;
	int asks;    /* to write to ... */
	int answers; /* ... and read from */
};

/*
 * Starts a try, and waits until it has ended; another one, with more room, if it asks for that. Returns 0 in
 * a try, 1 in the caller, with the exit code of the try that counts in *code, or a -errno with a line.
 */
int sw_replay_confine(struct sw_replay_try *self, int *code);

/* For a try whose tables were too small. Returns if there is no try that has done better. */
void sw_replay_ask_for(const struct sw_replay_try *self, struct sw_replay_room room);

/* Ends a try that had no memory for the room that was asked for. */
_Noreturn void sw_replay_give_up(void);

#endif
