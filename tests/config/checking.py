# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of policy files share: check-config, and its one line when it refuses."""

import json
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SYNWARD", ROOT / os.environ.get("B", "build") / "synward"))
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.yaml"))

LINE = re.compile(r"synward: (?P<path>[^:\n]+)(?::(?P<line>[1-9][0-9]*))?: (?P<text>[^\n]+)\n")


def run(*argv, **options):
    return subprocess.run([BINARY, *argv], capture_output=True, check=False, timeout=60, **options)


def check(path, *options):
    return run("check-config", *options, path)


def refusal(done, path):
    """The (line, text) of a file that is refused; the line is None where there is none."""
    assert done.returncode == 2, done
    assert done.stdout == b""
    match = LINE.fullmatch(done.stderr.decode())
    assert match and match["path"] == str(path), done.stderr
    return match["line"] and int(match["line"]), match["text"]


def meaning(path):
    """What a sound file says, as JSON."""
    done = check(path, "-j")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
