# SPDX-License-Identifier: GPL-2.0-or-later
"""What live tests need beside kernels: other people's tools, frames by scapy, a wire that waits."""

import contextlib
import json
import re
import select
import shutil
import socket
import subprocess
import threading
import time
import xml.etree.ElementTree

import pytest

from cli import BINARY
from net import Failed, stop, wait_for
from segments import ETH_ALL, SYN, parse

TOOL_SECONDS = 30  # for what takes three

# For a test that has a gate and sends nothing: of which family that would be is all the same.
ONCE = pytest.mark.parametrize("family", ["ipv4"], indirect=True)


def need(*tools):
    """Skips a test whose tools are not installed."""
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def seen(stats):
    """The anomalies that were seen at all, and how often."""
    return {name: one["seen"] for name, one in stats["anomalies"].items() if one["seen"]}


def suspicious(synward):
    """The names of the anomalies about which something would be done or that are at least odd."""
    return {one["name"] for one in synward.json("explain")["explanations"]
            if one["kind"] == "anomaly" and one["default_action"] != "pass"}


def nmap(namespace, family, *argv):
    """Scans, each port once or, if it is silent, twice. Returns each port's state by nmap."""
    version = ["-6"] if family == socket.AF_INET6 else []
    done = namespace.run("nmap", *version, "-n", "-Pn", "-T4", "--max-retries", 1, "-oX", "-",
                         *argv, seconds=TOOL_SECONDS)
    report = xml.etree.ElementTree.fromstring(done.stdout)
    if report.find("host") is None:
        raise Failed(f"nmap saw no host:\n{done.stdout}{done.stderr}")
    return {int(port.get("portid")): port.find("state").get("state")
            for port in report.iter("port")}


def hping3(end, *argv, count=3):
    """Sends count segments from as many source ports; that none is answered is no failure."""
    words = ("hping3", "-I", end.name, "-n", "-q", "-c", count, "-i", "u1000", *argv)
    done = end.namespace.run(*words, check=False, seconds=TOOL_SECONDS)
    if not re.search(rf"^{count} packets tra(ns)?mitted", done.stderr, re.M):
        raise Failed(f"{' '.join(map(str, words))}:\n{done.stdout}{done.stderr}")


def ethernet(end, packet):
    """The bytes of a frame from an end to its peer, given what scapy has of it from IP on."""
    kind = 0x86DD if packet.version == 6 else 0x0800
    return (bytes.fromhex(end.peer.mac.replace(":", "") + end.mac.replace(":", "")) +
            kind.to_bytes(2, "big") + bytes(packet))


NOTICES = ("policy", "arming", "list", "interface")  # of what commands have done


@contextlib.contextmanager
def events(synward):
    """
    Reads the events meanwhile. Yields a function that, given a condition on the list of them, waits
    until it holds and returns the list.
    """
    read = []
    reader = subprocess.Popen([BINARY, "-j", "events"], env=synward.environment(), text=True,
                              stdout=subprocess.PIPE)

    def follow():
        for line in reader.stdout:
            one = json.loads(line)
            if one["event_type"] not in NOTICES:
                read.append(one)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield lambda condition: wait_for(lambda: condition(read) and list(read),
                                         lambda: f"events; there were {len(read)}: {read[-5:]}")
    finally:
        reader.terminate()
        thread.join(20)
        stop(reader)


def connect_from(end, port, address, family):
    """A client's connected socket, of a port of its own; one in TIME-WAIT will do."""
    assert port < 32768, "beyond, the kernel gives ports to others"
    client = end.namespace.socket(family)
    try:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.settimeout(20)
        client.bind((end.address(family), port))
        client.connect(address)
    except OSError:
        client.close()
        raise
    return client


class Crossing:
    """
    Two wires with this process between them: what one host sends reaches the other when it is
    handed on, so that segments cross as surely as they do by chance on a long wire. Both hosts
    must send complete checksums.
    """

    def __init__(self, lab, near, far):
        middle = lab.namespace("middle")
        self.near, near_port = lab.wire(near, "c0", middle, "m0", subnet=1, offloads=False)
        far_port, self.far = lab.wire(middle, "m1", far, "s0", subnet=2, offloads=False)
        self.ports = {}
        for port, to in ((near_port, far_port), (far_port, near_port)):
            raw = lab.enter_context(middle.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                                  socket.htons(ETH_ALL)))
            with middle.entered():
                raw.bind((port.name, ETH_ALL))
            self.ports[raw] = to
        for end, other in ((self.near, self.far), (self.far, self.near)):
            for family, bits in ((socket.AF_INET, 32), (socket.AF_INET6, 128)):
                end.route(f"{other.address(family)}/{bits}", end.peer.address(family))

    def _arrived(self, seconds):
        """The frames with TCP that have come: where they came in, and their bytes."""
        for raw in select.select(list(self.ports), [], [], seconds)[0]:
            data, address = raw.recvfrom(65536)
            if address[2] != socket.PACKET_OUTGOING and parse(data):
                yield raw, data

    def _hand_on(self, raw, data):
        to = self.ports[raw]
        macs = bytes.fromhex(to.peer.mac.replace(":", "") + to.mac.replace(":", ""))
        other, = self.ports.keys() - {raw}
        other.send(macs + data[12:])

    def cross(self, wanted, seconds=10):
        """Holds everything until a SYN has come from either side; what came is handed on then."""
        held, sides, deadline = [], set(), time.monotonic() + seconds
        while len(sides) < 2:
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s in vain for SYNs of both sides")
            for raw, data in self._arrived(0.1):
                held.append((raw, data))
                if parse(data).flags == wanted:
                    sides.add(raw)
        for raw, data in held:
            self._hand_on(raw, data)
        return [parse(data) for _, data in held]

    def carry(self, until, seconds=10):
        """Hands on what comes until a condition holds."""
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() > deadline:
                raise AssertionError(f"handed on for {seconds} s in vain")
            for raw, data in self._arrived(0.01):
                self._hand_on(raw, data)


def syn_of(port, sport=None):
    """Waits for a SYN that arrives at a Port: what a kernel sends to open a connection."""
    return port.receive(lambda s: s.flags & 0x17 == SYN and sport in (None, s.sport), "a SYN")
