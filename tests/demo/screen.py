# SPDX-License-Identifier: GPL-2.0-or-later
"""How the demo looks."""

import os
import sys
import textwrap

WIDTH = 40


class Screen:
    """Plain text. Colours and lines that move are for terminals, and NO_COLOR is honoured."""

    def __init__(self):
        self.moves = sys.stdout.isatty()
        self.colours = self.moves and not os.environ.get("NO_COLOR")
        self.good = True

    def paint(self, text, code):
        return f"\033[{code}m{text}\033[0m" if self.colours else text

    def title(self, text):
        print(f"\n{self.paint(text, '1')}")

    def verdict(self, right):
        self.good = self.good and bool(right)
        return self.paint("ok", "32") if right else self.paint("MISMATCH", "1;31")

    def words(self, text, right, indent=""):
        """Lines of words, of which the last has the verdict."""
        *lines, last = textwrap.wrap(text, 75, initial_indent=indent, subsequent_indent=indent)
        for line in lines:
            print(f"  {line}")
        print(f"  {last:<75} {self.verdict(right)}")

    def bar(self, text, part, whole, last=None):
        """A line that is drawn again and again; off a terminal only its last state is."""
        last = part == whole if last is None else last
        if not self.moves and not last:
            return
        done = WIDTH * part // whole
        line = f"  {text:<22} {self.paint('#' * done, '36')}{'.' * (WIDTH - done)} {part:>7,}"
        print(f"\r{line}" if self.moves else line, end="\n" if last else "", flush=True)
