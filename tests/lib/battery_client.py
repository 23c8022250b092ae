# SPDX-License-Identifier: GPL-2.0-or-later
"""Scripts in which the kernel connects, and what strangers send."""

import socket

from battery import MSS, SACK_OK, script
from segments import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG
from tcp import CLOSED_PORT, PORT

TCP = socket.IPPROTO_TCP


def error_of(h, sock):
    h.note("error", sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


def chat(h, sock, flow):
    """Data both ways, of a connection in which nothing was sent yet."""
    sock.sendall(b"hello")
    h.settle()
    flow.tell(ACK, 1, 6)
    flow.ask(PSH | ACK, 1, 6, payload=b"world!")
    h.read(sock)


@script()
def the_kernel_connects(h):
    sock, flow = h.dial()
    flow.answer_syn()
    chat(h, sock, flow)
    sock.close()
    h.settle()
    flow.ask(FIN | ACK, 7, 7)


@script()
def nobody_listens(h):
    sock, flow = h.dial()
    flow.tell(RST | ACK, 0, 1)
    error_of(h, sock)


@script()
def resets_that_acknowledge_nothing(h):
    """The kernel takes no notice."""
    sock, flow = h.dial()
    flow.tell(RST, 0)
    flow.tell(RST | ACK, 0, 77)
    flow.answer_syn()
    chat(h, sock, flow)


@script()
def a_syn_ack_of_another_syn(h):
    """A challenge of what guards the server, whose answer is a RST."""
    _, flow = h.dial()
    flow.ask(SYN | ACK, 0, 77777, options=MSS)


@script()
def an_answer_of_an_older_connection(h):
    """A challenge, which the kernel resets."""
    _, flow = h.dial()
    flow.ask(ACK, 5000, 9999)


@script()
def the_syn_ack_is_repeated(h):
    sock, flow = h.dial()
    flow.answer_syn()
    flow.ask(SYN | ACK, 0, 1, options=MSS)
    chat(h, sock, flow)


@script()
def another_syn_ack(h):
    sock, flow = h.dial()
    flow.answer_syn()
    theirs = flow.theirs
    flow.tell(SYN | ACK, 99999, 1, options=MSS)
    h.note("same" if flow.theirs == theirs else "another")
    chat(h, sock, flow)


@script()
def a_syn_ack_without_options(h):
    sock, flow = h.dial()
    flow.answer_syn(b"")
    chat(h, sock, flow)


@script()
def a_syn_ack_with_data(h):
    sock, flow = h.dial()
    flow.answer_syn(payload=b"early")
    flow.ask(PSH | ACK, 1, 1, payload=b"early")
    h.read(sock)


@script()
def a_syn_ack_without_a_window(h):
    sock, flow = h.dial()
    flow.answer_syn(window=0)
    sock.sendall(b"hello")
    flow.tell(ACK, 1, 1, window=100)
    flow.hear(0, lambda found: found.payload == b"hello")
    flow.tell(ACK, 1, 6)


@script()
def the_peer_speaks_first(h):
    sock, flow = h.dial()
    flow.answer_syn(MSS + SACK_OK)
    flow.ask(PSH | ACK, 1, 1, payload=b"220 ready")
    h.read(sock)


@script()
def the_peer_resets_a_connection(h):
    sock, flow = h.dial()
    flow.answer_syn()
    flow.tell(RST | ACK, 1, 1)
    error_of(h, sock)


@script()
def the_kernel_tells_congestion(h):
    h.far.namespace.sysctl("net.ipv4.tcp_ecn", 1)
    sock, flow = h.dial()
    flow.ask(SYN | ACK | ECE, 0, 1, options=MSS)
    sock.sendall(b"hello")
    h.settle()
    flow.tell(ACK | ECE, 1, 6)
    sock.sendall(b"slower")
    h.settle()
    flow.tell(ACK, 1, 12)
    h.note(flow.heard[0].flags & (ECE | CWR))


@script()
def the_kernel_opens_fast(h):
    """First it asks for a cookie, then it uses it."""
    h.far.namespace.sysctl("net.ipv4.tcp_fastopen", 1)
    sock, flow = h.dial(data=b"hello")
    flow.answer_syn(MSS + b"\x22\x0a" + b"\x77" * 8)
    flow.tell(ACK, 1, 6)
    sock.close()
    h.settle()
    flow.ask(FIN | ACK, 1, 7)
    sock, flow = h.dial(data=b"hello")
    flow.ask(SYN | ACK, 0, 1 + len(flow.heard[0].payload), options=MSS)
    flow.ask(PSH | ACK, 1, 1 + len(flow.heard[0].payload), payload=b"world")
    h.read(sock)


@script(attack="simultaneous_open")
def two_syns_cross(h):
    """Legal, and as good as never seen at a service."""
    sock, flow = h.dial()
    flow.ask(SYN, options=MSS)
    flow.tell(SYN | ACK, 0, 1, options=MSS)
    chat(h, sock, flow)


@script(attack="flags_syn_fin")
def a_syn_ack_that_closes(h):
    _, flow = h.dial()
    flow.ask(SYN | ACK | FIN, 0, 1, options=MSS)


# ---- strangers


@script(attack="midstream")
def an_ack_to_a_listener(h):
    h.listen()
    h.flow().ask(ACK, 1, 1)


@script(attack="midstream")
def an_ack_where_nobody_listens(h):
    h.flow(other=CLOSED_PORT).ask(ACK, 1, 1)


@script(attack="midstream")
def a_fin_of_no_connection(h):
    h.flow(other=CLOSED_PORT).ask(FIN | ACK, 1, 1)


@script(attack="unsolicited_synack")
def a_syn_ack_of_no_connection(h):
    h.flow(other=CLOSED_PORT).ask(SYN | ACK, 1, 1)


@script(attack="flags_null")
def no_flag_where_nobody_listens(h):
    h.flow(other=CLOSED_PORT).ask(0, 1)


@script(attack="flags_fin_noack")
def a_bare_fin_where_nobody_listens(h):
    h.flow(other=CLOSED_PORT).ask(FIN, 1)


@script(attack="flags_xmas")
def a_christmas_tree_where_nobody_listens(h):
    h.flow(other=CLOSED_PORT).ask(FIN | PSH | URG, 1)


@script(attack="flags_syn_fin")
def a_syn_that_closes_where_nobody_listens(h):
    h.flow(other=CLOSED_PORT).ask(SYN | FIN, 1)


@script()
def a_reset_of_no_connection(h):
    h.listen()
    h.flow().tell(RST, 1)
    h.flow(other=CLOSED_PORT).tell(RST | ACK, 1, 1)


@script()
def flags_that_no_listener_answers(h):
    """Neither does the kernel, by itself."""
    h.listen()
    for flags in (0, FIN, PSH | URG, FIN | PSH | URG, SYN | FIN, SYN | RST):
        h.flow(other=PORT).tell(flags, 1)
