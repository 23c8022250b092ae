# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes in is seen by TC instead of XDP: with the same outcomes, and the wire keeps what XDP would take from it."""

import json
import shutil
import socket

import pytest

import stopped
import tcp
from causes import FAMILIES, QUICK, Stage
from cli import BINARY
from floods import ALL_OPTIONS, ALWAYS, DATA, UNHEARD, Crowd, apply, spoofed, talk, wait_for_flood
from hooks import put_on_tcx, xdp_program
from net import wait_for
from policies import Files
from segments import SYN
from test_repair import detach_link

V4 = socket.AF_INET
SPOOFED = 400
ETHERNET_MSS = 1448
WORDS = ": Underlying driver does not support XDP in native mode)"


def features(end):
    """What a device leaves to its driver, as ethtool -k says it."""
    return end.namespace.run("ethtool", "-k", end.name).stdout.splitlines()[1:]


def attach(synward, end, *options):
    synward.attach(end, options=(*QUICK, "--mode", "tc", *options))
    interface, = synward.json("status")["interfaces"]
    assert interface["mode"] == "tc" and interface["ok"] and xdp_program(end) is None
    return interface


def left_behind(end):
    """What is on the hooks of an end."""
    space = end.namespace
    return space.run("tc", "qdisc", "show", "dev", end.name).stdout.count("clsact"), \
        [row for row in json.loads(space.run("bpftool", "-j", "net", "show").stdout)[0].values() if row]


@pytest.mark.parametrize("hook", ("tcx", "clsact"))
def test_outcomes_and_drops(pair, synward, tmp_path, hook):
    """Of both families, on one attach. The other end goes on sending large segments."""
    near, far = pair
    before = features(near), features(far)
    interface = attach(synward, far, "--tc", hook)
    assert interface["ingress"]["hook"] == interface["egress_hook"] == hook
    for number, family in enumerate(FAMILIES.values(), 1):
        stage = Stage(near, far, family)
        stage.accepted(20)
        stage.rejected(5)
        stage.half_open(5)
        synward.expect_outcomes(accepted=20 * number, rejected=5 * number, half_open=5 * number)
    assert (features(near), features(far)) == before
    seen = synward.stats()["interfaces"][0]["ingress"]["seen"]
    with tcp.listener(far, V4) as server:
        talk(near.namespace, server)
    seen = synward.stats()["interfaces"][0]["ingress"]["seen"] - seen
    assert seen < len(DATA) / ETHERNET_MSS / 4, "they come as large as they were sent"
    synward.expect(0, "policy", "apply", Files(tmp_path).write("version: 1\ndefault:\n  mode: enforce\n"))
    for family in FAMILIES.values():
        spoofed(near, far, family, 0, 10)
    wait_for(lambda: synward.stats()["anomalies"]["flags_null"]["dropped"] == 20, "all to be dropped")
    assert synward.stats()["interfaces"][0]["ingress"]["dropped"] == 20
    assert 'mode="tc"' in synward.expect(0, "stats", "--prometheus").stdout
    synward.expect(0, "detach", "s0", namespace=far.namespace)
    assert left_behind(far) == (0, [])
    assert not synward.pin_dir.exists()


@pytest.mark.parametrize("hook, heard", (("tcx", True), ("clsact", False)))
def test_clients_get_in_through_a_flood(pair, synward, tmp_path, hook, heard):
    """
    By cookies that TC sends, although the other end of the wire takes nothing from XDP; and the hand-over is the same
    program's. With the policy's word each SYN is answered, else one has to be heard from time to time.
    """
    near, far = pair
    attach(synward, far, "--flood-way", "handover", "--tc", hook)
    apply(synward, tmp_path, ALWAYS, more="" if heard else UNHEARD)
    wait_for_flood(synward, "web", True)
    crowd = Crowd(near, far)
    for family in FAMILIES.values():
        with tcp.listener(far, family) as server:
            spoofed(near, far, family, SYN, SPOOFED)
            for _ in range(5):
                assert talk(near.namespace, server, prepare=crowd.join).client.options == ALL_OPTIONS
    stats = synward.stats()
    tallies, flood = stats["tallies"], synward.json("status")["interfaces"][0]["flood"]
    assert tallies["cookies_sent"] == stats["conservation"]["answered"]
    assert tallies["cookies_accepted"] == tallies["handovers"] > 0
    assert tallies["cookies_unsent"] == tallies["handovers_failed"] == 0
    if heard:
        assert tallies["cookies_sent"] > SPOOFED
    else:
        assert (tallies["cookies_sent"], tallies["handovers"]) == (2 * SPOOFED + 10, 10)
    assert flood["handover"]["health"] == "ok" and flood["sent_by"] == "tc"


