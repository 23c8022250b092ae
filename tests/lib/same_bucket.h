/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_SAME_BUCKET_H
#define SYNWARD_TESTS_SAME_BUCKET_H

/* Who must be pushed out for others to be entered: attempts that share a bucket of the handshake table. */

#include "../../bpf/core/hash.h"
#include "prog.h"

/* The bucket of a segment's flow. */
static inline __u32 bucket_of_segment(const struct prog *prog, const struct segment *segment,
				      bool v6)
{
	struct sw_addr src = end_address(segment->from, v6);
	struct sw_addr dst = end_address(segment_to(segment), v6);
	const __u64 *seed = prog->setup.seed;
	__u64 destination = mix_end(&dst, segment_dport(segment), seed);

	return sw_bucket_index(sw_hash_of(&src, segment_sport(segment), destination, seed),
			       prog->setup.handshake_buckets);
}

/* The next numbered end, behind another number, whose attempt meets that of CLIENT. */
static inline __u32 next_in_bucket(const struct prog *prog, __u32 behind, bool v6)
{
	const struct segment own = A_SYN();
	__u32 bucket = bucket_of_segment(prog, &own, v6);
	struct segment other;

	do
		other = (struct segment)A_SYN(.from = FIRST_NUMBERED + ++behind);
	while (bucket_of_segment(prog, &other, v6) != bucket);
	return behind;
}

#endif
