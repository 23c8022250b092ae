# SPDX-License-Identifier: GPL-2.0-or-later
"""What synward prints, to people and to programs."""

import datetime
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

import tcp
from causes import QUICK, Stage
from cli import BINARY, ROOT, fresh
from net import NOBODY, VANISHED, Lab, run, wait_for
from reports import declared, on_terminal, samples, too_wide
from segments import ACK, SYN, Port

VERBS = ("attach", "detach", "status", "stats", "list", "events", "replay", "version", "help")
LONG = ("--handshakes", "8192", "--timeout", "syn_sent=60s", "--timeout", "syn_received=60s")


@pytest.fixture
def stage(pair):
    return Stage(*pair, socket.AF_INET)


@pytest.fixture(scope="module")
def busy(bpffs, tmp_path_factory):
    """Something of everything in the books, for all tests that only read them."""
    with Lab() as lab, fresh(bpffs / "busy", tmp_path_factory.mktemp("busy") / "state") as synward:
        ends = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        stage = Stage(*ends, socket.AF_INET)
        synward.attach(stage.far, options=QUICK)
        stage.accepted(20)
        stage.rejected(5)
        stage.unsolicited_synack(3)
        synward.expect_outcomes(accepted=20, rejected=5, unsolicited_synack=3)
        yield synward


def section(text, heading):
    """The rows of a table in a report, from its heading to the next one."""
    lines = text.splitlines()
    rows = [line.split() for line in lines[next(i for i, line in enumerate(lines)
                                                if line.startswith(f"  {heading} ")) + 1:]]
    return rows[:next((i for i, row in enumerate(rows) if row[0].isupper()), len(rows))]


def test_shares_are_of_what_began_with_a_syn(busy):
    text = busy.expect(0, "stats").stdout
    assert section(text, "OUTCOME") == [["accepted", "20", "80.0%"], ["rejected", "5", "20.0%"]]
    assert section(text, "OTHER FLOWS") == [["unsolicited_synack", "3"]]
    every = busy.expect(0, "stats", "--all").stdout
    others = [name for name, *_ in section(every, "OTHER FLOWS")]
    assert [name for name, *_ in section(every, "OUTCOME")] + others == declared(
        "outcome.h", "#define SW_OUTCOMES")
    assert others == ["unsolicited_synack", "synack_pickup", "midstream", "illegal_first",
                      "undecodable"]


