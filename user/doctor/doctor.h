/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_DOCTOR_DOCTOR_H
#define SYNWARD_DOCTOR_DOCTOR_H

/* Is this a place where synward works well? Nothing is changed by asking. */

#include "../model/findings.h"

#include <stddef.h>

/*
 * Looks at this host, and, unless name is NULL, at that interface of this network namespace, which must
 * live as long as the findings. Returns 0, or -errno with the line recorded if there is no such interface.
 */
int sw_doctor(const char *pin_dir, const char *name, struct sw_findings *findings);

/*
 * What a native XDP program takes from an interface of this network namespace, beside the time of its packets: words for
 * people, empty if nothing is known of it, or such a program is there.
 */
void sw_native_cost(const char *name, char *text, size_t size);

/*
 * Has the real programs follow, and answer by each way, real handshakes of both families on a veth pair
 * between two network namespaces. All of it is a child's, whose namespaces have no name and whose bpffs
 * nobody else sees, so nothing is left of it, however it ends. Appends a finding for each way.
 */
void sw_self_test(struct sw_findings *findings);

#endif
