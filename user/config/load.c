// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"
#include "fill.h"
#include "schema.h"
#include "service.h"
#include "source.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../model/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void free_file(struct sw_file **file)
{
	sw_source_free_data(&sw_file_schema, *file);
}

/* ---- values */

/* The values of one part of the file, which is named by at; those that are not said stay. */
static int take_keys(struct sw_file_text *source, const char *at, const struct sw_key *keys,
		     size_t count, char *const *texts, void *of)
{
	char shown[SW_SHOWN_SIZE], expected[SW_KEY_EXPECTED_SIZE];

	for (size_t i = 0; i < count; i++) {
		unsigned int line;

		if (!texts[i] || sw_key_parse(&keys[i], texts[i], of))
			continue;
		line = sw_source_line(source, "%s.%s", at, keys[i].path);
		return sw_source_error(source, line, "%s.%s: %s: expected %s", at, keys[i].path,
				       sw_source_shown(shown, texts[i]),
				       sw_key_expected(expected, &keys[i]));
	}
	return 0;
}

/* Without a burst of its own, a rate has one of a second's worth; without a rate there is none. */
static int settle_burst(struct sw_file_text *source, const char *at, char *const *texts,
			struct sw_rules *rules)
{
	unsigned int line;

	if (!texts[SW_RULE_SYN_BURST]) {
		if (texts[SW_RULE_SYN_RATE])
			rules->syn_burst = rules->syn_rate;
		return 0;
	}
	if (rules->syn_rate)
		return 0;
	line = sw_source_line(source, "%s.limits.syn_rate.burst", at);
	return sw_source_error(source, line,
			       "%s.limits.syn_rate.burst: %u without a rate; expected a per_second "
			       "beside it that is not 0",
			       at, rules->syn_burst);
}

static int take_rules(struct sw_file_text *source, const char *at, char *const *texts,
		      struct sw_rules *rules)
{
	int error = take_keys(source, at, sw_rule_keys, SW_RULE_KEY_COUNT, texts, rules);

	return error ? error : settle_burst(source, at, texts, rules);
}

/* A connection is followed on after its handshake without asking whose it is. */
static int refuse_common_timeouts(struct sw_file_text *source, const char *at, char *const *texts)
{
	static const enum sw_rule_key common[] = { SW_RULE_TIMEOUT_ESTABLISHED,
						   SW_RULE_TIMEOUT_CLOSED };

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		const char *path = sw_rule_keys[common[i]].path;
		unsigned int line;

		if (!texts[common[i]])
			continue;
		line = sw_source_line(source, "%s.%s", at, path);
		return sw_source_error(source, line,
				       "%s.%s: all services have the same one; say it in default",
				       at, path);
	}
	return 0;
}

static int take_services(struct sw_file_text *source, const struct sw_file *file,
			 struct sw_policy *policy)
{
	int error;

	policy->service_count = file->service_count;
	error = sw_file_services(source, file, policy);
	for (unsigned int i = 0; i < file->service_count && !error; i++) {
		char at[32];

		sw_format(at, sizeof(at), "services[%u]", i);
		policy->rules[i] = policy->rules[SW_SERVICE_DEFAULT];
		error = refuse_common_timeouts(source, at, file->services[i].rules);
		if (!error)
			error = take_rules(source, at, file->services[i].rules, &policy->rules[i]);
	}
	return error;
}

static int compile(struct sw_file_text *source, struct sw_policy *policy)
{
	unsigned int line = sw_source_line(source, "services");
	char text[256];
	int error = sw_policy_compile(policy);

	if (!error)
		return 0;
	sw_format(text, sizeof(text), "%s", sw_error_text());
	sw_error_clear();
	return sw_source_error(source, line, "%s", text);
}

static int convert(struct sw_file_text *source, const struct sw_file *file,
		   struct sw_policy *policy)
{
	int error = sw_source_check_version(source, file->version);

	if (error)
		return error;
	sw_policy_default(policy);
	error = take_rules(source, "default", file->others.rules,
			   &policy->rules[SW_SERVICE_DEFAULT]);
	if (!error)
		error = take_services(source, file, policy);
	if (!error)
		error = take_keys(source, "auto_block", sw_auto_block_keys, SW_BLOCK_KEY_COUNT,
				  file->auto_block, &policy->auto_block);
	if (!error)
		error = take_keys(source, "flood_defence", sw_flood_defence_keys,
				  SW_DEFENCE_KEY_COUNT, file->flood_defence,
				  &policy->flood_defence);
	if (!error)
		error = take_keys(source, "gateway", sw_gateway_keys, SW_GATEWAY_KEY_COUNT,
				  file->gateway, &policy->gateway);
	return error ? error : compile(source, policy);
}

int sw_config_load(const char *path, struct sw_policy *policy)
{
	SW_AUTO_SOURCE struct sw_file_text source;
	__attribute__((cleanup(free_file))) struct sw_file *file = NULL;
	SW_AUTO_FREE struct sw_policy *loaded = malloc(sizeof(*loaded));
	int error = sw_source_open(path, "policy file", &source);

	if (error)
		return error;
	if (!loaded)
		return sw_error(ENOMEM, "no memory to read %s", source.path);
	error = sw_source_fill(&source, &sw_file_schema, (void **)&file);
	if (!error)
		error = convert(&source, file, loaded);
	if (!error)
		*policy = *loaded;
	return error;
}
