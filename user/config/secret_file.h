/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_CONFIG_SECRET_FILE_H
#define SYNWARD_CONFIG_SECRET_FILE_H

/*
 * The file of the secret that hosts share, so that each of them knows the cookies of the others: one key a
 * line, as `synward genkey` prints it. Cookies are made with the first one, and honoured of both.
 */

#include <synward/cookie.h>

#include <stdint.h>

#define SW_SECRET_KEY_BYTES 32
#define SW_SECRET_TEXT_SIZE 45 /* in base64, with the NUL */

/* A key as it stands in the file. Returns text. */
const char *sw_secret_format(char text[SW_SECRET_TEXT_SIZE],
			     const uint8_t key[SW_SECRET_KEY_BYTES]);

/* What is derived of a key: HKDF with SHA-256 (RFC 5869). */
void sw_secret_derive(const uint8_t key[SW_SECRET_KEY_BYTES], struct sw_cookie_master *master);

/*
 * Reads the file. What others may read or write is no secret, and is refused. Returns 0, or -EINVAL with
 * "FILE:LINE: ..." recorded, which never has anything of a key in it; masters is untouched then.
 */
int sw_secret_file_read(const char *path, struct sw_cookie_master masters[SW_COOKIE_MASTERS]);

#endif
