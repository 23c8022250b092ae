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
from floods import Crowd
from firewalls import MEMORY, put_up, take_down
from flood import FLOOD, spoof
from guard import UNNOTICED
from net import wait_for

IN_VAIN = 10  # clients before it is found out; each from an address of its own
CLIENTS = 50
DEGRADED = 3


class Aside:
    def __init__(self, screen, guard):
        self.screen, self.guard = screen, guard
        self.near, self.far, self.synward = guard.near, guard.far, guard.synward
        self.crowd = Crowd(self.near, self.far)

    def knock(self, server):
        """A client that is answered, says something, and goes on waiting."""
        client = self.near.namespace.socket(socket.AF_INET)
        client.settimeout(tcp.SECONDS)
        self.crowd.join(client)
        client.connect(server.getsockname()[:2])
        client.sendall(b"?")
        return client

    def is_aside(self):
        rows = json.loads(self.synward.run("-j", "status").stdout)["policy"]["services"]
        return next(row["flood"]["self_check"]["stepped_aside"] for row in rows
                    if row["name"] == "web")

    def find_out(self, server, clients):
        """Clients come until the defence has found out what becomes of them."""
        put_up(self.far.namespace, MEMORY)
        began = time.monotonic()
        for _ in range(IN_VAIN):
            clients.enter_context(self.knock(server))
        wait_for(self.is_aside, "the defence to step aside")
        self.took = time.monotonic() - began
        self.status = self.synward.run("status")

    def perform(self):
        """The same flood once more."""
        self.got_in = 0

        def each(number):
            if number == UNNOTICED:
                wait_for(lambda: self.guard.flood_of_web()["on"], "the flood to be noticed")
                self.find_out(server, clients)
            if number > UNNOTICED and number % (FLOOD // 2 // CLIENTS) == 0 and (
                    self.got_in < CLIENTS):
                self.guard.client(server)
                self.got_in += 1
                self.screen.bar("clients past a firewall", self.got_in, CLIENTS)
        with contextlib.ExitStack() as clients, tcp.listener(self.far, socket.AF_INET) as server:
            spoof(self.near, self.far, each)
        take_down(self.far.namespace)

    def report(self):
        self.screen.title("AND A FIREWALL THAT DROPS WHAT IT HAS NOT SEEN THE SYN OF")
        text = f"the defence sees that clients are not served, and steps aside after {self.took:.1f} s"
        print(f"  {text:<75} {self.screen.verdict(self.status.returncode == DEGRADED)}")
        line = next((one for one in self.status.stdout.splitlines() if "stepped aside" in one), "")
        for part in textwrap.wrap(line, 73):
            print(f"    {part}")
        text = f"{self.got_in} clients after that get in, in the midst of the flood"
        print(f"  {text:<75} {self.screen.verdict(self.got_in == CLIENTS)}")
