# SPDX-License-Identifier: GPL-2.0-or-later
"""Defences against SYN floods: put up, looked at, and used by real clients."""

import contextlib
import dataclasses
import ipaddress
import itertools
import random
import socket
import struct
import threading

import tcp
from causes import QUICK
from hooks import put_on_xdp
from net import VANISHED, wait_for
from policies import Files
from segments import ACK, FIN, MSS_1460, RST, SYN, Port, Segment

SIZE = 2_000_000
DATA = random.Random(1).randbytes(SIZE)
TIMESTAMPS, SACK, WINDOW_SCALE, ECN = 1, 2, 4, 8  # as TCP_INFO has them
ALL_OPTIONS = TIMESTAMPS | SACK | WINDOW_SCALE
# What each way takes net.ipv4.tcp_syncookies to be.
SYNCOOKIES = {"handover": 1, "kernel": 2, "challenge": 1}
ALWAYS = f"name: web, ports: [{tcp.PORT}], syn_flood: always"


@dataclasses.dataclass(frozen=True)
class Info:
    """What an end says of its connection: TCP_INFO as far as the handshake decides it."""

    options: int
    snd_wscale: int
    rcv_wscale: int
    snd_mss: int
    advmss: int
    pmtu: int

    @classmethod
    def of(cls, end):
        raw = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        snd_mss, pmtu, advmss = (struct.unpack_from("=I", raw, at)[0] for at in (16, 60, 84))
        return cls(raw[5] & 15, raw[6] & 15, raw[6] >> 4, snd_mss, advmss, pmtu)


@dataclasses.dataclass(frozen=True)
class Infos:
    client: Info
    server: Info


# Every SYN is answered, whether or not its listener was heard before: for tests that count what is sent.
UNHEARD = "flood_defence: {unheard: answer}\n"


def apply(synward, tmp_path, *services, more=UNHEARD):
    path = Files(tmp_path).services(*services, mode="enforce")
    path.write_text(path.read_text() + more)
    synward.expect(0, "policy", "apply", path)


def flood_of(synward, name):
    rows = synward.json("status")["policy"]["services"]
    return next(row["flood"] for row in rows if row["name"] == name)


def wait_for_flood(synward, name, on):
    wait_for(lambda: flood_of(synward, name)["on"] == on, lambda: str(flood_of(synward, name)))


def defend(synward, tmp_path, *ends, way="handover", services=(ALWAYS,), more=(), policy=UNHEARD):
    """Attaches and answers SYNs to port 8080 from now on."""
    synward.attach(*ends, options=(*QUICK, "--flood-way", way, *more))
    apply(synward, tmp_path, *services, more=policy)
    wait_for_flood(synward, "web", True)


def answerable(end):
    """A veth hands on what is answered from the driver only to an end that has a program, too."""
    put_on_xdp(end)
    return end


IP_FREEBIND, IPV6_FREEBIND = 15, 78


class Crowd:
    """
    So many clients at one end of a wire that none comes twice: who has brought a cookie back once
    needs none for a minute. All of the two prefixes is the end's own, without being told so.
    """

    PREFIXES = {socket.AF_INET: "10.78.0.0/16", socket.AF_INET6: "fd78::/64"}

    def __init__(self, near, *hops):
        """hops: the ends, of a server and of routers, by which the way back to them leads."""
        self.hosts = {}
        for family, prefix in self.PREFIXES.items():
            near.namespace.ip("route", "add", "local", prefix, "dev", "lo")
            for hop in hops:
                hop.route(prefix, hop.peer.address(family))
            self.hosts[family] = ipaddress.ip_network(prefix).hosts()

    def address(self, family):
        """One that has not been used yet."""
        return str(next(self.hosts[family]))

    def join(self, client, address=None):
        """Gives an unconnected socket an address of its own, or this one."""
        level, option = ((socket.IPPROTO_IP, IP_FREEBIND)
                         if client.family == socket.AF_INET else
                         (socket.IPPROTO_IPV6, IPV6_FREEBIND))
        client.setsockopt(level, option, 1)
        client.bind((address or self.address(client.family), 0))


def receive(end, size):
    """So many bytes, or less if they end before."""
    data = bytearray()
    while len(data) < size and (more := end.recv(min(1 << 16, size - len(data)))):
        data += more
    return bytes(data)


