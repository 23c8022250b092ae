# SPDX-License-Identifier: GPL-2.0-or-later
"""The test programs that there are: how each is run, and how its log says what passed."""

import collections.abc
import dataclasses
import os
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("B", "build"))
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
FUZZ_SECONDS = os.environ.get("FUZZ_SECONDS", "10")
PYTEST = (PYTHON, "-m", "pytest", "-p", "no:cacheprovider", "-ra", "--color=no")
NOT_HERE = 77  # the exit code of a program that cannot be run on this machine

# Programs that measure the machine itself, so that nothing may run beside them, and why.
ALONE = {}

# Programs that look after threads of the kernel and at the machine's own network.
# Or fetch packages.
MACHINE = {"e2e/test_bench_flood", "e2e/test_bench_scrape", "e2e/test_bench_cost", "image/test_image", "deb/test_traffic"}

# Suites whose programs make a place of their own, for which they need the machine's network.
ELSEWHERE = {"deb"}

# What is known of the time that a program, or one of a suite, takes when it has never been run here:
# seconds. Long ones begin first.
GUESSES = {"vm": 200, "deb": 100, "floor": 80, "red": 70, "e2e": 25, "field": 30, "model": 30, "config": 20,
           "fuzz": int(FUZZ_SECONDS),
           **dict.fromkeys(("e2e/test_scans", "e2e/test_outcomes", "e2e/test_flood_way",
                            "e2e/test_policy_saved", "e2e/test_policy", "e2e/test_lists",
                            "e2e/test_interop", "replay/test_replay"), 60)}
GUESS = 10


@dataclasses.dataclass
class Counts:
    """Test cases, and the names of those that failed."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list = dataclasses.field(default_factory=list)

    def __str__(self):
        words = [f"{self.passed:5} passed"]
        words += [f"{self.failed} failed"] if self.failed else []
        words += [f"{self.skipped} skipped"] if self.skipped else []
        return ", ".join(words)


@dataclasses.dataclass(frozen=True)
class Program:
    """A test program: one line of a run, one log."""

    suite: str
    name: str
    argv: tuple
    count: collections.abc.Callable  # its log and exit code -> Counts
    world: tuple = ("tests/world",)  # what puts it into one of its own, if it needs one

    @property
    def path(self):
        return f"{self.suite}/{self.name}"

    @property
    def guess(self):
        return GUESSES.get(self.path, GUESSES.get(self.suite, GUESS))


# ---- what logs say

def count_cmocka(log, code):
    def total(word):
        return sum(map(int, re.findall(rf"^\[ +{word} +\] (\d+) test", log, re.M)))

    named = re.findall(r"^\[  FAILED  \] (?!\d+ test)(?:\w+: )?(.+)$", log, re.M)
    return Counts(total("PASSED"), total("FAILED"), total("SKIPPED"), sorted(set(named)))


def count_pytest(log, code):
    found = Counts()
    lines = re.findall(r"^=* ?((?:\d+ \w+, )*\d+ \w+) in [\d.]+s", log, re.M)
    for number, word in re.findall(r"(\d+) (\w+)", lines[-1] if lines else ""):
        if word in ("passed", "xfailed"):
            found.passed += int(number)
        elif word in ("failed", "error", "errors", "xpassed"):
            found.failed += int(number)
        elif word == "skipped":
            found.skipped += int(number)
    # parameters may hold blanks, and what it failed with comes behind a dash
    found.failures = re.findall(r"^(?:FAILED|ERROR) \S*?::(\S+?(?:\[.*?\])?)(?= - |$)", log, re.M)
    return found


def count_exit(log, code):
    """Of a program that is one test case."""
    return Counts(int(code == 0), int(code not in (0, NOT_HERE)), int(code == NOT_HERE))


def count_elsewhere(log, code):
    """Tests in another place, if there is one; else the log says why there is none."""
    return Counts(skipped=1) if code == NOT_HERE else count_pytest(log, code)


# ---- what there is

def sources(suite, pattern):
    return sorted((TOP / "tests" / suite).glob(pattern))


def in_c(suite):
    """The sources name the programs, so that one that was not built is missed."""
    return [Program(suite, source.stem, (BUILD / "tests" / suite / source.stem,), count_cmocka)
            for source in sources(suite, "test_*.c")]


def in_python(suite):
    def world(path):
        if path in MACHINE:
            return "tests/world", "--machine"
        return () if suite in ELSEWHERE else ("tests/world",)

    return [Program(suite, source.stem, (*PYTEST, source.relative_to(TOP)), count_pytest,
                    world(f"{suite}/{source.stem}")) for source in sources(suite, "test_*.py")]


def checks(suite):
    return [Program(suite, source.name, (source.relative_to(TOP),), count_exit, world=())
            for source in sources(suite, "*")
            if source.is_file() and os.access(source, os.X_OK) and source.name != "red"]


def reds(suite):
    return [Program(suite, "checks", ("tests/check/red",), count_exit, world=())]


def fuzzers(suite):
    return [Program(suite, source.stem, ("tests/fuzz/short", source.stem, FUZZ_SECONDS), count_exit)
            for source in sources(suite, "fuzz_*.c")]


def under(series, suite, *options):
    """The tests of tests/vm, under another kernel; pytest's options choose of them."""
    how = ("--if-here",) if options else ()
    return Program(suite, f"linux-{series}",
                   ("tests/vm/vm", *how, series, "tests/world", "--machine", "env",
                    f"KERNEL={series}", *PYTEST, *options, "tests/vm"), count_elsewhere, world=())


def kernels(suite):
    return [under(series, suite) for series in ("6.1", "6.12")]


def floor(suite):
    return [under("6.1", suite, "-k", "kernel_is or verifier or hooks")]


SUITES = {
    "check": checks,  # the rules that the source keeps
    "red": reds,  # each of those can be broken
    "runner": in_python,  # what runs the tests sees what it is there for
    "unit": in_c,  # the core on the host
    "config": lambda suite: in_c(suite) + in_python(suite),  # the policy file
    "packaging": in_python,  # what is installed with the program
    "fuzz": fuzzers,  # the core, bytes from libFuzzer
    "prog": in_c,  # the loaded program
    "model": in_c,  # host and program agree
    "oracle": in_python,  # captures against another judge
    "replay": in_python,  # made captures of every kind
    "e2e": in_python,  # real stacks in namespaces
    "page": in_python,  # the exporter's page, if there is a browser
    "field": in_python,  # the flood defence in set-ups that people have
    "floor": floor,  # the oldest kernel takes the programs, if it is here
    "deb": in_python,  # the Debian package
    "image": in_python,  # the OCI image
    "fleet": in_python,  # what carries synward to many hosts
    "vm": kernels,  # other kernels, in emulated machines
}


def find(words):
    """The programs that words name: SUITE or SUITE/NAME. A LookupError says what is wrong."""
    found = []
    for word in words:
        suite, _, name = word.partition("/")
        if suite not in SUITES:
            raise LookupError(f"no suite is called {suite}: there are {' '.join(SUITES)}")
        there = [one for one in SUITES[suite](suite) if name in ("", one.name)]
        if not there:
            raise LookupError(f"{word}: there is no such test program" if name else
                              f"{suite}: this suite has no test program")
        found += [one for one in there if one not in found]
    return found
