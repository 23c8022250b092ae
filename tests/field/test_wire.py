# SPDX-License-Identifier: GPL-2.0-or-later
"""The flood defence in the field: a server on a wire, what that may be like, and who else looks at it."""

from floods import answerable
from hooks import filter_packets, put_on_tcx
from load import HonestLoad
from net import NOBODY
from places import Wire

IPPROTO_MPTCP = 262  # Python has no name for it


class NoNapi(Wire):
    """As any container's: what XDP sends back never arrives."""

    def connect_wire(self):
        self.near.namespace.run("ethtool", "-K", self.near.name, "gro", "off")


class Multipath(Wire):
    """Its listeners are not what they look like, though most clients know TCP only."""

    def begin(self):
        self.serve(self.far.namespace, protocol=IPPROTO_MPTCP)


class Tagged(Wire):
    """
    A VLAN, whose tags stand beside their frames, as the offloads have it. The clients' end is a switch's
    port for tagged frames.
    """

    def connect_wire(self):
        filter_packets(self.near, "ingress", "vlan", "only_tagged", priority=1)
        for end in (self.near, self.far):
            put_on_tcx(end, "egress", "tag")
            filter_packets(end, "ingress", "vlan", "pop_all", priority=2)
        answerable(self.near)


class TaggedInFrame(Tagged):
    """As it is on a real wire."""

    def connect_wire(self):
        for end in (self.near, self.far):
            end.offloads(False)
        super().connect_wire()


class LastWord(Wire):
    """Somebody else's program was there first, and behind it comes nobody."""

    def begin(self):
        super().begin()
        for direction in ("ingress", "egress"):
            put_on_tcx(self.far, direction, "last")


class BusyServer(HonestLoad, Wire):
    """Many clients and no attack."""

    def nowhere(self, family):
        return self.far.address(family, NOBODY)


SETUPS = {
    "plain server": Wire,
    "veth whose other end has no XDP program": NoNapi,
    "MPTCP listener": Multipath,
    "VLAN, offload on": Tagged,
    "VLAN, offload off": TaggedInFrame,
    "another TCX program was first and ends the chain": LastWord,
    "plain server, many honest clients": BusyServer,
}


def test_clients_get_in(trial):
    trial()
