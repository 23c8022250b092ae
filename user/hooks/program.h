/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_HOOKS_PROGRAM_H
#define SYNWARD_HOOKS_PROGRAM_H

/* Loaded programs by what they are made of, whoever has loaded them. */

#include <stdbool.h>
#include <stdint.h>

/* The id of a program, or of a map; 0 if it cannot be told. */
uint32_t sw_program_id(int fd);
uint32_t sw_map_id(int fd);

/* Does it work with the map of that id? */
bool sw_program_uses(int fd, uint32_t map);

/*
 * Are both made of the same instructions and, where data is set, of the same constants? Then one in the place of the
 * other would change nothing. 1, 0, or -errno; no line is recorded.
 */
int sw_programs_equal(int a, int b, bool data);

#endif
