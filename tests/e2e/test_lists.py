# SPDX-License-Identifier: GPL-2.0-or-later
"""The allow and the block list: what is put in is there, also after a reboot, and nobody else is."""

import functools
import json
import pathlib
import random
import signal
import socket
import subprocess
import time

import pytest

import tcp
from cli import BINARY, bpftool
from net import run, stop, wait_for

LISTS = ("allow", "block")
V4, V6 = "198.51.100.0/24", "2001:db8:17::/48"


@pytest.fixture
def attached(pair, synward, monkeypatch):
    """The server's end is attached, and commands are given there: the machine's addresses are not ours."""
    monkeypatch.setattr(synward, "run",
                        functools.partial(synward.run, namespace=pair[1].namespace))
    synward.attach(pair[1])
    return synward


def refuse(done, code, *words):
    """An error is one line on stderr that holds these words, and nothing on stdout."""
    lines = done.stderr.splitlines()
    assert done.returncode == code, done
    assert len(lines) == 1 and lines[0].startswith("synward: "), done.stderr
    assert done.stdout == ""
    for word in words:
        assert str(word) in lines[0], done.stderr


def rows(synward, name):
    return synward.json(name, "list", "--all")["prefixes"]


def prefixes(synward, name):
    return [row["prefix"] for row in rows(synward, name)]


def received(synward):
    """Packets that have a source for the lists, of the one interface."""
    kinds = synward.stats()["interfaces"][0]["ingress"]["kinds"]
    return sum(kinds.values()) - kinds["not_ip"] - kinds["icmp_error"]


def state_of(synward):
    return (synward.state_dir / "state").read_text()


def again(synward, end):
    """As after a reboot: everything in the kernel is gone."""
    synward.expect(0, "detach", "--all")
    return synward.attach(end)


# ---- commands

@pytest.mark.parametrize("name", LISTS)
def test_what_is_added_is_listed_and_what_is_deleted_is_not(attached, name):
    done = attached.json(name, "add", V6, V4, "--reason", 'why "not"', "--expires", "1h")
    assert done == {"schema": 1, "list": name, "added": 2, "updated": 0, "removed": 0,
                    "duplicates": 0, "total": 2}
    shown = attached.json(name, "list")
    assert shown["list"] == name and shown["total"] == 2
    assert [(row["prefix"], row["family"]) for row in shown["prefixes"]] == [
        (V4, "ipv4"), (V6, "ipv6")], "sorted"
    for row in shown["prefixes"]:
        assert row["hits"] == 0 and row["source"] == "manual" and row["reason"] == 'why "not"'
        assert 3500000 < row["expires_in_ms"] <= 3600000
        assert row["added"] and row["expires"]
    text = attached.expect(0, name, "list").stdout
    assert V4 in text and V6 in text and 'why "not"' in text
    other = LISTS[1 - LISTS.index(name)]
    assert "empty" in attached.expect(0, other, "list").stdout

    done = attached.json(name, "add", V4)
    assert (done["added"], done["updated"], done["total"]) == (0, 1, 2)
    assert rows(attached, name)[0]["expires"] is None, "what was said last counts"
    assert "1 removed" in attached.expect(0, name, "del", V4).stdout
    assert prefixes(attached, name) == [V6]
    assert attached.json(name, "del", "--all")["removed"] == 1
    assert prefixes(attached, name) == []
    assert attached.json("status")["memory"]["maps"].keys().isdisjoint(
        {f"{name}_buckets0", f"{name}_buckets1"}), "an empty list takes no memory"


def test_lists_are_shown_in_part_and_by_hits(attached, pair):
    near, far = pair
    attached.expect(0, "block", "add", "10.77.1.1", *(f"10.5.0.{i}" for i in range(150)))
    shown = attached.json("block", "list")
    assert shown["total"] == 151 and len(shown["prefixes"]) == 100
    assert "the first 3 of 151" in attached.expect(0, "block", "list", "--limit", 3).stdout
    with tcp.listener(far, socket.AF_INET) as server:
        tcp.accepted(near.namespace, server, 3)
    first = attached.json("block", "list", "--sort", "hits", "-n", 1)["prefixes"][0]
    assert first["prefix"] == "10.77.1.1" and first["hits"] > 0


def test_the_longest_prefix_has_the_hits(attached, stage):
    """Also while nothing is enforced, and every packet is the hit of one."""
    own = stage.near.address(stage.family)
    around = "10.77.1.0/31" if stage.family == socket.AF_INET else "fd77:1::/127"
    attached.expect(0, "block", "add", around, "10.77.1.3", "fd77:1::3")
    first = received(attached)
    stage.accepted(5)
    attached.expect(0, "block", "add", own)
    stage.accepted(5)
    found = {row["prefix"]: row["hits"] for row in rows(attached, "block")}
    assert found[own] > 10 and found[around] > 10
    assert sum(found.values()) == received(attached) - first
    attached.expect(0, "block", "del", own)
    stage.accepted(5)
    now = {row["prefix"]: row["hits"] for row in rows(attached, "block")}
    assert now[around] > found[around] and own not in now


