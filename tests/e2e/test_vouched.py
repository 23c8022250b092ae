# SPDX-License-Identifier: GPL-2.0-or-later
"""
Strict rules and handshakes of this host of which the tables know nothing any more: its kernel does, so what belongs
to them passes.
"""

import pytest

import firewalls
import tcp
from live import need, syn_of
from net import VANISHED, wait_for
from policies import Files
from segments import ACK, MSS_1460, RST, SYN, Port, Segment

PORT = 7777


# What a host repeats does not get out, or else its attempt would be known again.
NO_SYNS = f"""table inet t {{ chain out {{
    type filter hook output priority 0;
    tcp flags & (syn|ack) == syn tcp dport {PORT} drop
}}
}}"""


def lead_astray(end, address):
    """The same for SYN-ACKs, with which the kernel would give up if a rule dropped them."""
    end.namespace.ip("link", "add", "d0", "type", "veth", "peer", "name", "d1")
    end.namespace.ip("link", "set", "d0", "up")
    end.namespace.ip("route", "add", address, "dev", "d0")


def guard(synward, tmp_path, pair, server):
    """From here on it watches, and strict rules are in force."""
    synward.attach(pair[1])
    synward.expect(0, "policy", "apply",
                   Files(tmp_path).default("enforce", "  strict: yes\n  warm_up: 0s\n"))
    tcp.accepted(pair[0].namespace, server, 8)
    row, = synward.json("status")["policy"]["services"]
    assert row["strict"] == "ready"


def expect_passed(synward, anomaly):
    stats = synward.stats()
    assert stats["anomalies"][anomaly]["seen"] >= 1
    assert stats["conservation"]["dropped"] == 0


def test_a_final_ack(pair, family, synward, tmp_path):
    near, far = pair
    with tcp.listener(far, family) as server, Port(near) as port:
        synack = port.exchange(Segment(near.address(family, VANISHED), far.address(family), PORT,
                                       tcp.PORT, SYN, seq=1000, options=MSS_1460), SYN | ACK)
        lead_astray(far, near.address(family, VANISHED))
        guard(synward, tmp_path, pair, server)
        port.send(synack.answer(ACK))
        with server.accept()[0] as peer:
            assert peer.getpeername()[1] == PORT
            port.send(synack.answer(ACK, payload=b"hello"))
            peer.settimeout(tcp.SECONDS)
            assert peer.recv(16) == b"hello"
        expect_passed(synward, "midstream")
        assert synward.stats()["tallies"]["connections_adopted"] >= 1, "now it has a socket"


def asks(pair, family, port):
    """The host has sent its SYN to somebody who answers by hand. Returns its socket and the SYN."""
    need("nft")
    near, far = pair
    waiting = tcp.begin(far.namespace, (near.address(family, VANISHED), PORT), family)
    syn = syn_of(port)
    firewalls.put_up(far.namespace, NO_SYNS)
    return waiting, syn


def test_a_syn_ack(pair, family, synward, tmp_path):
    near, far = pair
    with tcp.listener(far, family) as server, Port(near) as port:
        waiting, syn = asks(pair, family, port)
        with waiting:
            guard(synward, tmp_path, pair, server)
            # somebody else's is nobody's
            port.send(syn.answer(SYN | ACK, dport=PORT, seq=5000, options=MSS_1460))
            port.send(syn.answer(SYN | ACK, seq=5000, options=MSS_1460))
            wait_for(lambda: not waiting.connect_ex(waiting_for(pair, family)), "the SYN-ACK")
        stats = synward.stats()["anomalies"]["unsolicited_synack"]
        assert (stats["seen"], stats["dropped"]) == (2, 1)


def waiting_for(pair, family):
    return pair[0].address(family, VANISHED), PORT


def test_an_ack_to_who_waits_for_a_syn_ack(pair, family, synward, tmp_path):
    """Of a connection that the other end still has, say: a RST tells it that there is none (RFC 9293, 3.5.1)."""
    near, far = pair
    with tcp.listener(far, family) as server, Port(near) as port:
        waiting, syn = asks(pair, family, port)
        with waiting:
            guard(synward, tmp_path, pair, server)
            port.send(syn.answer(ACK, seq=5000, ack=syn.seq + 77))
            rst = port.receive(lambda s: s.flags & RST, "a RST")
            assert (rst.sport, rst.seq) == (syn.sport, syn.seq + 77)
        expect_passed(synward, "midstream")
