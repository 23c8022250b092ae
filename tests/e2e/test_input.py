# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever is asked wrongly: one clear line, the right exit code, and nothing left half-done."""

import gzip
import json
import pathlib
import socket
import struct
import subprocess

import pytest

from causes import QUICK, Stage
from cli import BINARY, ROOT, Synward
from hooks import put_on_xdp, xdp_program
from identity import plant_identity
from net import run

FAILURE, USAGE, INCOMPLETE = 1, 2, 3


def refuse(done, code, *words):
    """An error is one line on stderr that holds these words, and nothing on stdout."""
    lines = done.stderr.splitlines()
    assert done.returncode == code, done
    assert len(lines) == 1 and lines[0].startswith("synward: "), done.stderr
    assert done.stdout == ""
    for word in words:
        assert str(word) in lines[0], done.stderr


@pytest.mark.parametrize("argv, words", (
    ([], ()),
    (["atach", "s0"], ("atach", "did you mean attach")),
    (["attach"], ("IFACE",)),
    (["attach", "--nonsense", "s0"], ("--nonsense",)),
    (["list", "--limt", "3"], ("--limt", "did you mean --limit")),
    (["list", "--limt=3"], ("--limt:", "did you mean --limit")),
    (["--verbos", "--versoin"], ("--versoin", "did you mean --version")),
    (["attach", "s0", "--mode", "fast"], ("--mode", "fast", "native")),
    (["attach", "s0", "--tc", "ingress"], ("--tc", "ingress", "clsact")),
    (["attach", "s0", "--handshakes"], ("--handshakes",)),
    (["attach", "s0", "--handshakes", "0"], ("--handshakes", "1,024", "16,777,216")),
    (["attach", "s0", "--handshakes", "1023"], ("1023",)),
    (["attach", "s0", "--handshakes", "16777217"], ("16777217",)),
    (["attach", "s0", "--handshakes", "-5"], ("-5",)),
    (["attach", "s0", "--handshakes", "many"], ("many",)),
    (["attach", "s0", "--handshakes", "99999999999999999999999"], ("9999",)),
    (["attach", "s0", "--connections", "1023"], ("--connections", "1023")),
    (["attach", "s0", "--timeout", "syn_sent"], ("syn_sent", "NAME=DURATION")),
    (["attach", "s0", "--timeout", "lunch=1h"], ("lunch", "syn_received")),
    (["attach", "s0", "--timeout", "syn_sent=9ms"], ("9ms", "10ms")),
    (["attach", "s0", "--timeout", "syn_sent=100000h"], ("100000h",)),
    (["attach", "s0", "--timeout", "syn_sent=soon"], ("soon",)),
    (["policy", "apply", "--confirm", "500ms"], ("500ms", "from 1s to 1d, such as 2s,")),
    (["attach", "s0", "--events-per-second", "4294967296"], ("4294967296",)),
    (["detach"], ("--all",)),
    (["detach", "--all", "s0"], ("--all",)),
    (["status", "s0"], ("s0",)),
    (["stats", "now"], ("now",)),
    (["events", "--count", "0"], ("--count",)),
    (["replay"], ()),
    (["help", "nothing"], ("nothing",)),
    (["--pin-dir"], ("--pin-dir",)),
), ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_usage(pair, synward, argv, words):
    done = synward.run(*argv, namespace=pair[1].namespace)
    if argv:
        refuse(done, USAGE, *words)
    assert done.returncode == USAGE
    assert not synward.pin_dir.exists() and xdp_program(pair[1]) is None


@pytest.mark.parametrize("argv, code, words", (
    (["-j", "attach", "nothing"], FAILURE, "no interface nothing"),
    (["stats", "-j", "--prometheus"], USAGE, "expected --prometheus or --json"),
), ids=("failure", "usage"))
def test_with_json_an_error_is_json_too(synward, argv, code, words):
    done = synward.run(*argv)
    assert done.returncode == code
    assert words in json.loads(done.stdout)["error"]
    assert words in done.stderr


@pytest.mark.parametrize("name, words", (
    ("s1", ("s1", "did you mean s0")),
    ("eth17", ("eth17", "lo", "s0")),
    ("a-name-of-more-than-fifteen-bytes", ("a-name-of",)),
    ("", ()),
), ids=("near", "far", "long", "empty"))
def test_unknown_interface(pair, synward, name, words):
    """Nor is the known one beside it attached then."""
    space = pair[1].namespace
    refuse(synward.run("attach", "s0", name, namespace=space), FAILURE, *words)
    assert not synward.pin_dir.exists() and xdp_program(pair[1]) is None


@pytest.mark.parametrize("verb", ("stats", "list", "events", "top --once", "policy show", "policy score",
                                  "policy confirm", "block list", "allow add 192.0.2.7"))
def test_nothing_is_attached(synward, verb):
    """All say it in the same words, and scripts can tell it from other failures."""
    words = "nothing is attached; to start: synward attach IFACE"
    refuse(synward.run(*verb.split()), FAILURE, words)
    assert json.loads(synward.run("-j", *verb.split()).stdout) == {
        "schema": 1, "error": words, "failure": "not_attached"}


def test_detach_of_what_is_not_attached(pair, synward):
    refuse(synward.run("detach", "s0", namespace=pair[1].namespace), FAILURE, "s0")
    assert synward.run("detach", "--all").returncode == 0
    assert "not attached" in synward.expect(0, "status").stdout


def without(capabilities, *argv):
    """A command line whose process has all capabilities but these."""
    drop = ",".join(f"-{name}" for name in capabilities)
    return ["setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}", *argv]


@pytest.mark.parametrize("dropped, named", (
    (("sys_admin", "bpf"), ("CAP_BPF",)),
    (("net_admin",), ("CAP_NET_ADMIN",)),
    (("sys_admin", "perfmon"), ("CAP_PERFMON",)),
    (("all",), ("CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON")),
), ids=("bpf", "net_admin", "perfmon", "all"))
def test_a_missing_capability_is_named(pair, synward, dropped, named):
    space = pair[1].namespace
    done = run(*space.command(*without(dropped, BINARY, "attach", "s0")), check=False,
               env=synward.environment())
    refuse(done, FAILURE, "permission", *named)
    others = {"CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"} - set(named)
    assert not any(name in done.stderr for name in others)
    assert not synward.pin_dir.exists() and xdp_program(pair[1]) is None


@pytest.mark.parametrize("argv", (("attach", "lo"), ("replay", "/dev/null")), ids=lambda argv: argv[0])
def test_root_of_a_user_namespace_alone_is_told(synward, argv):
    """As in a rootless container: all capabilities are there, and none of them is over the machine."""
    done = run("unshare", "--user", "--map-root-user", "--net", BINARY, *argv, check=False, env=synward.environment())
    refuse(done, FAILURE, "permission: missing CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON outside this user namespace")
    assert not synward.pin_dir.exists()


def test_without_permission_nothing_can_be_read(pair, synward):
    """A user who may do nothing gets told so, and nothing more."""
    synward.attach(pair[1], options=QUICK)
    for verb in ("stats", "list"):
        done = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", BINARY, verb,
                   check=False, env=synward.environment())
        refuse(done, FAILURE, "permission")


