# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts on a switch: more than two on one wire, so that one of them can send in the name of another."""

import itertools
import socket

from causes import FAMILIES
from net import NOBODY, VANISHED, End
from segments import Port, Segment
import tcp


class Lan:
    """A switch of one subnet. Who joins is given the next number, and knows those who are there already."""

    def __init__(self, lab, subnet=1):
        self.subnet, self.ends, self.numbers = subnet, [], itertools.count(1)
        self.switch = lab.namespace("switch")
        self.switch.ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        self._put_up(self.switch, "br0")

    @staticmethod
    def _put_up(namespace, name):
        """Without a link-local address, with which IPv6 would talk by itself."""
        namespace.ip("link", "set", name, "addrgenmode", "none")
        namespace.ip("link", "set", name, "up")

    def join(self, namespace, name):
        number = next(self.numbers)
        port, mac = f"p{number}", f"02:53:57:00:{self.subnet:02x}:{number:02x}"
        end = End(namespace, name, mac, self.subnet, number)
        self.switch.ip("link", "add", port, "type", "veth", "peer", "name", name,
                       "address", mac, "netns", namespace.name)
        self.switch.ip("link", "set", port, "master", "br0")
        self._put_up(self.switch, port)
        self._put_up(namespace, name)
        namespace.ip("addr", "add", f"{end.address(socket.AF_INET)}/24", "dev", name)
        namespace.ip("addr", "add", f"{end.address(socket.AF_INET6)}/64", "dev", name, "nodad")
        for other in self.ends:
            for family in FAMILIES.values():
                end.neighbour(other.address(family), other.mac)
                other.neighbour(end.address(family), end.mac)
        self.ends.append(end)
        return end


class Forger:
    """
    A host of its own that sends in the name of others. What is for nobody of the switch's subnet is
    delivered to it, and it does not answer.
    """

    def __init__(self, lab, lan, target):
        """target: whose interface gets what is sent."""
        self.end = lan.join(lab.namespace("forger"), "f0")
        self.end.peer = target
        for family in FAMILIES.values():
            for number in (NOBODY, VANISHED):
                target.neighbour(target.address(family, number), self.end.mac)
        self.port = lab.enter_context(Port(self.end))

    def send(self, *ends, flags, **fields):
        """ends: source, destination, their ports."""
        return self.port.send(Segment(*ends, flags, **fields))

    def nobody(self, family):
        """An address that nobody has."""
        return self.end.address(family, VANISHED)


def line(client):
    """Says something to who says it back."""
    client.sendall(b"are you there?")
    said = client.recv(64)
    assert said == b"are you there?", said


def visit(namespace, address, family):
    """A connection that stays, and has said something."""
    client = tcp.connect(namespace, address, family)
    line(client)
    return client
