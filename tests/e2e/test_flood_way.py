# SPDX-License-Identifier: GPL-2.0-or-later
"""How floods are kept off: the way, the sysctl that it takes, and the hook of the hand-over. All of
it comes with the policy that needs it and goes with it, whoever is killed in between."""

import json
import pathlib
import signal
import struct
import time

import pytest

import tcp
from causes import FAMILIES, QUICK
from cli import BINARY, bpftool, first_value
from floods import Ghost
from hooks import put_on_xdp
from net import stop, wait_for
from policies import Files, wait_rolled_back
from segments import ACK, PSH, RST, Port
from test_gateway import Gateway

SYNCOOKIES = "net.ipv4.tcp_syncookies"
WEB = "name: web, ports: [8080], syn_flood: always"
QUIET = "name: web, ports: [8080], syn_flood: adaptive"
DEGRADED = 3
PROBE = 9


def value(space):
    return int(space.read_sysctl(SYNCOOKIES))


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


@pytest.fixture
def wire(pair):
    """A veth hands on what is answered from the driver only to an end that has a program, too."""
    put_on_xdp(pair[0])
    return pair


@pytest.fixture
def far(wire, synward):
    synward.attach(wire[1], options=QUICK)
    return wire[1]


def policy(files, service=WEB, **defence):
    """A policy file whose flood_defence says that."""
    path = files.services(service, mode="enforce")
    said = ", ".join(f"{key}: {value}" for key, value in {"unheard": "answer", **defence}.items())
    path.write_text(f"{path.read_text()}flood_defence: {{{said}}}\n")
    return path


def kernel(files, **more):
    """The policy of which most of this is about."""
    return policy(files, way="kernel", set_syncookies="yes", **more)


def flood(synward, name="s0", code=0):
    status = json.loads(synward.expect(code, "-j", "status").stdout)
    return next(one["flood"] for one in status["interfaces"] if one["name"] == name)


# ---- the sysctl

def test_the_sysctl_comes_and_goes_with_the_policy(far, wire, synward, files, family):
    assert value(far.namespace) == 1
    refused = synward.expect(1, "policy", "apply", policy(files, way="kernel"))
    assert SYNCOOKIES in refused.stderr and "set_syncookies" in refused.stderr
    assert value(far.namespace) == 1 and synward.json("policy", "show")["services"] == []

    synward.expect(0, "policy", "apply", kernel(files))
    assert value(far.namespace) == 2
    found = flood(synward)
    assert (found["way"], found["reason"], found["ok"]) == ("kernel", "policy", True)
    assert found["syncookies"] == {"value": 2, "owner": "ours", "needed": 2, "before": 1,
                                   "to_be_restored": False}
    assert f"{SYNCOOKIES} was set to 2 as the policy allows" in synward.expect(0, "status").stdout
    wait_for(lambda: synward.json("status")["policy"]["services"][0]["flood"]["on"], "the flood")
    with tcp.listener(far, family) as server:
        tcp.accepted(wire[0].namespace, server, 5)
    tallies = synward.expect_outcomes(accepted=5)["tallies"]
    assert tallies["cookies_accepted"] > 0 and tallies["handovers"] == 0

    synward.expect(0, "policy", "reset")
    assert value(far.namespace) == 1
    assert flood(synward)["syncookies"]["owner"] == "others"


@pytest.mark.parametrize("end", ("another", "rollback", "detach", "detach --all", "force"))
def test_it_is_restored_however_the_policy_ends(far, synward, files, end):
    far.namespace.sysctl(SYNCOOKIES, 0)
    synward.expect(0, "policy", "apply", kernel(files))
    assert value(far.namespace) == 2
    if end == "another":
        synward.expect(0, "policy", "apply", policy(files, way="challenge"))
    elif end == "rollback":
        synward.expect(0, "policy", "rollback")
    elif end == "detach":
        synward.expect(0, "detach", "s0")
    else:
        synward.expect(0, "detach", "--all", *(["--force"] if end == "force" else []))
    assert value(far.namespace) == 0


