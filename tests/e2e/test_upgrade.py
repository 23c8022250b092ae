# SPDX-License-Identifier: GPL-2.0-or-later
"""Other programs into live hooks: no packet passes unseen or is seen twice, and all that is known stays."""

import itertools
import json
import socket
import struct
import threading

import pytest

import stopped
import tcp
from causes import QUICK, Stage
from cli import BINARY
from floods import ALWAYS, defend, talk
from hooks import LinkNews
from identity import pretend_version
from net import NOBODY, VANISHED, run, wait_for
from segments import MSS_1460, SYN, Port, Segment, frame
from transfers import Transfer
from versions import another_version

UPGRADES = 100 if stopped.THOROUGH else 3
V4 = socket.AF_INET


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return another_version(tmp_path_factory.mktemp("other") / "synward")


class Upgrades:
    """One version after the other."""

    def __init__(self, synward, other):
        self.synward, self.versions = synward, itertools.cycle((other, BINARY))

    def run(self, program, *words, code=0):
        done = run(program, *words, "upgrade", check=False, env=self.synward.environment())
        assert done.returncode == code, done
        return done

    def many(self, count=UPGRADES):
        for _ in range(count):
            done = self.run(next(self.versions))
            assert "upgraded (ingress: program" in done.stdout, done


@pytest.fixture
def upgrades(synward, other):
    return Upgrades(synward, other)


