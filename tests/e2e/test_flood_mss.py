# SPDX-License-Identifier: GPL-2.0-or-later
"""What a cookie offers as the MSS is what the server's own SYN-ACKs say when they leave: by route, MTU or firewall."""

import socket

import pytest

import tcp
from defended import Yard
from firewalls import put_up
from floods import Ghost, answerable
from live import need
from net import wait_for

CLAMP = """table inet t { chain out {
    type filter hook postrouting priority mangle;
    tcp flags & syn == syn tcp option maxseg size set 900
}
}"""


def route(yard):
    version = "-6" if yard.family == socket.AF_INET6 else "-4"
    yard.far.namespace.ip(version, "route", "change", Ghost.PREFIXES[yard.family], "via",
                          yard.near.address(yard.family), "advmss", "1000")
    return 1000


def clamp(yard):
    need("nft")
    put_up(yard.far.namespace, CLAMP)
    return 900


def mtu(yard):
    yard.far.namespace.ip("link", "set", yard.far.name, "mtu", "1400")
    return 1400 - (60 if yard.family == socket.AF_INET6 else 40)


@pytest.mark.parametrize("change", (route, clamp, mtu), ids=lambda one: one.__name__)
@pytest.mark.parametrize("way", ("handover", "kernel"))
def test_the_mss_of_the_servers_own(lab, pair, synward, family, tmp_path, change, way):
    near, far = pair
    answerable(near)
    far.namespace.sysctl("net.ipv4.tcp_syncookies", 2 if way == "kernel" else 1)
    yard = Yard(lab, pair, family, synward, tmp_path, policy="", way=way)

    def answered():
        """What a cookie of ours offers; None: this SYN was let through."""
        before = synward.stats()["tallies"]["cookies_sent"]
        ghost = yard.ghost().knock()
        if synward.stats()["tallies"]["cookies_sent"] == before:
            return None
        assert ghost.synack.options[:2] == b"\x02\x04"
        return int.from_bytes(ghost.synack.options[2:4], "big")

    usual = 1440 if family == socket.AF_INET6 else 1460
    wait_for(lambda: answered() == usual, "a cookie")
    wanted = change(yard)
    wait_for(lambda: answered() == wanted, f"a cookie with an MSS of {wanted}")
    with tcp.connect(near.namespace, (far.address(family), tcp.PORT), family):
        pass
