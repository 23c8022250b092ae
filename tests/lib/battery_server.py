# SPDX-License-Identifier: GPL-2.0-or-later
"""Scripts in which the kernel listens: handshakes, and segments that do not fit."""

import socket

from battery import MSS, NOP, SACK_OK, SCALE_7, script
from segments import ACK, FIN, PSH, RST, SYN, URG
from tcp import CLOSED_PORT

TCP = socket.IPPROTO_TCP
ALL = MSS + SACK_OK + SCALE_7
EXPERIMENT = b"\xfd\x04\x12\x34"


def opened(h, *options, **fields):
    """A listener, a flow that has completed its handshake, and the socket of it."""
    server = h.listen(*options)
    flow = h.flow().open(**fields)
    return flow, h.accept(server)


# ---- handshakes


@script()
def a_plain_connection(h):
    flow, sock = opened(h)
    flow.ask(PSH | ACK, 1, 1, payload=b"hello")
    h.read(sock)
    sock.sendall(b"world!")
    flow.tell(ACK, 6, 7)
    flow.ask(FIN | ACK, 6, 7)
    h.read(sock)
    sock.close()
    flow.tell(ACK, 7, 8)


def greet(h, options, stamped=False):
    server = h.listen()
    flow = h.flow()
    flow.stamped = stamped
    flow.ask(SYN, options=options)
    flow.tell(ACK, 1, 1)
    sock = h.accept(server)
    flow.ask(PSH | ACK, 1, 1, payload=b"hello")
    h.read(sock)


@script()
def all_options(h):
    greet(h, ALL, stamped=True)


@script()
def no_options(h):
    greet(h, b"")


@script()
def an_option_that_nobody_knows(h):
    greet(h, MSS + EXPERIMENT)


@script()
def options_behind_padding(h):
    greet(h, NOP * 8 + MSS)


@script()
def a_small_segment_size(h):
    greet(h, b"\x02\x04\x00\x58")


@script()
def a_window_scale_of_14(h):
    greet(h, MSS + b"\x03\x03\x0e")


@script()
def data_in_the_final_ack(h):
    server = h.listen()
    flow = h.flow()
    flow.ask(SYN, options=MSS)
    flow.ask(PSH | ACK, 1, 1, payload=b"early")
    h.read(h.accept(server))


@script()
def data_and_fin_in_the_final_ack(h):
    server = h.listen()
    flow = h.flow()
    flow.ask(SYN, options=MSS)
    flow.ask(FIN | PSH | ACK, 1, 1, payload=b"all of it")
    sock = h.accept(server)
    h.read(sock)
    h.read(sock)


@script()
def data_overtakes_the_final_ack(h):
    server = h.listen()
    flow = h.flow()
    flow.ask(SYN, options=MSS + SACK_OK)
    flow.ask(PSH | ACK, 6, 1, payload=b"second")
    flow.ask(PSH | ACK, 1, 1, payload=b"first")
    h.read(h.accept(server))


@script()
def the_syn_is_repeated(h):
    server = h.listen()
    flow = h.flow()
    flow.ask(SYN, options=MSS)
    flow.ask(SYN, options=MSS)
    flow.tell(ACK, 1, 1)
    h.accept(server)
    flow.ask(SYN, options=MSS)


@script()
def the_final_ack_is_repeated(h):
    flow, sock = opened(h)
    flow.tell(ACK, 1, 1)
    flow.tell(ACK, 1, 1)
    flow.ask(PSH | ACK, 1, 1, payload=b"still here")
    h.read(sock)


@script()
def the_application_waits_for_data(h):
    server = h.listen((TCP, socket.TCP_DEFER_ACCEPT, 5))
    flow = h.flow()
    flow.ask(SYN, options=MSS)
    flow.tell(ACK, 1, 1)
    flow.ask(PSH | ACK, 1, 1, payload=b"GET")
    h.read(h.accept(server))


@script()
def the_listener_goes_in_between(h):
    server = h.listen()
    flow = h.flow()
    flow.ask(SYN, options=MSS)
    server.close()
    flow.ask(ACK, 1, 1)


