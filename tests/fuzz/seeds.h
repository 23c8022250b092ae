/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_SEEDS_H
#define SYNWARD_TESTS_SEEDS_H

/* What the fuzzers begin with: every frame of every described sequence, in both families. */

#include "../lib/sequences.h"

static inline void write_seed(const char *dir, const char *set, size_t sequence, __u32 segment,
			      bool v6, const struct segment *of)
{
	static const __u8 nothing_cut_off[2];
	struct frame frame;
	char *path;
	FILE *file;

	if (asprintf(&path, "%s/%s-%zu-%u-%d", dir, set, sequence, segment, v6 ? 6 : 4) < 0)
		abort();
	file = fopen(path, "w");
	if (!file) {
		perror(path);
		exit(1);
	}
	frame_build(&frame, of, v6);
	fwrite(nothing_cut_off, sizeof(nothing_cut_off), 1, file);
	fwrite(frame.bytes, frame.length, 1, file);
	fclose(file);
	free(path);
}

static inline void write_set(const char *dir, const char *name, struct sequence_set set)
{
	for (size_t i = 0; i < set.count; i++) {
		for (__u32 j = 0; j < sequence_length(&set.sequences[i]); j++) {
			for (int v6 = 0; v6 < 2; v6++)
				if (sequence_has_family(&set.sequences[i], v6))
					write_seed(dir, name, i, j, v6,
						   &set.sequences[i].segments[j]);
		}
	}
}

static inline void write_seeds_if_asked(void)
{
	const char *dir = getenv("SEED_DIR");

	if (!dir)
		return;
	write_set(dir, "outcome", SEQUENCE_SET(outcome_sequences));
	write_set(dir, "stateful", SEQUENCE_SET(stateful_sequences));
	write_set(dir, "stateless", SEQUENCE_SET(stateless_sequences));
	exit(0);
}

#endif
