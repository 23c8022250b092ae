/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_REFUSAL_H
#define SYNWARD_REFUSAL_H

#include "base.h"

#define SW_REFUSAL_WORDS 128

/* A process as it knows itself: by its number in its namespace, and that by the file of it in /proc. */
struct refusal_asker {
	__u64 device;
	__u64 inode;
	__u32 process;
	__u32 pad;
};

#endif
