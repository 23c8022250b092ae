# SPDX-License-Identifier: GPL-2.0-or-later
"""
What synward does on a kernel that is not this machine's. To load its programs takes seconds in an
emulated machine, so the tests share an attach where they can.
"""

import contextlib
import dataclasses
import mmap
import os
import pathlib
import re
import socket
import subprocess
import time

import pytest

import tcp
import test_doctor
from causes import FAMILIES, Stage
from cli import BINARY, BUILD, bpftool, fresh
from floods import (ALL_OPTIONS, ALWAYS, DATA, Crowd, Ghost, answerable, apply, spoofed, talk,
                    wait_for_flood)
from net import Lab, run, wait_for
from objects import verified
from policies import Files, Gate
from segments import ACK, SYN, Port
from test_gateway import Gateway


@dataclasses.dataclass(frozen=True)
class Kernel:
    """What is to be found on a kernel of a series."""

    egress: str
    ways: tuple  # against floods, the best one first
    unasked: str  # of these, where net.ipv4.tcp_syncookies is 1


KERNELS = {"6.1": Kernel("clsact", ("kernel", "challenge"), "challenge"),
           "6.12": Kernel("tcx", ("handover", "kernel", "challenge"), "handover")}
SERIES = re.match(r"\d+\.\d+", os.uname().release)[0]
KERNEL = KERNELS[SERIES]

# An emulated processor may pause for longer than any real one.
PATIENT = ("--handshakes", "8192", "--connections", "8192", "--timeout", "syn_sent=4s",
           "--timeout", "syn_received=4s", "--timeout", "rst_grace=1s")
OUTCOMES = ("accepted", "rejected", "no_response", "half_open", "aborted_orig", "aborted_resp",
            "cancelled", "unsolicited_synack")
VERIFIER_LIMIT = 1_000_000  # instructions it processes of a program at most
VERIFIER_SHARE = 2  # we need less than one in so many
TRIES = 10
JUMBO_BYTES = 200_000
LOADED_TWICE = 300  # seconds for an attach that has to, on a machine that is busy
JIT_HARDEN = pathlib.Path("/proc/sys/net/core/bpf_jit_harden")


@dataclasses.dataclass
class Host:
    """A client's end of a wire, and a server's, which is attached."""

    near: object
    far: object
    synward: object
    said: str
    crowd: Crowd

    def choose(self, way, code=0):
        return self.synward.attach(self.far, options=("--flood-way", way), code=code)

    def gained(self, before):
        """By how much each tally has grown."""
        return {name: count - before["tallies"][name]
                for name, count in self.synward.stats()["tallies"].items()}


@pytest.fixture(scope="module")
def host(machine, bpffs, tmp_path_factory):
    with Lab() as lab, fresh(bpffs / "host", tmp_path_factory.mktemp("host")) as synward:
        near, far = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        answerable(near)
        yield Host(near, far, synward, synward.attach(far, options=PATIENT).stdout,
                   Crowd(near, far))


def test_the_kernel_is_the_one_asked_for():
    assert SERIES == os.environ["KERNEL"]


def test_the_verifier_has_room_to_spare(host):
    ids = host.synward.objects().programs
    found = {one["name"]: verified(one["id"]) for one in bpftool("prog", "show")
             if one["id"] in ids}
    print("instructions that the verifier has processed:", found)
    wanted = {"sw_xdp", "sw_egress", "sw_arm", "sw_switch", "sw_tell"}
    assert set(found) == (wanted | {"sw_handover"} if "handover" in KERNEL.ways else wanted)
    assert 0 < max(found.values()) < VERIFIER_LIMIT / VERIFIER_SHARE, found


def test_the_hooks_are_the_best_that_there_are(host):
    assert host.said == f"s0: attached (native XDP, {KERNEL.egress})\n"
    one, = host.synward.json("status")["interfaces"]
    assert (one["mode"], one["egress_hook"], one["ok"]) == ("native", KERNEL.egress, True)
    text = host.synward.expect(0, "status").stdout
    assert ("clsact filter rather than TCX" in text) == (KERNEL.egress == "clsact")


def test_every_outcome_is_counted_exactly(host):
    for family in FAMILIES.values():
        stage = Stage(host.near, host.far, family)
        for number, outcome in enumerate(OUTCOMES, 1):
            getattr(stage, outcome)(number)
    host.synward.expect_outcomes(**{outcome: 2 * number
                                    for number, outcome in enumerate(OUTCOMES, 1)})


def test_drops_begin_and_end_with_the_policy(host, family, tmp_path):
    files = Files(tmp_path)
    with Gate(host.near, host.far, family) as gate:
        assert gate.passes()
        host.synward.expect(0, "policy", "apply", files.default("enforce"))
        assert not gate.passes()
        host.synward.expect(0, "disarm")
        assert gate.passes()
        host.synward.expect(0, "policy", "apply", files.default("monitor"))
        assert gate.passes()


