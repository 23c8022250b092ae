/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_TAGGED_H
#define SYNWARD_TESTS_TAGGED_H

#include "../../include/synward/base.h"

/* The tag that the program "tagged" puts beside a frame. */
#define TAGGED_PROTOCOL 0x8100
#define TAGGED_TCI	0x2064 /* VLAN 100 */

#endif
