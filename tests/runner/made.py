# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree with the tools of the tests and made-up test programs, and how to see what those leave."""

import contextlib
import os
import pathlib
import secrets
import shutil
import subprocess
import sys

from cli import bpftool
from net import run, stop, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ("tests/run", "tests/soak", "tests/world", "tests/lib/programs.py", "tests/lib/runner.py")
SETTINGS = ("B", "FUZZ_SECONDS", "STRICT", "TEST_SECONDS")
MARK = "SYNWARD_MADE"  # a variable that everything has in its environment which a tool has started

PASSES = "echo '[  PASSED  ] 1 test(s).'\n"
FAILS = "echo '[  FAILED  ] 1 test(s), listed below:'; echo '[  FAILED  ] the case'; exit 1\n"


def cause(name):
    """What a shell does to be hard to get rid of: a namespace, a wire into it, a pin, processes."""
    return f"""
        ip netns add left
        ip link add near type veth peer name far netns left
        bpftool map create /sys/fs/bpf/{name} type array key 4 value 4 entries 1 name {name}
        setsid sleep infinity &
        ip netns exec left setsid sleep infinity &
        echo ready >>ready
        sleep infinity
        """


class Tree:
    """A copy of the tools in a place of their own. Whatever runs there starts in its top."""

    def __init__(self, top):
        self.top = top
        self.mark = f"m{secrets.token_hex(5)}"  # also good as the name of a BPF map
        for name in TOOLS:
            place = top / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place)

    def script(self, name, text):
        """A program of the suite prog, which are built from C: here it is a shell's."""
        self.source(name)
        path = self.top / "build/tests/prog" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}")
        path.chmod(0o755)

    def source(self, name):
        path = self.top / "tests/prog" / f"{name}.c"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def pytest(self, name, text):
        """A program of the suite e2e."""
        path = self.top / "tests/e2e" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, name):
        return (self.top / name).read_text()

    def _how(self, settings):
        kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        return {"cwd": self.top, "env": {**kept, MARK: self.mark, **settings}}

    def run(self, *argv, code=0, **settings):
        """Runs a tool to its end and returns what it says; settings: of its environment."""
        done = run(*argv, check=False, **self._how(settings))
        assert done.returncode == code, (argv, done.returncode, done.stdout, done.stderr)
        return done.stdout if not code or done.stdout else done.stderr

    @contextlib.contextmanager
    def started(self, *argv, stdin=None, **settings):
        """A tool that is running. Whatever it has started is gone afterwards."""
        process = subprocess.Popen(argv, text=True, stdin=stdin, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **self._how(settings))
        try:
            yield process
        finally:
            stop(process)
            for pid in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)

    def lines(self, name):
        """How many lines a file has that made-up programs write."""
        path = self.top / name
        return len(path.read_text().splitlines()) if path.exists() else 0

    def processes(self, command=b""):
        """All that runs and was started by a tool of this tree; command: with that in it."""
        wanted = f"{MARK}={self.mark}".encode()
        found = []
        for place in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (wanted in (place / "environ").read_bytes().split(b"\0") and
                        command in (place / "cmdline").read_bytes()):
                    found.append(int(place.name))
        return found

    def take_wires(self):
        """
        The names of devices in this namespace, each the end of a wire into the one that cause() has
        named: it is here for as long as that is.
        """
        taken = []
        for pid in self.processes():
            name = f"{self.mark}{len(taken)}"
            move = ("nsenter", f"--target={pid}", "--net", "ip", "link", "set", "near",
                    "name", name, "netns", os.getpid())
            if not run(*move, check=False).returncode:
                taken.append(name)
        return taken

    def wait_until_gone(self, wires=()):
        """Nothing of what a tool has caused is there any more: processes, namespaces, pins."""
        wait_for(lambda: not self.processes(), lambda: f"the end of {self.processes()}")
        for wire in wires:
            place = pathlib.Path("/sys/class/net", wire)
            wait_for(lambda: not place.exists(), f"{wire} to go with the namespace at its end")
        wait_for(lambda: self.mark not in {one.get("name") for one in bpftool("map", "show")},
                 f"the pinned map {self.mark} to be gone")


def ended(process):
    """Its exit code, as a shell has it."""
    wait_for(lambda: process.poll() is not None, f"{process.args[0]} to end")
    code = process.returncode
    return code if code >= 0 else 128 - code


def children(pid):
    return [int(word) for word in
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def changed_world(change, *argv):
    """A command line of tests/world with something in it changed; change: statements of Python."""
    start = f"""
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
loader = SourceFileLoader("world", "tests/world")
world = module_from_spec(spec_from_loader("world", loader))
loader.exec_module(world)
{change}
sys.exit(world.main())
"""
    return sys.executable, "-B", "-c", start, *argv
