# SPDX-License-Identifier: GPL-2.0-or-later
"""The lists outlive a detach, a reboot and a kill, and never hold the host itself."""

import random
import signal
import socket
import subprocess
import time

import tcp
from cli import BINARY, bpftool
from lists import V4, V6, again, attached, prefixes, refuse, rows, state_of  # noqa: F401
from net import stop, wait_for

LISTS = ("allow", "block")


def test_lists_come_back(attached, pair):
    attached.expect(0, "block", "add", V4, V6, "192.0.2.0/24", "--reason", "grün \\ \"x\"")
    attached.expect(0, "allow", "add", "203.0.113.9", "--expires", "1h")
    attached.expect(0, "block", "del", V4)
    before = {name: rows(attached, name) for name in LISTS}
    attached.expect(0, "detach", "--all")
    state = state_of(attached)
    assert state.startswith("# synward state 1\n") and f"block {V4} deleted=" in state
    attached.attach(pair[1])
    for name in LISTS:
        now = rows(attached, name)
        for row in now + before[name]:
            row.pop("expires_in_ms", None)
            row.pop("expires")
        assert now == before[name]
    assert rows(attached, "allow")[0]["reason"] == ""
    assert 3500 < attached.json("allow", "list")["prefixes"][0]["expires_in_ms"] / 1000 <= 3600
    attached.expect(0, "block", "del", "--all")
    again(attached, pair[1])
    assert prefixes(attached, "block") == [] and prefixes(attached, "allow") == ["203.0.113.9"]


def test_what_expires_is_gone(attached, pair):
    """From the list, and for the kernel; and it does not come back."""
    near, far = pair
    attached.expect(0, "block", "add", "10.77.1.0/31")
    attached.expect(0, "block", "add", "10.77.1.1", "--expires", "1s")
    wait_for(lambda: prefixes(attached, "block") == ["10.77.1.0/31"], "the end of 10.77.1.1")
    with tcp.listener(far, socket.AF_INET) as server:
        tcp.accepted(near.namespace, server, 3)
    assert rows(attached, "block")[0]["hits"] > 0, "the shorter prefix counts again"
    again(attached, far)
    assert prefixes(attached, "block") == ["10.77.1.0/31"]


def test_a_torn_state_file(attached, pair):
    """A power cut in the middle of a line: that line is named, and all others count."""
    attached.expect(0, "block", "add", V4, V6, "192.0.2.0/24")
    path = attached.state_dir / "lists.state"
    path.write_text(path.read_text()[:-12])
    attached.expect(0, "detach", "--all")
    noted = attached.attach(pair[1]).stderr
    assert f"{path}:4: a damaged line" in noted
    assert prefixes(attached, "block") == ["192.0.2.0/24", V4]
    attached.expect(0, "block", "add", "203.0.113.0/24")
    again(attached, pair[1])
    assert prefixes(attached, "block") == ["192.0.2.0/24", V4, "203.0.113.0/24"]


def test_another_programs_file_is_refused(synward, pair):
    """Rather than forgetting who is blocked; nothing is attached then."""
    synward.state_dir.mkdir()
    (synward.state_dir / "lists.state").write_text("# synward state 99\n")
    refuse(synward.run("attach", "s0", namespace=pair[1].namespace), 1,
           synward.state_dir / "lists.state", "# synward state 1", "--state-dir")
    assert not synward.pin_dir.exists()
    synward.expect(0, "attach", "--state-dir", synward.state_dir / "else", "s0",
                   namespace=pair[1].namespace)


def test_a_state_directory_that_cannot_be(attached, tmp_path):
    (tmp_path / "file").write_text("")
    refuse(attached.run("block", "add", V4, "--state-dir", tmp_path / "file" / "dir"), 1,
           tmp_path / "file", "--state-dir")
    assert prefixes(attached, "block") == [], "neither here nor there"


def test_the_state_file_does_not_grow_for_ever(attached):
    some = [f"10.5.{i >> 8}.{i & 255}" for i in range(1200)]
    attached.expect(0, "allow", "add", V4, "--reason", "stays")
    for _ in range(2):
        attached.expect(0, "block", "add", *some)
        attached.expect(0, "block", "del", *some)
    assert len(state_of(attached).splitlines()) == 2
    assert "stays" in state_of(attached)


