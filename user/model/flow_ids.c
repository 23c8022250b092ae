// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow_ids.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <string.h>

#define VERSION	      "1:"
#define FLOW_ID_BITS  51
#define V4_AT	      12 /* where in a mapped address that of IPv4 is */
#define ADDRESS_BYTES 16

struct end {
	const uint8_t *addr;
	uint16_t port;
};

/* Is this the end that is hashed first: the lower address, or with one address the lower port? */
static bool is_first(const struct end *one, const struct end *other, size_t length)
{
	int order = memcmp(one->addr, other->addr, length);

	return order < 0 || (!order && one->port < other->port);
}

/* The tuple as the specification has it: seed, addresses, protocol, a zero and ports, in network order. */
static void hash_tuple(struct sha1_ctx *sha1, const struct end *first, const struct end *second,
		       size_t length)
{
	const uint16_t seed = 0, ports[2] = { htons(first->port), htons(second->port) };
	const uint8_t protocol[2] = { IPPROTO_TCP, 0 };

	sha1_update(sha1, sizeof(seed), (const uint8_t *)&seed);
	sha1_update(sha1, length, first->addr);
	sha1_update(sha1, length, second->addr);
	sha1_update(sha1, sizeof(protocol), protocol);
	sha1_update(sha1, sizeof(ports), (const uint8_t *)ports);
}

struct sw_flow_ids sw_flow_ids(const struct sw_flow *flow)
{
	bool v4 = sw_addr_is_v4(&flow->orig) && sw_addr_is_v4(&flow->resp);
	size_t at = v4 ? V4_AT : 0, length = ADDRESS_BYTES - at;
	const struct end orig = { flow->orig.bytes + at, flow->orig_port };
	const struct end resp = { flow->resp.bytes + at, flow->resp_port };
	struct sw_flow_ids ids = { .community_id = VERSION };
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx sha1;

	_Static_assert(sizeof(VERSION) + BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE) <=
			       SW_COMMUNITY_ID_SIZE,
		       "room for the whole of it");
	sha1_init(&sha1);
	if (is_first(&orig, &resp, length))
		hash_tuple(&sha1, &orig, &resp, length);
	else
		hash_tuple(&sha1, &resp, &orig, length);
	sha1_digest(&sha1, sizeof(digest), digest);
	base64_encode_raw(ids.community_id + strlen(VERSION), sizeof(digest), digest);
	for (unsigned int i = 0; i < sizeof(ids.flow_id); i++)
		ids.flow_id = ids.flow_id << 8 | digest[i];
	ids.flow_id >>= 64 - FLOW_ID_BITS;
	return ids;
}
