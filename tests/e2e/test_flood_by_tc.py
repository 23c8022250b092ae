# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers that XDP cannot send, or that do not arrive, are sent by TC: where the kernel would send its own."""

import socket
import struct
import time

import pytest

from causes import FAMILIES
from cli import fresh
from defended import CLIENTS, Yard
from floods import ALL_OPTIONS, answerable, talk
from hooks import clear_xdp, filter_packets, put_on_tcx
from net import End, Lab, wait_for
from segments import MSS_1460, SYN, checksum, frame

IPV6_HOPOPTS = 54  # Python has it, too, but not everywhere
FOUR_NOPS = b"\x01" * 4
PADDING = bytes((0, 0, 1, 4, 0, 0, 0, 0))  # a header of eight bytes, whose next the kernel fills in


def tallies(yard):
    return yard.synward.stats()["tallies"]


def sent_by(yard):
    return yard.synward.json("status")["interfaces"][0]["flood"]["sent_by"]


def find_sender(yard, sender):
    """Something goes up: by that it is seen whether XDP can send."""
    with yard.near.namespace.socket(yard.family, socket.SOCK_DGRAM) as someone:
        def found():
            someone.sendto(b"?", (yard.far.address(yard.family), 9))
            return sent_by(yard) == sender
        wait_for(found, lambda: sent_by(yard))


@pytest.fixture(scope="module", params=FAMILIES)
def yard(request, bpffs, tmp_path_factory):
    """A wire as a container's: its other end has no XDP program. For several tests, which leave it so."""
    path = tmp_path_factory.mktemp("yard")
    with Lab() as lab, fresh(bpffs / "yard", path / "state") as synward:
        pair = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        made = Yard(lab, pair, FAMILIES[request.param], synward, path)
        find_sender(made, "tc")
        assert tallies(made)["cookies_unsent"] == 0
        yield made


def hears_at_once(yard, count=CLIENTS, **how):
    """So many clients are answered by cookies, of whom nobody had to ask twice."""
    before, again = tallies(yard), yard.near.namespace.counter("TcpExt", "TCPSynRetrans")
    infos = [talk(yard.near.namespace, yard.server, **{"prepare": yard.crowd.join, **how})
             for _ in range(count)]
    after = tallies(yard)
    assert after["cookies_sent"] - before["cookies_sent"] == count
    assert after["handovers"] - before["handovers"] == count
    assert after["cookies_unsent"] == before["cookies_unsent"]
    assert yard.near.namespace.counter("TcpExt", "TCPSynRetrans") == again
    return infos


def hears_at_once_or_passes(yard):
    """The same of one client, who may be one of those that are not answered."""
    again = yard.near.namespace.counter("TcpExt", "TCPSynRetrans")
    yard.talks(1)
    assert yard.near.namespace.counter("TcpExt", "TCPSynRetrans") == again


def test_the_first_client_after_an_attach(lab, pair, family, synward, tmp_path):
    """Nothing has come up to TC yet, so it has noted nothing: XDP finds out by itself that it cannot send."""
    hears_at_once_or_passes(Yard(lab, pair, family, synward, tmp_path))


@pytest.mark.parametrize("checksums", ("off", "on"))
def test_an_end_without_xdp(yard, checksums):
    """Where the SYN comes without its checksum, the answer leaves without; then somebody has to add it."""
    yard.far.namespace.run("ethtool", "-K", yard.far.name, "tx", checksums)
    for info in hears_at_once(yard):
        assert info.client.options & ALL_OPTIONS == ALL_OPTIONS
    assert sent_by(yard) == "tc"
    done = yard.synward.expect(0, "status")
    assert "TC sends the answers, which costs more: the other end of this veth has no XDP program" in " ".join(
        done.stdout.split())
    check = yard.check()
    assert check["phase"] == "answers" and check["times"] == 0 and not check["sends_by_tc"]


