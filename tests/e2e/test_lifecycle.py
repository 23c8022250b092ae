# SPDX-License-Identifier: GPL-2.0-or-later
"""What is attached works by itself, harms no traffic, and goes without a trace."""

import contextlib
import pathlib
import random
import signal
import socket
import subprocess
import time

import pytest

import tcp
from causes import FAMILIES, QUICK, Stage
from cli import BINARY, fresh
from hooks import xdp_program
from net import Lab, run, stop, wait_for
from objects import expect_gone
from transfers import Transfer

V4 = socket.AF_INET


@pytest.fixture
def stage(pair):
    return Stage(*pair, V4)


@pytest.fixture(scope="module")
def standing(bpffs, tmp_path_factory):
    """A stage and a synward that stays attached, for tests that leave it so."""
    with Lab() as lab, fresh(bpffs / "standing", tmp_path_factory.mktemp("standing") / "state") as made:
        ends = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        made.attach(ends[1], options=QUICK)
        yield Stage(*ends, V4), made


@pytest.fixture
def watched(standing):
    stage, synward = standing
    return stage, synward.begin()


def start(lab, synward, *argv, namespace=None, **options):
    """A synward that goes on until it is killed."""
    command = [BINARY, *argv]
    return lab.process(namespace.command(*command) if namespace else command,
                       env=synward.environment(), **options)


def test_it_works_without_any_process(watched):
    """The loader has ended by the time attach() returns; nothing else was ever started."""
    stage, synward = watched
    stage.accepted(30)
    stage.rejected(10)
    synward.expect_outcomes(accepted=30, rejected=10)


def test_kill_9_of_readers_changes_nothing(stage, lab, synward):
    synward.attach(stage.far, options=QUICK)
    events = start(lab, synward, "-j", "events", stdout=subprocess.PIPE)
    watch = start(lab, synward, "stats", "--watch", "100ms", stdout=subprocess.PIPE)
    stage.accepted(20)
    assert "attached" in events.stdout.readline() and "accepted" in events.stdout.readline()
    assert watch.stdout.readline()
    before = synward.objects()
    for reader in (events, watch):
        assert stop(reader, signal.SIGKILL) == -signal.SIGKILL
    stage.accepted(20)
    stage.rejected(5)
    synward.expect_outcomes(accepted=40, rejected=5)
    assert synward.objects() == before
    assert "accepted" in synward.expect(0, "-j", "events", "--count", 2).stdout, "the next reader"


@pytest.fixture(scope="module")
def aborted(tmp_path_factory):
    """What keeps programs from being run, for a while: the environment for it."""
    library = tmp_path_factory.mktemp("aborted") / "aborted.so"
    run("cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library,
        pathlib.Path(__file__).with_name("aborted.c"))
    return lambda runs: {"LD_PRELOAD": str(library), "ABORTED_RUNS": str(runs)}


def attach_where(synward, stage, environment):
    return stage.far.namespace.run(BINARY, "attach", stage.far.name, check=False,
                                   env=synward.environment(**environment))


def test_a_timer_that_the_kernel_has_no_memory_for_is_asked_for_again(stage, synward, aborted):
    done = attach_where(synward, stage, aborted(3))
    assert (done.returncode, done.stderr) == (0, "")
    assert synward.json("status")["sweeper"] == "running"


def test_without_the_timer_nothing_is_attached(stage, synward, aborted):
    done = attach_where(synward, stage, aborted(1000000))
    assert done.returncode == 1
    assert "the kernel did not start the sweeper's timer" in done.stderr
    assert not synward.is_attached() and not synward.pin_dir.exists()
    synward.attach(stage.far)
    stage.accepted(3)


def test_kill_9_of_attach_at_any_moment_is_repaired(stage, lab, synward):
    """Whatever an attach that died has left, the next one and a detach cope with it."""
    moments = random.Random(1)
    began = time.monotonic()
    synward.attach(stage.far, options=QUICK)
    takes = time.monotonic() - began
    for _ in range(4):
        synward.expect(0, "detach", "--all")
        attach = start(lab, synward, "attach", *QUICK, stage.far.name,
                       namespace=stage.far.namespace, stdout=subprocess.PIPE)
        time.sleep(moments.uniform(0, takes))  # not a wait: any moment will do
        stop(attach, signal.SIGKILL)
        if moments.random() < 0.5:
            synward.expect(0, "detach", "--all")
            assert xdp_program(stage.far) is None
        synward.attach(stage.far)
    synward.expect(0, "detach", "--all")
    synward.attach(stage.far, options=QUICK)
    stage.accepted(5)
    synward.expect_outcomes(accepted=5)


