# SPDX-License-Identifier: GPL-2.0-or-later
"""Policies of a live synward: files of them, the kernel's own view, and whether segments pass."""

import itertools
import os
import pathlib

from cli import BINARY, first_value
from net import NOBODY, VANISHED, wait_for
from segments import ACK, Port, Segment, parse

WEB, SSH = 8080, 22
MARKER = 9  # a port of no service


class Files:
    """Policy files in a directory."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.numbers = itertools.count()

    def write(self, text):
        path = self.directory / f"policy{next(self.numbers)}.yaml"
        path.write_text(text)
        return path

    def default(self, mode="monitor", more=""):
        """A policy of the default row only; more: lines of it."""
        return self.write(f"version: 1\ndefault:\n  mode: {mode}\n{more}")

    def services(self, *services, mode="monitor"):
        """Of services, each as what stands in its braces."""
        rows = "".join(f"  - {{{service}}}\n" for service in services)
        return self.write(f"version: 1\ndefault:\n  mode: {mode}\nservices:\n{rows}")


def kernel_state(synward):
    """The switch of the policies as the kernel has it, without any help of ours."""
    return first_value(synward.pin_dir / "maps" / "policy_state")[0]


def wait_rolled_back(synward, times=1):
    return wait_for(lambda: kernel_state(synward)["rolled_back"] == times,
                    lambda: f"the kernel to go back by itself: {kernel_state(synward)}")


def processes(synward):
    """The processes of our program that work on this pin directory."""
    wanted = f"SYNWARD_PIN_DIR={synward.pin_dir}".encode()
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if (entry.name.isdigit() and os.path.samefile(entry / "exe", BINARY) and
                    wanted in (entry / "environ").read_bytes().split(b"\0")):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


class Gate:
    """
    Sends segments from one end of a wire and looks what of it the other end's kernel gets. Of several
    families each must fare alike; single segments are of the first.
    """

    def __init__(self, near, far, *families):
        self.near, self.far, self.families = near, far, families
        self.family = families[0]
        self.sender, self.receiver = Port(near), Port(far)
        self.ports = itertools.count(30000)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sender.socket.close()
        self.receiver.socket.close()

    def segment(self, flags, dport=WEB, number=VANISHED, to=NOBODY, family=None):
        port, family = next(self.ports), family or self.family
        return Segment(self.near.address(family, number), self.far.address(family, to),
                       port, dport, flags, seq=port * 1000, ack=7 if flags & ACK else 0)

    def passes(self, flags=0, **where):
        """Does such a segment get through? By default one without any flag, which nobody sends."""
        probes = {family: self.sender.send(self.segment(flags, family=family, **where)).sport
                  for family in self.families}
        marker = self.sender.send(self.segment(ACK, dport=MARKER))
        arrived = []

        def reached():
            while (data := self.receiver._next()) is not None:
                one = parse(data)
                if one:
                    arrived.append(one.sport)
            return marker.sport in arrived
        wait_for(reached, "a segment that nobody drops")
        passed = {family: port in arrived for family, port in probes.items()}
        assert len(set(passed.values())) == 1, passed
        return passed[self.family]
