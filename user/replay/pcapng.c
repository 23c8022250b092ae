// SPDX-License-Identifier: GPL-2.0-or-later
#include "pcapng.h"

#include "../base/error.h"
#include "../base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Types of blocks; others are skipped. */
#define BLOCK_INTERFACE 1U
#define BLOCK_OLD	2U
#define BLOCK_SIMPLE	3U
#define BLOCK_ENHANCED	6U

#define BYTE_ORDER_MAGIC 0x1a2b3c4dU
#define SECTION_BYTES	 16U /* at least: byte order, version, length of the section */
#define INTERFACE_BYTES	 8U
#define PACKET_BYTES	 20U /* before the data of an enhanced packet, and of an old one */
#define SIMPLE_BYTES	 4U

#define OPTION_END	0
#define OPTION_TSRESOL	9
#define OPTION_TSOFFSET 14

#define HEAD	  8U  /* type and length */
#define OVERHEAD  12U /* and the length again */
#define MAX_BLOCK (64U << 20)
#define NS_PER_S  1000000000ULL

struct interface {
	int link;
	uint32_t snaplen; /* 0: unlimited */
	uint8_t tsresol;
	int64_t offset_s;
};

struct sw_pcapng {
	FILE *stream;
	uint64_t at; /* where the block at hand starts */
	uint64_t read;
	bool swapped; /* the section is in the other byte order */
	uint8_t *body;
	size_t room;
	struct interface *interfaces;
	uint32_t count;
	uint32_t section; /* the first of the section at hand */
	uint32_t space;
	char damage[160];
};

struct block {
	uint32_t type;
	uint32_t length; /* of the body */
};

struct sw_pcapng *sw_pcapng_new(FILE *stream)
{
	struct sw_pcapng *file = calloc(1, sizeof(*file));

	if (file)
		file->stream = stream;
	return file;
}

void sw_pcapng_free(struct sw_pcapng *file)
{
	if (!file)
		return;
	free(file->interfaces);
	free(file->body);
	free(file);
}

static uint16_t get16(const struct sw_pcapng *file, const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return file->swapped ? __builtin_bswap16(value) : value;
}

static uint32_t get32(const struct sw_pcapng *file, const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return file->swapped ? __builtin_bswap32(value) : value;
}

static uint64_t get64(const struct sw_pcapng *file, const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return file->swapped ? __builtin_bswap64(value) : value;
}

/* Says what is wrong with the block at hand. Returns -EIO. */
static int __attribute__((format(printf, 2, 3)))
damaged(struct sw_pcapng *file, const char *format, ...)
{
	char what[96];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	sw_format(file->damage, sizeof(file->damage), "the block at byte %" PRIu64 " %s", file->at,
		  what);
	return -EIO;
}

/* 1, or 0 at the end of the file, or -ENODATA if that is within what is wanted. */
static int take(struct sw_pcapng *file, void *into, size_t size)
{
	size_t got = fread(into, 1, size, file->stream);

	file->read += got;
	if (got == size)
		return 1;
	if (!got && file->read == file->at)
		return 0;
	damaged(file, "breaks off");
	return -ENODATA;
}

/* What has no use here may be larger than memory: other vendors' blocks, secrets, statistics. */
static int skip(struct sw_pcapng *file, uint32_t size)
{
	uint8_t part[4096];
	int answer = 1;

	while (size && answer == 1) {
		uint32_t now = size < sizeof(part) ? size : sizeof(part);

		answer = take(file, part, now);
		size -= now;
	}
	return answer;
}

static int read_body(struct sw_pcapng *file, uint32_t size)
{
	if (size > MAX_BLOCK)
		return damaged(file, "has %u bytes; expected at most %u", size, MAX_BLOCK);
	if (size > file->room) {
		uint8_t *body = realloc(file->body, size);

		if (!body)
			return damaged(file, "has %u bytes: not enough memory", size);
		file->body = body;
		file->room = size;
	}
	return take(file, file->body, size);
}

static bool is_used(uint32_t type)
{
	return type == BLOCK_INTERFACE || type == BLOCK_OLD || type == BLOCK_SIMPLE ||
	       type == BLOCK_ENHANCED;
}

/* A section's byte order comes behind its length, and interfaces are counted anew. */
static int open_section(struct sw_pcapng *file, uint8_t magic[4])
{
	int answer = take(file, magic, 4);

	if (answer != 1)
		return answer;
	file->swapped = false;
	if (get32(file, magic) == __builtin_bswap32(BYTE_ORDER_MAGIC))
		file->swapped = true;
	else if (get32(file, magic) != BYTE_ORDER_MAGIC)
		return damaged(file, "starts a section without a byte order");
	file->section = file->count;
	return 1;
}

/* Reads a whole block, the body into file->body if it has a use. */
static int next_block(struct sw_pcapng *file, struct block *block)
{
	uint8_t head[HEAD], magic[4], tail[4];
	uint32_t length, consumed = 0;
	int answer;

	file->at = file->read;
	answer = take(file, head, sizeof(head));
	if (answer != 1)
		return answer;
	block->type = get32(file, head);
	if (block->type == SW_PCAPNG_MAGIC) {
		answer = open_section(file, magic);
		if (answer != 1)
			return answer;
		consumed = sizeof(magic);
	}
	length = get32(file, head + 4);
	if (length % 4 || length < OVERHEAD + (consumed ? SECTION_BYTES : 0))
		return damaged(file, "has an impossible length, %u", length);
	block->length = length - OVERHEAD;
	answer = is_used(block->type) ? read_body(file, block->length) :
					skip(file, block->length - consumed);
	if (answer == 1)
		answer = take(file, tail, sizeof(tail));
	if (answer != 1)
		return answer;
	if (get32(file, tail) != length)
		return damaged(file, "ends with another length, %u, than it starts with, %u",
			       get32(file, tail), length);
	return 1;
}

