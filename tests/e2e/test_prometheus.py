# SPDX-License-Identifier: GPL-2.0-or-later
"""
A real Prometheus scrapes the exporter and evaluates the rules as they are shipped: under a flood an alert fires, and it
resolves behind it.
"""

import re
import socket

import pytest

import tcp
from causes import QUICK
from exporter import Exporter
from floods import apply, spoofed, talk
from net import wait_for
from prometheus import PLACE, Prometheus
from segments import SYN

PAGES, PORT = 9945, 9090
ALERT = "SynwardFlood"
ADAPTIVE = f"name: web, ports: [{tcp.PORT}], syn_flood: adaptive, flood: {{half_open: 50, calm: 3s}}"
CONFIGURATION = f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [synward.rules.yml, synward.alerts.yml]
scrape_configs:
  - job_name: synward
    static_configs: [{{targets: ["127.0.0.1:{PAGES}"]}}]
"""


@pytest.fixture
def attached(wire, synward, tmp_path):
    synward.attach(wire[1], options=(*QUICK, "--flood-way", "handover"))
    apply(synward, tmp_path, ADAPTIVE, more="")
    return wire


@pytest.fixture
def pages(lab, attached, synward):
    """Where the exporter is: on the loopback of the server."""
    space = attached[1].namespace
    Exporter(lab, synward.environment(), who=space.command(), listen=("--listen", f"127.0.0.1:{PAGES}"))
    return space


@pytest.fixture
def prometheus(lab, pages, tmp_path):
    for name in ("synward.rules.yml", "synward.alerts.yml"):
        text = (PLACE / name).read_text()
        (tmp_path / name).write_text(re.sub(r"for: \w+", "for: 1s", text))
    (tmp_path / "prometheus.yml").write_text(CONFIGURATION)
    lab.process(pages.command("prometheus", f"--config.file={tmp_path}/prometheus.yml",
                              f"--storage.tsdb.path={tmp_path}/data",
                              f"--web.listen-address=127.0.0.1:{PORT}"),
                stdout=(tmp_path / "log").open("w"), stderr=(tmp_path / "log2").open("w"))
    made = Prometheus(pages, PORT)
    wait_for(made.is_ready, lambda: (tmp_path / "log2").read_text()[-2000:], seconds=30)
    return made


def test_an_alert_fires_under_a_flood_and_resolves(attached, prometheus):
    near, far = attached
    family = socket.AF_INET
    wait_for(lambda: prometheus.value('up{job="synward"}') == 1, "a scrape")
    assert prometheus.value("synward_up") == 1 and prometheus.firing(ALERT) is None

    def fires():
        spoofed(near, far, family, SYN, 200)
        return prometheus.firing(ALERT)
    with tcp.listener(far, family) as server:
        alert = wait_for(fires, "the alert to fire")
        talk(near.namespace, server, b"hello")
    assert alert["labels"]["service"] == "web" and alert["labels"]["severity"] == "warning"
    assert "web" in alert["annotations"]["summary"] and "<no value>" not in str(alert)
    wait_for(lambda: prometheus.firing(ALERT) is None, "the alert to resolve")
    groups = prometheus.get("/api/v1/rules")["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}
    wait_for(lambda: prometheus.value("instance:synward_handshakes:rate5m"),
             "the connection to be scraped and evaluated")
    assert prometheus.value('instance_table:synward_table_entries:ratio{table="handshakes"}') > 0
    targets = prometheus.get("/api/v1/targets")["activeTargets"]
    assert [target["lastError"] for target in targets] == [""]