def test_headers_that_are_left_out_of_the_answer(yard):
    """IPv4 options and IPv6 extension headers: the answer begins later than the SYN did."""
    def prepare(client):
        yard.crowd.join(client)
        if yard.family == socket.AF_INET:
            client.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, FOUR_NOPS)
        else:
            client.setsockopt(socket.IPPROTO_IPV6, IPV6_HOPOPTS, PADDING)
    for checksums in ("off", "on"):
        yard.far.namespace.run("ethtool", "-K", yard.far.name, "tx", checksums)
        hears_at_once(yard, 3, data=b"hello", prepare=prepare)


def test_an_end_that_changes(yard):
    """Nothing of it is frozen: XDP sends as soon as it can, and TC as soon as XDP cannot."""
    # with NAPI alone, what XDP sends is taken, and lies there until something else comes
    yard.near.namespace.run("ethtool", "-K", yard.near.name, "gro", "on")
    hears_at_once(yard, 3, data=b"hello")
    for change, sender in ((answerable, "xdp"), (clear_xdp, "tc")):
        change(yard.near)
        find_sender(yard, sender)
        hears_at_once(yard, 3, data=b"hello")
    yard.near.namespace.run("ethtool", "-K", yard.near.name, "gro", "off")


@pytest.mark.parametrize("way", ("kernel", "challenge"))
def test_the_other_ways(lab, pair, family, synward, tmp_path, way):
    pair[1].namespace.sysctl("net.ipv4.tcp_syncookies", 2)
    yard = Yard(lab, pair, family, synward, tmp_path, way=way, policy="")
    yard.talks(3)  # whoever is challenged comes again after a second
    assert sent_by(yard) == "tc" and yard.check()["times"] == 0
    counted = tallies(yard)
    assert counted["challenges_sent" if way == "challenge" else "cookies_sent"] >= 2
    assert counted["cookies_unsent"] == 0


def test_a_tag_beside_the_frame(lab, pair, family, synward, tmp_path):
    """As the offloads have it: XDP sees no tag, and the answer has to have the same."""
    filter_packets(pair[0], "ingress", "vlan", "only_tagged", priority=1)
    for end in pair:
        put_on_tcx(end, "egress", "tag")
        filter_packets(end, "ingress", "vlan", "pop_all", priority=2)
    answerable(pair[0])
    yard = Yard(lab, pair, family, synward, tmp_path, policy="")
    yard.talks(1)  # is heard answering, with its tag
    sent = tallies(yard)["handovers"]
    yard.talks()
    assert tallies(yard)["handovers"] >= sent + CLIENTS - 2, "one a second is let through"


def masked(lab, pair, family, synward, path):
    """
    The client's frames come from somewhere that takes none, as behind a load balancer of which the server knows
    nothing: it sends its own answers to the client's end.
    """
    filter_packets(pair[0], "egress", "neighbour", "from_elsewhere")
    return Yard(lab, pair, family, synward, path)


def test_a_way_back_that_is_another(lab, wire, family, synward, tmp_path):
    """It is found out by trying, and is no reason to stay aside."""
    yard = masked(lab, wire, family, synward, tmp_path)

    def found_out():
        yard.talks(1)
        check = yard.check()
        return check["sends_by_tc"] and not check["stepped_aside"]
    wait_for(found_out, lambda: str(yard.flood()), seconds=60)
    hears_at_once(yard)
    assert sent_by(yard) == "xdp", "nothing is wrong with the interface"
    done = yard.synward.expect(0, "status")
    assert "note: web: answers sent by XDP did not help, so TC sends them now" in done.stdout
    assert yard.check()["times"] == 1 and yard.check()["reason"] == "unanswered"


@pytest.mark.parametrize("how", ("native", "generic", "native, tag beside"))
def test_the_other_end_is_attached_too(lab, pair, family, synward, tmp_path, how):
    """
    The mark on a frame is for one interface and once: nothing goes to and fro. And the client's end has heard the
    answer, which does not say that the server's kernel has taken the client.
    """
    near, far = pair
    if "tag" in how:
        for end in pair:
            put_on_tcx(end, "egress", "tag")
            filter_packets(end, "ingress", "vlan", "pop_all", priority=2)
    yard = Yard(lab, pair, family, synward, tmp_path)
    synward.attach(near, options=("--mode", how.split(",")[0]))
    if how == "generic":
        find_sender(yard, "tc")
    yard.talks()
    sent = far.statistic("tx", "packets")
    yard.talks()
    assert far.statistic("tx", "packets") - sent < 20 * CLIENTS
    counted = tallies(yard)
    assert counted["handovers"] == counted["cookies_sent"] > 0
    check = yard.check()
    assert check["phase"] == "answers" and check["times"] == 0


