# SPDX-License-Identifier: GPL-2.0-or-later
"""Who sends most, by sources that are known: as JSON, as text, and live on a terminal."""

import contextlib
import ipaddress
import os
import pty
import random
import re
import signal
import socket
import subprocess
import time

import pytest

from causes import QUICK
from cli import BINARY
from live import need
from net import run, wait_for
from policies import Files
from segments import MSS_1460, SYN, Port, Segment, frame
from terminal import PROMPT, Terminal

FEW = 100  # of SYNs in 16 ms: far below what is counted one by one
SOURCES = {socket.AF_INET: ("192.0.2.1", "198.51.100.7", "203.0.113.9"),
           socket.AF_INET6: ("2001:db8:1::/64", "2001:db8:2:ffff::/64", "2001:db8:3::/64")}


# Where one family shows all.
ipv4 = pytest.mark.parametrize("family", ["ipv4"], indirect=True)
ipv6 = pytest.mark.parametrize("family", ["ipv6"], indirect=True)


class Sender:
    """Sends segments from any source to the server."""

    def __init__(self, stage):
        self.port = Port(stage.near)
        self.server = stage.far.address(stage.family)
        self.sent = 0
        self.random = random.Random(1)

    def one(self, source, flags=SYN):
        self.port.send(Segment(source, self.server, 1024 + self.sent % 60000, 443, flags,
                               seq=self.random.getrandbits(32), options=MSS_1460))
        self.sent += 1

    def some(self, source, count, flags=SYN):
        """From one source; of an IPv6 network, each from another host. Slowly."""
        hosts = ipaddress.ip_network(source)
        for i in range(count):
            host = hosts[i + 1] if hosts.version == 6 else hosts[0]
            self.one(str(host), flags)
            if i % FEW == FEW - 1:
                time.sleep(0.016)


@pytest.fixture
def sender(stage, synward):
    synward.attach(stage.far, options=QUICK)
    made = Sender(stage)
    with made.port:
        yield made


def arrived(synward, sender):
    """Waits until all that was sent has been seen."""
    def seen():
        kinds = synward.stats()["interfaces"][0]["ingress"]["kinds"]
        return kinds["tcp"] + kinds["undecodable"] >= sender.sent
    wait_for(seen, "the segments to arrive")


def known(synward, sender, family):
    """Three sources: many SYNs, less of them, and anomalies. Returns their true numbers."""
    many, less, odd = SOURCES[family]
    sender.some(many, 300)
    sender.some(less, 120)
    sender.some(odd, 60, flags=0)
    sender.some(many, 20, flags=0)
    arrived(synward, sender)
    return {many: (300, 20), less: (120, 0), odd: (0, 60)}


def assert_true_within_error(measure, truth):
    """A sample may be further off in 5 of 100 cases, but never twice as far."""
    far = 2 * measure["sampling_error"]
    assert measure["error"] == measure["replacement_error"] + measure["sampling_error"]
    assert measure["count"] - far <= truth
    assert truth <= measure["count"] + measure["replacement_error"] + far


def assert_ranked(rows, by, truths):
    """Who surely has sent more comes first."""
    places = {row["source"]: (place, row[by]["error"]) for place, row in enumerate(rows)}
    for one, more in truths.items():
        for other, less in truths.items():
            if more > less + 2 * (places[one][1] + places[other][1]):
                assert places[one][0] < places[other][0], rows


def test_known_sources(stage, synward, sender):
    truths = known(synward, sender, stage.family)
    top = synward.json("top", "sources")
    assert (top["top"], top["by"], top["total"], top["shown"]) == ("sources", "weight", 3, 3)
    assert 0 < top["span_ms"] < 2 * 16384
    for row in top["sources"]:
        syns, anomalies = truths[row["source"]]
        assert_true_within_error(row["syns"], syns)
        assert_true_within_error(row["anomalies"], anomalies)
        assert row["weight"]["count"] == row["syns"]["count"] + row["anomalies"]["count"]
    assert_ranked(top["sources"], "weight", {name: sum(of) for name, of in truths.items()})
    assert top["totals"]["syns"]["followed"] == top["totals"]["syns"]["count"]


