// SPDX-License-Identifier: GPL-2.0-or-later
#include "paths.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/printable.h"
#include "../model/names.h"
#include "../model/scrape.h"
#include "../model/top.h"
#include "../readers/readers.h"
#include "../report/exporter_metrics.h"
#include "../report/policy_report.h"
#include "../report/report.h"
#include "../report/top_report.h"
#include "../text/options.h"
#include "http_accept.h"

#include <synward/event.h>

#include <string.h>

#define VALUE_SIZE 32
#define LINE_SIZE  2048

/* As many as fit many times into the memory that this program is to have. */
#define LIST_ROWS 1000
#define TOP_ROWS  20

/* Answers that are still being sent, in bytes; whoever does not take them keeps others from asking. */
#define MAX_HELD (8U << 20)

enum view { SOURCES, SERVICES, ANOMALIES };

static const char *const views[] = { "sources", "services", "anomalies", NULL };

/* What a query may say; the rows of the tables below point into it. */
struct asked {
	uint64_t limit;
	int view;
	int by;
};

static struct asked asked;

static const struct sw_option list_parameters[] = {
	{ "limit", 0, SW_OPTION_NUMBER, &asked.limit, "N", .minimum = 1, .maximum = LIST_ROWS },
	{},
};

static const struct sw_option event_parameters[] = {
	{ "last", 0, SW_OPTION_NUMBER, &asked.limit, "N", .maximum = SW_EVENT_RECORDS },
	{},
};

static const struct sw_option top_parameters[] = {
	{ "view", 0, SW_OPTION_CHOICE, &asked.view, "WHAT", .choices = views },
	{ "by", 0, SW_OPTION_CHOICE, &asked.by, "WHAT", .choices = sw_top_by_names },
	{ "limit", 0, SW_OPTION_NUMBER, &asked.limit, "N", .minimum = 1, .maximum = LIST_ROWS },
	{},
};

/* A form that an answer may have. */
struct form {
	struct sw_media media;
	const char *type; /* as the answer says it */
};

enum metrics_form { TEXT_0_0_4, OPENMETRICS };

static const struct form metrics_forms[] = {
	[TEXT_0_0_4] = { { "text", "plain", "0.0.4" }, "text/plain; version=0.0.4; charset=utf-8" },
	[OPENMETRICS] = { { "application", "openmetrics-text", "1.0.0" },
			  "application/openmetrics-text; version=1.0.0; charset=utf-8" },
};
static const struct form text_form[] = { { { "text", "plain", NULL },
					   "text/plain; charset=utf-8" } };
static const struct form json_form[] = { { { "application", "json", NULL }, "application/json" } };
static const struct form event_form[] = { { { "text", "event-stream", NULL },
					    "text/event-stream" } };

#define FORMS(of) .forms = (of), .form_count = sizeof(of) / sizeof((of)[0])

static int write_index(const char *pin_dir, size_t form, FILE *out);

/* ---- what cannot be read */

/* Tells of it once, however often it is asked for. */
static void note(int error)
{
	static int last = 1; /* no result of anything */

	if (error == last)
		return;
	last = error;
	if (!error)
		sw_note("what is attached can be read");
	else
		sw_note("what is attached cannot be read: %s",
			sw_error_text() ? sw_error_text() : sw_errno_text(error));
}

static int read_snapshot(const char *pin_dir, struct sw_snapshot **snapshot)
{
	struct sw_snapshot *made = calloc(1, sizeof(*made));
	int error = made ? sw_snapshot_read(pin_dir, made) : -ENOMEM;

	note(error);
	if (error)
		free(made);
	else
		*snapshot = made;
	return error;
}

/* ---- one function for each: it prints, or returns an error and its line; or it prints why it is NOT_READY */

#define NOT_READY 1

static int write_metrics(const char *pin_dir, size_t form, FILE *out)
{
	enum sw_metrics_format format = form == OPENMETRICS ? SW_METRICS_OPENMETRICS :
							      SW_METRICS_TEXT;
	SW_AUTO_FREE struct sw_scrape *scrape = calloc(1, sizeof(*scrape));
	int error = scrape ? sw_scrape_read(pin_dir, scrape) : -ENOMEM;

	note(error);
	sw_prometheus_up(out, error, format);
	if (!error)
		sw_prometheus_print(out, scrape, format);
	if (format == SW_METRICS_OPENMETRICS)
		fputs("# EOF\n", out);
	return 0;
}

static int write_health(const char *pin_dir, size_t form, FILE *out)
{
	(void)pin_dir;
	(void)form;
	fputs("alive\n", out);
	return 0;
}

/* As ready as a scrape finds it, and as well as status says. */
static int write_readiness(const char *pin_dir, size_t form, FILE *out)
{
	SW_AUTO_FREE struct sw_scrape *scrape = calloc(1, sizeof(*scrape));
	int error = scrape ? sw_scrape_read(pin_dir, scrape) : -ENOMEM;
	uint32_t faults;

	(void)form;
	note(error);
	if (error)
		return error;
	faults = sw_status_faults(&scrape->status);
	if (!faults)
		fputs("ready\n", out);
	for (unsigned int i = 0; i < SW_DEGRADED_COUNT; i++)
		if (faults >> i & 1)
			fprintf(out, "degraded: %s\n", sw_degraded_words[i].meaning);
	return faults ? NOT_READY : 0;
}

