# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers that XDP cannot send, or that do not arrive, are sent by TC: where the kernel would send its own."""

import socket

import pytest

from defended import CLIENTS, Yard
from floods import ALL_OPTIONS, answerable, talk
from hooks import clear_xdp, filter_packets, put_on_tcx
from net import wait_for

IPV6_HOPOPTS = 54  # Python has it, too, but not everywhere
FOUR_NOPS = b"\x01" * 4
PADDING = bytes((0, 0, 1, 4, 0, 0, 0, 0))  # a header of eight bytes, whose next the kernel fills in


def tallies(yard):
    return yard.synward.stats()["tallies"]


def sent_by(yard):
    interface, = yard.synward.json("status")["interfaces"]
    return interface["flood"]["sent_by"]


def find_sender(yard, sender):
    """Something goes up: by that it is seen whether XDP can send."""
    with yard.near.namespace.socket(yard.family, socket.SOCK_DGRAM) as someone:
        def found():
            someone.sendto(b"?", (yard.far.address(yard.family), 9))
            return sent_by(yard) == sender
        wait_for(found, lambda: sent_by(yard))


@pytest.fixture
def yard(lab, pair, family, synward, tmp_path):
    """A wire as a container's: its other end has no XDP program."""
    made = Yard(lab, pair, family, synward, tmp_path)
    find_sender(made, "tc")
    return made


def hears_at_once(yard, count=CLIENTS, **how):
    """So many clients are answered by cookies, of whom nobody had to ask twice."""
    before, again = tallies(yard), yard.near.namespace.counter("TcpExt", "TCPSynRetrans")
    infos = [talk(yard.near.namespace, yard.server, **{"prepare": yard.crowd.join, **how})
             for _ in range(count)]
    after = tallies(yard)
    assert after["cookies_sent"] - before["cookies_sent"] == count
    assert after["handovers"] - before["handovers"] == count
    assert after["cookies_unsent"] == 0
    assert yard.near.namespace.counter("TcpExt", "TCPSynRetrans") == again
    return infos


@pytest.mark.parametrize("checksums", ("off", "on"))
def test_an_end_without_xdp(yard, checksums):
    """Where the SYN comes without its checksum, the answer leaves without; then somebody has to add it."""
    yard.far.namespace.run("ethtool", "-K", yard.far.name, "tx", checksums)
    for info in hears_at_once(yard):
        assert info.client.options & ALL_OPTIONS == ALL_OPTIONS
    assert sent_by(yard) == "tc"
    done = yard.synward.expect(0, "status")
    assert "sent by TC, which costs more: the other end of this veth has no XDP program" in " ".join(
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
    assert "note: web: what XDP sent did not help, so TC sends the answers now" in done.stdout
    assert yard.check()["times"] == 1 and yard.check()["reason"] == "unanswered"
