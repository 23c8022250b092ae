# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal that a test can type into and look at: a tmux server of our own, with one window."""

import itertools
import os
import re

from net import run, wait_for

NUMBERS = itertools.count()
PROMPT = "at your service:"


class Terminal:
    """A shell in a terminal. Close it, or leave the with block, and all of it is gone."""

    def __init__(self, environment, columns=80, rows=24):
        self.name = f"swtest{os.getpid()}-{next(NUMBERS)}"
        shell = ["env", "-i", *[f"{name}={value}" for name, value in environment.items()
                                if name not in ("TERM", "LC_ALL", "NO_COLOR", "COLUMNS")],
                 "LC_ALL=C.UTF-8", "TERM=screen-256color", f"PS1={PROMPT} ", "bash", "--norc",
                 "--noprofile"]
        self.tmux("-u", "-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", rows, *shell)
        self.wait(PROMPT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")

    def tmux(self, *argv):
        return run("tmux", "-L", self.name, *argv).stdout

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def press(self, *keys):
        """Keys by the names that tmux has for them."""
        self.tmux("send-keys", *keys)

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", columns, "-y", rows)

    def lines(self, escapes=False):
        """What is on the screen."""
        return self.tmux("capture-pane", "-p", *(["-e"] if escapes else [])).split("\n")[:-1]

    def wait(self, wanted, escapes=False):
        """Waits until a pattern, or a condition on the lines, is there. Returns the lines."""
        def there():
            lines = self.lines(escapes)
            if wanted(lines) if callable(wanted) else re.search(wanted, "\n".join(lines)):
                return lines
            return None
        return wait_for(there, lambda: f"{wanted} on:\n" + "\n".join(self.lines(escapes)))

    def modes(self):
        """Whether a program has the screen, and whether the cursor is hidden."""
        screen, cursor = self.tmux("list-panes", "-F", "#{alternate_on} #{cursor_flag}").split()
        return screen == "1", cursor == "0"

    def settings(self):
        """What the terminal does with what is typed and printed, its size not."""
        path = self.tmux("list-panes", "-F", "#{pane_tty}").strip()
        return re.sub(r"rows \d+; columns \d+;", "", run("stty", "-a", "-F", path).stdout)

    def command(self, line):
        """Types a command, and returns a function that waits for its end and returns its code."""
        self.type("clear")
        self.press("Enter")
        self.wait(lambda lines: lines[0].startswith(PROMPT) and not any(lines[1:]))
        self.type(f"{line}; echo ended: $?")
        self.press("Enter")

        def ended():
            lines = self.wait(r"(?m)^ended: \d+$")
            return int(re.search(r"(?m)^ended: (\d+)$", "\n".join(lines))[1])
        return ended
