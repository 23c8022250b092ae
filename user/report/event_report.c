// SPDX-License-Identifier: GPL-2.0-or-later
/* Events, in the shape of Suricata's EVE or for people. */
#include "flood_report.h"
#include "json.h"
#include "report.h"

#include "../base/printable.h"
#include "../base/address.h"
#include "../base/number.h"
#include "../base/time.h"
#include "../model/flow_ids.h"
#include "../model/names.h"

#include <inttypes.h>
#include <syslog.h>

static json_t *anomaly_names(uint64_t bits)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < SW_ANOMALY_COUNT; i++)
		if (bits >> i & 1)
			json_array_append_new(array, json_string(sw_anomaly_words[i].name));
	return array;
}

static void put_attempt(json_t *object, const struct sw_event *event)
{
	json_t *part;

	sw_json_put_text(object, "phase", sw_name(sw_phase_words, event->phase));
	part = sw_json_put(object, "state", json_object());
	sw_json_put_text(part, "orig", sw_orig_state(event->phase));
	sw_json_put_text(part, "resp", sw_resp_state(event->phase));
	part = sw_json_put(object, "isn", json_object());
	sw_json_put_number(part, "orig", event->isn_orig);
	if (event->phase != SW_PHASE_SYN_SENT)
		sw_json_put_number(part, "resp", event->isn_resp);
	part = sw_json_put(object, "latency_us", json_object());
	for (unsigned int i = 0; i < SW_LATENCY_COUNT; i++)
		if (event->latency_us[i] != SW_LATENCY_UNKNOWN)
			sw_json_put_number(part, sw_latency_words[i].name, event->latency_us[i]);
	sw_json_put_number(object, "age_ms", event->age_ms);
	if (event->anomalies)
		sw_json_put(object, "anomalies", anomaly_names(event->anomalies));
}

/* What was over a limit. */
static void put_limit(json_t *object, const struct sw_event *event, const char *service)
{
	sw_json_put_text(object, "name", sw_name(sw_limit_words, event->limit));
	if (*service)
		sw_json_put_text(object, "service", service);
	sw_json_put_text(object, "verdict", sw_name(sw_verdict_words, event->verdict));
}

static void put_outcome(json_t *object, const struct sw_event *event)
{
	sw_json_put_text(object, "outcome", sw_name(sw_outcome_words, event->outcome));
	if (event->reason != SW_REASON_NONE)
		sw_json_put_text(object, "reason", sw_name(sw_reason_words, event->reason));
}

/* Or has it no ends, and no interface? */
static bool is_of_packet(const struct sw_event *event)
{
	return !sw_is_notice(event) && !sw_is_flood_event(event);
}

static void put_user(json_t *own, const char *key, uint32_t user)
{
	if (user != SW_NOBODY)
		sw_json_put_number(own, key, user);
}

static void put_notice(json_t *own, const struct sw_notice *notice)
{
	uint8_t type = notice->head.type;

	if (type == SW_EVENT_LIST || type == SW_EVENT_MISSED)
		sw_json_put_number(own, "count", notice->count);
	if (type == SW_EVENT_MISSED)
		return;
	sw_json_put_text(own, "action", sw_name(sw_deed_words, notice->head.deed));
	if (type == SW_EVENT_LIST)
		sw_json_put_text(own, "name", sw_name(sw_list_words, notice->list));
	if (*notice->what)
		sw_json_put_text(own, type == SW_EVENT_LIST ? "prefix" : "name", notice->what);
	put_user(own, "uid", notice->user);
	put_user(own, "login_uid", notice->login);
}

/* By which others who watch the same flow find its events. */
static void put_joins(json_t *root, const struct sw_event *event)
{
	struct sw_flow_ids ids = sw_flow_ids(&event->flow);
	json_t *vlans;

	if (event->vlans[0]) {
		vlans = sw_json_put(root, "vlan", json_array());
		for (unsigned int i = 0; i < 2 && event->vlans[i]; i++)
			json_array_append_new(vlans, json_integer(event->vlans[i] & SW_VLAN_ID));
	}
	sw_json_put_number(root, "flow_id", ids.flow_id);
	sw_json_put_text(root, "community_id", ids.community_id);
}

