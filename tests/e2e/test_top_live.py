# SPDX-License-Identifier: GPL-2.0-or-later
"""synward top, live on a terminal."""

import os
import re
import signal
import socket
import time

import pytest

from cli import BINARY
from live import need
from net import run, wait_for
from sender import SOURCES, arrived, ipv4, ipv6, known, sender
from terminal import PROMPT, Terminal


TITLE = r"(?m)^ synward top sources +every"


@pytest.fixture
def terminal(synward):
    need("tmux")
    with Terminal(synward.environment()) as made:
        yield made


@pytest.fixture
def live(stage, synward, sender, terminal):
    """A live view of known sources; who takes it has to end it, by what it yields."""
    if stage.family == socket.AF_INET:
        known(synward, sender, stage.family)
    else:
        for i in range(60):
            sender.one(f"2001:db8:{i + 1:x}:aaaa::1")
        arrived(synward, sender)
    terminal.before = terminal.settings()
    terminal.ended = terminal.command(f"{BINARY} top sources --watch 200ms")
    terminal.wait(TITLE)
    return terminal


def assert_restored(terminal):
    assert terminal.modes() == (False, False)
    assert terminal.settings() == terminal.before
    assert not re.search(TITLE, "\n".join(terminal.lines()))


@ipv4
def test_live_views(live):
    assert live.modes() == (True, True)
    live.wait(r"(?m)^  192\.0\.2\.1 +300 ")
    live.press("a")
    live.wait(r"(?s)synward top anomalies.*flags_null +80 ")
    live.press("v")
    live.wait(r"(?s)synward top services.*the policy has no services")
    live.press("?")
    live.wait(r"(?m)^ +q +quit")
    live.press("q")  # any key ends the help, and does no more
    live.wait("synward top services")
    live.press("s")
    live.wait(r"(?s)synward top sources.*192\.0\.2\.1")
    live.press("q")
    assert live.ended() == 0
    assert_restored(live)


def column(lines, heading):
    """The cells of the first column below its heading."""
    first = next(i for i, line in enumerate(lines) if line.lstrip().startswith(heading))
    return [line.split()[0] for line in lines[first + 1:-1] if line.strip()]


@ipv4
def test_live_sorting(live):
    names = sorted(SOURCES[socket.AF_INET])
    live.press(">")
    live.wait(lambda lines: column(lines, "SOURCE") == names)
    # they may have been in that order before
    live.wait(lambda _: any("\033[1;7mSOURCE" in line or "\033[1m\033[7mSOURCE" in line
                            for line in live.lines(escapes=True)))
    live.press("r")
    live.wait(lambda lines: column(lines, "SOURCE") == names[::-1])
    live.press("Right")
    live.wait(lambda lines: column(lines, "SOURCE")[-1] == "203.0.113.9")  # has no SYNs
    live.press("<", "<")
    live.wait(lambda lines: column(lines, "SOURCE")[0] == "192.0.2.1")
    live.press("q")
    assert live.ended() == 0


@ipv4
def test_live_pause(live, sender, synward):
    live.press("p")
    live.wait(r"paused")
    sender.some("198.51.100.7", 30)
    arrived(synward, sender)
    before = live.lines()
    live.press("?", "x")
    assert live.wait("paused") == before  # drawn again, and nothing read
    live.press("p")
    live.wait(r"(?m)^  198\.51\.100\.7 +150 ")
    live.press("q")
    assert live.ended() == 0


@ipv4
def test_live_rates(live, sender, synward):
    live.wait(lambda lines: "SYNS/S" in "\n".join(lines))
    until = time.monotonic() + 20
    rate = 0
    while rate < 50 and time.monotonic() < until:
        sender.some("198.51.100.7", 20)
        row = next((line.split() for line in live.lines() if "198.51.100.7" in line), ())
        rate = int(row[2].replace(",", "")) if len(row) > 2 and row[2].replace(",", "").isdigit() \
            else 0
    assert rate >= 50
    live.press("q")
    assert live.ended() == 0


@ipv6
def test_live_scrolling_and_sizes(live):
    """60 networks, whose names are not cut whatever the size."""
    def shown(lines):
        return [line.split()[0] for line in lines if ":aaaa::" in line]

    def place(first, last):
        return lambda lines: f"{first}-{last} of 60" in lines[-1]

    first = shown(live.wait(lambda lines: re.search(r"1-\d+ of 60", lines[-1])))
    size = len(first)
    assert all(name.endswith(":aaaa::/64") for name in first)
    live.press("Down")
    assert shown(live.wait(place(2, size + 1)))[:-1] == first[1:]
    live.press("Up", "Up")
    assert shown(live.wait(place(1, size))) == first
    live.press("NPage")
    assert not set(shown(live.wait(place(size + 1, 2 * size)))) & set(first)
    live.press("End")
    live.wait(place(61 - size, 60))
    live.press("Home")
    live.wait(place(1, size))
    for columns, rows in ((30, 10), (120, 40), (80, 24), (20, 5), (80, 24)):
        live.resize(columns, rows)
        lines = live.wait(lambda lines, columns=columns, rows=rows:
                          len(lines) == rows and "of 60" in lines[-1] and
                          len(lines[0]) <= columns and shown(lines))
        for name in shown(lines):
            assert name.endswith("/64") or (columns < 26 and name.endswith("~")), lines
    live.press("q")
    assert live.ended() == 0
    assert_restored(live)


def process_of(terminal):
    """The number of the live view's process."""
    shell = terminal.tmux("list-panes", "-F", "#{pane_pid}").strip()
    return int(run("pgrep", "-P", shell, "-f", f"^{BINARY} top").stdout)


@ipv4
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "^C"])
def test_live_ends_by_a_signal(live, how):
    if how == "^C":
        live.press("C-c")
    else:
        os.kill(process_of(live), getattr(signal, how))
    assert live.ended() == 0
    assert_restored(live)


@ipv4
def test_live_stopped_and_continued(live):
    """Ctrl-Z gives the terminal back, fg takes it again, whatever was done with it."""
    live.press("C-z")
    live.wait("Stopped")
    assert_restored(live)
    live.resize(100, 20)
    live.type("fg")
    live.press("Enter")
    live.wait(TITLE)
    assert live.modes() == (True, True)
    live.wait(lambda lines: len(lines) == 20 and "q quit" in lines[-1])
    live.press("q")
    live.wait(PROMPT)
    assert_restored(live)


@ipv4
def test_live_ends_with_its_terminal(live):
    process = process_of(live)
    live.tmux("respawn-pane", "-k")
    wait_for(lambda: not os.path.exists(f"/proc/{process}"), "the end of the live view")
    live.wait(PROMPT)


@ipv4
def test_live_until_all_is_detached(live, synward):
    synward.expect(0, "detach", "--all")
    assert live.ended() == 1
    assert_restored(live)
    assert any("nothing is attached" in line for line in live.lines())


@ipv4
def test_live_colours(live):
    """Colours are ESC [ 3x and 4x; without them there is only bold and reverse."""
    colour = re.compile(r"\033\[(\d+;)*[34][0-7][;m]")
    assert colour.search("\n".join(live.lines(escapes=True)))
    live.press("q")
    assert live.ended() == 0
    live.type("export NO_COLOR=1")
    live.press("Enter")
    again = live.command(f"{BINARY} top")
    assert not colour.search("\n".join(live.wait(r"synward top sources +every", escapes=True)))
    live.press("q")
    assert again() == 0