def test_only_the_attached_network_namespaces_are_set(lab, synward, files):
    """Each has its own value before, and the last interface of one takes it along."""
    client, one, two, other = map(lab.namespace, ("client", "one", "two", "other"))
    ends = [lab.wire(client, f"c{i}", space, f"s{i}", subnet=i)[1]
            for i, space in enumerate((one, two, one), 1)]
    two.sysctl(SYNCOOKIES, 0)
    for end in ends:
        synward.attach(end, options=QUICK if end is ends[0] else ())
    synward.expect(0, "policy", "apply", kernel(files))
    assert [value(space) for space in (client, one, two, other)] == [1, 2, 2, 1]
    synward.expect(0, "detach", "s1")
    assert value(one) == 2, "s3 is still there"
    synward.expect(0, "detach", "s2")
    assert [value(space) for space in (one, two)] == [2, 0]
    synward.attach(ends[1])
    assert value(two) == 2, "the policy's word holds for who comes later"
    synward.expect(0, "detach", "s3")
    assert [value(space) for space in (one, two)] == [1, 2]


def test_what_somebody_else_has_set_stays(far, synward, files):
    synward.expect(0, "policy", "apply", kernel(files))
    far.namespace.sysctl(SYNCOOKIES, 0)
    status = synward.expect(DEGRADED, "status").stdout
    assert f"somebody has set {SYNCOOKIES} to 0" in status
    assert flood(synward, code=DEGRADED)["syncookies"]["owner"] == "changed"
    again = synward.expect(DEGRADED, "policy", "apply", kernel(files))
    assert "no change" in again.stdout and "somebody else has set it to 0" in again.stderr
    other = synward.expect(1, "policy", "apply", policy(files, QUIET, way="kernel",
                                                        set_syncookies="yes"))
    assert "somebody else has set it to 0" in other.stderr
    assert value(far.namespace) == 0 and flood(synward, code=DEGRADED)["way"] == "challenge"
    reset = synward.expect(0, "policy", "reset")
    assert "somebody else has set it to 0 since, which stays" in reset.stderr
    assert value(far.namespace) == 0
    synward.expect(0, "status")
    assert "somebody" not in synward.expect(0, "policy", "apply", files.default()).stderr


def test_it_stays_as_it_is_where_it_was_right_already(far, synward, files):
    far.namespace.sysctl(SYNCOOKIES, 2)
    synward.expect(0, "policy", "apply", policy(files, way="kernel"))
    assert flood(synward)["syncookies"]["owner"] == "others"
    synward.expect(0, "policy", "reset")
    assert value(far.namespace) == 2


def test_the_kernels_own_rollback_leaves_it_to_the_next_command(far, synward, files):
    """It has no process: status tells, and whatever changes anything restores it."""
    synward.expect(0, "policy", "apply", kernel(files), "--confirm", "1s")
    assert value(far.namespace) == 2
    wait_rolled_back(synward)
    assert "to restore 1: synward attach s0" in synward.expect(DEGRADED, "status").stdout
    assert flood(synward, code=DEGRADED)["syncookies"]["to_be_restored"]
    assert value(far.namespace) == 2
    synward.attach(far)
    assert value(far.namespace) == 1
    synward.expect(0, "status")


def test_what_the_kernel_may_go_back_to_keeps_it(far, synward, files):
    synward.expect(0, "policy", "apply", kernel(files))
    synward.expect(0, "policy", "apply", files.default(), "--confirm", "1s")
    assert value(far.namespace) == 2
    wait_rolled_back(synward)
    assert flood(synward)["ok"] and value(far.namespace) == 2
    synward.expect(0, "policy", "apply", files.default(), "--confirm", "60s")
    assert value(far.namespace) == 2
    synward.expect(0, "policy", "confirm")
    assert value(far.namespace) == 1


def test_the_saved_policy_sets_it_again(far, synward, files):
    synward.expect(0, "policy", "apply", kernel(files))
    synward.expect(0, "detach", "--all")
    assert value(far.namespace) == 1
    synward.attach(far)
    assert (value(far.namespace), flood(synward)["way"]) == (2, "kernel")


