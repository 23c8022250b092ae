# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told about policies: the score, readiness, limits and services, in every form."""

import json
import re
import shutil
import socket

import pytest

import tcp
from causes import QUICK, Stage
from cli import BINARY, fresh
from live import ONCE, events
from net import VANISHED, Lab, run, wait_for
from policies import Files, Gate
from reports import declared, on_terminal, samples, too_wide
from segments import ACK, FIN, PSH, SYN, Port

XMAS = FIN | PSH | 0x20
OTHER_PORT = 8082


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


@pytest.fixture
def gate(pair, synward, family):
    synward.attach(pair[1], options=QUICK)
    with Gate(*pair, family) as made:
        yield made


@pytest.fixture(scope="module")
def standing(bpffs, tmp_path_factory):
    """An end that is attached, for tests in which nobody sends anything."""
    with Lab() as lab, fresh(bpffs / "standing", tmp_path_factory.mktemp("standing") / "state") as made:
        end = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")[1]
        made.attach(end, options=QUICK)
        yield end, made


@pytest.fixture
def kept(standing):
    """The same for one of them, with the default policy."""
    yield standing
    standing[1].expect(0, "policy", "reset")


def score(synward):
    return synward.json("policy", "score")


def a_day_later(synward, *argv):
    """What the score says to whom it is a day later."""
    return run("unshare", "--time", "--fork", "--monotonic", str(24 * 3600), BINARY, *argv,
               "policy", "score", env=synward.environment()).stdout


def connect(gate, count=1, port=tcp.PORT):
    """Completed handshakes of the near end's own address."""
    with tcp.listener(gate.far, gate.family, port) as server:
        tcp.accepted(gate.near.namespace, server, count)


def test_the_score_tells_real_sources_from_others(gate, synward):
    """What a source met that completes a handshake later is not safe to drop."""
    for number, flags in ((gate.near.number, 0), (VANISHED, XMAS)):
        for _ in range(3):
            assert gate.passes(flags, number=number)
    before = score(synward)["anomalies"]
    for name in ("flags_null", "flags_xmas"):
        one = before[name]
        assert (one["would_drop"], one["suspects"], one["cleared"]) == (3, 1, 0), one
        assert (one["verdict"], one["words"]) == (
            "too_early", "too early: 0 of 1 sources completed a handshake so far")
    connect(gate)
    wait_for(lambda: score(synward)["anomalies"]["flags_null"]["cleared"] == 1, "its handshake")
    after = score(synward)
    null, xmas = after["anomalies"]["flags_null"], after["anomalies"]["flags_xmas"]
    assert (null["verdict"], null["words"]) == (
        "unsafe", "NOT safe: 1 of 1 sources completed a handshake later")
    assert (xmas["cleared"], xmas["verdict"]) == (0, "too_early")
    assert after["anomalies"]["flags_syn_fin"]["verdict"] == "not_seen"
    assert (after["forgotten"], after["enough"], after["too_early"]) == (0, False, True)
    assert after["completed"] == 1
    assert after["awaited"] == {"watched_ms": 24 * 3600 * 1000, "completed": 100}
    text = synward.expect(0, "policy", "score").stdout
    assert re.search(r"flags_null +3 +1 +1 +NOT safe$", text, re.M)
    assert re.search(r"flags_xmas +3 +1 +0 +too early$", text, re.M)
    assert "flags_null: NOT safe: 1 of 1 sources completed a handshake later" in text
    assert re.search(r"Too early to call any rule safe: that takes 1d of the usual traffic \(watched for "
                     r"[\w.]+\) and 100 completed handshakes \(so far 1\)\.", " ".join(text.split()))
    assert "flags_syn_fin" not in text and too_wide(text) == []
    assert "flags_syn_fin" in synward.expect(0, "policy", "score", "--all").stdout


def test_a_rule_is_called_safe_after_a_day_and_a_hundred_handshakes(gate, synward):
    def after_a_day():
        told = json.loads(a_day_later(synward, "-j"))
        return told["anomalies"]["flags_xmas"]["verdict"], told["enough"], told["too_early"]

    assert gate.passes(XMAS, number=VANISHED)
    connect(gate, 99)
    wait_for(lambda: score(synward)["completed"] == 99, "99 handshakes")
    assert after_a_day() == ("too_early", True, True)
    connect(gate)
    wait_for(lambda: score(synward)["completed"] == 100, "another one")
    assert score(synward)["anomalies"]["flags_xmas"]["verdict"] == "too_early"
    assert after_a_day() == ("safe", True, False)
    text = a_day_later(synward)
    assert re.search(r"flags_xmas +1 +1 +0 +safe to arm$", text, re.M)
    assert "Too early" not in text


