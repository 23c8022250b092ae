# SPDX-License-Identifier: GPL-2.0-or-later
"""
Plays scripts of segments against the kernel's TCP and writes down what it answers, so that two kernels
can be compared, or one that has something in front of it.

The peer's end is raw: its address is nobody's, so no kernel answers there. What the kernel says is
written down with numbers counted from the ISNs, and without what chance decides.
"""

import contextlib
import dataclasses
import socket
import struct

import tcp
from net import VANISHED, wait_for
from segments import ACK, SYN, Port, Segment, parse

ISN = 0xFFFFFF00  # it wraps around soon
MSS, SACK_OK, NOP = b"\x02\x04\x05\xb4", b"\x04\x02", b"\x01"
SCALE_7 = b"\x03\x03\x07"
OPTION_NAMES = {2: "mss", 3: "scale", 4: "sack_ok", 5: "sack", 8: "time", 34: "fast_open"}
FLAG_NAMES = "FSRPAUEC"
SCRIPTS = {}


@dataclasses.dataclass(frozen=True)
class Script:
    play: object
    attack: str  # the anomaly for which strict rules drop what it sends; "" if it is honest


def script(attack=""):
    """Registers a function of a Host as a script."""
    def register(play):
        SCRIPTS[play.__name__] = Script(play, attack)
        return play
    return register


def options_of(data):
    """The options of a header: kind and value."""
    while data and data[0] != 0:
        if data[0] == 1:
            data = data[1:]
            continue
        yield data[0], data[2:data[1]]
        data = data[data[1]:]


def time_option(value, echo):
    return NOP * 2 + b"\x08\x0a" + struct.pack("!II", value, echo)


def padded(options):
    return options + NOP * (-len(options) % 4)


class Host:
    """A wire whose far end's kernel is under test."""

    def __init__(self, near, far, family, ports):
        self.near, self.far, self.family = near, far, family
        self.port = Port(near)
        # else whoever is answered twice in half a second, is answered once
        far.namespace.sysctl("net.ipv4.tcp_invalid_ratelimit", 0)
        self.ports = ports  # of flows: no two plays have the same
        self.trace = []
        self.flows = {}
        self.patience = tcp.SECONDS
        self.open = contextlib.ExitStack()

    def play(self, wanted):
        """Plays one script from its beginning to its end and returns what was written down."""
        self.trace, self.flows = [], {}
        with self.open:
            wanted.play(self)
            self.settle()
        return self.trace

    def note(self, *words):
        self.trace.append(" ".join(map(str, words)))

    # ---- the kernel's side

    def listen(self, *options, port=tcp.PORT):
        """A listening socket; options: level, name and value of each."""
        server = self.far.namespace.socket(self.family)
        self.open.callback(server.close)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in options:
            server.setsockopt(*option)
        server.bind((self.far.address(self.family), port))
        server.listen(16)
        server.settimeout(tcp.SECONDS)
        return server

    def accept(self, server):
        sock = self.open.enter_context(server.accept()[0])
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        sock.settimeout(tcp.SECONDS)
        return sock

    def read(self, sock, count=65536, flags=0):
        """What the application gets."""
        try:
            self.note("read", sock.recv(count, flags))
        except OSError as error:
            self.note("read", type(error).__name__)

    def dial(self, *options, data=b""):
        """The kernel opens a connection: its socket, and the flow that has got its SYN."""
        port = next(self.ports)
        sock = self.open.enter_context(self.far.namespace.socket(self.family))
        sock.setblocking(False)
        for option in options:
            sock.setsockopt(*option)
        peer = (self.near.address(self.family, VANISHED), port)
        if data:
            with contextlib.suppress(BlockingIOError):
                sock.sendto(data, socket.MSG_FASTOPEN, peer)
        else:
            sock.connect_ex(peer)
        own = sock.getsockname()[1]
        flow = Flow(self, own=port, other=own)
        flow.hear()
        sock.settimeout(tcp.SECONDS)
        return sock, flow

    # ---- the peer's side

    def flow(self, own=None, other=tcp.PORT, isn=ISN):
        return Flow(self, own or next(self.ports), other, isn)

    def collect(self):
        """Takes what has come to the flows that it belongs to."""
        while (data := self.port._next()) is not None:
            found = parse(data)
            flow = found and self.flows.get((found.sport, found.dport))
            if flow:
                flow.take(found)

    def settle(self):
        """Until a marker that was sent behind all else is answered, and so all before it is."""
        marker = Flow(self, next(self.ports), tcp.CLOSED_PORT)
        marker.quiet = True
        marker.send(SYN, options=MSS)
        wait_for(lambda: self.collect() or marker.heard, "the answer to a marker")
        del self.flows[marker.key]


