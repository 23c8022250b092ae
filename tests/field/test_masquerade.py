# SPDX-License-Identifier: GPL-2.0-or-later
"""The flood defence in the field: a gateway that speaks for all who are behind it."""

from load import HonestLoad
from net import NOBODY
from places import LIMITS, Behind, nft

MASQUERADE = """table inet t {
    chain p { type nat hook postrouting priority 100; oifname "g1" masquerade; }
    chain in { type filter hook input priority 0; iifname "g1" tcp dport 9999 drop; }
}"""
DROPPED_PORT = 9999


class Masquerading(Behind):
    """
    Clients are behind it, and of no service: all of the default row. The flood comes from outside, to
    the gateway itself.
    """

    service = "default"

    def begin(self):
        super().begin()
        nft(self.g0, MASQUERADE)

    def policy(self, files, column):
        return files.default("enforce", f"  syn_flood: {column}\n  {LIMITS}\n")

    def flood_at(self, family):
        return self.s0, (self.g1.address(family), DROPPED_PORT)

    def nowhere(self, family):
        """An address outside where nobody answers."""
        return self.s0.address(family, NOBODY)


class OuterSide(Masquerading):
    attached = ("g1",)


class InnerSide(Masquerading):
    """The flood is of somebody behind it, who has caught something."""

    attached = ("g0",)

    def flood_at(self, family):
        return self.c0, (self.nowhere(family), DROPPED_PORT)


class Busy(HonestLoad, Masquerading):
    """Many clients and no attack."""


SETUPS = {
    "masquerading gateway": Masquerading,
    "masquerading gateway, outer side only": OuterSide,
    "masquerading gateway, inner side only": InnerSide,
    "masquerading gateway, many honest clients": Busy,
}


def test_clients_get_in(trial):
    trial()
