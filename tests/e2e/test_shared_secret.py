# SPDX-License-Identifier: GPL-2.0-or-later
"""
Two hosts behind one address, and a client whose way leads to the other one when its handshake is half done:
a router hashes anew, or an anycast site fails. With a secret that both have, nobody notices.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import socket
import stat
import struct
import threading

import pytest

import stopped
import tcp
from causes import FAMILIES
from cli import BINARY, bpftool, first_value, fresh
from firewalls import put_up, take_down
from floods import (ALL_OPTIONS, DATA, UNHEARD, Crowd, Ghost, Info, answerable, defend, receive)
from live import need
from net import Lab, run, wait_for
from policies import Files
from prometheus import page_of
from segments import ACK, PSH, SYN, Port

ADDRESS = {socket.AF_INET: "10.99.0.1", socket.AF_INET6: "fd99::1"}
SHARED = "flood_defence: {unheard: answer, shared_secret: yes}\n"
SERVICE = f"name: web, ports: [{tcp.PORT}], syn_flood: "
# all but SYNs are lost on the way to the first host
LOSS = """table inet t {
    chain out {
        type filter hook output priority 0;
        oifname "c0" tcp flags & syn == 0 drop
    }
}"""
SIZE = 300_000


class Host:
    """One of them, with a synward of its own."""

    def __init__(self, near, far, synward, path, mode):
        self.near, self.far, self.synward, self.path = near, far, synward, path
        self.service = SERVICE + mode
        self.servers = {}
        for family, address in ADDRESS.items():
            length, more = (32, ()) if family == socket.AF_INET else (128, ("nodad",))
            far.namespace.ip("addr", "add", f"{address}/{length}", "dev", "lo", *more)
            server = self.servers[family] = far.namespace.socket(family)
            server.bind((address, tcp.PORT))
            server.listen(64)
            server.settimeout(tcp.SECONDS)

    def policy(self, more=SHARED):
        policy = Files(self.path).services(self.service, mode="enforce")
        policy.write_text(policy.read_text() + more)
        return policy

    def apply(self, code=0, more=SHARED):
        return self.synward.expect(code, "policy", "apply", self.policy(more))

    def keep(self, text):
        """The file has this now."""
        self.synward.secret_file.write_text(text)
        self.synward.secret_file.chmod(0o600)

    def value_of(self, name):
        """The first value of a map."""
        return first_value(self.synward.pin_dir / "maps" / name)[0]

    def origins(self):
        """Where the keys of cookies come from, and which secret was loaded last."""
        return self.value_of("cookie_keys")["origin"], self.value_of("settings")["cookie_secrets"]

    def share(self, *lines):
        """Cookies are made with the first of these keys from now on; without any, with its own."""
        if lines:
            self.keep("".join(f"{line}\n" for line in lines))
        self.apply(more=SHARED if lines else UNHEARD)

        def are_in_use():
            origin, loaded = self.origins()
            return origin == (loaded if lines else 0)
        wait_for(are_in_use, lambda: str(self.origins()))
        return self.state()["loaded"]

    def state(self):
        return self.status()["policy"]["shared_secret"]

    def status(self):
        return json.loads(self.synward.run("-j", "status").stdout)

    def tally(self, name):
        return self.synward.stats()["tallies"][name]

    def lead(self, family):
        """The client's way to the address leads here."""
        self.near.namespace.ip("route", "replace", ADDRESS[family], "via",
                               self.far.address(family), "dev", self.near.name)


def genkey(synward):
    return synward.expect(0, "genkey").stdout.strip()


def derived(key):
    """What the kernel is given of a key, as it lies in memory; and its id."""
    pseudo_random = hmac.digest(bytes(32), base64.b64decode(key), hashlib.sha256)
    made = hmac.digest(pseudo_random, b"synward SYN cookies 1\1", hashlib.sha256)
    return struct.pack("=QQ", *struct.unpack("<QQ", made[:16])), f"{int.from_bytes(made[20:24], 'little'):08x}"


