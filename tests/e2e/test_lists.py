# SPDX-License-Identifier: GPL-2.0-or-later
"""The allow and the block list: what is put in is there, and nobody else is."""

import functools
import json
import pathlib
import random
import shutil
import socket
import subprocess
import time

import pytest

import tcp
from cli import BINARY, fresh
from lists import V4, V6, again, prefixes, refuse, rows, state_of
from net import Lab, run

LISTS = ("allow", "block")


@pytest.fixture(scope="module")
def kept(bpffs, tmp_path_factory):
    """A wire whose far end is attached, for all tests here; each finds and leaves the lists empty."""
    with Lab() as lab, fresh(bpffs / "lists", tmp_path_factory.mktemp("kept") / "state") as made:
        ends = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        made.attach(ends[1])
        yield ends, made


@pytest.fixture
def pair(kept):
    return kept[0]


@pytest.fixture
def attached(kept, monkeypatch):
    """Commands are given at the server's: the machine's addresses are not ours."""
    ends, synward = kept
    monkeypatch.setattr(synward, "run", functools.partial(synward.run, namespace=ends[1].namespace))
    yield synward
    for name in LISTS:
        synward.expect(0, name, "del", "--all")
    shutil.rmtree(synward.state_dir, ignore_errors=True)


def received(synward):
    """Packets that have a source for the lists, of the one interface."""
    kinds = synward.stats()["interfaces"][0]["ingress"]["kinds"]
    return sum(kinds.values()) - kinds["not_ip"] - kinds["icmp_error"]


# ---- commands

def test_which_entry_an_address_meets_is_told_and_what_becomes_of_it(attached, tmp_path):
    """Also that nothing is dropped yet: whoever blocks under attack must not learn that later."""
    done = attached.expect(0, "block", "add", "203.0.113.0/24", "-r", "scans").stdout
    assert "only counted, not dropped: the policy has no mode: enforce" in done
    attached.expect(0, "block", "add", "203.0.112.0/20", V6)
    attached.expect(0, "allow", "add", "203.0.113.9", "-r", "our own")

    def check(address):
        found = attached.json("block", "check", address)
        assert found == attached.json("allow", "check", address) and found["address"] == address
        return found["effect"], [(one["list"], one["prefix"], one["reason"])
                                 for one in found["entries"]]

    longest = ("block", "203.0.113.0/24", "scans")
    assert check("203.0.113.7") == ("counted", [longest])
    assert check("203.0.112.7") == ("counted", [("block", "203.0.112.0/20", "")])
    assert check("203.0.113.9") == ("allowed", [("allow", "203.0.113.9", "our own"), longest])
    assert check("2001:db8:17::1") == ("counted", [("block", V6, "")])
    assert check("192.0.2.1") == ("passes", [])
    mapped = attached.json("block", "check", "::ffff:203.0.113.7")
    assert mapped == attached.json("block", "check", "203.0.113.7")
    text = attached.expect(0, "block", "check", "203.0.113.7").stdout
    assert "scans" in text and "203.0.113.7 is on the block list: packets from there are only" in text

    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nservices: [{name: web, ports: [80], mode: enforce}]\n")
    attached.expect(0, "policy", "apply", policy)
    assert check("203.0.113.7") == ("dropped_in_part", [longest])
    assert attached.json("block", "add", "192.0.2.0/24")["effect"] == "dropped_in_part"
    assert "for a service that enforces: web; others" in attached.expect(
        0, "block", "add", "192.0.2.0/24").stdout
    policy.write_text("version: 1\ndefault: {mode: enforce}\n")
    attached.expect(0, "policy", "apply", policy)
    assert check("203.0.113.7") == ("dropped", [longest])
    assert attached.expect(0, "block", "add", "192.0.2.0/24").stdout.count("\n") == 1
    attached.expect(0, "disarm")
    assert "disarmed" in attached.expect(0, "block", "check", "203.0.113.7").stdout
    for words in ((), ("192.0.2.0/24",), ("web",), ("192.0.2.1", "192.0.2.2")):
        refuse(attached.run("block", "check", *words), 2, "block check: expected one address")


@pytest.mark.parametrize("name", LISTS)
def test_what_is_added_is_listed_and_what_is_deleted_is_not(attached, name):
    done = attached.json(name, "add", V6, V4, "--reason", 'why "not"', "--expires", "1h")
    assert done == {"schema": 1, "list": name, "added": 2, "updated": 0, "lost_expiry": 0, "removed": 0,
                    "duplicates": 0, "total": 2, **({"effect": "counted"} if name == "block" else {})}
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
    ([], ("expected a verb: add, del, list, check, load", "synward help block")),
    (["ad", V4], ("unknown verb ad: did you mean add", "there are: add, del, list")),
    (["add"], ("expected prefixes",)),
    (["add", "192.0.2.1/24"], ("192.0.2.1/24", "192.0.2.0/24")),
    (["add", "2001:db8::1/64"], ("2001:db8::/64",)),
    (["add", "host.example"], ("host.example", "expected an address")),
    (["add", "192.0.2.0/33"], ("192.0.2.0/33", "length")),
    (["add", "0.0.0.0/0"], ("0.0.0.0/0", "every address")),
    (["add", "::/0"], ("every address",)),
    (["add", "0.0.0.0/1"], ("block add: 0.0.0.0/1 holds a quarter or more of the IPv4 addresses", "--wide")),
    (["add", "192.0.0.0/2"], ("192.0.0.0/2", "--wide")),
    (["add", V4, "2000::/3"], ("block add: 2000::/3 holds a quarter or more of the IPv6 addresses", "--wide")),
    (["add", "::/1"], ("::/1", "--wide")),
    (["add", "3800::/5"], ("3800::/5", "--wide")),
    (["add", "::ffff:192.0.2.1"], ("IPv4",)),
    (["add", V4, "--expires", "soon"], ("--expires", "soon")),
    (["add", V4, "--expires", "999ms"], ("999ms",)),
    (["add", V4, "--reason", "x" * 256], ("--reason", "255")),
    (["add", V4, "--replace"], ("--replace",)),
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


