# SPDX-License-Identifier: GPL-2.0-or-later
"""
The second half of the demo: a policy is applied on probation, a scanner's segments are dropped and a
flood is answered, while real clients get in, as they did not when the server was alone.
"""

import concurrent.futures
import itertools
import pathlib
import socket
import tempfile
import time

import tcp
from alone import SYN_QUEUE, SYNCOOKIES
from books import check_conservation
from flood import FLOOD, UNNOTICED, spoof
from floods import receive
from hooks import put_on_xdp
from net import VANISHED, wait_for
from segments import FIN, PSH, RST, SYN, Port, Segment
from visitors import CLIENTS, LINE, Visitors, serve

POLICY = """\
version: 1
services:
  - name: web
    ports: [8080]
    mode: enforce
    syn_flood: adaptive
    flood: {half_open: 500, syn_rate: 100, calm: 1s}
flood_defence: {set_syncookies: yes}
"""
WHY_ZERO = f"""\
  0 shows what a flood does to a queue of {SYN_QUEUE:,} SYNs. 1, the default, helps,
  too, at several times what a SYN costs with synward (make bench-flood)"""
TOLD = {  # by `status` in the midst of the flood: how a line begins, and what it has to say
    "web: ": "SYNs have been answered here",
    "an attack": "most likely spoofed",
    "so far": "of them answered here",
    SYNCOOKIES: "was set to 1 as the policy allows; it was 0 before",
}
URG = 0x20
SCANS = {"null": 0, "fin": FIN, "xmas": FIN | PSH | URG, "syn_fin": SYN | FIN, "syn_rst": SYN | RST}
SEGMENTS = 50
PARTS = 20
PAUSE, BETWEEN = 0.005, 10  # seconds, after so many SYNs, while somebody looks: 20 times what keeps the flood up


def counts(stats):
    """What is counted of the flood and of the service; each begins with its policy, or before."""
    web = next(one for one in stats["services"] if one["name"] == "web")
    return {"dropped": web["dropped"], "syns": web["syns"],
            "accepted": stats["handshakes"]["accepted"],
            "cookies": stats["tallies"]["cookies_sent"] + stats["tallies"]["challenges_sent"]}


