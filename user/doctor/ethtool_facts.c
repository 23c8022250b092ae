// SPDX-License-Identifier: GPL-2.0-or-later
/* What a driver says of itself: its name, offloads, queues, rings, and what it has thrown away. */
#include "facts.h"

#include "../base/cleanup.h"
#include "../base/error.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct asker {
	int fd;
	const char *name;
};

static bool ask(const struct asker *asker, void *command)
{
	struct ifreq request = { .ifr_data = command };

	sw_format(request.ifr_name, sizeof(request.ifr_name), "%s", asker->name);
	return asker->fd >= 0 && !ioctl(asker->fd, SIOCETHTOOL, &request);
}

/* The names of a set, ETH_GSTRING_LEN bytes each; *count of them. NULL: it has none. To be freed. */
static struct ethtool_gstrings *read_names(const struct asker *asker, uint32_t set, uint32_t *count)
{
	struct {
		struct ethtool_sset_info info;
		uint32_t length;
	} sizes = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << set } };
	struct ethtool_gstrings *names;

	if (!ask(asker, &sizes) || !sizes.info.sset_mask || !sizes.length)
		return NULL;
	names = calloc(1, sizeof(*names) + (size_t)sizes.length * ETH_GSTRING_LEN);
	if (!names)
		return NULL;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = set;
	names->len = sizes.length;
	if (!ask(asker, names)) {
		free(names);
		return NULL;
	}
	*count = sizes.length < names->len ? sizes.length : names->len;
	return names;
}

static const char *name_at(const struct ethtool_gstrings *names, uint32_t index)
{
	return (const char *)names->data + (size_t)index * ETH_GSTRING_LEN;
}

static void read_features(const struct asker *asker, struct sw_ethtool_facts *facts)
{
	SW_AUTO_FREE struct ethtool_gfeatures *features = NULL;
	SW_AUTO_FREE struct ethtool_gstrings *names = NULL;
	uint32_t count = 0, blocks;

	names = read_names(asker, ETH_SS_FEATURES, &count);
	blocks = (count + 31) / 32;
	features = calloc(1, sizeof(*features) + blocks * sizeof(features->features[0]));
	if (!names || !features)
		return;
	features->cmd = ETHTOOL_GFEATURES;
	features->size = blocks;
	if (!ask(asker, features))
		return;
	for (uint32_t i = 0; i < count; i++) {
		const char *name = name_at(names, i);
		bool on = features->features[i / 32].active >> (i % 32) & 1;

		facts->lro |= on && !strcmp(name, "rx-lro");
		facts->gro_hw |= on && !strcmp(name, "rx-gro-hw");
		facts->rx_vlan |= on && !strcmp(name, "rx-vlan-hw-parse");
	}
}

static void read_channels(const struct asker *asker, struct sw_ethtool_facts *facts)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };

	if (!ask(asker, &channels))
		return;
	facts->has_channels = true;
	facts->queues = channels.combined_count + channels.rx_count;
	facts->max_queues = channels.max_combined > channels.max_rx ? channels.max_combined :
								      channels.max_rx;
	facts->combined = !channels.rx_count && !channels.tx_count;
}

static void read_rings(const struct asker *asker, struct sw_ethtool_facts *facts)
{
	struct ethtool_ringparam rings = { .cmd = ETHTOOL_GRINGPARAM };

	if (!ask(asker, &rings) || !rings.rx_max_pending)
		return;
	facts->has_rings = true;
	facts->ring = rings.rx_pending;
	facts->max_ring = rings.rx_max_pending;
}

/* How drivers call what never got as far as a program, as a part of a counter's name. */
static const char *const drop_names[] = {
	"rx_missed",   "rx_discards_phy", "rx_out_of_buffer", "rx_no_buffer",	"rx_no_dma_rsrc",
	"rx_overruns", "rx_fifo_errors",  "rx_ring_full",     "rx_buf_unavail", "rx_over_errors",
};

static bool is_drop(const char *name)
{
	for (unsigned int i = 0; i < sizeof(drop_names) / sizeof(drop_names[0]); i++)
		if (strstr(name, drop_names[i]))
			return true;
	return false;
}

static void read_drops(const struct asker *asker, struct sw_ethtool_facts *facts)
{
	SW_AUTO_FREE struct ethtool_gstrings *names = NULL;
	SW_AUTO_FREE struct ethtool_stats *stats = NULL;
	uint32_t count = 0;

	names = read_names(asker, ETH_SS_STATS, &count);
	stats = calloc(1, sizeof(*stats) + count * sizeof(stats->data[0]));
	if (!names || !stats)
		return;
	stats->cmd = ETHTOOL_GSTATS;
	stats->n_stats = count;
	if (!ask(asker, stats))
		return;
	for (uint32_t i = 0; i < count && i < stats->n_stats; i++) {
		if (!stats->data[i] || !is_drop(name_at(names, i)))
			continue;
		facts->drops += stats->data[i];
		sw_fact_append(facts->drop_names, name_at(names, i));
	}
}

void sw_read_ethtool(const char *name, struct sw_ethtool_facts *facts)
{
	SW_AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct asker asker = { fd, name };

	if (ask(&asker, &info)) {
		sw_format(facts->driver, sizeof(facts->driver), "%s", info.driver);
		sw_format(facts->version, sizeof(facts->version), "%s", info.version);
		sw_format(facts->firmware, sizeof(facts->firmware), "%s", info.fw_version);
	}
	read_features(&asker, facts);
	read_channels(&asker, facts);
	read_rings(&asker, facts);
	read_drops(&asker, facts);
}
