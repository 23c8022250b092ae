# SPDX-License-Identifier: GPL-2.0-or-later
"""Who sends most, by sources that are known: as JSON and as text."""

import contextlib
import ipaddress
import os
import pty
import re
import socket
import subprocess

import pytest

from causes import QUICK
from cli import BINARY
from net import wait_for
from policies import Files
from segments import SYN, Port, Segment, frame
from sender import SOURCES, arrived, ipv4, known, sender


def assert_true_within_error(measure, truth):
    """A sample may be further off in 5 of 100 cases, but never twice as far."""
    far = 2 * measure["sampling_error"]
    assert measure["error"] == measure["replacement_error"] + measure["sampling_error"]
    assert measure["count"] - far <= truth
    assert truth <= measure["count"] + measure["replacement_error"] + far


def assert_ranked(rows, by, truths):
    """Who surely has sent more comes first."""
    places = {row["source"]: (place, row[by]["error"]) for place, row in enumerate(rows)}
    for one, more in truths.items():
        for other, less in truths.items():
            if more > less + 2 * (places[one][1] + places[other][1]):
                assert places[one][0] < places[other][0], rows


def test_known_sources(stage, synward, sender):
    truths = known(synward, sender, stage.family)
    top = synward.json("top", "sources")
    assert (top["top"], top["by"], top["total"], top["shown"]) == ("sources", "weight", 3, 3)
    assert 0 < top["span_ms"] < 2 * 16384
    for row in top["sources"]:
        syns, anomalies = truths[row["source"]]
        assert_true_within_error(row["syns"], syns)
        assert_true_within_error(row["anomalies"], anomalies)
        assert row["weight"]["count"] == row["syns"]["count"] + row["anomalies"]["count"]
    assert_ranked(top["sources"], "weight", {name: sum(of) for name, of in truths.items()})
    assert top["totals"]["syns"]["followed"] == top["totals"]["syns"]["count"]


@pytest.mark.parametrize("by", ["syns", "anomalies"])
def test_other_ranks(stage, synward, sender, by):
    truths = known(synward, sender, stage.family)
    rows = synward.json("top", "--by", by)["sources"]
    assert_ranked(rows, by, {name: of[by == "anomalies"] for name, of in truths.items()})
    first = synward.json("top", "--by", by, "--limit", 1)
    assert (first["total"], first["shown"], len(first["sources"])) == (3, 1, 1)
    assert first["sources"][0]["source"] == rows[0]["source"]


def test_as_text(stage, synward, sender):
    truths = known(synward, sender, stage.family)
    text = synward.expect(0, "top", "sources", "--once").stdout.splitlines()
    assert re.match(r"\d+( ±\d+)? SYNs? and \d+ anomal(y|ies) in .*, by weight$", text[0])
    heading = next(i for i, line in enumerate(text) if line.lstrip().startswith("SOURCE"))
    assert text[heading].split() == ["SOURCE", "SYNS", "±", "ANOMALIES", "±", "SHARE"]
    rows = [line.split() for line in text[heading + 1:]]
    assert {row[0] for row in rows} == truths.keys()
    assert all(len(line) <= 80 for line in text)
    assert rows[0][0] == SOURCES[stage.family][0]
    limited = synward.expect(0, "top", "--limit", 1).stdout.splitlines()
    assert limited[-1] == "the first 1 of 3; --limit shows more"


def flood(sender, count, heavy):
    """
    SYNs of spoofed sources, each of its own, as fast as we can, every tenth from one that is not.
    One frame serves all: nobody here looks at its checksums.
    """
    end = sender.port.end
    made = frame(end.mac, end.peer.mac, Segment(heavy, sender.server, 1024, 443, SYN))
    at = made.index(socket.inet_aton(heavy))
    for i in range(count):
        spoofed = (0x0A000000 + sender.sent * 7).to_bytes(4, "big")
        sender.port.socket.send(made if i % 10 == 0 else made[:at] + spoofed + made[at + 4:])
        sender.sent += 1


@ipv4
def test_a_flood_of_spoofed_sources(stage, synward, sender):
    """
    Far more sources than are followed, and one of ten SYNs from one who stands out. So many, since each CPU may
    follow others, in each of two windows, and one of which a sample was taken counts for 64.
    """
    heavy = "192.0.2.1"
    flood(sender, 400000, heavy)
    arrived(synward, sender)
    top = synward.json("top", "sources", "--by", "syns")
    total = top["totals"]["syns"]
    assert total["sampling_error"], "that was no flood"
    assert abs(total["count"] - sender.sent) <= 2 * total["sampling_error"]
    first = top["sources"][0]
    assert first["source"] == heavy
    assert_true_within_error(first["syns"], sender.sent / 10)
    for row in top["sources"][1:]:
        assert_true_within_error(row["syns"], 1)
    assert total["followed"] < total["count"] / 2
    text = synward.expect(0, "top").stdout
    assert re.search(r"\d\d% of the SYNs came from sources too many to list one by one", text)


