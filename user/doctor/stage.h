/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_DOCTOR_STAGE_H
#define SYNWARD_DOCTOR_STAGE_H

/*
 * Two network namespaces without a name and a veth pair between them, with addresses of both families.
 * All of it lives as long as the process that made it.
 */

#include <stdbool.h>
#include <sys/socket.h>

#define SW_STAGE_INTERFACE "swdoctor0" /* the server's end */
#define SW_STAGE_PORT	   8080

struct sw_stage {
	int server, client; /* the namespaces */
	bool ipv6;	    /* this kernel has it */
	int listeners[2];   /* of IPv4 and IPv6; one goes on listening, as a real server does */
};

/*
 * Makes one, and enters the server's namespace; the mount namespace is another from then on, too, with a
 * bpffs of its own. Not to be undone, so only for a process that ends soon. NULL, or the step that failed,
 * for a sentence that says that it could not be done, with errno.
 */
const char *sw_stage_make(struct sw_stage *stage);

/*
 * A client connects to the server, and is heard by it. In the server's namespace, as after it. NULL, or
 * the step that failed, with errno.
 */
const char *sw_stage_shake_hands(const struct sw_stage *stage, sa_family_t family);

#endif