def test_the_life_of_its_hook(pair, synward):
    """Repaired as it was, replaced by an upgrade, and not shared with another program that ends the chain before it."""
    near, far = pair
    put_on_tcx(far, "ingress", "last")
    attach(synward, far)
    detach_link(synward, "tcx_ingress")
    assert json.loads(synward.expect(3, "-j", "status").stdout)["interfaces"][0]["ingress"]["health"] == "detached"
    assert "s0: repaired (tc, tcx)" in synward.attach(far).stdout
    synward.expect(0, "upgrade")
    ingress = synward.json("status")["interfaces"][0]["ingress"]
    assert (ingress["health"], ingress["hook"], ingress["before"]) == ("ok", "tcx", [])
    Stage(near, far, V4).no_response(1)
    assert synward.stats()["interfaces"][0]["ingress"]["seen"]
    done = synward.attach(far, options=("--mode", "native"), code=1)
    assert "not as --mode asks for" in done.stderr


def test_a_forgotten_filter_is_in_the_way_of_xdp(pair, synward):
    """A filter outlives its pins, and would count all once more."""
    attach(synward, pair[1], "--tc", "clsact")
    shutil.rmtree(synward.pin_dir)
    done = synward.attach(pair[1], options=("--mode", "native"), code=1)
    assert "s0: an ingress filter has the priority" in done.stderr
    assert "tc filter del dev s0 ingress protocol all pref" in done.stderr


@pytest.mark.parametrize("how", (("--mode", "native"), ("--mode", "tc"), ("--mode", "tc", "--tc", "clsact")))
def test_another_instance_is_not_taken_off_by_hand(pair, synward, how):
    """Whose the program is that is in the way, and how that instance is ended: also what doctor advises."""
    far, beside = pair[1], f"{synward.pin_dir}-beside"
    synward.attach(far, options=(*QUICK, *how))
    refused = synward.run("--pin-dir", beside, "attach", *QUICK, *how, "s0", namespace=far.namespace)
    assert refused.returncode == 1
    assert f"s0: another synward has it already, that of {synward.pin_dir}; remove it first, " \
        f"for example: synward --pin-dir {synward.pin_dir} detach s0" in refused.stderr
    if "native" in how:
        advice = synward.run("--pin-dir", beside, "doctor", "s0", namespace=far.namespace).stdout
        assert f"synward --pin-dir {synward.pin_dir} detach s0" in " ".join(advice.split())
    synward.expect(0, "status")


def test_auto_takes_it_where_there_is_no_native_xdp(lab, synward, tmp_path):
    """The loopback device has none: auto says so, and native refuses. Drivers are not asked once more for why."""
    space = lab.namespace("alone")

    def attach_lo(*options):
        return synward.run("attach", *QUICK, *options, "lo", namespace=space)

    counted = space.run(BINARY, "attach", *QUICK, "--mode", "native", "lo", check=False,
                        env=synward.environment(LD_PRELOAD=str(stopped.build(tmp_path, "asked"))))
    assert "times, 2 for a link\n" in counted.stderr, "with the program, and one for frames in several buffers"
    refused = attach_lo("--mode", "native")
    assert refused.returncode == 1 and "--mode tc" in refused.stderr
    assert WORDS in refused.stderr, "the kernel's own, since Linux 6.6"
    assert not synward.pin_dir.exists()
    done = attach_lo()
    assert done.returncode == 0 and "lo: attached (tc, tcx)" in done.stdout
    assert "lo: at TC instead of XDP: its driver does not take an XDP program (" in done.stderr
    assert WORDS in done.stderr
    with space.socket(V4) as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        tcp.accepted(space, server, 10)
    synward.expect_outcomes(accepted=10)
