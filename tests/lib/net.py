# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces and the veth pairs between them. Needs root.

A Lab owns all it has made and takes it down in the reverse order, also after a failure. Names hold
the process id, so labs of several processes get along, and what a killed one has left is known.

veth and XDP: a pair has no NAPI until an XDP program is loaded on it or GRO is on. Passing packets
needs neither; XDP_TX and XDP_REDIRECT reach the peer only if the peer has it.
"""

import contextlib
import ctypes
import dataclasses
import itertools
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

PREFIX = "swtest"
NETNS = pathlib.Path("/run/netns")
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)

OFFLOADS = ("tso", "gso", "gro", "tx", "tx-vlan-hw-insert", "tx-vlan-stag-hw-insert")

FAMILIES = (socket.AF_INET, socket.AF_INET6)

# The last number of an address on a wire, IPv4 and IPv6 alike.
NEAR, FAR = 1, 2
NOBODY = 98  # behind the far end: packets for it arrive there, and nothing answers, not even ICMP
VANISHED = 99  # the same behind the near end: whose packets come from there hears no answer


class Failed(RuntimeError):
    """A command that a test or demo needs has failed."""


def run(*argv, check=True, seconds=60, **options):
    """Runs a command to its end and returns it with its output as text."""
    argv = [str(word) for word in argv]
    done = subprocess.run(argv, text=True, capture_output=True, timeout=seconds, **options)
    if check and done.returncode:
        raise Failed(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def patience():
    """How much longer than on an idle machine a thing may take on this one, as it is now."""
    last_minute, *_, tasks = pathlib.Path("/proc/loadavg").read_text().split()[:4]
    runnable = max(float(last_minute), float(tasks.split("/")[0]))
    return max(1, runnable / os.cpu_count())


def wait_for(condition, what, seconds=20):
    """
    Waits until condition() is true and returns its value. The deadline is for failures only, and
    for an idle machine; what: words for it, or a function that finds them when it comes to that.
    """
    began = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - began
        if waited > seconds * patience():
            words = what() if callable(what) else what
            raise AssertionError(f"waited {waited:.1f} s in vain for {words}")
        # seldom enough that asking takes little of the processors, soon enough that nobody waits for it:
        # what has taken seconds may take a fortieth more
        time.sleep(max(min(0.05, 0.01 + waited / 10), min(0.25, waited / 40)))


def _setns(fd):
    if LIBC.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """A network namespace, by its name for `ip netns`."""

    def __init__(self, name):
        self.name = name
        self.path = NETNS / name

    @property
    def inode(self):
        return self.path.stat().st_ino

    def command(self, *argv):
        """The command line that runs argv here; the mount namespace stays the caller's."""
        return ["nsenter", f"--net={self.path}", "--", *map(str, argv)]

    def run(self, *argv, **options):
        return run(*self.command(*argv), **options)

    def ip(self, *argv):
        return run("ip", "-n", self.name, *argv)

    def ip_batch(self, *commands):
        """Several of them, each a tuple of words, by one process."""
        lines = "".join(" ".join(map(str, words)) + "\n" for words in commands)
        return run("ip", "-n", self.name, "-batch", "-", input=lines)

    def tc(self, *argv):
        return run("tc", "-n", self.name, *argv)

    @contextlib.contextmanager
    def entered(self):
        """This thread is here meanwhile. Sockets made here stay here."""
        with open("/proc/thread-self/ns/net") as back, open(self.path) as there:
            _setns(there.fileno())
            try:
                yield
            finally:
                _setns(back.fileno())

    def socket(self, family, kind=socket.SOCK_STREAM, protocol=0):
        with self.entered():
            return socket.socket(family, kind, protocol)

    def sysctl(self, name, value):
        with self.entered():
            pathlib.Path("/proc/sys", *name.split(".")).write_text(f"{value}\n")

    def read_sysctl(self, name):
        with self.entered():
            return pathlib.Path("/proc/sys", *name.split(".")).read_text().strip()

    def counter(self, group, name):
        """One of the namespace's own counters, such as Tcp RetransSegs."""
        with self.entered():
            lines = [line.split() for path in ("snmp", "netstat") for line in
                     pathlib.Path("/proc/thread-self/net", path).read_text().splitlines()]
        names, values = (words for words in lines if words[0] == f"{group}:")
        return int(values[names.index(name)])


