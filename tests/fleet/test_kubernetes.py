# SPDX-License-Identifier: GPL-2.0-or-later
"""
The manifests do on a node what they say: their own commands, in the image, as the users and with the capabilities that
stand there, in the order of a kubelet.
"""

import os
import pathlib
import signal
import subprocess
import urllib.error
import urllib.request

import pytest

import pods
from cli import ROOT
from conftest import VERSION
from net import patience, run, wait_for
from pods import KUBERNETES, Pod

WHY_NOT = pods.why_no_kustomize()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))

OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())
# {overlay: its init containers}. Patches by names would put those that are named before all others.
INITS = {"default": ["check", "attach", "apply"], "proven": ["check", "attach", "apply"],
         "upgrade": ["check", "attach", "upgrade", "apply"], "old-kernels": ["check", "attach", "upgrade", "apply"],
         "uninstall": ["detach"]}
FEW = {"BPF", "NET_ADMIN", "PERFMON"}
PRIVILEGES = {"default": FEW, "proven": FEW, "upgrade": FEW | {"SYS_ADMIN"}, "old-kernels": {"NET_ADMIN", "SYS_ADMIN"},
              "uninstall": FEW}
ENFORCE = "version: 1\ndefault: {mode: enforce}\n"
OTHER = "version: 1\ndefault: {mode: enforce, strict: yes}\n"
SYSCTL = "version: 1\nflood_defence: {way: kernel, set_syncookies: yes}\ndefault: {mode: enforce, syn_flood: adaptive}\n"


