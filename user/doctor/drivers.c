// SPDX-License-Identifier: GPL-2.0-or-later
#include "drivers.h"

#include <stddef.h>
#include <string.h>

/* The page of the eBPF documentation that has the versions and the largest MTU of each driver. */
#define EBPF_DOCS "docs.ebpf.io/linux/program-type/BPF_PROG_TYPE_XDP"

static const struct sw_driver drivers[] = {
	{ .name = "mlx5_core",
	  .native = "4.9",
	  .frags = "5.18",
	  .mtu = 3498,
	  .reset = SW_RESET_FIRST,
	  .refuses_lro = true,
	  .refuses_gro_hw = true,
	  .trap = "with striding queues and a large MTU a program for frags sees no header",
	  .source = "Linux drivers/net/ethernet/mellanox/mlx5/core/en_main.c; " EBPF_DOCS },
	{ .name = "ixgbe",
	  .native = "4.12",
	  .mtu = 3050,
	  .reset = SW_RESET_FIRST,
	  .refuses_lro = true,
	  .trap = "it takes no program with DCB, and has 64 queues to send by, which more CPUs "
		  "share",
	  .source = "github.com/intel/ethernet-linux-ixgbe src/ixgbe_main.c; " EBPF_DOCS },
	{ .name = "ixgbevf",
	  .native = "4.17",
	  .mtu = 3050,
	  .source = EBPF_DOCS "; github.com/xdp-project/xdp-tools/issues/327" },
	{ .name = "i40e", .native = "4.13", .frags = "6.4", .mtu = 3046, .source = EBPF_DOCS },
	{ .name = "ice",
	  .native = "5.5",
	  .frags = "6.3",
	  .mtu = 3046,
	  .reset = SW_RESET_FIRST,
	  .trap = "only a physical function takes a program",
	  .source = "github.com/intel/ethernet-linux-ice src/ice_main.c; " EBPF_DOCS },
	{ .name = "iavf",
	  .trap = "no virtual function of an Intel E800 takes a program",
	  .source = EBPF_DOCS },
	{ .name = "igb", .native = "5.10", .mtu = 3046, .source = EBPF_DOCS },
	{ .name = "igc", .native = "5.13", .source = EBPF_DOCS },
	{ .name = "idpf", .native = "6.18", .source = EBPF_DOCS },
	{ .name = "bnxt_en",
	  .native = "4.11",
	  .frags = "5.19",
	  .mtu = 3502,
	  .reset = SW_RESET_EVERY,
	  .queues = SW_QUEUES_COMBINED,
	  .refuses_lro = true,
	  .refuses_gro_hw = true,
	  .trap = "answers that its full queue drops are counted by ethtool -S alone",
	  .source = "Linux drivers/net/ethernet/broadcom/bnxt/bnxt_xdp.c; " EBPF_DOCS },
	{ .name = "ena",
	  .native = "5.6",
	  .mtu = 3498,
	  .reset = SW_RESET_FIRST,
	  .queues = SW_QUEUES_HALF,
	  .trap = "Amazon's own driver 2.17 and later needs no spare queues",
	  .source = "Linux drivers/net/ethernet/amazon/ena/ena_xdp.c; "
		    "github.com/amzn/amzn-drivers, release notes of the Linux driver" },
	{ .name = "gve",
	  .native = "6.4",
	  .mtu = 2032,
	  .queues = SW_QUEUES_HALF,
	  .refuses_lro = true,
	  .source = "github.com/GoogleCloudPlatform/compute-virtual-ethernet-linux; " EBPF_DOCS },
	{ .name = "virtio_net",
	  .native = "4.10",
	  .frags = "6.3",
	  .mtu = 3506,
	  .queues = SW_QUEUES_ONE_A_CPU,
	  .trap = "it takes a program only if the host lets it turn merging off",
	  .source = "Linux drivers/net/virtio_net.c; " EBPF_DOCS },
	{ .name = "hv_netvsc",
	  .native = "5.6",
	  .mtu = 3506,
	  .refuses_lro = true,
	  .trap = "its virtual function gets the program, too",
	  .source = "Linux drivers/net/hyperv/netvsc_bpf.c; " EBPF_DOCS },
	{ .name = "mana", .native = "5.17", .mtu = 3506, .source = EBPF_DOCS },
	{ .name = "vmxnet3", .native = "6.6", .mtu = 3494, .source = EBPF_DOCS },
	{ .name = "vif", .native = "5.9", .mtu = 3840, .source = EBPF_DOCS },
	{ .name = "veth",
	  .native = "4.19",
	  .frags = "5.5",
	  .mtu = 3520,
	  .reset = SW_RESET_NEVER,
	  .source = "Linux drivers/net/veth.c; " EBPF_DOCS },
	{ .name = "bonding",
	  .native = "5.15",
	  .trap = "it takes a program only if each of its ports does, and changes no mode "
		  "meanwhile",
	  .source = "Linux drivers/net/bonding/bond_main.c" },
};

#define COUNT (sizeof(drivers) / sizeof(drivers[0]))

const struct sw_driver *sw_driver_at(unsigned int index)
{
	return index < COUNT ? &drivers[index] : NULL;
}

const struct sw_driver *sw_driver_find(const char *name)
{
	for (unsigned int i = 0; i < COUNT; i++)
		if (!strcmp(drivers[i].name, name))
			return &drivers[i];
	return NULL;
}
