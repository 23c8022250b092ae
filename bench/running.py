# SPDX-License-Identifier: GPL-2.0-or-later
"""What every long measurement has: cores to choose, progress to tell, files to write."""

import json
import os
import pathlib
import platform
import signal
import sys
import time

import peers
from stage import Cores, Failed, sweep


def parse_cores(text):
    words = text.split(",")
    usable = os.sched_getaffinity(0)
    if (len(words) not in (2, 3) or len(set(words[:2])) < 2 or
            not all(word.isdigit() and int(word) in usable for word in words)):
        raise ValueError(f"--cores {text}: expected two of {sorted(usable)}, the flood's and the "
                         "victim's, and perhaps the wire's")
    flood, victim, *wire = map(int, words)
    return Cores(flood, victim, wire[0] if wire else flood)


class Progress:
    def __init__(self, total):
        self.total = total
        self.done = 0
        self.began = time.monotonic()

    def begin(self, text):
        self.done += 1
        passed = time.monotonic() - self.began
        left = passed / (self.done - 1) * (self.total - self.done + 1) if self.done > 1 else None
        more = f"{left // 60:.0f}:{left % 60:02.0f} left" if left is not None else ""
        print(f"[{self.done:>2}/{self.total}] {more:<9} {text:<34} ", end="", flush=True)

    def skip(self, count):
        self.total -= count

    @staticmethod
    def end(text):
        print(text, flush=True)


def machine():
    """Which machine this was, without its name."""
    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    model = [line.split(":", 1)[1].strip() for line in cpu.splitlines()
             if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"kernel": platform.release(), "architecture": platform.machine(),
            "cpu": model[0] if model else platform.machine(), "cores": os.cpu_count(),
            "memory_bytes": memory, "virtual": " hypervisor" in cpu}


def write(path, text):
    """All of the file or, if that fails, none of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(path.suffix + ".new")
    new.write_text(text)
    new.replace(path)
    return path


def begin(name):
    """For the target of make that is called so. A process that is asked to end takes everything down."""
    if os.geteuid():
        sys.exit(f"{name}: needs root, for network namespaces and BPF: sudo make {name}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))


def measure(name, run, output, table, draw=None):
    """
    Runs the measurement, prints the table of its result, and writes that and its picture, if it has one, into the
    folder output.
    Returns the result; none if it was interrupted.
    """
    sweep()
    try:
        result = run()
    except (Failed, AssertionError, OSError, peers.Unavailable) as error:
        sys.exit(f"\n{name}: {error}")
    except KeyboardInterrupt:
        print(f"\n{name}: interrupted; everything is taken down again", file=sys.stderr)
        return None
    print()
    print("\n".join(table(result)))
    written = [write(output / f"{name}.json", json.dumps(result, indent=1) + "\n")]
    if draw:
        written.append(write(output / f"{name}.svg", draw(result)))
    print(f"\nin {' and '.join(map(str, written))}")
    return result
