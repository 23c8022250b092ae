/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_NUMBER_H
#define SYNWARD_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole decimal number and nothing else; false, and *out untouched, if it is none or too large. */
bool sw_parse_number(const char *text, uint64_t *out);

/*
 * A duration such as 500ms, 2s, 1.5m, 4h or 5d; without a unit, seconds. *ms is rounded to whole
 * milliseconds. False, and *ms untouched, if it is none, negative or beyond 2^53 ms.
 */
bool sw_parse_duration(const char *text, uint64_t *ms);

#define SW_NUMBER_SIZE 32

/* A duration in milliseconds as people write it: 250ms, 1.5s, 2m3s, 5d. Returns text. */
const char *sw_format_duration(char text[SW_NUMBER_SIZE], uint64_t ms);

/* The same without rounding, so that sw_parse_duration() has it back: 90s, 36h. Returns text. */
const char *sw_format_exact_duration(char text[SW_NUMBER_SIZE], uint64_t ms);

/* A latency in microseconds with three significant digits: 12us, 1.23ms, 4.5s. Returns text. */
const char *sw_format_latency(char text[SW_NUMBER_SIZE], uint64_t us);

/* Bytes in binary units: 512 B, 5.0 MiB. Returns text. */
const char *sw_format_bytes(char text[SW_NUMBER_SIZE], uint64_t bytes);

/* A count with a separator for thousands: 1,234,567. Returns text. */
const char *sw_format_count(char text[SW_NUMBER_SIZE], uint64_t count);

/* The same in at most nine characters: 9,999,999, and from there on 12.3M or 4.56G. Returns text. */
const char *sw_format_compact(char text[SW_NUMBER_SIZE], uint64_t count);

/* The noun behind a count: one of 1, else many. */
const char *sw_noun(uint64_t count, const char *one, const char *many);

/* Lists what a word may be: "auto, native or generic". choices ends with NULL. Returns text. */
const char *sw_format_choices(char *text, size_t size, const char *const *choices);

/*
 * How many letters must be changed, added, left out or swapped with the next one to turn one word into the
 * other (both of at most 64), for hints.
 */
size_t sw_word_distance(const char *a, const char *b);

/*
 * Keeps in *best the word that is nearest to what was typed, of those that it is called with one after the
 * other: NULL at first, and as long as none differs in two letters at most, or in a third of them.
 */
void sw_word_nearest(const char **best, const char *typed, const char *word);

#endif