def test_kill_9_at_any_moment_is_repaired(far, lab, synward, files):
    """Whatever an apply or a reset that died has left, the next command puts right."""
    wanted, plain = kernel(files), files.default()
    began = time.monotonic()
    synward.expect(0, "policy", "apply", wanted)
    takes = time.monotonic() - began
    for i in range(10):
        file = (plain, wanted)[i % 2]
        applying = lab.process([BINARY, "policy", "apply", file], env=synward.environment())
        time.sleep(takes * i / 10)  # not a wait: any moment will do
        stop(applying, signal.SIGKILL)
        if i % 4 < 2:
            synward.attach(far)
            asks = bool(synward.json("policy", "show")["services"])
            assert value(far.namespace) == (2 if asks else 1)
            synward.expect(0, "status")
        else:
            synward.expect(0, "policy", "apply", plain)
            assert value(far.namespace) == 1
            synward.expect(0, "policy", "apply", wanted)
    synward.expect(0, "policy", "reset")
    assert value(far.namespace) == 1


# ---- the way

def test_who_says_which_way(wire, synward, files):
    far = wire[1]
    synward.attach(far, options=QUICK)
    best = "handover"
    synward.expect(0, "policy", "apply", policy(files))
    assert (flood(synward)["way"], flood(synward)["reason"]) == (best, "best")
    synward.attach(far, options=("--flood-way", "challenge"))
    assert (flood(synward)["way"], flood(synward)["reason"]) == ("challenge", "attach")
    synward.expect(0, "policy", "apply", policy(files, way="handover"))
    assert (flood(synward)["way"], flood(synward)["reason"]) == ("handover", "policy")
    refused = synward.attach(far, options=("--flood-way", "challenge"), code=1)
    assert "flood_defence.way: handover" in refused.stderr
    synward.expect(0, "policy", "apply", policy(files))
    assert flood(synward)["way"] == "challenge"
    synward.attach(far, options=("--flood-way", "auto"))
    assert (flood(synward)["way"], flood(synward)["reason"]) == (best, "best")
    assert synward.json("status")["policy"]["flood_way"] == best


def test_without_cookies_nothing_is_handed_over(far, synward, files):
    """The kernel would reset it: so auto takes another way, and a policy that insists is refused."""
    far.namespace.sysctl(SYNCOOKIES, 0)
    refused = synward.expect(1, "policy", "apply", policy(files, way="handover"))
    assert f"{SYNCOOKIES} is 0" in refused.stderr
    synward.expect(0, "policy", "apply", policy(files))
    assert flood(synward)["way"] == "challenge"
    assert f"{SYNCOOKIES} is 0" in flood(synward)["lacks"]["handover"]
    synward.expect(0, "policy", "apply", policy(files, set_syncookies="yes"))
    assert (flood(synward)["way"], value(far.namespace)) == ("handover", 1)
    synward.expect(0, "policy", "reset")
    assert value(far.namespace) == 0


def test_each_network_namespace_has_its_way(lab, synward, files):
    client, one, two = map(lab.namespace, ("client", "one", "two"))
    ends = [lab.wire(client, f"c{i}", space, f"s{i}", subnet=i)[1]
            for i, space in enumerate((one, two), 1)]
    two.sysctl(SYNCOOKIES, 0)
    for end in ends:
        synward.attach(end, options=QUICK if end is ends[0] else ())
    synward.expect(0, "policy", "apply", policy(files))
    assert [flood(synward, name)["way"] for name in ("s1", "s2")] == ["handover", "challenge"]
    assert synward.json("status")["policy"]["flood_way"] == "mixed"
    text = synward.expect(0, "status").stdout
    assert "s1: handover" in text and "s2: challenge" in text


# ---- the hook of the hand-over

def linked(synward, slot=0):
    return (synward.pin_dir / "links" / str(slot) / "handover").exists()


