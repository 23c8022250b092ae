// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include "../model/policy_keys.h"
#include "../model/service_text.h"

#include <stdbool.h>
#include <string.h>

#define INDENT 2

/* A table of keys on its way out; base is what chosen compares with. */
struct printed {
	FILE *out;
	int indent;
	const struct sw_key *keys;
	size_t count;
	const void *of;
	const void *base;
	bool (*chosen)(const struct sw_key *key, const void *of, const void *base);
};

/*
 * The levels that a key is in, but for those that the key before, of which path, is in as well:
 * they stand there already. Returns the key's last word, and how far it is indented.
 */
static const char *print_levels(const struct printed *printed, const char *path, const char *before,
				int *indent)
{
	const char *word = path;

	*indent = printed->indent;
	for (const char *dot; (dot = strchr(word, '.')); word = dot + 1) {
		if (strncmp(before, path, dot - path + 1) != 0)
			fprintf(printed->out, "%*s%.*s:\n", *indent, "", (int)(dot - word), word);
		*indent += INDENT;
	}
	return word;
}

/* Keys of one level stand side by side in the tables. */
static void print_keys(const struct printed *printed)
{
	const char *before = "";

	for (size_t i = 0; i < printed->count; i++) {
		const struct sw_key *key = &printed->keys[i];
		char text[SW_KEY_TEXT_SIZE];
		const char *word;
		int indent;

		if (!printed->chosen(key, printed->of, printed->base))
			continue;
		word = print_levels(printed, key->path, before, &indent);
		fprintf(printed->out, "%*s%s: %s\n", indent, "", word,
			sw_key_format(text, key, printed->of));
		before = key->path;
	}
}

/* All but the actions that are the usual ones, which would be many. */
static bool for_default(const struct sw_key *key, const void *of, const void *usual)
{
	if (key->kind == SW_KEY_ACTION && sw_key_get(key, of) == sw_key_get(key, usual))
		return false;
	return sw_key_is_set(key, of);
}

/* What is not as in the default row. A burst does not outlive its rate, so the two go together. */
static bool for_service(const struct sw_key *key, const void *of, const void *others)
{
	const struct sw_key *rate = &sw_rule_keys[SW_RULE_SYN_RATE];
	const struct sw_key *burst = &sw_rule_keys[SW_RULE_SYN_BURST];

	if (key == rate || key == burst)
		return sw_key_is_set(key, of) &&
		       (sw_key_get(rate, of) != sw_key_get(rate, others) ||
			sw_key_get(burst, of) != sw_key_get(burst, others));
	return sw_key_get(key, of) != sw_key_get(key, others);
}

static bool for_the_rest(const struct sw_key *key, const void *of, const void *base)
{
	(void)base;
	return sw_key_is_set(key, of);
}

static void print_service(FILE *out, const struct sw_service *service)
{
	/* names of digits only, and colons, would mean something else to YAML */
	fprintf(out, "  - name: \"%s\"\n", service->name);
	if (service->prefix_count) {
		fputs("    addresses: [", out);
		sw_print_addresses(out, service, "\"");
		fputs("]\n", out);
	} else if (service->family != SW_FAMILY_ANY) {
		fprintf(out, "    family: %s\n", sw_family_name(service->family));
	}
	if (service->port_count) {
		fputs("    ports: [", out);
		sw_print_ports(out, service);
		fputs("]\n", out);
	}
}

void sw_config_print(FILE *out, const struct sw_policy *policy)
{
	const struct sw_rules *others = &policy->rules[SW_SERVICE_DEFAULT];
	struct sw_rules usual;

	sw_rules_default(&usual);
	fprintf(out, "version: %d\ndefault:\n", SW_CONFIG_VERSION);
	print_keys(&(struct printed){ out, INDENT, sw_rule_keys, SW_RULE_KEY_COUNT, others, &usual,
				      for_default });
	if (policy->service_count)
		fputs("services:\n", out);
	for (__u32 i = 0; i < policy->service_count; i++) {
		print_service(out, &policy->services[i]);
		print_keys(&(struct printed){ out, 2 * INDENT, sw_rule_keys, SW_RULE_KEY_COUNT,
					      &policy->rules[i], others, for_service });
	}
	fputs("auto_block:\n", out);
	print_keys(&(struct printed){ out, INDENT, sw_auto_block_keys, SW_BLOCK_KEY_COUNT,
				      &policy->auto_block, NULL, for_the_rest });
	fputs("flood_defence:\n", out);
	print_keys(&(struct printed){ out, INDENT, sw_flood_defence_keys, SW_DEFENCE_KEY_COUNT,
				      &policy->flood_defence, NULL, for_the_rest });
	fputs("gateway:\n", out);
	print_keys(&(struct printed){ out, INDENT, sw_gateway_keys, SW_GATEWAY_KEY_COUNT,
				      &policy->gateway, NULL, for_the_rest });
}
