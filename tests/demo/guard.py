# SPDX-License-Identifier: GPL-2.0-or-later
"""
The second half of the demo: a policy is applied on probation, a scanner's segments are dropped and a
flood is answered, while real clients get in.
"""

import itertools
import pathlib
import socket
import tempfile
import textwrap

import tcp
from books import check_conservation
from flood import FLOOD, spoof
from hooks import put_on_xdp
from net import VANISHED, wait_for
from segments import FIN, PSH, RST, SYN, Port, Segment

POLICY = """\
version: 1
services:
  - name: web
    ports: [8080]
    mode: enforce
    syn_flood: adaptive
    flood: {half_open: 500, syn_rate: 100, calm: 1s}
"""
URG = 0x20
SCANS = {"null": 0, "fin": FIN, "xmas": FIN | PSH | URG, "syn_fin": SYN | FIN, "syn_rst": SYN | RST}
SEGMENTS = 50
CLIENTS = 200  # in the midst of the flood
PARTS = 20
UNNOTICED = 1000  # of the flood's SYNs pass


def counts(stats):
    """What is counted of the flood and of the service; each begins with its policy, or before."""
    web = next(one for one in stats["services"] if one["name"] == "web")
    return {"dropped": web["dropped"], "syns": web["syns"],
            "accepted": stats["handshakes"]["accepted"],
            "cookies": stats["tallies"]["cookies_sent"] + stats["tallies"]["challenges_sent"]}


class Guard:
    def __init__(self, screen, synward, near, far):
        self.screen, self.synward, self.near, self.far = screen, synward, near, far

    def say(self, *argv):
        """Shows a command and what it says."""
        print(f"  $ synward {' '.join(str(getattr(word, 'name', word)) for word in argv)}")
        for line in self.synward.expect(0, *argv).stdout.splitlines():
            print(f"  {line}")

    def flood_of_web(self):
        rows = self.synward.json("status")["policy"]["services"]
        return next(row["flood"] for row in rows if row["name"] == "web")

    def client(self, server):
        """Connects, asks and is answered: the whole way to the server's program and back."""
        with tcp.connect(self.near.namespace, server.getsockname()[:2], server.family) as client:
            client.sendall(b"?")
            with server.accept()[0] as peer:
                peer.settimeout(tcp.SECONDS)
                peer.sendall(peer.recv(1) + b"!")
            assert client.recv(2, socket.MSG_WAITALL) == b"?!"

    def apply(self, server):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "guard.yaml")
            path.write_text(POLICY)
            self.say("policy", "apply", path, "--confirm", "60s")
        self.client(server)
        self.say("policy", "confirm")

    def scan(self, server):
        """Segments that no TCP sends, as nmap does to find out what is open; among real clients."""
        flags = itertools.cycle(SCANS.values())
        with Port(self.near) as port:
            for number in range(1, SEGMENTS + 1):
                port.send(Segment(self.near.address(socket.AF_INET, VANISHED),
                                  self.far.address(socket.AF_INET), 30000 + number, tcp.PORT,
                                  next(flags), seq=number))
                self.client(server)
                self.screen.bar("clients in a scan", number, SEGMENTS)

    def flood(self, server):
        """The same flood as before, among real clients. The most half-open handshakes."""
        most, done = 0, 0

        def each(number):
            nonlocal most, done
            if number == UNNOTICED:  # some senders are faster than a fifth of a second
                wait_for(lambda: self.flood_of_web()["on"], "the flood to be noticed")
            if number % (FLOOD // CLIENTS) == 0:
                self.client(server)
                done += 1
            if number % (FLOOD // PARTS) == 0:
                most = max(most, self.synward.stats()["half_open"])
                self.screen.bar("clients in the flood", done, CLIENTS)
        spoof(self.near, self.far, each)
        return most

    def perform(self):
        # a veth hands on what is answered from the driver only to an end that has a program, too
        put_on_xdp(self.near)
        with tcp.listener(self.far, socket.AF_INET) as server:
            self.apply(server)
            self.begun = counts(self.synward.stats())
            self.scan(server)
            self.scanned = counts(self.synward.stats())
            self.most = self.flood(server)
            self.flooded = counts(self.synward.stats())
        wait_for(lambda: not self.flood_of_web()["on"], "the flood to be over")
        self.seen = self.flood_of_web()
        self.stats = self.synward.stats()

    # ---- what came of it

    def row(self, what, text, caused, seen):
        print(f"  {what:<12}{text:<42}{caused:>8,}{seen:>10,}  "
              f"{self.screen.verdict(caused == seen)}")

    def report(self, most_without):
        def during(name, before, after):
            return after[name] - before[name]
        answered = during("cookies", self.scanned, self.flooded)
        came = during("syns", self.scanned, self.flooded)
        self.screen.title(
            "GUARDED, BY A POLICY OF SEVEN LINES                       CAUSED      SEEN")
        self.row("dropped", "segments as port scanners send them", SEGMENTS,
                 during("dropped", self.begun, self.scanned))
        self.row("accepted", "clients in the midst of them", SEGMENTS,
                 during("accepted", self.begun, self.scanned))
        self.row("SYNs", "the flood again, and clients in it", FLOOD + CLIENTS, came)
        self.row("accepted", "clients in the midst of the flood", CLIENTS,
                 during("accepted", self.scanned, self.flooded))
        text = f"{answered:,} SYNs answered from the driver and forgotten, {came - answered:,} passed"
        print(f"  {text:<75} {self.screen.verdict(came - answered < 2 * UNNOTICED)}")
        text = f"half-open at most {self.most:,}, and without the policy {most_without:,}"
        print(f"  {text:<75} {self.screen.verdict(self.most < 2 * UNNOTICED)}")
        self.report_verdict()

    def report_verdict(self):
        whole = self.seen.get("last", {}).get("whole", {"verdict": "none", "words": "no flood"})
        right = self.seen["floods"] == 1 and whole["verdict"] == "attack_spoofed"
        *lines, last = textwrap.wrap(f"verdict: {whole['words']}", 73)
        for line in lines:
            print(f"  {line}")
        print(f"  {last:<75} {self.screen.verdict(right)}")

    def report_books(self):
        conserved = True
        try:
            check_conservation(self.stats)
        except AssertionError:
            conserved = False
        books = self.stats["conservation"]
        text = (f"{books['seen']:,} packets seen = {books['passed']:,} passed + "
                f"{books['dropped']:,} dropped + {books['answered']:,} answered")
        right = conserved and books["dropped"] == SEGMENTS
        print(f"  {text:<75} {self.screen.verdict(right)}")
