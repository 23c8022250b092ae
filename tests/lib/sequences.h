/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_TESTS_SEQUENCES_H
#define SYNWARD_TESTS_SEQUENCES_H

/* All described sequences, and how each becomes a test case of each family. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sequences_outcome.h"
#include "sequences_stateful.h"
#include "sequences_stateless.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct sequence_set {
	const struct sequence *sequences;
	size_t count;
};

#define SEQUENCE_SET(array) ((struct sequence_set){ array, COUNT(array) })

struct sequence_case {
	const struct sequence *sequence;
	bool v6;
};

/* The end of a list of test cases under construction. */
struct case_list {
	struct CMUnitTest *tests;
	struct sequence_case *cases;
	size_t count;
};

static inline void add_case(struct case_list *list, const struct sequence *sequence, bool v6,
			    const char *prefix, CMUnitTestFunction function)
{
	char *name;

	if (!sequence_has_family(sequence, v6))
		return;
	if (asprintf(&name, "%sIPv%d: %s", prefix, v6 ? 6 : 4, sequence->says) < 0)
		abort();
	list->cases[list->count] = (struct sequence_case){ sequence, v6 };
	list->tests[list->count] = (struct CMUnitTest){
		.name = name, .test_func = function, .initial_state = &list->cases[list->count]
	};
	list->count++;
}

static inline struct case_list new_cases(size_t room)
{
	struct case_list list = { .tests = calloc(room, sizeof(*list.tests)),
				  .cases = calloc(room, sizeof(*list.cases)) };

	assert(list.tests && list.cases);
	return list;
}

/* One test case for each sequence of a set and each of its families; room is needed for both. */
static inline void add_cases(struct case_list *list, struct sequence_set set, const char *prefix,
			     CMUnitTestFunction function)
{
	for (size_t i = 0; i < set.count; i++) {
		add_case(list, &set.sequences[i], false, prefix, function);
		add_case(list, &set.sequences[i], true, prefix, function);
	}
}

static inline int run_cases(const char *name, const struct case_list *list)
{
	int failed = _cmocka_run_group_tests(name, list->tests, list->count, NULL, NULL);

	for (size_t i = 0; i < list->count; i++)
		free((char *)list->tests[i].name);
	free(list->tests);
	free(list->cases);
	return failed;
}

/* The expectations of one sequence through the core on the host. */
static inline void sequence_on_host(void **state)
{
	const struct sequence_case *of = *state;
	struct setup setup = sequence_setup(of->sequence);
	int wrongs;
	struct host host;

	host_open(&host, &setup);
	for (__u32 i = 0; i < sequence_length(of->sequence); i++)
		host_segment(&host, &of->sequence->segments[i], of->v6);
	host_sweep(&host, true);
	wrongs = sequence_wrongs(of->sequence, &host.result);
	host_close(&host);
	assert_int_equal(wrongs, 0);
}

#endif
