# SPDX-License-Identifier: GPL-2.0-or-later
"""Handshakes of the kernel's own TCP: every function says what it causes on the wire."""

import contextlib
import errno
import socket

PORT = 8080
CLOSED_PORT = 8081
SECONDS = 20  # for what should take microseconds


@contextlib.contextmanager
def listener(end, family, port=PORT, backlog=4096):
    """A server at an end of a wire."""
    with end.namespace.socket(family) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((end.address(family), port))
        server.listen(backlog)
        server.settimeout(SECONDS)
        yield server


def connect(namespace, address, family):
    """A client's connected socket."""
    client = namespace.socket(family)
    client.settimeout(SECONDS)
    client.connect(address)
    return client


def accepted(client, server, count, address=None, progress=lambda: None):
    """Connections that both ends close at once: one completed handshake each."""
    address = address or server.getsockname()[:2]
    for _ in range(count):
        with connect(client, address, server.family), server.accept()[0]:
            progress()


def rejected(client, address, family, count, progress=lambda: None):
    """SYNs to a closed port: each is answered by RST."""
    for _ in range(count):
        try:
            connect(client, address, family).close()
        except ConnectionRefusedError:
            progress()
            continue
        raise AssertionError(f"{address} did not refuse")


def unanswered(client, address, family, count, progress=lambda: None):
    """One SYN each, then the client gives up before its kernel repeats it."""
    for _ in range(count):
        with begin(client, address, family):
            progress()


def begin(client, address, family, prepare=lambda waiting: None):
    """A socket whose SYN has left and which waits for the answer. prepare(it): before the SYN."""
    waiting = client.socket(family)
    waiting.setblocking(False)
    prepare(waiting)
    error = waiting.connect_ex(address)
    if error != errno.EINPROGRESS:
        raise OSError(error, f"connect to {address}")
    return waiting
