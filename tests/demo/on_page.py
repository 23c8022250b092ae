# SPDX-License-Identifier: GPL-2.0-or-later
"""
The page of the demo: the exporter runs from before the attach until the end, for whoever wants to look, and what it
has told the page is in the report. With --keep a flood and clients go on until somebody has seen enough.
"""

import contextlib
import json
import threading
import time

from exporter import HOST, Exporter
from flood import UNNOTICED, spoofed
from net import Failed, wait_for
from visitors import APART, serve

EVENTS = f"GET /api/v1/events HTTP/1.1\r\n{HOST}\r\n"
BREATH = 0.02  # seconds, between parts of the flood that is kept on


class OnPage:
    def __init__(self, screen, lab, synward):
        self.screen, self.synward = screen, synward
        self.exporter = Exporter(lab, synward.environment(), listen=("--listen", "127.0.0.1:0"))
        self.address = f"http://127.0.0.1:{self.exporter.ports[0]}/"
        self.told = []  # floods, by the events that the page gets
        self.seen = None  # of the service, in the midst of the flood
        threading.Thread(target=self.follow, daemon=True).start()
        print(f"  $ synward-exporter --listen 127.0.0.1:{self.exporter.ports[0]}\n"
              f"  while this lasts, there is a page: {self.screen.paint(self.address, '1')}")

    def follow(self):
        with self.exporter.connect() as peer, contextlib.suppress(OSError, ValueError):
            peer.settimeout(None)
            peer.sendall(EVENTS.encode())
            for line in peer.makefile():
                if '"event_type":"flood_' in line:  # of few: the flood that is sent meanwhile is not to wait for this
                    self.told.append(json.loads(line.removeprefix("data: "))["event_type"])

    def ask(self, path):
        return json.loads(self.exporter.ask(f"/api/v1/{path}").body)

    def look(self):
        """What the page is told of the service just now."""
        rows = self.ask("status?tables=no")["policy"]["services"]
        self.seen = next(row["flood"] for row in rows if row["name"] == "web")

    def accepted(self):
        return sum(filter(None, self.ask("history")["handshakes"]["accepted"]))

    def end(self):
        """All that was counted has come to the page, before it is detached."""
        self.counted = self.synward.stats()["handshakes"]["accepted"]
        wait_for(lambda: self.accepted() >= self.counted, lambda: f"{self.accepted()} of {self.counted} on the page")
        self.shown = self.accepted()
        self.peak = self.exporter.peak_kib() / 1024

    def keep(self, guard):
        """A flood, and a client now and then, until somebody interrupts it."""
        print(f"\n  kept on, with a flood and clients: {self.screen.paint(self.address, '1')}\n"
              "  Ctrl-C ends it, and takes everything down")
        with contextlib.suppress(KeyboardInterrupt), serve(guard.far):
            guard.apply()  # another chance for the defence that has stepped aside
            while True:
                with contextlib.closing(spoofed(guard.near, guard.far)) as flood:
                    for number in flood:
                        if number % (2 * APART) == 0:
                            time.sleep(BREATH)
                        if number > UNNOTICED and number % (10 * APART) == 0:
                            with contextlib.suppress(AssertionError, OSError, Failed):
                                guard.client()
        print()

    def report(self):
        self.screen.title(f"WHAT THE PAGE SHOWED, at {self.address}")
        whole = self.seen.get("last", {}).get("whole", {"verdict": "none", "words": "none"})
        self.screen.words(f"in the flood: it is on, of web; {whole['words'].split(':')[0]}",
                          self.seen["on"] and whole["verdict"] == "attack_spoofed")
        self.screen.words("by its events, as they happened: " + ", ".join(word.replace("_", " ") for word in self.told),
                          self.told[:2] == ["flood_begins", "flood_ends"] and "flood_steps_aside" in self.told)
        self.screen.words(f"in its last 15 minutes: {self.shown:,} handshakes accepted, and as many were counted",
                          self.shown == self.counted)
        self.screen.words(f"by a process without any capability, in {self.peak:.0f} MiB", self.peak < 32)