def ask(node, path):
    """What the exporter says to another host: the code and the text."""
    with node.outside.entered():
        try:
            with urllib.request.urlopen(f"http://{node.address}:9945{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:
            return None, ""


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_overlay(overlay):
    pod = Pod(overlay)
    assert [one["name"] for one in pod.inits] == INITS[overlay]
    given = {name: set(one["securityContext"]["capabilities"].get("add", [])) for name, one in pod.containers.items()}
    assert set().union(*given.values()) == PRIVILEGES[overlay]
    assert not any(one["securityContext"].get("privileged") for one in pod.containers.values())
    assert {one["image"] for one in pod.containers.values()} == {f"registry.example/synward:{VERSION}"}
    for name, one in pod.containers.items():
        # whoever is not root has none that he could use
        assert one["securityContext"]["runAsUser"] == 0 or given[name] <= {"BPF"}, name
    if "ConfigMap" in pod.objects:
        assert pod.files.keys() == {"attach.yaml", "synward.yaml"}
        assert pod.objects["PodMonitor"]["spec"]["selector"] == pod.daemonset["spec"]["selector"]


@pytest.fixture(scope="module")
def pod(node):
    """On a node that has it for the first time."""
    made = Pod("default")
    for capability in FEW:
        attach = made.containers["attach"]
        context = attach["securityContext"]["capabilities"]
        context["add"].remove(capability)
        said = node.run(made, "attach", code=1).stderr
        assert f"missing CAP_{capability}" in said, said
        context["add"].append(capability)
    node.init(made)
    return made


@pytest.fixture(scope="module")
def exporter(node, pod):
    process = node.start(pod, "exporter")
    wait_for(lambda: ask(node, "/healthz")[0] == 200, "the exporter to serve")
    return process


def test_the_first_policy_is_what_is_active_already(node, pod):
    """It only watches, so nobody has to confirm it."""
    assert node.ready(pod)
    assert "eth0" in node.run(pod, "policy", ["synward", "status"]).stdout


def test_the_exporter_has_no_capability_and_reads(node, pod, exporter):
    assert ask(node, "/readyz")[0] == 200
    assert "\nsynward_up 1" in ask(node, "/metrics")[1]
    [child] = pathlib.Path("/proc", str(exporter.pid), "task", str(exporter.pid), "children").read_text().split()
    status = dict(line.split(":\t", 1) for line in pathlib.Path("/proc", child, "status").read_text().splitlines()
                  if ":\t" in line)
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert status["Uid"].split() == ["9945"] * 4 and status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("name", ["policy", "exporter"])
def test_what_stays_ends_when_it_is_asked(node, pod, name):
    """It is the first process there, which the kernel spares any signal that it does not handle. Only the exporter tidies up."""
    if name == "exporter":
        pod.containers[name]["command"][-1] = "127.0.0.1:0"
    process = node.start(pod, name, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # each says this, or its heading, when it has begun: of the exporter it is the last thing before it serves
    begun = {"policy": "half-open", "exporter": "be read"}[name]
    assert any(begun in line for line in process.stdout)
    process.terminate()
    assert process.wait(timeout=pod.spec["terminationGracePeriodSeconds"] * patience()) == (
        0 if name == "exporter" else 128 + signal.SIGTERM)


def test_a_node_is_ready_when_its_policy_is_confirmed(node, pod):
    pod.files["synward.yaml"] = ENFORCE
    assert "policy confirm" in node.init(pod)["apply"]
    assert not node.ready(pod)
    node.run(pod, "policy", ["synward", "policy", "confirm"])
    assert node.ready(pod)
    # as the pod that comes after a reboot, a new image or another label does it
    assert "no change" in node.init(pod)["apply"]
    assert node.ready(pod)


def test_what_nobody_confirms_is_taken_back_and_the_node_stays_unready(node, pod):
    before = pod.files["synward.yaml"]
    pod.files["synward.yaml"] = OTHER
    pod.set("apply", "CONFIRM", "1s")
    node.init(pod)
    diff = ["synward", "policy", "diff", "/etc/synward/synward.yaml"]
    wait_for(lambda: node.run(pod, "policy", diff, code=None).returncode == 3, "the kernel to go back")
    assert not node.ready(pod)
    pod.files["synward.yaml"] = before
    node.init(pod)
    assert node.ready(pod)


def test_a_bad_file_goes_no_further_than_its_check(node, pod):
    bad = Pod("default")
    bad.files["synward.yaml"] = "version: 1\ndefault: {mode: fast}\n"
    assert "synward.yaml:2" in node.run(bad, "check", code=2).stderr


def test_a_sysctl_is_not_for_a_pod_to_set(node, pod):
    """It is told, and the policy before stays."""
    other = Pod("default")
    other.files["synward.yaml"] = SYSCTL
    node.space.sysctl("net.ipv4.tcp_syncookies", 1)
    said = node.run(other, "apply", code=1).stderr
    assert "tcp_syncookies" in said and "Read-only file system" in said, said
    node.run(pod, "check")  # writes its own file again
    assert node.ready(pod)
    node.space.sysctl("net.ipv4.tcp_syncookies", 2)
    node.run(other, "apply")
    assert not node.ready(other)
    node.run(pod, "policy", ["synward", "policy", "rollback"])
    node.space.sysctl("net.ipv4.tcp_syncookies", 1)


@pytest.mark.parametrize("overlay", ["upgrade", "old-kernels"])
def test_others_change_nothing(node, pod, overlay):
    other = Pod(overlay)
    other.files["synward.yaml"] = pod.files["synward.yaml"]
    said = node.init(other)
    assert "already at this version" in said["upgrade"] and "already attached" in said["attach"]
    assert node.ready(other)


def test_proven_waits_for_nobody(node, pod):
    proven = Pod("proven")
    proven.files["synward.yaml"] = OTHER
    assert "policy confirm" not in node.init(proven)["apply"]
    assert node.ready(proven)


KUBECTL = """#!/bin/sh
# What stands for a cluster of one node: a roll-out that is complete when the pod is ready.
case "$*" in
*" rollout status "*) exec {ready} ;;
*" get pods "*) echo pod-1/False ;;
*" exec pod-1 -c policy -- "*) while [ "$1" != -- ]; do shift; done; shift; exec {run} "$@" ;;
*) echo "kubectl $*: not expected" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def confirm(node, tmp_path):
    """Runs the script beside the manifests, with a kubectl that knows this node only."""
    def words(pod, command):
        helper = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        argv = node.argv(pod, pod.containers["policy"], ["COMMAND"])
        program = ("import json, os, sys\n"
                   f"argv = {argv!r}\nspec = json.loads(argv[-1])\n"
                   f"spec['command'] = {command!r} or sys.argv[1:]\n"
                   "os.execvp(argv[0], argv[:-1] + [json.dumps(spec)])\n")
        helper.write_text(f"#!/usr/bin/python3 -B\n{program}")
        helper.chmod(0o755)
        return helper

    def confirmed(pod):
        probe = pod.containers["policy"]["readinessProbe"]["exec"]["command"]
        fake = tmp_path / "kubectl"
        fake.write_text(KUBECTL.format(ready=words(pod, probe), run=words(pod, None)))
        fake.chmod(0o755)
        return run(KUBERNETES / "confirm", check=False, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})

    return confirmed


def test_confirm_goes_along_with_a_roll_out(node, pod, confirm):
    pod.files["synward.yaml"] = ENFORCE
    pod.set("apply", "CONFIRM", "10m")
    node.init(pod)
    assert not node.ready(pod)
    done = confirm(pod)
    assert done.returncode == 0 and "confirmed: default enforces" in done.stdout, done
    assert node.ready(pod)


def test_confirm_ends_where_a_node_has_gone_back(node, pod, confirm):
    before = pod.files["synward.yaml"]
    pod.files["synward.yaml"] = OTHER
    node.init(pod)
    node.run(pod, "policy", ["synward", "policy", "rollback"])
    done = confirm(pod)
    assert done.returncode == 1 and "went back to the policy before" in done.stderr, done
    pod.files["synward.yaml"] = before


def test_a_pod_that_goes_leaves_the_hooks_and_uninstall_does_not(node, pod, exporter):
    place = node.host_path("/sys/fs/bpf/synward-pods")
    assert [path.name for path in place.iterdir()] == ["synward"]  # no container but the exporter runs
    assert "detached" in node.init(Pod("uninstall"))["detach"]
    assert not list(place.iterdir())
    assert ask(node, "/readyz")[0] == 503
    node.init(Pod("uninstall"))  # as after a reboot
    done = node.start(Pod("uninstall"), "done")
    assert done.poll() is None
    place.rmdir()
    place.parent.rmdir()
