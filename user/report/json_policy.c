// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"
#include "policy_report.h"
#include "report.h"

#include "../base/address.h"
#include "../model/policy_idle.h"
#include "../model/policy_keys.h"
#include "../model/service_text.h"

#include <string.h>

#define MAX_WORD 40

/* The object that is called word within another, made if it is not there. */
static json_t *level(json_t *object, const char *word)
{
	json_t *found = json_object_get(object, word);

	return found ? found : sw_json_put(object, word, json_object());
}

/* One value, at its path; what is a time says its unit in its name, and timeouts do so together. */
static void put_key(json_t *root, const struct sw_key *key, const void *of)
{
	char word[MAX_WORD], text[SW_KEY_TEXT_SIZE];
	const char *at = key->path;
	bool timeout = !strncmp(at, "timeouts.", strlen("timeouts."));

	for (const char *dot; (dot = strchr(at, '.')); at = dot + 1) {
		snprintf(word, sizeof(word), "%.*s%s", (int)(dot - at), at, timeout ? "_ms" : "");
		root = level(root, word);
	}
	snprintf(word, sizeof(word), "%s%s", at,
		 timeout		     ? "" :
		 key->kind == SW_KEY_MS	     ? "_ms" :
		 key->kind == SW_KEY_SECONDS ? "_s" :
					       "");
	switch (key->kind) {
	case SW_KEY_NUMBER:
	case SW_KEY_MS:
	case SW_KEY_SECONDS:
		sw_json_put_number(root, word, sw_key_get(key, of));
		break;
	case SW_KEY_SWITCH:
		sw_json_put_bool(root, word, sw_key_get(key, of));
		break;
	case SW_KEY_CHOICE:
	case SW_KEY_ACTION:
		sw_json_put_text(root, word, sw_key_format(text, key, of));
		break;
	}
}

static void put_keys(json_t *root, const struct sw_key *keys, size_t count, const void *of)
{
	for (size_t i = 0; i < count; i++)
		put_key(root, &keys[i], of);
}

static json_t *service(const struct sw_service *service, const struct sw_rules *rules)
{
	json_t *root = json_object(), *addresses, *ports;
	char prefix[SW_PREFIX_SIZE], range[SW_PORTS_SIZE];

	sw_json_put_text(root, "name", service->name);
	addresses = sw_json_put(root, "addresses", json_array());
	for (__u32 i = 0; i < service->prefix_count; i++)
		json_array_append_new(addresses,
				      json_string(sw_format_prefix(prefix, &service->prefixes[i])));
	sw_json_put_text(root, "family", sw_family_name(service->family));
	ports = sw_json_put(root, "ports", json_array());
	for (__u32 i = 0; i < service->port_count; i++)
		json_array_append_new(ports,
				      json_string(sw_format_ports(range, &service->ports[i])));
	put_keys(root, sw_rule_keys, SW_RULE_KEY_COUNT, rules);
	return root;
}

static void put_policy(json_t *root, const struct sw_policy *policy)
{
	json_t *services = sw_json_put(root, "services", json_array());

	for (__u32 i = 0; i < policy->service_count; i++)
		json_array_append_new(services, service(&policy->services[i], &policy->rules[i]));
	put_keys(sw_json_put(root, "default", json_object()), sw_rule_keys, SW_RULE_KEY_COUNT,
		 &policy->rules[SW_SERVICE_DEFAULT]);
	put_keys(sw_json_put(root, "auto_block", json_object()), sw_auto_block_keys,
		 SW_BLOCK_KEY_COUNT, &policy->auto_block);
	put_keys(sw_json_put(root, "flood_defence", json_object()), sw_flood_defence_keys,
		 SW_DEFENCE_KEY_COUNT, &policy->flood_defence);
	put_keys(sw_json_put(root, "gateway", json_object()), sw_gateway_keys, SW_GATEWAY_KEY_COUNT,
		 &policy->gateway);
	sw_json_put(root, "does_nothing", sw_json_policy_idle(policy));
}

static void put_idle(void *context, const char *path, const char *why)
{
	json_t *one = json_object();

	sw_json_put_text(one, "key", path);
	sw_json_put_text(one, "reason", why);
	json_array_append_new(context, one);
}

json_t *sw_json_policy_idle(const struct sw_policy *policy)
{
	json_t *array = json_array();

	sw_policy_idle(policy, put_idle, array);
	return array;
}

void sw_json_policy(FILE *out, const struct sw_policy *policy, const char *file, bool pretty)
{
	json_t *root = sw_json_root();

	if (file)
		sw_json_put_text(root, "file", file);
	put_policy(root, policy);
	sw_json_print(out, root, pretty);
}

void sw_json_policy_active(FILE *out, const struct sw_policy *policy,
			   const struct sw_policy_view *view, bool pretty)
{
	json_t *root = sw_json_root();

	sw_json_put(root, "state", sw_json_policy_state(view));
	put_policy(root, policy);
	sw_json_print(out, root, pretty);
}