TUNNELS = (("tuntap", "add", "dev", "t0", "mode", "tun"),
           ("link", "add", "t0", "type", "sit", "local", "10.77.1.2", "remote", "10.77.1.1"),
           ("link", "add", "t0", "type", "wireguard"))


def test_a_tunnel_has_no_frames(pair, synward):
    """Whatever kind the kernel has. Nothing that comes there could be read."""
    space = pair[1].namespace
    if all(run("ip", "-n", space.name, *made, check=False).returncode for made in TUNNELS):
        pytest.skip("the kernel has no tunnels")
    refuse(synward.run("attach", "s0", "t0", namespace=space), FAILURE, "t0", "no Ethernet header")
    assert not synward.pin_dir.exists()


@pytest.mark.parametrize("mode", ("auto", "native", "generic"))
def test_an_occupied_hook_is_left_to_its_owner(pair, synward, mode):
    program = put_on_xdp(pair[1])
    done = synward.run("attach", "--mode", mode, "s0", namespace=pair[1].namespace)
    refuse(done, FAILURE, "s0", "count_tags", f"id {program}", "ip link set dev s0 xdp off")
    assert xdp_program(pair[1]) == program
    assert not synward.pin_dir.exists()


def test_the_hook_is_occupied_by_another_synward(pair, synward, bpffs):
    """Of another pin directory; attached by link, so another remedy."""
    synward.attach(pair[1], options=QUICK)
    other = Synward(bpffs / "other")
    refuse(other.run("attach", "s0", namespace=pair[1].namespace), FAILURE, str(synward.pin_dir),
           "another synward", f"synward --pin-dir {synward.pin_dir} detach s0")
    assert not other.pin_dir.exists()
    synward.expect(0, "status")


def test_one_of_two_interfaces_fails_and_neither_is_attached(lab, pair, synward):
    _, far = lab.wire(pair[0].namespace, "c1", pair[1].namespace, "s1", subnet=2)
    program = put_on_xdp(far)
    done = synward.run("attach", "s0", "s1", namespace=far.namespace)
    refuse(done, FAILURE, "s1", "count_tags")
    assert xdp_program(pair[1]) is None and xdp_program(far) == program
    assert not synward.pin_dir.exists()


def test_sizes_are_set_by_the_first_attach(pair, synward):
    synward.attach(pair[1], options=QUICK)
    done = synward.run("attach", "s0", "--handshakes", "4096", namespace=pair[1].namespace)
    refuse(done, FAILURE, "4,096", "8,192", "detach --all")
    assert synward.json("status")["tables"]["handshakes"]["capacity"] == 8192