/* The object that is called as the type. */
static void put_own(json_t *own, const struct sw_event *event, const char *service)
{
	switch (event->type) {
	case SW_EVENT_HANDSHAKE:
		put_outcome(own, event);
		put_attempt(own, event);
		break;
	case SW_EVENT_ANOMALY:
		sw_json_put(own, "names", anomaly_names(event->anomalies));
		sw_json_put_text(own, "verdict", sw_name(sw_verdict_words, event->verdict));
		break;
	case SW_EVENT_LIMIT:
		put_limit(own, event, service);
		break;
	case SW_EVENT_POLICY:
	case SW_EVENT_ARMING:
	case SW_EVENT_LIST:
	case SW_EVENT_INTERFACE:
	case SW_EVENT_MISSED:
		put_notice(own, (const struct sw_notice *)event);
		return; /* no packet's, so without a direction */
	case SW_EVENT_BLOCKED:
		break;
	case SW_EVENT_FLOOD_BEGINS:
	case SW_EVENT_FLOOD_ENDS:
	case SW_EVENT_FLOOD_STEPS_ASIDE:
	case SW_EVENT_FLOOD_RESUMES:
		sw_json_flood_event(own, (const struct sw_flood_event *)event, service);
		return;
	default:
		put_attempt(own, event);
	}
	sw_json_put_text(own, "direction", sw_name(sw_direction_words, event->direction));
}

void sw_json_event(FILE *out, const struct sw_event *event, const struct sw_event_names *names,
		   uint64_t wall_ns)
{
	json_t *root = json_object();
	char text[SW_ADDRESS_SIZE], timestamp[SW_TIMESTAMP_SIZE];
	bool packet = is_of_packet(event);

	sw_json_put_text(root, "timestamp", sw_format_timestamp(timestamp, wall_ns));
	sw_json_put_text(root, "event_type", sw_name(sw_event_words, event->type));
	if (packet && *names->interface)
		sw_json_put_text(root, "in_iface", names->interface);
	if (packet && event->type != SW_EVENT_BLOCKED)
		sw_json_put_ends(root, &event->flow.orig, event->flow.orig_port, &event->flow.resp,
				 event->flow.resp_port);
	else if (packet)
		sw_json_put_text(root, "src_ip", sw_format_address(text, &event->flow.orig));
	if (packet)
		sw_json_put_text(root, "proto", "TCP");
	if (packet && event->type != SW_EVENT_BLOCKED)
		put_joins(root, event);
	put_own(sw_json_put(root, sw_name(sw_event_words, event->type), json_object()), event,
		names->service);
	sw_json_put_number(root, "timestamp_unix_ms", wall_ns / 1000000);
	sw_json_print(out, root, false);
}

static void print_anomalies(FILE *out, uint64_t bits)
{
	const char *separator = " ";

	for (unsigned int i = 0; i < SW_ANOMALY_COUNT; i++) {
		if (!(bits >> i & 1))
			continue;
		fprintf(out, "%s%s", separator, sw_anomaly_words[i].name);
		separator = ",";
	}
}

static void print_latency(FILE *out, const struct sw_event *event, enum sw_latency which,
			  const char *name)
{
	char text[SW_NUMBER_SIZE];

	if (event->latency_us[which] != SW_LATENCY_UNKNOWN)
		fprintf(out, " %s=%s", name, sw_format_latency(text, event->latency_us[which]));
}

static void print_notice(FILE *out, const struct sw_notice *notice)
{
	const char *action = sw_name(sw_deed_words, notice->head.deed);
	char count[SW_NUMBER_SIZE];

	sw_format_count(count, notice->count);
	if (notice->head.type == SW_EVENT_MISSED) {
		fprintf(out, "%s %s", count, sw_noun(notice->count, "event", "events"));
		return;
	}
	fputs(action, out);
	if (*notice->what)
		fprintf(out, " %s", SW_PRINTABLE_NAME(notice->what));
	else if (notice->head.type == SW_EVENT_LIST)
		fprintf(out, " %s %s", count, sw_noun(notice->count, "prefix", "prefixes"));
	if (notice->head.type == SW_EVENT_LIST)
		fprintf(out, " list=%s", sw_name(sw_list_words, notice->list));
	if (notice->user == SW_NOBODY)
		fputs(", because nobody confirmed it", out);
	else
		fprintf(out, " uid=%u", notice->user);
	if (notice->login != SW_NOBODY)
		fprintf(out, " login=%u", notice->login);
}

/* Who had to do with whom, or what happened. */
static void print_ends(FILE *out, const struct sw_event *event, const char *service)
{
	char orig[SW_ENDPOINT_SIZE], resp[SW_ENDPOINT_SIZE];

	if (sw_is_notice(event))
		print_notice(out, (const struct sw_notice *)event);
	else if (!is_of_packet(event))
		sw_text_flood_event(out, (const struct sw_flood_event *)event, service);
	else if (event->type == SW_EVENT_BLOCKED)
		fputs(sw_format_address(orig, &event->flow.orig), out);
	else
		fprintf(out, "%s -> %s",
			sw_format_endpoint(orig, &event->flow.orig, event->flow.orig_port),
			sw_format_endpoint(resp, &event->flow.resp, event->flow.resp_port));
}

