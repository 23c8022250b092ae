# SPDX-License-Identifier: GPL-2.0-or-later
"""Set-ups: who comes from where, who serves, and what is between them."""

import contextlib
import ipaddress
import random

import tcp
from causes import FAMILIES
from cells import ALWAYS, COLUMNS, IN, stepped_aside, visit
from echo import Echo, listen_to_all
from floods import Crowd, Ghost, answerable, flood_of
from live import need
from net import patience, wait_for
from policies import Files
from segments import MSS_1460, SYN, Port, Segment
from test_gateway import Gateway

CLIENTS, LIVE = 10, 2
GIVE_UP = 3  # seconds, of which a SYN that is repeated takes one
FLOOD = 200  # SYNs of each family
LIMITS = "flood: {half_open: 50, syn_rate: 100, calm: 1h}"


def nft(end, rules):
    need("nft")
    end.namespace.run("nft", "-f", "-", input=rules)


def dropping(port):
    """Rules of a firewall that drops what is for a port."""
    return f"""table inet t {{ chain in {{
        type filter hook input priority 0;
        tcp dport {port} drop
    }}
}}"""


class Place:
    """
    A set-up, made once for all columns. near: the clients' end; ends: those that are attached; hops:
    those by which the way back to the clients leads.
    """

    columns = COLUMNS
    clients = CLIENTS  # of each family
    live = LIVE  # connections of each family that are older than the attach, and older than the policy
    options = ()  # of attach
    codes = (0,)  # what `status` exits with while all is well
    service, ports = "web", f"{tcp.PORT}"

    def __init__(self, lab, near, ends, hops):
        self.lab, self.near, self.ends = lab, near, ends
        self.crowd = Crowd(near, *hops)
        Ghost.route(*hops)

    # ---- clients

    def expects(self, family):
        """What becomes of one without synward."""
        return IN

    def patience(self):
        """How many seconds a client may need."""
        return GIVE_UP * patience()

    def address(self, family):
        """Where the service is."""
        return self.ends[0].address(family), tcp.PORT

    def client(self, family):
        """A socket of somebody new."""
        client = self.near.namespace.socket(family)
        self.crowd.join(client)
        return client

    def visit(self, client, family, deadline):
        return visit(client, self.address(family), deadline)

    # ---- servers

    def serve(self, namespace, **how):
        """Everything is said back there."""
        return self.lab.enter_context(Echo(*listen_to_all(namespace, **how)))

    def decoy(self, namespace, **how):
        """Somebody listens there whom nobody wants to reach."""
        for one in listen_to_all(namespace, **how):
            self.lab.enter_context(one)

    # ---- the defence

    def policy(self, files, column):
        return files.services(f"name: {self.service}, ports: [{self.ports}], syn_flood: {column}, "
                              f"{LIMITS}", mode="enforce")

    def apply(self, trial):
        trial.synward.expect(0, "policy", "apply",
                             self.policy(Files(trial.directory), trial.column))

    def strike(self, trial, open_ones):
        """Has SYNs be answered. Returns live connections that came meanwhile."""
        if trial.column != ALWAYS:
            self.flood()
        self.wait_for_defence(trial.synward, self.service)
        return []

    def wait_for_defence(self, synward, service):
        """It may be over already, if it has found out that it does harm."""
        def answers():
            flood = flood_of(synward, service)
            return flood["on"] or flood["floods"] or stepped_aside(synward, service)
        wait_for(answers, lambda: str(flood_of(synward, service)))

    def flood_at(self, family):
        """The end where a flood begins, and where it goes."""
        return self.near, self.address(family)

    def flood(self):
        """SYNs from behind an end, of whom nobody hears the answers."""
        numbers = random.Random(5)
        for family in FAMILIES.values():
            end, (address, port) = self.flood_at(family)
            sources = ipaddress.ip_network(Ghost.PREFIXES[family])
            with Port(end) as sender:
                for _ in range(FLOOD):
                    sender.send(Segment(str(sources[numbers.randrange(1 << 15, 1 << 16)]), address,
                                        numbers.randrange(1024, 65535), port, SYN,
                                        seq=numbers.getrandbits(32), options=MSS_1460))

    @contextlib.contextmanager
    def changed(self):
        """What is another meanwhile than it was when synward was attached."""
        yield


class Wire(Place):
    """A client and a server."""

    def __init__(self, lab):
        near, far = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        super().__init__(lab, near, (far,), (far,))
        self.far = far
        self.connect_wire()
        self.begin()

    def connect_wire(self):
        """What the ends of the wire are like."""
        answerable(self.near)

    def begin(self):
        """Who serves."""
        self.echo = self.serve(self.far.namespace)


class Behind(Place):
    """A client, a router and what is behind it."""

    attached = ("g0", "g1")

    def __init__(self, lab):
        self.gateway = Gateway(lab)
        self.c0, self.g0, self.g1, self.s0 = (getattr(self.gateway, name)
                                              for name in ("c0", "g0", "g1", "s0"))
        super().__init__(lab, self.c0, [getattr(self, name) for name in self.attached],
                         (self.g0, self.s0))
        for end in (self.c0, self.s0):
            answerable(end)
        self.begin()

    def begin(self):
        self.serve(self.s0.namespace)

    def address(self, family):
        return self.s0.address(family), tcp.PORT