def test_every_outcome_and_anomaly_is_always_in_the_json(busy):
    stats = busy.stats()
    assert list(stats["handshakes"]) == declared("outcome.h", "#define SW_OUTCOMES")
    assert list(stats["anomalies"]) == declared("anomaly.h", "#define SW_ANOMALIES")
    assert len(stats["handshakes"]) == 18 and len(stats["anomalies"]) > 50
    assert all(set(one) == {"seen", "would_drop", "dropped"} for one in stats["anomalies"].values())
    assert stats["schema"] == 1
    stamp = datetime.datetime.strptime(stats["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert abs(stamp.timestamp() * 1000 - stats["timestamp_unix_ms"]) < 2


def test_json_is_one_line_unless_pretty(busy):
    for verb in ("status", "stats", "list"):
        plain = busy.expect(0, "-j", verb).stdout
        pretty = busy.expect(0, "-j", "-p", verb).stdout
        assert plain.count("\n") == 1 and pretty.count("\n") > 5
        assert json.loads(plain).keys() == json.loads(pretty).keys()


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_likes_the_metrics(busy):
    metrics = busy.expect(0, "stats", "--prometheus").stdout
    done = run("promtool", "check", "metrics", check=False, input=metrics)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_metrics_say_what_the_json_says(busy):
    metrics = busy.expect(0, "stats", "--prometheus").stdout
    stats = busy.stats()
    assert samples(metrics, "handshakes_total") == {
        f'outcome="{name}"': count for name, count in stats["handshakes"].items()}
    assert samples(metrics, "half_open") == {"": 0}
    for name, one in stats["anomalies"].items():
        parts = [value for labels, value in samples(metrics, "anomalies_total").items()
                 if f'anomaly="{name}"' in labels]
        assert len(parts) == 3 and sum(parts) == one["seen"]
    seen = sum(one[way]["seen"] for one in stats["interfaces"] for way in ("ingress", "egress"))
    assert sum(samples(metrics, "packets_total").values()) == seen
    assert sum(samples(metrics, "packet_kinds_total").values()) == seen
    assert samples(metrics, "handshake_duration_seconds_count") == {
        'stage="syn_to_synack"': 20, 'stage="synack_to_ack"': 20}
    assert "10.77" not in metrics, "addresses are no labels"


def test_list_shows_both_ends_their_states_age_and_isns(stage, synward):
    synward.attach(stage.far, options=LONG)
    with tcp.listener(stage.far, stage.family), Port(stage.near) as port:
        synack = port.exchange(stage._syn(VANISHED), SYN | ACK)
        alone = port.send(stage._syn(VANISHED, to=NOBODY))
        wait_for(lambda: synward.stats()["half_open"] == 2, "the second SYN")
    listed = synward.json("list")
    assert listed["total"] == listed["shown"] == 2
    answered, silent = sorted(listed["handshakes"], key=lambda one: one["orig"]["port"])
    assert answered["orig"] == {"ip": synack.dst, "port": synack.dport, "state": "SYN-SENT",
                                "isn": synack.ack - 1 & 0xFFFFFFFF}
    assert answered["resp"] == {"ip": synack.src, "port": synack.sport, "state": "SYN-RECEIVED",
                                "isn": synack.seq}
    assert (silent["orig"]["isn"], silent["resp"]["state"]) == (alone.seq, "LISTEN")
    assert "isn" not in silent["resp"]
    assert [answered[name] for name in ("src_ip", "src_port", "dest_ip", "dest_port")] == [
        synack.dst, synack.dport, synack.src, synack.sport]
    assert listed["handshakes"][0]["age_ms"] >= listed["handshakes"][1]["age_ms"] >= 0
    assert 0 < silent["expires_ms"] <= 60000
    wait_for(lambda: synward.json("list")["handshakes"][1]["age_ms"] > 100, "their ages to grow")

    text = synward.expect(0, "list").stdout
    for word in ("SYN-SENT/SYN-RECEIVED", "SYN-SENT/LISTEN", synack.seq, alone.seq,
                 f"{synack.dst}:{synack.dport}", f"{alone.dst}:{alone.dport}"):
        assert str(word) in text
    assert len(text.splitlines()) == 3, "headings, and a line each"
    limited = synward.json("list", "--limit", 1)
    assert (limited["total"], limited["shown"], len(limited["handshakes"])) == (2, 1, 1)

    def chosen(*filters):
        listed = synward.json("list", *filters)
        assert listed["total"] == listed["shown"] == len(listed["handshakes"])
        return [one["orig"]["port"] for one in listed["handshakes"]]

    both = [one["orig"]["port"] for one in listed["handshakes"]]
    assert chosen("--state", "syn_received") == [synack.dport]
    assert chosen("--state", "syn_sent", "--port", alone.dport) == [alone.sport]
    assert chosen("--port", alone.dport + 1) == []
    assert chosen("--age", "100ms", "--service", "default") == both
    assert chosen("--age", "1h") == []
    refused = synward.expect(2, "list", "--service", "web").stderr
    assert refused == ("synward: the active policy has no service web: 'synward policy show' prints "
                       "it\n")


def test_events_follow_while_traffic_flows(stage, lab, synward):
    """JSON lines in the shape of EVE, one for each handshake, as they end."""
    synward.attach(stage.far, options=QUICK)
    reader = lab.process([BINARY, "-j", "events", "--count", 16, "--timeout", "30s"],
                         env=synward.environment(), stdout=subprocess.PIPE)
    stage.accepted(10)
    stage.rejected(5)
    first, *events = [json.loads(line) for line in reader.communicate(timeout=40)[0].splitlines()]
    assert reader.returncode == 0 and first["interface"]["action"] == "attached"
    by_outcome = {}
    for event in events:
        assert list(event)[:8] == ["timestamp", "event_type", "in_iface", "src_ip", "src_port",
                                   "dest_ip", "dest_port", "proto"]
        assert event["event_type"] == "handshake"
        assert (event["in_iface"], event["proto"]) == ("s0", "TCP")
        assert (event["src_ip"], event["dest_ip"]) == ("10.77.1.1", "10.77.1.2")
        stamp = datetime.datetime.strptime(event["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z")
        assert abs(stamp.timestamp() * 1000 - event["timestamp_unix_ms"]) < 2
        assert abs((datetime.datetime.now(datetime.timezone.utc) - stamp).total_seconds()) < 60
        by_outcome.setdefault(event["handshake"]["outcome"], []).append(event)
    assert {name: len(those) for name, those in by_outcome.items()} == {"accepted": 10,
                                                                        "rejected": 5}
    for event in by_outcome["accepted"]:
        assert set(event["handshake"]["latency_us"]) == {"syn_to_synack", "synack_to_ack"}
        assert event["handshake"]["isn"].keys() == {"orig", "resp"}
    assert all(event["handshake"]["reason"] == "rst" for event in by_outcome["rejected"])
    tallies = synward.stats()["tallies"]
    assert (tallies["events_sent"], tallies["events_lost"]) == (15, 0)


@pytest.mark.parametrize("timeout", ("0", "1ms"))
def test_events_that_wait_are_told_however_late_they_are_asked_for(busy, timeout):
    """Before 1 ms is over hardly any program has begun: then the events were silently left out."""
    told = busy.expect(0, "-j", "events", "--timeout", timeout).stdout.splitlines()
    assert len([line for line in told if '"event_type":"handshake"' in line]) == 28


def test_the_budget_of_events_is_kept_and_what_is_over_it_counted(stage, synward):
    synward.attach(stage.far, options=(*QUICK, "--events-per-second", 5))
    stage.accepted(200)
    tallies = synward.expect_outcomes(accepted=200)["tallies"]
    assert tallies["events_sent"] + tallies["events_suppressed"] + tallies["events_lost"] == 200
    assert tallies["events_suppressed"] > 100
    read = synward.expect(0, "-j", "events", "--timeout", "200ms").stdout
    assert read.count('"event_type":"handshake"') == tallies["events_sent"]


def test_colours_only_on_a_terminal_and_never_with_no_color(busy):
    for verb in ("status", "stats"):
        assert "\033[" in on_terminal(busy, verb), verb
        assert "\033" not in on_terminal(busy, verb, NO_COLOR="1"), verb
        assert "\033" not in busy.expect(0, verb).stdout, verb


@pytest.mark.parametrize("argv", (["status"], ["stats"], ["stats", "--all"]), ids=" ".join)
def test_text_fits_80_columns(busy, argv):
    assert too_wide(busy.expect(0, *argv).stdout) == []


def test_a_list_fits_80_columns(stage, synward):
    """With IPv4 addresses as short as these."""
    synward.attach(stage.far, options=LONG)
    stage.half_open(1)
    stage.no_response(1)
    text = on_terminal(synward, "list", NO_COLOR="1")
    assert "SYN-RECEIVED" in text
    assert too_wide(text) == []


@pytest.mark.parametrize("columns", (40, 60, 80))
def test_a_narrow_terminal_is_not_overrun(busy, columns):
    """But for examples, which are to be copied whole."""
    def told(*words):
        return run(BINARY, *words, check=False, env=busy.environment(COLUMNS=str(columns))).stdout.splitlines()

    for words in (("status",), ("help",), ("policy", "--help"), ("detach", "--help")):
        wide = [line for line in told(*words) if len(line) > columns and not line.startswith("  synward")]
        assert not wide, words
    lines = told("status")
    first = next(i for i, line in enumerate(lines) if line.startswith("timeouts"))
    more = itertools.takewhile(lambda line: line.startswith(14 * " "), lines[first + 1:])
    rows = [line[14:].split() for line in (lines[first], *more)]
    assert sum(map(len, rows)) == 10 and not any(len(row) % 2 for row in rows), "each name has its time beside it"


def test_a_message_is_one_write(synward, tmp_path):
    """Or the lines of two commands that write to one place would be mixed."""
    for words in (("genkey",), ("sta\xfftus",)):
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, its, open(tmp_path / "out", "w", encoding="utf-8") as out:
            subprocess.run([BINARY, *words], env=synward.environment(), stdout=out, stderr=its, timeout=60, check=False)
            its.close()
            line = ours.recv(65536)
            assert line.startswith(b"synward: ") and line.endswith(b"\n") and ours.recv(65536) == b"", line


@pytest.mark.parametrize("verb", VERBS)
def test_help_fits_80_columns(synward, verb):
    text = synward.expect(0, "help", verb).stdout
    assert text == synward.expect(0, verb, "--help").stdout
    assert too_wide(text) == [] and f"synward {verb}" in text


def test_help_names_every_command(synward):
    text = synward.expect(0, "help").stdout
    assert too_wide(text) == []
    assert all(re.search(rf"^  {verb}\b", text, re.M) for verb in VERBS)
    assert (ROOT / "VERSION").read_text().strip() in synward.expect(0, "version").stdout


def test_the_first_process_of_a_container_can_be_ended(pair, lab, synward):
    """Of which the kernel keeps each signal away that it has no handler for."""
    synward.attach(pair[1])
    for how, *command in ((signal.SIGTERM, "stats", "--watch", "100ms"),
                          (signal.SIGINT, "top", "--watch", "100ms"), (signal.SIGTERM, "events")):
        outside = lab.process(["unshare", "--pid", "--fork", "--kill-child", BINARY, *command],
                              env=synward.environment(), stdout=subprocess.PIPE)
        assert outside.stdout.readline(), "it is at work"
        inside = pathlib.Path(f"/proc/{outside.pid}/task/{outside.pid}/children").read_text()
        os.kill(int(inside), how)
        outside.stdout.read()
        assert outside.wait(20) == (0 if command == ["events"] else 128 + how)
