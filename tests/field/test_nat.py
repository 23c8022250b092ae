# SPDX-License-Identifier: GPL-2.0-or-later
"""The flood defence in the field: the service is elsewhere than its clients believe."""

import tcp
from causes import FAMILIES
from places import Behind, Wire, nft

BACKEND = 8888
PREROUTING = """table inet t {{ chain p {{
    type nat hook prerouting priority -100;
    {rules}
}}
}}"""


class Container(Behind):
    """Its port is published on the host, which is the router."""

    attached = ("g0",)

    def begin(self):
        self.serve(self.s0.namespace, port=BACKEND)
        four, six = map(self.s0.address, FAMILIES.values())
        nft(self.g0, PREROUTING.format(rules=f"tcp dport 8080 dnat ip to {four}:{BACKEND}\n"
                                             f"    tcp dport 8080 dnat ip6 to [{six}]:{BACKEND}"))

    def address(self, family):
        return self.g0.address(family), tcp.PORT


class ContainerAndHost(Container):
    """The host has a listener on that port, whom nobody reaches."""

    def begin(self):
        super().begin()
        self.decoy(self.g0.namespace)


class Redirected(Wire):
    def begin(self):
        self.serve(self.far.namespace, port=BACKEND)
        nft(self.far, PREROUTING.format(rules=f"tcp dport 8080 redirect to :{BACKEND}"))


class RedirectedAway(Redirected):
    """From a listener, whom nobody reaches."""

    def begin(self):
        super().begin()
        self.decoy(self.far.namespace)


SETUPS = {
    "DNAT to a container": Container,
    "DNAT to a container, host listens there, too": ContainerAndHost,
    "REDIRECT to another port": Redirected,
    "REDIRECT from a port where somebody listens": RedirectedAway,
}


def test_clients_get_in(trial):
    trial()
