# SPDX-License-Identifier: GPL-2.0-or-later
"""A newer package is installed while clients connect and are served: nobody notices, and nothing is missed."""

import contextlib
import json
import socket
import subprocess
import threading

import pytest

from cli import ROOT
from net import Lab, run, wait_for
from tcp import accepted, connect, listener
from versions import another_version

BARE = ROOT / "tests" / "bare" / "bare"
NOT_HERE = 77
FAMILIES = (socket.AF_INET, socket.AF_INET6)
NEWER = "9.9"
POLICY = "version: 1\nservices: [{name: web, ports: [8080], mode: enforce}]\n"

# Both packages come in on standard input, and then a line when the upgrade is to begin. What is attached is another's network.
SCRIPT = r"""
exec 2>&1
head -c "$1" >/tmp/older.deb
head -c "$2" >/tmp/newer.deb
export DEBIAN_FRONTEND=noninteractive
apt-get -q update >/dev/null
apt-get install -q -y /tmp/older.deb >/dev/null || exit 10
printf '%b' "$4" >/etc/synward/synward.yaml
nsenter --net="/proc/$3/ns/net" synward attach s0 || exit 11
synward policy apply /etc/synward/synward.yaml || exit 12
synward -j status
echo "it is attached"
read -r _
apt-get install -q -y /tmp/newer.deb || exit 13
echo "it is upgraded"
read -r _
dpkg-query -W -f '${Version}\n' synward
synward status >/dev/null || exit 14
synward -j status
synward -j stats
echo "it is told"
dpkg --purge synward >/dev/null
"""


@pytest.fixture
def newer(package, tmp_path):
    """The package again, of a higher version, whose programs are others."""
    tree = tmp_path / "tree"
    run("dpkg-deb", "-R", package, tree)
    program = tree / "usr/sbin/synward"
    another_version(tmp_path / "synward", program=program)
    program.write_bytes((tmp_path / "synward").read_bytes())
    control = tree / "DEBIAN/control"
    lines = (f"Version: {NEWER}" if line.startswith("Version:") else line
             for line in control.read_text().splitlines())
    control.write_text("\n".join(lines) + "\n")
    made = tmp_path / "newer.deb"
    run("dpkg-deb", "-b", "--root-owner-group", tree, made)
    return made


class Traffic:
    """Of each family a connection that is used all the time, and new ones beside it, until it is told to end."""

    def __init__(self, near, far):
        self.near, self.count, self.error, self.ends = near, 0, None, threading.Event()
        self.opened = 0
        self.stack = contextlib.ExitStack()
        self.servers = [self.stack.enter_context(listener(far, family)) for family in FAMILIES]
        self.live = [self.open(server) for server in self.servers]
        self.thread = threading.Thread(target=self.go_on)

    def open(self, server):
        self.opened += 1
        client = self.stack.enter_context(connect(self.near.namespace, server.getsockname()[:2], server.family))
        return client, self.stack.enter_context(server.accept()[0])

    def step(self):
        for number, (client, server) in enumerate(self.live):
            for sender, receiver in ((client, server), (server, client)):
                sender.sendall(b"x" * 1000)
                assert receiver.recv(1000, socket.MSG_WAITALL) == b"x" * 1000
            accepted(self.near.namespace, self.servers[number], 1)
            self.opened += 1
        self.count += 1

    def go_on(self):
        try:
            while not self.ends.is_set():
                self.step()
        except (AssertionError, OSError) as error:
            self.error = error

    def wait_for(self, count):
        """Until so many rounds are over."""
        wait_for(lambda: self.count >= count or self.error, f"{count} rounds")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()
        self.stack.close()


class Machine:
    """A bare Debian that is told, by lines, when to go on."""

    def __init__(self, lab, older, newer, holder):
        files = [package.read_bytes() for package in (older, newer)]
        self.process = lab.process((BARE, "--", "bash", "-c", SCRIPT, "bash", *map(len, files), holder.pid,
                                    POLICY.replace("\n", "\\n")),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.buffer.write(b"".join(files))
            self.process.stdin.buffer.flush()

    def until(self, last):
        """The lines that come before that one."""
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n") == last:
                return lines
            lines.append(line.rstrip("\n"))
        why = self.process.stderr.read()
        if self.process.wait() == NOT_HERE:
            pytest.skip(why.strip())
        raise AssertionError("\n".join((*lines, why)))

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def programs(status):
    interface, = status["interfaces"]
    assert [interface[hook]["health"] for hook in ("ingress", "egress")] == ["ok", "ok"]
    return {interface[hook]["program_id"] for hook in ("ingress", "egress")}


def test_clients_do_not_notice_an_upgrade(package, newer):
    with Lab() as lab:
        near, far = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        holder = lab.process(far.namespace.command("sleep", "infinity"))
        machine = Machine(lab, package, newer, holder)
        before = json.loads(machine.until("it is attached")[-1])
        with Traffic(near, far) as traffic:
            traffic.wait_for(10)
            machine.go_on()
            said = machine.until("it is upgraded")
            traffic.wait_for(traffic.count + 10)
        assert traffic.error is None, traffic.error
        machine.go_on()
        version, after, stats = machine.until("it is told")
        assert "synward: upgrading what is attached:" in said and any(
            line.startswith("s0: upgraded") for line in said), said
        assert version == NEWER
        assert not programs(before) & programs(json.loads(after))
        counts = json.loads(stats)["handshakes"]
        # all of them, also those that began while a program took the place of another
        assert {name: count for name, count in counts.items() if count} == {"accepted": traffic.opened}
