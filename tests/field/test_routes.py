# SPDX-License-Identifier: GPL-2.0-or-later
"""The flood defence in the field: answers that take another way, and hosts whose part changes."""

import contextlib
import socket

import tcp
from causes import FAMILIES
from cells import DEGRADED
from floods import answerable
from hooks import filter_packets
from load import HonestLoad
from net import NOBODY
from places import Behind, Place, Wire, nft

VIRTUAL = {socket.AF_INET: "10.99.0.1", socket.AF_INET6: "fd99::1"}
BITS = {socket.AF_INET: 32, socket.AF_INET6: 128}
NOTHING_BACK = """table inet t { chain f {
    type filter hook forward priority 0;
    iifname "d1" drop
}
}"""


def host_routes(end, via):
    """To the virtual address."""
    for family, address in VIRTUAL.items():
        end.route(f"{address}/{BITS[family]}", via.address(family))


def give(verb, namespace):
    """Gives the virtual address to a host, or takes it away: add or del."""
    for family, address in VIRTUAL.items():
        namespace.ip("addr", verb, f"{address}/{BITS[family]}", "dev", "lo")


def forward(namespace, on=1):
    namespace.sysctl("net.ipv4.conf.all.forwarding", on)
    namespace.sysctl("net.ipv6.conf.all.forwarding", on)


class DirectReturn(Place):
    """
    client c0 - d0 director d1 - r0 real server r1 - x0 router x1 - c1 client: the director hands on
    what is for the virtual address, and answers do not come by it.
    """

    def __init__(self, lab):
        client, director, real, router = map(lab.namespace, ("client", "director", "real", "router"))
        self.c0, self.d0 = lab.wire(client, "c0", director, "d0", subnet=1)
        self.d1, self.r0 = lab.wire(director, "d1", real, "r0", subnet=2)
        self.r1, self.x0 = lab.wire(real, "r1", router, "x0", subnet=3)
        self.x1, self.c1 = lab.wire(router, "x1", client, "c1", subnet=4)
        for space in (director, router):
            forward(space)
        nft(self.d0, NOTHING_BACK)
        give("add", real)
        host_routes(self.c0, self.d0)
        host_routes(self.d1, self.r0)
        super().__init__(lab, self.c0, self.attached(), (self.r1, self.x1))
        answerable(self.c0)
        self.serve(real)

    def attached(self):
        raise NotImplementedError

    def address(self, family):
        return VIRTUAL[family], tcp.PORT


class RealServer(DirectReturn):
    def attached(self):
        answerable(self.d1)
        return (self.r0,)


class Director(DirectReturn):
    def attached(self):
        return self.d0, self.d1


class OneLan(Wire):
    """
    SYNs come from a director, and answers go to a router, on one and the same wire: the clients' frames are
    from an address of the link that takes none.
    """

    def connect_wire(self):
        super().connect_wire()
        filter_packets(self.near, "egress", "neighbour", "from_elsewhere")


class TwoWires(Place):
    """client c0 - s0 server s1 - c1 client: SYNs come by one, and SYN-ACKs leave by the other."""

    def __init__(self, lab):
        client, server = lab.namespace("client"), lab.namespace("server")
        self.c0, self.s0 = lab.wire(client, "c0", server, "s0", subnet=1)
        self.c1, self.s1 = lab.wire(client, "c1", server, "s1", subnet=2)
        super().__init__(lab, self.c0, self.attached(), (self.s1,))
        for end in (self.c0, self.c1):
            answerable(end)
        self.serve(server)

    def attached(self):
        return self.s0, self.s1


class OneOfTwoWires(TwoWires):
    def attached(self):
        return (self.s0,)


class BusyOnOneOfTwoWires(HonestLoad, OneOfTwoWires):
    """Many clients and no attack, though all handshakes look unfinished."""

    def nowhere(self, family):
        return self.s0.address(family, NOBODY)


class LateRouter(Behind):
    """When synward was attached, it did not forward."""

    live = 0  # nobody was behind it
    codes = (0, DEGRADED)

    def begin(self):
        super().begin()
        forward(self.gateway.router, 0)

    @contextlib.contextmanager
    def changed(self):
        forward(self.gateway.router)
        try:
            yield
        finally:
            forward(self.gateway.router, 0)


class Moving(Behind):
    """An address of the router's when synward was attached, and then of the server's behind it."""

    live = 0  # who was connected is so with the wrong one

    def begin(self):
        self.first, self.then = self.gateway.router, self.gateway.server
        for space in (self.first, self.then):
            self.serve(space)
        host_routes(self.c0, self.g0)
        host_routes(self.g1, self.s0)  # where the router has no such address itself
        give("add", self.first)

    def address(self, family):
        return VIRTUAL[family], tcp.PORT

    @contextlib.contextmanager
    def changed(self):
        give("del", self.first)
        give("add", self.then)
        try:
            yield
        finally:
            give("del", self.then)
            give("add", self.first)


class Arriving(Moving):
    """The other way round."""

    def begin(self):
        super().begin()
        give("del", self.first)
        self.first, self.then = self.then, self.first
        give("add", self.first)


SETUPS = {
    "direct server return, on the server": RealServer,
    "direct server return, on the director": Director,
    "direct server return, on the server's only wire": OneLan,
    "answers leave by another wire, both attached": TwoWires,
    "answers leave by another wire, not attached": OneOfTwoWires,
    "answers leave by another wire, many honest clients": BusyOnOneOfTwoWires,
    "forwarding, after the attach": LateRouter,
    "address that leaves for a host behind": Moving,
    "address that comes from a host behind": Arriving,
}


def test_clients_get_in(trial):
    trial()
