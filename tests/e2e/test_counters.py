# SPDX-License-Identifier: GPL-2.0-or-later
"""No counter of the exporter's falls, whoever writes meanwhile: policies, an upgrade, floods and honest clients."""

import contextlib
import itertools
import socket

import stopped
import tcp
from cli import BINARY
from exporter import Exporter
from floods import spoofed
from net import run
from policies import Files
from prometheus import Page, beside
from segments import SYN
from versions import another_version

SCRAPES = 10000 if stopped.THOROUGH else 200
STEPS = 10 if stopped.THOROUGH else 1  # each is two policies and an upgrade
WEB = f"name: web, ports: [{tcp.PORT}]"
SSH = "name: ssh, ports: [22]"
DEFENDED = f"{WEB}, syn_flood: always"


class Scrapes:
    """Each counter is at least what it has ever been; one that is not there for a while goes on from where it was."""

    def __init__(self, exporter):
        self.exporter, self.highest = exporter, {}

    def many(self, count, what):
        for _ in range(count):
            page = Page.of(self.exporter.ask("/metrics").body)
            assert page.value("synward_up") == 1, what
            counters = page.counters()
            fallen = {key: (self.highest[key], value) for key, value in counters.items()
                      if value < self.highest.get(key, 0)}
            assert not fallen, (what, fallen)
            self.highest.update(counters)
        return page


@contextlib.contextmanager
def written(near, far, family, server):
    """Somebody floods, and somebody connects."""
    def once():
        spoofed(near, far, family, SYN, 50)
        tcp.accepted(near.namespace, server, 1)
    with beside(once):
        yield


def test_they_never_fall(wire, synward, lab, tmp_path):
    near, far = wire
    family = socket.AF_INET
    files = Files(tmp_path)
    other = another_version(tmp_path / "synward")
    # the same names in other rows, and one that is away in between
    policies = itertools.cycle((files.services(SSH, DEFENDED), files.services("name: first, ports: [1]", WEB, SSH)))
    synward.attach(far)
    synward.expect(0, "policy", "apply", files.services(WEB))
    exporter = Exporter(lab, synward.environment())
    scrapes = Scrapes(exporter)
    part = SCRAPES // (4 * STEPS)
    with tcp.listener(far, family) as server, written(near, far, family, server):
        for step, program in zip(range(STEPS), itertools.cycle((other, BINARY))):
            scrapes.many(part, f"{step}: writers alone")
            for _ in range(2):
                synward.expect(0, "policy", "apply", next(policies))
                scrapes.many(part, f"{step}: another policy")
            done = run(program, "upgrade", env=synward.environment())
            assert "upgraded (ingress: program" in done.stdout, done
            page = scrapes.many(part, f"{step}: another version")
    assert page.value("synward_service_completed_total", service="web") > 0
    assert page.value("synward_handshakes_total", outcome="accepted") > 0
