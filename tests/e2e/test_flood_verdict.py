# SPDX-License-Identifier: GPL-2.0-or-later
"""What a flood turns out to be: an attack, or only a server that is busy or broken. And its evidence."""

import contextlib
import ipaddress
import json
import random
import socket

import floods
import tcp
from hooks import put_on_xdp
from net import NOBODY, VANISHED, wait_for
from segments import ACK, MSS_1460, SYN, Port, Segment
from test_gateway import Gateway

# attempts must outlive what the tests wait for; tables that are swept in one go
OPTIONS = ("--handshakes", "8192", "--connections", "8192", "--timeout", "syn_sent=8s",
           "--timeout", "syn_received=8s", "--timeout", "rst_grace=4s")
HANDOVER = (*OPTIONS, "--flood-way", "handover")
SPOOFED = {socket.AF_INET: "198.18.0.0/15", socket.AF_INET6: "2001:db8:18::/48"}
CROWD = 60  # clients at a time
PATIENCE = 40  # of which so many may be half-open before it is a flood


def apply(synward, tmp_path, calm="1s", half_open=PATIENCE, more="", mode="adaptive", policy=floods.UNHEARD):
    limits = f"flood: {{half_open: {half_open}, calm: {calm}{more}}}"
    floods.apply(synward, tmp_path, f"name: web, ports: [8080], syn_flood: {mode}, {limits}", more=policy)


def flood_of(synward):
    rows = synward.json("status")["policy"]["services"]
    return next(row["flood"] for row in rows if row["name"] == "web")


def begun(synward):
    """Waits for the flood. What is known of it."""
    wait_for(lambda: flood_of(synward)["floods"] == 1, lambda: str(flood_of(synward)))
    return flood_of(synward)


def ended(synward):
    wait_for(lambda: not flood_of(synward)["on"], lambda: str(flood_of(synward)))
    return flood_of(synward)


def events(synward):
    """The two events of the only flood, as JSON, and all text of them."""
    lines = [json.loads(line) for line in
             synward.expect(0, "-j", "events", "--timeout", "500ms").stdout.splitlines()]
    found = [one for one in lines if one["event_type"].startswith("flood_")]
    assert [one["event_type"] for one in found] == ["flood_begins", "flood_ends"]
    for one in found:
        assert one[one["event_type"]]["service"] == "web"
        assert "src_ip" not in one and "in_iface" not in one
    return found[0]["flood_begins"], found[1]["flood_ends"]


def assert_metrics(synward, expected):
    lines = synward.expect(0, "stats", "--prometheus").stdout.splitlines()
    found = {name: float(value) for name, value in
             (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}
    assert {name: found.get(name) for name in expected} == expected


def crowd(namespace, address, family, stack, count=CROWD):
    """Clients whose SYNs have left all at once."""
    return [stack.enter_context(tcp.begin(namespace, address, family)) for _ in range(count)]


def words(synward):
    """What status says of the service, to people."""
    lines = synward.expect(0, "status").stdout.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("  web: "))
    return "\n".join(lines[first:])


def spoof(near, far, family, count, seed=7):
    """SYNs from so many addresses of nobody, whose answers find their way into nothing."""
    network = ipaddress.ip_network(SPOOFED[family])
    numbers = random.Random(seed)
    with Port(near) as sender:
        sender.socket.setblocking(True)
        for _ in range(count):
            source = network[numbers.randrange(1, 1 << 16)]
            sender.send(Segment(str(source), far.address(family), numbers.randrange(1024, 65535),
                                tcp.PORT, SYN, seq=numbers.getrandbits(32), options=MSS_1460))


def lead_nowhere(near, far, family):
    far.route(SPOOFED[family], near.address(family))
    near.namespace.ip("route", "add", "blackhole", SPOOFED[family])


def test_a_queue_that_is_full_before_it_is_noticed(wire, synward, family, tmp_path):
    """Of the kernel's cookies, which it sends then, nobody could tell who answers here."""
    near, far = wire
    lead_nowhere(near, far, family)
    synward.attach(far, options=HANDOVER)
    floods.apply(synward, tmp_path, "name: web, ports: [8080], syn_flood: adaptive, flood: "
                 "{half_open: 200, syn_rate: 100000, calm: 1h}", more="")
    with tcp.listener(far, family, backlog=16) as server:
        spoof(near, far, family, 1000)
        begun(synward)
        before = synward.stats()["tallies"]["cookies_sent"]
        spoof(near, far, family, 1000, seed=8)
        assert synward.stats()["tallies"]["cookies_sent"] - before >= 990, "a few ask again"
        tcp.accepted(near.namespace, server, 5)


