# SPDX-License-Identifier: GPL-2.0-or-later
"""
The kernel's TCP answers as ever, whatever is in front of it: scripts of segments, each played against
a kernel by itself, one that is watched, and one whose strict rules are all in force.
"""

import itertools

import pytest

import battery_client
import battery_data
import battery_server
import tcp
from battery import SCRIPTS, Host
from causes import FAMILIES, QUICK
from cli import Synward
from net import Lab
from policies import Files

PORTS = itertools.count(20000)
ENFORCE = "  strict: yes\n  warm_up: 0s\n"


class Stage:
    """Hosts that differ in what is in front of their kernels."""

    def __init__(self, lab, bpffs, directory):
        self.lab, self.bpffs, self.directory = lab, bpffs, directory
        self.synward, self.hosts = {}, {}
        for name in ("alone", "watched", "guarded"):
            self.ends = lab.wire(lab.namespace(f"peer-{name}"), "c0",
                                 lab.namespace(name), "s0", subnet=1, offloads=False)
            if name != "alone":
                self.attach(name)
            # an XDP program turns it on, and with it segments are not those of the script
            self.ends[1].namespace.run("ethtool", "-K", "s0", "gro", "off")
            for family in FAMILIES.values():
                self.hosts[name, family] = Host(*self.ends, family, PORTS)

    def attach(self, name):
        near, far = self.ends
        made = self.synward[name] = Synward(self.bpffs / f"battery-{name}", self.directory / name)
        self.lab.callback(made.run, "detach", "--all", "--force")
        made.attach(far, options=QUICK)
        made.expect(0, "policy", "apply", Files(self.directory).default(
            "enforce" if name == "guarded" else "monitor", ENFORCE))
        with tcp.listener(far, FAMILIES["ipv4"]) as server:
            tcp.accepted(near.namespace, server, 8)
        row, = made.json("status")["policy"]["services"]
        assert row["strict"] == "ready"

    def count(self, name, anomaly, what):
        return self.synward[name].stats()["anomalies"][anomaly][what]

    def check(self):
        for synward in self.synward.values():
            synward.await_books()
        assert self.synward["watched"].stats()["conservation"]["dropped"] == 0


@pytest.fixture(scope="module")
def hosts(bpffs, tmp_path_factory):
    with Lab() as lab:
        made = Stage(lab, bpffs, tmp_path_factory.mktemp("battery"))
        yield made
        made.check()


def test_there_is_a_script_for_everything():
    assert len(SCRIPTS) >= 60
    assert {one.play.__module__ for one in SCRIPTS.values()} == {
        one.__name__ for one in (battery_client, battery_data, battery_server)}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", [name for name, one in SCRIPTS.items() if not one.attack])
def test_an_honest_script_is_answered_alike(hosts, family, name):
    alone, watched, guarded = (hosts.hosts[where, FAMILIES[family]].play(SCRIPTS[name])
                               for where in ("alone", "watched", "guarded"))
    assert alone == watched
    assert alone == guarded


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", [name for name, one in SCRIPTS.items() if one.attack])
def test_an_attack_is_answered_by_nothing(hosts, family, name):
    """The last answer of a script that attacks does not come, and the rule that says so counts."""
    script, family = SCRIPTS[name], FAMILIES[family]
    before = {where: hosts.count(where, script.attack, what)
              for where, what in (("watched", "would_drop"), ("guarded", "dropped"))}
    alone, watched = (hosts.hosts[where, family].play(script) for where in ("alone", "watched"))
    assert alone == watched
    guarded = hosts.hosts["guarded", family]
    guarded.patience = 0  # what is answered is answered before the marker is
    with pytest.raises(AssertionError, match="the kernel to say more"):
        guarded.play(script)
    guarded.patience = tcp.SECONDS
    assert hosts.count("watched", script.attack, "would_drop") == before["watched"] + 1
    assert hosts.count("guarded", script.attack, "dropped") == before["guarded"] + 1