@script()
def a_syn_that_pushes(h):
    server = h.listen()
    flow = h.flow()
    flow.ask(SYN | PSH, options=MSS)
    flow.tell(ACK, 1, 1)
    h.accept(server)


@script()
def a_syn_with_urgent_data(h):
    h.listen()
    h.flow().ask(SYN | URG, options=MSS, urgent=1)


@script()
def a_syn_with_data(h):
    server = h.listen()
    flow = h.flow()
    flow.ask(SYN, options=MSS, payload=b"not yet")
    flow.ask(PSH | ACK, 1, 1, payload=b"not yet")
    h.read(h.accept(server))


@script()
def a_port_where_nobody_listens(h):
    h.flow(other=CLOSED_PORT).ask(SYN, options=MSS)


# ---- resets and segments that do not fit, in SYN-RECEIVED and later


@script()
def a_reset_in_syn_received(h):
    h.listen()
    flow = h.flow()
    flow.ask(SYN, options=MSS)
    flow.tell(RST, 1)
    flow.ask(ACK, 1, 1)


@script()
def a_reset_in_the_window_of_syn_received(h):
    server = h.listen()
    flow = h.flow()
    flow.ask(SYN, options=MSS)
    flow.tell(RST, 100)
    flow.tell(ACK, 1, 1)
    server.setblocking(False)
    h.note("gone" if flow.heard[-1].flags & RST else "there")


@script()
def a_reset_outside_the_window_of_syn_received(h):
    server = h.listen()
    flow = h.flow()
    flow.ask(SYN, options=MSS)
    flow.tell(RST, 1 << 20)
    flow.tell(ACK, 1, 1)
    sock = h.accept(server)
    flow.ask(PSH | ACK, 1, 1, payload=b"unharmed")
    h.read(sock)


@script()
def another_syn_in_syn_received(h):
    h.listen()
    flow = h.flow()
    flow.ask(SYN, options=MSS)
    flow.tell(SYN, 5000, options=MSS)
    flow.tell(ACK, 1, 1)


@script(attack="final_ack_bad")
def a_final_ack_of_nothing_sent(h):
    h.listen()
    flow = h.flow()
    flow.ask(SYN, options=MSS)
    flow.ask(ACK, 1, 77777)


@script()
def a_syn_on_a_connection(h):
    """RFC 5961 section 4: a challenge, wherever it is in the window."""
    flow, sock = opened(h)
    flow.ask(SYN, 1, options=MSS)
    flow.tell(SYN, 1 << 24, options=MSS)
    flow.ask(PSH | ACK, 1, 1, payload=b"alive")
    h.read(sock)


@script()
def a_reset_in_the_window(h):
    """RFC 5961 section 3: a challenge, and only the exact one ends it."""
    flow, sock = opened(h)
    flow.ask(RST, 100)
    flow.tell(RST, 1 << 24)
    flow.ask(PSH | ACK, 1, 1, payload=b"alive")
    h.read(sock)
    flow.tell(RST, 6)
    h.read(sock)
    flow.ask(PSH | ACK, 6, 1, payload=b"too late")


@script()
def an_ack_of_nothing_sent(h):
    """RFC 5961 section 5: a challenge."""
    flow, sock = opened(h)
    flow.ask(ACK, 1, 1 << 24)
    flow.tell(ACK, 1, -(1 << 24))
    flow.ask(PSH | ACK, 1, 1, payload=b"alive")
    h.read(sock)


@script()
def segments_beside_the_window(h):
    flow, sock = opened(h)
    flow.ask(PSH | ACK, 1, 1, payload=b"hello")
    flow.ask(PSH | ACK, 1, 1, payload=b"hello")
    flow.ask(PSH | ACK, 1 << 24, 1, payload=b"far")
    flow.ask(ACK, -100, 1, payload=b"old")
    h.read(sock)


@script()
def flags_that_make_no_sense_on_a_connection(h):
    """The kernel takes no notice of segments without ACK."""
    flow, sock = opened(h)
    for flags in (0, FIN, PSH, URG, FIN | PSH | URG):
        flow.tell(flags, 1)
    flow.ask(PSH | ACK, 1, 1, payload=b"alive")
    h.read(sock)
