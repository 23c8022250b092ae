# SPDX-License-Identifier: GPL-2.0-or-later
"""
By the kernel's cookies, a SYN passes now and then, so that the kernel goes on sending some: it believes in them only
while it does. Whoever takes these turns with SYNs that the kernel throws away, or has very many ports to take them at,
keeps nobody out.
"""

import contextlib
import itertools
import random
import socket
import threading

import pytest

import tcp
from causes import FAMILIES
from cli import fresh
from floods import SYNCOOKIES, Crowd, Ghost, answerable, defend, talk
from net import VANISHED, Lab, wait_for
from segments import MSS_1460, SYN, Port, Segment, frame
from test_flood_abuse import HELLO, send_surely

FRAMES, HONEST = 1000, 10
ALL_PORTS = "name: web, ports: [1-65535], syn_flood: always"
ELSEWHERE = {socket.AF_INET: "192.0.2.0/24", socket.AF_INET6: "2001:db8:2::/64"}


class Yard:
    def __init__(self, lab, synward, path):
        self.near, self.far = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        self.crowd, self.synward = Crowd(self.near, self.far), synward
        Ghost.route(self.far)
        answerable(self.near)
        space = self.far.namespace
        space.sysctl("net.ipv4.tcp_syncookies", SYNCOOKIES["kernel"])
        for name in ("all", "s0"):
            space.sysctl(f"net.ipv4.conf.{name}.rp_filter", 1)
        for prefix in ELSEWHERE.values():
            space.ip("route", "add", prefix, "dev", "lo")
        self.port = lab.enter_context(Port(self.near))
        self.servers = {family: lab.enter_context(tcp.listener(self.far, family))
                        for family in FAMILIES.values()}
        defend(synward, path, self.far, way="kernel", services=(ALL_PORTS,), policy="")

    def talks(self, family):
        for _ in range(HONEST):
            talk(self.near.namespace, self.servers[family], HELLO, prepare=self.crowd.join)


@pytest.fixture(scope="module")
def yard(bpffs, tmp_path_factory):
    path = tmp_path_factory.mktemp("turns")
    with Lab() as lab, fresh(bpffs / path.name, path) as synward:
        yield Yard(lab, synward, path)


def a_syn(yard, family, numbers, **changes):
    fields = dict(src=yard.near.address(family, VANISHED), dst=yard.far.address(family),
                  sport=numbers.randrange(1024, 65536), dport=tcp.PORT, flags=SYN,
                  seq=numbers.getrandbits(32), options=MSS_1460)
    return frame(yard.near.mac, yard.far.mac, Segment(**{**fields, **changes}))


def martian(yard, family, numbers):
    return a_syn(yard, family, numbers, src="127.0.0.7" if family == socket.AF_INET else "::1")


def wrong_checksum(yard, family, numbers):
    data = bytearray(a_syn(yard, family, numbers))
    data[-len(MSS_1460) - 4] ^= 0x55  # before the urgent pointer
    return bytes(data)


def routed_elsewhere(yard, family, numbers):
    """What rp_filter throws away; of IPv6, where there is none, its answers go nowhere."""
    network = ELSEWHERE[family].partition("/")[0]
    return a_syn(yard, family, numbers,
                 src=network[:-1] + str(numbers.randrange(1, 255)) if "." in network else
                 f"{network}{numbers.randrange(1, 65535):x}")


def at_any_port(yard, family, numbers):
    return a_syn(yard, family, numbers, dport=numbers.randrange(1, 65536))


@contextlib.contextmanager
def flooded(yard, frames):
    over, rounds = threading.Event(), itertools.count(1)
    sent = [0]

    def send():
        while not over.is_set():
            for data in frames:
                send_surely(yard.port.socket, data)
            sent[0] = next(rounds)

    yard.port.socket.setblocking(True)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        wait_for(lambda: sent[0], "the first round")
        yield
    finally:
        over.set()
        thread.join()
        yard.port.socket.setblocking(False)


@pytest.mark.parametrize("make", (martian, wrong_checksum, routed_elsewhere, at_any_port),
                         ids=lambda make: make.__name__)
def test_turns_are_taken_by(yard, family, make):
    numbers = random.Random(7)
    before = yard.synward.stats()["tallies"]["cookies_sent"]
    with flooded(yard, [make(yard, family, numbers) for _ in range(FRAMES)]):
        yard.talks(family)
        wait_for(lambda: yard.synward.stats()["tallies"]["cookies_sent"] > before, "cookies")
        yard.talks(family)
    yard.talks(family)
