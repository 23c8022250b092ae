/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_HOOKS_REFUSAL_H
#define SYNWARD_HOOKS_REFUSAL_H

#include <synward/refusal.h>

struct refusal_bpf;

/*
 * Why an XDP program is not attached natively, in the words of the kernel, or of the driver that it lets speak. They are
 * heard while they are said: to try once more, for that alone, may reset a card's link once more.
 */
struct sw_refusal {
	struct refusal_bpf *listener; /* NULL: the kernel tells it to nobody, as before Linux 6.6 */
};

#define SW_AUTO_REFUSAL __attribute__((cleanup(sw_refusal_end)))

/* Listens to what this process is refused, until sw_refusal_end(). Records no line. */
void sw_refusal_begin(struct sw_refusal *refusal);
void sw_refusal_end(struct sw_refusal *refusal);

/* What was said last, or "". */
void sw_refusal_words(const struct sw_refusal *refusal, char words[SW_REFUSAL_WORDS]);

#endif
