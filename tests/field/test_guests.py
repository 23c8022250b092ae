# SPDX-License-Identifier: GPL-2.0-or-later
"""The flood defence in the field: whom it is to protect is not the host itself."""

from causes import FAMILIES
from floods import answerable
from net import End
from places import Behind, Place

GUEST = 3  # its address on the clients' wire


class Guest(Place):
    """It has the host's wire, too, and an address of its own there. The host forwards nothing."""

    def __init__(self, lab):
        self.host, space = lab.namespace("host"), lab.namespace("guest")
        near, uplink = lab.wire(lab.namespace("client"), "c0", self.host, "u0")
        self.guest = End(space, "s0", "02:53:57:00:01:03", 1, GUEST, near)
        self.plug_in(lab, uplink)
        near.peer = self.guest  # to which its frames go
        for family, bits in zip(FAMILIES.values(), ("24", "64")):
            address = self.guest.address(family)
            space.ip("addr", "add", f"{address}/{bits}", "dev", "s0",
                     *(["nodad"] if bits == "64" else []))
            near.neighbour(address, self.guest.mac)
            self.guest.neighbour(near.address(family), near.mac)
        super().__init__(lab, near, (uplink,), (self.guest,))
        answerable(near)
        self.serve(space)

    def plug_in(self, lab, uplink):
        """Gives the guest its interface."""
        raise NotImplementedError

    def start(self, space, name):
        space.ip("link", "set", name, "addrgenmode", "none")
        space.ip("link", "set", name, "up")

    def address(self, family):
        return self.guest.address(family), 8080


class Bridged(Guest):
    def plug_in(self, lab, uplink):
        self.host.ip("link", "add", "br0", "type", "bridge")
        self.host.ip("link", "add", "v0", "type", "veth", "peer", "name", "s0", "address",
                     self.guest.mac, "netns", self.guest.namespace.name)
        for port in (uplink.name, "v0"):
            self.host.ip("link", "set", port, "master", "br0")
        for name in ("br0", "v0"):
            self.start(self.host, name)
        self.start(self.guest.namespace, "s0")
        self.host.ip("addr", "flush", "dev", uplink.name)
        self.host.ip("addr", "add", uplink.address(FAMILIES["ipv4"]) + "/24", "dev", "br0")
        self.host.ip("addr", "add", uplink.address(FAMILIES["ipv6"]) + "/64", "dev", "br0", "nodad")


class Macvlan(Guest):
    def plug_in(self, lab, uplink):
        self.host.ip("link", "add", "s0", "link", uplink.name, "address", self.guest.mac,
                     "type", "macvlan", "mode", "bridge")
        self.host.ip("link", "set", "s0", "netns", self.guest.namespace.name)
        self.start(self.guest.namespace, "s0")


SETUPS = {
    "guest on a bridge, nothing is forwarded": Bridged,
    "guest by macvlan": Macvlan,
    "routing gateway": Behind,
}


def test_clients_get_in(trial):
    trial()
