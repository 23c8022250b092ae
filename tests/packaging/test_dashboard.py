# SPDX-License-Identifier: GPL-2.0-or-later
"""The dashboard has what Grafana's import asks for, and looks as it was meant to."""

import json
import re
import subprocess

import pytest

from prometheus import PLACE, asked, expressions, recorded

DASHBOARD = json.loads((PLACE / "synward-dashboard.json").read_text())
PANELS = DASHBOARD["panels"]
DRAWN = [panel for panel in PANELS if panel["type"] != "row"]
WIDTH = 24


def test_what_the_import_asks_for():
    assert DASHBOARD["schemaVersion"] >= 36 and DASHBOARD["id"] is None
    assert DASHBOARD["title"] and re.fullmatch(r"[\w-]{1,40}", DASHBOARD["uid"])
    assert isinstance(DASHBOARD["__inputs"], list) and DASHBOARD["__requires"]
    for key in ("from", "to"):
        assert DASHBOARD["time"][key]


def test_variables():
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "instance", "interface"]
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == \
        ("datasource", "prometheus")
    text = json.dumps(DASHBOARD)
    assert set(re.findall(r"\$\{?(\w+)", text)) <= {*variables, "__rate_interval", "__all"}
    for name in variables:
        assert re.search(rf"\$\{{?{name}\b", text), f"nobody uses {name}"


def test_each_panel_is_one_of_its_own():
    ids = [panel["id"] for panel in PANELS]
    assert len(set(ids)) == len(ids)
    titles = [panel["title"] for panel in PANELS]
    assert len(set(titles)) == len(titles)
    taken = {}
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= WIDTH and place["w"] > 0 and place["h"] > 0
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]


@pytest.mark.parametrize("panel", DRAWN, ids=lambda panel: panel["title"])
def test_a_panel(panel):
    assert panel["type"] in {one["id"] for one in DASHBOARD["__requires"] if one["type"] == "panel"}
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"] and panel["targets"]
    letters = [target["refId"] for target in panel["targets"]]
    assert len(set(letters)) == len(letters)
    for source in (panel, *panel["targets"]):
        assert source["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for target in panel["targets"]:
        assert '$instance"' in target["expr"]
        assert target["expr"].count("(") == target["expr"].count(")")


def test_all_that_is_asked_is_explained():
    page = (PLACE.parents[1] / "docs" / "metrics.md").read_text()
    for where, expression in expressions():
        for name in asked(expression):
            short = re.sub(r"_bucket$", "", name)
            assert name in recorded() if ":" in name else f"`{short}`" in page, (where, name)


def test_what_is_recorded_is_needed_or_named():
    """A recording rule costs memory in each Prometheus."""
    assert {name.split(":")[0] for name in recorded()} <= \
        {"instance", "instance_outcome", "instance_stage", "instance_table", "instance_interface"}


def test_promtool_understands_all_that_is_asked(tmp_path):
    variables = {"$instance": ".*", "$interface": ".*", "$__rate_interval": "5m"}
    rules = []
    for where, expression in expressions():
        if where.startswith(("panel", "annotation")):
            for name, value in variables.items():
                expression = expression.replace(name, value)
            rules.append({"record": f"panel:{len(rules)}", "expr": expression})
    path = tmp_path / "rules.json"  # which is YAML, too
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(rules) > len(DRAWN)
