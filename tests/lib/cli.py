# SPDX-License-Identifier: GPL-2.0-or-later
"""The synward command, and what it leaves in the kernel."""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile

from books import STRAYS, ServiceBooks, check_conservation
from net import Failed, run, wait_for
from objects import expect_gone, objects_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("B", "build")
BINARY = pathlib.Path(os.environ.get("SYNWARD", BUILD / "synward"))
POLICY_CHANGES = frozenset(("attach", "detach", "apply", "confirm", "rollback", "reset"))


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


def first_value(pin):
    """The first value of a pinned map: what bpftool makes of it, by names, and its bytes."""
    found = bpftool("map", "lookup", "pinned", pin, "key", *[0] * 4)
    value = found["formatted"]["value"]
    variables = value.get(f".data.{pin.name}")  # a map of one value is a variable
    return variables[0][pin.name] if variables else value, bytes(int(byte, 16) for byte in found["value"])


LEVELS = ("half_open", "connections")  # of stats: they are as they are now
QUANTILES = ("p50_us", "p90_us", "p99_us")


def difference(now, before, name=None):
    """What has been counted in between."""
    if isinstance(now, dict):
        return {key: difference(value, before.get(key), key) for key, value in now.items()}
    if isinstance(now, list) and isinstance(before, list) and len(now) == len(before):
        return [difference(*pair) for pair in zip(now, before)]
    if type(now) is int and type(before) is int and name not in QUANTILES:
        return now - before
    return now


def since(now, before):
    return {**difference(now, before), **{name: now[name] for name in LEVELS}}


class Synward:
    """The command with a pin directory of its own, and, where it is to save, a state directory."""

    def __init__(self, pin_dir, state_dir="/nonexistent/synward"):
        self.pin_dir = pathlib.Path(pin_dir)
        self.state_dir = pathlib.Path(state_dir)
        self.secret_file = self.state_dir / "cookie.key"
        self.services = ServiceBooks()
        self.before = None  # what stats said when a test began that does not have it for itself

    def environment(self, **changes):
        inherited = {name: value for name, value in os.environ.items()
                     if name not in ("SYNWARD_PIN_DIR", "SYNWARD_STATE_DIR", "NO_COLOR", "COLUMNS")}
        return {**inherited, "SYNWARD_PIN_DIR": str(self.pin_dir),
                "SYNWARD_STATE_DIR": str(self.state_dir),
                "SYNWARD_SECRET_FILE": str(self.secret_file), **changes}

    def run(self, *argv, namespace=None, **options):
        """Runs it to its end, whatever its exit code."""
        command = [BINARY, *argv]
        if namespace:
            command = namespace.command(*command)
        done = run(*command, check=False, env=self.environment(), **options)
        if POLICY_CHANGES.intersection(map(str, argv)):
            self._note_change("detach" in argv)
        return done

    def _note_change(self, detached):
        """What is counted for services is true of the policies that there were."""
        if not self.is_attached():
            self.services = ServiceBooks()
            return
        self.services.interfaces_left |= detached
        done = run(BINARY, "-j", "stats", check=False, env=self.environment())
        if done.returncode:
            self.services.whole = False
        else:
            self.services.note(json.loads(done.stdout))

    def check_books(self):
        stats = self.json("stats")
        check_conservation(stats)
        self.services.check(stats)
        return stats

    def await_books(self):
        """Waits for the last packets; then no packet is lost from the books."""
        def balanced():
            try:
                return self.check_books()
            except AssertionError:
                return None
        return wait_for(balanced, self.check_books, seconds=3)

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
        return since(self.json("stats"), self.before) if self.before else self.json("stats")

    def begin(self):
        """A test begins that shares this one with others: what they have counted is not its own."""
        self.before = None
        self.before = wait_for(self._quiet, "what the test before has left to end")
        return self

    def _quiet(self):
        stats = self.json("stats")
        return None if stats["half_open"] else stats

    def outcomes(self):
        """What is not zero of the outcomes."""
        return {name: count for name, count in self.stats()["handshakes"].items() if count}

    def is_attached(self):
        return (self.pin_dir / "maps" / "identity").exists()

    def objects(self):
        """All that lives in the kernel by our pins: also what has none of its own."""
        return objects_of(path for where in ("maps", "lists")
                          for path in (self.pin_dir / where).glob("*"))

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


LIVE = []  # those that a test is using


def what_they_say():
    """For a test that failed: each command, and what it says of every synward that is in use."""
    for one in LIVE:
        for command in (("status",), ("stats", "--all"), ("events", "--count", "20", "--timeout", "1s")):
            done = run(BINARY, *command, check=False, env=one.environment())
            said = "\n".join((done.stdout + done.stderr).splitlines()[-60:])
            yield f"synward {' '.join(command)}", said


@contextlib.contextmanager
def fresh(pin_dir, state_dir):
    """One that is detached in the end; until then no packet may be lost from the books."""
    made = Synward(pin_dir, state_dir)
    LIVE.append(made)
    try:
        yield made
        if made.is_attached():
            made.await_books()
            ours = made.objects()
            made.expect(0, "detach", "--all")
            expect_gone(ours)
        assert not made.pin_dir.exists()
    finally:
        LIVE.remove(made)
        made.run("detach", "--all", "--force")
        shutil.rmtree(made.pin_dir, ignore_errors=True)