def test_the_score_of_limits(gate, synward, files):
    synward.expect(0, "policy", "apply", files.services(
        f"name: web, ports: [{tcp.PORT}], limits: {{syn_rate: {{per_second: 1, burst: 2}}}}",
        f"name: other, ports: [{OTHER_PORT}], limits: {{half_open: {{per_source: 2}}}}"))
    for _ in range(5):
        assert gate.passes(SYN, dport=OTHER_PORT)
    connect(gate, 6)
    wait_for(lambda: score(synward)["limits"]["syn_rate"]["cleared"], "a handshake over the limit")
    limits = score(synward)["limits"]
    rate, half_open = limits["syn_rate"], limits["half_open_source"]
    assert rate["verdict"] == "unsafe" and 1 <= rate["would_drop"] <= 4
    assert rate["cleared"] == rate["suspects"] == rate["would_drop"]
    assert (half_open["would_drop"], half_open["suspects"], half_open["cleared"],
            half_open["verdict"]) == (3, 1, 0, "too_early")
    assert limits["block_list"]["verdict"] == "not_seen"
    text = synward.expect(0, "policy", "score").stdout
    assert "so earlier counts may belong to other limits" in text


def test_what_is_dropped_has_no_score(gate, synward, files):
    synward.expect(0, "policy", "apply", files.default("enforce"))
    assert not gate.passes()
    one = score(synward)["anomalies"]["flags_null"]
    assert (one["dropped"], one["suspects"], one["verdict"]) == (1, 0, "dropping")


def test_the_score_names_all_rules(kept):
    _, synward = kept
    told = score(synward)
    assert list(told["anomalies"]) == declared("anomaly.h", "#define SW_ANOMALIES")
    assert list(told["limits"]) == declared("limit.h", "#define SW_LIMITS")
    keys = {"seen", "would_drop", "dropped", "suspects", "cleared", "verdict", "words"}
    assert all(set(one) == keys for part in ("anomalies", "limits")
               for one in told[part].values())


def limited(files, mode):
    return files.services(
        f"name: web, ports: [{tcp.PORT}], limits: {{syn_rate: {{per_second: 1, burst: 1}}}}",
        "name: empty, ports: [1]", mode=mode)


def test_limits_and_services_in_stats(gate, synward, files):
    synward.expect(0, "policy", "apply", limited(files, "enforce"))
    with events(synward) as seen:
        assert gate.passes(SYN) and not gate.passes(SYN)
        assert not gate.passes() and not gate.passes(dport=99)
        limit = seen(lambda all: any(one["event_type"] == "limit" for one in all))
    stats = synward.stats()
    assert stats["limits"]["syn_rate"] == {"seen": 1, "would_drop": 0, "dropped": 1}
    assert list(stats["limits"]) == declared("limit.h", "#define SW_LIMITS")
    services = {one["name"]: one for one in stats["services"]}
    assert list(services) == ["web", "empty", "default"]
    assert (services["web"]["syns"], services["web"]["dropped"]) == (2, 2)
    assert services["web"]["limits"]["syn_rate"] == 1
    assert services["empty"]["syns"] == services["empty"]["dropped"] == 0
    assert services["default"]["dropped"] == 1
    assert stats["policy"]["mode"] == "enforce" and stats["policy"]["drops"] is True
    event, = [one for one in limit if one["event_type"] == "limit"]
    assert event["limit"] == {"name": "syn_rate", "service": "web", "verdict": "dropped",
                              "direction": "ingress"}
    assert event["src_ip"] == gate.near.address(gate.family, VANISHED)
    assert event["dest_port"] == tcp.PORT
    text = synward.expect(0, "stats").stdout
    assert re.search(r"^  syn_rate +1 +0 +1$", text, re.M) and too_wide(text) == []
    assert re.search(r"^  web +2 +0 +\d+ +1 +2$", text, re.M)
    # another policy has other services by those numbers
    for words, name in ((("apply", files.services("name: other, ports: [1]")), None), (("rollback",), "web")):
        synward.expect(0, "policy", *words)
        lines = synward.expect(0, "-j", "events", "--timeout", "0").stdout.splitlines()
        told, = [one for one in map(json.loads, lines) if one["event_type"] == "limit"]
        assert told["limit"].get("service") == name


