// SPDX-License-Identifier: GPL-2.0-or-later
#include "http_accept.h"

#include "http_request.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define THOUSAND 1000

/* One element of the field. */
struct range {
	struct sw_slice type;
	struct sw_slice subtype;
	struct sw_slice version; /* text NULL: it names none */
	int quality;		 /* in thousandths */
};

/* How closely a range describes a form; of several, the closest one counts. */
enum closeness { NOT_AT_ALL, ANY, ANY_OF_TYPE, WITHOUT_VERSION, EXACTLY };

static bool is_token_letter(char letter)
{
	return letter > ' ' && letter <= '~' && !strchr("\"(),/:;<=>?@[\\]{}", letter);
}

static void skip_blanks(const char **at)
{
	*at += strspn(*at, " \t");
}

static bool take_letter(const char **at, char letter)
{
	if (**at != letter)
		return false;
	++*at;
	return true;
}

static bool take_token(const char **at, struct sw_slice *token)
{
	*token = (struct sw_slice){ *at, 0 };
	while (**at && is_token_letter(**at))
		++*at;
	token->length = (size_t)(*at - token->text);
	return token->length;
}

/* A value in quotes is taken as it stands there: no version has a backslash in it. */
static bool take_value(const char **at, struct sw_slice *value)
{
	if (!take_letter(at, '"'))
		return take_token(at, value);
	*value = (struct sw_slice){ *at, 0 };
	while (**at && **at != '"')
		*at += **at == '\\' && (*at)[1] ? 2 : 1;
	value->length = (size_t)(*at - value->text);
	return take_letter(at, '"');
}

/* 0, 1, or up to three digits behind the point; -1: it is none. */
static int quality_of(const struct sw_slice *value)
{
	int quality = 0, unit = THOUSAND;

	for (size_t i = 0; i < value->length; i++) {
		char letter = value->text[i];

		if (i == 1 && letter == '.')
			continue;
		if (letter < '0' || letter > '9' || i == 1 || !unit)
			return -1;
		quality += (letter - '0') * unit;
		unit /= 10;
	}
	return value->length && quality <= THOUSAND ? quality : -1;
}

static bool name_is(const struct sw_slice *name, const char *text)
{
	return name->length == strlen(text) && !strncasecmp(name->text, text, name->length);
}

static bool take_range(const char **at, struct range *range)
{
	struct sw_slice name, value;

	*range = (struct range){ .quality = THOUSAND };
	if (!take_token(at, &range->type) || !take_letter(at, '/') ||
	    !take_token(at, &range->subtype))
		return false;
	for (;;) {
		skip_blanks(at);
		if (!take_letter(at, ';'))
			return true;
		skip_blanks(at);
		if (!take_token(at, &name))
			continue; /* nothing stands between two of them: 5.6.6 */
		if (!take_letter(at, '=') || !take_value(at, &value))
			return false;
		if (name_is(&name, "q"))
			range->quality = quality_of(&value);
		else if (name_is(&name, "version"))
			range->version = value;
		if (range->quality < 0)
			return false;
	}
}

/* To behind the next comma that is in no quotes. */
static void skip_element(const char **at)
{
	bool quoted = false;

	for (; **at; ++*at) {
		if (**at == '"')
			quoted = !quoted;
		if (quoted && **at == '\\' && (*at)[1])
			++*at;
		else if (!quoted && take_letter(at, ','))
			return;
	}
}

static enum closeness closeness_of(const struct range *range, const struct sw_media *offer)
{
	if (name_is(&range->type, "*"))
		return name_is(&range->subtype, "*") ? ANY : NOT_AT_ALL;
	if (!name_is(&range->type, offer->type))
		return NOT_AT_ALL;
	if (name_is(&range->subtype, "*"))
		return ANY_OF_TYPE;
	if (!name_is(&range->subtype, offer->subtype))
		return NOT_AT_ALL;
	if (!range->version.text)
		return WITHOUT_VERSION;
	return offer->version && name_is(&range->version, offer->version) ? EXACTLY : NOT_AT_ALL;
}

/* In thousandths. */
static int wanted(const char *accept, const struct sw_media *offer)
{
	enum closeness best = NOT_AT_ALL;
	const char *at = accept;
	struct range range;
	int quality = 0;

	for (skip_blanks(&at); *at; skip_blanks(&at)) {
		const char *begin = at;
		enum closeness now = NOT_AT_ALL;

		/* what follows it there is neither a parameter nor the end: no range at all */
		if (take_range(&at, &range) && (!*at || *at == ','))
			now = closeness_of(&range, offer);
		at = begin;
		skip_element(&at);
		if (now > best || (now && now == best && range.quality > quality)) {
			best = now;
			quality = range.quality;
		}
	}
	return quality;
}

size_t sw_http_accept(const char *accept, const struct sw_media *offers, size_t count)
{
	size_t best = 0;
	int most = 0;

	for (size_t i = 0; accept && i < count; i++) {
		int now = wanted(accept, &offers[i]);

		if (now > most) {
			most = now;
			best = i;
		}
	}
	return best;
}