def steady_wire(lab, offloads):
    """A wire where no loss is guessed from what is late on a busy machine."""
    ends = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0", offloads=offloads)
    for end in ends:
        end.namespace.sysctl("net.ipv4.tcp_early_retrans", 0)
    return ends


@pytest.mark.parametrize("where, offloads", (("receiver", True), ("sender", True),
                                             ("receiver", False)))
def test_attach_under_live_traffic_loses_no_segment(lab, synward, where, offloads):
    near, far = steady_wire(lab, offloads)
    end = far if where == "receiver" else near

    def received():
        return synward.stats()["interfaces"][0]["ingress"]["kinds"]["tcp"]

    with contextlib.ExitStack() as going_on:
        transfers = [going_on.enter_context(Transfer(near, far, family, tcp.PORT))
                     for family in FAMILIES.values()]
        wait_for(lambda: all(one.bytes > 10**5 for one in transfers), "both to be under way")
        synward.attach(end, options=QUICK)
        before = received()
        wait_for(lambda: received() > before + 1000, "their traffic to be seen")
        for transfer in transfers:
            transfer.expect_whole()
    assert synward.outcomes() == {"midstream": 2}, "each once"


@pytest.mark.parametrize("hook", ("tcx", "clsact"))
def test_detach_leaves_nothing(stage, synward, hook):
    """Neither programs nor maps nor links, pins, qdiscs or filters; and traffic goes on."""
    def state():
        far = stage.far.namespace
        return (far.run("tc", "qdisc", "show", "dev", "s0").stdout,
                far.run("tc", "filter", "show", "dev", "s0", "egress").stdout,
                far.run("ip", "-d", "link", "show", "dev", "s0").stdout)

    clean = state()
    synward.attach(stage.far, options=(*QUICK, "--tc", hook))
    assert state() != clean
    ours = synward.objects()
    assert len(ours.programs) >= 2 and len(ours.maps) >= 8 and ours.links
    status = synward.json("status")
    assert status["interfaces"][0]["egress_hook"] == hook
    stage.accepted(20)
    stage.rejected(5)
    synward.expect_outcomes(accepted=20, rejected=5)

    done = synward.expect(0, "detach", stage.far.name, namespace=stage.far.namespace)
    assert stage.far.name in done.stdout
    assert not synward.pin_dir.exists()
    assert state() == clean
    expect_gone(ours)
    stage.accepted(5)
    assert synward.run("stats").returncode == 1


def test_detach_is_over_when_it_returns(stage, lab, synward):
    """Not a moment later: what comes then would be followed by half, hence called one-sided."""
    _, other = lab.wire(stage.near.namespace, "c1", stage.far.namespace, "s1", subnet=2)
    synward.attach(other, options=QUICK)
    for _ in range(3):
        synward.attach(stage.far)
        synward.expect(0, "detach", "s0", namespace=stage.far.namespace)
        stage.accepted(5)
    synward.expect_outcomes()


def test_a_qdisc_that_was_there_stays(stage, synward):
    """clsact is taken away only by who brought it."""
    stage.far.namespace.tc("qdisc", "add", "dev", "s0", "clsact")
    synward.attach(stage.far, options=(*QUICK, "--tc", "clsact"))
    synward.expect(0, "detach", "--all")
    assert "clsact" in stage.far.namespace.run("tc", "qdisc", "show", "dev", "s0").stdout


def test_several_interfaces_share_the_maps(lab, synward):
    """Of two network namespaces even; each has its traffic, all have one table."""
    client, one, two = map(lab.namespace, ("client", "one", "two"))
    stages = [Stage(*lab.wire(client, "c1", one, "s1", subnet=1), V4),
              Stage(*lab.wire(client, "c2", two, "s2", subnet=2), V4)]
    for number, stage in enumerate(stages):
        synward.attach(stage.far, options=QUICK if number == 0 else ())
        stage.accepted(10 + number)
    stats = synward.expect_outcomes(accepted=21)
    assert [one["name"] for one in stats["interfaces"]] == ["s1", "s2"]
    assert all(one["ingress"]["kinds"]["tcp"] >= 30 for one in stats["interfaces"])

    before = synward.objects()
    synward.expect(0, "detach", "s1")  # from outside of its namespace
    stages[1].accepted(5)
    stats = synward.expect_outcomes(accepted=26)
    assert [one["name"] for one in stats["interfaces"]] == ["s2"]
    wait_for(lambda: synward.objects().links < before.links, "the end of its links")