class Fleet:
    """The two, and clients; only the first is under a flood."""

    def __init__(self, stack, bpffs, path):
        lab = stack.enter_context(Lab())
        self.client = lab.namespace("client")
        self.hosts = []
        for number, mode in enumerate(("always", "adaptive")):
            near, far = lab.wire(self.client, f"c{number}", lab.namespace(f"host{number}"),
                                 f"s{number}", subnet=number + 1)
            state = path / f"state{number}"
            state.mkdir()
            synward = stack.enter_context(fresh(bpffs / f"{path.name}-{number}", state))
            self.hosts.append(Host(answerable(near), far, synward, state, mode))
        self.one, self.other = self.hosts
        self.crowd = Crowd(self.one.near, self.one.far, self.other.far)
        Ghost.route(self.one.far, self.other.far)
        for host in self.hosts:
            host.synward.attach(host.far, options=("--flood-way", "handover"))

    def share(self, *lines):
        return [host.share(*lines) for host in self.hosts]

    def begin(self, family):
        """A client that has been answered by the first host, whose way leads to the other one now."""
        self.one.lead(family)
        client = self.client.socket(family)
        client.settimeout(tcp.SECONDS)
        self.crowd.join(client)
        put_up(self.client, LOSS)
        try:
            client.connect((ADDRESS[family], tcp.PORT))
            self.other.lead(family)
        finally:
            take_down(self.client)
        return client

    def converse(self, family):
        """It goes on with the other host, both ways. What its ends say of the connection."""
        data, infos = DATA[:SIZE], []

        def echo():
            peer = self.other.servers[family].accept()[0]
            with peer:
                peer.settimeout(tcp.SECONDS)
                heard = receive(peer, len(data))
                infos.append(Info.of(peer))
                peer.sendall(heard)
        with self.begin(family) as client:
            thread = threading.Thread(target=echo)
            thread.start()
            client.sendall(data)
            assert receive(client, len(data)) == data
            infos.append(Info.of(client))
            thread.join()
        return infos


@pytest.fixture(scope="module")
def fleet(bpffs, tmp_path_factory):
    need("nft")
    with contextlib.ExitStack() as stack:
        yield Fleet(stack, bpffs, tmp_path_factory.mktemp("fleet"))


def test_without_a_secret_the_client_is_lost(fleet, family):
    fleet.share()
    with fleet.begin(family) as client, pytest.raises(ConnectionResetError):
        client.sendall(b"hello")
        client.recv(1)


def test_the_other_host_takes_the_connection(fleet, family):
    """With all that was agreed on, and although it is under no flood itself."""
    ids = fleet.share(genkey(fleet.one.synward))
    assert ids[0] == ids[1]
    for host in (fleet.one, fleet.other):  # what the alert SynwardSecretsDiffer counts
        told = page_of(host.synward).labels("synward_cookie_secret_info")
        assert len(told) == 1 and told[0]["id"] in str(host.status()["policy"]["shared_secret"]), told
    handed = fleet.other.tally("handovers")
    server, client = fleet.converse(family)
    assert server.options & ALL_OPTIONS == client.options & ALL_OPTIONS == ALL_OPTIONS
    assert (server.snd_wscale, server.rcv_wscale) == (client.rcv_wscale, client.snd_wscale)
    assert server.snd_mss == client.advmss
    assert fleet.other.tally("handovers") == handed + 1
    assert fleet.other.tally("cookies_sent") == 0
    assert fleet.other.tally("handovers_failed") == 0


def test_the_last_ack_alone_takes_the_other_way(fleet, family):
    """And the first data come with it, or later."""
    fleet.share(genkey(fleet.one.synward))
    handed = fleet.other.tally("handovers")
    with Port(fleet.one.near) as to_one, Port(fleet.other.near) as to_other:
        for how in (ACK, PSH | ACK):
            ghost = Ghost(to_one, fleet.one.far, family)
            ghost.ends = (ghost.ends[0], ADDRESS[family], *ghost.ends[2:])
            ghost.knock()
            assert ghost.synack.flags & SYN
            ghost.port = to_other
            ghost.say(how, b"hello" if how & PSH else b"")
            with fleet.other.servers[family].accept()[0] as peer:
                if not how & PSH:
                    ghost.say(PSH | ACK, b"hello")
                peer.settimeout(tcp.SECONDS)
                assert receive(peer, 5) == b"hello"
    assert fleet.other.tally("handovers") == handed + 2


def test_a_new_secret_loses_nobody(fleet):
    """It comes as the second line to both, one by one, then as the first."""
    old, new = genkey(fleet.one.synward), genkey(fleet.one.synward)
    ids = {}
    for lines in ((old,), (new,)):
        ids[lines[0]] = fleet.one.share(*lines)[0]
    fleet.share(old)
    for host, lines in ((fleet.other, (old, new)), (fleet.one, (old, new)), (fleet.one, (new, old)),
                        (fleet.other, (new, old)), (fleet.other, (new,))):
        assert host.share(*lines) == [ids[line] for line in lines]
        for family in FAMILIES.values():
            fleet.converse(family)
    assert fleet.one.share(old) == [ids[old]]
    fleet.other.share(new)
    said = fleet.one.synward.run("status").stdout
    assert f"secret        shared: cookies are made with {ids[old]}\n" in said
    with fleet.begin(socket.AF_INET) as client, pytest.raises(ConnectionResetError):
        client.sendall(b"hello")
        client.recv(1)


