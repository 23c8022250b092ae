# SPDX-License-Identifier: GPL-2.0-or-later
"""What a cookie offers as the MSS is what the server's own SYN-ACKs say when they leave: by route, MTU or firewall."""

import itertools
import socket

import pytest

import tcp
from causes import FAMILIES
from cli import fresh
from defended import Yard
from firewalls import put_up, take_down
from floods import Ghost, answerable
from live import need
from net import Lab, wait_for

CLAMP = """table inet t { chain out {
    type filter hook postrouting priority mangle;
    tcp flags & syn == syn tcp option maxseg size set 900
}
}"""


# Each makes the change, or takes it back; and what is offered then.

def route(yard, on):
    version = "-6" if yard.family == socket.AF_INET6 else "-4"
    yard.far.namespace.ip(version, "route", "change", Ghost.PREFIXES[yard.family], "via",
                          yard.near.address(yard.family), *(["advmss", "1000"] if on else []))
    return 1000


def clamp(yard, on):
    need("nft")
    if on:
        put_up(yard.far.namespace, CLAMP)
    else:
        take_down(yard.far.namespace)
    return 900


def mtu(yard, on):
    yard.far.namespace.ip("link", "set", yard.far.name, "mtu", "1400" if on else "1500")
    return 1400 - (60 if yard.family == socket.AF_INET6 else 40)


@pytest.fixture(scope="module", params=itertools.product(FAMILIES, ("handover", "kernel")), ids="-".join)
def yard(request, bpffs, tmp_path_factory):
    """A server that is defended one way, for all changes."""
    family, way = request.param
    path = tmp_path_factory.mktemp("mss")
    with Lab() as lab, fresh(bpffs / path.name, path / "state") as synward:
        near, far = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        answerable(near)
        far.namespace.sysctl("net.ipv4.tcp_syncookies", 2 if way == "kernel" else 1)
        yield Yard(lab, (near, far), FAMILIES[family], synward, path, policy="", way=way)


@pytest.mark.parametrize("change", (route, clamp, mtu), ids=lambda one: one.__name__)
def test_the_mss_of_the_servers_own(yard, change):
    def answered():
        """What a cookie of ours offers; None: this SYN was let through."""
        before = yard.synward.stats()["tallies"]["cookies_sent"]
        ghost = yard.ghost().knock()
        if yard.synward.stats()["tallies"]["cookies_sent"] == before:
            return None
        assert ghost.synack.options[:2] == b"\x02\x04"
        return int.from_bytes(ghost.synack.options[2:4], "big")

    usual = 1440 if yard.family == socket.AF_INET6 else 1460
    wait_for(lambda: answered() == usual, "a cookie")
    wanted = change(yard, True)
    try:
        wait_for(lambda: answered() == wanted, f"a cookie with an MSS of {wanted}")
        with tcp.connect(yard.near.namespace, (yard.far.address(yard.family), tcp.PORT), yard.family):
            pass
    finally:
        change(yard, False)
