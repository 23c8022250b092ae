# SPDX-License-Identifier: GPL-2.0-or-later
"""The flood defence in the field: the service is elsewhere than its clients believe."""

import pathlib

import pytest

import tcp
from causes import FAMILIES
from lan import Lan
from live import need
from places import Behind, Place, Wire, nft

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


NODE_PORT = """table inet t {{
    chain p {{
        type nat hook prerouting priority -100;
        tcp dport 8080 dnat ip to {four}:{port}
        tcp dport 8080 dnat ip6 to [{six}]:{port}
    }}
    chain q {{ type nat hook postrouting priority 100; ct status dnat masquerade; }}
}}"""


def node_port(node, backend):
    """What a node does with a NodePort whose pod is elsewhere: the pod answers the node, and that the client."""
    four, six = map(backend.address, FAMILIES.values())
    nft(node, NODE_PORT.format(four=four, six=six, port=BACKEND))


class NodePort(Behind):
    def begin(self):
        self.serve(self.s0.namespace, port=BACKEND)
        node_port(self.g0, self.s0)

    def address(self, family):
        return self.g0.address(family), tcp.PORT


class NodePortOneWire(Place):
    """Clients, node and backend are on one switch: what comes in leaves where it came from."""

    def __init__(self, lab):
        lan = Lan(lab)
        client, self.node, backend = (lan.join(lab.namespace(name), f"{name[0]}0")
                                      for name in ("client", "node", "backend"))
        client.peer, self.node.peer = self.node, client
        for family in ("ipv4", "ipv6"):
            self.node.namespace.sysctl(f"net.{family}.conf.all.forwarding", 1)
        super().__init__(lab, client, (self.node,), (self.node,))
        self.serve(backend.namespace, port=BACKEND)
        node_port(self.node, backend)


class VirtualServer(Behind):
    """IPVS on the node, which masquerades nothing: the backend's way back leads through the node."""

    def begin(self):
        self.gateway.router.run("modprobe", "ip_vs_rr", check=False)
        if not pathlib.Path("/proc/net/ip_vs").exists():
            pytest.skip("this kernel has no IPVS (CONFIG_IP_VS)")
        need("ipvsadm")
        self.serve(self.s0.namespace)
        for service, server in ((self.g0.address(family), self.s0.address(family))
                                for family in FAMILIES.values()):
            front, back = (f"[{one}]:{tcp.PORT}" if ":" in one else f"{one}:{tcp.PORT}"
                           for one in (service, server))
            self.gateway.router.run("ipvsadm", "-A", "-t", front, "-s", "rr")
            self.gateway.router.run("ipvsadm", "-a", "-t", front, "-r", back, "-m")

    def address(self, family):
        return self.g0.address(family), tcp.PORT


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
    "NodePort, backend behind": NodePort,
    "NodePort, backend on the same wire": NodePortOneWire,
    "IPVS, masquerading": VirtualServer,
    "REDIRECT to another port": Redirected,
    "REDIRECT from a port where somebody listens": RedirectedAway,
}


def test_clients_get_in(trial):
    trial()