def test_nobody_else_reads_it(fleet):
    fleet.share(genkey(fleet.one.synward))
    maps = fleet.one.synward.pin_dir / "maps"
    for name in ("cookie_keys", "cookie_secrets"):
        assert stat.S_IMODE((maps / name).stat().st_mode) == 0o600
    key = fleet.one.synward.secret_file.read_text().strip()
    for words in (("-j", "status"), ("status",), ("-j", "stats"), ("stats", "--prometheus"),
                  ("policy", "show"), ("-j", "policy", "show"), ("events", "--timeout", "0")):
        assert key not in fleet.one.synward.run(*words).stdout


def test_another_secret_alone_is_told(fleet):
    """The policy is the same; the secret is told by its id only."""
    host, policy = fleet.one, fleet.one.policy()
    keys = [genkey(host.synward) for _ in range(2)]
    fleet.share(keys[0])
    again = host.synward.expect(0, "policy", "apply", policy).stdout
    assert again.startswith("no change: this policy was active already\n")
    assert host.synward.expect(0, "policy", "diff", policy).stdout.startswith("no difference: ")
    host.keep("\n".join(reversed(keys)))
    first, second = (derived(key)[1] for key in keys)
    differs = f"~ shared secret differs: {first} -> {second}, {first}\n"
    assert host.synward.expect(3, "policy", "diff", policy).stdout == differs
    told = json.loads(host.synward.expect(3, "-j", "policy", "diff", policy).stdout)
    assert (told["same"], told["changes"], told["secret_differs"]) == (False, [], True)
    assert (told["secret_before"], told["secret_after"]) == ([first], [second, first])
    said = host.synward.expect(0, "policy", "apply", policy).stdout
    assert said.startswith("~ shared secret: cookies are made with {}, and those made with {} are honoured, "
                           "too\napplied: ".format(*[derived(key)[1] for key in reversed(keys)]))
    host.keep(keys[0])
    done = json.loads(host.synward.expect(0, "-j", "policy", "apply", policy).stdout)
    assert done["secret_changed"] and not done["changes"]
    assert host.synward.expect(0, "policy", "diff", policy).stdout.startswith("no difference: ")
    last = json.loads(host.synward.expect(0, "-j", "events", "--timeout", "0").stdout.splitlines()[-1])
    assert last["policy"] == {"action": "secret_loaded", "name": derived(keys[0])[1], "uid": 0}


def test_another_secret_alone_is_rolled_out(fleet):
    """By the words of docs/fleet.md: with the policy as it was, nothing is on trial, and confirming is no failure."""
    host, policy = fleet.one, fleet.one.policy()
    fleet.share(genkey(host.synward))
    host.keep(genkey(host.synward))
    done = host.synward.expect(0, "policy", "apply", "--confirm", "2m", policy)
    assert "~ shared secret: " in done.stdout and "the secret is not on trial" in done.stderr
    assert done.stdout.endswith("so it is not on trial, and you need not confirm it.\n")
    assert host.synward.expect(0, "policy", "confirm").stdout.startswith("nothing waited to be confirmed: ")


def test_who_may_not_read_the_secret_compares_the_policy(fleet):
    """Such as a member of the group synward: to compare policies is no reason to become root."""
    host, policy = fleet.one, fleet.one.policy()
    fleet.share(genkey(host.synward))
    os.chown(host.synward.secret_file, 65534, 65534)
    less = "-dac_override,-dac_read_search"
    done = run("setpriv", f"--bounding-set={less}", f"--inh-caps={less}", BINARY, "-j", "policy", "diff", policy,
               check=False, env=host.synward.environment())
    os.chown(host.synward.secret_file, 0, 0)
    assert done.returncode == 0 and "secret_differs" not in json.loads(done.stdout), done
    assert f"the secret was not compared: {host.synward.secret_file}: Permission denied" in done.stderr


