# SPDX-License-Identifier: GPL-2.0-or-later
"""What the overlays say is what Kubernetes' own schema, and that of the Prometheus operator, have words for."""

import copy
import json

import pytest

import pods
from cli import BUILD
from net import run
from pods import KUBERNETES, objects

SCHEMA = BUILD / "schema"
WHY_NOT = pods.why_no_kustomize() or (None if SCHEMA.is_dir() else "npm could not fetch the schema: tests/fleet/schema/get")
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))


def wrong(found):
    return run("node", SCHEMA / "validate.mjs", input=json.dumps(found), check=False).stdout


@pytest.mark.parametrize("overlay", sorted(path.name for path in (KUBERNETES / "overlays").iterdir()))
def test_overlay(overlay):
    assert wrong([*objects(overlay).values()]) == ""


def test_what_is_wrong_is_found():
    found = copy.deepcopy(objects("default"))
    found["DaemonSet"]["spec"]["template"]["spec"]["hostNetwork"] = "yes please"
    found["PodMonitor"]["spec"]["podMetricsEndpoints"] = "metrics"
    said = wrong([*found.values()])
    assert "DaemonSet: " in said and "PodMonitor: " in said and len(said.splitlines()) >= 2
