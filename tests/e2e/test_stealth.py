# SPDX-License-Identifier: GPL-2.0-or-later
"""Scanners go blind before strict rules, and everything honest goes on as if they were not there."""

import contextlib
import socket
import threading

import pytest

import tcp
from causes import FAMILIES, QUICK, Stage
from cli import Synward
from live import connect_from, need, nmap
from net import Lab, wait_for
from policies import Files
from segments import ACK, FIN, RST, SYN, parse, raw_socket

OPEN, CLOSED = (8080, 8090), (8081, 8091)
SCANNED = ",".join(map(str, OPEN + CLOSED))
SCANNER = 54321  # one source port: probes that are repeated are of the same flow
ENFORCE = "  strict: yes\n  warm_up: 0s\n"


class Watch:
    """What goes over the wire at the scanner's end."""

    def __init__(self, end):
        self.socket = raw_socket(end)
        self.sent, self.answers = {}, {}

    def take(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                data, address = self.socket.recvfrom(65536)
                one = parse(data)
                if not one:
                    continue
                if address[2] == socket.PACKET_OUTGOING:
                    self.sent.setdefault((one.sport, one.dport), []).append(one.flags & 0x3F)
                else:
                    self.answers.setdefault((one.dport, one.sport), []).append(one.flags & 0x3F)

    def stealthy(self):
        """Of each flow that does not begin as connections do: its probes and their answers."""
        self.take()
        return {ports: (flags, self.answers.get(ports, [])) for ports, flags in self.sent.items()
                if ports[1] in OPEN + CLOSED and
                not any(one & (SYN | ACK | FIN | RST) in (SYN, RST) for one in flags)}


def read(sock, count):
    """So many bytes, or what there was before the end."""
    data = bytearray()
    while len(data) < count and (part := sock.recv(count - len(data))):
        data += part
    return data


class Visitors:
    """Short connections, one after the other, as a browser's or curl's, while it is entered."""

    def __init__(self, stage, port):
        self.stage, self.port = stage, port
        self.served, self.failures = 0, []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def _go_on(self):
        with tcp.listener(self.stage.far, self.stage.family, self.port) as server:
            address = server.getsockname()[:2]
            while not self._stop.is_set():
                try:
                    with tcp.connect(self.stage.near.namespace, address, server.family) as client:
                        with server.accept()[0] as peer:
                            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
                            assert peer.recv(100) == b"GET / HTTP/1.1\r\n\r\n"
                            peer.sendall(b"x" * 20000)
                        assert read(client, 20000) == b"x" * 20000
                    self.served += 1
                    self._stop.wait(0.005)  # others want the machine, too
                except (OSError, AssertionError) as failure:
                    self.failures.append(failure)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


class Session:
    """A connection that idles for long, as one of ssh."""

    def __init__(self, stage, port):
        with tcp.listener(stage.far, stage.family, port) as server:
            self.client = tcp.connect(stage.near.namespace, server.getsockname()[:2],
                                      server.family)
            self.peer = server.accept()[0]
        for end in (self.client, self.peer):
            end.settimeout(tcp.SECONDS)
            for name in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
                end.setsockopt(socket.IPPROTO_TCP, name, 1)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def type_something(self):
        self.client.sendall(b"ls\n")
        assert self.peer.recv(10) == b"ls\n"
        self.peer.sendall(b"README\n")
        assert self.client.recv(10) == b"README\n"

    def close(self):
        self.client.close()
        self.peer.close()


class Fortress:
    """A server under strict rules, with a life of its own."""

    def __init__(self, lab, bpffs, directory, family):
        near, far = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        self.stage = Stage(near, far, family)
        self.synward = Synward(bpffs / f"stealth-{family}", directory / "state")
        lab.callback(self.synward.run, "detach", "--all", "--force")
        far.namespace.sysctl("net.ipv4.tcp_fastopen", 3)
        for end in (near, far):
            end.namespace.sysctl("net.ipv4.tcp_ecn", 1)
        self.synward.attach(far, options=QUICK)
        self.synward.expect(0, "policy", "apply", Files(directory).default("enforce", ENFORCE))
        self.listeners = [lab.enter_context(tcp.listener(far, family, port)) for port in OPEN]
        tcp.accepted(near.namespace, self.listeners[0], 8)
        row, = self.synward.json("status")["policy"]["services"]
        assert row["strict"] == "ready"
        self.visitors = lab.enter_context(Visitors(self.stage, 80))
        self.session = lab.enter_context(contextlib.closing(Session(self.stage, 22)))

    def scan(self, *argv):
        return nmap(self.stage.near.namespace, self.stage.family, "--max-retries", 0,
                    "--initial-rtt-timeout", "100ms", "--max-rtt-timeout", "100ms",
                    "-p", SCANNED, *argv, self.stage.server()[0])

    def dropped(self):
        return {name: one["dropped"] for name, one in self.synward.stats()["anomalies"].items()
                if one["dropped"]}

    def expect_life(self):
        """More visitors have been served, none in vain, and the session is as it was."""
        served = self.visitors.served
        self.session.type_something()
        wait_for(lambda: self.visitors.served > served + 3 or self.visitors.failures, "visitors")
        assert self.visitors.failures == []


@pytest.fixture(scope="module", params=FAMILIES)
def fortress(request, bpffs, tmp_path_factory):
    need("nmap")
    with Lab() as lab:
        made = Fortress(lab, bpffs, tmp_path_factory.mktemp("stealth"), FAMILIES[request.param])
        yield made
        made.expect_life()
        made.visitors.__exit__()
        made.synward.await_books()


# how nmap is called, what it believes then, and by which names the probes are dropped
STEALTH = {
    "null": (("-sN",), "open|filtered", {"flags_null"}),
    "fin": (("-sF",), "open|filtered", {"flags_fin_noack"}),
    "xmas": (("-sX",), "open|filtered", {"flags_xmas"}),
    "maimon": (("-sM",), "open|filtered", {"midstream"}),
    "ack": (("-sA",), "filtered", {"midstream"}),
    "window": (("-sW",), "filtered", {"midstream"}),
    "syn_fin": (("-sS", "--scanflags", "SYNFIN"), "filtered", {"flags_syn_fin"}),
    "syn_rst": (("-sS", "--scanflags", "SYNRST"), "filtered", {"flags_syn_rst"}),
    "syn_ack": (("-sA", "--scanflags", "SYNACK"), "filtered", {"unsolicited_synack"}),
    "push": (("-sF", "--scanflags", "PSH"), "open|filtered", {"flags_no_syn_ack_rst"}),
    "urgent": (("-sF", "--scanflags", "URGPSH"), "open|filtered", {"flags_no_syn_ack_rst"}),
    "everything": (("-sF", "--scanflags", "URGACKPSHRSTSYNFIN"), "open|filtered",
                   {"flags_syn_fin", "flags_syn_rst", "flags_fin_rst"}),
    "again": (("-sA", "-g", SCANNER, "--max-retries", 1), "filtered", {"midstream"}),
    "data": (("-sA", "--data-length", 40), "filtered", {"midstream"}),
}


@pytest.mark.parametrize("how", STEALTH)
def test_a_stealth_scan_sees_nothing(fortress, how):
    argv, state, names = STEALTH[how]
    before, watch = fortress.dropped(), Watch(fortress.stage.near)
    assert fortress.scan(*argv) == dict.fromkeys(OPEN + CLOSED, state), "all ports look alike"
    probes = watch.stealthy()
    assert {port for _, port in probes} == set(OPEN + CLOSED)
    assert [answers for _, answers in probes.values() if answers] == []
    after = fortress.dropped()
    assert {name for name in after if after[name] != before.get(name)} == names
    counted = max(after[name] - before.get(name, 0) for name in names)
    assert counted == sum(len(flags) for flags, _ in probes.values()), "and all by that name"
    fortress.expect_life()


def test_fingerprinting_gets_no_answer_but_to_what_is_legal(fortress):
    watch = Watch(fortress.stage.near)
    states = fortress.scan("-O", "--max-os-tries", 1)
    assert states == {**dict.fromkeys(OPEN, "open"), **dict.fromkeys(CLOSED, "closed")}
    probes = watch.stealthy()
    assert len(probes) >= 4, "T2, T3, T4, T6 and T7"
    assert [answers for _, answers in probes.values() if answers] == []
    fortress.expect_life()


@pytest.mark.parametrize("how", ("-sS", "-sT"))
def test_a_scan_by_legal_syns_works(fortress, how):
    before = fortress.dropped()
    states = fortress.scan(how)
    assert states == {**dict.fromkeys(OPEN, "open"), **dict.fromkeys(CLOSED, "closed")}
    assert fortress.dropped() == before
    fortress.expect_life()


# ---- what is odd but honest, and goes on in the middle of all that


@pytest.fixture
def server(fortress):
    """A listener that no scanner has connected to."""
    with tcp.listener(fortress.stage.far, fortress.stage.family, 8100) as made:
        yield made


@pytest.fixture
def harmless(fortress):
    before = fortress.dropped()
    yield fortress
    assert fortress.dropped() == before
    fortress.expect_life()


def test_an_idle_session_is_kept_alive(harmless):
    """The kernels' own keepalives, whose numbers are old ones."""
    def probes():
        return sum(end.namespace.counter("TcpExt", "TCPKeepAlive")
                   for end in (harmless.stage.near, harmless.stage.far))
    before = probes()
    wait_for(lambda: probes() >= before + 2, "two keepalives")
    harmless.session.type_something()


def test_a_port_is_used_again_out_of_time_wait(harmless, server):
    stage = harmless.stage
    for _ in range(3):
        with connect_from(stage.near, 25678, server.getsockname()[:2], stage.family) as client:
            with server.accept()[0] as peer:  # the server closes first: TIME-WAIT is there
                client.sendall(b"hi")
                assert peer.recv(10) == b"hi"
            assert client.recv(10) == b""


def test_halves_are_closed_one_after_the_other(harmless, server):
    stage = harmless.stage
    with tcp.connect(stage.near.namespace, server.getsockname()[:2], stage.family) as client:
        with server.accept()[0] as peer:
            client.shutdown(socket.SHUT_WR)
            assert peer.recv(10) == b""
            for _ in range(20):
                peer.sendall(b"x" * 5000)
                assert read(client, 5000) == b"x" * 5000


def test_fast_open(harmless, server):
    """The second connection brings its data with the SYN."""
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
    for _ in range(2):
        with harmless.stage.near.namespace.socket(server.family) as client:
            client.sendto(b"hello", socket.MSG_FASTOPEN, server.getsockname()[:2])
            with server.accept()[0] as peer:
                assert peer.recv(10) == b"hello"
                peer.sendall(b"world")
                client.settimeout(tcp.SECONDS)
                assert client.recv(10) == b"world"
    assert harmless.synward.stats()["anomalies"]["syn_data_tfo"]["seen"] == 1


def test_ecn_is_agreed_on(harmless, server):
    stage = harmless.stage
    with tcp.connect(stage.near.namespace, server.getsockname()[:2], stage.family) as client:
        server.accept()[0].close()
        options = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[5]
        assert options & 8, "TCPI_OPT_ECN"
