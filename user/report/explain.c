// SPDX-License-Identifier: GPL-2.0-or-later
/* What a name means: the columns of the vocabulary's own tables, and nothing written twice. */
#include "explain.h"

#include "../text/table.h"
#include "../text/wrap.h"
#include "json.h"
#include "report.h"

#include <synward/anomaly.h>
#include <synward/limit.h>
#include <synward/outcome.h>

#include <string.h>

static const struct sw_explanation explanations[] = {
#define X(id, word, means, when, but, where)                                                       \
	{ .kind = "outcome",                                                                       \
	  .name = #word,                                                                           \
	  .meaning = means,                                                                        \
	  .condition = when,                                                                       \
	  .caveat = but,                                                                           \
	  .reference = where },
	SW_OUTCOMES(X)
#undef X
#define X(id, word, act, means, when, but, where)                                                  \
	{ .kind = "anomaly",                                                                       \
	  .name = #word,                                                                           \
	  .action = SW_ACTION_##act,                                                               \
	  .has_action = true,                                                                      \
	  .meaning = means,                                                                        \
	  .condition = when,                                                                       \
	  .caveat = but,                                                                           \
	  .reference = where },
		SW_ANOMALIES(X)
#undef X
#define X(id, word, means, when, but)                                                              \
	{ .kind = "limit",                                                                         \
	  .name = #word,                                                                           \
	  .is_limit = true,                                                                        \
	  .meaning = means,                                                                        \
	  .condition = when,                                                                       \
	  .caveat = but,                                                                           \
	  .reference = "" },
			SW_LIMITS(X)
#undef X
};

static const struct {
	const char *name;
	const char *meaning;
} actions[] = {
#define X(id, word, means) [SW_ACTION_##id] = { #word, means },
	SW_DEFAULT_ACTIONS(X)
#undef X
};

#define COUNT (sizeof(explanations) / sizeof(explanations[0]))

const struct sw_explanation *sw_explanation(unsigned int index)
{
	return index < COUNT ? &explanations[index] : NULL;
}

unsigned int sw_explanations_of(const char *name, const struct sw_explanation *found[2])
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < COUNT && count < 2; i++) {
		if (strcmp(explanations[i].name, name) == 0)
			found[count++] = &explanations[i];
	}
	return count;
}

#define INDENT 12

/* One labelled paragraph. */
static void paragraph(FILE *out, const char *label, const char *text)
{
	if (!*text)
		return;
	fprintf(out, "  %s%-*s%s", sw_style(out, SW_STYLE_BOLD), INDENT - 2, label,
		sw_style(out, SW_STYLE_NONE));
	sw_wrap(out, text, INDENT, INDENT);
}

void sw_text_explanation(FILE *out, const struct sw_explanation *of)
{
	fprintf(out, "%s%s%s (%s)\n", sw_style(out, SW_STYLE_BOLD), of->name,
		sw_style(out, SW_STYLE_NONE), of->kind);
	paragraph(out, "means", of->meaning);
	paragraph(out, "when", of->condition);
	if (of->has_action)
		paragraph(out, "default", actions[of->action].meaning);
	paragraph(out, of->has_action || of->is_limit ? "innocent" : "but", of->caveat);
	paragraph(out, "see", of->reference);
}

static json_t *json_of(const struct sw_explanation *of)
{
	json_t *object = json_object();

	sw_json_put_text(object, "kind", of->kind);
	sw_json_put_text(object, "name", of->name);
	sw_json_put_text(object, "meaning", of->meaning);
	sw_json_put_text(object, "condition", of->condition);
	if (of->has_action) {
		sw_json_put_text(object, "default_action", actions[of->action].name);
		sw_json_put_text(object, "false_positives", of->caveat);
	} else if (of->is_limit) {
		sw_json_put_text(object, "false_positives", of->caveat);
	} else {
		sw_json_put_text(object, "caveat", of->caveat);
	}
	if (*of->reference)
		sw_json_put_text(object, "reference", of->reference);
	return object;
}

void sw_json_explanations(FILE *out, const struct sw_explanation *const *list, unsigned int count,
			  bool pretty)
{
	json_t *root = sw_json_root();
	json_t *array = json_array();

	for (unsigned int i = 0; i < count; i++)
		json_array_append_new(array, json_of(list[i]));
	json_object_set_new(root, "explanations", array);
	sw_json_print(out, root, pretty);
}
