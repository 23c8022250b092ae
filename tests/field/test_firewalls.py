# SPDX-License-Identifier: GPL-2.0-or-later
"""The flood defence in the field: firewalls with a memory, at the server's and at the client's."""

from cells import GIVE_UP_SOON, SILENCE
from places import Behind, Wire, dropping, nft

TRACKED = """table inet t { chain in {
    type filter hook input priority 0; policy drop;
    ct state invalid drop
    ct state established,related accept
    tcp dport 8080 ct state new accept
}
}"""
UNTRACKED = """table inet u {
    chain in { type filter hook prerouting priority raw; tcp dport 8080 notrack; }
    chain out { type filter hook output priority raw; tcp sport 8080 notrack; }
}
insert rule inet t in tcp dport 8080 accept
"""
ONLY_SYNS = """table inet t { chain in {
    type filter hook input priority 0;
    tcp flags & (fin|syn|rst|ack) != syn ct state new drop
}
}"""
CLIENTS_OWN = """table inet t { chain in {
    type filter hook input priority 0;
    ct state invalid drop
    ct state established accept
}
}"""


class Loose(Wire):
    """A connection may begin in the middle, as conntrack has it by default."""

    loose = 1

    def begin(self):
        super().begin()
        nft(self.far, TRACKED)
        self.far.namespace.sysctl("net.netfilter.nf_conntrack_tcp_loose", self.loose)


class NotLoose(Loose):
    loose = 0


class NotTracked(NotLoose):
    """What the documentation says to do, so that the defence need not step aside."""

    def begin(self):
        super().begin()
        nft(self.far, UNTRACKED)


class OnlySyns(Wire):
    """What is new has to be a SYN."""

    def begin(self):
        super().begin()
        nft(self.far, ONLY_SYNS)


class WaryClients(Behind):
    """What is no part of a connection is dropped where the clients are; some find a way in by chance."""

    clients = 20

    def begin(self):
        super().begin()
        nft(self.c0, CLIENTS_OWN)


class Dropped(Wire):
    """Nobody is to know that there is a server."""

    live = 0

    def begin(self):
        super().begin()
        nft(self.far, dropping(8080))

    def expects(self, family):
        return SILENCE

    def patience(self):
        return GIVE_UP_SOON


SETUPS = {
    "conntrack, loose": Loose,
    "conntrack, not loose": NotLoose,
    "conntrack, not loose, the service not tracked": NotTracked,
    "a new connection that is no SYN is dropped": OnlySyns,
    "gateway, clients with conntrack": WaryClients,
    "port that a firewall drops": Dropped,
}


def test_clients_get_in(trial):
    trial()
