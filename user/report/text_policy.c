// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include "../base/error.h"
#include "../base/number.h"
#include "../model/names.h"
#include "../model/policy_idle.h"
#include "../model/policy_keys.h"
#include "../model/service_text.h"
#include "../text/table.h"
#include "../text/wrap.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LIST_INDENT 4

/* ---- the table */

/* A cell of what print writes, or of text if that is nothing. */
static void list_cell(struct sw_table *table, const struct sw_service *service,
		      void (*print)(FILE *, const struct sw_service *), const char *text)
{
	char *list = NULL;
	size_t size;
	FILE *out = open_memstream(&list, &size);

	if (out)
		print(out, service);
	if (!out || fclose(out))
		sw_output_lacks();
	sw_table_cell(table, "%s", list && *list ? list : text);
	free(list);
}

static void print_addresses(FILE *out, const struct sw_service *service)
{
	sw_print_addresses(out, service, "");
	if (!service->prefix_count && service->family != SW_FAMILY_ANY)
		fprintf(out, "all of %s", sw_family_name(service->family));
}

static void limit_cells(struct sw_table *table, const struct sw_rules *rules)
{
	char a[SW_NUMBER_SIZE], b[SW_NUMBER_SIZE];

	if (rules->syn_rate)
		sw_table_cell(table, "%s/s, %s at once", sw_format_count(a, rules->syn_rate),
			      sw_format_count(b, rules->syn_burst));
	else
		sw_table_cell(table, "-");
	if (rules->half_open_source || rules->half_open_service)
		sw_table_cell(
			table, "%s / %s",
			rules->half_open_source ? sw_format_count(a, rules->half_open_source) : "-",
			rules->half_open_service ? sw_format_count(b, rules->half_open_service) :
						   "-");
	else
		sw_table_cell(table, "-");
}

static void add_row(struct sw_table *table, const struct sw_policy *policy, unsigned int row)
{
	const struct sw_rules *rules = &policy->rules[row];
	const struct sw_service *service = &policy->services[row];
	char cookies[SW_KEY_TEXT_SIZE];
	bool others = row == SW_SERVICE_DEFAULT;

	sw_table_cell(table, "%s", service->name);
	sw_table_cell(table, "%s", rules->enforce ? "enforce" : "monitor");
	sw_table_cell(table, "%s", rules->strict ? "yes" : "no");
	limit_cells(table, rules);
	sw_table_cell(table, "%s", sw_key_format(cookies, &sw_rule_keys[SW_RULE_SYN_FLOOD], rules));
	list_cell(table, service, sw_print_ports, others ? "others" : "all");
	list_cell(table, service, print_addresses, others ? "others" : "all");
}

static void print_table(FILE *out, const struct sw_policy *policy)
{
	static const char *const headings[] = { "SERVICE",   "MODE",	"STRICT", "SYN RATE",
						"HALF-OPEN", "COOKIES", "PORTS",  "ADDRESSES" };
	SW_AUTO_TABLE struct sw_table *table = sw_table_new("llllllll");

	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
		sw_table_cell(table, "%s", headings[i]);
	for (unsigned int i = 0; i < policy->service_count; i++)
		add_row(table, policy, i);
	add_row(table, policy, SW_SERVICE_DEFAULT);
	sw_table_print(table, out);
}

/* ---- what is dropped */

static __u64 dropped_by(const struct sw_rules *rules)
{
	return rules->drop | (rules->strict ? rules->strict_drop : 0);
}

