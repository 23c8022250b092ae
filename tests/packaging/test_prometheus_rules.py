# SPDX-License-Identifier: GPL-2.0-or-later
"""
What Prometheus is given: each alert fires, resolves, and stays quiet where nothing is wrong, as promtool
plays it; its words hold, and it has a heading in docs/alerts.md.
"""

import dataclasses
import json
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / "packaging" / "prometheus"
RULES = PLACE / "synward.rules.yml"
FLEET = PLACE / "synward.fleet.rules.yml"
ALERTS = PLACE / "synward.alerts.yml"
SECONDS = 15  # between two scrapes


def promtool(*argv, **options):
    return subprocess.run(["promtool", *map(str, argv)], capture_output=True, text=True, timeout=60,
                          check=False, **options)


@dataclasses.dataclass(frozen=True)
class Case:
    """Series by scrapes: what is wrong from the second on, and over later; and what looks like it."""

    wrong: dict
    right: dict
    quiet: dict
    wait: int  # scrapes until it fires
    resolved: int = 4  # and until it is over, from the first one on that is right


def state(metric, name, values):
    return {f"{metric}{{{name}}}": values}


INSTANCE = 'instance="host:1"'
HANDSHAKES = 'synward_table_capacity{table="handshakes"}'
ENTRIES = 'synward_table_entries{table="%s"}'
WEB = 'service="web"'
HOOK = 'interface="eth0",netns="1",hook="ingress"'
ALWAYS = f'synward_flood_reason{{{WEB},reason="always"}}'

# A text is how much a counter grows with each scrape.
CASES = {
    "SynwardFlood": Case({f"synward_flood_active{{{WEB}}}": 1, ALWAYS: 0},
                         {f"synward_flood_active{{{WEB}}}": 0, ALWAYS: 0},
                         {f"synward_flood_active{{{WEB}}}": 1, ALWAYS: 1}, 4),
    "SynwardDefenceSteppedAside": Case(
        {f'synward_flood_self_check{{{WEB},phase="aside"}}': 1},
        {f'synward_flood_self_check{{{WEB},phase="aside"}}': 0},
        {f'synward_flood_self_check{{{WEB},phase="answers"}}': 1,
         f'synward_flood_self_check{{{WEB},phase="aside"}}': 0}, 2),
    "SynwardAcceptQueueFull": Case({f"synward_accept_queues_full{{{WEB}}}": 1},
                                   {f"synward_accept_queues_full{{{WEB}}}": 0},
                                   {f"synward_accept_queues_full{{{WEB}}}": 0,
                                    f"synward_flood_queue_looks_total{{{WEB}}}": "+100",
                                    f"synward_flood_queue_full_total{{{WEB}}}": "+1"}, 4),
    "SynwardHalfOpenPressure": Case({ENTRIES % "handshakes": 700, HANDSHAKES: 1024},
                                    {ENTRIES % "handshakes": 100, HANDSHAKES: 1024},
                                    {ENTRIES % "handshakes": 500, HANDSHAKES: 1024}, 8),
    "SynwardHookLost": Case(state("synward_hook_health", f'{HOOK},health="detached"', 1),
                            state("synward_hook_health", f'{HOOK},health="detached"', 0),
                            {**state("synward_hook_health", f'{HOOK},health="ok"', 1),
                             **state("synward_hook_health", f'{HOOK},health="unknown"', 1)}, 4),
    "SynwardDegraded": Case(state("synward_degraded_reason", 'reason="defence"', 1),
                            state("synward_degraded_reason", 'reason="defence"', 0),
                            state("synward_degraded_reason", 'reason="hook_unknown"', 1), 20),
    "SynwardEventsLost": Case(state("synward_events_total", 'result="lost"', "+10"),
                              state("synward_events_total", 'result="lost"', "+0"),
                              state("synward_events_total", 'result="suppressed"', "+10"), 1, 24),
    "SynwardTableNearlyFull": Case(
        {ENTRIES % "connections": 950, 'synward_table_capacity{table="connections"}': 1000},
        {ENTRIES % "connections": 800, 'synward_table_capacity{table="connections"}': 1000},
        {ENTRIES % "auto_blocks": 1, 'synward_table_capacity{table="auto_blocks"}': 0}, 20),
    "SynwardEvicting": Case(state("synward_evictions_total", 'table="connections"', "+100"),
                            state("synward_evictions_total", 'table="connections"', "+0"),
                            state("synward_evictions_total", 'table="connections"', "+1"), 9, 12),
    "SynwardPolicyUnconfirmed": Case({"synward_policy_pending": 1}, {"synward_policy_pending": 0},
                                     {"synward_policy_pending": 0}, 2),
    "SynwardPolicyRolledBack": Case({"synward_policy_rollbacks_total": "+1"},
                                    {"synward_policy_rollbacks_total": "+0"},
                                    {"synward_policy_rollbacks_total": "+0"}, 1, 64),
    "SynwardDisarmed": Case({"synward_armed": 0}, {"synward_armed": 1}, {"synward_armed": 1}, 120),
    "SynwardSecretsDiffer": Case(
        {'synward_cookie_secret_info{id="0a"}': 1, 'synward_cookie_secret_info{id="0b"}': 1},
        {'synward_cookie_secret_info{id="0a"}': 1, 'synward_cookie_secret_info{id="0b"}': 0},
        {'synward_cookie_secret_info{id="0a"}': 1, 'synward_cookie_secret_info{id="0b",job="elsewhere"}': 1}, 120),
    "SynwardDropsBeforePrograms": Case(
        {'synward_link_drops_total{interface="eth0",netns="1",counter="rx_missed_errors"}': "+3000"},
        {'synward_link_drops_total{interface="eth0",netns="1",counter="rx_missed_errors"}': "+0"},
        {'synward_link_drops_total{interface="eth0",netns="1",counter="rx_dropped"}': "+3000"},
        24, 24),
    "SynwardExporterDown": Case({'up{job="synward"}': 0}, {'up{job="synward"}': 1},
                                {'up{job="other"}': 0}, 8),
    "SynwardUnreadable": Case({"synward_up": 0}, {"synward_up": 1}, {"synward_up": 1}, 8),
    "SynwardMetricsOld": Case(
        {'node_textfile_mtime_seconds{file="/var/lib/x/synward.prom"}': 0},
        {'node_textfile_mtime_seconds{file="/var/lib/x/synward.prom"}': 1_000_000},
        {'node_textfile_mtime_seconds{file="/var/lib/x/other.prom"}': 0}, 14),
}