class Guard:
    def __init__(self, screen, synward, near, far, crowd, live):
        self.screen, self.synward, self.near, self.far, self.crowd = screen, synward, near, far, crowd
        self.live = live

    def say(self, *argv):
        """Shows a command and what it says."""
        print(f"  $ synward {' '.join(str(getattr(word, 'name', word)) for word in argv)}")
        for line in self.synward.expect(0, *argv).stdout.splitlines():
            print(f"  {line}")

    def flood_of_web(self):
        rows = self.synward.json("status")["policy"]["services"]
        return next(row["flood"] for row in rows if row["name"] == "web")

    def client(self):
        """Connects, says a line and hears it: the whole way to the server's program and back."""
        address = self.far.address(socket.AF_INET), tcp.PORT
        with tcp.connect(self.near.namespace, address, socket.AF_INET) as client:
            client.sendall(LINE)
            assert receive(client, len(LINE)) == LINE

    def apply(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "guard.yaml")
            path.write_text(POLICY)
            self.say("policy", "apply", path, "--confirm", "60s")
        self.client()
        self.say("policy", "confirm")

    def scan(self):
        """Segments that no TCP sends, as nmap does to find out what is open; among real clients."""
        flags = itertools.cycle(SCANS.values())
        with Port(self.near) as port:
            for number in range(1, SEGMENTS + 1):
                port.send(Segment(self.near.address(socket.AF_INET, VANISHED),
                                  self.far.address(socket.AF_INET), 30000 + number, tcp.PORT,
                                  next(flags), seq=number))
                self.client()
                self.screen.bar("clients in a scan", number, SEGMENTS)

    def flood(self):
        """
        The same flood once more, and the same clients in it. On a busy machine a look takes longer than it takes a flood to be
        over, so it goes on meanwhile.
        """
        self.most = 0  # half-open handshakes
        looks = []

        def look():
            self.most = max(self.most, self.synward.stats()["half_open"])

        def look_at_all():
            self.live.look()
            self.status = self.synward.run("status")

        def each(number):
            if number == UNNOTICED:  # some senders are faster than a fifth of a second
                wait_for(lambda: "flood_begins" in self.live.told, "the flood to be noticed")
            visitors.behind(number)
            looking = any(not one.done() for one in looks)
            if number == FLOOD // 2:
                looks.append(beside.submit(look_at_all))
            elif number % (FLOOD // PARTS) == 0 and not looking:
                looks.append(beside.submit(look))
            if looking and number % BETWEEN == 0:
                time.sleep(PAUSE)
        before = self.far.namespace.counter("TcpExt", "SyncookiesSent")
        with (Visitors(self.screen, "in, with synward", self.near, self.far, self.crowd) as visitors,
              concurrent.futures.ThreadPoolExecutor(1) as beside):
            spoof(self.near, self.far, each)
            for one in looks:
                one.result()
            visitors.see_through()
        self.got_in = visitors.got_in
        self.kernel_cookies = self.far.namespace.counter("TcpExt", "SyncookiesSent") - before

    def perform(self):
        # a veth hands on what is answered from the driver only to an end that has a program, too
        put_on_xdp(self.near)
        # as when the server was alone, and nobody got in; the policy allows to set what is needed
        self.far.namespace.sysctl(SYNCOOKIES, 0)
        with serve(self.far):
            self.apply()
            self.begun = counts(self.synward.stats())
            self.scan()
            self.scanned = counts(self.synward.stats())
            self.flood()
            self.flooded = counts(self.synward.stats())
        wait_for(lambda: not self.flood_of_web()["on"], "the flood to be over")
        self.seen = self.flood_of_web()
        self.stats = self.synward.stats()

    # ---- what came of it

    def row(self, what, text, caused, seen, right=None):
        """right: whether it is as it should be, where that is not that all were seen."""
        right = caused == seen if right is None else right
        print(f"  {what:<12}{text:<42}{caused:>8,}{seen:>10,}  {self.screen.verdict(right)}")

    def report(self, most_without):
        def during(name, before, after):
            return after[name] - before[name]
        answered = during("cookies", self.scanned, self.flooded)
        came = during("syns", self.scanned, self.flooded)
        self.screen.title(
            "GUARDED, BY A POLICY OF EIGHT LINES                       CAUSED      SEEN")
        self.row("dropped", "segments as port scanners send them", SEGMENTS,
                 during("dropped", self.begun, self.scanned))
        self.row("accepted", "clients in the midst of them", SEGMENTS,
                 during("accepted", self.begun, self.scanned))
        self.row("SYNs", "the flood again, and clients in it", FLOOD + CLIENTS, came)
        self.row("accepted", "clients in the midst of the flood", CLIENTS,
                 during("accepted", self.scanned, self.flooded))
        self.passed = passed = came - answered
        self.screen.words(f"{answered:,} SYNs answered from the driver and forgotten, {passed:,} passed",
                          passed < 2 * UNNOTICED)
        self.screen.words(f"half-open at most {self.most:,}, and without the policy {most_without:,}",
                          self.most < 2 * UNNOTICED)

    def report_clients(self, alone):
        """Who got in, by the clients' own word, and what the operator was told meanwhile."""
        self.screen.title(
            "WHO GETS IN: CLIENTS NEVER SEEN BEFORE, IN THE FLOOD        CAME    GOT IN")
        self.row("alone", f"no SYN cookies ({SYNCOOKIES}=0)", CLIENTS, alone.without_cookies,
                 right=not alone.without_cookies)
        self.row("alone", "the kernel's SYN cookies (=1)", CLIENTS, alone.with_cookies)
        # of what passes before the flood is noticed the kernel may make what it likes
        self.row("guarded", f"synward; SYN cookies of the kernel: {self.kernel_cookies:,}", CLIENTS,
                 self.got_in, right=self.got_in == CLIENTS and self.kernel_cookies <= self.passed)
        print(WHY_ZERO)
        self.report_status()

    def report_status(self):
        """What `status` says in the midst of the flood, and whether that holds when it is over."""
        print("  $ synward status")
        lines = self.status.stdout.splitlines()
        for begin, right in TOLD.items():
            line = next((line.strip() for line in lines if line.strip().startswith(begin)),
                        f"nothing that begins with: {begin}")
            self.screen.words(line, right in line, indent="  ")
        whole = self.seen.get("last", {}).get("whole", {"verdict": "none"})
        self.screen.words("one flood, and the same verdict when it is over",
                          self.seen["floods"] == 1 and whole["verdict"] == "attack_spoofed")

    def report_books(self):
        conserved = True
        try:
            check_conservation(self.stats)
        except AssertionError:
            conserved = False
        books = self.stats["conservation"]
        self.screen.words(f"{books['seen']:,} packets seen = {books['passed']:,} passed + "
                          f"{books['dropped']:,} dropped + {books['answered']:,} answered",
                          conserved and books["dropped"] == SEGMENTS)