/* That nothing is attached is an answer, here as with the command. */
static int write_status(const char *pin_dir, size_t form, FILE *out)
{
	SW_AUTO_FREE struct sw_status *status = malloc(sizeof(*status));
	int error = status ? sw_status_read(pin_dir, status) : -ENOMEM;

	(void)form;
	if (!error)
		sw_json_status(out, status, false);
	return error;
}

static int write_stats(const char *pin_dir, size_t form, FILE *out)
{
	SW_AUTO_FREE struct sw_snapshot *snapshot = NULL;
	int error = read_snapshot(pin_dir, &snapshot);

	(void)form;
	if (!error)
		sw_json_stats(out, snapshot, false);
	return error;
}

static int write_handshakes(const char *pin_dir, size_t form, FILE *out)
{
	const struct sw_handshake_filter oldest = { .limit = asked.limit };
	struct sw_handshake_list list;
	int error = sw_handshakes_read(pin_dir, &oldest, &list);

	(void)form;
	if (error)
		return error;
	sw_json_list(out, &list, false);
	free(list.views);
	return 0;
}

static int write_sources(const char *pin_dir, FILE *out)
{
	struct sw_top top;
	int error = sw_top_read(pin_dir, &top);

	if (error)
		return error;
	sw_top_sort(&top, asked.by);
	sw_json_top_sources(out, &top, asked.by, asked.limit, false);
	sw_top_free(&top);
	return 0;
}

static int write_top(const char *pin_dir, size_t form, FILE *out)
{
	SW_AUTO_FREE struct sw_snapshot *snapshot = NULL;
	int error;

	(void)form;
	if (asked.view == SOURCES)
		return write_sources(pin_dir, out);
	error = read_snapshot(pin_dir, &snapshot);
	if (!error && asked.view == SERVICES)
		sw_json_top_services(out, snapshot, asked.by, asked.limit, false);
	else if (!error)
		sw_json_top_anomalies(out, snapshot, asked.limit, false);
	return error;
}

static int write_policy(const char *pin_dir, size_t form, FILE *out)
{
	SW_AUTO_FREE struct sw_policy *policy = malloc(sizeof(*policy));
	SW_AUTO_FREE struct sw_policy_view *view = malloc(sizeof(*view));
	int error = policy && view ? sw_active_policy_read(pin_dir, policy, view) : -ENOMEM;

	(void)form;
	if (!error)
		sw_json_policy_active(out, policy, view, false);
	return error;
}

/* ---- the table */

