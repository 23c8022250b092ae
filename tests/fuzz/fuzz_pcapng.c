// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a pcapng file: every packet lies in memory that is its own, each damage is told, and the
 * reading ends.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <stdint.h>

#include "../lib/errors.h"

#include "../../user/base/number.c"
#include "../../user/replay/pcapng.c"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	FILE *stream = length ? fmemopen((void *)bytes, length, "r") : NULL;
	struct sw_pcapng *file = stream ? sw_pcapng_new(stream) : NULL;
	struct sw_pcapng_packet packet;
	uint32_t packets = 0, sum = 0;
	int answer;

	if (!stream)
		return 0;
	assert(file);
	while ((answer = sw_pcapng_next(file, &packet)) > 0) {
		assert(answer == 1 && packet.captured <= length);
		for (uint32_t i = 0; i < packet.captured; i++)
			sum += packet.data[i];
		/* each takes its block, of which none is shorter */
		assert(++packets <= length / OVERHEAD);
		assert(sw_pcapng_links(file) > 0);
	}
	assert(!answer || answer == -ENODATA || answer == -EIO);
	assert(answer != -EIO || *sw_pcapng_damage(file));
	for (uint32_t i = 0; i < sw_pcapng_links(file); i++)
		sum += (uint32_t)sw_pcapng_link(file, i);
	sw_pcapng_free(file);
	fclose(stream);
	return (int)(sum & 0); /* what was read is used */
}
