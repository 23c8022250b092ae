# SPDX-License-Identifier: GPL-2.0-or-later
"""synward doctor: what it says of hosts and interfaces of all kinds, and that asking changes nothing."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest

import tcp
from cli import BINARY
from firewalls import ONLY_SYNS, call_netfilter, has_br_netfilter, put_up
from hooks import filter_packets, put_on_xdp
from identity import pretend_version
from live import need
from net import Failed, run, stop, wait_for

CODES = {"ok": 0, "note": 0, "degraded": 3, "unknown": 1, "broken": 1}
INVALID = """table inet t { chain in {
    type filter hook input priority 0; ct state invalid drop
}
}"""
ALIKE = ("net.ipv4.tcp_syncookies", "net.ipv4.conf.all.rp_filter", "net.ipv4.conf.default.rp_filter",
         "net.ipv4.tcp_timestamps", "net.ipv6.conf.all.forwarding")


def examine(synward, namespace, *argv):
    """All findings, by subject and check; their text says the same, and so does the exit code."""
    done = synward.run("doctor", "-j", *argv, namespace=namespace)
    said = json.loads(done.stdout)
    found = {(one["subject"], one["check"]): one for one in said["findings"]}
    assert said["schema"] == 1 and len(found) == len(said["findings"])
    assert done.returncode == CODES[said["state"]] and not done.stderr
    assert CODES[said["state"]] == max(
        (CODES[one["state"]] for one in found.values()), key=(0, 3, 1).index)
    for one in found.values():
        assert one["what"] and (one["state"] in ("ok", "note") or one["why"]), one
    return found


def finding(synward, end, check, *argv):
    return examine(synward, end.namespace, end.name, *argv)[(end.name, check)]


def host(synward, namespace, check):
    return examine(synward, namespace)[("host", check)]


def state_of(end):
    """What a command could change there: links, addresses, routes, hooks, sysctls, and files."""
    space = end.namespace
    return (*(space.ip("-d", *words).stdout for words in
              (("link",), ("addr",), ("route",), ("-6", "route",), ("neigh",))),
            space.tc("qdisc", "show").stdout,
            space.tc("filter", "show", "dev", end.name).stdout, space.run("ethtool", "-k", end.name).stdout,
            *(space.read_sysctl(name) for name in ALIKE),
            sorted(str(path) for path in pathlib.Path("/sys/fs/bpf").rglob("*")),
            pathlib.Path("/proc/mounts").read_text(), run("ip", "netns").stdout)


def paragraphs(lines):
    """Each begins less indented than it goes on; headings are left out."""
    told = []
    for line in lines:
        if line.startswith("   "):
            told[-1] += " " + line
        elif line.startswith("  "):
            told.append(line)
    return told


def test_text_says_what_json_says(pair, synward):
    far = pair[1]
    found = examine(synward, far.namespace, far.name)
    lines = synward.run("doctor", far.name, namespace=far.namespace).stdout.splitlines()
    assert lines[0] == "host" and far.name in lines
    rows = paragraphs(lines[1:-1])
    assert len(rows) == len(found), "one for each check"
    for row, one in zip(rows, found.values()):
        command = one.get("command", "")
        words = one.get("remedy", "").removesuffix(command).removesuffix(": ")
        told = one["what"] + (f": {one['why']}" if "why" in one else "") + (f"; {words}" if words else "")
        assert " ".join(row.split()) == " ".join(
            [one["state"], one["check"], told] + (["->", command] if command else []))
    assert all(len(line) <= 80 or "->" in line for line in lines)
    assert lines[-1] == ", ".join(
        f"{count} {state}" for state in ("broken", "unknown", "degraded", "note", "ok")
        if (count := sum(one["state"] == state for one in found.values())))


def test_it_changes_nothing_and_tries_every_way(pair, synward):
    far = pair[1]
    before = state_of(far)
    for argv in ((), (far.name,), ("--self-test",)):
        found = examine(synward, far.namespace, *argv)
        assert state_of(far) == before
    assert not synward.pin_dir.exists()
    for way in ("watch", "handover", "kernel", "challenge"):
        one = found[("self-test", f"try_{way}")]
        assert one["state"] == "ok" or (one["state"] == "note" and "cannot" in one["what"]), one
        if one["state"] == "ok":
            assert "over IPv4 and IPv6" in one["what"]


def elsewhere(pid, namespace):
    """The child of a process, once it is in a network namespace that is neither ours nor known."""
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(FileNotFoundError):
            if pathlib.Path("/proc", child, "ns/net").stat().st_ino != namespace.inode:
                return child
    return None


def test_a_killed_self_test_leaves_nothing(lab, pair, synward):
    far = pair[1]
    before = state_of(far)
    doctor = lab.process(far.namespace.command(BINARY, "doctor", "--self-test"),
                         stdout=subprocess.DEVNULL)
    child = wait_for(lambda: elsewhere(doctor.pid, far.namespace), "the self-test to begin")
    os.kill(int(child), signal.SIGSTOP)  # so that it does not end by itself
    stop(doctor)
    wait_for(lambda: not pathlib.Path("/proc", child, "fd").exists(), "its child to end")
    assert state_of(far) == before


def test_a_veth_whose_other_end_takes_nothing(pair, synward):
    near, far = pair
    far.namespace.run("ethtool", "-K", far.name, "gro", "off")
    near.namespace.run("ethtool", "-K", near.name, "gro", "off")
    assert finding(synward, far, "driver")["state"] == "ok"
    one = finding(synward, far, "answers")
    assert one["state"] in ("note", "degraded") and "--mode tc" in one["remedy"]
    put_on_xdp(near)
    assert finding(synward, far, "answers")["state"] == "ok"


def test_the_ends_of_a_veth_do_not_stand_on_each_other(pair, synward):
    space = pair[1].namespace
    space.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    one = examine(synward, space, "v0")[("v0", "stack")]
    assert one["what"] == "it stands by itself"


def test_a_bridge_is_generic_only(pair, synward):
    far = pair[1]
    far.namespace.ip("link", "add", "br0", "type", "bridge")
    far.namespace.ip("link", "set", far.name, "master", "br0")
    found = examine(synward, far.namespace, "br0")
    assert found[("br0", "driver")]["state"] == "degraded"
    assert found[("br0", "driver")]["remedy"].endswith(f"synward attach {far.name}")
    assert far.name in found[("br0", "stack")]["what"]
    for on, state in ((True, "degraded"), (False, "ok")) if has_br_netfilter() else ():
        call_netfilter(far.namespace, on)
        port = finding(synward, far, "stack")
        assert port["state"] == state and "the bridge br0" in port["what"]


def stacked(end, name, *kind):
    """A device on an end; skips where this kernel has none of that kind."""
    try:
        end.namespace.ip("link", "add", *kind)
    except Failed:
        pytest.skip(f"this kernel has no {name}")


def test_a_port_of_a_bond(pair, synward):
    far = pair[1]
    stacked(far, "bond", "bond0", "type", "bond", "mode", "active-backup")
    far.namespace.ip("link", "set", far.name, "down")
    far.namespace.ip("link", "set", far.name, "master", "bond0")
    one = finding(synward, far, "stack")
    assert one["state"] == "degraded" and one["command"] == "synward attach bond0"
    assert far.name in examine(synward, far.namespace, "bond0")[("bond0", "stack")]["what"]


def test_a_vlan_whose_tags_the_card_takes_out(pair, synward):
    far = pair[1]
    stacked(far, "VLAN", "link", far.name, "name", "v5", "type", "vlan", "id", "5")
    one = finding(synward, far, "vlan_offload")
    assert one["state"] in ("note", "degraded") and "v5" in one["what"], "a veth does, by default"
    far.namespace.run(*one["command"].split())
    assert finding(synward, far, "vlan_offload")["state"] == "ok"
    assert "v5" in finding(synward, far, "stack")["what"]
    assert examine(synward, far.namespace, "v5")[("v5", "stack")]["remedy"].endswith(far.name)


def test_a_hook_that_is_taken(pair, synward):
    far = pair[1]
    assert finding(synward, far, "xdp_hook")["state"] == "ok"
    program = put_on_xdp(far)
    one = finding(synward, far, "xdp_hook")
    assert one["state"] == "broken" and f"id {program}" in one["what"]
    assert one["command"] == f"ip link set dev {far.name} xdp off"
    far.namespace.run(*one["command"].split())
    assert finding(synward, far, "xdp_hook")["state"] == "ok"


def test_ours_is_no_stranger(pair, synward):
    far = pair[1]
    synward.attach(far)
    assert "synward is on its XDP hook" in finding(synward, far, "xdp_hook")["what"]
    assert finding(synward, far, "tc_hooks")["state"] == "ok"


def test_ours_of_another_version_is_no_other_pin_directory(pair, synward):
    """Of what nobody here can read it is said why, and which of the two synwards is to be run."""
    far = pair[1]
    synward.attach(far)
    with pretend_version(synward, 99):
        one = finding(synward, far, "xdp_hook")
        assert one["state"] == "broken" and "synward is on its XDP hook" in one["what"], one
        assert "holds the state of ABI version 99" in one["why"] and "detach with the synward that" in one["why"], one
    assert finding(synward, far, "xdp_hook")["state"] == "ok"


def test_ours_that_came_from_elsewhere(lab, pair, synward):
    """An interface brings its program along, and is attached anew where it is now."""
    far, elsewhere = pair[1], lab.namespace("elsewhere")
    synward.attach(far)
    far.namespace.ip("link", "set", far.name, "netns", elsewhere.name)
    one = examine(synward, elsewhere, far.name)[(far.name, "xdp_hook")]
    assert one["state"] == "degraded" and "has no record of it here" in one["what"], one
    elsewhere.run(BINARY, *one["command"].split()[1:], env=synward.environment())
    assert examine(synward, elsewhere, far.name)[(far.name, "xdp_hook")]["state"] == "ok"


def test_strangers_on_tc(pair, synward):
    far = pair[1]
    filter_packets(far, "ingress", "vlan", "pop_all")
    one = finding(synward, far, "tc_hooks")
    assert one["state"] == "note" and "1 filters" in one["what"]


@pytest.mark.parametrize("rules, loose, wrong", ((INVALID, 0, True), (INVALID, 1, False),
                                                 (ONLY_SYNS, 1, True), (ONLY_SYNS, 0, False)))
def test_rules_that_drop_a_cookies_ack(pair, synward, rules, loose, wrong):
    need("nft")
    space = pair[1].namespace
    assert host(synward, space, "firewall")["state"] in ("ok", "note")
    put_up(space, rules)
    space.sysctl("net.netfilter.nf_conntrack_tcp_loose", loose)
    one = host(synward, space, "firewall")
    assert (one["state"] == "degraded") == wrong, one
    assert not wrong or "operating.md" in one["remedy"]


def test_listeners_that_take_no_hand_over(pair, synward):
    space = pair[1].namespace
    try:
        plain = space.socket(socket.AF_INET, protocol=socket.IPPROTO_MPTCP)
    except OSError:
        pytest.skip("this kernel has no MPTCP")
    with plain:
        plain.bind(("", tcp.PORT))
        plain.listen()
        one = host(synward, space, "listeners")
        assert one["state"] == "note" and f"MPTCP on port {tcp.PORT}" in one["what"]
    assert host(synward, space, "listeners")["state"] == "ok"


@pytest.mark.parametrize("name", ("tcp_timestamps", "tcp_window_scaling", "tcp_sack"))
def test_options_that_tcp_may_not_offer(pair, synward, name):
    space = pair[1].namespace
    assert host(synward, space, "tcp_options")["state"] == "ok"
    space.sysctl(f"net.ipv4.{name}", 0)
    assert host(synward, space, "tcp_options")["remedy"] == f"sysctl -w net.ipv4.{name}=1"


def test_the_kernel_may_not_make_cookies(pair, synward):
    space = pair[1].namespace
    space.sysctl("net.ipv4.tcp_syncookies", 0)
    one = host(synward, space, "flood_ways")
    assert one["state"] == "degraded" and "kept off by challenge" in one["what"]


def test_a_way_back_that_is_another(lab, pair, synward):
    far = pair[1]
    other = lab.wire(lab.namespace("router"), "r0", far.namespace, "s1", subnet=2)[1]
    assert finding(synward, far, "way_back")["state"] == "ok"
    other.route("default", via=other.peer.address(socket.AF_INET))
    assert finding(synward, far, "way_back")["state"] == "note"
    assert finding(synward, other, "way_back")["state"] == "ok"
    far.namespace.sysctl(f"net.ipv4.conf.{far.name}.rp_filter", 1)
    assert finding(synward, far, "way_back")["state"] == "degraded"


def test_a_pin_directory_that_is_on_no_bpffs(pair, synward, tmp_path):
    done = pair[1].namespace.run(BINARY, "-j", "doctor", "--pin-dir", tmp_path / "pins", check=False)
    found = {one["check"]: one for one in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1 and found["bpffs"]["state"] == "broken"
    assert "not a directory on a bpffs" in found["bpffs"]["what"]


def test_who_is_not_root_is_told(pair, synward):
    need("setpriv")
    done = pair[1].namespace.run("setpriv", "--reuid", 65534, "--clear-groups", BINARY, "-j", "doctor",
                                 check=False)
    found = {one["check"]: one for one in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    assert found["capabilities"]["state"] == "broken" and "CAP_BPF" in found["capabilities"]["what"]
    assert found["helpers"]["state"] == "unknown"
    assert found["firewall"]["state"] == "unknown"


def test_a_name_that_does_not_exist(pair, synward):
    near = pair[0]
    done = synward.run("doctor", "c9", namespace=near.namespace)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr == "synward: no interface c9 here; did you mean c0? There are: lo, c0\n"
    assert synward.run("doctor", "c0", "lo").returncode == 2
