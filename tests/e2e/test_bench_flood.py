# SPDX-License-Identifier: GPL-2.0-or-later
"""bench-flood: the flood goes nowhere else, nothing is lost from the books, nothing is left."""

import contextlib
import json
import pathlib
import signal
import socket
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from cli import BUILD, ROOT
from net import NETNS, run, stop, wait_for

sys.path.insert(0, str(ROOT / "bench"))

import stage as flood_stage  # noqa: E402

SCRIPT = ROOT / "bench" / "flood.py"
FLOOD = BUILD / "bench" / "flood"
SECRET = "0123456789abcdef" * 2
TITLES = {"kernel-cookies-1", "drop", "turn"}


@pytest.fixture(autouse=True)
def built():
    if not FLOOD.exists():
        pytest.fail(f"{FLOOD} is not there: make {FLOOD}")


def bench(*argv):
    command = ["/usr/bin/python3", "-B", SCRIPT, *map(str, argv)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            start_new_session=True)


def finish(process, seconds=300):
    said, complaint = process.communicate(timeout=seconds)
    return process.returncode, said, complaint


def namespaces(pid):
    return list(NETNS.glob(f"swflood{pid}-*"))


def left_by(pid):
    """Namespaces and mounts of a run."""
    mounts = [line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    return [*map(str, namespaces(pid)),
            *(path for path in mounts if path.startswith(f"/run/swflood{pid}-"))]


def inhabitants(inodes):
    """The names of the processes in these network namespaces, also if the namespaces have none."""
    found = set()
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (path / "ns" / "net").stat().st_ino in inodes:
                found.add((path / "comm").read_text().strip())
    return found


# ---- a small run


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Three peers at two rates; what was said and what was written."""
    output = tmp_path_factory.mktemp("flood")
    process = bench("--quick", "--peers", "kernel-cookies-1,drop,turn", "--rates", "0,5k",
                    "--connects", 50, "--timeout", 20000, "--output", output)
    code, said, complaint = finish(process)
    assert (code, complaint) == (0, ""), said + complaint
    return process.pid, said, output


def test_the_json_is_complete(small):
    _, _, output = small
    result = json.loads((output / "bench-flood.json").read_text())
    assert result["schema"] == 1
    assert set(result["machine"]) == {"kernel", "architecture", "cpu", "cores", "memory_bytes",
                                      "virtual"}
    assert result["setup"]["rates"] == [0, 5000]
    assert {peer["name"] for peer in result["peers"]} == TITLES
    for peer in result["peers"]:
        assert peer["available"] and peer["reason"] is None
        assert [run["rate"] for run in peer["runs"]] == [0, 5000]
        for one in peer["runs"]:
            check_run(one)


def check_run(one):
    honest = one["honest"]
    assert honest["tried"] == 50
    assert (honest["succeeded"], honest["connected"], honest["percent"]) == (50, 50, 100)
    for times in (honest["connect_us"], honest["first_byte_us"]):
        assert 0 < times["p50"] <= times["p90"] <= times["p99"] <= times["max"]
    assert one["seconds"] > 0 and one["ns_per_packet"] > 0 and 0 < one["core_share"] <= 1.1
    assert 0 <= one["absorbed_per_s"] <= one["sent_per_s"]
    assert one["bytes_received"] > 0 and one["bytes_answered"] > 0
    if one["rate"] == 0:
        assert one["absorbed_per_s"] == 0 and "generator" not in one
    else:
        assert one["absorbed_per_s"] > 0
        # it started before the clients and ended after them
        assert one["generator"]["sent"] >= one["sent_per_s"] * one["seconds"] - 1
        assert one["generator"]["sent"] <= one["rate"] * (one["generator"]["seconds"] + 1)
        assert one["generator"]["unaccounted"] == 0


def test_the_drop_answers_nobody_else(small):
    """Whoever is in between: cookies answer the flood, and so does who turns it; the bound does not."""
    _, _, output = small
    result = json.loads((output / "bench-flood.json").read_text())
    answered = {peer["name"]: [run["bytes_answered"] for run in peer["runs"]]
                for peer in result["peers"]}
    quiet, flooded = answered["drop"]
    assert flooded < 2 * quiet
    for name in ("kernel-cookies-1", "turn"):
        quiet, flooded = answered[name]
        assert flooded > 5 * quiet, name


def test_the_table_fits_and_the_picture_is_whole(small):
    _, said, output = small
    assert all(len(line) <= 100 for line in said.splitlines() if str(output) not in line)
    for name in TITLES:
        assert f"\n{name}: " in said
    picture = xml.etree.ElementTree.parse(output / "bench-flood.svg").getroot()
    texts = {text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert TITLES <= texts


def test_nothing_is_left(small):
    pid, _, _ = small
    assert left_by(pid) == []


# ---- peers


def test_another_object_file_is_a_peer(tmp_path):
    path = BUILD / "bpf" / "stage.bpf.o"
    process = bench("--quick", "--peer", f"mine={path}:drop_strangers", "--peers", "mine",
                    "--rates", "5k", "--timeout", 20000, "--output", tmp_path)
    code, said, complaint = finish(process)
    assert code == 0, said + complaint
    peer, = json.loads((tmp_path / "bench-flood.json").read_text())["peers"]
    assert peer["runs"][0]["honest"]["percent"] == 100
    # it is that program, and not the kernel, that saw the flood
    assert peer["runs"][0]["bytes_answered"] < peer["runs"][0]["bytes_received"] / 2


def test_xdp_synproxy_gets_its_port_and_its_rules(tmp_path):
    path = BUILD / "bpf" / "ports.bpf.o"
    process = bench("--quick", "--peer", f"xdp_synproxy={path}:xdp", "--peers",
                    "nft-synproxy,xdp_synproxy", "--rates", "0", "--timeout", 20000,
                    "--output", tmp_path)
    code, said, complaint = finish(process)
    proxy, peer = json.loads((tmp_path / "bench-flood.json").read_text())["peers"]
    if not proxy["available"]:
        assert f"  not available: {proxy['reason']}"[:100] in said
        pytest.skip(proxy["reason"])
    assert code == 0, said + complaint
    assert [one["runs"][0]["honest"]["percent"] for one in (proxy, peer)] == [100, 100]


def test_xdp_synproxy_must_be_it(tmp_path):
    path = BUILD / "bpf" / "stage.bpf.o"
    code, said, _ = finish(bench("--quick", "--peer", f"xdp_synproxy={path}:drop_strangers",
                                 "--peers", "xdp_synproxy", "--rates", "0", "--output", tmp_path))
    assert code == 1 and "not available: " in said


def test_synward_is_a_peer(tmp_path):
    """It answers the flood in the kernel's place, or leaves it to it; nobody honest suffers."""
    process = bench("--quick", "--peers", "synward,synward-monitor", "--rates", "2k",
                    "--timeout", 20000, "--output", tmp_path)
    code, said, complaint = finish(process)
    assert code == 0, said + complaint
    result = json.loads((tmp_path / "bench-flood.json").read_text())
    for peer in result["peers"]:
        one, = peer["runs"]
        assert one["honest"]["percent"] == 100
        assert one["bytes_answered"] <= one["bytes_received"]
    assert left_by(process.pid) == []


def test_a_peer_that_cannot_be_is_named(tmp_path):
    broken = tmp_path / "broken.o"
    broken.write_bytes(b"this is no object file")
    process = bench("--quick", "--peer", f"broken={broken}", "--peers", "broken", "--rates", "0",
                    "--output", tmp_path)
    code, said, _ = finish(process)
    assert code == 1
    assert "  not available: " in said
    peer, = json.loads((tmp_path / "bench-flood.json").read_text())["peers"]
    assert not peer["available"] and peer["reason"] and peer["runs"] == []
    assert left_by(process.pid) == []


@pytest.mark.parametrize("argv, words", [
    (("--rates", "many"), "--rates many: expected SYNs a second"),
    (("--rates", "11M"), "of at most 10M"),
    (("--peers", "nobody"), "--peers nobody: expected some of kernel-cookies-0"),
    (("--peer", "x=/nonexistent.o"), "there is no file /nonexistent.o"),
    (("--peer", "drop=" + str(SCRIPT)), "two peers of the same name"),
    (("--seconds", "0"), "--seconds 0: expected 1 to 60"),
    (("--cores", "0,0"), "--cores 0,0: expected two of"),
])
def test_a_wrong_call(argv, words):
    code, _, complaint = finish(bench(*argv))
    assert code == 2 and words in complaint


# ---- it goes away


@pytest.fixture
def running(tmp_path):
    """A long run whose flood is under way, and the inodes of its namespaces."""
    process = bench("--peers", "drop", "--rates", "5k", "--seconds", 60, "--output", tmp_path)
    inodes = set()

    def complete():
        with contextlib.suppress(OSError):
            inodes.update(path.stat().st_ino for path in namespaces(process.pid))
        return {"flood", "honest_client", "honest_server"} <= inhabitants(inodes)
    try:
        wait_for(complete, lambda: f"all programs; there are {inhabitants(inodes)}", seconds=60)
        yield process, inodes
    finally:
        stop(process)


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 1)])
def test_interrupted_it_takes_everything_down(running, tmp_path, number, code):
    process, inodes = running
    process.send_signal(number)
    assert finish(process)[0] == code
    assert left_by(process.pid) == []
    wait_for(lambda: not inhabitants(inodes), lambda: f"{inhabitants(inodes)} to end")
    assert not (tmp_path / "bench-flood.json").exists()


