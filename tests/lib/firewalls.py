# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules of nftables that break what answers SYNs in a server's stead."""

import pathlib

# A new connection has to begin with a SYN, as conntrack sees it.
ONLY_SYNS = """table inet t { chain in {
    type filter hook input priority 0;
    tcp flags & (fin|syn|rst|ack) != syn ct state new drop
}
}"""

# The same with a memory of the firewall's own, which nobody can tell of a connection.
MEMORY = """table inet t {
    set seen4 { type ipv4_addr . inet_service; flags dynamic; size 65536; timeout 1h; }
    set seen6 { type ipv6_addr . inet_service; flags dynamic; size 65536; timeout 1h; }
    chain in {
        type filter hook input priority 0;
        tcp flags & (syn|ack) == syn add @seen4 { ip saddr . tcp sport }
        tcp flags & (syn|ack) == syn add @seen6 { ip6 saddr . tcp sport }
        tcp dport 8080 tcp flags & (syn|ack) != syn ip saddr . tcp sport != @seen4 drop
        tcp dport 8080 tcp flags & (syn|ack) != syn ip6 saddr . tcp sport != @seen6 drop
    }
}"""


def put_up(namespace, rules):
    namespace.run("nft", "-f", "-", input=rules)


def take_down(namespace):
    namespace.run("nft", "delete", "table", "inet", "t")


BRIDGE_CALLS = ("net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables")


def has_br_netfilter():
    return pathlib.Path("/proc/sys/net/bridge").exists()


def call_netfilter(space, on):
    """Whether netfilter of IP looks at what the bridges of a namespace pass on."""
    for sysctl in BRIDGE_CALLS:
        space.sysctl(sysctl, int(on))