def test_a_spoofed_flood(wire, synward, family, tmp_path):
    near, far = wire
    lead_nowhere(near, far, family)
    # the flood uses up the budget of events; its own are told all the same
    synward.attach(far, options=(*HANDOVER, "--events-per-second", "1"))
    apply(synward, tmp_path, half_open=1000)
    with tcp.listener(far, family) as server:
        spoof(near, far, family, 4000)
        begun(synward)
        tcp.accepted(near.namespace, server, 20)
        flood = ended(synward)
    assert flood["reason"] == "half_open"
    began, whole = flood["last"]["began"], flood["last"]["whole"]
    assert began["verdict"] == whole["verdict"] == "attack_spoofed"
    assert began["half_open"] >= 1000 and began["completed"] == 0
    assert began["sources"] > 500 and began["synacks"] > 0
    assert 1000 < whole["syns"] <= 4020, "what came in the periods before is not its own"
    assert whole["completed"] == whole["by_cookie"] == 20
    assert whole["answered"] == synward.stats()["tallies"]["cookies_sent"] >= 20
    assert whole["refused"] == whole["late"] == whole["unaccepted"] == whole["queue_full"] == 0
    assert "most likely spoofed" in words(synward)
    assert_metrics(synward, {
        'synward_floods_total{service="web"}': 1, 'synward_flood_active{service="web"}': 0,
        'synward_flood_reason{service="web",reason="half_open"}': 1,
        'synward_flood_verdict{service="web",verdict="attack_spoofed"}': 1,
        'synward_flood_verdict{service="web",verdict="healthy"}': 0,
        'synward_flood_seconds_total{service="web"}': flood["last"]["lasted_ms"] / 1000,
        'synward_flood_syns_total{service="web"}': 4020,
        'synward_flood_by_cookie_total{service="web"}': 20,
        "synward_cookies_sent_total": whole["answered"], "synward_cookies_accepted_total": 20,
        'synward_handovers_total{result="taken"}': 20,
        'synward_handovers_total{result="failed"}': 0})
    first, last = events(synward)
    assert first == {"service": "web", "reason": "half_open", "evidence": began}
    assert last == {"service": "web", "reason": "half_open", "evidence": whole,
                    "lasted_ms": flood["last"]["lasted_ms"]}
    assert last["lasted_ms"] >= 1000, "calm"


def test_an_accept_queue_that_is_full(wire, synward, family, tmp_path):
    near, far = wire
    synward.attach(far, options=HANDOVER)
    apply(synward, tmp_path)
    with tcp.listener(far, family, backlog=1) as server, contextlib.ExitStack() as stack:
        address = server.getsockname()[:2]
        for _ in range(2):  # one more than the backlog, as Linux counts
            stack.enter_context(tcp.connect(near.namespace, address, family))
        assert flood_of(synward)["floods"] == 0  # and the coarse clock has ticked meanwhile
        crowd(near.namespace, address, family, stack)
        assert begun(synward)["last"]["began"]["verdict"] == "accept_queue_full"
        flood = ended(synward)
    for evidence in flood["last"]["began"], flood["last"]["whole"]:
        assert evidence["verdict"] == "accept_queue_full"
        assert (evidence["queue"], evidence["queue_room"]) == (2, 1)
        assert evidence["queue_full"] > 0
    assert "its accept queue is full" in words(synward) and "accept queue 2 of 1" in words(synward)
    assert events(synward)[1]["evidence"]["verdict"] == "accept_queue_full"