class Numbered(threading.Thread):
    """Sends SYNs of which each is of another connection, as fast as it can, until it is told to stop."""

    def __init__(self, end, family, src, dst):
        super().__init__()
        self.end, self.sent, self.over = end, 0, threading.Event()
        syn = Segment(end.address(family, src), end.address(family, dst), 0, 0, SYN, options=MSS_1460)
        self.frame = bytearray(frame(end.mac, end.peer.mac, syn))
        self.tcp = len(self.frame) - 24
        self.socket = end.namespace.socket(socket.AF_PACKET, socket.SOCK_RAW)
        with end.namespace.entered():
            self.socket.bind((end.name, 0))

    def run(self):
        while not self.over.is_set():
            self.sent += 1
            # the checksum is wrong, at which nobody looks
            struct.pack_into("!HHI", self.frame, self.tcp, 1024 + self.sent % 60000,
                             1 + self.sent // 60000, self.sent)
            self.socket.send(self.frame)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        self.socket.close()


def by_kernel(end):
    """Frames that it has received and sent; and those that its peer could not hand over to it."""
    return [end.statistic("rx", "packets"), end.statistic("tx", "packets"),
            end.peer.statistic("tx", "dropped"), end.statistic("tx", "dropped")]


def by_synward(synward):
    one, = synward.stats()["interfaces"]
    return [one["ingress"]["seen"], one["egress"]["seen"]]


def grown(before, now):
    return [b - a for a, b in zip(before, now)]


@pytest.mark.parametrize("hook, mode, family", (("tcx", "native", "ipv4"), ("clsact", "tc", "ipv6")),
                         indirect=("family",))
def test_a_numbered_flood_is_counted_packet_by_packet(pair, family, synward, upgrades, hook, mode):
    """In both directions, while honest clients go on; what the kernel has counted is what is seen, too."""
    near, far = pair
    synward.attach(far, options=("--tc", hook, "--mode", mode))
    kernel, seen = by_kernel(far), by_synward(synward)
    # between addresses that nobody has, so nothing is answered
    comes = Numbered(near, family, VANISHED, NOBODY)
    leaves = Numbered(far, family, NOBODY, VANISHED)
    with comes, leaves:
        wait_for(lambda: comes.sent > 1000 and leaves.sent > 1000, "the flood to be under way")
        upgrades.many()
        Stage(near, far, family).accepted(20)
        upgrades.many(1)
    received, sent, lost, refused = grown(kernel, by_kernel(far))

    def all_counted():
        return grown(seen, by_synward(synward)) == [received, sent + refused]
    wait_for(all_counted, lambda: f"{received, sent}: {grown(seen, by_synward(synward))}", seconds=5)
    stats = synward.stats()
    tallies = stats["tallies"]
    counted = (tallies["attempts_opened"] + tallies["attempts_unfollowed"] -
               tallies["attempts_recognised"])
    assert counted + lost + refused == comes.sent + leaves.sent + 20
    assert stats["handshakes"]["accepted"] == 20 and "midstream" not in synward.outcomes()


@pytest.mark.parametrize("hook, way", (("tcx", "handover"), ("clsact", "challenge")))
def test_clients_get_in_while_floods_are_kept_off(wire, synward, upgrades, tmp_path, hook, way):
    """Each way, armed and enforcing; a connection that was there goes on, and what is known stays known."""
    near, far = wire
    defend(synward, tmp_path, far, way=way, more=("--tc", hook),
           services=(f"{ALWAYS}, strict: yes, warm_up: 1h",))
    synward.expect(0, "block", "add", "192.0.2.0/24")
    with tcp.listener(far, V4) as server, Transfer(near, far, V4, tcp.PORT + 1) as transfer:
        before = synward.json("status")
        for _ in range(UPGRADES):
            upgrades.many(1)
            talk(near.namespace, server, data=b"hello")
        transfer.expect_whole()
    after = synward.json("status")
    assert facts(after) == facts(before)
    assert warm_up_left(after) < warm_up_left(before), "it did not begin anew"


def facts(status):
    interface, = status["interfaces"]
    return (status["policy"]["armed"], status["policy"]["lists"], status["tables"].keys(), status["timeouts_ms"],
            interface["since"], interface["flood"]["way"], interface["ok"], status["sweeper"])


def warm_up_left(status):
    web, _ = status["policy"]["services"]
    assert web["flood"]["on"] and web["strict"] == "warming_up"
    return web["strict_left_ms"]


def test_the_same_version_changes_nothing(pair, synward, upgrades):
    synward.attach(pair[1], options=QUICK)
    before = synward.objects()
    done = upgrades.run(BINARY)
    assert done.stdout.startswith("already at this version: ")
    answer = json.loads(upgrades.run(BINARY, "-j").stdout)
    hook = answer["upgraded"][0]["ingress"]
    assert answer["already"] and hook["state"] == "already"
    assert hook["program_id"] == hook["program_before"] == synward.json("status")["interfaces"][0]["ingress"]["program_id"]
    assert before.programs <= synward.objects().programs and before.links == synward.objects().links


def test_the_driver_is_left_alone(pair, synward, upgrades):
    """
    One that is given a first program, or loses its last, may reset its link; a veth changes what it can do, of which the
    kernel tells. To attach again and to upgrade, neither happens.
    """
    with LinkNews(*(end.namespace for end in pair)) as news:
        synward.attach(pair[1], options=QUICK)
        assert news.take(), "the first program is told"
        synward.attach(pair[1])
        upgrades.many(2)
        assert news.take() == 0
        synward.expect(0, "detach", "--all")
        assert news.take(), "the last one is, too"


def test_another_abi_version_is_refused(pair, synward, upgrades, other):
    """Before anything changes."""
    synward.attach(pair[1], options=QUICK)
    before = synward.objects()
    with pretend_version(synward, 99):
        done = upgrades.run(other, code=1)
    assert "holds the state of ABI version 99" in done.stderr and "detach with the synward" in done.stderr
    assert synward.objects() == before
    upgrades.run(other)


def test_every_network_namespace_and_what_is_gone(lab, synward, upgrades):
    client, one, two = map(lab.namespace, ("client", "one", "two"))
    wires = [lab.wire(client, f"c{number}", space, f"s{number}", subnet=number)
             for number, space in ((1, one), (2, two), (3, two))]
    for (_, far), hook in zip(wires, ("tcx", "clsact", "tcx")):
        synward.attach(far, options=("--tc", hook))
    client.ip("link", "del", "c3")
    done = upgrades.run(next(upgrades.versions))
    s1, s2, s3 = done.stdout.splitlines()
    assert s1.startswith("s1: upgraded (ingress") and s2.startswith("s2: upgraded (ingress")
    assert "egress" in s1 and "egress" in s2 and s3 == "s3: skipped (the interface is gone)"
    for near, far in wires[:2]:
        Stage(near, far, V4).accepted(3)
    assert synward.outcomes() == {"accepted": 6}


@pytest.mark.parametrize("hook", ("xdp", "tcx"))
def test_a_hook_that_was_taken_off_is_told(pair, synward, upgrades, hook):
    synward.attach(pair[1], options=QUICK)
    run("bpftool", "link", "detach", "pinned", synward.pin_dir / "links" / "0" / hook)
    done = upgrades.run(next(upgrades.versions), code=3)
    assert "hook was taken off" in done.stderr and "synward attach s0" in done.stderr
    assert "upgraded (" in done.stdout
    synward.attach(pair[1])
    synward.expect(0, "status")


def test_an_upgrade_that_cannot_be(pair, synward, other, tmp_path):
    """There is no memory, or somebody takes a hook off behind the look at all, before the first is changed."""
    synward.attach(pair[1], options=QUICK)
    stops = stopped.Stops(stopped.build(tmp_path), synward, pair[1].namespace, ("upgrade",), other)
    step = stops.lines(tmp_path).index("replace ") + 1
    synward.expect(0, "upgrade")
    before = synward.json("status")["interfaces"][0]["egress"]["program_id"]
    assert stops.starve().stderr == ("synward: not enough memory for the programs; what is attached goes on as before: "
                                     "make room, then run this again\n")
    pin = synward.pin_dir / "links" / "0" / "xdp"
    done = stops.hold(step, lambda: run("bpftool", "link", "detach", "pinned", pin))
    assert (done.returncode, done.stdout) == (1, ""), done
    assert f"s0: somebody took off the hook of {pin} meanwhile; to put it back: synward attach s0; " in done.stderr
    synward.attach(pair[1], options=())
    interface, = synward.json("status")["interfaces"]
    assert interface["ok"] and interface["egress"]["program_id"] == before


def test_nothing_attached(synward, upgrades):
    assert "nothing is attached" in upgrades.run(BINARY, code=1).stderr


def test_options_stay(pair, synward, upgrades):
    """Whatever it was attached with."""
    synward.attach(pair[1], options=("--mode", "generic", "--checksums"))
    upgrades.many(2)
    interface, = synward.json("status")["interfaces"]
    assert interface["mode"] == "generic" and interface["ok"]
    near, far = pair
    bad = Segment(near.address(V4, VANISHED), far.address(V4, NOBODY), 1, 2, SYN)
    bytes_ = bytearray(frame(near.mac, far.mac, bad))
    bytes_[-2] ^= 1
    with Port(near) as port:
        port.socket.send(bytes_)
    wait_for(lambda: synward.stats()["anomalies"]["bad_tcp_csum"]["seen"], "a bad checksum to be seen")
