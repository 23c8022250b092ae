/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_LIST_H
#define SYNWARD_LIST_H
#include "flow.h"
#include "policy.h"
#define SW_LISTS_AUTO_BLOCK (1U << 8)
enum sw_list { SW_LIST_ALLOW, SW_LIST_BLOCK };
struct sw_auto_blocked {
	__u64 hits;
	__u32 until_s;
	__u32 pad;
};
struct sw_protected_key {
	__u32 length;
	struct sw_addr addr;
};
#endif