def series(value, scrapes, start=0):
    """So many scrapes; a text is how much a counter grows with each, from where it starts."""
    return f"{start}{value}x{scrapes - 1}" if isinstance(value, str) else f"{value}x{scrapes - 1}"


def with_labels(name):
    """As a scrape makes it: of an instance and a job."""
    metric, _, labels = name.partition("{")
    labels = [label for label in labels.rstrip("}").split(",") if label]
    if not any(label.startswith("job=") for label in labels):
        labels.append('job="synward"')
    return f"{metric}{{{','.join([*labels, INSTANCE])}}}"


def input_series(first, then=None, scrapes=160):
    rows = []
    for name, value in first.items():
        values = series(value, scrapes)
        if then is not None:
            reached = int(value) * (scrapes - 1) if isinstance(value, str) else 0
            values = f"{values} {series(then[name], scrapes, reached)}"
        rows.append({"series": with_labels(name), "values": values})
    return rows


def firing(alert, scrape, count):
    expression = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)'
    return {"expr": expression, "eval_time": f"{scrape * SECONDS}s",
            "exp_samples": [{"labels": "{}", "value": count}]}


def scenario(alert, case):
    """It is not there before its time, is there at its time, and goes."""
    scrapes = 160
    return [
        {"interval": f"{SECONDS}s", "input_series": input_series(case.wrong, case.right, scrapes),
         "promql_expr_test": [
             *([firing(alert, max(0, case.wait // 2 - 1), 0)] if case.wait > 1 else []),
             firing(alert, case.wait + 1, 1),
             firing(alert, scrapes - 1, 1),
             firing(alert, scrapes + case.resolved, 0)]},
        {"interval": f"{SECONDS}s", "input_series": input_series(case.quiet, None, scrapes),
         "promql_expr_test": [firing(alert, at, 0) for at in (4, 40, scrapes - 1)]},
    ]


def play(tmp_path, scenarios):
    path = tmp_path / "test.json"  # which is YAML, too
    path.write_text(json.dumps({"rule_files": [str(ALERTS), str(RULES), str(FLEET)],
                                "evaluation_interval": f"{SECONDS}s", "tests": scenarios}))
    return promtool("test", "rules", path)


def names(path, key):
    return re.findall(rf"^ +- {key}: (\S+)$", path.read_text(), re.MULTILINE)


def test_promtool_takes_them():
    for path in (RULES, FLEET, ALERTS):
        done = promtool("check", "rules", path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_is_a_configuration(tmp_path):
    text = (PLACE / "prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(text.replace("/usr/share/synward/prometheus", str(PLACE)))
    done = promtool("check", "config", tmp_path / "prometheus.yml")
    assert done.returncode == 0 and "2 rule files found" in done.stdout, done.stdout + done.stderr


def test_each_has_a_case():
    assert names(ALERTS, "alert") == list(CASES)


@pytest.mark.parametrize("alert", CASES)
def test_it_fires_resolves_and_is_quiet(alert, tmp_path):
    done = play(tmp_path, scenario(alert, CASES[alert]))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", CASES)
def test_its_words_are_whole(alert, tmp_path):
    """promtool names what it got where nothing is expected."""
    case = CASES[alert]
    done = play(tmp_path, [{"interval": f"{SECONDS}s", "input_series": input_series(case.wrong),
                            "alert_rule_test": [{"alertname": alert, "exp_alerts": [],
                                                 "eval_time": f"{(case.wait + 2) * SECONDS}s"}]}])
    said = done.stdout + done.stderr
    assert done.returncode and "severity=" in said, said
    for wrong in ("no value", "error", "{{", "NaN", "%!"):
        assert wrong not in said, said
    for name in ("summary=", "description=", "runbook="):
        assert name in said, said


def test_each_says_why_it_waits_and_where_to_read_on():
    text = ALERTS.read_text()
    page = (ROOT / "docs" / "alerts.md").read_text()
    for alert in CASES:
        part = re.search(rf"((?:      #.*\n)+)      - alert: {alert}\n(.*?)(?=\n\n|\Z)", text, re.DOTALL)
        assert part, f"{alert} has no reason for its patience"
        assert f'runbook: "alerts.md#{alert.lower()}"' in part[2]
        assert re.search(r"severity: (critical|warning|info)$", part[2], re.MULTILINE)
        assert f"\n## {alert}\n" in page
    assert re.findall(r"^## (Synward\w+)$", page, re.MULTILINE) == list(CASES)


def test_recording_rules(tmp_path):
    count = '{instance="host:1",job="synward"%s}'
    bucket = "synward_handshake_duration_seconds_bucket" + count % ',stage="syn_to_synack",le="%s"'
    inputs = {
        "synward_handshakes_total" + count % ',outcome="accepted"': "0+300x40",
        "synward_handshakes_total" + count % ',outcome="half_open"': "0+100x40",
        "synward_handshakes_total" + count % ',outcome="midstream"': "0+900x40",
        bucket % "0.001": "0+50x40", bucket % "0.002": "0+100x40", bucket % "+Inf": "0+100x40",
        "synward_table_entries" + count % ',table="handshakes"': "5x40",
        "synward_table_capacity" + count % ',table="handshakes"': "10x40",
        "synward_cookies_sent_total" + count % "": "0+100x40",
        "synward_cookies_accepted_total" + count % "": "0+25x40",
    }
    plain = 'instance="host:1", job="synward"'
    expected = {
        f"instance:synward_handshakes:rate5m{{{plain}}}": 400 / SECONDS,
        f"instance:synward_handshakes_failed:ratio5m{{{plain}}}": 0.25,
        f'instance_table:synward_table_entries:ratio{{{plain}, table="handshakes"}}': 0.5,
        f"instance:synward_cookies_accepted:ratio5m{{{plain}}}": 0.25,
        f'instance_stage:synward_handshake_duration_seconds:p50_5m{{{plain}, stage="syn_to_synack"}}':
            0.001,
    }
    tests = [{"expr": f"round({name.partition('{')[0]}, 0.000001)", "eval_time": "8m",
              "exp_samples": [{"labels": "{" + name.partition("{")[2], "value": round(value, 6)}]}
             for name, value in expected.items()]
    done = play(tmp_path, [{"interval": f"{SECONDS}s", "promql_expr_test": tests, "input_series": [
        {"series": name, "values": values} for name, values in inputs.items()]}])
    assert done.returncode == 0, done.stdout + done.stderr


def test_recording_rules_of_a_fleet(tmp_path):
    """Two hosts, of which one has two floods and a policy to be confirmed."""
    inputs = {}
    for host, pending in (("a:1", 0), ("b:1", 1)):
        of = f'{{instance="{host}",job="synward"%s}}'
        inputs |= {"synward_up" + of % "": "1x40", "synward_policy_pending" + of % "": f"{pending}x40",
                   "synward_handshakes_total" + of % ',outcome="accepted"': "0+300x40"}
    inputs |= {f'synward_flood_active{{instance="b:1",job="synward",service="{name}"}}': "1x40" for name in ("web", "ssh")}
    expected = {"job:synward_up:count": 2, "job:synward_handshakes:rate5m": 600 / SECONDS,
                "job:synward_flood_active:count": 1, "job:synward_policy_pending:sum": 1}
    tests = [{"expr": f"round({name}, 0.000001)", "eval_time": "8m",
              "exp_samples": [{"labels": '{job="synward"}', "value": round(value, 6)}]} for name, value in expected.items()]
    done = play(tmp_path, [{"interval": f"{SECONDS}s", "promql_expr_test": tests, "input_series": [
        {"series": name, "values": values} for name, values in inputs.items()]}])
    assert done.returncode == 0, done.stdout + done.stderr