static void print_attempt(FILE *out, const struct sw_event *event)
{
	char age[SW_NUMBER_SIZE];

	print_latency(out, event, SW_LATENCY_SYN_TO_SYNACK, "syn-ack");
	print_latency(out, event, SW_LATENCY_SYNACK_TO_ACK, "ack");
	fprintf(out, " age=%s", sw_format_duration(age, event->age_ms));
	if (event->type == SW_EVENT_HANDSHAKE && event->reason != SW_REASON_NONE)
		fprintf(out, " reason=%s", sw_name(sw_reason_words, event->reason));
}

static const char *word_for(const struct sw_event *event)
{
	return event->type == SW_EVENT_HANDSHAKE ? sw_name(sw_outcome_words, event->outcome) :
	       event->type == SW_EVENT_LIMIT	 ? sw_name(sw_limit_words, event->limit) :
						   sw_name(sw_event_words, event->type);
}

/* All that is behind the word, and the end of the line. */
static void print_rest(FILE *out, const struct sw_event *event, const struct sw_event_names *names)
{
	print_ends(out, event, names->service);
	if (*names->interface && is_of_packet(event))
		fprintf(out, " %s", SW_PRINTABLE_NAME(names->interface));
	if (event->type == SW_EVENT_LIMIT && *names->service)
		fprintf(out, " service=%s", names->service);
	if (event->type == SW_EVENT_LIMIT || event->type == SW_EVENT_ANOMALY)
		fprintf(out, "%s", event->verdict == SW_VERDICT_DROPPED ? " dropped" : "");
	if (event->type == SW_EVENT_HANDSHAKE || event->type == SW_EVENT_EVICTED)
		print_attempt(out, event);
	print_anomalies(out, event->anomalies);
	putc('\n', out);
}

void sw_text_event(FILE *out, const struct sw_event *event, const struct sw_event_names *names,
		   uint64_t wall_ns)
{
	char moment[SW_TIMESTAMP_SIZE];

	fprintf(out, "%s.%03u %-18s ", sw_format_moment(moment, wall_ns),
		(unsigned int)(wall_ns / 1000000 % 1000), word_for(event));
	print_rest(out, event, names);
}

/* As syslog has it. */
static int priority(const struct sw_event *event)
{
	switch (event->type) {
	case SW_EVENT_FLOOD_BEGINS:
	case SW_EVENT_FLOOD_STEPS_ASIDE:
	case SW_EVENT_MISSED:
		return LOG_WARNING;
	case SW_EVENT_FLOOD_ENDS:
	case SW_EVENT_FLOOD_RESUMES:
	case SW_EVENT_BLOCKED:
		return LOG_NOTICE;
	default:
		return sw_is_notice(event) ? LOG_NOTICE : LOG_INFO;
	}
}

void sw_journal_event(FILE *out, const struct sw_event *event, const struct sw_event_names *names,
		      uint64_t wall_ns)
{
	char text[SW_ADDRESS_SIZE], timestamp[SW_TIMESTAMP_SIZE];

	fprintf(out, "MESSAGE=%s ", word_for(event));
	print_rest(out, event, names);
	fprintf(out,
		"PRIORITY=%d\nSYSLOG_IDENTIFIER=synward\nSYNWARD_EVENT=%s\nSYNWARD_TIMESTAMP=%s\n",
		priority(event), sw_name(sw_event_words, event->type),
		sw_format_timestamp(timestamp, wall_ns));
	if (event->type == SW_EVENT_HANDSHAKE)
		fprintf(out, "SYNWARD_OUTCOME=%s\n", sw_name(sw_outcome_words, event->outcome));
	if (*names->service)
		fprintf(out, "SYNWARD_SERVICE=%s\n", SW_PRINTABLE_NAME(names->service));
	if (!is_of_packet(event))
		return;
	if (*names->interface)
		fprintf(out, "SYNWARD_INTERFACE=%s\n", SW_PRINTABLE_NAME(names->interface));
	fprintf(out, "SYNWARD_SRC=%s\n", sw_format_address(text, &event->flow.orig));
	if (event->type == SW_EVENT_BLOCKED)
		return;
	fprintf(out, "SYNWARD_SRC_PORT=%u\nSYNWARD_DEST=%s\nSYNWARD_DEST_PORT=%u\n",
		event->flow.orig_port, sw_format_address(text, &event->flow.resp),
		event->flow.resp_port);
	fprintf(out, "SYNWARD_COMMUNITY_ID=%s\n", sw_flow_ids(&event->flow).community_id);
}
