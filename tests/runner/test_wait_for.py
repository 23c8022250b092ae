# SPDX-License-Identifier: GPL-2.0-or-later
"""wait_for(): how long it waits, on a clock and a machine that are made up."""

import pathlib
import types

import pytest

import net
from net import patience, wait_for

PROCESSORS = 4


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(net, "time", made)
    return made


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Sets what /proc/loadavg says: the load of the last minute, and how many run just now."""
    file = tmp_path / "loadavg"

    def open_path(path):
        assert path == "/proc/loadavg"
        return file

    def says(last_minute, running):
        file.write_text(f"{last_minute:.2f} 50.00 90.00 {running}/1234 5678\n")

    monkeypatch.setattr(net, "pathlib", types.SimpleNamespace(Path=open_path))
    monkeypatch.setattr(net, "os", types.SimpleNamespace(cpu_count=lambda: PROCESSORS))
    says(0, 1)
    return says


@pytest.mark.parametrize("last_minute, running, expected", (
    (0, 1, 1), (PROCESSORS, PROCESSORS, 1), (8, 1, 2), (0, 8, 2), (40, 8, 10), (8, 40, 10)))
def test_patience_grows_with_the_load(load, last_minute, running, expected):
    load(last_minute, running)
    assert patience() == expected


def test_the_load_of_this_machine_can_be_read():
    assert pathlib.Path("/proc/loadavg").exists() and patience() >= 1


def waited(clock, seconds):
    """For how long it waits for what never comes."""
    began = clock.now
    with pytest.raises(AssertionError):
        wait_for(lambda: False, "nothing", seconds)
    return clock.now - began


@pytest.mark.parametrize("last_minute, times", ((0, 1), (PROCESSORS * 3, 3)))
def test_it_waits_longer_on_a_busy_machine(clock, load, last_minute, times):
    load(last_minute, 1)
    assert 7 * times < waited(clock, 7) < 7 * times + 1


def test_load_that_comes_meanwhile_counts(clock, load):
    def condition():
        if clock.now > 1005:
            load(PROCESSORS * 3, 1)

    with pytest.raises(AssertionError):
        wait_for(condition, "nothing", 7)
    assert clock.now > 1021


def test_it_returns_what_comes_just_in_time(clock, load):
    assert wait_for(lambda: clock.now >= 1007 and "value", "it", 7) == "value"


def test_it_says_what_it_waited_for(clock, load):
    with pytest.raises(AssertionError, match=r"^waited 7\.\d s in vain for the third packet$"):
        wait_for(lambda: None, "the third packet", 7)


def test_words_are_found_when_it_comes_to_that(clock, load):
    with pytest.raises(AssertionError, match=r"in vain for 10.. things$"):
        wait_for(lambda: None, lambda: f"{clock.now:.0f} things", 7)
    assert wait_for(lambda: 1, lambda: pytest.fail("not asked")) == 1


def test_a_condition_that_fails_is_not_waited_for(clock, load):
    with pytest.raises(ZeroDivisionError):
        wait_for(lambda: 1 / 0, "nothing")
    assert clock.now == 1000
