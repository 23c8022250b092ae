# SPDX-License-Identifier: GPL-2.0-or-later
"""
Where the flood takes place: a client, a victim and the wire between them, each in a namespace of
its own, marked so that the flood program accepts them.

    client c ---- tc (wire: flood) tv ---- v victim

The flood comes from the wire's namespace and into the very queue of v that the honest client's
segments take. Programs on tc and tv hand frames on; what the victim answers to invented
sources ends at tv. v's queue is emptied by a kernel thread, which has the victim's core with the
server: the thread's time is the core time of a packet.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "lib"))

from cli import BUILD, Synward, private_bpffs  # noqa: E402
from net import Failed, Lab, run, sweep_leftovers, wait_for  # noqa: E402

PREFIX = "swflood"
MARK = "synward bench-flood "  # GUARD_MARK of guard.h
TOOLS = BUILD / "bench"
OBJECT = BUILD / "bpf" / "stage.bpf.o"

# stage.bpf.c knows these
TO_VICTIM, TO_CLIENT = 10, 11
CLIENT_MAC, VICTIM_MAC, GATEWAY_MAC = "02:53:57:00:00:01", "02:53:57:00:00:02", "02:53:57:00:00:fe"

CLIENT, VICTIM, GATEWAY = 1, 2, 254
PORT = 443
BACKLOG = 1024
AHEAD = -15  # nice: on a machine that is not idle, the flood and its victim come first
MODERATION = ("gro_flush_timeout", "napi_defer_hard_irqs")
FAMILIES = (4, 6)


def address(family, number):
    return f"192.0.2.{number}" if family == 4 else f"fd53:79::{number}"


@dataclasses.dataclass(frozen=True)
class Cores:
    """Who works where."""

    flood: int
    victim: int
    wire: int  # and the client


def choose_cores():
    """The first for the flood, the last for the victim, and one between them, if any, for the wire."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Failed("a flood needs two cores: one that sends and one that receives")
    return Cores(cores[0], cores[-1], cores[1] if len(cores) > 2 else cores[0])


def go_first(pid, priority):
    """
    Before all that is not of the stage, as a card's interrupts go before processes: a queue of 256
    frames is full before an ordinary thread's turn comes round.
    """
    os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(priority))


def put_ahead(pid):
    """Before other people's processes, also where each session has its own share of the cores."""
    os.setpriority(os.PRIO_PROCESS, pid, AHEAD)
    with contextlib.suppress(OSError):
        pathlib.Path("/proc", str(pid), "autogroup").write_text(f"{AHEAD}\n")


def cpu_time_ns(pid):
    """What a process has had of a core, by the scheduler's own clock (CPUCLOCK_SCHED)."""
    return time.clock_gettime_ns(~pid << 3 | 2)


@dataclasses.dataclass(frozen=True)
class Counters:
    """What the victim has seen so far, or between two moments."""

    received: int  # packets that were taken from the queue
    lost: int  # that found it full
    bytes_received: int
    bytes_sent: int
    honest: int  # of the client, all of them
    core_ns: int  # of the thread that empties the victim's queue
    ns: int

    def __sub__(self, before):
        return Counters(*(ours - theirs for ours, theirs in
                          zip(dataclasses.astuple(self), dataclasses.astuple(before))))


