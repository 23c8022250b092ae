# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own connection tracking beside synward, on the same connections."""

import collections
import contextlib
import re
import signal
import subprocess
import threading

import pytest

import tcp
from causes import FAMILIES, Stage
from live import connect_from, events, need, seen
from net import stop, wait_for

EACH = 2500  # of either family
REFUSED, VANISHED = 200, 50  # both families together
OTHER_PORT = 9
ROOMY = ("--handshakes", "131072", "--connections", "131072", "--events-per-second", "0",
         "--timeout", "syn_received=1s", "--timeout", "rst_grace=300ms")
LINE = re.compile(r"tcp +6 \d+ ([A-Z_]+) src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+) "
                  r"src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+) \[ASSURED\]")


def assured(line):
    """The state and the 5-tuple of a connection that conntrack calls ASSURED, else None."""
    match = LINE.search(line)
    if not match:
        return None
    state, src, dst, sport, dport, *reply = match.groups()
    assert reply == [dst, src, dport, sport]
    return state, (src, int(sport), dst, int(dport))


@contextlib.contextmanager
def conntrack(namespace):
    """Yields a Counter of the 5-tuples that become ESTABLISHED and ASSURED, by conntrack -E."""
    namespace.run("nft", "add table inet t; add chain inet t in { type filter hook input priority "
                  "0; }; add rule inet t in ct state established accept")
    tuples = collections.Counter()
    process = subprocess.Popen(
        namespace.command("conntrack", "-E", "-e", "UPDATES", "-p", "tcp", "-b", 1 << 24),
        text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def follow():
        for line in process.stdout:
            told = assured(line)
            if told and told[0] == "ESTABLISHED":
                tuples[told[1]] += 1

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield tuples
    finally:
        process.send_signal(signal.SIGTERM)
        thread.join(20)
        stop(process)


def remembered(namespace):
    """
    The 5-tuples in conntrack's table that are ASSURED, hence were ESTABLISHED. They stay for as
    long as TIME-WAIT. The kernel does not wait for readers of events, so these may miss some.
    """
    return {told[1] for family in FAMILIES
            for line in namespace.run("conntrack", "-L", "-f", family, "-p",
                                      "tcp").stdout.splitlines()
            if (told := assured(line))}


def wait_ready(stage, tuples):
    """conntrack says nothing when it is: ask by connections of our own, before the attach."""
    with tcp.listener(stage.far, stage.family, OTHER_PORT) as server:
        def one_more():
            tcp.accepted(stage.near.namespace, server, 1)
            return bool(tuples)
        wait_for(one_more, "conntrack to see a connection")


@pytest.fixture
def stages(pair):
    return [Stage(*pair, family) for family in FAMILIES.values()]


def drive(stage):
    """Connections from a port each, so that no two have the same ends; and some that are none."""
    made = []
    with tcp.listener(stage.far, stage.family) as server:
        for port in range(10000, 10000 + EACH):
            with connect_from(stage.near, port, stage.server(), stage.family) as client, \
                    server.accept()[0]:
                made.append((*client.getsockname()[:2], *stage.server()))
    stage.rejected(REFUSED // 2)
    stage.half_open(VANISHED // 2)
    return made


def ends(event):
    return tuple(event[name] for name in ("src_ip", "src_port", "dest_ip", "dest_port"))


def test_what_conntrack_calls_established_synward_calls_accepted(pair, stages, synward):
    """5,000 connections, of which both know the ends; refused and half-open ones count for none."""
    need("conntrack", "nft")
    near, far = pair
    with conntrack(far.namespace) as tuples:
        wait_ready(stages[0], tuples)
        synward.attach(far, options=ROOMY)
        with events(synward) as read:
            made = [one for stage in stages for one in drive(stage)]
            stats = synward.expect_outcomes(accepted=2 * EACH, rejected=REFUSED,
                                            half_open=VANISHED)
            ended = read(lambda those: len(those) >= 2 * EACH + REFUSED + VANISHED)
        assert seen(stats) == {}
        assert stats["tallies"]["events_lost"] == stats["tallies"]["events_suppressed"] == 0
        known = {one for one in remembered(far.namespace) if one[3] != OTHER_PORT}
    told = {one: count for one, count in tuples.items() if one[3] != OTHER_PORT}
    accepted = collections.Counter(ends(one) for one in ended
                                   if one["handshake"]["outcome"] == "accepted")
    assert len(set(made)) == 2 * EACH
    assert accepted == collections.Counter(made), "each once"
    assert known | told.keys() == accepted.keys()
    assert set(told.values()) == {1} and len(told) > EACH, "conntrack -E has lost most of them"
