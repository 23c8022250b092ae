# SPDX-License-Identifier: GPL-2.0-or-later
"""
Two megabytes each way, whatever options either end wants, by each of the ways and in frames of either size:
all of it arrives, and both ends agree on what was agreed on.
"""

import contextlib
import itertools

import pytest

from causes import FAMILIES
from cli import fresh
from firewalls import put_up, take_down
from floods import ALL_OPTIONS, SACK, SYNCOOKIES, TIMESTAMPS, WINDOW_SCALE, answerable, defend
from live import need
from net import Lab, wait_for
from test_flood_options import Place, use

COMBINATIONS = [sum(bits) for count in range(4)
                for bits in itertools.combinations((TIMESTAMPS, SACK, WINDOW_SCALE), count)]
# A kernel that says no MSS; there is no sysctl for that.
NO_MSS = """table inet t { chain out {
    type filter hook postrouting priority mangle;
    tcp flags & syn == syn reset tcp option maxseg
}
}"""
DEFAULT_MSS = 1220  # at most, of who has said none


def pairs(way):
    """
    What the server allows and what the client asks for. A cookie of ours says all of it, so everything
    meets everything; by the other ways whatever one end has meets an end that has it all.
    """
    return [(allowed, asked) for allowed in COMBINATIONS for asked in COMBINATIONS
            if way == "handover" or ALL_OPTIONS in (allowed, asked)]


def expected(way, allowed, asked):
    """
    What may be agreed on. A cookie has its options in a timestamp; one of the kernel's that we send has
    none, but a SYN that passes, to hear the kernel, gets what that sends itself.
    """
    both = asked & allowed
    if way == "challenge":
        return {both}
    by_cookie = both if both & TIMESTAMPS else 0
    return {by_cookie} if way == "handover" else {0, by_cookie}


@pytest.fixture(scope="module", params=(1500, 9000))
def place(request, bpffs, tmp_path_factory):
    path = tmp_path_factory.mktemp("transfers")
    with Lab() as lab, fresh(bpffs / path.name, path) as synward:
        made = Place(lab, mtu=request.param)
        made.synward = synward
        answerable(made.near)
        defend(synward, path, made.far)
        interface, = synward.json("status")["interfaces"]
        assert (interface["mode"], interface["frags"]) == ("native", request.param == 9000)
        yield made


@pytest.fixture(params=SYNCOOKIES)
def way(request, place):
    place.far.namespace.sysctl("net.ipv4.tcp_syncookies", SYNCOOKIES[request.param])
    place.synward.attach(place.far, options=("--flood-way", request.param))
    return request.param


@contextlib.contextmanager
def saying(place, mss):
    """What the client says of its MSS meanwhile: that of its interface, or nothing."""
    if mss:
        yield
        return
    need("nft")
    put_up(place.near.namespace, NO_MSS)
    try:
        yield
    finally:
        take_down(place.near.namespace)


def allow(place, way, family, allowed):
    """What a server wants by now is seen by the first SYN that comes in another tick of the clock."""
    use(place.far.namespace, allowed)
    use(place.near.namespace, ALL_OPTIONS)
    wait_for(lambda: place.talk(family, data=b"hello").server.options in
             expected(way, allowed, ALL_OPTIONS), f"the server to want {allowed}")


@pytest.mark.parametrize("mss", (True, False), ids=("with an MSS", "without an MSS"))
def test_much_data(place, way, mss):
    before, known = place.synward.stats()["tallies"], None
    with saying(place, mss):
        for family, (allowed, asked) in itertools.product(FAMILIES.values(), pairs(way)):
            if allowed != known:
                allow(place, way, family, allowed)
                known = allowed
            use(place.near.namespace, asked)
            infos = place.talk(family)
            server, client, where = infos.server, infos.client, (family, allowed, asked)
            assert server.options in expected(way, allowed, asked), where
            assert client.options == server.options, where
            assert (server.snd_wscale, server.rcv_wscale) == (client.rcv_wscale, client.snd_wscale), where
            assert mss == (server.snd_mss > DEFAULT_MSS), where
    grown = {name: count - before[name] for name, count in place.synward.stats()["tallies"].items()}
    count = len(FAMILIES) * len(pairs(way))
    if way == "handover":
        assert grown["cookies_sent"] == grown["cookies_accepted"] == grown["handovers"] >= count
    elif way == "kernel":
        assert grown["cookies_accepted"] > 0 and grown["handovers"] == 0
    else:
        assert grown["challenges_sent"] >= count and grown["cookies_sent"] == 0