@pytest.mark.parametrize("argv, words", (
    ([], ("add, del, list or load",)),
    (["ad", V4], ("ad", "add, del, list or load")),
    (["add"], ("expected prefixes",)),
    (["add", "192.0.2.1/24"], ("192.0.2.1/24", "192.0.2.0/24")),
    (["add", "2001:db8::1/64"], ("2001:db8::/64",)),
    (["add", "host.example"], ("host.example", "expected an address")),
    (["add", "192.0.2.0/33"], ("192.0.2.0/33", "length")),
    (["add", "0.0.0.0/0"], ("0.0.0.0/0", "every address")),
    (["add", "::/0"], ("every address",)),
    (["add", "::ffff:192.0.2.1"], ("IPv4",)),
    (["add", V4, "--expires", "soon"], ("--expires", "soon")),
    (["add", V4, "--expires", "999ms"], ("999ms",)),
    (["add", V4, "--reason", "x" * 256], ("--reason", "255")),
    (["add", V4, "--replace"], ("--replace", "add")),
    (["list", V4], (V4,)),
    (["list", "--reason", "x"], ("--reason",)),
    (["list", "--sort", "age"], ("--sort", "hits")),
    (["list", "--limit", "0"], ("--limit",)),
    (["del"], ("expected prefixes",)),
    (["del", V4, "--all"], ("--all",)),
    (["del", V4, "--expires", "1h"], ("--expires",)),
    (["load"], ("FILE",)),
    (["load", "a", "b"], ("FILE",)),
    (["load", "a", "--all"], ("--all",)),
), ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "")
def test_wrong_usage(attached, argv, words):
    refuse(attached.run("block", *argv), 2, *words)
    assert prefixes(attached, "block") == [] and not attached.state_dir.exists()


@pytest.mark.parametrize("argv", (["add", V4], ["del", V4], ["del", "--all"], ["list"],
                                  ["load", "-"]), ids=" ".join)
def test_nothing_is_attached(synward, argv):
    refuse(synward.run("block", *argv, input=f"{V4}\n"), 1, "nothing is attached", "synward attach")
    assert not synward.state_dir.exists()


def test_what_is_not_there_is_not_deleted(attached):
    attached.expect(0, "block", "add", V4, V6)
    refuse(attached.run("block", "del", V6, "192.0.2.1"), 1, "192.0.2.1", "not on the block list")
    refuse(attached.run("block", "del", "198.51.100.7"), 1, "198.51.100.7", V4, "contains")
    refuse(attached.run("allow", "del", V4), 1, "allow")
    assert prefixes(attached, "block") == [V4, V6]


def test_errors_in_json(attached):
    done = attached.run("-j", "block", "del", V4)
    assert done.returncode == 1
    assert V4 in json.loads(done.stdout)["error"]


# ---- files

def test_a_file_is_loaded(attached, tmp_path):
    feed = tmp_path / "feed.txt"
    feed.write_text(f"# a feed\n{V4} seen in the logs\n\n  {V6}\t# by hand\r\n203.0.113.7\n{V4}\n")
    done = attached.json("block", "load", feed, "--reason", "the feed", "--expires", "2d")
    assert (done["added"], done["duplicates"], done["total"]) == (3, 1, 3)
    found = {row["prefix"]: row["reason"] for row in rows(attached, "block")}
    assert found == {V4: "the feed", V6: "by hand", "203.0.113.7": "the feed"}, "the last line counts"

    feed.write_text(f"{V6}\n192.0.2.0/24\n")
    done = attached.json("block", "load", feed)
    assert (done["added"], done["updated"], done["removed"], done["total"]) == (1, 1, 0, 4)
    done = attached.json("block", "load", feed, "--replace")
    assert (done["added"], done["updated"], done["removed"], done["total"]) == (0, 2, 2, 2)
    assert prefixes(attached, "block") == ["192.0.2.0/24", V6]
    done = json.loads(attached.expect(0, "-j", "block", "load", "-", input=f"{V4}\n").stdout)
    assert done["total"] == 3


@pytest.mark.parametrize("text, words", (
    (f"{V4}\nnonsense\n", (":2:", "nonsense")),
    (f"{V4} fine\n192.0.2.1/24 not\n", (":2:", "192.0.2.1/24", "192.0.2.0/24")),
    (f"{V4}\n\n\n127.1.2.3\n", (":4:", "127.1.2.3", "loopback")),
    (f"{V4}\n8.0.0.0/5\n", (":2:", "8.0.0.0/5", "10.77.1.2", "address of this host", "s0")),
    (f"{V4}\n" + "x" * 5000, (":2:", "4094 bytes")),
))
def test_a_file_with_a_mistake_changes_nothing(attached, tmp_path, text, words):
    attached.expect(0, "block", "add", "203.0.113.1")
    feed = tmp_path / "feed.txt"
    feed.write_text(text)
    before = state_of(attached)
    for options in ((), ("--replace",)):
        refuse(attached.run("block", "load", feed, *options), 1, f"{feed}{words[0]}", *words[1:])
    assert prefixes(attached, "block") == ["203.0.113.1"] and state_of(attached) == before