def test_the_hook_is_there_only_for_a_policy_that_answers_syns(far, synward, files):
    """By any way: it sends what XDP cannot."""
    assert not linked(synward)
    synward.expect(0, "policy", "apply", policy(files, QUIET))
    assert linked(synward) and flood(synward)["handover"]["health"] == "ok"
    synward.expect(0, "policy", "apply", policy(files, QUIET, way="challenge"))
    assert linked(synward) and flood(synward)["handover"]["needed"]
    synward.expect(0, "policy", "rollback")
    assert linked(synward)
    synward.expect(0, "policy", "reset")
    assert not linked(synward)
    synward.expect(0, "status")


def test_the_hook_outlives_the_policy_while_cookies_may_come_back(far, wire, synward, files, family):
    """Also across the kernel's own rollback: a handshake that is under way meanwhile is completed."""
    synward.expect(0, "policy", "apply", policy(files), "--confirm", "2s")
    wait_for(lambda: synward.json("status")["policy"]["services"][0]["flood"]["on"], "the flood")
    wait_rolled_back(synward)
    assert linked(synward)
    synward.attach(far)
    assert linked(synward) and not flood(synward)["handover"]["needed"]


def settings(synward):
    """What the kernel says of them, as numbers and as bytes."""
    return first_value(synward.pin_dir / "maps" / "settings")


def let_time_pass(synward, ms):
    """As far as the last cookie is concerned. Nobody else writes there while nothing is defended."""
    said, raw = settings(synward)
    end = struct.pack("=II", said["cookies_sent"], said["cookies_until_ms"])
    assert said["cookies_sent"] and raw.count(end) == 1
    earlier = struct.pack("=II", said["cookies_sent"], (said["cookies_until_ms"] - ms) % 2**32)
    bpftool("map", "update", "pinned", synward.pin_dir / "maps" / "settings", "key", *[0] * 4,
            "value", *raw.replace(end, earlier))


def test_the_hook_goes_when_no_cookie_can_come_back(far, wire, synward, files, family):
    """200 s after the last one; the kernel stops looking for them by itself, the next command ends it."""
    synward.expect(0, "policy", "apply", policy(files))
    wait_for(lambda: settings(synward)[0]["cookies_sent"], "SYNs to be answered")
    Ghost.route(far)
    with tcp.listener(far, family) as server, Port(wire[0]) as port:
        early, late, stranger = (Ghost(port, far, family).knock() for _ in range(3))
        synward.expect(0, "policy", "reset")
        looked_for = settings(synward)[0]["policy"] >> 8
        let_time_pass(synward, 100_000)
        early.say()
        early.say(PSH | ACK, b"early")
        with server.accept()[0] as peer:
            assert peer.recv(64) == b"early"
        assert settings(synward)[0]["cookies_sent"] and linked(synward)
        let_time_pass(synward, 100_000)
        wait_for(lambda: not settings(synward)[0]["cookies_sent"], "the kernel to forget cookies")
        assert linked(synward), "only a command takes a hook away"
        # the bit of SW_HAS_FLOOD_DEFENCE, and no other
        assert (looked_for ^ settings(synward)[0]["policy"] >> 8).bit_count() == 1
        late.say(PSH | ACK, b"late")
        assert RST in late.heard(PROBE)
        synward.attach(far)
        assert not linked(synward) and not flood(synward)["handover"]["needed"]
        stranger.say(PSH | ACK, b"later")
        assert RST in stranger.heard(PROBE)
        early.say(RST | ACK)
    tallies = synward.stats()["tallies"]
    assert tallies["cookies_accepted"] == tallies["handovers"] == 1
    synward.expect(0, "policy", "apply", policy(files))
    assert linked(synward)


def test_a_hook_that_was_taken_away_is_put_back(far, wire, synward, files, family):
    synward.expect(0, "policy", "apply", policy(files))
    pin = synward.pin_dir / "links" / "0" / "handover"
    far.namespace.run("bpftool", "link", "detach", "pinned", pin)
    assert "the hand-over's hook is detached" in synward.expect(DEGRADED, "status").stdout
    assert flood(synward, code=DEGRADED)["handover"]["health"] == "detached"
    assert "repaired" in synward.attach(far).stdout
    synward.expect(0, "status")
    wait_for(lambda: synward.json("status")["policy"]["services"][0]["flood"]["on"], "the flood")
    with tcp.listener(far, family) as server:
        tcp.accepted(wire[0].namespace, server, 3)
    assert synward.expect_outcomes(accepted=3)["tallies"]["handovers"] > 0