def test_killed_it_takes_its_programs_along_and_the_next_run_clears_up(running):
    process, inodes = running
    process.kill()
    process.wait()
    wait_for(lambda: not inhabitants(inodes), lambda: f"{inhabitants(inodes)} to end")
    assert left_by(process.pid)
    flood_stage.sweep()
    assert left_by(process.pid) == []


# ---- the flood goes nowhere else


class Ends:
    """A veth pair between two namespaces, of which each may be marked."""

    def __init__(self, lab, marks=(SECRET, SECRET)):
        self.near, self.far = lab.namespace("near"), lab.namespace("far")
        self.wire = lab.wire(self.near, "n0", self.far, "f0")
        # with it, a veth takes redirected frames: what is refused would arrive
        self.far.run("ethtool", "-K", "f0", "gro", "on")
        for space, mark in zip((self.near, self.far), marks):
            if mark:
                space.ip("link", "set", "lo", "alias", flood_stage.MARK + mark)

    def flood(self, interface="n0", secret=SECRET, destination=None, **more):
        words = [word for name, value in more.items() for word in (f"--{name}", value)]
        return self.near.run(FLOOD, "-i", interface, "--secret", secret, "--to", self.wire[1].mac,
                             "--from", self.wire[0].mac, "--destination",
                             destination or self.wire[1].address(socket.AF_INET),
                             "--count", 50, *words, check=False)

    def expect_refusal(self, words, **options):
        done = self.flood(**options)
        assert done.returncode == 1 and not done.stdout
        assert words in done.stderr
        assert self.far.counter("Tcp", "InSegs") == 0