@pytest.mark.parametrize("by", ["syns", "anomalies"])
def test_other_ranks(stage, synward, sender, by):
    truths = known(synward, sender, stage.family)
    rows = synward.json("top", "--by", by)["sources"]
    assert_ranked(rows, by, {name: of[by == "anomalies"] for name, of in truths.items()})
    first = synward.json("top", "--by", by, "--limit", 1)
    assert (first["total"], first["shown"], len(first["sources"])) == (3, 1, 1)
    assert first["sources"][0]["source"] == rows[0]["source"]


def test_as_text(stage, synward, sender):
    truths = known(synward, sender, stage.family)
    text = synward.expect(0, "top", "sources", "--once").stdout.splitlines()
    assert re.match(r"\d+( ±\d+)? SYNs and \d+ anomalies in .*, by weight$", text[0])
    heading = next(i for i, line in enumerate(text) if line.lstrip().startswith("SOURCE"))
    assert text[heading].split() == ["SOURCE", "SYNS", "±", "ANOMALIES", "±", "SHARE"]
    rows = [line.split() for line in text[heading + 1:]]
    assert {row[0] for row in rows} == truths.keys()
    assert all(len(line) <= 80 for line in text)
    assert rows[0][0] == SOURCES[stage.family][0]
    limited = synward.expect(0, "top", "--limit", 1).stdout.splitlines()
    assert limited[-1] == "the first 1 of 3; --limit shows more"


def flood(sender, count, heavy):
    """
    SYNs of spoofed sources, each of its own, as fast as we can, every tenth from one that is not.
    One frame serves all: nobody here looks at its checksums.
    """
    end = sender.port.end
    made = frame(end.mac, end.peer.mac, Segment(heavy, sender.server, 1024, 443, SYN))
    at = made.index(socket.inet_aton(heavy))
    for i in range(count):
        spoofed = (0x0A000000 + sender.sent * 7).to_bytes(4, "big")
        sender.port.socket.send(made if i % 10 == 0 else made[:at] + spoofed + made[at + 4:])
        sender.sent += 1


@ipv4
def test_a_flood_of_spoofed_sources(stage, synward, sender):
    """Far more sources than are followed, and one of ten SYNs from one who stands out."""
    heavy = "192.0.2.1"
    flood(sender, 150000, heavy)
    arrived(synward, sender)
    top = synward.json("top", "sources", "--by", "syns")
    total = top["totals"]["syns"]
    assert total["sampling_error"], "that was no flood"
    assert abs(total["count"] - sender.sent) <= 2 * total["sampling_error"]
    first = top["sources"][0]
    assert first["source"] == heavy
    assert_true_within_error(first["syns"], sender.sent / 10)
    for row in top["sources"][1:]:
        assert_true_within_error(row["syns"], 1)
    assert total["followed"] < total["count"] / 2
    text = synward.expect(0, "top").stdout
    assert re.search(r"\d\d% of the SYNs came from more sources than can be told apart", text)


def test_what_leaves_and_what_is_ordinary_is_nobodys(stage, synward):
    """Connections of both ends: only the client sent SYNs, and a repeated one is no anomaly."""
    synward.attach(stage.far, options=QUICK)
    stage.accepted(10)
    synward.wait_settled(10)
    with Port(stage.near) as port:
        syn = stage._syn(99)
        port.send(syn)
        port.send(syn)
    wait_for(lambda: synward.stats()["anomalies"]["syn_retransmit"]["seen"], "the second SYN")
    top = synward.json("top")
    assert top["totals"]["syns"]["count"] == 12 and top["totals"]["anomalies"]["count"] == 0
    client = stage.near.address(stage.family)
    expected = {client: 10, syn.src: 2}
    if stage.family == socket.AF_INET6:  # both are of one network
        expected = {str(ipaddress.ip_network(f"{client}/64", strict=False)): 12}
    assert {row["source"]: row["syns"]["count"] for row in top["sources"]} == expected