def test_services_keep_their_counts_by_name(gate, synward, files):
    """Another policy numbers them anew; a rollback does, too."""
    web = f"name: web, ports: [{tcp.PORT}]"
    synward.expect(0, "policy", "apply", files.services(web))
    assert gate.passes(SYN)
    first = 'name: first, family: ' + ("ipv6" if gate.family == socket.AF_INET6 else "ipv4")
    synward.expect(0, "policy", "apply", files.services(f"{first}, ports: [99]", web))
    assert gate.passes(SYN) and gate.passes(SYN, dport=99)

    def syns():
        return {one["name"]: one["syns"] for one in synward.stats()["services"]}
    assert syns() == {"first": 1, "web": 2, "default": 0}
    for _ in range(4):  # every slot is written again
        synward.expect(0, "policy", "apply", files.services(web, f"{first}, ports: [99]"))
        synward.expect(0, "policy", "apply", files.services(f"{first}, ports: [99]", web,
                                                            mode="enforce"))
    assert syns() == {"first": 1, "web": 2, "default": 0}
    synward.expect(0, "policy", "rollback")
    assert syns() == {"first": 1, "web": 2, "default": 0}


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_metrics(gate, synward, files):
    metrics = synward.expect(0, "stats", "--prometheus").stdout
    assert "synward_service" not in metrics
    assert samples(metrics, "policy_info") == {'mode="monitor"': 1}
    synward.expect(0, "policy", "apply", limited(files, "enforce"))
    assert gate.passes(SYN) and not gate.passes(SYN)
    metrics = synward.expect(0, "stats", "--prometheus").stdout
    done = run("promtool", "check", "metrics", check=False, input=metrics)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert samples(metrics, "limits_total") == {
        f'limit="{name}",verdict="{verdict}"': float(name == "syn_rate" and verdict == "dropped")
        for name in declared("limit.h", "#define SW_LIMITS") for verdict in ("would_drop", "dropped")}
    assert samples(metrics, "service_syns_total") == {
        'service="web"': 2, 'service="empty"': 0, 'service="default"': 0}
    assert samples(metrics, "service_dropped_total")['service="web"'] == 1
    assert samples(metrics, "service_limits_total")['service="web",limit="syn_rate"'] == 1
    assert samples(metrics, "policy_info") == {'mode="enforce"': 1}
    assert (samples(metrics, "armed"), samples(metrics, "policy_pending")) == ({"": 1}, {"": 0})
    assert samples(metrics, "policy_services") == {"": 2}
    synward.expect(0, "disarm")
    synward.expect(0, "policy", "apply", files.default(), "--confirm", "60s")
    metrics = synward.expect(0, "stats", "--prometheus").stdout
    assert samples(metrics, "policy_pending") == {"": 1}
    assert "suspects" not in metrics and "cleared" not in metrics


def strict(synward, name="default"):
    return {one["name"]: one["strict"] for one in synward.json("status")["policy"]["services"]}[name]


def test_status_tells_whether_strict_rules_are_in_force(gate, synward, files):
    assert strict(synward) == "off"
    more = "  strict: yes\n  warm_up: {}\n"
    synward.expect(0, "policy", "apply", files.default("enforce", more.format("1h")))
    assert strict(synward) == "warming_up"
    assert re.search(r"^  default +enforce +warming up for 5\dm\w* more$",
                     synward.expect(0, "status").stdout, re.M)
    synward.expect(0, "policy", "apply", files.default("enforce", more.format("0s")))
    assert strict(synward) == "unsure"
    assert "both sides seen 0 of 8 times" in synward.expect(0, "status").stdout
    connect(gate, 5)
    wait_for(lambda: "both sides seen 5 of 8 times" in synward.expect(0, "status").stdout,
             "five handshakes")
    assert gate.passes(ACK)
    # what was seen goes on being true under another policy
    synward.expect(0, "policy", "apply", files.services("name: ssh, ports: [22]"))
    synward.expect(0, "policy", "apply", files.default("enforce", more.format("0s")))
    connect(gate, 3)
    wait_for(lambda: strict(synward) == "ready", "eight handshakes")
    status = synward.expect(0, "status").stdout
    assert re.search(r"^  default +enforce +ready$", status, re.M) and too_wide(status) == []


