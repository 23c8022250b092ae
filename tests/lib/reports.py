# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests want to know of a report: its names, its samples, how it looks on a terminal."""

import os
import pty
import re
import subprocess

from cli import BINARY, ROOT


def declared(header, start):
    """The names in the X-macro lists of a header, from a macro on."""
    text = (ROOT / "include/synward" / header).read_text()
    return re.findall(r"^\tX\(\s*[A-Z0-9_]+,\s*([a-z0-9_]+),", text[text.index(start):], re.M)


def samples(metrics, name):
    """The samples of one metric: their labels and values."""
    return {labels or "": float(value) for labels, value in
            re.findall(rf"^synward_{name}(?:{{(.*)}})? (\S+)$", metrics, re.M)}


def on_terminal(synward, *argv, **changes):
    """What a command prints to a terminal of 80 columns."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([BINARY, *argv], stdout=follower, stderr=follower, stdin=follower,
                               env=synward.environment(TERM="xterm", COLUMNS="80", **changes))
    os.close(follower)
    output = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # a terminal without processes
            part = b""
        if not part:
            break
        output += part
    os.close(leader)
    process.wait(timeout=20)
    return output.decode()


def too_wide(text):
    return [line for line in text.splitlines() if len(line.expandtabs()) > 80]