def test_a_bridge_above_has_the_routes(lab, pair, family, synward, tmp_path):
    """What is attached is a port of it, which has none: there TC sends to where SYNs come from."""
    near, far = pair
    space = far.namespace
    for name in ("iptables", "ip6tables"):
        space.sysctl(f"net.bridge.bridge-nf-call-{name}", 0)
    space.ip("link", "add", "br0", "address", far.mac, "type", "bridge")
    space.ip("link", "set", "br0", "addrgenmode", "none")
    space.ip("link", "set", "br0", "up")
    space.ip("addr", "flush", "dev", far.name)
    space.ip("link", "set", far.name, "master", "br0")
    bridge = End(space, "br0", far.mac, far.subnet, far.number, near)
    for kind, bits in zip(FAMILIES.values(), ("24", "64")):
        space.ip("addr", "add", f"{bridge.address(kind)}/{bits}", "dev", "br0",
                 *(["nodad"] if bits == "64" else []))
        bridge.neighbour(near.address(kind), near.mac)
    answerable(near)
    yard = Yard(lab, (near, bridge), family, synward, tmp_path, attached=far)
    spoofed = [yard.ghost() for _ in range(CLIENTS)]

    def is_tried():
        for ghost in spoofed:
            ghost.syn()
        return yard.check()["sends_by_tc"]
    is_tried()
    time.sleep(0.7)  # as clients do; what comes again sooner does not count
    wait_for(is_tried, lambda: str(yard.flood()))
    assert yard.check()["stepped_aside"]

    def resumed():
        hears_at_once_or_passes(yard)
        return not yard.check()["stepped_aside"]
    wait_for(resumed, lambda: str(yard.flood()))
    hears_at_once(yard)


SOL_PACKET, PACKET_VNET_HDR, NEEDS_CHECKSUM = 263, 15, 1  # of Linux; Python has no names for them
IP_OPTIONS = b"\x01" * 40


def with_options(made):
    """The frame of an IPv4 segment, with options before TCP."""
    head = bytearray(made[14:34])
    head[0], head[2:4], head[10:12] = 0x4F, struct.pack("!H", len(made) - 14 + 40), bytes(2)
    head[10:12] = struct.pack("!H", checksum(bytes(head) + IP_OPTIONS))
    return made[:14] + bytes(head) + IP_OPTIONS + made[34:]


@pytest.mark.parametrize("yard", ["ipv4"], indirect=True, scope="module")
def test_a_checksum_that_is_to_be_elsewhere(yard):
    """
    Whoever makes his frames himself can have the kernel add one anywhere, also in what is left out of the answer.
    Then that is not sent: the kernel would find no place for it, and say so as of a bug of its own.
    """
    near, ghost = yard.near, yard.ghost()
    made = with_options(frame(near.mac, near.peer.mac, ghost.segment(SYN, 1, options=MSS_1460)))
    before = tallies(yard)
    with near.namespace.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        with near.namespace.entered():
            raw.bind((near.name, 0))
        for start, at in ((34, 2), (74, 14), (74, 16)):  # the last one is right
            raw.send(struct.pack("=BBHHHH", NEEDS_CHECKSUM, 0, 0, 0, start, at) + made)

    def counted():
        return {name: tallies(yard)[name] - before[name] for name in before}
    wait_for(lambda: counted()["cookies_sent"] == 3, lambda: str(counted()))
    assert counted()["cookies_unsent"] == 2
    assert yard.synward.stats()["services"][0]["cookies_unsent"] == tallies(yard)["cookies_unsent"]
