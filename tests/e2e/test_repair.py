# SPDX-License-Identifier: GPL-2.0-or-later
"""What is repaired is as it was attached, and nothing is let go of before there is something in its place."""

import json
import shutil
import socket

import pytest

import stopped
from causes import QUICK
from cli import BINARY, bpftool
from hooks import filter_packets, put_into_link, xdp_program
from net import NOBODY, VANISHED, run, wait_for
from objects import expect_gone
from prometheus import Page
from segments import SYN, Port, Segment, frame

V4 = socket.AF_INET
FORCE = ("detach", "--all", "--force")


def detach_link(synward, hook):
    run("bpftool", "link", "detach", "pinned", synward.pin_dir / "links" / "0" / hook)


def lose(synward, end, hook):
    """Somebody takes a hook off."""
    if hook == "clsact":
        end.namespace.tc("qdisc", "del", "dev", end.name, "clsact")
    else:
        detach_link(synward, hook)


def kept(synward):
    interface, = synward.json("status")["interfaces"]
    return interface["mode"], interface["egress_hook"], interface["since"]


@pytest.mark.parametrize("lost, tc", (("xdp", "clsact"), ("tcx", "tcx"), ("clsact", "clsact")))
def test_it_keeps_what_it_was_attached_with(pair, synward, lost, tc):
    near, far = pair
    synward.attach(far, options=(*QUICK, "--mode", "generic", "--checksums", "--tc", tc))
    was = kept(synward)
    lose(synward, far, lost)
    synward.expect(3, "status")
    assert f"s0: repaired (generic XDP, {tc})" in synward.attach(far).stdout
    assert kept(synward) == was
    bad = bytearray(frame(near.mac, far.mac, Segment(near.address(V4, VANISHED), far.address(V4, NOBODY), 1, 2, SYN)))
    bad[-2] ^= 1
    with Port(near) as port:
        port.socket.send(bad)
    wait_for(lambda: synward.stats()["anomalies"]["bad_tcp_csum"]["seen"], "its checksum to be looked at")


@pytest.mark.parametrize("option", (("--mode", "generic"), ("--tc", "clsact"), ("--checksums",)))
def test_another_mode_is_refused(pair, synward, option):
    synward.attach(pair[1], options=QUICK)
    was, objects = kept(synward), synward.objects()
    for lost in (None, "xdp"):
        if lost:
            detach_link(synward, lost)
        done = synward.attach(pair[1], options=option, code=1)
        assert f"not as {option[0]} asks for; detach it first: synward detach s0" in done.stderr
    detach_link(synward, "tcx")
    assert synward.objects().links <= objects.links
    assert "repaired" in synward.attach(pair[1], options=("--mode", "native", "--tc", "tcx")).stdout
    assert kept(synward) == was


def healths(synward):
    interface, = json.loads(synward.run("-j", "status").stdout)["interfaces"]
    return {hook: interface[hook]["health"] for hook in ("ingress", "egress")}


def test_a_program_of_somebody_else_in_our_link(pair, synward):
    far = pair[1]
    synward.attach(far, options=QUICK)
    links = synward.objects().links

    def expect(ingress, egress, code):
        assert healths(synward) == {"ingress": ingress, "egress": egress}
        done = synward.run("status")
        assert done.returncode == code and ("another program" in done.stdout) == (code == 3)
        page = Page.of(synward.expect(0, "stats", "--prometheus").stdout)
        for hook, health in (("ingress", ingress), ("egress", egress)):
            assert page.value("synward_hook_health", interface="s0", netns=str(far.namespace.inode), hook=hook,
                              health=health) == 1

    for pin, hook, program, bad in (("xdp", "XDP", "count_tags", ("foreign", "ok")),
                                    ("tcx", "TC egress", "pop_all", ("ok", "foreign"))):
        expect("ok", "ok", 0)
        put_into_link(synward.pin_dir / "links" / "0" / pin, "vlan", program)
        expect(*bad, 3)
        doctor = synward.run("doctor", "s0", namespace=far.namespace).stdout
        assert f"into synward's link on its {hook} hook" in " ".join(doctor.split())
        assert "s0: repaired" in synward.attach(far).stdout
    expect("ok", "ok", 0)
    assert synward.objects().links == links


@pytest.mark.parametrize("lost", ("xdp", "tcx"))
def test_a_repair_that_fails_makes_nothing_worse(pair, synward, tmp_path, lost):
    """Whichever step it is: what was there is there, and what was not may be."""
    far = pair[1]
    stops = stopped.Stops(stopped.build(tmp_path), synward, far.namespace, ("attach", "s0"), BINARY)
    synward.attach(far, options=QUICK)
    detach_link(synward, lost)
    steps = stops.steps(tmp_path)
    detach_link(synward, lost)
    was = healths(synward)
    for step in steps[::1 if stopped.THOROUGH else 4]:
        stops.fail(step)
        for hook, health in healths(synward).items():
            assert health in (was[hook], "ok"), (step, hook, health)
        if "ok" == healths(synward)["ingress"] == healths(synward)["egress"]:
            detach_link(synward, lost)
    synward.attach(far)
    synward.expect(0, "status")


def filters(end):
    return end.namespace.run("tc", "filter", "show", "dev", end.name, "egress").stdout


def rm(synward, *names):
    for name in names:
        path = synward.pin_dir / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def make_of_another_version(synward):
    path = synward.pin_dir / "maps" / "identity"
    row, = bpftool("map", "dump", "pinned", path)
    run("bpftool", "map", "update", "pinned", path, "key", 0, 0, 0, 0, "value", "0x63", *row["value"][1:])


DAMAGES = {
    "version": make_of_another_version,
    "interfaces": lambda synward: rm(synward, "maps/interfaces"),
    "filter": lambda synward: rm(synward, "links/0/filter"),
    "links": lambda synward: rm(synward, "links", "maps/settings"),
    "maps": lambda synward: rm(synward, "maps"),
}


def test_a_discard_finds_its_filters_in_every_namespace(lab, synward):
    """By their programs, or by the maps that those use; somebody else's stay. Then nothing is in the way of an attach."""
    client, one, two = map(lab.namespace, ("client", "one", "two"))
    ends = [lab.wire(client, f"c{number}", space, f"s{number}", subnet=number)[1]
            for number, space in ((1, one), (2, two))]
    filter_packets(ends[1], "egress", "last", "end_chain", priority=30000)
    clean = [filters(end) for end in ends]

    def attach():
        for end in ends:
            synward.attach(end, options=("--handshakes", 8192, "--tc", "clsact"))
    attach()
    for name, damage in DAMAGES.items():
        ours = synward.objects()
        damage(synward)
        synward.expect(0, *FORCE)
        assert [filters(end) for end in ends] == clean, name
        assert [xdp_program(end) for end in ends] == [None, None], name
        expect_gone(ours)
        attach()


@pytest.mark.parametrize("tc", ("auto", "clsact"))
def test_a_filter_of_which_no_pin_tells(pair, synward, tc):
    """As after rm -r: it is named with the command that removes it, also where TCX is at hand."""
    far = pair[1]
    synward.attach(far, options=(*QUICK, "--tc", "clsact"))
    shutil.rmtree(synward.pin_dir)
    wait_for(lambda: xdp_program(far) is None, "the kernel to free the link")
    done = synward.attach(far, options=("--tc", tc), code=1)
    command = done.stderr.split("remove it first: ")[1].split()
    assert command[:3] == ["tc", "filter", "del"]
    assert not synward.pin_dir.exists()
    far.namespace.run(*command)
    synward.attach(far, options=("--tc", tc))
