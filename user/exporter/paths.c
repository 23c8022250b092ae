// SPDX-License-Identifier: GPL-2.0-or-later
#include "paths.h"

#include "../base/error.h"
#include "../base/printable.h"
#include "../report/top_report.h"
#include "../text/options.h"
#include "answers.h"
#include "http_accept.h"
#include "page_files.h"

#include <synward/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_SIZE 32
#define LINE_SIZE  2048

/* As many as fit many times into the memory that this program is to have. */
#define LIST_ROWS 1000
#define TOP_ROWS  20

/* Answers that are still being sent, in bytes; whoever does not take them keeps others from asking. */
#define MAX_HELD (8U << 20)

static const char *const views[] = { "sources", "services", "anomalies", NULL };

/* Of the request that is answered now; the rows of the tables below point into it. */
static struct sw_asked asked;

static const char *const yes_no[] = { "yes", "no", NULL };

static const struct sw_option status_parameters[] = {
	{ "tables", 0, SW_OPTION_CHOICE, &asked.tables, "WHETHER", .choices = yes_no },
	{},
};

static const struct sw_option list_parameters[] = {
	{ "limit", 0, SW_OPTION_NUMBER, &asked.limit, "N", .minimum = 1, .maximum = LIST_ROWS },
	{},
};

static const struct sw_option history_parameters[] = {
	{ "from", 0, SW_OPTION_NUMBER, &asked.limit, "N", .maximum = UINT64_MAX },
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

static const struct form metrics_forms[] = {
	[SW_TEXT_0_0_4] = { { "text", "plain", "0.0.4" },
			    "text/plain; version=0.0.4; charset=utf-8" },
	[SW_OPENMETRICS] = { { "application", "openmetrics-text", "1.0.0" },
			     "application/openmetrics-text; version=1.0.0; charset=utf-8" },
};
static const struct form text_form[] = { { { "text", "plain", NULL },
					   "text/plain; charset=utf-8" } };
/* Who takes anything, as curl does, reads text. */
enum root_form { TEXT, HTML };

static const struct form root_forms[] = {
	[TEXT] = { { "text", "plain", NULL }, "text/plain; charset=utf-8" },
	[HTML] = { { "text", "html", NULL }, "text/html; charset=utf-8" },
};
static const struct form json_form[] = { { { "application", "json", NULL }, "application/json" } };
static const struct form event_form[] = { { { "text", "event-stream", NULL },
					    "text/event-stream" } };

#define FORMS(of) .forms = (of), .form_count = sizeof(of) / sizeof((of)[0])

static int write_list(const char *pin_dir, const struct sw_asked *asked, FILE *out);

/* ---- the table */

/* Each answer is whole when its function returns; what goes on has none. */
static const struct route {
	const char *path;
	const char *summary;
	int (*write)(const char *pin_dir, const struct sw_asked *asked,
		     FILE *out); /* NULL: it goes on */
	const struct form *forms;
	size_t form_count;
	const struct sw_option *parameters; /* NULL: it takes none */
	uint64_t limit;			    /* by default */
	bool always;			    /* also while others do not take theirs */
} routes[] = {
	{ "/", "the page, to a browser; else this list", write_list, FORMS(root_forms) },
	{ "/metrics", "for Prometheus", sw_answer_metrics, FORMS(metrics_forms) },
	{ "/healthz", "200 while this process lives", sw_answer_health, FORMS(text_form),
	  .always = true },
	{ "/readyz",
	  "200 if what is attached can be read and nothing is wrong with it, else 503 and why",
	  sw_answer_readiness, FORMS(text_form) },
	{ "/api/v1/status", "synward status -j; ?tables=", sw_answer_status, FORMS(json_form),
	  .parameters = status_parameters },
	{ "/api/v1/stats", "synward stats -j", sw_answer_stats, FORMS(json_form) },
	{ "/api/v1/handshakes", "synward list -j; ?limit=", sw_answer_handshakes, FORMS(json_form),
	  .parameters = list_parameters, .limit = LIST_ROWS },
	{ "/api/v1/top", "synward top -j; ?view=, by=, limit=", sw_answer_top, FORMS(json_form),
	  .parameters = top_parameters, .limit = TOP_ROWS },
	{ "/api/v1/policy", "synward policy show -j", sw_answer_policy, FORMS(json_form) },
	{ "/api/v1/history", "the last 15 minutes, a sample every 3 s; ?from=", sw_answer_history,
	  FORMS(json_form), .parameters = history_parameters },
	{ "/api/v1/events", "synward events -j, as Server-Sent Events; ?last=", NULL,
	  FORMS(event_form), .parameters = event_parameters, .limit = SW_EVENT_RECORDS,
	  .always = true },
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static int write_list(const char *pin_dir, const struct sw_asked *asked, FILE *out)
{
	(void)pin_dir;
	(void)asked;
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

	asked = (struct sw_asked){ .limit = route->limit, .by = SW_TOP_BY_WEIGHT };
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

static struct sw_reply compute(const char *pin_dir, const struct route *route)
{
	struct sw_reply reply = { .code = SW_HTTP_OK, .type = route->forms[asked.form].type };
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int error = out ? route->write(pin_dir, &asked, out) : -ENOMEM;

	if (((out && fclose(out)) || sw_output_lacked()) && !error)
		error = -ENOMEM;
	if (error < 0) {
		free(text);
		sw_answer_note(error);
		reply = failed(route, error);
	} else {
		if (error == SW_NOT_READY)
			reply.code = SW_HTTP_NOT_NOW;
		reply.body = sw_body_new(text, length);
	}
	sw_error_clear();
	return reply;
}

/* The last answer of each route. */
static struct {
	struct sw_asked asked;
	struct sw_reply reply; /* without a body: there is none */
} shared[ROUTES];

static bool is_shared(size_t at)
{
	const struct sw_asked *before = &shared[at].asked;

	return shared[at].reply.body && before->form == asked.form &&
	       before->limit == asked.limit && before->view == asked.view &&
	       before->by == asked.by && before->tables == asked.tables;
}

struct sw_reply sw_paths_answer(const char *pin_dir, const struct sw_http_target *target,
				const char *accept)
{
	const struct route *route = find(&target->path);
	char line[LINE_SIZE];
	size_t at;

	if (!route && !target->query.length && sw_page_has(&target->path))
		return sw_page_reply(&target->path);
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
	asked.form = choose_form(route, accept);
	if (route->forms == root_forms && asked.form == HTML)
		return sw_page_reply(&target->path);
	at = (size_t)(route - routes);
	if (!is_shared(at)) {
		sw_body_release(shared[at].reply.body);
		shared[at].reply = compute(pin_dir, route);
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
