# SPDX-License-Identifier: GPL-2.0-or-later
"""Long transfers of the kernel's TCP that go on while something else happens, and arrive whole."""

import contextlib
import fcntl
import hashlib
import random
import socket
import struct
import termios
import threading

import tcp
from net import wait_for

SO_MAX_PACING_RATE = 47  # Python has no name for it
BLOCK = 1 << 16
TOTAL_RETRANS = 100  # where struct tcp_info has it
QUEUED = termios.TIOCOUTQ  # bytes that are not acknowledged yet


def tcp_info(sock, offset):
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return struct.unpack_from("=I", info, offset)[0]


def queued(sock):
    return struct.unpack("i", fcntl.ioctl(sock, QUEUED, bytes(4)))[0]


def doubles(namespace):
    """Segments that came there twice, as its kernel means to tell their senders (RFC 2883)."""
    return sum(namespace.counter("TcpExt", f"TCPDSACK{which}Sent") for which in ("Old", "Ofo"))


class Loss:
    """
    Segments that had to be sent again. One that was sent again for nothing, because a machine with much to do
    was slow to acknowledge it, comes twice, and is none of them. That is asked of the receiver itself: of two
    such segments in a row it tells the sender only one.
    """

    def __init__(self, end, receiver):
        self.end, self.receiver, self.before = end, receiver, doubles(receiver)

    def __call__(self):
        return max(0, tcp_info(self.end, TOTAL_RETRANS) - (doubles(self.receiver) - self.before))


class Transfer:
    """A connection on which both ends send until it is finished; every byte is accounted for."""

    def __init__(self, near, far, family, port):
        with tcp.listener(far, family, port) as server:
            client = near.namespace.socket(family)
            client.settimeout(tcp.SECONDS)
            for end in (server, client):
                # What is under way fits into a veth's queue of 256 frames, so nobody loses any of it
                # but who drops it. A buffer that was asked for does not grow, nor does the window
                # then; it has room to spare, since each of the frames takes a page or more.
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * BLOCK)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, BLOCK // 2)
            client.connect(server.getsockname()[:2])
            peer = server.accept()[0]
        self.ends = (client, peer)
        self.losses = (Loss(client, far.namespace), Loss(peer, near.namespace))
        self.sent, self.received, self.lost = {}, {}, {}
        self.bytes = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=task, args=(end, seed))
                         for seed, end in enumerate(self.ends)
                         for task in (self._send, self._receive)]

    def _send(self, end, seed):
        data, digest, count = random.Random(seed).randbytes(BLOCK), hashlib.sha256(), 0
        while not self._stop.is_set():
            block = count.to_bytes(8, "big") + data[8:]
            end.sendall(block)
            digest.update(block)
            count += 1
        # now: of a FIN that was sent again for nothing, an end that is gone by then tells nobody
        wait_for(lambda: not queued(end), "the last acknowledgement")
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not self.losses[seed](), "what was sent again to come", seconds=3)
        self.lost[seed] = self.losses[seed]()
        end.shutdown(socket.SHUT_WR)
        self.sent[seed] = digest.digest()

    def _receive(self, end, seed):
        digest = hashlib.sha256()
        while data := end.recv(BLOCK):
            digest.update(data)
            self.bytes += len(data)
        self.received[1 - seed] = digest.digest()

    def __enter__(self):
        for end in self.ends:
            # slow enough to leave the machine to others
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BLOCK)
            end.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, 8 << 20)
            end.settimeout(tcp.SECONDS)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.finish()
        for end in self.ends:
            end.close()

    def finish(self):
        """Both directions to their ends."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def expect_whole(self):
        """All bytes have come, in order, and not one segment of them was lost."""
        self.finish()
        assert len(self.sent) == 2 and self.received == self.sent
        assert self.lost == {0: 0, 1: 0}