@pytest.fixture
def defended(host, tmp_path):
    """Chooses a way against floods, and has every SYN be answered; in the end none is any more."""
    def defend(way):
        host.choose(way)
        apply(host.synward, tmp_path, ALWAYS)
        wait_for_flood(host.synward, "web", True)
        flood = host.synward.json("status")["interfaces"][0]["flood"]
        assert (flood["way"], flood["reason"], flood["ok"]) == (way, "attach", True)
    yield defend
    host.synward.expect(0, "policy", "reset")


def test_status_says_which_way_and_why(host, tmp_path):
    flood = host.synward.json("status")["interfaces"][0]["flood"]
    assert (flood["way"], flood["reason"]) == (KERNEL.unasked, "best")
    assert ("handover" in flood["lacks"]) == ("handover" not in KERNEL.ways)
    assert "kernel" in flood["lacks"], "net.ipv4.tcp_syncookies is 1"
    apply(host.synward, tmp_path, ALWAYS)
    text = host.synward.expect(0, "status").stdout
    assert f"s0: {KERNEL.unasked}, " in text
    assert ("no handover: " in text) == ("handover" not in KERNEL.ways)
    host.synward.expect(0, "policy", "reset")


def converse(host, server):
    """A client that has never come before: data both ways, and what it cost. His TCP options."""
    before = host.synward.stats()
    options = talk(host.near.namespace, server, prepare=host.crowd.join).client.options
    after = host.synward.wait_settled(0)
    assert after["handshakes"]["accepted"] - before["handshakes"]["accepted"] == 1
    return options, host.gained(before)


def test_the_way_of_handing_over(host, defended, family):
    if "handover" not in KERNEL.ways:
        refused = host.choose("handover", code=1).stderr
        assert refused == ("synward: --flood-way handover: this kernel cannot hand over (Linux 6.9 "
                           "can)\n")
        return
    defended("handover")
    with tcp.listener(host.far, family) as server:
        for _ in range(2):
            options, gained = converse(host, server)
            assert options == ALL_OPTIONS
            assert (gained["cookies_sent"], gained["cookies_accepted"],
                    gained["handovers"]) == (1, 1, 1)


def test_the_way_of_the_kernels_cookies(host, defended, family):
    host.far.namespace.sysctl("net.ipv4.tcp_syncookies", 1)
    assert "tcp_syncookies is 1 here" in host.choose("kernel", code=1).stderr
    host.far.namespace.sysctl("net.ipv4.tcp_syncookies", 2)
    defended("kernel")
    with tcp.listener(host.far, family) as server:
        for _ in range(TRIES):
            tcp.accepted(host.near.namespace, server, 1)  # once a second a SYN passes
            _, gained = converse(host, server)
            if gained["cookies_sent"]:
                break
    assert gained["cookies_sent"] == gained["cookies_accepted"] == 1
    assert gained["handovers"] == 0


def test_only_who_is_heard_is_answered_for(host, defended, tmp_path, family):
    defended(KERNEL.ways[0])
    apply(host.synward, tmp_path, ALWAYS, more="")
    wait_for_flood(host.synward, "web", True)
    before = host.synward.stats()
    with host.near.namespace.socket(family) as client, pytest.raises(ConnectionRefusedError):
        host.crowd.join(client)
        client.connect((host.far.address(family), tcp.PORT))
    gained = host.gained(before)
    assert gained["cookies_sent"] == gained["challenges_sent"] == 0
    # one passes and is answered; what was heard counts for seconds, in which the next one comes
    with tcp.listener(host.far, family) as server, contextlib.ExitStack() as stack:
        for _ in range(TRIES):
            client = stack.enter_context(host.near.namespace.socket(family))
            client.settimeout(tcp.SECONDS)
            host.crowd.join(client)
            client.connect(server.getsockname()[:2])
        gained = host.gained(before)
    assert gained["cookies_sent"] + gained["challenges_sent"] >= 1


def test_acks_without_a_cookie_die(host, defended, family):
    defended(KERNEL.ways[0])
    before = host.synward.stats()["limits"]["bad_cookie"]["dropped"]

    def dropped():
        return host.synward.stats()["limits"]["bad_cookie"]["dropped"] - before

    with tcp.listener(host.far, family):
        spoofed(host.near, host.far, family, ACK, 20, ack=12345)
        wait_for(lambda: dropped() == 20, lambda: f"20 ACKs to be dropped: {dropped()}")


