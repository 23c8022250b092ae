/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BENCH_GUARD_H
#define SYNWARD_BENCH_GUARD_H

#include <stdint.h>

/* What a laboratory's namespaces are marked with: the alias of their loopback device. */
#define GUARD_MARK	    "synward bench-flood "
#define GUARD_SECRET_LENGTH 32

/*
 * Is interface, of this network namespace, one that may be flooded? Only if it is a veth, its other
 * end exists, and both ends' namespaces carry the mark of the laboratory with that secret; never in
 * the namespace of the machine. Returns 0 and the interface's number in *ifindex; otherwise
 * sw_error()'s code, -EPERM for what may not be flooded, and *ifindex untouched.
 */
int guard_check(const char *interface, const char *secret, uint32_t *ifindex);

#endif
