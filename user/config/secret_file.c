// SPDX-License-Identifier: GPL-2.0-or-later
#include "secret_file.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/wipe.h"

#include <nettle/base64.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BYTES  4096
#define TEXT_BYTES (SW_SECRET_TEXT_SIZE - 1)

/* Of 32 random bytes, fewer differ once in 10^20 times. */
#define LEAST_DIFFERENT 16

#define MAKE	 "make one: (umask 077; synward genkey > %s)"
#define MAKE_KEY "'synward genkey' makes one"

const char *sw_secret_format(char text[SW_SECRET_TEXT_SIZE], const uint8_t key[SW_SECRET_KEY_BYTES])
{
	base64_encode_raw(text, SW_SECRET_KEY_BYTES, key);
	text[TEXT_BYTES] = '\0';
	return text;
}

static uint64_t word_of(const uint8_t *bytes, unsigned int count)
{
	uint64_t word = 0;

	while (count--)
		word = word << 8 | bytes[count];
	return word;
}

void sw_secret_derive(const uint8_t key[SW_SECRET_KEY_BYTES], struct sw_cookie_master *master)
{
	static const char info[] = "synward SYN cookies 1";
	uint8_t salt[SHA256_DIGEST_SIZE] = {}, extracted[SHA256_DIGEST_SIZE], made[24];
	struct hmac_sha256_ctx hmac;

	hmac_sha256_set_key(&hmac, sizeof(salt), salt);
	hkdf_extract(&hmac, (nettle_hash_update_func *)hmac_sha256_update,
		     (nettle_hash_digest_func *)hmac_sha256_digest, SHA256_DIGEST_SIZE,
		     SW_SECRET_KEY_BYTES, key, extracted);
	hmac_sha256_set_key(&hmac, sizeof(extracted), extracted);
	hkdf_expand(&hmac, (nettle_hash_update_func *)hmac_sha256_update,
		    (nettle_hash_digest_func *)hmac_sha256_digest, SHA256_DIGEST_SIZE,
		    sizeof(info) - 1, (const uint8_t *)info, sizeof(made), made);
	master->key[0] = word_of(made, 8);
	master->key[1] = word_of(made + 8, 8);
	master->phase_ms = (uint32_t)word_of(made + 16, 4);
	master->id = (uint32_t)word_of(made + 20, 4);
	if (!master->id)
		master->id = 1; /* 0 means that there is none */
	explicit_bzero(&hmac, sizeof(hmac));
	explicit_bzero(extracted, sizeof(extracted));
	explicit_bzero(made, sizeof(made));
	sw_wipe_stack_below();
}

/* ---- reading */

static int unreadable(const char *path, int error)
{
	/* only where there is none: another one would not be that of the other hosts */
	if (error == ENOENT)
		return sw_error(EINVAL,
				"%s: cannot read this secret: %s; copy it from a host "
				"that has it, or if none does, " MAKE,
				path, sw_errno_text(error), path);
	if (error == EACCES || error == EPERM)
		return sw_error(EINVAL, "%s: cannot read this secret: %s; run this as root", path,
				sw_errno_text(error));
	return sw_error(EINVAL, "%s: cannot read this secret: %s", path, sw_errno_text(error));
}

/* Others could have read it already: that its mode was changed since does not make it a secret. */
static int check_access(const char *path, int fd)
{
	struct stat about;

	if (fstat(fd, &about))
		return unreadable(path, errno);
	if (!S_ISREG(about.st_mode))
		return sw_error(EINVAL, "%s: expected a file; " MAKE, path, path);
	if (about.st_uid && about.st_uid != geteuid())
		return sw_error(EINVAL,
				"%s: belongs to user %u, who could change it: chown root %s", path,
				about.st_uid, path);
	if (about.st_mode & 077)
		return sw_error(EINVAL,
				"%s: mode %04o: expected one that only its owner can read: chmod "
				"600 %s, and if somebody may have read it, make a new one",
				path, about.st_mode & 07777, path);
	return 0;
}

static int read_text(const char *path, char text[MAX_BYTES + 1])
{
	SW_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t length, all = 0;
	int error;

	if (fd < 0)
		return unreadable(path, errno);
	error = check_access(path, fd);
	if (error)
		return error;
	while ((length = read(fd, text + all, (size_t)(MAX_BYTES - all))) > 0)
		all += length;
	if (length < 0)
		return unreadable(path, errno);
	if (all == MAX_BYTES)
		return sw_error(EINVAL, "%s: larger than %d bytes, which no secret is", path,
				MAX_BYTES - 1);
	text[all] = '\0';
	if (strlen(text) != (size_t)all)
		return sw_error(EINVAL, "%s: a NUL character in it; " MAKE, path, path);
	return 0;
}

