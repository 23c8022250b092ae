# SPDX-License-Identifier: GPL-2.0-or-later
"""Scripts of connections that the kernel has accepted: data, their ends, ECN and Fast Open."""

import socket
import struct

from battery import MSS, NOP, SACK_OK, script
from battery_server import TCP, opened
from segments import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG

FASTOPEN_REQUEST = b"\x22\x02"


def linger(sock):
    """Its close is a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@script()
def segments_out_of_order(h):
    flow, sock = opened(h, options=MSS + SACK_OK)
    flow.ask(PSH | ACK, 7, 1, payload=b"third")
    flow.ask(PSH | ACK, 4, 1, payload=b"two")
    flow.ask(PSH | ACK, 1, 1, payload=b"one")
    h.read(sock)
    flow.ask(PSH | ACK, 4, 1, payload=b"two")  # D-SACK


@script()
def a_fin_overtakes_data(h):
    flow, sock = opened(h)
    flow.ask(FIN | ACK, 6, 1)
    flow.ask(PSH | ACK, 1, 1, payload=b"hello")
    h.read(sock)
    h.read(sock)


@script()
def the_window_has_an_edge(h):
    flow, sock = opened(h, (socket.SOL_SOCKET, socket.SO_RCVBUF, 4096))
    edge = 1 + flow.heard[0].window
    flow.ask(PSH | ACK, edge, 1, payload=b"beyond")
    flow.ask(PSH | ACK, edge - 1, 1, payload=b"in")
    flow.ask(PSH | ACK, 1, 1, payload=b"hello")
    h.read(sock)


@script()
def a_window_that_closes(h):
    """The kernel asks, one byte of its data or none at a time, until it opens."""
    flow, sock = opened(h, window=4)
    sock.sendall(b"0123456789")
    h.settle()
    count = len(flow.heard)
    flow.tell(ACK, 1, 5, window=0)
    probe = flow.hear(count)
    h.note("probe", len(probe.payload))
    flow.tell(ACK, 1, 5, window=100)
    flow.hear(count, lambda found: found.seq - flow.theirs + len(found.payload) == 11)
    flow.tell(ACK, 1, 11)


@script()
def what_is_not_acknowledged_comes_again(h):
    flow, sock = opened(h)
    sock.sendall(b"hello")
    h.settle()
    flow.hear(len(flow.heard), lambda found: found.payload == b"hello")
    h.note("again")
    flow.tell(ACK, 1, 6)


@script()
def a_hole_is_filled(h):
    """Three of four segments are there, the first not: it comes again."""
    flow, sock = opened(h, (TCP, socket.TCP_NODELAY, 1), options=MSS + SACK_OK)
    for _ in range(4):
        sock.sendall(b"x" * 1000)
    h.settle()
    first = flow.theirs + 1 & 0xFFFFFFFF
    count = len(flow.heard)
    for i in range(2, 5):
        block = struct.pack("!II", first + 1000 & 0xFFFFFFFF, first + i * 1000 & 0xFFFFFFFF)
        flow.tell(ACK, 1, 1, options=NOP * 2 + b"\x05\x0a" + block)
    flow.hear(count, lambda found: found.seq == first and found.payload)
    h.note("again")
    flow.tell(ACK, 1, 4001)


@script()
def urgent_data(h):
    flow, sock = opened(h)
    flow.ask(URG | PSH | ACK, 1, 1, payload=b"abc", urgent=3)
    h.read(sock, 1, socket.MSG_OOB)
    h.read(sock)
    sock.send(b"xyz", socket.MSG_OOB)
    h.settle()
    flow.tell(ACK, 4, 4)


@script()
def the_peer_asks_whether_it_is_alive(h):
    """Keepalives: without data, and with one byte that is old."""
    flow, sock = opened(h)
    flow.ask(PSH | ACK, 1, 1, payload=b"hello")
    h.read(sock)
    flow.ask(ACK, 5, 1)
    flow.ask(ACK, 5, 1, payload=b"?")
    flow.ask(ACK, 0, 1)


@script()
def the_kernel_asks_whether_the_peer_is_alive(h):
    flow, sock = opened(h)
    for name, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1)):
        sock.setsockopt(TCP, name, value)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    flow.hear()
    flow.tell(ACK, 1, 1)
    flow.ask(PSH | ACK, 1, 1, payload=b"yes")
    h.read(sock)


# ---- ends


@script()
def the_peer_closes_its_half(h):
    flow, sock = opened(h)
    flow.ask(FIN | ACK, 1, 1)
    h.read(sock)
    sock.sendall(b"the rest")
    h.settle()
    flow.tell(ACK, 2, 9)
    sock.close()
    h.settle()
    flow.tell(ACK, 2, 10)


@script()
def the_kernel_closes_its_half(h):
    flow, sock = opened(h)
    sock.shutdown(socket.SHUT_WR)
    h.settle()
    flow.tell(ACK, 1, 2)
    flow.ask(PSH | ACK, 1, 2, payload=b"the rest")
    h.read(sock)
    flow.ask(FIN | ACK, 9, 2)
    flow.ask(FIN | ACK, 9, 2)


@script()
def both_close_at_once(h):
    flow, sock = opened(h)
    sock.shutdown(socket.SHUT_WR)
    h.settle()
    flow.ask(FIN | ACK, 1, 1)
    flow.tell(ACK, 2, 2)
    flow.ask(FIN | ACK, 1, 1)


def in_time_wait(h):
    """The kernel has closed first."""
    server = h.listen()
    flow = h.flow()
    flow.stamped = True
    flow.ask(SYN, options=MSS)
    flow.tell(ACK, 1, 1)
    h.accept(server).close()
    h.settle()
    flow.ask(FIN | ACK, 1, 2)
    return server, flow


@script()
def a_port_used_again_in_time_wait(h):
    server, flow = in_time_wait(h)
    flow.ask(FIN | ACK, 1, 2)
    flow.ask(SYN, 100000, options=MSS)
    flow.tell(ACK, 100001, 1)
    sock = h.accept(server)
    flow.ask(PSH | ACK, 100001, 1, payload=b"again")
    h.read(sock)


@script()
def an_old_segment_in_time_wait(h):
    _, flow = in_time_wait(h)
    flow.ask(PSH | ACK, -50, 1, payload=b"old")
    flow.tell(RST, 2)


@script()
def a_port_used_again_after_a_reset(h):
    server = h.listen()
    flow = h.flow().open()
    h.accept(server)
    flow.tell(RST, 1)
    flow.ask(SYN, 500000, options=MSS)
    flow.tell(ACK, 500001, 1)
    sock = h.accept(server)
    flow.ask(PSH | ACK, 500001, 1, payload=b"again")
    h.read(sock)


@script()
def the_kernel_resets(h):
    flow, sock = opened(h)
    linger(sock)
    sock.close()
    h.settle()
    flow.ask(PSH | ACK, 1, 1, payload=b"too late")


@script()
def data_for_an_application_that_has_gone(h):
    flow, sock = opened(h)
    sock.close()
    h.settle()
    flow.tell(ACK, 1, 2)
    flow.ask(PSH | ACK, 1, 2, payload=b"anybody?")


# ---- ECN and Fast Open


def congested(h, flags):
    h.far.namespace.sysctl("net.ipv4.tcp_ecn", 1)
    server = h.listen()
    flow = h.flow()
    flow.ask(SYN | flags, options=MSS)
    flow.tell(ACK, 1, 1)
    sock = h.accept(server)
    flow.ask(PSH | ACK | CWR, 1, 1, payload=b"hello")
    h.read(sock)
    sock.sendall(b"world")
    h.settle()
    flow.tell(ACK | ECE, 6, 6)
    sock.sendall(b"slower")
    h.settle()
    flow.tell(ACK, 6, 12)


@script()
def congestion_is_told(h):
    congested(h, ECE | CWR)


@script()
def congestion_is_told_accurately(h):
    congested(h, ECE | CWR | AE)


def fast_listener(h):
    h.far.namespace.sysctl("net.ipv4.tcp_fastopen", 3)
    return h.listen((TCP, socket.TCP_FASTOPEN, 16))


def cookie(h):
    """What the kernel gives to whoever asks."""
    flow = h.flow()
    answer = flow.ask(SYN, options=MSS + FASTOPEN_REQUEST)
    flow.tell(RST, 1)
    at = answer.options.index(b"\x22\x0a")
    return answer.options[at:at + 10]


@script()
def data_on_a_fast_syn(h):
    server = fast_listener(h)
    flow = h.flow()
    flow.ask(SYN, options=MSS + cookie(h), payload=b"at once")
    sock = h.accept(server)
    h.read(sock)
    sock.sendall(b"here")
    h.settle()
    flow.tell(ACK, 8, 5)
    flow.ask(FIN | ACK, 8, 5)


@script()
def a_fast_syn_with_a_wrong_cookie(h):
    server = fast_listener(h)
    flow = h.flow()
    flow.ask(SYN, options=MSS + b"\x22\x0a" + b"\x55" * 8, payload=b"at once")
    flow.ask(PSH | ACK, 1, 1, payload=b"at once")
    h.read(h.accept(server))


@script()
def a_fast_connection_that_is_closed_at_once(h):
    server = fast_listener(h)
    flow = h.flow()
    flow.ask(SYN, options=MSS + cookie(h), payload=b"at once")
    sock = h.accept(server)
    h.read(sock)
    sock.close()
    h.settle()
    flow.ask(FIN | ACK, 8, 2)
