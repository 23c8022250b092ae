// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a record of any link type: the frame lies within its room, and nothing is read beyond the
 * record. The first two bytes are the link type.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../user/replay/link.c"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct sw_replay_frame frame;
	int link = length > 1 ? bytes[0] | bytes[1] << 8 : 0;
	uint8_t *data;
	size_t size;

	if (length < 2 || !sw_link_is_known(link))
		return 0;
	size = length - 2;
	data = malloc(size); /* of its own, so that whoever reads beyond it is caught */
	assert(data || !size);
	if (size)
		memcpy(data, bytes + 2, size);
	/* on the wire it was longer, as long, and, which no sound capture says, shorter */
	for (uint32_t wire = 0; wire <= 2 * size; wire += size ? size : 1) {
		memset(&frame, 0xff, sizeof(frame));
		sw_link_to_frame(link, data, (uint32_t)size, wire, &frame);
		assert(frame.captured >= SW_REPLAY_MIN_FRAME);
		assert(frame.captured <= SW_REPLAY_MAX_FRAME);
		assert(frame.captured <= SW_REPLAY_MIN_FRAME + size);
		for (uint32_t i = frame.captured; i < SW_REPLAY_MAX_FRAME; i++)
			assert(frame.bytes[i] == 0xff);
	}
	free(data);
	return 0;
}
