// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loaded before libc: says at the end of a process which of the secrets of REMAINS (hexadecimal, separated by commas,
 * so that they do not find themselves) are still somewhere on its stack or its heap. The random numbers of a process that
 * makes a secret are those of REMAINS_RANDOM.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned char byte_of(const char *hex)
{
	const char text[3] = { hex[0], hex[1] };

	return (unsigned char)strtoul(text, NULL, 16);
}

ssize_t getrandom(void *buffer, size_t length, unsigned int flags)
{
	const char *hex = getenv("REMAINS_RANDOM");

	if (!hex || strlen(hex) != 2 * length)
		return syscall(SYS_getrandom, buffer, length, flags);
	for (size_t i = 0; i < length; i++)
		((unsigned char *)buffer)[i] = byte_of(hex + 2 * i);
	return (ssize_t)length;
}

static bool is_at(const unsigned char *at, const char *hex, size_t digits)
{
	for (size_t i = 0; i < digits; i += 2)
		if (*at++ != byte_of(hex + i))
			return false;
	return true;
}

static void search(const char *area, const unsigned char *from, const unsigned char *to)
{
	const char *secret = getenv("REMAINS");

	for (unsigned int number = 0; secret; number++) {
		size_t digits = strcspn(secret, ",");
		unsigned char first = byte_of(secret);

		for (const unsigned char *at = from; at + digits / 2 <= to; at++)
			if (*at == first && is_at(at, secret, digits)) {
				fprintf(stderr, "remains: secret %u on the %s\n", number, area);
				break;
			}
		secret = secret[digits] ? secret + digits + 1 : NULL;
	}
}

static void search_heap(void)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "[heap]") && sscanf(line, "%lx-%lx", &from, &to) == 2)
			search("heap", (void *)from, (void *)to);
	if (maps)
		fclose(maps);
}

/* First what functions that have returned have left below, before other calls write over it. */
static void __attribute__((destructor)) search_all(void)
{
	const unsigned char *here = __builtin_frame_address(0);

	search("stack", here - (256 << 10), (void *)environ);
	search_heap();
}
