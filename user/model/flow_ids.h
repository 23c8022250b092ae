/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MODEL_FLOW_IDS_H
#define SYNWARD_MODEL_FLOW_IDS_H

#include <synward/flow.h>

#include <stdint.h>

#define SW_COMMUNITY_ID_SIZE 32

/*
 * What a flow is called, the same in both directions, in every capture and after every restart; and so are later flows
 * of the same addresses and ports.
 */
struct sw_flow_ids {
	char community_id[SW_COMMUNITY_ID_SIZE]; /* Community ID, version 1, with the seed 0 */
	uint64_t flow_id; /* 51 bits of the same hash, as Suricata has them: what a double holds */
};

/* Of a TCP flow. */
struct sw_flow_ids sw_flow_ids(const struct sw_flow *flow);

#endif
