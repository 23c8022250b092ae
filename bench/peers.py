# SPDX-License-Identifier: GPL-2.0-or-later
"""
The defences that stand side by side. Each is a class with a name, a title and prepare(), which is
given a fresh stage and protects its victim; what it adds to the stage vanishes with it.
"""

import json
import pathlib

from stage import OBJECT, PORT, Failed, Synward, own_bpffs, own_directory, run


SECONDS = 600  # an attach loads its programs for each interface


class Unavailable(Exception):
    """This kernel or this machine cannot do it; the text says why."""


class Peer:
    optional = False  # that it is not available is no failure of the run
    is_default = True

    def __init__(self, name, title):
        self.name = name
        self.title = title

    def prepare(self, stage):
        raise NotImplementedError


class KernelCookies(Peer):
    def __init__(self, value, meaning):
        super().__init__(f"kernel-cookies-{value}", f"net.ipv4.tcp_syncookies={value}: {meaning}")
        self.value = value

    def prepare(self, stage):
        stage.victim.sysctl("net.ipv4.tcp_syncookies", self.value)


class Synproxy(Peer):
    """
    As nft(8) and its wiki have it: SYNs go past conntrack, and what conntrack then does not know is
    the proxy's. Not loose, so that a flow cannot begin with an ACK; its cookies are the kernel's,
    options in the timestamp. MSS and window scale are fixed, since it asks for them.
    """

    optional = True
    rules = f"""
        table inet bench {{
            chain before {{
                type filter hook prerouting priority raw; policy accept;
                tcp dport {PORT} tcp flags syn notrack
            }}
            chain input {{
                type filter hook input priority filter; policy accept;
                tcp dport {PORT} ct state invalid,untracked \
                    synproxy mss 1460 wscale 7 timestamp sack-perm
                tcp dport {PORT} ct state invalid drop
            }}
        }}
        """
    settings = {"net.ipv4.tcp_syncookies": 1, "net.ipv4.tcp_timestamps": 1,
                "net.netfilter.nf_conntrack_tcp_loose": 0}

    def __init__(self, name="nft-synproxy", title="nftables SYNPROXY, conntrack not loose"):
        super().__init__(name, title)

    def prepare(self, stage):
        done = stage.victim.run("nft", "-f", "-", input=self.rules, check=False)
        if done.returncode:
            raise Unavailable(f"nft: {done.stderr.strip().splitlines()[0]}")
        for name, value in self.settings.items():
            stage.victim.sysctl(name, value)


class Drop(Peer):
    def __init__(self):
        super().__init__("drop", "XDP drops all but the honest client, known beforehand: the bound")

    def prepare(self, stage):
        stage.load("v", OBJECT, "program", "drop_strangers")


class Turn(Peer):
    def __init__(self):
        super().__init__("turn", "XDP turns each SYN into a SYN-ACK, no cookie; it knows the honest")

    def prepare(self, stage):
        stage.load("v", OBJECT, "program", "turn_strangers")


class Object(Peer):
    """An object file of somebody else's, in front of the kernel's own cookies."""

    def __init__(self, name, path, entry=None):
        super().__init__(name, f"{pathlib.Path(path).name}{f', {entry}' if entry else ''}; --peer")
        self.path = path
        self.entry = entry

    def prepare(self, stage):
        """The entry is a section or, if none is called so, a program."""
        ways = [("section", self.entry), ("program", self.entry)] if self.entry else [()]
        for way in ways:
            try:
                return stage.load("v", self.path, *way)
            except Failed as error:
                said = [line for line in str(error).splitlines() if line.strip()]
        raise Unavailable(f"ip link set xdp: {said[-1]}")


class XdpSynproxy(Object):
    """
    The kernel's xdp_synproxy: its program answers SYNs with the kernel's cookies, and SYNPROXY
    behind it takes the ACKs. It needs those always (tcp_syncookies=2), and its ports in a map.
    """

    def prepare(self, stage):
        Synproxy().prepare(stage)
        stage.victim.sysctl("net.ipv4.tcp_syncookies", 2)
        super().prepare(stage)
        ports = [one for one in self._maps(stage) if one.get("name") == "allowed_ports"]
        if not ports:
            raise Unavailable(f"{self.path} has no map allowed_ports: it is not xdp_synproxy")
        run("bpftool", "map", "update", "id", ports[0]["id"], "key", 0, 0, 0, 0,
            "value", PORT & 0xff, PORT >> 8)

    @staticmethod
    def _maps(stage):
        link, = json.loads(stage.victim.ip("-j", "link", "show", "dev", stage.interface).stdout)
        program = link["xdp"]["prog"]["id"]
        about = json.loads(run("bpftool", "-j", "prog", "show", "id", program).stdout)
        return [json.loads(run("bpftool", "-j", "map", "show", "id", one).stdout)
                for one in about.get("map_ids", [])]


class SynwardMonitor(Peer):
    """synward as `attach` leaves it: it watches, and the kernel defends itself."""

    options = ()
    syncookies = 1

    def __init__(self, name="synward-monitor",
                 title="synward attached, without a policy; tcp_syncookies=1"):
        super().__init__(name, title)

    def prepare(self, stage):
        """Returns the command."""
        stage.victim.sysctl("net.ipv4.tcp_syncookies", self.syncookies)
        pins, files = stage.enter_context(own_bpffs()), stage.enter_context(own_directory())
        synward = Synward(pins / "synward", files / "state")
        stage.callback(synward.run, "detach", "--all", "--force")
        for argv in (("attach", *self.options, *self.interfaces(stage)), *self.then(files)):
            done = synward.run(*argv, namespace=stage.victim, seconds=SECONDS)
            if done.returncode:
                raise Unavailable(done.stderr.strip() or
                                  f"synward {argv[0]}: exit {done.returncode}")
        return synward

    def interfaces(self, stage):
        """The names of the victim's that it is attached to."""
        return (stage.interface,)

    def then(self, files):
        """What is run after the attach: command lines; files: a directory for what they need."""
        return ()


class SynwardCookies(SynwardMonitor):
    """synward whose policy is to answer every SYN itself, by one of its ways."""

    policy = "version: 1\ndefault:\n  mode: enforce\n  syn_flood: always\n"

    def __init__(self, name, way, meaning, is_default=False):
        super().__init__(name, f"synward, syn_flood: always, {meaning}")
        self.options = ("--flood-way", way)
        self.syncookies = 2 if way == "kernel" else 1  # else the kernel refuses what it did not send
        self.is_default = is_default

    def then(self, files):
        path = files / "synward.yaml"
        path.write_text(self.policy)
        return (("policy", "apply", path),)


def built_in():
    return [KernelCookies(0, "no cookies"), KernelCookies(1, "cookies when the queue is full"),
            KernelCookies(2, "always cookies"), Synproxy(), Drop(), Turn(), SynwardMonitor(),
            SynwardCookies("synward", "auto", "its best way here", is_default=True),
            SynwardCookies("synward-kernel", "kernel", "the kernel's check of the kernel's cookies"),
            SynwardCookies("synward-challenge", "challenge", "the challenge")]


def from_option(text):
    """NAME=OBJECT[:ENTRY]"""
    name, _, rest = text.partition("=")
    path, _, entry = rest.partition(":")
    if not name or not path:
        raise ValueError(f"--peer {text}: expected NAME=OBJECT.o or NAME=OBJECT.o:SECTION")
    if not pathlib.Path(path).is_file():
        raise ValueError(f"--peer {text}: there is no file {path}")
    kind = XdpSynproxy if name == "xdp_synproxy" else Object
    return kind(name, path, entry or None)
