# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the lists have in common."""

import functools

import pytest

V4, V6 = "198.51.100.0/24", "2001:db8:17::/48"


@pytest.fixture
def attached(pair, synward, monkeypatch):
    """The server's end is attached, and commands are given there: the machine's addresses are not ours."""
    monkeypatch.setattr(synward, "run",
                        functools.partial(synward.run, namespace=pair[1].namespace))
    synward.attach(pair[1])
    return synward


def refuse(done, code, *words):
    """An error is one line on stderr that holds these words, and nothing on stdout."""
    lines = done.stderr.splitlines()
    assert done.returncode == code, done
    assert len(lines) == 1 and lines[0].startswith("synward: "), done.stderr
    assert done.stdout == ""
    for word in words:
        assert str(word) in lines[0], done.stderr


def rows(synward, name):
    return synward.json(name, "list", "--all")["prefixes"]


def prefixes(synward, name):
    return [row["prefix"] for row in rows(synward, name)]


def state_of(synward):
    return (synward.state_dir / "lists.state").read_text()


def again(synward, end):
    """As after a reboot: everything in the kernel is gone."""
    synward.expect(0, "detach", "--all")
    return synward.attach(end)
