// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include "flood_report.h"

#include "../model/names.h"

#include <synward/tables.h>

const char *sw_attach_mode_words(enum sw_mode mode, bool frags)
{
	return frags ? "native frags" : sw_attach_mode_name(mode);
}

const char *sw_ingress_hook_name(const struct sw_interface *record)
{
	return record->mode == SW_MODE_TC ? sw_tc_hook_name(record->tc_hook) : "xdp";
}

const char *sw_tc_hook_name(uint32_t tc_hook)
{
	return tc_hook == SW_TC_TCX ? "tcx" : tc_hook == SW_TC_CLSACT ? "clsact" : "none";
}

const char *sw_upgraded_name(enum sw_upgraded upgraded)
{
	static const char *const names[] = {
		[SW_UPGRADED_NONE] = "none",
		[SW_UPGRADED_REPLACED] = "replaced",
		[SW_UPGRADED_ALREADY] = "already",
		[SW_UPGRADED_MISSING] = "missing",
	};

	return names[upgraded];
}

const char *sw_hook_name(enum sw_hook hook)
{
	static const char *const names[] = {
#define X(id, name) [SW_HOOK_##id] = #name,
		SW_HOOKS(X)
#undef X
	};

	return names[hook];
}

const char *sw_health_name(enum sw_health health)
{
	static const char *const names[] = {
		[SW_HEALTH_OK] = "ok",
		[SW_HEALTH_MISSING] = "missing",
		[SW_HEALTH_DETACHED] = "detached",
		[SW_HEALTH_GONE] = "gone",
		[SW_HEALTH_MOVED] = "moved",
		[SW_HEALTH_FOREIGN] = "foreign",
		[SW_HEALTH_UNKNOWN] = "unknown",
	};

	return names[health];
}

static const struct {
	uint16_t bit;
	const char *name;
} evidence[] = {
	{ SW_SAW_RST_ACKING, "rst_acking" },
	{ SW_SAW_ICMP_ERROR, "icmp_error" },
	{ SW_SAW_RST_UNVERIFIED, "rst_unverified" },
	{ SW_SAW_CANCEL, "cancel" },
	{ SW_SAW_ABORT_ORIG, "abort_orig" },
	{ SW_SAW_ABORT_RESP, "abort_resp" },
	{ SW_SAW_FIN, "fin" },
	{ SW_SAW_ORIG_ACK, "orig_ack" },
	{ SW_SAW_RESP_OTHER, "resp_other" },
	{ SW_SAW_BAD_SYNACK, "bad_synack" },
	{ SW_SAW_FASTOPEN, "fastopen" },
	{ SW_HAS_TWO_RESP_ISNS, "synack_isn_changed" },
};

const char *sw_evidence_name(uint16_t seen, unsigned int index)
{
	for (size_t i = 0; i < sizeof(evidence) / sizeof(evidence[0]); i++)
		if (seen & evidence[i].bit && index-- == 0)
			return evidence[i].name;
	return NULL;
}

const char *sw_by_tc_words(const struct sw_interface *record)
{
	return record->mode == SW_MODE_TC ?
		       "it is attached by TC" :
		       "the other end of this veth has no XDP program, so nothing that XDP sends "
		       "arrives";
}