def test_what_leaves_and_what_is_ordinary_is_nobodys(stage, synward):
    """Connections of both ends: only the client sent SYNs, and a repeated one is no anomaly."""
    synward.attach(stage.far, options=QUICK)
    stage.accepted(10)
    synward.wait_settled(10)
    with Port(stage.near) as port:
        syn = stage._syn(99)
        port.send(syn)
        port.send(syn)
    wait_for(lambda: synward.stats()["anomalies"]["syn_retransmit"]["seen"], "the second SYN")
    top = synward.json("top")
    assert top["totals"]["syns"]["count"] == 12 and top["totals"]["anomalies"]["count"] == 0
    client = stage.near.address(stage.family)
    expected = {client: 10, syn.src: 2}
    if stage.family == socket.AF_INET6:  # both are of one network
        expected = {str(ipaddress.ip_network(f"{client}/64", strict=False)): 12}
    assert {row["source"]: row["syns"]["count"] for row in top["sources"]} == expected


@ipv4
def test_anomalies(stage, synward, sender):
    known(synward, sender, stage.family)
    top = synward.json("top", "anomalies")
    assert top["anomalies"][0] == {"anomaly": "flags_null", "seen": 80, "would_drop": 80,
                                   "dropped": 0}
    assert "by" not in top and top["total"] == len(top["anomalies"])
    text = synward.expect(0, "top", "anomalies").stdout.splitlines()
    assert text[2].split() == ["flags_null", "80", "80", "0"]


def test_services(stage, synward, sender, tmp_path):
    policy = Files(tmp_path).services("name: web, ports: [443]", "name: ssh, ports: [22]",
                                      mode="enforce")
    synward.expect(0, "policy", "apply", policy)
    many = SOURCES[stage.family][0]
    sender.some(many, 50)
    sender.some(many, 20, flags=0)
    arrived(synward, sender)
    top = synward.json("top", "services")
    assert [one["name"] for one in top["services"]] == ["web", "ssh", "default"]
    assert (top["by"], top["total"], top["shown"]) == ("weight", 3, 3)
    web = top["services"][0]
    limits = web.pop("limits")
    assert web == {"name": "web", "syns": 50, "completed": 0, "anomalies": 20, "dropped": 20}
    assert limits and not any(limits.values())
    text = synward.expect(0, "top", "services", "--by", "anomalies").stdout.splitlines()
    assert text[2].split() == ["web", "50", "0", "20", "0", "20"]
    # what is dropped is counted for its source all the same
    source = synward.json("top", "sources")["sources"][0]
    assert source["source"] == many and source["anomalies"]["count"] == 20


def test_services_without_a_policy(pair, synward):
    synward.attach(pair[1], options=QUICK)
    assert synward.json("top", "services")["services"] == []
    assert synward.expect(0, "top", "services").stdout == "the policy has no services\n"


def test_nothing_attached(synward):
    for what in ("sources", "services", "anomalies"):
        assert "nothing is attached" in synward.expect(1, "top", what).stderr


@pytest.mark.parametrize("argv, word", [
    (("everything",), "expected sources, services or anomalies, got everything"),
    (("sources", "services"), "got services as well"),
    (("--once", "--watch", "1"), "--once or --watch, not both"),
    (("anomalies", "--by", "syns"), "--by is for sources and services"),
    (("--by", "color"), "expected syns, anomalies or weight"),
    (("--limit", "0"), "expected a whole number from 1"),
])
def test_wrong_usage(synward, argv, word):
    assert word in synward.expect(2, "top", *argv).stderr


@ipv4
def test_watch_prints_again_with_rates(stage, synward, sender):
    known(synward, sender, stage.family)
    command = subprocess.Popen([BINARY, "top", "--watch", "0.2"], env=synward.environment(),
                               stdout=subprocess.PIPE, text=True)
    try:
        headings = 0
        for line in command.stdout:
            headings += line.split()[:4] == ["SOURCE", "SYNS", "±", "SYNS/S"]
            if headings == 3:
                break
    finally:
        command.kill()
        command.wait()
        command.stdout.close()
    assert headings == 3


@ipv4
def test_a_terminal_that_is_paper(stage, synward, sender):
    """Where no cursor can be moved there is one table, as in a pipe."""
    known(synward, sender, stage.family)
    ours, theirs = pty.openpty()
    done = subprocess.run([BINARY, "top"], env=synward.environment(TERM="dumb"), stdin=theirs,
                          stdout=theirs, stderr=theirs, timeout=20)
    os.close(theirs)
    text = b""
    with contextlib.suppress(OSError):  # EIO: that was all
        while part := os.read(ours, 65536):
            text += part
    os.close(ours)
    assert done.returncode == 0 and b"\033" not in text
    assert text.decode().count("SOURCE") == 1


# ---- live