@pytest.mark.parametrize("name", LISTS)
def test_a_quarter_of_all_is_taken_if_that_is_meant(attached, tmp_path, name):
    """Nobody has to say so for less, nor for what no host has."""
    wide, others = ["128.0.0.0/1", "2000::/3"], ["224.0.0.0/3", "2000::/6", "4000::/2", "8000::/2"]
    feed = tmp_path / "feed.txt"
    feed.write_text("# bogons\n" + "\n".join(others + wide))
    refuse(attached.run(name, "load", feed), 2, f"{feed}:6: 128.0.0.0/1", "--wide")
    attached.expect(0, name, "add", *others)
    attached.expect(0, name, "add", wide[0], "--wide")
    attached.expect(0, name, "load", feed, "--wide")
    assert set(prefixes(attached, name)) == {*wide, *others}
    attached.expect(0, name, "del", *wide)


@pytest.mark.parametrize("verb", (("add",), ("load",), ("load", "--replace")), ids=" ".join)
@pytest.mark.parametrize("name", LISTS)
def test_who_takes_an_expiry_away_is_told(attached, tmp_path, name, verb):
    feed = tmp_path / "feed.txt"
    feed.write_text(f"{V4}\n{V6}\n203.0.113.7\n")
    what = (V4, V6, "203.0.113.7") if verb == ("add",) else (feed,)
    attached.expect(0, name, "add", V4, V6, "--expires", "2d")
    attached.expect(0, name, "add", "203.0.113.7")
    done = attached.json(name, *verb, *what, "--expires", "2d")
    assert (done["updated"], done["lost_expiry"]) == (3, 0)
    text = attached.expect(0, name, *verb, *what).stdout
    assert "3 of those updated had an expiry and have none now" in text and "--expires" in text
    attached.expect(0, name, "add", V6, "--expires", "2d")
    assert attached.json(name, *verb, *what)["lost_expiry"] == 1
    assert not any(row["expires"] for row in rows(attached, name))
    assert "expiry" not in attached.expect(0, name, *verb, *what).stdout


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


@pytest.mark.parametrize("code, text, words", (
    (2, f"{V4}\nnonsense\n", (":2:", "nonsense")),
    (2, f"{V4} fine\n192.0.2.1/24 not\n", (":2:", "192.0.2.1/24", "192.0.2.0/24")),
    (1, f"{V4}\n\n\n127.1.2.3\n", (":4:", "127.1.2.3", "loopback")),
    (1, f"{V4}\n8.0.0.0/5\n", (":2:", "8.0.0.0/5", "10.77.1.2", "address of this host", "s0")),
    (2, f"{V4}\n" + "x" * 5000, (":2:", "4094 bytes")),
))
def test_a_file_with_a_mistake_changes_nothing(attached, tmp_path, code, text, words):
    """The exit code is that of `add` with the same words."""
    attached.expect(0, "block", "add", "203.0.113.1")
    feed = tmp_path / "feed.txt"
    feed.write_text(text)
    before = state_of(attached)
    for options in ((), ("--replace",)):
        refuse(attached.run("block", "load", feed, *options), code, f"{feed}{words[0]}", *words[1:])
        refuse(attached.run("block", "load", "-", *options, input=text), code,
               f"standard input{words[0]}", *words[1:])
    assert prefixes(attached, "block") == ["203.0.113.1"] and state_of(attached) == before


def test_files_that_are_none(attached, tmp_path):
    attached.expect(0, "block", "add", V4)
    empty = tmp_path / "empty"
    empty.write_text("# nothing today\n")
    refuse(attached.run("block", "load", tmp_path / "gone"), 2, "gone", "No such file")
    refuse(attached.run("block", "load", tmp_path), 2, tmp_path, "directory")
    refuse(attached.run("block", "load", empty, "--replace"), 2, "holds no prefix", "del --all")
    refuse(attached.run("block", "load", "-", "--replace", input=""), 2,
           "standard input: holds no prefix", "del --all")
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


def test_a_million_prefixes(attached, stage, tmp_path):
    """They are loaded while packets flow, whose source is on the list all the time: each is a hit."""
    kind = "ipv4" if stage.family == socket.AF_INET else "ipv6"
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
