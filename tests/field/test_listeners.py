# SPDX-License-Identifier: GPL-2.0-or-later
"""The flood defence in the field: whoever listens, however it listens, and nobody."""

import contextlib
import itertools
import socket
import threading

from causes import FAMILIES
from cells import IN, REFUSED, visit
from echo import Echo, listen, listen_to_all
from live import need, nmap
from net import wait_for
from places import Wire, dropping, nft

UNACKED = 24  # where struct tcp_info has it: of a listener how many wait to be accepted
ROOM = 2  # for those, with a backlog of 1


class Closed(Wire):
    """Nobody listens, and that is what clients are told."""

    live = 0

    def begin(self):
        pass

    def expects(self, family):
        return REFUSED


class Restarted(Wire):
    @contextlib.contextmanager
    def changed(self):
        self.echo.hang_up()
        self.echo.listen(*listen_to_all(self.far.namespace))
        yield


class OfDevice(Wire):
    def begin(self):
        self.serve(self.far.namespace, options=((socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"s0"),))


class OnlyIpv6(Wire):
    """The other family is refused."""

    def begin(self):
        self.lab.enter_context(Echo(listen(self.far.namespace, socket.AF_INET6)))

    def expects(self, family):
        return IN if family == socket.AF_INET6 else REFUSED


class Dual(Wire):
    """One socket for both families."""

    def begin(self):
        self.lab.enter_context(Echo(listen(
            self.far.namespace, socket.AF_INET6,
            options=((socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0),))))


class Group(Wire):
    """Several sockets share a port."""

    def begin(self):
        for _ in range(3):
            self.serve(self.far.namespace, options=((socket.SOL_SOCKET, socket.SO_REUSEPORT, 1),))


class Slow(Wire):
    """
    Its queue is full before it accepts anybody, and then it speaks first: nobody may be left who
    believes to be connected and waits for that.
    """

    clients, live = 8, 0
    banner = b"220 hi\r\n"

    def begin(self):
        self.echo = self.lab.enter_context(Echo(banner=self.banner))
        self.open()

    def open(self):
        self.listeners = {family: listen(self.far.namespace, family, backlog=1)
                          for family in FAMILIES.values()}
        self.turns = {family: itertools.count(1) for family in FAMILIES.values()}

    def waiting(self, family):
        """How many wait to be accepted."""
        return self.listeners[family].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)[UNACKED]

    def visit(self, client, family, deadline):
        """Who finds room comes first: of several that came at once the kernel, too, forgets some."""
        if next(self.turns[family]) > ROOM:
            wait_for(lambda: self.waiting(family) == ROOM, "a full queue")
        return visit(client, self.address(family), deadline, self.banner)

    def patience(self):
        """A SYN may find the queue full twice."""
        return 3 * super().patience()

    def all_have_come(self):
        asked = self.near.namespace.run("ss", "-Htn", "state", "syn-sent", "state", "established")
        return len(asked.stdout.splitlines()) == self.clients * len(FAMILIES)

    def accept(self):
        """With more room from then on: who repeats a SYN is not to find the queue full by chance."""
        wait_for(self.all_have_come, "all clients")
        for listener in self.listeners.values():
            listener.listen(4096)
        self.echo.listen(*self.listeners.values())

    @contextlib.contextmanager
    def changed(self):
        accepting = threading.Thread(target=self.accept)
        accepting.start()
        try:
            yield
        finally:
            accepting.join()
            self.echo.hang_up()
            self.open()


class Scanned(Wire):
    """Ports that are open, closed and dropped look like that to nmap."""

    clients, live = 1, 0
    ports = "8079-8081"
    states = {8079: "closed", 8080: "open", 8081: "filtered"}
    how = "-sS"

    def begin(self):
        need("nmap")
        super().begin()
        nft(self.far, dropping(8081))

    def visit(self, client, family, deadline):
        found = nmap(self.near.namespace, family, self.how, "-r", "-p", self.ports,
                     self.far.address(family))
        return next((f"{port} {found[port]}" for port, state in self.states.items()
                     if found[port] != state), IN)


class Connected(Scanned):
    how = "-sT"


SETUPS = {
    "closed port": Closed,
    "listener, restarted": Restarted,
    "listener of a device": OfDevice,
    "listener for IPv6 only": OnlyIpv6,
    "listener for both families": Dual,
    "listeners that share a port (SO_REUSEPORT)": Group,
    "full accept queue, server speaks first": Slow,
    "nmap -sS": Scanned,
    "nmap -sT": Connected,
}


def test_clients_get_in(trial):
    trial()