# ---- pin directories

ABI_VERSION = int(next(line.split()[2] for line in (ROOT / "include/synward/base.h").read_text()
                       .splitlines() if line.startswith("#define SW_ABI_VERSION")))
IDENTITY_SIZE = 40


@pytest.mark.parametrize("version, size", ((99, IDENTITY_SIZE), (99, IDENTITY_SIZE + 8),
                                           (ABI_VERSION, IDENTITY_SIZE + 8)),
                         ids=("equal size", "other size", "same version"))
def test_state_of_another_version_is_refused(pair, synward, version, size):
    """Also when it has the very same size. What to do about it is told, and works."""
    pin = plant_identity(synward, version, size)
    words = ("--force", *([f"version {version}"] if version == 99 else []))
    for argv in (["attach", "s0"], ["stats"], ["list"], ["detach", "s0"], ["detach", "--all"]):
        refuse(synward.run(*argv, namespace=pair[1].namespace), FAILURE, *words)
        assert pin.exists() and xdp_program(pair[1]) is None
    assert synward.run("status").returncode == FAILURE
    synward.expect(0, "detach", "--all", "--force")
    assert not synward.pin_dir.exists()


def test_a_pin_directory_that_is_not_ours_is_left_alone(pair, synward):
    foreign = synward.pin_dir / "somebody_elses"
    foreign.mkdir(parents=True)
    for argv in (["attach", "s0"], ["detach", "--all", "--force"]):
        refuse(synward.run(*argv, namespace=pair[1].namespace), FAILURE, "somebody_elses")
    assert foreign.exists()
    foreign.rmdir()
    synward.pin_dir.rmdir()


def test_a_pin_directory_that_somebody_has_yet_to_use_is_left_alone(pair, synward):
    """Empty as it is; what an attach has made, or is told to discard, is not."""
    synward.pin_dir.mkdir(parents=True)
    for words in (["--all"], ["s0"]):
        synward.run("detach", *words)
        assert synward.pin_dir.exists(), words
    assert synward.expect(0, "detach", "--all").stdout == "nothing is attached\n"
    synward.attach(pair[1], options=QUICK)
    synward.expect(0, "detach", "--all")
    assert not synward.pin_dir.exists()


@pytest.mark.parametrize("path", ("relative", "/tmp/synward", "/no/such/place", "/"))
def test_a_pin_directory_that_cannot_be_one(pair, synward, path):
    done = synward.run("--pin-dir", path, "attach", "s0", namespace=pair[1].namespace)
    assert done.returncode in (FAILURE, USAGE) and "bpffs" in done.stderr
    assert xdp_program(pair[1]) is None and not pathlib.Path("/tmp/synward").exists()


def test_no_bpffs_is_mounted_above_another(pair, synward):
    """It would hide what is pinned there: that of others, and what is attached would look as if it were not."""
    def mounts():
        return [line for line in pathlib.Path("/proc/mounts").read_text().splitlines() if " /sys/fs/bpf " in line]
    before = mounts()
    done = synward.run("--pin-dir", "/sys/fs/bpf/nowhere/synward", "attach", "s0", namespace=pair[1].namespace)
    refuse(done, FAILURE, "/sys/fs/bpf/nowhere is not there")
    assert len(before) == 1 and mounts() == before


# ---- captures

PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
RECORD = struct.pack("<IIII", 1, 0, 60, 60) + bytes(60)


@pytest.mark.parametrize("name, content, code", (
    ("text.pcap", b"This is not a capture at all, but long enough for a header.\n", FAILURE),
    ("empty.pcap", b"", FAILURE),
    ("header.pcap", PCAP_HEADER[:10], FAILURE),
    ("user0.pcap", PCAP_HEADER[:20] + struct.pack("<I", 147), FAILURE),
    ("cut.pcap", PCAP_HEADER + RECORD + RECORD[:40], INCOMPLETE),
    ("cut.pcap.gz", gzip.compress(PCAP_HEADER + RECORD * 50)[:-20], INCOMPLETE),
    ("huge.pcap", PCAP_HEADER + struct.pack("<IIII", 1, 0, 0x7FFFFFFF, 0x7FFFFFFF), FAILURE),
), ids=lambda value: value if isinstance(value, str) else "")
def test_a_bad_capture(synward, tmp_path, name, content, code):
    """One line that names the file. What a cut one held is reported, and the exit code warns."""
    path = tmp_path / name
    path.write_bytes(content)
    done = synward.run("replay", path)
    assert done.returncode == code, done
    assert len(done.stderr.splitlines()) == 1 and name in done.stderr, done.stderr
    if code == INCOMPLETE:
        assert "incomplete" in done.stderr and " of them TCP" in done.stdout


def test_a_capture_that_is_not_there(synward, tmp_path):
    refuse(synward.run("replay", tmp_path / "none.pcap"), FAILURE, "none.pcap")
    refuse(synward.run("replay", tmp_path), FAILURE, tmp_path)