static void print_set(FILE *out, __u64 anomalies, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A sentence and the names of a set; nothing if that is empty. */
static void print_set(FILE *out, __u64 anomalies, const char *format, ...)
{
	const char *separator = "";
	char *text = NULL;
	size_t size;
	va_list args;
	FILE *line;

	if (!anomalies)
		return;
	line = open_memstream(&text, &size);
	if (!line) {
		sw_output_lacks();
		return;
	}
	va_start(args, format);
	vfprintf(line, format, args);
	va_end(args);
	for (int i = 0; i < SW_ANOMALY_COUNT; i++) {
		if (!(anomalies >> i & 1))
			continue;
		fprintf(line, "%s %s", separator, sw_anomaly_words[i].name);
		separator = ",";
	}
	if (fclose(line)) {
		sw_output_lacks();
	} else {
		fputs("  ", out);
		sw_wrap(out, text, 2, LIST_INDENT);
	}
	free(text);
}

/* The default row's in full; of a service what it does otherwise. */
static void print_drops(FILE *out, const struct sw_policy *policy, unsigned int row)
{
	const struct sw_rules *rules = &policy->rules[row];
	const char *name = policy->services[row].name;
	const char *drops = rules->enforce ? "drops" : "would drop";
	__u64 others = dropped_by(&policy->rules[SW_SERVICE_DEFAULT]), own = dropped_by(rules);
	char warm_up[SW_NUMBER_SIZE];

	sw_format_exact_duration(warm_up, rules->warm_up_ms);
	if (row != SW_SERVICE_DEFAULT) {
		print_set(out, others & ~own, "%s passes, unlike default:", name);
		own &= ~others;
	}
	print_set(out, own & ~SW_MASK_DROP_SYM & ~SW_MASK_STRICT, "%s %s:", name, drops);
	print_set(out, own & SW_MASK_DROP_SYM,
		  "%s %s where both directions of a flow are seen:", name, drops);
	print_set(out, own & SW_MASK_STRICT,
		  "%s %s where both directions are seen, after a warm-up of %s:", name, drops,
		  warm_up);
}

static void print_auto_block(FILE *out, const struct sw_auto_block *block)
{
	char offences[SW_NUMBER_SIZE], window[SW_NUMBER_SIZE], expiry[SW_NUMBER_SIZE];
	char maximum[SW_NUMBER_SIZE], text[256];

	if (!block->enabled) {
		fputs("auto_block is off\n", out);
		return;
	}
	sw_format(text, sizeof(text),
		  "auto_block: %s %s within %s%s block a source for %s; at most %s of them "
		  "at a time",
		  sw_format_count(offences, block->offences),
		  sw_noun(block->offences, "offence", "offences"),
		  sw_format_exact_duration(window, block->window_s * 1000ULL),
		  block->own_flows ? ", on connections of its own," : "",
		  sw_format_exact_duration(expiry, block->expiry_s * 1000ULL),
		  sw_format_count(maximum, block->maximum));
	sw_wrap(out, text, 2, LIST_INDENT);
}

static void print_flood_defence(FILE *out, const struct sw_policy *policy)
{
	const struct sw_flood_defence *defence = &policy->flood_defence;
	unsigned int wish = defence->way % SW_FLOOD_WISH_COUNT;

	if (!(policy->features & SW_HAS_FLOOD_DEFENCE))
		return;
	fprintf(out, "  floods are kept off by %s; net.ipv4.tcp_syncookies %s\n",
		wish == SW_WISH_AUTO ? "the best way that works" : sw_flood_wishes[wish],
		defence->set_syncookies ? "may be set for it" : "is left alone");
	if (defence->unheard)
		fputs("  SYNs are answered also where nobody was heard answering\n", out);
}

static void print_idle(void *context, const char *path, const char *why)
{
	char text[256];

	sw_format(text, sizeof(text), "%s does nothing: %s", path, why);
	fputs("  ", context);
	sw_wrap(context, text, 2, LIST_INDENT);
}

void sw_text_policy_idle(FILE *out, const struct sw_policy *policy)
{
	sw_policy_idle(policy, print_idle, out);
}

void sw_text_policy(FILE *out, const struct sw_policy *policy)
{
	print_table(out, policy);
	print_drops(out, policy, SW_SERVICE_DEFAULT);
	for (unsigned int i = 0; i < policy->service_count; i++)
		print_drops(out, policy, i);
	fputs("  ", out);
	print_auto_block(out, &policy->auto_block);
	print_flood_defence(out, policy);
	if (policy->gateway.hairpin == SW_HAIRPIN_YES)
		fputs("  both ends of a connection may be behind one interface\n", out);
	if (policy->gateway.hairpin == SW_HAIRPIN_NO)
		fputs("  the ends of a connection are never behind one interface\n", out);
	sw_text_policy_idle(out, policy);
}
