/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_SEQUENCE_H
#define SYNWARD_TESTS_SEQUENCE_H

/*
 * One described sequence of segments and everything that must come of it. The same ones go through
 * the core on the host (unit) and through the loaded program (prog).
 */

#include "host.h"

/* what is not named is 0 */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define MAX_SEGMENTS 12

enum family {
	BOTH_FAMILIES,
	ONLY_V4,
	ONLY_V6,
};

/*
 * ended: how many attempts had which outcome, once silence has followed. seen: how many segments
 * showed which anomaly. What is not named must be 0.
 */
struct sequence {
	const char *says;
	struct segment segments[MAX_SEGMENTS];
	__u8 ended[SW_OUTCOME_COUNT];
	__u8 seen[SW_ANOMALY_COUNT];
	__u64 tolerated; /* anomalies that are here no reason to drop, whatever their default */
	enum family family;
	__u64 start_ns; /* 0: an ordinary time */
	bool checksums; /* are verified */
};

#define ENDED(id) [SW_OUTCOME_##id]
#define SEEN(id)  [SW_ANOMALY_##id]

/* The numbers of the handshakes. */
enum {
	ISN_C = 1000,
	ISN_S = 5000,
};

/* The segments of a handshake; what differs is named. */
#define A_SYN(...) tcp(.from = CLIENT, .flags = SYN, .seq = ISN_C, ##__VA_ARGS__)
#define A_SYNACK(...)                                                                              \
	tcp(.from = SERVER, .flags = SYN | ACK, .seq = ISN_S, .ack = ISN_C + 1, ##__VA_ARGS__)
#define AN_ACK(...)                                                                                \
	tcp(.from = CLIENT, .flags = ACK, .seq = ISN_C + 1, .ack = ISN_S + 1, ##__VA_ARGS__)
#define SERVER_ACK(...)                                                                            \
	tcp(.from = SERVER, .flags = ACK, .seq = ISN_S + 1, .ack = ISN_C + 1, ##__VA_ARGS__)
#define CLIENT_RST(...) tcp(.from = CLIENT, .flags = RST, .seq = ISN_C + 1, ##__VA_ARGS__)
#define SERVER_RST(...) tcp(.from = SERVER, .flags = RST, .seq = ISN_S + 1, ##__VA_ARGS__)
/* what a closed port answers to the SYN */
#define REFUSAL(...)                                                                               \
	tcp(.from = SERVER, .flags = RST | ACK, .seq = 0, .ack = ISN_C + 1, ##__VA_ARGS__)
#define HANDSHAKE A_SYN(), A_SYNACK(), AN_ACK()

static inline bool sequence_has_family(const struct sequence *sequence, bool v6)
{
	return sequence->family == BOTH_FAMILIES || (sequence->family == ONLY_V6) == v6;
}

static inline struct setup sequence_setup(const struct sequence *sequence)
{
	struct setup setup = setup_ordinary();

	if (sequence->start_ns)
		setup.start_ns = sequence->start_ns;
	setup.checksums = sequence->checksums;
	return setup;
}

static inline __u32 sequence_length(const struct sequence *sequence)
{
	__u32 length = 0;

	while (length < MAX_SEGMENTS && sequence->segments[length].kind != SEGMENT_NONE)
		length++;
	return length;
}

/* ---- comparing */

static inline const char *outcome_name(__u32 i)
{
	static const char *const names[] = {
#define X(id, name, ...) #name,
		SW_OUTCOMES(X)
#undef X
	};

	return names[i];
}

static inline const char *anomaly_name(__u32 i)
{
	static const char *const names[] = {
#define X(id, name, ...) #name,
		SW_ANOMALIES(X)
#undef X
	};

	return names[i];
}

static inline const char *tally_name(__u32 i)
{
	static const char *const names[] = {
#define X(id, name, ...) #name,
		SW_TALLIES(X)
#undef X
	};

	return names[i];
}

/* Says what is not as expected. Returns 1 if so, else 0. */
static inline int differs(const char *what, const char *name, __u64 got, __u64 expected)
{
	if (got == expected)
		return 0;
	fprintf(stderr, "%s %s: %llu, expected %llu\n", what, name, got, expected);
	return 1;
}

/* How many of the counters are not exactly what the sequence says; each is named on stderr. */
static inline int sequence_wrongs(const struct sequence *sequence, const struct result *result)
{
	const struct sw_counters *counters = &result->counters;
	const __u64 *tallies = counters->tallies;
	int wrongs = 0;

	for (__u32 i = 0; i < SW_OUTCOME_COUNT; i++)
		wrongs += differs("outcome", outcome_name(i), counters->outcomes[i],
				  sequence->ended[i]);
	for (__u32 i = 0; i < SW_ANOMALY_COUNT; i++) {
		bool drops = ((SW_MASK_DROP | SW_MASK_DROP_SYM) & ~sequence->tolerated) >> i & 1;

		wrongs += differs("anomaly", anomaly_name(i), counters->anomalies_seen[i],
				  sequence->seen[i]);
		wrongs += differs("would drop for", anomaly_name(i),
				  counters->anomalies_would_drop[i], drops ? sequence->seen[i] : 0);
		wrongs += differs("dropped for", anomaly_name(i), counters->anomalies_dropped[i],
				  0);
	}
	wrongs += differs("tally", "attempts_opened", tallies[SW_TALLY_ATTEMPTS_OPENED],
			  tallies[SW_TALLY_ATTEMPTS_CLOSED]);
	wrongs += differs("tally", "attempts_evicted", tallies[SW_TALLY_ATTEMPTS_EVICTED], 0);
	return wrongs;
}

#endif