class Stage(Lab):
    """Everything but the peer, which prepares the victim between making this and settle()."""

    prefix = PREFIX

    def __init__(self, family, cores, moderation_us=0):
        super().__init__()
        self.family = family
        self.cores = cores
        self.moderation_us = moderation_us
        self.secret = secrets.token_hex(16)
        self.address = address(family, VICTIM)
        own = os.getpid()
        self.names = {name: f"{name}{own}" for name in ("c", "tc", "tv", "v")}
        self.interface = self.names["v"]
        self.thread = None

    def __enter__(self):
        super().__enter__()
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def _build(self):
        self.client, self.wire, self.victim = (self.namespace(label) for label in
                                               ("client", "wire", "victim"))
        self.places = {"c": self.client, "tc": self.wire, "tv": self.wire, "v": self.victim}
        for space in (self.client, self.wire, self.victim):
            space.ip("link", "set", "lo", "alias", MARK + self.secret)
        self._join("tc", TO_CLIENT, "c", CLIENT_MAC)
        self._join("tv", TO_VICTIM, "v", VICTIM_MAC)
        for name, own, other, mac in (("c", CLIENT, VICTIM, VICTIM_MAC),
                                      ("v", VICTIM, CLIENT, CLIENT_MAC)):
            self._address(name, own, other, mac)
        for family in FAMILIES:
            gateway = address(family, GATEWAY)
            self._neighbour("v", gateway, GATEWAY_MAC)
            self.victim.ip(f"-{family}", "route", "add", "default", "via", gateway)
        self.load("tc", OBJECT, "program", "from_client")
        self.load("tv", OBJECT, "program", "from_victim")

    def _join(self, near, index, far, mac):
        self.wire.ip("link", "add", self.names[near], "index", index, "type", "veth", "peer",
                     "name", self.names[far], "address", mac, "netns", self.places[far].name)
        for end in (near, far):
            self.places[end].ip("link", "set", self.names[end], "addrgenmode", "none", "up")
        for end in (near, far):
            # Frames on the wire have their checksums and are not longer than it. GRO comes last:
            # with it, on an interface that is up, veth has a queue and a thread to empty it.
            self.places[end].run("ethtool", "-K", self.names[end], "tso", "off", "gso", "off",
                                 "tx", "off", "gro", "on")

    def _address(self, name, own, other, mac):
        space = self.places[name]
        for family, bits in ((4, 24), (6, 64)):
            words = ("nodad",) if family == 6 else ()
            space.ip("addr", "add", f"{address(family, own)}/{bits}", "dev", self.names[name],
                     *words)
            self._neighbour(name, address(family, other), mac)

    def _neighbour(self, name, of, mac):
        self.places[name].ip("neigh", "replace", of, "lladdr", mac, "dev", self.names[name],
                             "nud", "permanent")

    def load(self, name, path, *which):
        """An object file's program onto an interface, at the driver."""
        self.places[name].ip("link", "set", "dev", self.names[name], "xdpdrv", "obj", path, *which)

    def _write(self, name, file, value):
        """A file of an interface's in sysfs, of which each namespace sees its own."""
        run("ip", "netns", "exec", self.places[name].name, "sh", "-c",
            f"echo {value} >/sys/class/net/{self.names[name]}/{file}")

    def _thread(self, name):
        """The kernel thread that empties the queue of an interface."""
        start = f"napi/{self.names[name]}-"[:15]
        for path in pathlib.Path("/proc").glob("[0-9]*/comm"):
            with contextlib.suppress(OSError):
                if path.read_text().startswith(start):
                    return int(path.parent.name)
        raise Failed(f"the kernel has no thread {start}: threaded NAPI takes Linux 5.12")

    def settle(self):
        """After the peer has prepared the victim: whoever works gets his core."""
        for name in self.names:
            self._write(name, "threaded", 1)
            if self.moderation_us:
                for file, value in zip(MODERATION, (self.moderation_us * 1000, 2)):
                    self._write(name, file, value)
        for name in ("c", "tc", "tv"):
            thread = self._thread(name)
            os.sched_setaffinity(thread, {self.cores.wire})
            go_first(thread, 1)
        self.thread = self._thread("v")
        os.sched_setaffinity(self.thread, {self.cores.victim})
        go_first(self.thread, 1)

    def _links(self, space):
        links = json.loads(space.ip("-s", "-j", "link").stdout)
        return {link["ifname"]: link["stats64"] for link in links}

    def _from_client(self):
        return self._links(self.wire)[self.names["tc"]]["rx"]["packets"]

    def counters(self):
        """
        All of one moment: what the client sends between two readings, a report of its multicast
        groups a second after it came up, would be missing in one of them. Then it is read again.
        """
        honest = self._from_client()
        for _ in range(20):
            seen, before = self._links(self.victim)[self.interface], honest
            honest = self._from_client()
            if honest == before:
                break
        return Counters(seen["rx"]["packets"], seen["rx"]["dropped"], seen["rx"]["bytes"],
                        seen["tx"]["bytes"], honest, cpu_time_ns(self.thread),
                        time.monotonic_ns())

    def start(self, space, core, *argv, **options):
        return self.process(space.command("taskset", "-c", core, *argv), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, start_new_session=True, **options)

    def serve(self):
        """Starts the honest server and waits until it listens."""
        everyone = "0.0.0.0" if self.family == 4 else "::"
        server = self.start(self.victim, self.cores.victim, TOOLS / "honest_server", "--address",
                             everyone, "--port", PORT, "--backlog", BACKLOG)
        if server.stdout.readline() != "listening\n":
            raise Failed(f"honest_server: {server.stderr.read().strip()}")
        go_first(server.pid, 2)

    def connect(self, rate, seconds, timeout_ms):
        """The honest client, from its beginning to its end. Returns what it found."""
        done = self.client.run("taskset", "-c", self.cores.wire, "chrt", "-f", 2,
                               TOOLS / "honest_client", "--address", self.address, "--port", PORT,
                               "--rate", rate, "--seconds", seconds,
                               "--timeout", f"{timeout_ms}ms", seconds=seconds + 60)
        return json.loads(done.stdout)

    def flood_command(self, kind, rate, seconds):
        """rate: segments a second, or None for as many as possible."""
        return (TOOLS / "flood", "--interface", self.names["tv"], "--secret", self.secret,
                "--destination", self.address, "--port", PORT, "--to", VICTIM_MAC,
                "--from", GATEWAY_MAC, "--kind", kind, "--rate", rate or 0, "--seconds", seconds)

    @contextlib.contextmanager
    def flooded(self, kind, rate, seconds):
        """
        A flood meanwhile, already under way, of at most so many seconds. Yields a dictionary that
        has in the end how many segments were sent, and in which time.
        """
        before = self.counters()
        flood = self.start(self.wire, self.cores.flood, *self.flood_command(kind, rate, seconds))
        put_ahead(flood.pid)
        wait_for(lambda: flood.poll() is not None or
                 (self.counters() - before).received > 0, "the flood to arrive")
        report = {}
        try:
            yield report
        finally:
            flood.send_signal(signal.SIGTERM)
            said, complaint = flood.communicate(timeout=20)
            if flood.returncode:
                raise Failed(f"flood: exit {flood.returncode}: {complaint.strip()}")
        report.update(json.loads(said.splitlines()[-1]))


def own_prefix():
    return f"{PREFIX}{os.getpid()}-"


def own_bpffs():
    return private_bpffs(own_prefix())


@contextlib.contextmanager
def own_directory():
    with tempfile.TemporaryDirectory(prefix=own_prefix(), dir="/run") as path:
        yield pathlib.Path(path)


def sweep():
    """Removes what a run that was killed has left."""
    sweep_leftovers(PREFIX)
    for path in pathlib.Path("/run").glob(f"{PREFIX}*-*"):
        owner = re.match(rf"{PREFIX}(\d+)-", path.name)
        if owner and not pathlib.Path("/proc", owner[1]).exists():
            run("umount", "-l", path, check=False)
            shutil.rmtree(path)
