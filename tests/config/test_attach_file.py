# SPDX-License-Identifier: GPL-2.0-or-later
"""The file of `synward attach --config`: what is refused, and that every option can be said in it."""

import re
import subprocess

import pytest

from checking import BINARY, ROOT

NOBODY = "nobody0"  # an interface that is not there: a file that is sound gets as far as to miss it
EXAMPLE = ROOT / "packaging" / "attach.yaml"
PAGE = ROOT / "docs" / "man" / "synward-attach.yaml.5.scd"
HELP = subprocess.run((BINARY, "help", "attach"), text=True, capture_output=True, check=True).stdout
OPTIONS = re.findall(r"^ {2}(?:-\w, | {4})--([a-z-]+)", HELP.split("Options of every")[0], re.M)
# a repeated option has one key for all of its values; where the file is, it does not say itself
KEYS = {"version", "interfaces", "timeouts"} | \
       {name.replace("-", "_") for name in OPTIONS} - {"config", "timeout"}
ALL = ("expected version, interfaces, timeouts, mode, tc, handshakes, connections, events_per_second, "
       "flood_way or checksums")


def attach(file, *words):
    return subprocess.run((BINARY, "attach", "--config", file, *words), text=True,
                          capture_output=True, timeout=60)


def is_sound(file):
    done = attach(file, NOBODY)
    return done.returncode == 1 and f"no interface {NOBODY} here" in done.stderr


REFUSED = [
    ("", "1: the file is empty; expected at least: version: 1"),
    ("mode: auto", "1: the file: has no key version; add it"),
    ("version: 2", "1: version: 2: expected 1, the only one that this synward knows"),
    ("version: 1\nmodes: auto", "2: unknown key modes in the file: did you mean mode?"),
    ("version: 1\nconfig: other.yaml", f"2: unknown key config in the file: {ALL}"),
    ("version: 1\nflood-way: auto", "2: unknown key flood-way in the file: did you mean flood_way?"),
    ("version: 1\nmode: fast", "2: mode: fast: expected auto, native, generic or tc"),
    ("version: 1\nmode: [auto]", "2: mode: expected one value, got a list"),
    ("version: 1\ntc: xdp", "2: tc: xdp: expected auto, tcx or clsact"),
    ("version: 1\n\nhandshakes: 5",
     "3: handshakes: 5: expected a whole number from 1,024 to 16,777,216"),
    ("version: 1\nconnections: 1e6",
     "2: connections: 1e6: expected a whole number from 1,024 to 16,777,216"),
    ("version: 1\nevents_per_second: -1",
     "2: events_per_second: -1: expected a whole number from 0 to 4,294,967,295"),
    ("version: 1\nchecksums: maybe", "2: checksums: maybe: expected no or yes"),
    ("version: 1\ninterfaces: eth0", "2: interfaces: expected a list, such as [a, b], got eth0"),
    ("version: 1\ninterfaces:\n  - eth0\n  - enp0s31f6np0v17x",
     "4: interfaces[1]: enp0s31f6np0v17x: expected at most 15 characters, got 16"),
    ("version: 1\ntimeouts:\n  syn_sent: soon", "3: timeouts.syn_sent: soon: expected a duration from "
     "10ms to 23d3h, such as 500ms, 30s or 1h"),
    ("version: 1\ntimeouts:\n  syn: 1s", "3: unknown key syn in timeouts: expected syn_sent, "
     "syn_received, rst_grace, established or closed"),
    ("version: 1\nmode: auto\nmode: native", "3: mode: given a second time, after line 2; take one of "
     "them away"),
]


@pytest.mark.parametrize("text, line", REFUSED, ids=[line for _, line in REFUSED])
def test_refused_with_its_line(tmp_path, text, line):
    file = tmp_path / "attach.yaml"
    file.write_text(f"{text}\n")
    done = attach(file, NOBODY)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"synward: {file}:{line}\n")


def test_one_that_is_not_there(tmp_path):
    done = attach(tmp_path / "none.yaml", NOBODY)
    assert done.returncode == 2
    assert "none.yaml: cannot read this attach file: No such file or directory" in done.stderr


def test_interfaces_have_to_be_named_somewhere(tmp_path):
    file = tmp_path / "attach.yaml"
    for more in ("", "interfaces: []\n"):
        file.write_text(f"version: 1\n{more}")
        done = attach(file)
        assert done.returncode == 2 and "expected 1 to 64 interfaces" in done.stderr
    file.write_text(f"version: 1\ninterfaces: [{NOBODY}]\n")
    assert f"no interface {NOBODY} here" in attach(file).stderr


def test_standard_input():
    done = subprocess.run((BINARY, "attach", "-c", "-"), text=True, capture_output=True,
                          input=f"version: 1\ninterfaces: [{NOBODY}]\n", timeout=60)
    assert f"no interface {NOBODY} here" in done.stderr


def test_the_one_that_is_installed_is_sound_and_has_every_key(tmp_path):
    text = EXAMPLE.read_text()
    assert is_sound(EXAMPLE)
    file = tmp_path / "attach.yaml"
    file.write_text(re.sub(r"^#( *\w+:)", r"\1", text, flags=re.M))
    assert is_sound(file)
    assert set(re.findall(r"^(\w+):", file.read_text(), re.M)) == KEYS


def test_the_manual_has_every_key():
    page = PAGE.read_text().split("# KEYS\n")[1].split("\n# ")[0]
    assert set(re.findall(r"^\*(\w+)\*$", page, re.M)) == KEYS
