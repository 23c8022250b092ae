/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_HOOKS_REFUSAL_H
#define SYNWARD_HOOKS_REFUSAL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Why an XDP program was not attached natively to an interface: tries once more, and listens to what the kernel says, or
 * lets the driver say. text is empty if that is nothing, or the kernel tells it to nobody, as before Linux 6.6.
 */
void sw_refusal_words(int program_fd, uint32_t ifindex, char *text, size_t size);

#endif
