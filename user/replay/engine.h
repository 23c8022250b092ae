/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPLAY_ENGINE_H
#define SYNWARD_REPLAY_ENGINE_H

/*
 * A copy of the very program that guards interfaces, loaded for a replay: its maps are its own and
 * vanish with it, and its clock is that of the frames it is fed. Errors of all functions are -errno,
 * with the line recorded.
 */

#include <synward/config.h>
#include <synward/counters.h>
#include <synward/event.h>
#include <synward/replay.h>

#include <stdbool.h>
#include <stdint.h>

struct sw_engine;

struct sw_engine_setup {
	uint32_t handshakes;  /* room for so many */
	uint32_t connections; /* and so many */
	uint32_t timeout_ms[SW_TIMEOUT_COUNT];
	bool checksums; /* verify them */

	/* Gets every event, in order. Returns 0, or a -errno that ends the replay. */
	int (*take)(const struct sw_event *event, void *context);
	void *context;
};

int sw_engine_load(const struct sw_engine_setup *setup, struct sw_engine **engine);
void sw_engine_free(struct sw_engine *engine);

/* Where to put frames, *room at most, before sw_engine_feed(). */
struct sw_replay_frame *sw_engine_batch(struct sw_engine *engine, uint32_t *room);

/* Runs the program on the first count frames of the batch. */
int sw_engine_feed(struct sw_engine *engine, uint32_t count);

/*
 * A replay has no timer that would end what is silent, and the tables' times are modulo 2^32 ms.
 * Has so much time passed at a frame that sw_engine_pass_time() is to be called before it is fed,
 * and after all before it were?
 */
bool sw_engine_is_due(struct sw_engine *engine, uint64_t time_ns);
int sw_engine_pass_time(struct sw_engine *engine, uint64_t time_ns);

/* Ends every attempt that is still open as if silence followed. */
int sw_engine_finish(struct sw_engine *engine);

/* What the program has counted so far. */
int sw_engine_counters(const struct sw_engine *engine, struct sw_counters *counters);
int sw_engine_traffic(const struct sw_engine *engine, struct sw_interface_traffic *traffic);

static inline void sw_engine_cleanup(struct sw_engine **engine)
{
	sw_engine_free(*engine);
}
#define SW_AUTO_ENGINE __attribute__((cleanup(sw_engine_cleanup)))

#endif