@ipv4
def test_anomalies(stage, synward, sender):
    known(synward, sender, stage.family)
    top = synward.json("top", "anomalies")
    assert top["anomalies"][0] == {"anomaly": "flags_null", "seen": 80, "would_drop": 80,
                                   "dropped": 0}
    assert "by" not in top and top["total"] == len(top["anomalies"])
    text = synward.expect(0, "top", "anomalies").stdout.splitlines()
    assert text[2].split() == ["flags_null", "80", "80", "0"]


def test_services(stage, synward, sender, tmp_path):
    policy = Files(tmp_path).services("name: web, ports: [443]", "name: ssh, ports: [22]",
                                      mode="enforce")
    synward.expect(0, "policy", "apply", policy)
    many = SOURCES[stage.family][0]
    sender.some(many, 50)
    sender.some(many, 20, flags=0)
    arrived(synward, sender)
    top = synward.json("top", "services")
    assert [one["name"] for one in top["services"]] == ["web", "ssh", "default"]
    assert (top["by"], top["total"], top["shown"]) == ("weight", 3, 3)
    web = top["services"][0]
    limits = web.pop("limits")
    assert web == {"name": "web", "syns": 50, "completed": 0, "anomalies": 20, "dropped": 20}
    assert limits and not any(limits.values())
    text = synward.expect(0, "top", "services", "--by", "anomalies").stdout.splitlines()
    assert text[2].split() == ["web", "50", "0", "20", "0", "20"]
    # what is dropped is counted for its source all the same
    source = synward.json("top", "sources")["sources"][0]
    assert source["source"] == many and source["anomalies"]["count"] == 20


def test_services_without_a_policy(pair, synward):
    synward.attach(pair[1], options=QUICK)
    assert synward.json("top", "services")["services"] == []
    assert synward.expect(0, "top", "services").stdout == "the policy has no services\n"


def test_nothing_attached(synward):
    for what in ("sources", "services", "anomalies"):
        assert "nothing is attached" in synward.expect(1, "top", what).stderr


@pytest.mark.parametrize("argv, word", [
    (("everything",), "expected sources, services or anomalies, got everything"),
    (("sources", "services"), "got services as well"),
    (("--once", "--watch", "1"), "--once or --watch, not both"),
    (("anomalies", "--by", "syns"), "--by is for sources and services"),
    (("--by", "color"), "expected syns, anomalies or weight"),
    (("--limit", "0"), "expected a whole number from 1"),
])
def test_wrong_usage(synward, argv, word):
    assert word in synward.expect(2, "top", *argv).stderr


@ipv4
def test_watch_prints_again_with_rates(stage, synward, sender):
    known(synward, sender, stage.family)
    command = subprocess.Popen([BINARY, "top", "--watch", "0.2"], env=synward.environment(),
                               stdout=subprocess.PIPE, text=True)
    try:
        headings = 0
        for line in command.stdout:
            headings += line.split()[:4] == ["SOURCE", "SYNS", "±", "SYNS/S"]
            if headings == 3:
                break
    finally:
        command.kill()
        command.wait()
        command.stdout.close()
    assert headings == 3


@ipv4
def test_a_terminal_that_is_paper(stage, synward, sender):
    """Where no cursor can be moved there is one table, as in a pipe."""
    known(synward, sender, stage.family)
    ours, theirs = pty.openpty()
    done = subprocess.run([BINARY, "top"], env=synward.environment(TERM="dumb"), stdin=theirs,
                          stdout=theirs, stderr=theirs, timeout=20)
    os.close(theirs)
    text = b""
    with contextlib.suppress(OSError):  # EIO: that was all
        while part := os.read(ours, 65536):
            text += part
    os.close(ours)
    assert done.returncode == 0 and b"\033" not in text
    assert text.decode().count("SOURCE") == 1


# ---- live

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
    assert any("\033[1;7mSOURCE" in line or "\033[1m\033[7mSOURCE" in line
               for line in live.lines(escapes=True))
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
