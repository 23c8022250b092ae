// SPDX-License-Identifier: GPL-2.0-or-later
#include "../report/explain.h"

#include "../base/number.h"
#include "../text/table.h"
#include "command.h"

#include <errno.h>

/* All names, one line each. */
static int explain_all(void)
{
	const struct sw_explanation *of;
	const struct sw_explanation *list[128];
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("lll");
	unsigned int count = 0;

	for (; (of = sw_explanation(count)) && count < sizeof(list) / sizeof(list[0]); count++)
		list[count] = of;
	if (sw_global.json) {
		sw_json_explanations(stdout, list, count, sw_global.pretty);
		return SW_EXIT_OK;
	}
	sw_table_cell(table, "NAME");
	sw_table_cell(table, "KIND");
	sw_table_cell(table, "MEANING");
	for (unsigned int i = 0; i < count; i++) {
		sw_table_cell(table, "%s", list[i]->name);
		sw_table_cell(table, "%s", list[i]->kind);
		sw_table_cell(table, "%s", list[i]->meaning);
	}
	sw_table_print(table, stdout);
	return SW_EXIT_OK;
}

static int unknown_name(const char *name)
{
	const struct sw_explanation *of;
	const char *best = NULL;

	for (unsigned int i = 0; (of = sw_explanation(i)); i++)
		sw_word_nearest(&best, name, of->name);
	return sw_error(EINVAL,
			"explain: no outcome, anomaly or limit is called %s%s%s; 'synward explain' "
			"lists all names",
			name, best ? ": did you mean " : "", best ? best : "");
}

static int run(int argc, char **argv)
{
	int first = sw_command_options(&sw_cmd_explain, argc, argv);
	const struct sw_explanation *found[2];
	unsigned int count;

	if (first <= 0)
		return first;
	if (first == argc)
		return explain_all();
	if (first + 1 < argc)
		return sw_error(EINVAL, "explain: expected one name, got %s as well",
				argv[first + 1]);
	count = sw_explanations_of(argv[first], found);
	if (!count)
		return unknown_name(argv[first]);
	if (sw_global.json) {
		sw_json_explanations(stdout, found, count, sw_global.pretty);
		return SW_EXIT_OK;
	}
	for (unsigned int i = 0; i < count; i++) {
		if (i)
			putchar('\n');
		sw_text_explanation(stdout, found[i]);
	}
	return SW_EXIT_OK;
}

const struct sw_command sw_cmd_explain = {
	.name = "explain",
	.summary = "explain an outcome, an anomaly or a limit",
	.usage = "[NAME]",
	.text = "Prints what the name means, its exact condition, its default action, which "
		"innocent\n"
		"traffic does the same, and where it is defined. Without NAME, it lists all names, "
		"a\n"
		"line each.\n"
		"\n"
		"Examples:\n"
		"  synward explain half_open\n"
		"  synward explain synack_bad_ack\n"
		"  synward explain half_open_source\n",
	.run = run,
};
