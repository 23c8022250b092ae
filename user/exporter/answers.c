// SPDX-License-Identifier: GPL-2.0-or-later
#include "answers.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../model/names.h"
#include "../model/scrape.h"
#include "../model/top.h"
#include "../readers/readers.h"
#include "../report/exporter_metrics.h"
#include "../report/history_report.h"
#include "../report/policy_report.h"
#include "../report/report.h"
#include "../report/top_report.h"
#include "sampler.h"

/* ---- what cannot be read */

/* Tells of it once, however often it is asked for. */
void sw_answer_note(int error)
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

	sw_answer_note(error);
	if (error)
		free(made);
	else
		*snapshot = made;
	return error;
}

/* ---- one function for each: it prints, or returns an error and its line; or it prints why it is SW_NOT_READY */

int sw_answer_metrics(const char *pin_dir, const struct sw_asked *asked, FILE *out)
{
	enum sw_metrics_format format = asked->form == SW_OPENMETRICS ? SW_METRICS_OPENMETRICS :
									SW_METRICS_TEXT;
	SW_AUTO_FREE struct sw_scrape *scrape = calloc(1, sizeof(*scrape));
	int error = scrape ? sw_scrape_read(pin_dir, scrape) : -ENOMEM;

	sw_answer_note(error);
	sw_prometheus_up(out, error, format);
	if (!error)
		sw_prometheus_print(out, scrape, format);
	if (format == SW_METRICS_OPENMETRICS)
		fputs("# EOF\n", out);
	return 0;
}

int sw_answer_health(const char *pin_dir, const struct sw_asked *asked, FILE *out)
{
	(void)pin_dir;
	(void)asked;
	fputs("alive\n", out);
	return 0;
}

/* As ready as a scrape finds it, and as well as status says. */
int sw_answer_readiness(const char *pin_dir, const struct sw_asked *asked, FILE *out)
{
	SW_AUTO_FREE struct sw_scrape *scrape = calloc(1, sizeof(*scrape));
	int error = scrape ? sw_scrape_read(pin_dir, scrape) : -ENOMEM;

	(void)asked;
	sw_answer_note(error);
	if (error)
		return error;
	if (sw_status_faults(&scrape->status)) {
		sw_text_status_faults(out, &scrape->status);
		return SW_NOT_READY;
	}
	fputs("ready\n", out);
	return 0;
}

/* That nothing is attached is an answer, here as with the command. */
int sw_answer_status(const char *pin_dir, const struct sw_asked *asked, FILE *out)
{
	SW_AUTO_FREE struct sw_status *status = malloc(sizeof(*status));
	int error = -ENOMEM;

	if (status)
		error = asked->tables == SW_WITH_TABLES ? sw_status_read(pin_dir, status) :
							  sw_status_read_often(pin_dir, status);
	if (!error)
		sw_json_status(out, status, false);
	return error;
}

int sw_answer_stats(const char *pin_dir, const struct sw_asked *asked, FILE *out)
{
	SW_AUTO_FREE struct sw_snapshot *snapshot = NULL;
	int error = read_snapshot(pin_dir, &snapshot);

	(void)asked;
	if (!error)
		sw_json_stats(out, snapshot, false);
	return error;
}

int sw_answer_handshakes(const char *pin_dir, const struct sw_asked *asked, FILE *out)
{
	const struct sw_handshake_filter oldest = { .limit = asked->limit };
	struct sw_handshake_list list;
	int error = sw_handshakes_read(pin_dir, &oldest, &list);

	if (error)
		return error;
	sw_json_list(out, &list, false);
	free(list.views);
	return 0;
}

static int write_sources(const char *pin_dir, const struct sw_asked *asked, FILE *out)
{
	struct sw_top top;
	int error = sw_top_read(pin_dir, &top);

	if (error)
		return error;
	sw_top_sort(&top, asked->by);
	sw_json_top_sources(out, &top, asked->by, asked->limit, false);
	sw_top_free(&top);
	return 0;
}

int sw_answer_top(const char *pin_dir, const struct sw_asked *asked, FILE *out)
{
	SW_AUTO_FREE struct sw_snapshot *snapshot = NULL;
	int error;

	if (asked->view == SW_VIEW_SOURCES)
		return write_sources(pin_dir, asked, out);
	error = read_snapshot(pin_dir, &snapshot);
	if (!error && asked->view == SW_VIEW_SERVICES)
		sw_json_top_services(out, snapshot, asked->by, asked->limit, false);
	else if (!error)
		sw_json_top_anomalies(out, snapshot, asked->limit, false);
	return error;
}

int sw_answer_policy(const char *pin_dir, const struct sw_asked *asked, FILE *out)
{
	SW_AUTO_FREE struct sw_policy *policy = malloc(sizeof(*policy));
	SW_AUTO_FREE struct sw_policy_view *view = malloc(sizeof(*view));
	int error = policy && view ? sw_active_policy_read(pin_dir, policy, view) : -ENOMEM;

	(void)asked;
	if (!error)
		sw_json_policy_active(out, policy, view, false);
	return error;
}

/* Nothing is read for it. */
int sw_answer_history(const char *pin_dir, const struct sw_asked *asked, FILE *out)
{
	(void)pin_dir;
	sw_json_history(out, sw_sampler_history(), asked->limit);
	return 0;
}

void sw_answer_try(const char *pin_dir)
{
	SW_AUTO_FREE struct sw_snapshot *snapshot = NULL;

	(void)read_snapshot(pin_dir, &snapshot);
	sw_error_clear();
}