def test_each_interface_warms_up_by_itself(kept, files):
    """One more does not keep the others waiting, nor do many that come and go."""
    end, synward = kept
    synward.expect(0, "policy", "apply", files.default("enforce", "  strict: yes\n  warm_up: 1h\n"))
    before = warming_up(synward)
    assert before.keys() == {"s0"}
    space = end.namespace
    space.ip("link", "add", "d0", "type", "veth", "peer", "name", "d1")
    synward.expect(0, "attach", "d0", namespace=space)
    after = warming_up(synward)
    assert after.keys() == {"s0", "d0"}
    assert after["s0"] <= before["s0"] and after["s0"] < after["d0"]
    row, = synward.json("status")["policy"]["services"]
    assert row["strict"] == "warming_up" and row["strict_left_ms"] <= before["s0"]
    synward.expect(0, "policy", "apply", files.default("enforce", "  strict: yes\n  warm_up: 0s\n"))
    assert not warming_up(synward)
    synward.expect(0, "detach", "d0", namespace=space)


def warming_up(synward):
    """What status says of each interface for which strict rules have not watched for long enough."""
    row, = synward.json("status")["policy"]["services"]
    return {one["interface"]: one["left_ms"] for one in row["warming_up"]}


def test_status_tells_that_one_side_only_is_seen(gate, synward, files):
    """Clients' SYNs and ACKs come in, and the server's answers leave by another way."""
    synward.expect(0, "policy", "apply", files.default(
        "enforce", "  strict: yes\n  warm_up: 1h\n  timeouts: {syn_sent: 1s}\n"))
    with Port(gate.near) as port:
        for _ in range(16):
            syn = port.send(gate.segment(SYN, to=98))
            ack = gate.segment(ACK, to=98)
            ack.sport, ack.seq = syn.sport, syn.seq + 1
            port.send(ack)
    wait_for(lambda: strict(synward) == "suspended", "handshakes of one side")
    assert re.search(r"suspended for (59m|1h)\w*: one-sided handshakes",
                     synward.expect(0, "status").stdout)
    row, = synward.json("status")["policy"]["services"]
    assert 0 < row["strict_left_ms"] <= 3600000 and row["one_sided_ms"] < 60000


def test_status_tells_what_waits_and_what_came_back(kept, files):
    _, synward = kept
    status = synward.json("status")
    assert (status["mode"], status["policy"]["mode"]) == ("monitor", "monitor")
    synward.expect(0, "policy", "apply", limited(files, "monitor"), "--confirm", "1s")
    text = synward.expect(0, "status").stdout
    policy = synward.json("status")["policy"]
    if policy["pending"]:  # else the machine was slow
        assert 0 < policy["pending_ms"] <= 1000 and policy["limits"] == ["syn_rate"]
        assert "synward policy confirm" in text and "limits        syn_rate" in text
    wait_for(lambda: synward.json("status")["policy"]["rolled_back"] == 1, "the way back")
    assert "1 time, because nobody confirmed" in synward.expect(0, "status").stdout
    synward.expect(0, "policy", "apply", files.services("name: web, ports: [80], mode: enforce"))
    status = synward.json("status")
    assert (status["mode"], status["policy"]["mode"], status["policy"]["service_count"]) == (
        "enforce", "mixed", 1)
    assert "enforcing for some services" in synward.expect(0, "status").stdout
    assert too_wide(on_terminal(synward, "status", NO_COLOR="1")) == []
    file = files.write("version: 1\ndefault: {mode: enforce, actions: {scan: drop}}\n")

    def narrow(*words):
        return run(BINARY, *words, env=synward.environment(COLUMNS="50"), check=False).stdout
    assert " ".join(narrow("status").split()).count("syn_sent 2m7s") == 1
    for words in ("status", "stats --all", "list", "policy score", f"check-config {file}", "explain land", "doctor",
                  "block check 192.0.2.1", "policy reset", "policy rollback", "disarm", "arm", "top", "top services",
                  "top anomalies"):
        wide = [line for line in narrow(*words.split()).splitlines() if len(line) > 50]
        assert all(line.lstrip().startswith("->") or " " not in line.strip() for line in wide), wide
    for words in ((), ("attach",), ("policy",), ("policy", "apply"), ("check-config",)):
        text, _, _ = narrow("help", *words).partition("Examples:")
        assert [line for line in text.splitlines() if len(line) > 50] == []