def test_files_that_are_none(attached, tmp_path):
    attached.expect(0, "block", "add", V4)
    empty = tmp_path / "empty"
    empty.write_text("# nothing today\n")
    refuse(attached.run("block", "load", tmp_path / "gone"), 1, "gone", "No such file")
    refuse(attached.run("block", "load", tmp_path), 1, tmp_path, "directory")
    refuse(attached.run("block", "load", empty, "--replace"), 1, "holds no prefix", "del --all")
    assert "nothing changed" in attached.expect(0, "block", "load", empty).stdout
    assert prefixes(attached, "block") == [V4]


# ---- a million

def many(path, family, seed, count=1000000):
    """A feed of so many prefixes, no two the same, in no order."""
    dice, seen = random.Random(seed), set()
    while len(seen) < count:
        seen.add(dice.getrandbits(24) | 0xB << 28 if family == "ipv4" else dice.getrandbits(40))
    with open(path, "w") as file:
        for one in seen:
            if family == "ipv4":
                file.write(f"{one >> 24}.{one >> 16 & 255}.{one >> 8 & 255}.{one & 255}\n")
            else:
                file.write(f"2001:d{one >> 32:02x}:{one >> 16 & 0xffff:x}:{one & 0xffff:x}::/64\n")


@pytest.mark.parametrize("kind", ("ipv4", "ipv6"))
def test_a_million_prefixes(attached, stage, tmp_path, kind):
    """They are loaded while packets flow, whose source is on the list all the time: each is a hit."""
    if kind != ("ipv4" if stage.family == socket.AF_INET else "ipv6"):
        pytest.skip("the other family's traffic")
    own = stage.near.address(stage.family)
    feed = tmp_path / "feed.txt"
    many(feed, kind, seed=1)
    with open(feed, "a") as file:
        file.write(f"{own} it is us\n")
    attached.expect(0, "block", "add", own)
    first = received(attached)
    began = time.monotonic()
    load = subprocess.Popen(
        stage.far.namespace.command(BINARY, "-j", "block", "load", feed),
        env=attached.environment(), stdout=subprocess.PIPE, text=True)
    rounds = 0
    while load.poll() is None:
        stage.accepted(10)
        rounds += 1
    took = time.monotonic() - began
    output, _ = load.communicate()
    print(f"a million prefixes of {kind} in {took:.1f} s, with traffic beside it")
    done = json.loads(output)
    assert load.returncode == 0 and rounds
    assert (done["added"], done["updated"], done["total"]) == (1000000, 1, 1000001)
    stage.accepted(1)
    hits = {row["prefix"]: row["hits"] for row in
            attached.json("block", "list", "--sort", "hits")["prefixes"]}
    assert hits[own] == received(attached) - first > 0

    began = time.monotonic()
    again(attached, stage.far)
    print(f"and back with an attach in {time.monotonic() - began:.1f} s")
    assert attached.json("block", "list")["total"] == 1000001
    feed.write_text(f"{own}\n")
    done = attached.json("block", "load", feed, "--replace")
    assert (done["updated"], done["removed"], done["total"]) == (1, 1000000, 1)
    assert len(state_of(attached).splitlines()) == 2, "the state file does not keep the dead"


# ---- what outlives a reboot

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
    path = attached.state_dir / "state"
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
    (synward.state_dir / "state").write_text("# synward state 99\n")
    refuse(synward.run("attach", "s0", namespace=pair[1].namespace), 1,
           synward.state_dir / "state", "# synward state 1", "--state-dir")
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


# ---- sources that the kernel blocked

def test_automatic_blocks_are_listed_and_can_be_deleted(attached):
    uptime = int(float(pathlib.Path("/proc/uptime").read_text().split()[0]))
    path = attached.pin_dir / "maps" / "auto_blocks"
    for source, until in (("00000000000000000000ffffc0000207", uptime + 100),
                          ("20010db8000500060000000000000000", uptime + 100),
                          ("00000000000000000000ffffc0000208", uptime)):
        value = (42).to_bytes(8, "little") + until.to_bytes(4, "little") + bytes(4)
        run("bpftool", "map", "update", "pinned", path,
            "key", "hex", *[source[i:i + 2] for i in range(0, 32, 2)],
            "value", "hex", *[f"{byte:02x}" for byte in value])
    attached.expect(0, "block", "add", V4)
    found = {row["prefix"]: row for row in rows(attached, "block")}
    assert set(found) == {"192.0.2.7", "2001:db8:5:6::/64", V4}
    for prefix in ("192.0.2.7", "2001:db8:5:6::/64"):
        assert found[prefix]["source"] == "auto" and found[prefix]["hits"] == 42
        assert 0 < found[prefix]["expires_in_ms"] <= 100000
    assert "auto" in attached.expect(0, "block", "list").stdout
    assert attached.json("block", "del", "192.0.2.7", V4)["removed"] == 2
    assert prefixes(attached, "block") == ["2001:db8:5:6::/64"]
    refuse(attached.run("block", "del", "192.0.2.7"), 1, "192.0.2.7")
    attached.expect(0, "block", "del", "--all")
    assert prefixes(attached, "block") == []
