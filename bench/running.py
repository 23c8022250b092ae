# SPDX-License-Identifier: GPL-2.0-or-later
"""What every long measurement has: cores to choose, progress to tell, files to write."""

import os
import pathlib
import platform
import time

from stage import Cores


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
