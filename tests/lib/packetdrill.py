# SPDX-License-Identifier: GPL-2.0-or-later
"""
Scripts of packetdrill, where somebody has it: PACKETDRILL is the program and PACKETDRILL_SCRIPTS
a directory of *.pkt. The kernel under test is behind a wire, on which a server of packetdrill's plays
the scripts; so what is attached there sees all of it.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import queue
import socket
import subprocess

from net import stop, wait_for

CONTROL_PORT = 8081
DEVICE = "tun0"  # the scripts set its queue
SECONDS = 30
ATTEMPTS = 2
# Addresses of the scripts; those who use others say so themselves.
ADDRESSES = {
    socket.AF_INET: ("ipv4", "192.168.0.1", "192.168.0.2", "192.0.2.1", 24),
    socket.AF_INET6: ("ipv6", "fd3d:0a0b:17d6::1", "fd3d:0a0b:17d6::2", "fd3d:fa7b:d17d::1", 64),
}
DEFINITIONS = {
    socket.AF_INET: ("TFO_COOKIE=3021b9d889017eeb", "CODE=host_unreachable",
                     "CMSG_LEVEL_IP=SOL_IP", "CMSG_TYPE_RECVERR=IP_RECVERR"),
    socket.AF_INET6: ("TFO_COOKIE=c1d1e9742a47a9bc", "CMSG_LEVEL_IP=SOL_IPV6",
                      "CMSG_TYPE_RECVERR=IPV6_RECVERR"),
}


def program():
    """The program and all scripts; None if nobody has said where they are."""
    binary, scripts = (os.environ.get(name) for name in ("PACKETDRILL", "PACKETDRILL_SCRIPTS"))
    if not binary or not scripts:
        return None
    return pathlib.Path(binary).resolve(), sorted(pathlib.Path(scripts).resolve().rglob("*.pkt"))


class Player:
    """A host whose kernel is under test, and the peer that plays."""

    def __init__(self, lab, binary, family, label=""):
        self.binary, self.family = binary, family
        peer, host = (lab.namespace(name + label) for name in ("peer", "host"))
        self.near, self.far = lab.wire(peer, "c0", host, DEVICE, subnet=1, offloads=False)
        self.control, _ = lab.wire(peer, "c1", host, "s1", subnet=2)
        version, own, gateway, _, bits = ADDRESSES[family]
        for space in (peer, host):
            for name in ("c0", DEVICE):
                if name in space.ip("-br", "link").stdout:
                    space.sysctl(f"net.ipv6.conf.{name}.accept_dad", 0)
                    space.ip("link", "set", name, "mtu", 1520 if bits == 64 else 1500)
        host.ip("link", "set", DEVICE, "txqueuelen", 1000)  # of the queue that the scripts set
        for end, other in ((self.near, own), (self.far, gateway)):
            end.neighbour(other, end.peer.mac)
        self.server = peer.command(binary, "--wire_server", "--wire_server_dev=c0",
                                   f"--ip_version={version}", f"--wire_server_port={CONTROL_PORT}")
        self.settings = self._settings()
        self.gro_off()

    def gro_off(self):
        """An XDP program turns it on, and then the kernel sees other segments than the script's."""
        self.far.namespace.run("ethtool", "-K", self.far.name, "gro", "off")

    def _settings(self):
        """All that a script may have changed of the host."""
        with self.far.namespace.entered():
            found = {}
            for path in sorted(pathlib.Path("/proc/sys/net/ipv4").glob("tcp_*")):
                with contextlib.suppress(OSError):  # some can only be read, some only be written
                    found[path] = path.read_text()
            return found

    def _begin_anew(self):
        """As if nothing had been played: a script that fails leaves settings and sockets behind."""
        space = self.far.namespace
        space.run("tc", "qdisc", "del", "dev", DEVICE, "root", check=False)
        space.run("ss", "-K", "-t", "-a", check=False)
        with space.entered():
            for path, value in self.settings.items():
                with contextlib.suppress(OSError):
                    path.write_text(value)

    @contextlib.contextmanager
    def _wire_server(self):
        """One for each play: it dies of a client that is killed, and the next would find none."""
        process = subprocess.Popen([str(word) for word in self.server], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: str(CONTROL_PORT) in
                     self.near.namespace.run("ss", "-ltnH").stdout, "the wire server")
            yield
        finally:
            stop(process)

    def play(self, script):
        """Does a script pass, in one of a few attempts?"""
        name, own, gateway, remote, bits = ADDRESSES[self.family]
        words = ["--wire_client", f"--wire_server_ip={self.control.address(self.family)}",
                 f"--wire_server_port={CONTROL_PORT}", f"--wire_client_dev={DEVICE}", "--send_omit_free",
                 f"--ip_version={name}", f"--local_ip={own}", f"--gateway_ip={gateway}",
                 f"--remote_ip={remote}", "--tolerance_usecs=20000"]
        if bits == 24:
            words.append("--netmask_ip=255.255.0.0")
        for one in DEFINITIONS[self.family]:
            words += ["-D", one]
        for _ in range(ATTEMPTS):
            self._begin_anew()
            try:
                with self._wire_server():
                    done = self.far.namespace.run(self.binary, *words, script.name,
                                                  cwd=script.parent, check=False, seconds=SECONDS)
            except subprocess.TimeoutExpired:
                self.said = "timed out"
                continue
            self.said = done.stdout + done.stderr
            if not done.returncode:
                return True
        return False


def play_all(players, scripts):
    """The names of the scripts that pass, each played by whichever player is free."""
    free = queue.Queue()
    for player in players:
        free.put(player)

    def play(script):
        player = free.get()
        try:
            return player.play(script)
        finally:
            free.put(player)

    with concurrent.futures.ThreadPoolExecutor(len(players)) as pool:
        return {script for script, passed in zip(scripts, pool.map(play, scripts)) if passed}
