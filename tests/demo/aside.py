# SPDX-License-Identifier: GPL-2.0-or-later
"""
The end of the demo: a firewall that drops what it has not seen the SYN of. It breaks what answers SYNs in the
server's stead; the defence finds that out, steps aside, and clients get in as without it.
"""

import contextlib
import json
import socket
import textwrap
import time

import tcp
from firewalls import MEMORY, put_up, take_down
from flood import UNNOTICED, spoofed
from floods import receive
from net import wait_for
from visitors import APART, LINE, serve

CLIENTS = 50  # when that is found out
DEGRADED = 3


def next_of(flood, count):
    """So many SYNs more."""
    for _ in range(count):
        next(flood)


class Aside:
    def __init__(self, screen, guard):
        self.screen, self.guard = screen, guard
        self.near, self.far, self.synward = guard.near, guard.far, guard.synward

    def knock(self):
        """A client from an address of its own, that is answered and says its line."""
        client = self.near.namespace.socket(socket.AF_INET)
        client.settimeout(tcp.SECONDS)
        self.guard.crowd.join(client)
        client.connect((self.far.address(socket.AF_INET), tcp.PORT))
        client.sendall(LINE)
        return client

    def is_aside(self):
        rows = json.loads(self.synward.run("-j", "status").stdout)["policy"]["services"]
        return next(row["flood"]["self_check"]["stepped_aside"] for row in rows
                    if row["name"] == "web")

    def find_out(self, flood, clients):
        """Clients come, and the flood goes on, until the defence has found out what becomes of them."""
        began = time.monotonic()

        def has_found_out():
            clients.enter_context(self.knock())
            next_of(flood, APART)
            return self.is_aside()
        wait_for(has_found_out, "the defence to step aside")
        self.took = time.monotonic() - began
        self.status = self.synward.run("status")

    def come_after(self, flood):
        """Clients who are heard."""
        for self.got_in in range(1, CLIENTS + 1):
            next_of(flood, APART)
            with self.knock() as client:
                assert receive(client, len(LINE)) == LINE, "a client heard nothing"
            self.screen.bar("in, past a firewall", self.got_in, CLIENTS)

    def perform(self):
        """A flood like the others; the firewall is put up in the midst of it."""
        with (contextlib.ExitStack() as clients, serve(self.far),
              contextlib.closing(spoofed(self.near, self.far)) as flood):
            next_of(flood, UNNOTICED)
            wait_for(lambda: self.guard.flood_of_web()["on"], "the flood to be noticed")
            put_up(self.far.namespace, MEMORY)
            self.find_out(flood, clients)
            self.come_after(flood)
        take_down(self.far.namespace)

    def report(self):
        self.screen.title("AND A FIREWALL THAT DROPS WHAT IT HAS NOT SEEN THE SYN OF")
        self.screen.words("the defence sees that clients are not served, and steps aside after "
                          f"{self.took:.1f} s", self.status.returncode == DEGRADED)
        line = next((one for one in self.status.stdout.splitlines() if "stepped aside" in one), "")
        for part in textwrap.wrap(line, 73):
            print(f"    {part}")
        self.screen.words(f"{self.got_in} clients after that get in, in the midst of the flood",
                          self.got_in == CLIENTS)
