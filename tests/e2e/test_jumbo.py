# SPDX-License-Identifier: GPL-2.0-or-later
"""
Frames that are larger than a page, and so lie in several buffers: the driver's own hook takes them, all
of each is counted, and their handshakes are followed like any others.
"""

import json
import mmap

import pytest

import tcp
from causes import FAMILIES, QUICK, Stage
from cli import Synward
from floods import Ghost, answerable, defend, talk
from net import wait_for
from segments import SYN, Port

MTU = 9000
ETHERNET = 14  # which a veth does not count as received


def set_mtu(ends, mtu):
    for end in ends:
        end.namespace.ip("link", "set", end.name, "mtu", mtu)


@pytest.fixture
def ends(pair):
    set_mtu(pair, MTU)
    return pair


def check_native(synward, frags):
    one, = synward.json("status")["interfaces"]
    assert (one["mode"], one["frags"], one["ok"]) == ("native", frags, True)
    assert ("native frags" in synward.expect(0, "status").stdout) == frags


def counted(far, synward):
    """Packets and bytes that were received, as the kernel and as synward counts them."""
    ingress = synward.stats()["interfaces"][0]["ingress"]
    packets = far.statistic("rx", "packets")
    return ((packets, far.statistic("rx", "bytes") + ETHERNET * packets),
            (ingress["seen"], ingress["bytes"]))


def test_all_of_large_frames_is_followed_and_counted(ends, synward):
    near, far = ends
    attached = synward.attach(far, options=QUICK)
    assert attached.stdout.startswith("s0: attached (native frags XDP, ") and not attached.stderr
    check_native(synward, True)
    before = counted(far, synward)

    def growth():
        return [tuple(now - then for now, then in zip(*pair))
                for pair in zip(counted(far, synward), before)]
    for family in FAMILIES.values():
        with tcp.listener(far, family) as server:
            info = talk(near.namespace, server)
        assert info.client.snd_mss > mmap.PAGESIZE
    wait_for(lambda: len(set(growth())) == 1, growth)
    packets, size = growth()[0]
    assert size / packets > mmap.PAGESIZE, "most of it was larger than a page"
    for family in FAMILIES.values():
        stage = Stage(near, far, family)
        stage.accepted(10)
        stage.rejected(5)
        stage.half_open(3)
    synward.expect_outcomes(accepted=22, rejected=10, half_open=6)


def test_native_mode_when_asked_for(ends, synward, bpffs):
    def attach(instance, code):
        done = instance.run("-j", "attach", "--mode", "native", "s0", namespace=ends[1].namespace)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout).get("attached"), done.stderr
    for already in (False, True):
        (one,), said = attach(synward, 0)
        assert (one["mode"], one["frags"], one["already"]) == ("native", True, already) and not said
    _, said = attach(Synward(bpffs / "other"), 1)
    assert f"another synward has it already, that of {synward.pin_dir}" in said


def test_who_puts_the_hook_back_goes_by_the_mtu_of_then(ends, synward):
    def take_away():
        pin = next((synward.pin_dir / "links").glob("*/xdp"))
        ends[1].namespace.run("bpftool", "link", "detach", "pinned", pin)
        synward.expect(3, "status")

    synward.attach(ends[1], options=QUICK)
    take_away()
    assert "repaired (native frags XDP" in synward.attach(ends[1]).stdout
    check_native(synward, True)
    take_away()
    set_mtu(ends, 1500)
    assert "repaired (native XDP" in synward.attach(ends[1]).stdout
    check_native(synward, False)


def test_syns_of_several_buffers_are_answered(ends, synward, tmp_path):
    """A client that begins with data; under a flood its SYN is the answer, in one buffer."""
    near, far = ends
    answerable(near)
    defend(synward, tmp_path, far)
    Ghost.route(far)
    with Port(near) as port:
        for family in FAMILIES.values():
            ghost = Ghost(port, far, family)
            port.send(ghost.segment(SYN, ghost.isn, payload=b"x" * 8000))
            ghost.hear_synack()
            assert ghost.synack.ack == (ghost.isn + 1) % 2**32
    check_native(synward, True)
    assert synward.stats()["tallies"]["cookies_sent"] == 2