# ---- what changes meanwhile

def change_now(far, what):
    if what == "mtu":
        far.namespace.ip("link", "set", far.name, "mtu", 1400)
    elif what == "options":
        far.namespace.sysctl("net.ipv4.tcp_sack", 0)
    else:
        far.namespace.sysctl("net.ipv4.conf.all.forwarding", 1)


@pytest.mark.parametrize("change", ("mtu", "options", "forwarding"))
def test_what_is_found_out_anew_is_no_trouble(far, synward, files, change):
    synward.expect(0, "policy", "apply", policy(files, unheard="pass"))
    change_now(far, change)
    assert flood(synward)["changed"] == []
    assert flood(synward)["forwards"] == (change == "forwarding")


@pytest.mark.parametrize("change", ("mtu", "options"))
def test_what_changes_after_attach_is_told_and_read_again(far, synward, files, change):
    synward.expect(0, "policy", "apply", policy(files))
    synward.expect(0, "status")
    change_now(far, change)
    assert flood(synward, code=DEGRADED)["changed"] == [change]
    assert "synward attach s0" in synward.expect(DEGRADED, "status").stdout
    synward.attach(far)
    assert flood(synward)["changed"] == []


@pytest.mark.parametrize("name", FAMILIES)
def test_a_new_address_of_a_router_is_told_and_read_again(lab, synward, files, name):
    family = FAMILIES[name]
    gateway = Gateway(lab)
    put_on_xdp(gateway.c0)
    synward.attach(gateway.g0, options=QUICK)
    synward.expect(0, "policy", "apply", policy(files))
    new = gateway.g0.address(family, 7)
    gateway.router.ip("addr", "add", new + ("/24" if name == "ipv4" else "/64"), "dev", "g0",
                      *([] if name == "ipv4" else ["nodad"]))
    told = synward.expect(0, "status").stdout
    assert "note: g0: the addresses changed" in told
    assert flood(synward, "g0")["changed"] == ["addresses"]
    wait_for(lambda: synward.json("status")["policy"]["services"][0]["flood"]["on"], "the flood")

    def counts():
        tallies = synward.stats()["tallies"]
        return tallies["challenges_sent"], tallies["handovers"]

    with gateway.router.socket(family) as server:
        server.bind((new, tcp.PORT))
        server.listen(16)
        server.settimeout(tcp.SECONDS)
        tcp.accepted(gateway.client, server, 1)
        assert counts() == (1, 0)
        synward.attach(gateway.g0)
        assert flood(synward, "g0")["changed"] == []
        # the client that has answered a challenge needs no cookie
        other = gateway.c0.address(family, 8)
        gateway.client.ip("addr", "add", other + ("/24" if name == "ipv4" else "/64"), "dev", "c0",
                          *([] if name == "ipv4" else ["nodad"]))
        gateway.g0.neighbour(other, gateway.c0.mac)
        with gateway.client.socket(family) as client:
            client.bind((other, 0))
            client.settimeout(tcp.SECONDS)
            client.connect((new, tcp.PORT))
            server.accept()[0].close()
        assert counts() == (1, 1)


def test_an_address_of_one_host_may_be_anothers_to_forward_to(lab, synward, files, family):
    """A router and a server behind it, attached both: to the router it is not its own."""
    gateway = Gateway(lab)
    put_on_xdp(gateway.c0)
    put_on_xdp(gateway.g1)
    synward.attach(gateway.g0, options=QUICK)
    synward.attach(gateway.s0)
    synward.expect(0, "policy", "apply", policy(files))
    wait_for(lambda: synward.json("status")["policy"]["services"][0]["flood"]["on"], "the flood")
    with tcp.listener(gateway.s0, family) as server:
        tcp.accepted(gateway.client, server, 3)
    assert synward.stats()["tallies"]["challenges_sent"] > 0
