/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_REPLAY_PCAPNG_H
#define SYNWARD_REPLAY_PCAPNG_H

/*
 * Reads pcapng files (draft-ietf-opsawg-pcapng), block by block. libpcap (1.10) refuses files whose
 * interfaces differ in link type or snapshot length, as they do wherever several were captured at
 * once, or files were merged.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define SW_PCAPNG_MAGIC 0x0a0d0d0aU /* in either byte order */

struct sw_pcapng;

struct sw_pcapng_packet {
	uint64_t time_ns; /* since 1970; 0: the record has none that can be told */
	int link;	  /* LINKTYPE_* of its interface */
	uint32_t captured;
	uint32_t length;     /* on the wire */
	const uint8_t *data; /* until the next call */
};

/* Reads from a stream that stays the caller's. Returns NULL without memory. */
struct sw_pcapng *sw_pcapng_new(FILE *stream);
void sw_pcapng_free(struct sw_pcapng *file);

/*
 * Reads up to the next packet. Returns 1, 0 at the file's end, -ENODATA if it breaks off within a
 * block, or -EIO if it is damaged; then sw_pcapng_damage() says how and where.
 */
int sw_pcapng_next(struct sw_pcapng *file, struct sw_pcapng_packet *packet);
const char *sw_pcapng_damage(const struct sw_pcapng *file);

/* Of all interfaces described so far: how many, and the link type of one of them. */
uint32_t sw_pcapng_links(const struct sw_pcapng *file);
int sw_pcapng_link(const struct sw_pcapng *file, uint32_t index);

#endif
