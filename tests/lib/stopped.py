# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that are killed, or fail, at each step that changes something (tests/e2e/stopped.c)."""

import itertools
import os
import pathlib
import signal
import subprocess

from net import Failed, run, wait_for

SOURCES = pathlib.Path(__file__).resolve().parents[1] / "e2e"
THOROUGH = os.environ.get("THOROUGH", "") not in ("", "0")  # all of what else is a sample


def build(directory, name="stopped"):
    """A library that is loaded before libc, by LD_PRELOAD."""
    library = directory / f"{name}.so"
    run("cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, SOURCES / f"{name}.c")
    return library


def _label(line):
    """Pins of the same kind of thing are one step as another."""
    what, _, path = line.partition(" ")
    *_, parent, name = ("", "", *path.split("/"))
    return what, parent if parent in ("maps", "lists") else name


class Stops:
    """One command of a synward, by some program."""

    def __init__(self, library, synward, namespace, command, program):
        self.library, self.synward, self.namespace = library, synward, namespace
        self.command, self.program = [program, *command], program

    def _run(self, **changes):
        return run(*self.namespace.command(*self.command), check=False,
                   env=self.synward.environment(LD_PRELOAD=str(self.library), **changes))

    def lines(self, directory):
        """Runs it to its end. What each of its steps does."""
        log = directory / "steps"
        log.unlink(missing_ok=True)
        done = self._run(STEPS=str(log))
        if done.returncode:
            raise Failed(f"{self.command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return log.read_text().splitlines()

    def steps(self, directory):
        """Runs it to its end. The numbers of its steps, one of each kind; a sample, unless THOROUGH."""
        lines = self.lines(directory)
        if THOROUGH:
            return [number for number, line in enumerate(lines, 1)]
        chosen, number = [], 1
        for (what, name), group in itertools.groupby(lines, _label):
            if not (what == "unlink" and name.endswith("_next")):  # nothing is there
                chosen.append(number)
            number += len(list(group))
        return chosen

    def kill(self, step):
        done = self._run(STOP_AT=str(step))
        assert done.returncode == -signal.SIGKILL, (self.command, step, done)

    def fail(self, step):
        return self._run(STOP_AT=str(step), STOP_HOW="fail")

    def starve(self):
        """There is no memory for its programs."""
        return self._run(STOP_HOW="memory")

    def hold(self, step, meanwhile=lambda: None, interrupt=None):
        """
        Has it wait before the step, or before it opens a pin whose path ends so, until meanwhile() is done. Then a signal may be there for it. Returns it when it has
        ended, as run() does.
        """
        where = {"STOP_GET": step} if isinstance(step, str) else {"STOP_AT": str(step), "STOP_HOW": "wait"}
        environment = self.synward.environment(LD_PRELOAD=str(self.library), **where)
        with subprocess.Popen([str(word) for word in self.namespace.command(*self.command)], text=True, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                wait_for(lambda: os.waitpid(process.pid, os.WUNTRACED | os.WNOHANG)[0], "the step")
                meanwhile()
                if interrupt:
                    process.send_signal(interrupt)
            finally:
                process.send_signal(signal.SIGCONT)
            out, told = process.communicate(timeout=60)
        return subprocess.CompletedProcess(self.command, process.returncode, out, told)