class Clients:
    """Made by hand: nobody else repeats their SYNs, and their ACKs come when we want it."""

    def __init__(self, near, address, family, count):
        self.port = Port(near)
        self.synacks = {}  # by the client's port: how many have come
        self.syns = [Segment(near.address(family, VANISHED), address, 20000 + i, tcp.PORT, SYN,
                             seq=1000 * i, options=MSS_1460) for i in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.port.socket.close()

    def begin(self):
        for syn in self.syns:
            self.port.send(syn)

    def hear(self, times):
        """Waits until each client has heard so many SYN-ACKs. The last of each."""
        while len(self.synacks) < len(self.syns) or any(
                len(heard) < times for heard in self.synacks.values()):
            one = self.port.receive(lambda s: s.flags & (SYN | ACK) == SYN | ACK, "SYN-ACKs")
            self.synacks.setdefault(one.dport, []).append(one)
        return [heard[-1] for heard in self.synacks.values()]

    def complete(self, synacks):
        for synack in synacks:
            self.port.send(synack.answer(ACK, seq=synack.ack))


def test_the_accept_queue_of_a_server_behind_a_gateway(lab, synward, family, tmp_path):
    """The server asks again for ACKs that it has had: the only sign of it on the wire."""
    gateway = Gateway(lab)
    put_on_xdp(gateway.c0)
    synward.attach(gateway.g0, gateway.g1, options=OPTIONS)
    apply(synward, tmp_path, calm="3s", half_open=6)
    with (tcp.listener(gateway.s0, family, backlog=10) as server,
          Clients(gateway.c0, gateway.s0.address(family), family, 8) as clients,
          contextlib.ExitStack() as stack):
        clients.begin()
        synacks = clients.hear(1)
        begun(synward)
        for _ in range(11):  # one more than the backlog, as Linux counts
            stack.enter_context(tcp.connect(gateway.client, server.getsockname()[:2], family))
        clients.complete(synacks)
        wait_for(lambda: flood_of(synward)["last"]["whole"]["unaccepted"] == 8,
                 lambda: str(flood_of(synward)))
        whole = flood_of(synward)["last"]["whole"]
    assert whole["verdict"] == "accept_queue_full"
    assert whole["completed"] == 19, "as the clients see it"
    assert whole["queue_looks"] == 0, "it is not ours"


def test_a_server_that_is_silent(wire, synward, family, tmp_path):
    near, far = wire
    synward.attach(far, options=HANDOVER)
    apply(synward, tmp_path)
    with contextlib.ExitStack() as stack:
        crowd(near.namespace, (far.address(family, NOBODY), tcp.PORT), family, stack)
        assert begun(synward)["last"]["began"]["verdict"] == "server_silent"
        flood = ended(synward)
    whole = flood["last"]["whole"]
    assert whole["verdict"] == "server_silent"
    assert whole["attempts"] == CROWD and whole["synacks"] == whole["refused"] == 0
    assert "it is silent" in words(synward)
    assert events(synward)[0]["evidence"]["verdict"] == "server_silent"


def test_a_server_that_refuses(wire, synward, family, tmp_path):
    """The flood may begin before the last of them has been refused: then that one is, too."""
    near, far = wire
    synward.attach(far, options=HANDOVER)
    apply(synward, tmp_path, policy="")
    tcp.rejected(near.namespace, (far.address(family), tcp.PORT), family, CROWD)
    begun(synward)
    flood = ended(synward)
    for evidence in flood["last"]["began"], flood["last"]["whole"]:
        assert evidence["verdict"] == "server_refuses"
        assert evidence["refused"] >= PATIENCE / 2 and evidence["synacks"] == 0
    assert "SYNs are refused" in words(synward)


def test_handshakes_that_are_completed_late(wire, synward, family, tmp_path):
    """Clients that hear only the second SYN-ACK."""
    near, far = wire
    synward.attach(far, options=HANDOVER)
    apply(synward, tmp_path, calm="3s", half_open=10)
    with tcp.listener(far, family), Clients(near, far.address(family), family, 20) as clients:
        clients.begin()
        begun(synward)
        clients.complete(clients.hear(2))
        flood = ended(synward)
    whole = flood["last"]["whole"]
    assert whole["verdict"] == "completed_late"
    assert whole["late"] == whole["completed"] == whole["attempts"] == 20
    assert "but late" in words(synward)
    assert events(synward)[1]["evidence"]["verdict"] == "completed_late"


def test_a_busy_service_is_no_flood(wire, synward, family, tmp_path):
    near, far = wire
    synward.attach(far, options=HANDOVER)
    apply(synward, tmp_path, more=", syn_rate: 50")
    busy = 0
    with tcp.listener(far, family) as server:
        while busy < 3:
            tcp.accepted(near.namespace, server, 20)
            flood = flood_of(synward)
            busy += flood["syns_per_second"] > 50
            assert flood["floods"] == 0 and "last" not in flood
            assert flood["verdict"] in ("healthy", "quiet")
    assert synward.stats()["tallies"]["cookies_sent"] == 0


def test_what_cookies_complete_is_completed(wire, synward, family, tmp_path):
    near, far = wire
    synward.attach(far, options=HANDOVER)
    apply(synward, tmp_path, mode="always")
    wait_for(lambda: flood_of(synward)["on"], "the policy to have its way")
    with tcp.listener(far, family) as server:
        tcp.accepted(near.namespace, server, 30)
        wait_for(lambda: flood_of(synward)["last"]["whole"]["completed"] == 30,
                 lambda: str(flood_of(synward)))
    whole = flood_of(synward)["last"]["whole"]
    assert whole["verdict"] == "healthy"
    assert whole["syns"] == 30
    assert 1 <= whole["answered"] == whole["by_cookie"], "then its source is known"
    assert 16 <= whole["attempts"] == 30 - whole["by_cookie"], "and so many pass at a time"
