# SPDX-License-Identifier: GPL-2.0-or-later
"""What the program's help says: its commands, their verbs and their options."""

import re
import subprocess

from cli import BINARY, BUILD

OPTION = re.compile(r"^ {2}(?:-\w, | {4})--([a-z-]+)( \S+)?", re.M)


def said(*argv):
    return subprocess.run(argv, text=True, capture_output=True, check=True, timeout=60).stdout


def help_of(*words):
    return said(BINARY, "help", *words)


def listed(text, heading):
    """The first words of the lines below a heading."""
    section = re.search(rf"^{heading}:\n((?:  .*\n)+)", text, re.M)
    return re.findall(r"^  ([a-z-]+) ", section[1], re.M) if section else []


HELP = {"": help_of()}
for command in listed(HELP[""], "Commands"):
    HELP[command] = help_of(command)
    for verb in listed(HELP[command], "Verbs"):
        HELP[f"{command} {verb}"] = help_of(command, verb)
# {command, or "" for synward itself: its verbs}, {command: {option: what the help calls its argument}}
VERBS = {name: listed(text, "Verbs" if name else "Commands") for name, text in HELP.items()}
OPTIONS = {name: {option: argument.strip() for option, argument in OPTION.findall(text)}
           for name, text in HELP.items()}
EXPORTER_OPTIONS = sorted(f"--{option}" for option, _ in
                          OPTION.findall(said(BUILD / "synward-exporter", "--help")))