static void read_options(const struct sw_pcapng *file, uint32_t length, struct interface *interface)
{
	uint32_t at = INTERFACE_BYTES;

	while (at + 4 <= length) {
		uint16_t code = get16(file, file->body + at);
		uint16_t size = get16(file, file->body + at + 2);
		const uint8_t *value = file->body + at + 4;

		if (code == OPTION_END || size > length - at - 4)
			return;
		if (code == OPTION_TSRESOL && size == 1)
			interface->tsresol = value[0];
		if (code == OPTION_TSOFFSET && size == 8)
			interface->offset_s = (int64_t)get64(file, value);
		at += 4 + ((size + 3U) & ~3U);
	}
}

static int add_interface(struct sw_pcapng *file, uint32_t length)
{
	struct interface *made;

	if (length < INTERFACE_BYTES)
		return damaged(file, "is too short for an interface");
	if (file->count == file->space) {
		uint32_t space = file->space ? file->space * 2 : 8;

		made = realloc(file->interfaces, space * sizeof(*made));
		if (!made)
			return damaged(file, "has an interface: not enough memory");
		file->interfaces = made;
		file->space = space;
	}
	made = &file->interfaces[file->count++];
	*made = (struct interface){
		.link = get16(file, file->body),
		.snaplen = get32(file, file->body + 4),
		.tsresol = 6,
	};
	read_options(file, length, made);
	return 1;
}

/*
 * Units of 10^-n or, with the upper bit, of 2^-n seconds, n up to 127. What 64 bits of nanoseconds
 * since 1970 cannot tell is no time.
 */
static uint64_t to_ns(const struct interface *interface, uint64_t units)
{
	unsigned __int128 scaled = (unsigned __int128)units * NS_PER_S;
	uint8_t exponent = interface->tsresol & 0x7f;
	__int128 ns;

	if (interface->tsresol & 0x80)
		scaled >>= exponent;
	else if (exponent <= 9)
		for (scaled = units; exponent < 9; exponent++)
			scaled *= 10;
	else
		for (; exponent; exponent--)
			scaled /= 10;
	ns = (__int128)scaled + (__int128)interface->offset_s * (__int128)NS_PER_S;
	return ns < 0 || ns > UINT64_MAX ? 0 : (uint64_t)ns;
}

/* NULL if the section has none of that number. */
static const struct interface *find_interface(struct sw_pcapng *file, uint32_t index)
{
	uint32_t count = file->count - file->section;

	if (index < count)
		return &file->interfaces[file->section + index];
	damaged(file, "is of interface %u, but %u %s described", index, count,
		sw_noun(count, "is", "are"));
	return NULL;
}

/* Enhanced and old ones differ in where the interface is. */
static int read_packet(struct sw_pcapng *file, const struct block *block,
		       struct sw_pcapng_packet *packet)
{
	const struct interface *interface;
	const uint8_t *body = file->body;
	uint32_t index, captured;

	if (block->length < PACKET_BYTES)
		return damaged(file, "is too short for a packet");
	index = block->type == BLOCK_OLD ? get16(file, body) : get32(file, body);
	interface = find_interface(file, index);
	if (!interface)
		return -EIO;
	captured = get32(file, body + 12);
	if (captured > block->length - PACKET_BYTES)
		return damaged(file, "claims %u bytes of a packet and has %u", captured,
			       block->length - PACKET_BYTES);
	*packet = (struct sw_pcapng_packet){
		.time_ns = to_ns(interface,
				 (uint64_t)get32(file, body + 4) << 32 | get32(file, body + 8)),
		.link = interface->link,
		.captured = captured,
		.length = get32(file, body + 16),
		.data = body + PACKET_BYTES,
	};
	return 1;
}

/* It has neither a time nor the length that was captured. */
static int read_simple(struct sw_pcapng *file, const struct block *block,
		       struct sw_pcapng_packet *packet)
{
	const struct interface *interface;
	uint32_t length, captured;

	if (block->length < SIMPLE_BYTES)
		return damaged(file, "is too short for a packet");
	interface = find_interface(file, 0);
	if (!interface)
		return -EIO;
	length = captured = get32(file, file->body);
	if (interface->snaplen && captured > interface->snaplen)
		captured = interface->snaplen;
	if (captured > block->length - SIMPLE_BYTES)
		return damaged(file, "claims %u bytes of a packet and has %u", captured,
			       block->length - SIMPLE_BYTES);
	*packet = (struct sw_pcapng_packet){
		.link = interface->link,
		.captured = captured,
		.length = length,
		.data = file->body + SIMPLE_BYTES,
	};
	return 1;
}

int sw_pcapng_next(struct sw_pcapng *file, struct sw_pcapng_packet *packet)
{
	struct block block = {};
	int answer;

	while ((answer = next_block(file, &block)) == 1) {
		if (block.type == BLOCK_ENHANCED || block.type == BLOCK_OLD)
			return read_packet(file, &block, packet);
		if (block.type == BLOCK_SIMPLE)
			return read_simple(file, &block, packet);
		if (block.type == BLOCK_INTERFACE)
			answer = add_interface(file, block.length);
		if (answer != 1)
			return answer;
	}
	return answer;
}

const char *sw_pcapng_damage(const struct sw_pcapng *file)
{
	return file->damage;
}

uint32_t sw_pcapng_links(const struct sw_pcapng *file)
{
	return file->count;
}

int sw_pcapng_link(const struct sw_pcapng *file, uint32_t index)
{
	return file->interfaces[index].link;
}
