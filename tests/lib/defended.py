# SPDX-License-Identifier: GPL-2.0-or-later
"""A server whose flood defence watches itself, and clients of all kinds."""

import json

import tcp
from firewalls import MEMORY, put_up, take_down
from floods import ALWAYS, Crowd, Ghost, defend, talk
from live import need
from net import wait_for
from segments import ACK, PSH, Port

HELLO = b"hello"
CLIENTS = 10
DEGRADED = 3


class Yard:
    """A server that is defended from now on, and clients. attached: another end than the server's."""

    def __init__(self, stack, pair, family, synward, path, *services, attached=None, **how):
        self.near, self.far = pair
        self.family, self.synward = family, synward
        self.crowd = Crowd(self.near, self.far)
        Ghost.route(self.far)
        self.port = stack.enter_context(Port(self.near))
        self.server = stack.enter_context(tcp.listener(self.far, family))
        defend(synward, path, attached or self.far, services=services or (ALWAYS,), **how)

    def put_up_firewall(self, rules=MEMORY):
        need("nft")
        put_up(self.far.namespace, rules)

    def take_down_firewall(self):
        take_down(self.far.namespace)

    def flood(self, service="web"):
        """Whatever `status` says of all the rest."""
        rows = json.loads(self.synward.run("-j", "status").stdout)["policy"]["services"]
        return next(row["flood"] for row in rows if row["name"] == service)

    def check(self, service="web"):
        return self.flood(service)["self_check"]

    def evidence(self, name):
        return self.flood()["last"]["whole"][name]

    def ghost(self, address=None):
        ghost = Ghost(self.port, self.far, self.family)
        if address:
            ghost.address, ghost.ends = address, (address, *ghost.ends[1:])
        return ghost

    def talks(self, count=CLIENTS):
        """So many honest clients, of whom none was there before, get in and are heard."""
        for _ in range(count):
            talk(self.near.namespace, self.server, HELLO, prepare=self.crowd.join)

    def client(self, family=None, port=tcp.PORT):
        """One that is connected; nobody has come from its address before."""
        client = self.near.namespace.socket(family or self.family)
        client.settimeout(tcp.SECONDS)
        self.crowd.join(client)
        client.connect((self.far.address(client.family), port))
        return client

    def insist(self, condition, count=CLIENTS):
        """Clients bring their cookie back, and ask again until condition() is true. Who they are."""
        ghosts = [self.ghost().knock() for _ in range(count)]

        def asked():
            for ghost in ghosts:
                ghost.port.send(ghost.next(PSH | ACK, HELLO))
            return condition()
        wait_for(asked, lambda: str(self.flood()))
        return ghosts

    def knock_in_vain(self, count=CLIENTS):
        """The same, as long as nobody answers."""
        self.insist(lambda: self.check()["stepped_aside"], count)

    def assert_says(self, reason):
        done = self.synward.run("status")
        assert done.returncode == DEGRADED
        line = next(one for one in done.stdout.splitlines() if one.startswith("degraded: web: "))
        assert "its flood defence stepped aside" in line and "SYNs pass" in line
        phase = self.check()["phase"]
        assert phase == "aside" or (phase == "tries" and reason == "unanswered"), "at once, by TC"
        lines = self.synward.expect(0, "stats", "--prometheus").stdout.splitlines()
        assert f'synward_flood_self_check{{service="web",phase="{phase}"}} 1' in lines
        assert 'synward_flood_self_check{service="web",phase="answers"} 0' in lines
        assert 'synward_flood_steps_aside_total{service="web"} 1' in lines
        own = self.events()["flood_steps_aside"]
        assert own["service"] == "web" and own["reason"] == reason and own["causes"]
        return own["found"]

    def events(self):
        """The last of each kind that are about floods."""
        lines = self.synward.expect(0, "-j", "events", "--timeout", "500ms").stdout.splitlines()
        found = [json.loads(line) for line in lines]
        return {one["event_type"]: one[one["event_type"]] for one in found
                if one["event_type"].startswith("flood_")}
