# SPDX-License-Identifier: GPL-2.0-or-later
"""
Names that others have chosen. The kernel takes nearly every byte for the name of an interface: what a
terminal would obey does not reach it, and what is not UTF-8 leaves JSON and the metrics valid.
"""

import json
import os
import re
import subprocess

import pytest

from causes import QUICK
from cli import BINARY

# name, as people and metrics get it, as JSON has it
NAMES = (
    (b"\xff\xfe", r"\xff\xfe", r"\xff\xfe"),
    (b"e\x1b[31m", r"e\x1b[31m", "e\x1b[31m"),
    (b"e\xc2\x9b31m", r"e\xc2\x9b31m", "e\x9b31m"),
    ("grün".encode(), "grün", "grün"),
)
VERBS = (("status",), ("stats",), ("stats", "--prometheus"), ("policy", "show"))


@pytest.fixture(params=NAMES, ids=("not-utf8", "escape", "c1", "plain"))
def named(request, pair, synward):
    raw, shown, exact = request.param
    space = pair[1].namespace
    space.ip("link", "set", "s0", "down")
    space.ip("link", "set", "s0", "name", os.fsdecode(raw))
    space.ip("link", "set", os.fsdecode(raw), "up")
    return raw, shown, exact


def said(synward, *command):
    """Bytes, as they come."""
    return subprocess.run(command, env=synward.environment(), capture_output=True, check=False,
                          timeout=60)


def ask(synward, pair, *argv):
    return said(synward, *pair[1].namespace.command(BINARY, *argv))


def is_fit(text):
    return not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_names_in_all_that_is_printed(named, pair, synward):
    raw, shown, exact = named
    name = os.fsdecode(raw)
    done = ask(synward, pair, "attach", *QUICK, name)
    assert done.returncode == 0 and shown in done.stdout.decode(), done
    for verb in VERBS:
        text = ask(synward, pair, *verb).stdout.decode()
        assert is_fit(text), (verb, text)
    assert shown in ask(synward, pair, "status").stdout.decode()
    assert f'interface="{shown}"'.replace("\\", "\\\\") in \
        ask(synward, pair, "stats", "--prometheus").stdout.decode()
    for verb in ("status", "stats"):
        assert json.loads(ask(synward, pair, "-j", verb).stdout)["interfaces"][0]["name"] == exact
    doctor = ask(synward, pair, "doctor", name)
    assert is_fit(doctor.stdout.decode()) and is_fit(doctor.stderr.decode())
    json.loads(ask(synward, pair, "-j", "doctor", name).stdout)
    done = ask(synward, pair, "detach", name)
    assert done.returncode == 0 and shown in done.stdout.decode() and is_fit(done.stdout.decode())


@pytest.mark.parametrize("raw, shown, _", NAMES, ids=("not-utf8", "escape", "c1", "plain"))
def test_what_was_typed_comes_back_readable(synward, raw, shown, _):
    """In an error, too, and as JSON."""
    done = said(synward, BINARY, "-j", "detach", os.fsdecode(raw))
    assert shown in done.stderr.decode() and is_fit(done.stderr.decode())
    assert shown in json.loads(done.stdout)["error"]