class Flow:
    """A connection of the peer's. Numbers are counted from the ISNs."""

    def __init__(self, host, own, other, isn=ISN):
        self.host, self.own, self.other = host, own, other
        self.isn, self.theirs = isn, None
        self.heard, self.quiet = [], False
        self.stamp, self.echo, self.stamped = 1000, 0, False
        self.key = (other, own)
        host.flows[self.key] = self

    def take(self, found):
        if found.flags & SYN:
            self.theirs = found.seq
        for kind, value in options_of(found.options):
            if kind == 8:
                self.echo = struct.unpack("!II", value)[0]
        self.heard.append(found)
        if not self.quiet:
            self.write(found)

    def write(self, found):
        """A line of what it says; one that repeats another one's words is a timer's, or said so."""
        flags = "".join(name for bit, name in enumerate(FLAG_NAMES) if found.flags >> bit & 1)
        # a RST of no connection has no number
        known = self.theirs is not None and found.seq
        words = [f"> {flags}"]
        if known:
            words.append(f"seq {found.seq - self.theirs & 0xFFFFFFFF}")
        if found.flags & ACK:
            words.append(f"ack {found.ack - self.isn & 0xFFFFFFFF}")
        if found.payload:
            words.append(f"data {len(found.payload)}")
        if found.urgent:
            words.append(f"urgent {found.urgent}")
        if not found.window:
            words.append("closed")
        words += sorted(OPTION_NAMES.get(kind, str(kind))
                        for kind, _ in options_of(found.options))
        line = " ".join(words)
        if line not in self.host.trace:
            self.host.note(line)

    def send(self, flags, seq=0, ack=None, options=b"", **fields):
        host = self.host
        if self.stamped:
            self.stamp += 1
            options = options + time_option(self.stamp, self.echo if flags & ACK else 0)
        number = 0
        if flags & ACK:
            number = (self.theirs or 0) + (1 if ack is None else ack) & 0xFFFFFFFF
        host.port.send(Segment(host.near.address(host.family, VANISHED),
                               host.far.address(host.family), self.own, self.other, flags,
                               seq=self.isn + seq & 0xFFFFFFFF, ack=number,
                               options=padded(options), **fields))

    def tell(self, flags, seq=0, ack=None, **fields):
        """Sends a segment, and all that it causes at once is written down."""
        self.host.note("<", flags, seq, "" if ack is None else ack)
        self.send(flags, seq, ack, **fields)
        self.host.settle()

    def ask(self, flags, seq=0, ack=None, **fields):
        """Sends a segment that has an answer, which may be like an older one. Returns that."""
        count = len(self.heard)
        self.tell(flags, seq, ack, **fields)
        answer = self.hear(count)
        self.host.note("answered")
        return answer

    def hear(self, count=None, wanted=lambda found: True):
        """Waits for something new."""
        count = len(self.heard) if count is None else count

        def came():
            self.host.collect()
            return next(filter(wanted, self.heard[count:]), None)
        return wait_for(came, lambda: f"the kernel to say more; so far: {self.host.trace}",
                        seconds=self.host.patience)

    # ---- what most scripts begin with

    def open(self, options=MSS, window=64240):
        """A whole handshake; the next numbers are 1 and 1."""
        self.ask(SYN, options=options, window=window)
        self.tell(ACK, 1, 1)
        return self

    def answer_syn(self, options=MSS, **fields):
        """To the kernel's SYN, which has been heard."""
        self.ask(SYN | ACK, 0, 1, options=options, **fields)
        return self
