# SPDX-License-Identifier: GPL-2.0-or-later
"""The shells complete what the program's help says, no more and no less."""

import os
import shutil

import pytest

from shells import Zsh, bash
from told import EXPORTER_OPTIONS, HELP, OPTIONS, VERBS

# What no table of the program has a word for, and what is expected of a line that ends there.
LINES = {
    "synward attach --mode ": ["auto", "generic", "native", "tc"],
    "synward attach -m ": ["auto", "generic", "native", "tc"],
    "synward attach --mode=n": ["native"],
    "synward --json attach eth0 --tc ": ["auto", "clsact", "tcx"],
    "synward --pin-dir /sys/fs/bpf/other top --by ": ["anomalies", "syns", "weight"],
    "synward top ": ["anomalies", "services", "sources"],
    "synward block list --sort ": ["hits", "prefix"],
    "synward explain half_open_so": ["half_open_source"],
    "synward pol": ["policy"],
    "synward help policy ro": ["rollback"],
    "synward attach --handshakes ": [],
    "synward attach --handshakes 5000 l": ["lo"],
    "synward detach ": ["lo"],
}


def commands():
    return [name for name, verbs in VERBS.items() if name and not verbs]


def test_the_help_was_understood():
    assert {"attach", "policy", "policy apply", "block load"} <= set(HELP)
    assert OPTIONS["attach"]["mode"] == "MODE" and OPTIONS["attach"]["checksums"] == ""
    assert all("json" in options for options in OPTIONS.values())


def in_bash(lines):
    """All of one program."""
    program = next(iter(lines)).split(" ")[0]
    return {line: sorted(words) for line, words in bash(lines, program).items()}


@pytest.fixture(scope="module")
def zsh(tmp_path_factory):
    if not shutil.which("zsh"):
        pytest.skip("no zsh")
    shell = Zsh(tmp_path_factory.mktemp("zsh"))

    def ask(lines):
        return {line: sorted(set(shell.complete(line))) for line in lines}

    yield ask
    shell.close()


@pytest.fixture(params=("bash", "zsh"))
def completed(request):
    return in_bash if request.param == "bash" else request.getfixturevalue("zsh")


def test_every_command_and_verb(completed):
    lines = {" ".join(f"synward {name} ".split()) + " ": sorted(verbs)
             for name, verbs in VERBS.items() if verbs}
    assert completed(lines) == lines


def test_every_option_of_every_command(completed):
    lines = {f"synward {name} --": sorted(f"--{option}" for option in OPTIONS[name])
             for name in commands()}
    found = {line: sorted(word.rstrip("=") for word in words)
             for line, words in completed(lines).items()}
    assert found == lines


def test_what_stands_behind_options_and_commands(completed):
    assert completed(LINES) == LINES


def test_names_of_timeouts(completed):
    (words,) = completed(["synward attach -t sy"]).values()
    assert {word.rstrip("=") for word in words} == {"syn_received", "syn_sent"}


def test_files(completed, tmp_path):
    (tmp_path / "of the web.yaml").touch()
    line = f"synward check-config {tmp_path}/of"
    (words,) = completed([line]).values()
    assert " ".join(words).replace("\\", "").endswith("of the web.yaml")


def test_an_option_with_an_argument_takes_the_next_word(completed):
    """What an argument is, is not taken for a verb or a command."""
    lines = {"synward --state-dir policy block --": sorted(f"--{one}" for one in OPTIONS[""])}
    assert {line: [word.rstrip("=") for word in words]
            for line, words in completed(lines).items()} == lines


def test_the_exporter(completed, tmp_path):
    (tmp_path / "pins").mkdir()
    (tmp_path / "plain").touch()
    lines = {"synward-exporter --": EXPORTER_OPTIONS, "synward-exporter --li": ["--listen"],
             "synward-exporter --listen ": [], "synward-exporter -l ": [],
             f"synward-exporter --pin-dir {tmp_path}/p": ["pins"]}
    assert "--listen" in EXPORTER_OPTIONS
    assert {line: sorted(word.rstrip("=/").split("/")[-1] for word in words)
            for line, words in completed(lines).items()} == lines