/* Each answer is whole when its function returns; what goes on has none. */
static const struct route {
	const char *path;
	const char *summary;
	int (*write)(const char *pin_dir, size_t form, FILE *out); /* NULL: it goes on */
	const struct form *forms;
	size_t form_count;
	const struct sw_option *parameters; /* NULL: it takes none */
	uint64_t limit;			    /* by default */
	bool always;			    /* also while others do not take theirs */
} routes[] = {
	{ "/", "this list", write_index, FORMS(text_form) },
	{ "/metrics", "for Prometheus", write_metrics, FORMS(metrics_forms) },
	{ "/healthz", "200 while this process lives", write_health, FORMS(text_form),
	  .always = true },
	{ "/readyz",
	  "200 if what is attached can be read and nothing is wrong with it, else 503 and why",
	  write_readiness, FORMS(text_form) },
	{ "/api/v1/status", "synward status -j", write_status, FORMS(json_form) },
	{ "/api/v1/stats", "synward stats -j", write_stats, FORMS(json_form) },
	{ "/api/v1/handshakes", "synward list -j; ?limit=", write_handshakes, FORMS(json_form),
	  .parameters = list_parameters, .limit = LIST_ROWS },
	{ "/api/v1/top", "synward top -j; ?view=, by=, limit=", write_top, FORMS(json_form),
	  .parameters = top_parameters, .limit = TOP_ROWS },
	{ "/api/v1/policy", "synward policy show -j", write_policy, FORMS(json_form) },
	{ "/api/v1/events", "synward events -j, as Server-Sent Events; ?last=", NULL,
	  FORMS(event_form), .parameters = event_parameters, .limit = SW_EVENT_RECORDS,
	  .always = true },
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static int write_index(const char *pin_dir, size_t form, FILE *out)
{
	(void)pin_dir;
	(void)form;
	fprintf(out, "synward-exporter %s\n\n", SYNWARD_VERSION);
	for (size_t i = 0; i < ROUTES; i++)
		fprintf(out, "%-22s %s\n", routes[i].path, routes[i].summary);
	return 0;
}

/* ---- from a target to an answer */

static const struct route *find(const struct sw_slice *path)
{
	for (size_t i = 0; i < ROUTES; i++)
		if (sw_slice_is(path, routes[i].path))
			return &routes[i];
	return NULL;
}

static const struct sw_option *find_parameter(const struct route *route,
					      const struct sw_slice *name)
{
	for (const struct sw_option *row = route->parameters; row && row->long_name; row++)
		if (sw_slice_is(name, row->long_name))
			return row;
	return NULL;
}

/* False, with the reason in line, if the query asks for what there is not. */
static bool take_query(const struct route *route, struct sw_slice query, char line[LINE_SIZE])
{
	char text[VALUE_SIZE], expected[SW_OPTION_EXPECTED_SIZE];
	struct sw_slice name, value;

	asked = (struct asked){ .limit = route->limit, .by = SW_TOP_BY_WEIGHT };
	while (sw_http_parameter(&query, &name, &value)) {
		const struct sw_option *row = find_parameter(route, &name);

		if (!row) {
			sw_format(line, LINE_SIZE, "%s takes no parameter %.*s", route->path,
				  (int)name.length, name.text);
			return false;
		}
		sw_format(text, sizeof(text), "%.*s", (int)value.length, value.text);
		if (value.length >= sizeof(text) || !sw_option_set(row, text)) {
			sw_format(line, LINE_SIZE, "%s=%.*s: expected %s", row->long_name,
				  (int)value.length, value.text, sw_option_expected(expected, row));
			return false;
		}
	}
	return true;
}

static size_t choose_form(const struct route *route, const char *accept)
{
	struct sw_media offers[sizeof(metrics_forms) / sizeof(metrics_forms[0])];

	for (size_t i = 0; i < route->form_count; i++)
		offers[i] = route->forms[i].media;
	return sw_http_accept(accept, offers, route->form_count);
}

static struct sw_reply failed(const struct route *route, int error)
{
	char line[LINE_SIZE];
	struct sw_reply reply;

	sw_printable(line, sizeof(line), sw_error_text() ? sw_error_text() : sw_errno_text(error));
	if (route->forms == json_form)
		return sw_reply_error(SW_HTTP_NOT_NOW, error, line);
	reply = (struct sw_reply){ .code = SW_HTTP_NOT_NOW, .type = text_form[0].type };
	if (sw_format(line + strlen(line), sizeof(line) - strlen(line), "\n")) {
		char *text = strdup(line);

		reply.body = text ? sw_body_new(text, strlen(text)) : NULL;
	}
	return reply;
}

static struct sw_reply compute(const char *pin_dir, const struct route *route, size_t form)
{
	struct sw_reply reply = { .code = SW_HTTP_OK, .type = route->forms[form].type };
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int error = out ? route->write(pin_dir, form, out) : -ENOMEM;

	if (((out && fclose(out)) || sw_output_lacked()) && !error)
		error = -ENOMEM;
	if (error < 0) {
		free(text);
		note(error);
		reply = failed(route, error);
	} else {
		if (error == NOT_READY)
			reply.code = SW_HTTP_NOT_NOW;
		reply.body = sw_body_new(text, length);
	}
	sw_error_clear();
	return reply;
}

/* The last answer of each route. */
static struct {
	size_t form;
	struct asked asked;
	struct sw_reply reply; /* without a body: there is none */
} shared[ROUTES];

static bool is_shared(size_t at, size_t form)
{
	const struct asked *before = &shared[at].asked;

	return shared[at].reply.body && shared[at].form == form && before->limit == asked.limit &&
	       before->view == asked.view && before->by == asked.by;
}

struct sw_reply sw_paths_answer(const char *pin_dir, const struct sw_http_target *target,
				const char *accept)
{
	const struct route *route = find(&target->path);
	char line[LINE_SIZE];
	size_t form, at;

	if (!route)
		return sw_reply_error(SW_HTTP_NOT_FOUND, 0, "there is no such path; / lists them");
	if (!take_query(route, target->query, line))
		return sw_reply_error(SW_HTTP_BAD_REQUEST, 0, line);
	if (!route->always && sw_body_bytes() > MAX_HELD)
		return sw_reply_error(SW_HTTP_NOT_NOW, 0,
				      "others have yet to take what they asked for");
	if (!route->write)
		return (struct sw_reply){ .code = SW_HTTP_OK,
					  .type = route->forms[0].type,
					  .follows = true,
					  .last = asked.limit };
	form = choose_form(route, accept);
	at = (size_t)(route - routes);
	if (!is_shared(at, form)) {
		sw_body_release(shared[at].reply.body);
		shared[at].reply = compute(pin_dir, route, form);
		shared[at].form = form;
		shared[at].asked = asked;
	}
	if (shared[at].reply.body)
		sw_body_hold(shared[at].reply.body);
	return shared[at].reply;
}

void sw_paths_forget(void)
{
	for (size_t i = 0; i < ROUTES; i++) {
		sw_body_release(shared[i].reply.body);
		shared[i].reply.body = NULL;
	}
}

void sw_paths_try(const char *pin_dir)
{
	SW_AUTO_FREE struct sw_snapshot *snapshot = NULL;

	(void)read_snapshot(pin_dir, &snapshot);
	sw_error_clear();
}