def _echo(server, size, infos):
    """Takes as much as a client sends, then sends it back."""
    peer = server.accept()[0]
    with peer:
        peer.settimeout(tcp.SECONDS)
        data = receive(peer, size)
        infos.append(Info.of(peer))
        peer.sendall(data)


def talk(namespace, server, data=DATA, address=None, prepare=lambda client: None):
    """A connection with data both ways, the first of it right behind the ACK. What its ends say."""
    infos = []
    thread = threading.Thread(target=_echo, args=(server, len(data), infos))
    address = address or server.getsockname()[:2]
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with contextlib.closing(namespace.socket(family)) as client:
        client.settimeout(tcp.SECONDS)
        prepare(client)
        client.connect(address)
        thread.start()
        client.sendall(data)
        back = receive(client, len(data))
        info = Info.of(client)
    thread.join()
    assert back == data
    return Infos(info, *infos)


def spoofed(near, far, family, flags, count, port=tcp.PORT, **fields):
    numbers = random.Random(4)
    with Port(near) as sender:
        for _ in range(count):
            sender.send(Segment(near.address(family, VANISHED), far.address(family),
                                numbers.randrange(1024, 65535), port, flags,
                                seq=numbers.getrandbits(32),
                                options=MSS_1460 if flags == SYN else b"", **fields))


def _options(*words):
    return b"".join(word.to_bytes(4, "big") for word in words)


class Ghost:
    """A client made by hand: no kernel answers for its address, which is behind the near end."""

    PREFIXES = {socket.AF_INET: "10.79.0.0/16", socket.AF_INET6: "fd79::/64"}
    numbers = itertools.count(1)

    @classmethod
    def route(cls, *hops):
        for family, prefix in cls.PREFIXES.items():
            for hop in hops:
                hop.route(prefix, hop.peer.address(family))

    def __init__(self, port, far, family, dport=tcp.PORT):
        self.port, self.isn = port, random.getrandbits(32)
        number = next(self.numbers)
        self.address = str(ipaddress.ip_network(self.PREFIXES[family])[number])
        self.ends = self.address, far.address(family), 40000 + number % 20000, dport
        self.tsval, self.synack, self.sent = number, None, 0

    def segment(self, flags, seq=0, ack=0, tsecr=0, **fields):
        """One of its segments, with a timestamp."""
        return Segment(*self.ends, flags, seq=seq % 2**32, ack=ack % 2**32, **{
            "options": _options(0x0101080A, self.tsval, tsecr), **fields})

    def syn(self):
        """Sends a SYN with all options."""
        return self.port.send(self.segment(
            SYN, self.isn, options=_options(0x020405B4, 0x0402080A, self.tsval, 0, 0x01030307)))

    def hear_synack(self):
        self.synack = self.port.receive(
            lambda s: (s.dst, s.dport, s.flags & 0x3F) == (*self.ends[::2], SYN | ACK), "a SYN-ACK")

    def knock(self):
        """Sends the SYN and takes the SYN-ACK. Returns itself."""
        self.syn()
        self.hear_synack()
        return self

    def is_challenged(self):
        return self.synack.ack != (self.isn + 1) % 2**32

    def prove(self, between=lambda: None):
        """If it was challenged, resets that and knocks again, as any kernel does. Returns itself."""
        if self.is_challenged():
            self.port.send(self.segment(RST, self.synack.ack, options=b""))
            between()
            self.knock()
        return self

    def next(self, flags=ACK, payload=b"", at=0, **changes):
        """What it says next, or so many bytes behind that; not sent yet."""
        fields = {"seq": self.isn + 1 + self.sent + at, "ack": self.synack.seq + 1,
                  "tsecr": int.from_bytes(self.synack.options[8:12], "big"), "payload": payload}
        return self.segment(flags, **{**fields, **changes})

    def say(self, *what, **how):
        """Sends the next segment."""
        segment = self.port.send(self.next(*what, **how))
        self.sent += len(segment.payload) + bool(segment.flags & FIN)
        return segment

    def heard(self, probe):
        """
        The flags of all that came for it until now. probe: a closed port, whose RST comes behind
        whatever was sent before.
        """
        found, mark = [], Segment(*self.ends[:3], probe, SYN, seq=self.isn)
        self.port.send(mark)

        def is_mark(segment):
            if segment.dst == self.address and segment.sport == self.ends[3]:
                found.append(segment.flags & 0x3F)
            return segment.dst == self.address and segment.sport == probe
        self.port.receive(is_mark, "a RST from a closed port")
        return found