@dataclasses.dataclass
class End:
    """One interface of a wire."""

    namespace: Namespace
    name: str
    mac: str
    subnet: int
    number: int
    peer: "End" = None

    def address(self, family, number=None):
        """The address of this end, or of another number on its wire."""
        number = self.number if number is None else number
        return (f"10.77.{self.subnet}.{number}" if family == socket.AF_INET else
                f"fd77:{self.subnet}::{number}")

    @property
    def ifindex(self):
        with self.namespace.entered():
            return socket.if_nametoindex(self.name)

    def statistic(self, direction, what):
        """What the kernel itself counts: rx or tx; packets, bytes, errors or dropped."""
        link = json.loads(self.namespace.ip("-s", "-j", "link", "show", "dev", self.name).stdout)
        return link[0]["stats64"][direction][what]

    def offloads(self, on):
        """Segmentation, checksum and VLAN offloads: without them the wire is as a real one."""
        state = "on" if on else "off"
        self.namespace.run("ethtool", "-K", self.name,
                           *[word for feature in OFFLOADS
                             for word in (feature, state)])

    def route(self, target, via=None):
        """A way to target, a prefix; via: the other end's address, on this wire."""
        self.namespace.ip("route", "add", target, *(["via", via] if via else []),
                          "dev", self.name)

    def neighbour_words(self, address, mac):
        """Of ip: whose MAC address that is, without asking."""
        return ("neigh", "replace", address, "lladdr", mac, "dev", self.name, "nud", "permanent")

    def neighbour(self, address, mac):
        self.namespace.ip(*self.neighbour_words(address, mac))


class Lab(contextlib.ExitStack):
    """Namespaces, wires and processes that vanish together."""

    prefix = PREFIX
    numbers = itertools.count()  # a process may have more than one

    def namespace(self, label):
        number = next(self.numbers)
        space = Namespace(f"{self.prefix}{os.getpid()}-{label}{number or ''}")
        run("ip", "netns", "add", space.name)
        self.callback(self.end, space)
        # a new namespace inherits some of these from the machine, which may be a router
        for name in ("all", "default"):
            space.sysctl(f"net.ipv4.conf.{name}.forwarding", 0)
            space.sysctl(f"net.ipv4.conf.{name}.rp_filter", 0)
            space.sysctl(f"net.ipv6.conf.{name}.forwarding", 0)
            space.sysctl(f"net.ipv6.conf.{name}.disable_ipv6", 0)
        # a new address is reported to multicast routers twice: at once, not while a test counts
        for version in ("mldv1", "mldv2"):
            space.sysctl(f"net.ipv6.conf.default.{version}_unsolicited_report_interval", 1)
        space.ip("link", "set", "lo", "up")
        return space

    @staticmethod
    def end(space):
        """A namespace ends, and with it all that is in it. Once more is as good."""
        if os.path.exists(space.path):
            run("ip", "netns", "del", space.name)

    def wire(self, near, near_name, far, far_name, subnet=1, offloads=True):
        """A veth pair with addresses of both families, whose neighbours need no asking."""
        a = End(near, near_name, f"02:53:57:00:{subnet:02x}:01", subnet, NEAR)
        b = End(far, far_name, f"02:53:57:00:{subnet:02x}:02", subnet, FAR, a)
        a.peer = b
        near.ip("link", "add", a.name, "address", a.mac, "type", "veth",
                "peer", "name", b.name, "address", b.mac, "netns", far.name)
        for end, own_ghost, other_ghost in ((a, VANISHED, NOBODY), (b, NOBODY, VANISHED)):
            end.namespace.ip_batch(
                # no link-local address: with one, IPv6 would talk by itself
                ("link", "set", end.name, "addrgenmode", "none"),
                ("link", "set", end.name, "up"),
                ("addr", "add", f"{end.address(socket.AF_INET)}/24", "dev", end.name),
                ("addr", "add", f"{end.address(socket.AF_INET6)}/64", "dev", end.name, "nodad"),
                *(("route", "add", "blackhole", end.address(family, own_ghost)) for family in FAMILIES),
                *(end.neighbour_words(end.address(family, number), end.peer.mac)
                  for family in FAMILIES for number in (end.peer.number, other_ghost)))
            if not offloads:
                end.offloads(False)
        return a, b

    def process(self, argv, **options):
        """A process that is killed in the end, if it has not ended by itself."""
        started = subprocess.Popen([str(word) for word in argv], text=True, **options)
        self.callback(stop, started)
        return started


def stop(process, how=signal.SIGKILL):
    """Ends a process of ours and waits until it has."""
    if process.poll() is None:
        process.send_signal(how)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()
    return process.wait()


def sweep_leftovers(prefix=PREFIX):
    """Removes the namespaces of test processes that were killed before they could."""
    for path in NETNS.glob(f"{prefix}*-*"):
        owner = path.name[len(prefix):].split("-")[0]
        if owner.isdigit() and not pathlib.Path("/proc", owner).exists():
            run("ip", "netns", "del", path.name, check=False)
