# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs test programs side by side, each in a world of its own, and judges them."""

import ctypes
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from programs import ALONE, BUILD, NOT_HERE, TOP, Counts

LOGS = BUILD / "test-logs"
TIMES = LOGS / "times.json"
TEST_SECONDS = int(os.environ.get("TEST_SECONDS", "1800"))  # how long a program may run
SURE = os.cpu_count() + 1  # so many may run however busy the processors are: most wait most of the time
TERM_SECONDS = 10  # and how long it may take to clean up then
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


@dataclasses.dataclass
class Result:
    """How a program ended."""

    program: object
    counts: Counts
    seconds: float
    cpu: float  # seconds of all its processes
    log: pathlib.Path
    late: bool  # it was stopped

    @property
    def ok(self):
        return not self.counts.failed


def total(results):
    counts = Counts()
    for one in results:
        counts.passed += one.counts.passed
        counts.failed += one.counts.failed
        counts.skipped += one.counts.skipped
    return counts


def dies_with_us():
    """What a child does before it becomes another program, so that it never outlives this one."""
    parent = os.getpid()

    def prepare():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # killed before the kernel was asked
            os._exit(1)
    return prepare


class Run:
    """A program that is running."""

    def __init__(self, program, log, aloud):
        self.program, self.log, self.aloud = program, log, aloud
        argv = [str(word) for word in program.argv]
        if os.geteuid() == 0:
            argv = [*program.world, *argv]
        self.began, self.stopped = time.monotonic(), None
        self._written = open(log, "wb")
        self._read = open(log, "rb")
        try:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self._written,
                                            stderr=subprocess.STDOUT, preexec_fn=dies_with_us())
        except OSError as error:
            self._written.write(f"{argv[0]}: {error.strerror}\n".encode())
            self.process = None

    def stop(self):
        """Asks it to end, and does so less politely if it does not."""
        now = time.monotonic()
        # not by Popen, which would take from poll() what has ended meanwhile
        if self.process and not self.stopped:
            self.stopped = now
            os.kill(self.process.pid, signal.SIGTERM)
        elif self.process and now - self.stopped > TERM_SECONDS:
            os.kill(self.process.pid, signal.SIGKILL)

    def is_over(self):
        """Whether it has ended, for a run that was interrupted, and that asks it to if not."""
        try:
            self.stop()
            return self.poll() is not None
        except (OSError, ValueError):
            return True  # its end was just being noted: there is no process, and files are closed

    def poll(self):
        """Its result once it has ended, else None."""
        if self.aloud:
            sys.stdout.buffer.write(self._read.read())
            sys.stdout.flush()
        if not self.process:
            return self._result(1, 0)
        # both ends are ours: nobody else waits for it
        pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
        if not pid:
            if time.monotonic() - self.began > TEST_SECONDS:
                self.stop()
            return None
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return self._result(self.process.returncode, usage.ru_utime + usage.ru_stime)

    def _problem(self, counts, code):
        """Why it has failed whatever its test cases say; None if it has not."""
        if self.stopped is not None:
            return f"stopped after {TEST_SECONDS} s"
        if not counts.passed + counts.failed + counts.skipped:
            return "it ran no test"
        # one that crashed or left something behind
        good = (0,) if counts.passed else (0, NOT_HERE)
        return f"exit code {code}" if code not in good and not counts.failed else None

    def _result(self, code, cpu):
        self._written.close()
        if self.aloud:
            sys.stdout.buffer.write(self._read.read())
            sys.stdout.flush()
        self._read.close()
        counts = self.program.count(self.log.read_text(errors="replace"), code)
        if problem := self._problem(counts, code):
            counts.failed = counts.failed or 1
            counts.failures.append(problem)
        return Result(self.program, counts, time.monotonic() - self.began, cpu, self.log,
                      self.stopped is not None)


def known_times():
    """Seconds that each program took when it was run last."""
    try:
        return json.loads(TIMES.read_text())
    except (OSError, ValueError):
        return {}


def note_times(results):
    TIMES.parent.mkdir(parents=True, exist_ok=True)
    known = {**known_times(), **{one.program.path: round(one.seconds, 1) for one in results}}
    TIMES.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


class Processors:
    """How busy the machine's processors are, by what the kernel has counted."""

    SECONDS = 1  # over which they are looked at

    def __init__(self):
        self._began, self._before = time.monotonic(), self._counted()

    @staticmethod
    def _counted():
        """Ticks in which they had nothing to do, and all of them."""
        words = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
        ticks = [int(word) for word in words]
        return ticks[3] + ticks[4], sum(ticks)

    def are_idle(self):
        """Whether a tenth of them was of late; no, if that is not known or was said within a second."""
        now = time.monotonic()
        if now - self._began < self.SECONDS:
            return False
        (idle, total), (idle_before, total_before) = self._counted(), self._before
        self._began, self._before = now, (idle, total)
        return (idle - idle_before) * 10 > total - total_before


def may_begin(program, running, jobs, processors):
    """Whether there is a place for it: few have one for sure, others only while the processors are idle."""
    if program.path in ALONE:
        return not running
    if len(running) >= min(jobs, SURE):
        return len(running) < jobs and processors.are_idle()
    return True


class Status:
    """On a terminal: a line that says what is going on, until something else is printed."""

    def __init__(self, total):
        self.total, self.shown = total, False
        self.wanted = sys.stdout.isatty()

    def show(self, done, running):
        if self.wanted:
            names = " ".join(one.program.path for one in running)
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\033[K{f'{done} of {self.total} ended; {names}'[:width]}", end="", flush=True)
            self.shown = True

    def clear(self):
        if self.shown:
            print("\r\033[K", end="")
            self.shown = False


def run_all(programs, jobs, aloud, report, suffix="", logs=LOGS):
    """
    Runs programs, so many at a time or fewer where they keep the processors busy, and calls report with
    each result, in the order of programs. Returns the results in that order. Those that have to be alone
    run last, one by one.
    """
    logs.mkdir(parents=True, exist_ok=True)
    known, status, processors = known_times(), Status(len(programs)), Processors()
    waiting = sorted(programs, key=lambda one: (one.path in ALONE,
                                                -known.get(one.path, one.guess)))
    running, ended, reported = [], {}, 0
    try:
        while waiting or running:
            while waiting and may_begin(waiting[0], running, jobs, processors):
                program = waiting.pop(0)
                log = logs / f"{program.suite}-{program.name}{suffix}.log"
                running.append(Run(program, log, aloud))
                status.show(len(ended), running)
            for one in tuple(running):
                if result := one.poll():
                    running.remove(one)
                    ended[one.program.path] = result
                    status.show(len(ended), running)
            while reported < len(programs) and programs[reported].path in ended:
                status.clear()
                report(ended[programs[reported].path])
                reported += 1
            time.sleep(0.02)
    finally:
        status.clear()
        deadline = time.monotonic() + 2 * TERM_SECONDS
        while running and time.monotonic() < deadline:
            running = [one for one in running if not one.is_over()]
            time.sleep(0.02)
    note_times(ended.values())
    return [ended[one.path] for one in programs]


def go_to_top():
    os.chdir(TOP)
