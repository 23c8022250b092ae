/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_EXPORTER_ANSWERS_H
#define SYNWARD_EXPORTER_ANSWERS_H

/*
 * What is said at each path: a function prints it, of the instance in pin_dir as it is now, or returns a -errno or an enum
 * sw_failure, negative, and its line. It returns SW_NOT_READY if what it has printed is why.
 */

#include <stdint.h>
#include <stdio.h>

#define SW_NOT_READY 1

enum sw_answer_view { SW_VIEW_SOURCES, SW_VIEW_SERVICES, SW_VIEW_ANOMALIES };
enum sw_answer_tables { SW_WITH_TABLES, SW_WITHOUT_TABLES };
enum sw_metrics_form { SW_TEXT_0_0_4, SW_OPENMETRICS };

/* What a request says beside its path. */
struct sw_asked {
	uint64_t limit; /* or what else is a number */
	int view;
	int by;
	int tables;
	size_t form; /* of those that the path has */
};

int sw_answer_metrics(const char *pin_dir, const struct sw_asked *asked, FILE *out);
int sw_answer_health(const char *pin_dir, const struct sw_asked *asked, FILE *out);
int sw_answer_readiness(const char *pin_dir, const struct sw_asked *asked, FILE *out);
int sw_answer_status(const char *pin_dir, const struct sw_asked *asked, FILE *out);
int sw_answer_stats(const char *pin_dir, const struct sw_asked *asked, FILE *out);
int sw_answer_handshakes(const char *pin_dir, const struct sw_asked *asked, FILE *out);
int sw_answer_top(const char *pin_dir, const struct sw_asked *asked, FILE *out);
int sw_answer_policy(const char *pin_dir, const struct sw_asked *asked, FILE *out);
int sw_answer_history(const char *pin_dir, const struct sw_asked *asked, FILE *out);

/* Notes on stderr whether what is attached could be read, if that has changed; error is 0 or has a line. */
void sw_answer_note(int error);

/* Tries it now, and notes that. */
void sw_answer_try(const char *pin_dir);

#endif