/* Says which of the ways to get a key wrong this is: a line that was cut in two, another file, or a typing mistake. */
static int check_form(const char *path, unsigned int line, const char *text, size_t length)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
	size_t known = strspn(text, digits);

	if (known < length)
		return sw_error(
			EINVAL,
			"%s:%u: not base64: character %zu of the key cannot be in it; " MAKE_KEY,
			path, line, known + 1);
	if (length != TEXT_BYTES)
		return sw_error(EINVAL,
				"%s:%u: the key is too %s: %zu characters of base64 instead of "
				"%d; " MAKE_KEY,
				path, line, length < TEXT_BYTES ? "short" : "long", length,
				TEXT_BYTES);
	return 0;
}

static int decode(const char *path, unsigned int line, const char *text, size_t length,
		  uint8_t key[SW_SECRET_KEY_BYTES])
{
	uint8_t decoded[BASE64_DECODE_LENGTH(TEXT_BYTES)];
	struct base64_decode_ctx context;
	size_t done = sizeof(decoded);
	int error = check_form(path, line, text, length);

	if (error)
		return error;
	base64_decode_init(&context);
	if (base64_decode_update(&context, &done, decoded, length, text) &&
	    base64_decode_final(&context) && done == SW_SECRET_KEY_BYTES)
		memcpy(key, decoded, SW_SECRET_KEY_BYTES);
	else
		error = sw_error(
			EINVAL,
			"%s:%u: not base64: %d characters of it end with one '='; " MAKE_KEY, path,
			line, TEXT_BYTES);
	explicit_bzero(decoded, sizeof(decoded));
	explicit_bzero(&context, sizeof(context));
	return error;
}

static unsigned int different_bytes(const uint8_t key[SW_SECRET_KEY_BYTES])
{
	bool seen[256] = {};
	unsigned int count = 0;

	for (unsigned int i = 0; i < SW_SECRET_KEY_BYTES; i++) {
		count += !seen[key[i]];
		seen[key[i]] = true;
	}
	return count;
}

static int take_key(const char *path, unsigned int line, const char *text, size_t length,
		    struct sw_cookie_master *master)
{
	uint8_t key[SW_SECRET_KEY_BYTES];
	int error = decode(path, line, text, length, key);
	unsigned int different;

	if (error)
		return error;
	different = different_bytes(key);
	if (different >= LEAST_DIFFERENT)
		sw_secret_derive(key, master);
	else
		error = sw_error(
			EINVAL,
			"%s:%u: the key is not random: its %d bytes have only %u different "
			"values, so it can be guessed; " MAKE_KEY,
			path, line, SW_SECRET_KEY_BYTES, different);
	explicit_bzero(key, sizeof(key));
	return error;
}

static int take_lines(const char *path, const char *text,
		      struct sw_cookie_master found[SW_COOKIE_MASTERS])
{
	unsigned int count = 0;
	int error = 0;

	for (unsigned int line = 1; *text && !error; line++) {
		size_t length = strcspn(text, "\n"), blank = strspn(text, " \t\r");
		const char *from = text + blank;

		text += length + (text[length] == '\n');
		if (blank >= length || *from == '#')
			continue;
		length -= blank;
		while (strchr(" \t\r", from[length - 1]))
			length--;
		if (count == SW_COOKIE_MASTERS)
			return sw_error(EINVAL,
					"%s:%u: a third key; expected at most two: the one that "
					"cookies are made with, and one that is honoured as well",
					path, line);
		error = take_key(path, line, from, length, &found[count]);
		if (!error && count && found[0].id == found[1].id)
			return sw_error(EINVAL, "%s:%u: the same key again; take one of them away",
					path, line);
		count++;
	}
	if (!error && !count)
		return sw_error(EINVAL, "%s: no key in it; " MAKE, path, path);
	return error;
}

int sw_secret_file_read(const char *path, struct sw_cookie_master masters[SW_COOKIE_MASTERS])
{
	struct sw_cookie_master found[SW_COOKIE_MASTERS] = {};
	char text[MAX_BYTES + 1];
	int error = read_text(path, text);

	if (!error)
		error = take_lines(path, text, found);
	if (!error)
		memcpy(masters, found, sizeof(found));
	explicit_bzero(text, sizeof(text));
	explicit_bzero(found, sizeof(found));
	return error;
}
