# SPDX-License-Identifier: GPL-2.0-or-later
"""The honest clients of the demo, in the midst of a flood, and their server."""

import socket

import tcp
from echo import Echo, listen
from flood import FLOOD, UNNOTICED
from net import wait_for

CLIENTS = 200
APART = (FLOOD - UNNOTICED) // CLIENTS  # SYNs of the flood from one to the next
LINE = b"anybody there?\n"


def serve(far):
    """A server that says every line back."""
    return Echo(listen(far.namespace, socket.AF_INET, far.address(socket.AF_INET)))


class Visitors:
    """
    Clients whom nobody knows, each from an address of its own: one is in if it hears its line said back.
    Its kernel gives up after a few SYNs, so each has an end, by no clock of ours.
    """

    def __init__(self, screen, text, near, far, crowd):
        self.screen, self.text, self.near, self.crowd = screen, text, near, crowd
        self.server = far.address(socket.AF_INET), tcp.PORT
        self.under_way = {}  # the socket of each, and whether it has said its line
        self.got_in = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.under_way:
            client.close()

    def _prepare(self, client):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
        self.crowd.join(client)

    def behind(self, number):
        """Called behind each SYN of a flood: now and then one of them comes."""
        if number > UNNOTICED and (number - UNNOTICED) % APART == 0:
            client = tcp.begin(self.near.namespace, self.server, socket.AF_INET, self._prepare)
            self.under_way[client] = False
            self._are_through()
            self.screen.bar(self.text, self.got_in, CLIENTS, last=False)

    def see_through(self):
        """Waits until each of them is in or has given up."""
        wait_for(self._are_through, "every client to get in or to give up")
        self.screen.bar(self.text, self.got_in, CLIENTS, last=True)

    def _are_through(self):
        for client in [*self.under_way]:
            self._go_on(client)
        return not self.under_way

    def _go_on(self, client):
        """What it can do without waiting."""
        try:
            if not self.under_way[client]:
                client.sendall(LINE)
                self.under_way[client] = True
            self.got_in += client.recv(len(LINE)) == LINE
        except BlockingIOError:
            return
        except (TimeoutError, ConnectionError):
            pass  # its kernel has given up, or it was refused
        del self.under_way[client]
        client.close()