def test_show_as_json(kept, files):
    _, synward = kept
    synward.expect(0, "policy", "apply", limited(files, "enforce"))
    shown = synward.json("policy", "show")
    assert shown["default"]["mode"] == "enforce" and shown["auto_block"]["enabled"] is False
    web = next(one for one in shown["services"] if one["name"] == "web")
    assert web["ports"] == [str(tcp.PORT)]
    assert web["limits"]["syn_rate"] == {"per_second": 1, "burst": 1}
    assert shown["state"]["limits"] == ["syn_rate"] and shown["state"]["service_count"] == 2


def test_lists_are_counted(kept):
    _, synward = kept
    synward.expect(0, "block", "add", "203.0.113.0/24", "2001:db8:ffff::/48")
    synward.expect(0, "allow", "add", "198.51.100.7")
    assert synward.json("status")["policy"]["lists"] == {"allow": 1, "block": 2}
    assert "lists         1 prefix allowed, 2 blocked" in synward.expect(0, "status").stdout
    synward.expect(0, "allow", "add", "198.51.100.9")
    assert "lists         2 prefixes allowed, 2 blocked" in synward.expect(0, "status").stdout
    synward.expect(0, "allow", "del", "198.51.100.9")
    metrics = synward.expect(0, "stats", "--prometheus").stdout
    assert samples(metrics, "list_entries") == {'list="allow"': 1, 'list="block"': 2}
    for name in ("allow", "block"):
        synward.expect(0, name, "del", "--all")


def test_explain_knows_limits(synward):
    for name in declared("limit.h", "#define SW_LIMITS"):
        one, = synward.json("explain", name)["explanations"]
        assert (one["kind"], one["name"]) == ("limit", name)
        assert one["meaning"] and one["condition"] and one["false_positives"]
        assert f"{name} (limit)" in synward.expect(0, "explain", name).stdout
    assert "block_list" in synward.expect(0, "explain").stdout


def test_disarmed_policies_are_told_as_such(kept, files):
    _, synward = kept
    synward.expect(0, "policy", "apply", files.default("enforce"))
    synward.expect(0, "disarm")
    assert "disarmed: nothing is dropped" in synward.expect(0, "policy", "show").stdout
    assert synward.stats()["policy"]["drops"] is False
    assert json.loads(synward.expect(0, "-j", "arm").stdout)["action"] == "armed"
    synward.expect(0, "policy", "reset")
    assert "only watches" in synward.expect(0, "arm").stdout


@ONCE
def test_a_blocked_source_is_an_event(gate, synward, files):
    """Proven by its handshake, then offending. Over IPv6 its /64 is ours, too, and never blocked."""
    path = files.write("version: 1\ndefault: {mode: monitor}\n"
                       "auto_block: {enabled: yes, offences: 2, window: 60s, expiry: 60s}\n")
    synward.expect(0, "policy", "apply", path)
    connect(gate)
    with events(synward) as seen:
        for _ in range(3):
            gate.passes(number=gate.near.number)
        all_of_them = seen(lambda all: any(one["event_type"] == "blocked" for one in all))
    event, = [one for one in all_of_them if one["event_type"] == "blocked"]
    assert event["src_ip"] == gate.near.address(gate.family) and "dest_ip" not in event
    policy = synward.json("status")["policy"]
    assert policy["auto_blocks"] == 1 and policy["auto_block"] is True
    assert "auto-blocks   1 of at most 1000 sources" in synward.expect(0, "status").stdout
    metrics = synward.expect(0, "stats", "--prometheus").stdout
    assert samples(metrics, "auto_blocked_sources") == {"": 1}
    assert samples(metrics, "auto_blocks_total") == {'result="blocked"': 1, 'result="refused"': 0}


def test_the_stage_is_unharmed_under_a_strict_policy(gate, synward, files):
    """Real handshakes of every kind go on as ever."""
    synward.expect(0, "policy", "apply", files.default("enforce", "  strict: yes\n  warm_up: 0s\n"))
    stage = Stage(gate.near, gate.far, gate.family)
    stage.accepted(30)
    stage.rejected(5)
    synward.expect_outcomes(accepted=30, rejected=5)
    assert synward.stats()["conservation"]["dropped"] == 0