def test_a_policy_that_is_refused_changes_no_key(fleet):
    host = fleet.one
    before = host.share(genkey(host.synward))
    host.synward.secret_file.write_text(f"{genkey(host.synward)}\n")
    done = host.apply(1, "flood_defence: {unheard: answer, way: kernel, shared_secret: yes}\n")
    assert "way: kernel does not work" in done.stderr
    assert host.state()["loaded"] == before


def test_what_is_no_secret_changes_nothing(fleet):
    fleet.share(genkey(fleet.one.synward))
    host, before = fleet.one, fleet.one.state()
    host.synward.secret_file.chmod(0o640)
    assert "mode 0640: expected one that only its owner can read" in host.apply(2).stderr
    host.synward.secret_file.unlink()
    assert "cannot read this secret" in host.apply(2).stderr
    assert host.state() == before
    # an attach goes on with what it has, and says so
    said = host.synward.attach(host.far, code=3).stderr
    assert "and the secret was not loaded" in said
    assert host.state() == before


def leaves_nothing(library, synward, *command):
    """Runs it, and looks for what is in the file of the secret in its memory as it ends."""
    keys = synward.secret_file.read_text().split()
    needles = [needle.hex() for key in keys
               for needle in (key.encode(), base64.b64decode(key), derived(key)[0])]
    done = run(BINARY, *command, check=False, env=synward.environment(
        LD_PRELOAD=str(library), REMAINS=",".join(needles)))
    assert "remains:" not in done.stderr, done
    return done


@pytest.mark.parametrize("form", ((), ("-j",)), ids=("text", "json"))
def test_who_makes_a_secret_leaves_none_in_memory(tmp_path, form):
    key = bytes(i * 37 % 256 for i in range(32))
    text = base64.b64encode(key)
    done = run(BINARY, *form, "genkey", env={"LD_PRELOAD": str(stopped.build(tmp_path, "remains")),
                                             "REMAINS": f"{text.hex()},{key.hex()}", "REMAINS_RANDOM": key.hex()})
    assert text.decode() in done.stdout and not done.stderr, done


def test_no_command_leaves_a_secret_in_memory(fleet, tmp_path):
    """
    Neither where the kernel takes it, nor where it does not, nor where the file is refused. It is the last one with
    these hosts: what is frozen stays so.
    """
    host, library = fleet.one, stopped.build(tmp_path, "remains")
    command = ("policy", "apply", host.policy())
    host.share(genkey(host.synward))
    assert not leaves_nothing(library, host.synward, "policy", "diff", host.policy()).returncode
    host.keep(f"{genkey(host.synward)}\n{genkey(host.synward)}\n")
    assert not leaves_nothing(library, host.synward, *command).returncode
    host.keep(f"{genkey(host.synward)}\n{base64.b64encode(bytes(range(8)) * 4).decode()}\n")
    assert leaves_nothing(library, host.synward, *command).returncode == 2
    host.keep(f"{genkey(host.synward)}\n")
    bpftool("map", "freeze", "pinned", host.synward.pin_dir / "maps" / "cookie_secrets")
    done = leaves_nothing(library, host.synward, *command)
    assert done.returncode == 1 and "cannot write the shared secret: " in done.stderr


def test_a_way_that_no_other_host_knows(lab, synward, pair):
    """The secret is read by the first attach, too; of the kernel's cookies nobody else knows."""
    synward.secret_file.parent.mkdir(exist_ok=True)
    synward.secret_file.write_text(genkey(synward) + "\n")
    synward.secret_file.chmod(0o600)
    path = synward.secret_file.parent
    synward.attach(pair[1])
    policy = Files(path).services(SERVICE + "adaptive", mode="enforce")
    policy.write_text(policy.read_text() + "flood_defence: {way: challenge, shared_secret: yes}\n")
    said = synward.expect(3, "policy", "apply", policy).stderr
    assert "flood_defence.shared_secret needs the way handover" in said
    done = synward.run("status")
    assert done.returncode == 3
    assert "degraded: s0: the flood defence uses challenge, so other hosts cannot check its cookies" in done.stdout
    loaded = json.loads(synward.run("-j", "status").stdout)["policy"]["shared_secret"]["loaded"]
    synward.expect(0, "detach", "--all")
    synward.attach(pair[1], code=3)
    assert json.loads(synward.run("-j", "status").stdout)["policy"]["shared_secret"]["loaded"] == loaded
    synward.expect(0, "detach", "--all")
    synward.secret_file.unlink()
    said = synward.attach(pair[1], code=3).stderr
    assert "and the secret was not loaded" in said
    assert "degraded: the policy has flood_defence.shared_secret, and no secret is loaded" in \
        synward.run("status").stdout
