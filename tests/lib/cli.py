# SPDX-License-Identifier: GPL-2.0-or-later
"""The synward command, and what it leaves in the kernel."""

import contextlib
import dataclasses
import json
import os
import pathlib
import tempfile

from net import Failed, run, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("B", "build")
BINARY = pathlib.Path(os.environ.get("SYNWARD", BUILD / "synward"))
STRAYS = ("midstream", "illegal_first", "undecodable")  # these never had an entry that was open


@contextlib.contextmanager
def private_bpffs(prefix="swtest"):
    """A bpffs of our own, so that nothing here meets what is attached on this machine."""
    base = pathlib.Path("/run") if os.access("/run", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix=prefix, dir=base) as path:
        run("mount", "-t", "bpf", "bpf", path)
        try:
            yield pathlib.Path(path)
        finally:
            run("umount", "-l", path)


@dataclasses.dataclass(frozen=True)
class Objects:
    """Ids of what is in the kernel."""

    programs: frozenset
    maps: frozenset
    links: frozenset

    def __and__(self, other):
        return Objects(self.programs & other.programs, self.maps & other.maps,
                       self.links & other.links)

    def __bool__(self):
        return bool(self.programs or self.maps or self.links)

    def __str__(self):
        return ", ".join(f"{field.name} {sorted(getattr(self, field.name))}"
                         for field in dataclasses.fields(self))


def bpftool(*argv):
    """What bpftool says, asked again while an object that it lists is just being freed (EAGAIN)."""
    def answer():
        done = run("bpftool", "-j", *argv, check=False)
        if not done.returncode:
            return done
        if "Resource temporarily unavailable" in done.stdout + done.stderr:
            return None
        raise Failed(f"bpftool {' '.join(argv)}: {done.stdout}{done.stderr}")

    return json.loads(wait_for(answer, "bpftool to get through its list").stdout or "[]")


def all_objects():
    """Everything of BPF on this machine."""
    return Objects(*(frozenset(one["id"] for one in bpftool(kind, "show"))
                     for kind in ("prog", "map", "link")))


class Synward:
    """The command with a pin directory of its own, and, where it is to save, a state directory."""

    def __init__(self, pin_dir, state_dir="/nonexistent/synward"):
        self.pin_dir = pathlib.Path(pin_dir)
        self.state_dir = pathlib.Path(state_dir)

    def environment(self, **changes):
        inherited = {name: value for name, value in os.environ.items()
                     if name not in ("SYNWARD_PIN_DIR", "SYNWARD_STATE_DIR", "NO_COLOR")}
        return {**inherited, "SYNWARD_PIN_DIR": str(self.pin_dir),
                "SYNWARD_STATE_DIR": str(self.state_dir), **changes}

    def run(self, *argv, namespace=None, **options):
        """Runs it to its end, whatever its exit code."""
        command = [BINARY, *argv]
        if namespace:
            command = namespace.command(*command)
        return run(*command, check=False, env=self.environment(), **options)

    def expect(self, code, *argv, **options):
        done = self.run(*argv, **options)
        if done.returncode != code:
            raise Failed(f"synward {' '.join(map(str, argv))}: exit {done.returncode}, expected "
                         f"{code}\n{done.stdout}{done.stderr}")
        return done

    def attach(self, *ends, options=(), code=0):
        """Attaches ends of one namespace."""
        return self.expect(code, "attach", *options, *[end.name for end in ends],
                           namespace=ends[0].namespace)

    def json(self, *argv, **options):
        return json.loads(self.expect(0, "-j", *argv, **options).stdout)

    def stats(self):
        return self.json("stats")

    def outcomes(self):
        """What is not zero of the outcomes."""
        return {name: count for name, count in self.stats()["handshakes"].items() if count}

    def is_attached(self):
        return (self.pin_dir / "maps" / "identity").exists()

    def objects(self):
        """All that lives in the kernel by our pins: also what has none of its own."""
        pinned = frozenset(bpftool("map", "show", "pinned", path)["id"]
                           for where in ("maps", "lists")
                           for path in (self.pin_dir / where).glob("*"))
        programs = [one for one in bpftool("prog", "show")
                    if pinned.intersection(one.get("map_ids", []))]
        ids = frozenset(one["id"] for one in programs)
        return Objects(ids, pinned.union(*(one["map_ids"] for one in programs)),
                       frozenset(one["id"] for one in bpftool("link", "show")
                                 if one.get("prog_id") in ids))

    def wait_settled(self, opened):
        """Waits until so many attempts have begun and each has an end. Returns the stats."""
        def settled():
            stats = self.stats()
            done = stats["tallies"]["attempts_opened"] >= opened and not stats["half_open"]
            return stats if done else None
        return wait_for(settled,
                        lambda: f"{opened} attempts to end: {json.dumps(self.stats(), indent=1)}")

    def expect_outcomes(self, **expected):
        """Waits until every attempt has ended; then the outcomes are these and no others."""
        stats = self.wait_settled(sum(count for name, count in expected.items()
                                      if name not in STRAYS))
        found = {name: count for name, count in stats["handshakes"].items() if count}
        assert found == expected
        return stats


def check_conservation(stats):
    """Nothing is counted twice and nothing forgotten. Exact only when no packet is under way."""
    for interface in stats["interfaces"]:
        for direction in ("ingress", "egress"):
            one = interface[direction]
            where = f"{interface['name']} {direction}: {one}"
            assert one["seen"] == one["passed"] + one["dropped"] + one["answered"], where
            assert one["seen"] == sum(one["kinds"].values()) + one["forwarded"], where
            assert one["conserved"], where
    tallies, outcomes = stats["tallies"], stats["handshakes"]
    judged = sum(count for name, count in outcomes.items() if name not in STRAYS)
    assert tallies["attempts_closed"] == judged + tallies["attempts_evicted"], tallies
    assert tallies["attempts_opened"] == tallies["attempts_closed"] + stats["half_open"], tallies
    assert stats["conservation"]["holds"], stats["conservation"]


def is_conserved(stats):
    try:
        check_conservation(stats)
    except AssertionError:
        return False
    return True


def expect_gone(objects):
    """The kernel frees programs and maps a moment after their last user has gone."""
    wait_for(lambda: not all_objects() & objects, lambda: f"the end of {all_objects() & objects}")
