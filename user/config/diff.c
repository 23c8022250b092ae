// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../model/policy.h"
#include "../model/policy_keys.h"
#include "../model/service_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The changes so far; without memory for one, failed, and nothing is added any more. */
struct finder {
	struct sw_changes *changes;
	bool failed;
};

static void add(struct finder *finder, enum sw_change_kind kind, const char *before,
		const char *after, const char *format, ...) __attribute__((format(printf, 5, 6)));

static void add(struct finder *finder, enum sw_change_kind kind, const char *before,
		const char *after, const char *format, ...)
{
	struct sw_changes *changes = finder->changes;
	struct sw_change *more, *change;
	va_list args;

	if (finder->failed)
		return;
	more = realloc(changes->changes, (changes->count + 1) * sizeof(*more));
	if (!more) {
		finder->failed = true;
		return;
	}
	changes->changes = more;
	change = &more[changes->count++];
	*change = (struct sw_change){ kind, NULL, strdup(before), strdup(after) };
	va_start(args, format);
	if (vasprintf(&change->path, format, args) < 0)
		change->path = NULL;
	va_end(args);
	finder->failed = !change->path || !change->before || !change->after;
}

/* What is "" is not there. */
static enum sw_change_kind kind_of(const char *before, const char *after)
{
	return !*before ? SW_CHANGE_ADDED : !*after ? SW_CHANGE_REMOVED : SW_CHANGE_CHANGED;
}

/* ---- keys */

static const char *text_of(char text[SW_KEY_TEXT_SIZE], const struct sw_key *key, const void *of)
{
	return sw_key_is_set(key, of) ? sw_key_format(text, key, of) : strcpy(text, "");
}

/* The part of the policy that is called at, before and after. */
static void compare_keys(struct finder *finder, const char *at, const struct sw_key *keys,
			 size_t count, const void *before, const void *after)
{
	char old[SW_KEY_TEXT_SIZE], new[SW_KEY_TEXT_SIZE];

	for (size_t i = 0; i < count; i++) {
		text_of(old, &keys[i], before);
		text_of(new, &keys[i], after);
		if (strcmp(old, new) != 0)
			add(finder, kind_of(old, new), old, new, "%s.%s", at, keys[i].path);
	}
}

/* ---- services */

enum match { MATCH_ADDRESSES, MATCH_FAMILY, MATCH_PORTS, MATCH_COUNT };

static const char *const match_words[] = { "addresses", "family", "ports" };

/* One of the three that say which packets it is about; the caller frees it. NULL without memory. */
static char *match_text(const struct sw_service *service, enum match which)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (which == MATCH_ADDRESSES)
		sw_print_addresses(out, service, "");
	else if (which == MATCH_PORTS)
		sw_print_ports(out, service);
	else if (!service->prefix_count && service->family != SW_FAMILY_ANY)
		fputs(sw_family_name(service->family), out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void compare_matches(struct finder *finder, const char *at, const struct sw_service *before,
			    const struct sw_service *after)
{
	for (enum match which = 0; which < MATCH_COUNT; which++) {
		SW_AUTO_FREE char *old = match_text(before, which);
		SW_AUTO_FREE char *new = match_text(after, which);

		if (!old || !new)
			finder->failed = true;
		else if (strcmp(old, new) != 0)
			add(finder, kind_of(old, new), old, new, "%s.%s", at, match_words[which]);
	}
}

/* All of a service that is in one of two policies only, against others, that policy's default row. */
static void tell_whole(struct finder *finder, enum sw_change_kind kind,
		       const struct sw_service *service, const struct sw_rules *rules,
		       const struct sw_rules *others)
{
	bool added = kind == SW_CHANGE_ADDED;
	char text[SW_KEY_TEXT_SIZE];

	add(finder, kind, "", "", "services.%s", service->name);
	for (enum match which = 0; which < MATCH_COUNT; which++) {
		SW_AUTO_FREE char *match = match_text(service, which);

		if (!match)
			finder->failed = true;
		else if (*match)
			add(finder, kind, added ? "" : match, added ? match : "", "services.%s.%s",
			    service->name, match_words[which]);
	}
	for (size_t i = 0; i < SW_RULE_KEY_COUNT; i++) {
		const struct sw_key *key = &sw_rule_keys[i];

		if (sw_key_get(key, rules) == sw_key_get(key, others) || !sw_key_is_set(key, rules))
			continue;
		sw_key_format(text, key, rules);
		add(finder, kind, added ? "" : text, added ? text : "", "services.%s.%s",
		    service->name, key->path);
	}
}

static void tell_missing(struct finder *finder, enum sw_change_kind kind,
			 const struct sw_policy *has, const struct sw_policy *lacks)
{
	for (__u32 i = 0; i < has->service_count; i++)
		if (sw_policy_service(lacks, has->services[i].name) < 0)
			tell_whole(finder, kind, &has->services[i], &has->rules[i],
				   &has->rules[SW_SERVICE_DEFAULT]);
}

/* The names of those that the other policy has as well, in order; the caller frees it. */
static char *common_names(const struct sw_policy *policy, const struct sw_policy *other)
{
	const char *separator = "";
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (__u32 i = 0; i < policy->service_count; i++) {
		if (sw_policy_service(other, policy->services[i].name) < 0)
			continue;
		fprintf(out, "%s%s", separator, policy->services[i].name);
		separator = ", ";
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void compare_order(struct finder *finder, const struct sw_policy *before,
			  const struct sw_policy *after)
{
	SW_AUTO_FREE char *old = common_names(before, after);
	SW_AUTO_FREE char *new = common_names(after, before);

	if (!old || !new)
		finder->failed = true;
	else if (strcmp(old, new) != 0)
		add(finder, SW_CHANGE_CHANGED, old, new, "services");
}

static void compare_services(struct finder *finder, const struct sw_policy *before,
			     const struct sw_policy *after)
{
	char at[SW_SERVICE_NAME + 16];

	tell_missing(finder, SW_CHANGE_REMOVED, before, after);
	tell_missing(finder, SW_CHANGE_ADDED, after, before);
	for (__u32 i = 0; i < before->service_count; i++) {
		int other = sw_policy_service(after, before->services[i].name);

		if (other < 0)
			continue;
		sw_format(at, sizeof(at), "services.%s", before->services[i].name);
		compare_matches(finder, at, &before->services[i], &after->services[other]);
		compare_keys(finder, at, sw_rule_keys, SW_RULE_KEY_COUNT, &before->rules[i],
			     &after->rules[other]);
	}
	compare_order(finder, before, after);
}

int sw_config_diff(const struct sw_policy *before, const struct sw_policy *after,
		   struct sw_changes *changes)
{
	struct finder finder = { .changes = changes };

	*changes = (struct sw_changes){};
	compare_keys(&finder, "default", sw_rule_keys, SW_RULE_KEY_COUNT,
		     &before->rules[SW_SERVICE_DEFAULT], &after->rules[SW_SERVICE_DEFAULT]);
	compare_services(&finder, before, after);
	compare_keys(&finder, "auto_block", sw_auto_block_keys, SW_BLOCK_KEY_COUNT,
		     &before->auto_block, &after->auto_block);
	compare_keys(&finder, "flood_defence", sw_flood_defence_keys, SW_DEFENCE_KEY_COUNT,
		     &before->flood_defence, &after->flood_defence);
	compare_keys(&finder, "gateway", sw_gateway_keys, SW_GATEWAY_KEY_COUNT, &before->gateway,
		     &after->gateway);
	if (!finder.failed)
		return 0;
	sw_changes_free(changes);
	return sw_error(ENOMEM, "no memory to compare two policies");
}
