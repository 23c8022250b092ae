# SPDX-License-Identifier: GPL-2.0-or-later
"""Every outcome, caused on a wire by a kernel's TCP (or by what such a kernel cannot prevent)."""

import contextlib

import pytest

import tcp
from causes import FAMILIES, QUICK, Stage
from hooks import clear_xdp, filter_packets, put_on_xdp, tag_counts, tag_frames
from net import NOBODY, VANISHED, wait_for
from segments import ACK, SYN, Port

ALL = ("accepted", "rejected", "no_response", "half_open", "aborted_orig", "aborted_resp",
       "cancelled", "unsolicited_synack")


def expect_more(synward, before, **expected):
    """Waits until every attempt has ended; then these outcomes have been added to those, and no others."""
    total = {name: count + expected.get(name, 0) for name, count in before.items()}
    synward.expect_outcomes(**{name: count for name, count in total.items() if count})


def seen(stats):
    """The anomalies that were seen at all."""
    return {name: one["seen"] for name, one in stats["anomalies"].items() if one["seen"]}


@pytest.mark.parametrize("outcome", ALL)
def test_outcome_is_counted_exactly(watched, outcome):
    """Twenty of a kind are twenty of that kind, and nothing else."""
    stage, synward = watched
    getattr(stage, outcome)(20)
    synward.expect_outcomes(**{outcome: 20})


@pytest.fixture
def stages(pair):
    """One of each family, on the same wire: for tests that attach for themselves, once for both."""
    return [Stage(*pair, family) for family in FAMILIES.values()]


def test_clean_handshakes_show_no_anomaly(pair, stages, synward):
    """What an honest kernel sends, FIN and all, is not suspicious."""
    synward.attach(pair[1], options=QUICK)
    for stage in stages:
        stage.accepted(100)
    stats = synward.expect_outcomes(accepted=200)
    assert seen(stats) == {}
    assert stats["connections"] == 200, "closed ones are remembered as long as TIME-WAIT"


def test_both_latencies_are_measured_for_each_handshake(watched):
    stage, synward = watched
    stage.accepted(50)
    latency = synward.expect_outcomes(accepted=50)["latency"]
    for name in ("syn_to_synack", "synack_to_ack"):
        one = latency[name]
        assert one["count"] == 50, name
        assert 0 < one["p50_us"] <= one["p90_us"] <= one["p99_us"] <= one["sum_us"], name


def test_at_the_clients_end(pair, stages, synward):
    """The same when the one who opens is behind the hook: SYNs leave, SYN-ACKs arrive."""
    synward.attach(pair[0], options=QUICK)
    for stage in stages:
        before = synward.stats()["handshakes"]
        for outcome in ("accepted", "rejected", "no_response", "cancelled"):
            getattr(stage, outcome)(10)
        expect_more(synward, before, accepted=10, rejected=10, no_response=10, cancelled=10)


@pytest.mark.parametrize("hook", ("tcx", "clsact"))
@pytest.mark.parametrize("tags", (1, 2), ids=("vlan", "qinq"))
def test_all_outcomes_behind_tags(pair, stages, synward, tags, hook):
    """
    XDP finds the tags in the frames. At egress TCX comes before our filter, hence before the tags;
    a clsact filter of synward's comes after it, and with two tags one of them is in the frame.
    """
    tag_frames(pair, tags)
    program = put_on_xdp(pair[1])
    for stage in stages:
        stage.accepted(1)
    counts = tag_counts(program)
    assert counts[tags] == sum(counts) > 0, "the offload hides the tags: this would prove nothing"
    clear_xdp(pair[1])

    synward.attach(pair[1], options=(*QUICK, "--tc", hook))
    for stage in stages:
        before = synward.stats()["handshakes"]
        for number, outcome in enumerate(ALL, 2):
            getattr(stage, outcome)(number)
        expect_more(synward, before, **{outcome: n for n, outcome in enumerate(ALL, 2)})
    ingress = synward.stats()["interfaces"][0]["ingress"]
    assert ingress["kinds"]["not_ip"] == ingress["kinds"]["malformed"] == 0


def test_a_lost_ack_leaves_it_half_open(pair, synward):
    """A real client that believes it is connected: the path loses its ACK."""
    near, far = pair
    # a server that repeats its SYN-ACK would bring a forgotten attempt back to mind
    far.namespace.sysctl("net.ipv4.tcp_synack_retries", 0)
    filter_packets(near, "egress", "loss", "lose_acks")
    synward.attach(far, options=QUICK)
    for count, family in enumerate(FAMILIES.values(), 1):
        with tcp.listener(far, family) as server, contextlib.ExitStack() as clients:
            for _ in range(5):
                clients.enter_context(tcp.connect(near.namespace, server.getsockname()[:2], family))
            synward.expect_outcomes(half_open=5 * count)


def test_retransmissions_are_counted_and_make_no_attempt(pair, family, synward):
    """One SYN and its repetition are one attempt; and so are a SYN-ACK and its repetition."""
    near, far = pair
    stage = Stage(near, far, family)
    far.namespace.sysctl("net.ipv4.tcp_synack_retries", 1)
    synward.attach(far, options=(*QUICK, "-t", "syn_sent=3s", "-t", "syn_received=3s"))

    def repeated(name, count):
        return lambda: synward.stats()["anomalies"][name]["seen"] >= count

    with tcp.listener(far, family), Port(near) as port, \
            tcp.begin(near.namespace, (far.address(family, NOBODY), tcp.PORT), family):
        port.exchange(stage._syn(VANISHED), SYN | ACK)
        wait_for(repeated("syn_retransmit", 1), "the client's kernel to repeat its SYN")
        wait_for(repeated("synack_retransmit", 1), "the server's kernel to repeat its SYN-ACK")
    stats = synward.expect_outcomes(no_response=1, half_open=1)
    assert set(seen(stats)) == {"syn_retransmit", "synack_retransmit"}
    assert stats["tallies"]["attempts_opened"] == 2


def test_a_connection_older_than_the_attach_is_midstream_once(stage, synward):
    """Its first segment is midstream; then the kernel vouches for it and it is like any other."""
    with tcp.listener(stage.far, stage.family) as server:
        client = tcp.connect(stage.near.namespace, server.getsockname()[:2], stage.family)
        accepted, _ = server.accept()
        with client, accepted:
            synward.attach(stage.far, options=QUICK)
            for sender, receiver in ((client, accepted), (accepted, client)) * 10:
                sender.sendall(b"still here")
                assert receiver.recv(64) == b"still here"
            stats = synward.expect_outcomes(midstream=1)
            assert stats["tallies"]["connections_adopted"] == stats["connections"] == 1
        stage_stats = synward.expect_outcomes(midstream=1)
    assert seen(stage_stats) == {"midstream": 1}


def test_the_same_ports_again_are_another_attempt(watched):
    """A SYN scan of one port, twice from the same source port with another ISN."""
    stage, synward = watched
    with tcp.listener(stage.far, stage.family), Port(stage.near) as port:
        syn = stage._syn(stage.near.number)
        port.exchange(syn, SYN | ACK)
        synward.expect_outcomes(aborted_orig=1)
        syn.seq = (syn.seq + 123456) % 2**32
        port.exchange(syn, SYN | ACK)
    stats = synward.expect_outcomes(aborted_orig=2)
    assert stats["tallies"]["attempts_opened"] == 2
