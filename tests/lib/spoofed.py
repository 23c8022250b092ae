# SPDX-License-Identifier: GPL-2.0-or-later
"""Floods of made segments at the speed of sendmmsg(), from a thread, and of an exact number."""

import contextlib
import ctypes
import errno
import itertools
import random
import secrets
import socket
import subprocess
import threading
import time

from cli import BUILD
from net import stop
from segments import Port, frame

ENDLESS = 1 << 40
BATCH = 64  # less than a veth's queue holds
LIBC = ctypes.CDLL(None, use_errno=True)


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Header(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32),
                ("pieces", ctypes.POINTER(Piece)), ("piece_count", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class Message(ctypes.Structure):
    _fields_ = [("header", Header), ("length", ctypes.c_uint32)]


class Flood:
    """
    Sends frames again and again while it is entered, or once by run(). sent: how many the wire has
    taken; what finds its queue full is not among them.
    """

    def __init__(self, end, segments):
        self.port = Port(end)
        self.port.socket.setblocking(True)
        self.sent, self.failure = 0, None
        self._buffers = [frame(end.mac, end.peer.mac, one) for one in segments]
        self._pieces = (Piece * len(self._buffers))(*(
            Piece(ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data))
            for data in self._buffers))
        self._messages = (Message * len(self._buffers))()
        for message, i in zip(self._messages, itertools.count()):
            message.header.pieces = ctypes.pointer(self._pieces[i])
            message.header.piece_count = 1
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def _send(self, begin, count):
        done = LIBC.sendmmsg(self.port.socket.fileno(), ctypes.byref(self._messages[begin]), count,
                             0)
        if done >= 0:
            self.sent += done
            return done
        error = ctypes.get_errno()
        if error != errno.ENOBUFS:
            raise OSError(error, "sendmmsg")
        time.sleep(0.0005)  # for whoever empties the queue
        return 0

    def run(self):
        """All of it, each frame once."""
        begin = 0
        while begin < len(self._messages) and not self._stop.is_set():
            begin += self._send(begin, min(BATCH, len(self._messages) - begin))

    def _go_on(self):
        try:
            while not self._stop.is_set():
                self.run()
        except OSError as failure:
            self.failure = failure

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.port.socket.close()
        if self.failure:
            raise self.failure


def flood_tool(end, family, port, kind, count):
    """
    The command that sends SYNs or ACKs of millions of addresses from an end, as fast as the kernel makes them
    (bench/flood.c), for a minute at the most. Both namespaces get the mark without which it refuses to.
    """
    secret = secrets.token_hex(16)
    for space in (end.namespace, end.peer.namespace):
        space.ip("link", "set", "lo", "alias", f"synward bench-flood {secret}")
    return (BUILD / "bench" / "flood", "--interface", end.name, "--secret", secret,
            "--destination", end.peer.address(family), "--port", port, "--to", end.peer.mac,
            "--from", end.mac, "--kind", kind, "--count", count, "--seconds", 60)


@contextlib.contextmanager
def flooded(end, family, port):
    """
    SYNs of millions of addresses from an end to the other one of its wire, as long as it lasts: several times as many as
    are followed, and no more than the wire takes. A veth with any XDP program drops what its queue has no room for, and
    honest clients' segments with it.
    """
    argv = (*flood_tool(end, family, port, "syn", ENDLESS), "--rate", 150_000)
    process = subprocess.Popen(end.namespace.command(*argv), stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        stop(process)


class Strangers:
    """Addresses and numbers of nobody, the same for the same seed."""

    def __init__(self, family, seed=1):
        self.family = family
        self.random = random.Random(seed)

    def address(self):
        """Of the blocks for benchmarks (RFC 2544, RFC 5180), which no wire here has."""
        low = self.random.getrandbits(17)
        if self.family == socket.AF_INET:
            return f"198.{18 + (low >> 16)}.{low >> 8 & 255}.{low & 255}"
        words = [self.random.getrandbits(16) for _ in range(5)]
        return "2001:2:0:" + ":".join(f"{word:x}" for word in words)

    def port(self):
        return self.random.randrange(1024, 65536)

    def number(self):
        return self.random.getrandbits(32)