def test_refused_in_the_namespace_of_the_machine(lab):
    near, _ = lab.wire(lab.namespace("near"), "n0", lab.namespace("far"), "f0")
    done = run(FLOOD, "-i", "lo", "--secret", SECRET, "-d", near.address(socket.AF_INET),
               check=False)
    assert done.returncode == 1 and "network namespace of the machine" in done.stderr


@pytest.mark.parametrize("marks, words", [
    ((None, SECRET), "n0: this network namespace does not carry the laboratory's mark"),
    ((SECRET[::-1], SECRET), "n0: this network namespace does not carry the laboratory's mark"),
    (("", ""), "n0: this network namespace does not carry the laboratory's mark"),
    ((SECRET, None), "n0: its other end is in a network namespace that does not carry"),
    ((SECRET, SECRET[::-1]), "n0: its other end is in a network namespace that does not carry"),
])
def test_refused_without_the_mark(lab, marks, words):
    Ends(lab, marks).expect_refusal(words)


def test_refused_with_a_short_secret(lab):
    """An alias of somebody else's that begins like a mark is none."""
    Ends(lab, ("x", "x")).expect_refusal("does not carry the laboratory's mark", secret="x")


def test_refused_on_what_is_no_veth(lab):
    ends = Ends(lab)
    ends.near.ip("link", "add", "b0", "type", "bridge")
    ends.near.ip("link", "set", "b0", "up")
    ends.expect_refusal("lo: is not a veth", interface="lo")
    ends.expect_refusal("b0: is not a veth but a bridge", interface="b0")
    ends.expect_refusal("x9: no such interface here", interface="x9")


@pytest.mark.parametrize("argv", [("--seconds", "121"), ("--rate", "10000001"), ("--count", "0"),
                                  ("--kind", "fin"), ("--port", "0")])
def test_refused_beyond_its_bounds(lab, argv):
    ends = Ends(lab)
    done = ends.near.run(FLOOD, "-i", "n0", "--secret", SECRET, "-d", "192.0.2.1", *argv,
                         check=False)
    assert done.returncode == 2 and argv[0] in done.stderr


# ---- what it sends


@pytest.mark.parametrize("kind", ["syn", "ack", "mixed"])
def test_the_kernel_takes_every_segment(lab, family, kind):
    """Exactly so many, each with checksums that are right, from about as many sources."""
    ends = Ends(lab)
    far = ends.wire[1]
    everywhere = "default" if family == socket.AF_INET else "2001:db8::/32"
    far.route(everywhere, far.peer.address(family))
    done = ends.flood(destination=far.address(family), kind=kind, rate=2000, seconds=20)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["sent"] == 50 and last["done"]
    wait_for(lambda: far.namespace.counter("Tcp", "InSegs") >= 50, "50 segments")
    assert far.namespace.counter("Tcp", "InSegs") == 50
    assert far.namespace.counter("Tcp", "InCsumErrors") == 0
    # nobody listens: each is answered by a RST of its own
    wait_for(lambda: far.namespace.counter("Tcp", "OutRsts") >= 50, "50 RSTs")
    assert far.namespace.counter("Tcp", "OutRsts") == 50