def test_three_capabilities_are_enough(machine, bpffs, tmp_path):
    """Without CAP_SYS_ADMIN nobody may look for conntrack's functions, which here are in a module, if anywhere."""
    only = "-all,+bpf,+net_admin,+perfmon"
    with fresh(bpffs / "capable", tmp_path) as synward:
        done = run("setpriv", f"--bounding-set={only}", f"--inh-caps={only}", BINARY, "attach", *PATIENT,
                   "--mode", "generic", "lo", env=synward.environment(), seconds=LOADED_TWICE)
        assert done.stdout.startswith("lo: attached (generic XDP, ")


@contextlib.contextmanager
def hardened():
    JIT_HARDEN.write_text("2\n")
    try:
        yield
    finally:
        JIT_HARDEN.write_text("0\n")


def test_a_hardened_gateway_challenges(machine, bpffs, tmp_path):
    """
    In both families: what a source has answered is true of its address only. With bpf_jit_harden the
    kernel takes the constants out of the programs, which makes them longer.
    """
    with Lab() as lab, fresh(bpffs / "gateway", tmp_path) as synward, hardened():
        gateway = Gateway(lab)
        answerable(gateway.c0)
        synward.attach(gateway.g0, options=PATIENT)
        apply(synward, tmp_path, ALWAYS)
        wait_for_flood(synward, "web", True)
        for count, family in enumerate(FAMILIES.values(), 1):
            with tcp.listener(gateway.s0, family) as server:
                for _ in range(2):
                    assert talk(gateway.client, server).client.options == ALL_OPTIONS
            stats = synward.expect_outcomes(accepted=2 * count)
            assert stats["tallies"]["challenges_sent"] == count, "it is known from then on"
            assert stats["limits"]["challenge_answer"]["dropped"] == count
            assert stats["tallies"]["cookies_sent"] == 0


@contextlib.contextmanager
def time_of_day():
    """A function that sets it, by seconds from what it would be."""
    def shift(seconds):
        time.clock_settime(time.CLOCK_REALTIME, ahead + time.monotonic() + seconds)
    ahead = time.time() - time.monotonic()
    try:
        yield shift
    finally:
        shift(0)


def test_the_time_of_day_jumps(host, tmp_path):
    """Back and forth, by more than connections live: these go on, others begin, what is dropped is dropped, and no list expires or stays."""
    files, day = Files(tmp_path), 86400
    host.synward.expect(0, "policy", "apply", files.default("enforce"))
    host.synward.expect(0, "block", "add", "198.51.100.0/24", "--expires", "1h")
    before = host.synward.stats()
    with time_of_day() as shift, contextlib.ExitStack() as stack:
        servers = [stack.enter_context(tcp.listener(host.far, family)) for family in FAMILIES.values()]
        live = []
        for server in servers:
            client = stack.enter_context(tcp.connect(host.near.namespace, server.getsockname()[:2], server.family))
            live.append((client, stack.enter_context(server.accept()[0])))
        for seconds in (-365 * day, 365 * day, 375 * day):
            shift(seconds)
            for client, server in live:
                for sender, receiver in ((client, server), (server, client)):
                    sender.sendall(DATA[:1000])
                    assert receiver.recv(1000, socket.MSG_WAITALL) == DATA[:1000]
            for server in servers:
                tcp.accepted(host.near.namespace, server, 1)
                with Gate(host.near, host.far, server.family) as gate:
                    assert not gate.passes()
            blocked, = host.synward.json("block", "list")["prefixes"]
            assert 0 < blocked["expires_in_ms"] <= 3600_000
    after = host.synward.wait_settled(0)
    assert after["handshakes"]["accepted"] - before["handshakes"]["accepted"] == 4 * len(servers)
    assert after["tallies"]["connections_adopted"] == before["tallies"]["connections_adopted"], "none was lost from sight"
    host.synward.expect(0, "block", "del", "198.51.100.0/24")
    host.synward.expect(0, "policy", "reset")


def test_frames_of_several_buffers(host):
    """The hook is put back where the MTU is large: by the driver, with room to spare, and all is counted."""
    pin = next((host.synward.pin_dir / "links").glob("*/xdp"))
    host.far.namespace.run("bpftool", "link", "detach", "pinned", pin)
    for end in (host.near, host.far):
        end.namespace.ip("link", "set", end.name, "mtu", 9000)
    again = host.synward.expect(0, "attach", "s0", namespace=host.far.namespace,
                                seconds=LOADED_TWICE)
    assert "repaired (native frags XDP" in again.stdout
    one, = host.synward.json("status")["interfaces"]
    assert (one["mode"], one["frags"], one["ok"]) == ("native", True, True)
    assert 0 < verified(one["ingress"]["program_id"]) < VERIFIER_LIMIT / VERIFIER_SHARE
    before = host.synward.stats()
    for family in FAMILIES.values():
        with tcp.listener(host.far, family) as server:
            info = talk(host.near.namespace, server, data=DATA[:JUMBO_BYTES])
            assert info.client.snd_mss > mmap.PAGESIZE
    after = host.synward.wait_settled(0)
    assert after["handshakes"]["accepted"] - before["handshakes"]["accepted"] == 2
    old, new = (stats["interfaces"][0]["ingress"] for stats in (before, after))
    assert new["bytes"] - old["bytes"] > 2 * JUMBO_BYTES
    assert new["kinds"]["malformed"] == old["kinds"]["malformed"]