def test_kill_9_of_a_load_at_any_moment(attached, pair, tmp_path):
    """What is listed then is the old list or the new one, and everything goes on."""
    feeds, sets = [], []
    for number in range(2):
        feeds.append(tmp_path / f"feed{number}")
        sets.append([f"{60 + number}.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(60000)])
        feeds[number].write_text("\n".join(sets[number]))
    began = time.monotonic()
    attached.expect(0, "block", "load", feeds[0])
    takes = time.monotonic() - began
    moments = random.Random(2)
    outcomes = set()
    for number in range(1, 9):
        load = subprocess.Popen(
            pair[1].namespace.command(BINARY, "block", "load", feeds[number % 2], "--replace"),
            env=attached.environment(), stdout=subprocess.DEVNULL)
        time.sleep(moments.uniform(0, 1.5 * takes))  # not a wait: any moment will do
        stop(load, signal.SIGKILL)
        shown = attached.json("block", "list", "--limit", 1)
        assert shown["total"] == 60000
        outcomes.add(shown["prefixes"][0]["prefix"])
    assert outcomes <= {"60.0.0.0", "61.0.0.0"}
    attached.expect(0, "block", "load", feeds[1], "--replace")
    assert prefixes(attached, "block") == sorted(sets[1], key=lambda text: [
        int(number) for number in text.split(".")])
    again(attached, pair[1])
    assert attached.json("block", "list")["total"] == 60000


# ---- who must never be blocked

def protected(synward):
    """(address, mapped length, kind) of each row of the map."""
    found = set()
    for row in bpftool("map", "dump", "pinned", synward.pin_dir / "maps" / "protected"):
        key = bytes(int(byte, 16) for byte in row["key"])
        found.add((key[8:].hex(), int.from_bytes(key[:4], "little") - 32,
                   int(row["value"][0], 16)))
    return found


def test_the_victim_is_never_blocked(attached, pair):
    """Its own addresses, its gateways, and whatever holds them; nothing is applied then."""
    near, far = pair
    far.namespace.ip("route", "add", "default", "via", "10.77.1.1")
    far.namespace.ip("route", "add", "2001:db8::/32", "via", "fd77:1::1")
    for prefix, words in (("10.77.1.2", ("it is an address of this host (s0)",)),
                          ("10.77.1.0/24", ("contains 10.77.1.2", "address of this host")),
                          ("fd77:1::/64", ("contains fd77:1::2",)),
                          ("10.77.1.1", ("it is a gateway of this host (s0)",)),
                          ("fd77:1::1", ("gateway",)),
                          ("127.0.0.0/8", ("loopback",)), ("127.9.9.9", ("loopback",)),
                          ("::1", ("loopback",)), ("0.0.0.0/8", ("0.0.0.0", "unspecified")),
                          ("::/8", ("unspecified",))):
        refuse(attached.run("block", "add", V4, prefix), 1, prefix, "must not be blocked", *words,
               "nothing was changed")
    assert prefixes(attached, "block") == [] and not attached.state_dir.exists()
    attached.expect(0, "allow", "add", "10.77.1.0/24", "fd77:1::1", "127.0.0.0/8")
    attached.expect(0, "block", "add", "10.77.1.3", "10.77.2.0/24", "fd77:1::3")


def test_dns_servers_are_never_blocked(attached, pair, tmp_path):
    servers = tmp_path / "resolv.conf"
    servers.write_text("# by hand\nsearch example\nnameserver 192.0.2.53\n"
                       "nameserver 2001:db8::53 \nnameserver fe80::1%eth0\n")
    for prefix, server in (("192.0.2.0/24", "192.0.2.53"), ("2001:db8::/32", "2001:db8::53"),
                           ("fe80::/16", "fe80::1")):
        done = pair[1].namespace.run(
            "unshare", "--mount", "sh", "-c",
            f'mount --bind {servers} /etc/resolv.conf && exec "$@"', "sh",
            BINARY, "block", "add", prefix, check=False, env=attached.environment())
        refuse(done, 1, prefix, server, "DNS server", "/etc/resolv.conf")
    attached.expect(0, "block", "add", "192.0.2.53")


def test_the_kernel_knows_who_is_protected(attached, pair):
    """Of IPv6 the whole /64, since that much is blocked at once; and it is kept up to date."""
    far = pair[1]
    own = ("00000000000000000000ffff0a4d0102", 128, 2)
    assert own in protected(attached)
    assert ("fd770001000000000000000000000000", 64, 2) in protected(attached)
    assert ("00000000000000000000ffff7f000000", 104, 1) in protected(attached)
    assert ("00000000000000000000000000000001", 128, 1) in protected(attached)
    far.namespace.ip("addr", "add", "192.0.2.200/32", "dev", "s0")
    far.namespace.ip("addr", "del", "10.77.1.2/24", "dev", "s0")
    attached.expect(0, "allow", "add", V4)
    assert ("00000000000000000000ffffc00002c8", 128, 2) in protected(attached)
    assert own not in protected(attached)


def test_what_has_become_an_own_address_does_not_come_back(attached, pair):
    far = pair[1]
    attached.expect(0, "block", "add", "192.0.2.7", "192.0.2.0/25", V4)
    attached.expect(0, "detach", "--all")
    far.namespace.ip("addr", "add", "192.0.2.7/32", "dev", "s0")
    noted = attached.attach(far).stderr
    assert noted.count("left out of the block list") == 2 and "192.0.2.7" in noted
    assert prefixes(attached, "block") == [V4]
