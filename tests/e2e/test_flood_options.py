# SPDX-License-Identifier: GPL-2.0-or-later
"""
A connection that the listener is given by a cookie is the one that it would have agreed on by itself:
options, window scales and MSS, whatever either end's sysctls say.
"""

import contextlib
import dataclasses
import itertools
import socket

import pytest

import tcp
from causes import FAMILIES
from cli import fresh
from floods import ECN, SACK, TIMESTAMPS, WINDOW_SCALE, Crowd, answerable, defend, talk
from net import Lab, run

SYSCTLS = {TIMESTAMPS: "tcp_timestamps", SACK: "tcp_sack", WINDOW_SCALE: "tcp_window_scaling",
           ECN: "tcp_ecn"}
EVERY = sum(SYSCTLS)
COMBINATIONS = [sum(bits) for count in range(5) for bits in itertools.combinations(SYSCTLS, count)]
# what the listener's host refuses
HOSTS = {"that takes all": 0, "without timestamps": TIMESTAMPS, "without SACK": SACK,
         "without window scaling": WINDOW_SCALE, "without ECN": ECN, "without anything": EVERY}
# what a client may say and what a cookie has room for of it: nobody sends more than he said
MSS = {socket.AF_INET: {536: 536, 900: 536, 1220: 1220, 1299: 1220, 1300: 1300, 1460: 1460},
       socket.AF_INET6: {1220: 1220, 1279: 1220, 1280: 1280, 1440: 1440}}
TIMESTAMP_BYTES = 12


def use(namespace, options):
    for bit, name in SYSCTLS.items():
        namespace.sysctl(f"net.ipv4.{name}", int(bool(options & bit)))


class Place:
    """A client and a server that is not defended yet."""

    def __init__(self, lab, refused=0, mtu=1500):
        self.near, self.far = lab.wire(lab.namespace("client"), "c0",
                                       lab.namespace("server"), "s0")
        for end in (self.near, self.far):
            end.namespace.ip("link", "set", end.name, "mtu", mtu)
        use(self.far.namespace, EVERY & ~refused)
        self.crowd = Crowd(self.near, self.far)
        self.servers = {family: lab.enter_context(tcp.listener(self.far, family))
                        for family in FAMILIES.values()}

    def talk(self, family, mss=None, **how):
        """A conversation with somebody new; of the MSS that the interface has, or of another."""
        def prepare(client):
            self.crowd.join(client)
            if mss:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, mss)
        return talk(self.near.namespace, self.servers[family], prepare=prepare, **how)

    def combinations(self, family, **how):
        """What both ends say, by what the client asks for."""
        said = {}
        for asked in COMBINATIONS:
            use(self.near.namespace, asked)
            said[asked] = self.talk(family, **how)
        return said


def without_timestamps(infos):
    """The timestamp brings back what was agreed on; without one there is no room for that."""
    def plain(info):
        return dataclasses.replace(info, options=0, snd_wscale=0, rcv_wscale=0)
    return dataclasses.replace(infos, client=plain(infos.client), server=plain(infos.server))


@pytest.fixture(scope="module", params=HOSTS)
def place(request, bpffs, tmp_path_factory):
    """A host that refuses some options; what its kernel agreed on by itself; then the defence."""
    with contextlib.ExitStack() as stack:
        made = Place(stack.enter_context(Lab()), HOSTS[request.param])
        made.plain = {family: made.combinations(family, data=b"hello")
                      for family in FAMILIES.values()}
        path = tmp_path_factory.mktemp("options")
        made.synward = stack.enter_context(fresh(bpffs / path.name, path))
        answerable(made.near)
        defend(made.synward, path, made.far)
        yield made


def test_what_is_agreed_on_is_what_the_listener_would_have(place, family):
    before = place.synward.stats()
    found = place.combinations(family)
    expected = {asked: plain if plain.server.options & TIMESTAMPS else without_timestamps(plain)
                for asked, plain in place.plain[family].items()}
    assert found == expected
    after = place.synward.stats()
    for what in ("cookies_sent", "cookies_accepted", "handovers"):
        assert after["tallies"][what] - before["tallies"][what] == len(COMBINATIONS), what
    assert after["tallies"]["handovers_failed"] == 0
    assert (after["handshakes"]["accepted"] - before["handshakes"]["accepted"] ==
            len(COMBINATIONS))


@contextlib.contextmanager
def defended(bpffs, path, mtu, *options):
    with Lab() as lab, fresh(bpffs / path.name, path) as synward:
        made = Place(lab, mtu=mtu)
        made.plain = {family: made.talk(family) for family in FAMILIES.values()}
        made.synward = synward
        answerable(made.near)
        defend(synward, path, made.far, more=options)
        yield made
        tallies = synward.stats()["tallies"]
        assert tallies["cookies_sent"] == tallies["handovers"] > 0


def test_what_a_client_takes_at_most(bpffs, tmp_path, family):
    with defended(bpffs, tmp_path, 1500) as place:
        for mss, recalled in MSS[family].items():
            server = place.talk(family, mss=mss).server
            assert server.snd_mss == recalled - TIMESTAMP_BYTES, mss


@pytest.mark.parametrize("mode", ("native", "generic"))
def test_jumbo_frames(bpffs, tmp_path, mode):
    with defended(bpffs, tmp_path, 9000, "--mode", mode) as place:
        interface, = place.synward.json("status")["interfaces"]
        assert (interface["mode"], interface["frags"]) == (mode, mode == "native")
        for family, plain in place.plain.items():
            assert plain.server.snd_mss > 8900 - TIMESTAMP_BYTES
            assert place.talk(family) == plain