@pytest.mark.parametrize("again", ("s0", "another"), ids=("name", "altname"))
def test_an_interface_that_is_named_twice(stage, synward, again):
    """Is attached once: nothing was missing that had to be repaired."""
    space = stage.far.namespace
    # a policy whose way takes one more hook, which comes when all are attached
    synward.state_dir.mkdir(parents=True)
    (synward.state_dir / "policy.yaml").write_text(
        "version: 1\nservices: [{name: web, ports: [8080], syn_flood: always}]\n")
    space.ip("link", "property", "add", "dev", "s0", "altname", "another")
    done = synward.expect(0, "attach", *QUICK, "s0", again, namespace=space)
    assert [line.split(" (")[0] for line in done.stdout.splitlines()] == ["s0: attached",
                                                                        "s0: already attached"]
    assert len(synward.json("status")["interfaces"]) == 1


def test_attach_twice_is_attach_once(watched):
    stage, synward = watched
    stage.accepted(10)
    before = synward.objects()
    again = synward.attach(stage.far)
    assert "already" in again.stdout
    assert synward.objects() == before
    stage.accepted(10)
    synward.expect_outcomes(accepted=20)


@pytest.mark.parametrize("hook", ("xdp", "tcx"))
def test_a_hook_that_was_taken_away_is_noticed_and_put_back(watched, hook):
    """By bpftool, on purpose: status says so with exit code 3, and attach repairs it."""
    stage, synward = watched
    stage.accepted(10)
    pin = next((synward.pin_dir / "links").glob(f"*/{hook}"))
    stage.far.namespace.run("bpftool", "link", "detach", "pinned", pin)
    status = synward.expect(3, "status")
    assert "degraded" in status.stdout and "synward attach s0" in status.stdout
    assert synward.run("-j", "status").returncode == 3
    assert "repaired" in synward.attach(stage.far).stdout
    synward.expect(0, "status")
    stage.accepted(10)
    synward.expect_outcomes(accepted=20)


def test_an_interface_that_is_gone_is_reported_and_can_be_detached(stage, synward):
    synward.attach(stage.far, options=QUICK)
    stage.near.namespace.ip("link", "del", "c0")
    assert "gone" in synward.expect(3, "status").stdout
    assert "gone" in synward.expect(0, "detach", "s0").stdout
    assert not synward.pin_dir.exists()


def test_a_million_handshakes_fit_into_96_mb(stage, synward):
    synward.attach(stage.far, options=("--handshakes", 1000000))
    status = synward.json("status")
    assert status["tables"]["handshakes"]["capacity"] == 1000000
    memory = status["memory"]
    assert set(memory["maps"]) == {path.name for path in (synward.pin_dir / "maps").iterdir()}
    assert 60e6 < memory["total_bytes"] <= 96e6
    assert memory["total_bytes"] == sum(memory["maps"].values())
    assert f"{memory['total_bytes']:,}" in synward.expect(0, "status").stdout
    stage.accepted(10)
    synward.expect_outcomes(accepted=10)


def test_generic_mode_when_asked_for(stage, synward):
    """Who asks for generic gets generic, and it is no failure; status says it."""
    synward.attach(stage.far, options=(*QUICK, "--mode", "generic"))
    assert synward.json("status")["interfaces"][0]["mode"] == "generic"
    assert "generic" in synward.expect(0, "status").stdout
    stage.accepted(10)
    stage.rejected(5)
    synward.expect_outcomes(accepted=10, rejected=5)


def test_expiry_goes_on_in_the_kernel(watched):
    """The sweeper lives by its map, not by a process, and not by packets either."""
    stage, synward = watched
    # so few that no five of them share one of 2,048 buckets
    stage.no_response(100)
    assert synward.stats()["half_open"] > 0
    synward.expect_outcomes(no_response=100)
    assert synward.json("status")["sweeper"] == "running"


def test_timeouts_can_be_changed_while_attached(stage, synward):
    """Attach again with another timeout: what comes after it has that one."""
    synward.attach(stage.far, options=("--handshakes", 8192))
    synward.attach(stage.far, options=("--timeout", "syn_sent=1s"))
    assert synward.json("status")["timeouts_ms"]["syn_sent"] == 1000
    assert synward.json("status")["timeouts_ms"]["syn_received"] == 63000
    stage.no_response(5)
    synward.expect_outcomes(no_response=5)
