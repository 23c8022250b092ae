# SPDX-License-Identifier: GPL-2.0-or-later
"""Segments from known sources, for the tests of synward top."""

import ipaddress
import random
import socket
import time

import pytest

from causes import QUICK
from net import wait_for
from segments import MSS_1460, SYN, Port, Segment

FEW = 100  # of SYNs in 16 ms: far below what is counted one by one
SOURCES = {socket.AF_INET: ("192.0.2.1", "198.51.100.7", "203.0.113.9"),
           socket.AF_INET6: ("2001:db8:1::/64", "2001:db8:2:ffff::/64", "2001:db8:3::/64")}


# Where one family shows all.
ipv4 = pytest.mark.parametrize("family", ["ipv4"], indirect=True)
ipv6 = pytest.mark.parametrize("family", ["ipv6"], indirect=True)


class Sender:
    """Sends segments from any source to the server."""

    def __init__(self, stage):
        self.port = Port(stage.near)
        self.server = stage.far.address(stage.family)
        self.sent = 0
        self.random = random.Random(1)

    def one(self, source, flags=SYN):
        self.port.send(Segment(source, self.server, 1024 + self.sent % 60000, 443, flags,
                               seq=self.random.getrandbits(32), options=MSS_1460))
        self.sent += 1

    def some(self, source, count, flags=SYN):
        """From one source; of an IPv6 network, each from another host. Slowly."""
        hosts = ipaddress.ip_network(source)
        for i in range(count):
            host = hosts[i + 1] if hosts.version == 6 else hosts[0]
            self.one(str(host), flags)
            if i % FEW == FEW - 1:
                time.sleep(0.016)


@pytest.fixture
def sender(stage, synward):
    synward.attach(stage.far, options=QUICK)
    made = Sender(stage)
    with made.port:
        yield made


def arrived(synward, sender):
    """Waits until all that was sent has been seen."""
    def seen():
        kinds = synward.stats()["interfaces"][0]["ingress"]["kinds"]
        return kinds["tcp"] + kinds["undecodable"] >= sender.sent
    wait_for(seen, "the segments to arrive")


def known(synward, sender, family):
    """Three sources: many SYNs, less of them, and anomalies. Returns their true numbers."""
    many, less, odd = SOURCES[family]
    sender.some(many, 300)
    sender.some(less, 120)
    sender.some(odd, 60, flags=0)
    sender.some(many, 20, flags=0)
    arrived(synward, sender)
    return {many: (300, 20), less: (120, 0), odd: (0, 60)}
