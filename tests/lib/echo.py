# SPDX-License-Identifier: GPL-2.0-or-later
"""A server for many at once: whatever somebody says, it says back."""

import contextlib
import selectors
import socket
import threading

import tcp
from causes import FAMILIES

ANY = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}


def listen(namespace, family, address=None, port=tcp.PORT, options=(), protocol=0, backlog=4096):
    """A listening socket; without an address on all of the family. options: as setsockopt has them."""
    server = namespace.socket(family, protocol=protocol)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    for option in options:
        server.setsockopt(*option)
    server.bind((address or ANY[family], port))
    server.listen(backlog)
    return server


def listen_to_all(namespace, **how):
    """One socket for each family."""
    return [listen(namespace, family, **how) for family in FAMILIES.values()]


class Echo:
    """
    While it is entered, a thread takes connections of listening sockets, says the banner, if any, and
    sends back what comes.
    """

    def __init__(self, *listeners, banner=b""):
        self.banner = banner
        self.selector = selectors.DefaultSelector()
        self.wake, self._asleep = socket.socketpair()
        self.selector.register(self._asleep, selectors.EVENT_READ)
        self.listeners, self.peers = [], set()
        self.listen(*listeners)
        self._thread = threading.Thread(target=self._serve)

    def listen(self, *listeners):
        for listener in listeners:
            listener.setblocking(False)
            self.selector.register(listener, selectors.EVENT_READ, self._accept)
            self.listeners.append(listener)

    def hang_up(self):
        """Nobody new gets in; whoever is in stays."""
        while self.listeners:
            listener = self.listeners.pop()
            self.selector.unregister(listener)
            listener.close()

    def _accept(self, listener):
        with contextlib.suppress(OSError):  # nobody is there any more, or nobody listens
            peer = listener.accept()[0]
            peer.setblocking(True)
            self.peers.add(peer)
            peer.sendall(self.banner)
            self.selector.register(peer, selectors.EVENT_READ, self._answer)

    def _answer(self, peer):
        with contextlib.suppress(OSError):  # a reset
            if data := peer.recv(4096):
                peer.sendall(data)
                return
        self.selector.unregister(peer)
        self.peers.discard(peer)
        peer.close()

    def _serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self._asleep:
                    return
                key.data(key.fileobj)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.wake.send(b"x")
        self._thread.join()
        self.hang_up()
        for one in (*self.peers, self.selector, self.wake, self._asleep):
            one.close()
