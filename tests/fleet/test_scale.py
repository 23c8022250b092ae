# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/fleet.md says that a host costs a Prometheus is what it costs."""

import re

import pytest

from cli import ROOT, fresh
from exporter import Exporter
from net import Lab
from prometheus import asked, expressions

PAGE = (ROOT / "docs" / "fleet.md").read_text()
ROW = re.compile(r"^\| (one interface, .*?) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|", re.M)
DROPPED = re.compile(re.search(r"^ +regex: (synward_\(.*\))$", PAGE, re.M)[1])
TWO = """services:
- {name: web, ports: [80, 443], mode: enforce, syn_flood: adaptive}
- {name: ssh, ports: [22], mode: enforce}
"""
MANY = "services:\n" + "".join(f"- {{name: s{i}, ports: [{1000 + i}], mode: enforce, syn_flood: adaptive}}\n"
                               for i in range(63))
POLICIES = {"one interface, no service": "", "one interface, two services": TWO, "one interface, 63 services": MANY}


@pytest.fixture(scope="module")
def rows():
    return {words[0]: [int(word.replace(",", "")) for word in words[1:]] for words in ROW.findall(PAGE)}


def test_each_row(rows, tmp_path):
    assert rows.keys() == POLICIES.keys()
    with Lab() as lab:
        _, end = lab.wire(lab.namespace("far"), "far0", lab.namespace("host"), "eth0")
        with fresh("/sys/fs/bpf/scale", tmp_path / "state") as synward:
            synward.attach(end)
            exporter = Exporter(lab, synward.environment())
            for name, text in POLICIES.items():
                policy = tmp_path / "policy.yaml"
                policy.write_text(f"version: 1\n{text}")
                synward.expect(0, "policy", "apply", policy)
                body = exporter.ask("/metrics").body
                series = [line for line in body.splitlines() if line and not line.startswith("#")]
                kept = [line for line in series if not DROPPED.fullmatch(re.match(r"\w+", line)[0])]
                assert [len(series), len(kept)] == [rows[name][0], rows[name][2]], name
                assert len(body) == pytest.approx(rows[name][1], rel=0.1), name
            exporter.end()


def test_no_alert_and_no_recording_rule_asks_for_what_is_dropped():
    rules = [(where, name) for where, expression in expressions() if where.endswith(".yml") for name in asked(expression)]
    assert rules and not [(where, name) for where, name in rules if DROPPED.fullmatch(name)]