def test_syns_of_several_buffers_are_answered(host, defended):
    """Behind the test above. What is given back wrongly, the kernel warns of when the hook is taken away."""
    defended("challenge")
    Ghost.route(host.far)
    for family in FAMILIES.values():
        before = host.synward.stats()
        with Port(host.near) as port:
            ghost = Ghost(port, host.far, family)
            port.send(ghost.segment(SYN, ghost.isn, payload=DATA[:8000]))
            ghost.hear_synack()
        assert host.gained(before)["challenges_sent"] == 1


def test_tc_sees_what_comes_in(machine, bpffs, tmp_path):
    """Outcomes, a verifier that is content, and answers by the best way, on a wire whose other end takes nothing from XDP."""
    with Lab() as lab, fresh(bpffs / "tc", tmp_path) as synward:
        near, far = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        crowd = Crowd(near, far)
        said = synward.attach(far, options=(*PATIENT, "--mode", "tc")).stdout
        assert said == f"s0: attached (tc, {KERNEL.egress})\n"
        one, = synward.json("status")["interfaces"]
        assert one["ok"] and one["ingress"]["hook"] == KERNEL.egress
        assert 0 < verified(one["ingress"]["program_id"]) < VERIFIER_LIMIT / VERIFIER_SHARE
        for number, family in enumerate(FAMILIES.values(), 1):
            Stage(near, far, family).accepted(5)
            synward.expect_outcomes(accepted=5 * number)
        apply(synward, tmp_path, ALWAYS)
        wait_for_flood(synward, "web", True)
        for number, family in enumerate(FAMILIES.values(), 1):
            with tcp.listener(far, family) as server:
                assert talk(near.namespace, server, prepare=crowd.join).client.options == ALL_OPTIONS
            tallies = synward.expect_outcomes(accepted=10 + number)["tallies"]
            answers = "cookies_sent" if KERNEL.unasked == "handover" else "challenges_sent"
            assert tallies[answers] == number
            assert tallies["handovers"] == tallies["cookies_accepted"] == tallies["cookies_sent"]
        synward.expect(0, "detach", "--all")
        assert "clsact" not in far.namespace.run("tc", "qdisc", "show", "dev", "s0").stdout


@pytest.mark.parametrize("examined", (test_doctor.test_a_port_of_a_bond,
                                      test_doctor.test_a_vlan_whose_tags_the_card_takes_out))
def test_what_the_doctor_says(pair, synward, examined):
    """Of devices that the kernel of this machine may not have."""
    examined(pair, synward)


def make_bond(far):
    """What was an end of a wire becomes the port of a bond, which has its name and addresses."""
    space, port = far.namespace, f"{far.name}p"
    space.ip_batch(("link", "set", far.name, "down"), ("link", "set", far.name, "name", port),
                   ("address", "flush", "dev", port),
                   ("link", "add", far.name, "type", "bond", "mode", "active-backup"),
                   ("link", "set", port, "master", far.name),
                   ("link", "set", far.name, "addrgenmode", "none"), ("link", "set", far.name, "up"))
    space.ip_batch(*((("address", "add", f"{far.address(family)}/{size}", "dev", far.name, *more)
                      for family, size, more in ((socket.AF_INET, 24, ()), (socket.AF_INET6, 64, ("nodad",))))),
                   *(far.neighbour_words(far.peer.address(family), far.peer.mac) for family in FAMILIES.values()))


def test_a_bond(pair, synward):
    """It takes the program natively, which its port's driver runs, and all that comes is followed."""
    near, far = pair
    make_bond(far)
    assert synward.attach(far, options=PATIENT).stdout == f"s0: attached (native XDP, {KERNEL.egress})\n"
    for number, family in enumerate(FAMILIES.values(), 1):
        Stage(near, far, family).accepted(3)
        synward.expect_outcomes(accepted=3 * number)


def test_sequences_are_judged_as_they_are_here():
    """The same frames have the same outcomes and anomalies on every kernel: those in tests/lib."""
    done = subprocess.run([BUILD / "tests" / "prog" / "test_sequences"], check=False, timeout=300,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\[  PASSED  \] [1-9]\d\d+ test\(s\)", done.stdout + done.stderr)
