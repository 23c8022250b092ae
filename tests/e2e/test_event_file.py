# SPDX-License-Identifier: GPL-2.0-or-later
"""Events into a file of whole lines, whatever becomes of it meanwhile, and into systemd's journal."""

import contextlib
import json
import pathlib
import signal
import socket
import subprocess

import pytest

from causes import QUICK, Stage
from cli import BINARY
from net import run, wait_for

PAGE = 4096
JOURNAL = pathlib.Path("/run/systemd/journal/socket")


@pytest.fixture
def stage(pair, synward):
    synward.attach(pair[1], options=QUICK)
    return Stage(*pair, socket.AF_INET)


def follow(lab, synward, path, *options):
    return lab.process([BINARY, "-j", "events", "--output", path, *options], env=synward.environment(),
                       stderr=subprocess.PIPE)


def lines(path):
    """Of whole ones only."""
    text = path.read_text()
    assert not text or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def filled(path, count):
    return wait_for(lambda: path.exists() and len(lines(path)) >= count and lines(path),
                    lambda: f"{count} lines in {path}; there are {len(lines(path))}")


@contextlib.contextmanager
def small_disk(disk, pages, *options):
    disk.mkdir()
    run("mount", "-t", "tmpfs", "-o", ",".join((f"size={pages * PAGE}", *options)), "tmpfs", disk)
    try:
        yield disk
    finally:
        run("umount", "-l", disk)


def test_a_file_that_is_moved_away_is_made_again(stage, lab, synward, tmp_path):
    """As logrotate does it; what was in the file stays there, and a half line gets its end."""
    path, old = tmp_path / "events.json", tmp_path / "events.json.1"
    path.write_text('{"half":')
    reader = follow(lab, synward, path, "--new")
    wait_for(lambda: path.read_text().endswith("\n"), "the half line to end")
    stage.accepted(3)
    wait_for(lambda: path.read_text().count("\n") == 4, "three lines")
    path.rename(old)
    reader.send_signal(signal.SIGHUP)
    wait_for(path.exists, "the file, also while nothing happens")
    stage.rejected(2)
    assert [one["handshake"]["outcome"] for one in filled(path, 2)] == ["rejected"] * 2
    half, *before = old.read_text().splitlines()
    assert half == '{"half":' and len(before) == 3
    other = synward.run("events", "--output", path, "--timeout", "0")
    assert other.returncode == 1 and "another process appends to" in other.stderr


def test_a_full_disk_is_told_and_nothing_is_lost(stage, lab, synward, tmp_path):
    with small_disk(tmp_path / "disk", 16) as disk:
        ballast, path = disk / "ballast", disk / "events.json"
        reader = follow(lab, synward, path)
        filled(path, 1)
        ballast.write_bytes(bytes(15 * PAGE))
        stage.accepted(20)
        told = reader.stderr.readline()
        assert "events.json cannot grow: No space left on device; events wait" in told
        assert len(lines(path)) < 21
        once = synward.run("events", "--output", disk / "other", "--timeout", "0")
        assert once.returncode == 1 and "cannot write to" in once.stderr
        ballast.unlink()
        assert "grows again" in reader.stderr.readline()
        found = filled(path, 21)
        assert len({one["src_port"] for one in found[1:]}) == 20 and len(found) == 21
        reader.send_signal(signal.SIGTERM)
        assert reader.wait(20) == 0


def test_a_rotation_without_room_waits_and_a_detach_without_is_a_failure(stage, lab, synward, tmp_path):
    with small_disk(tmp_path / "disk", 16, "nr_inodes=4") as disk:
        ballast, other, path = disk / "ballast", disk / "other", disk / "events.json"
        reader = follow(lab, synward, path, "--new")
        wait_for(path.exists, "the file")
        ballast.touch()
        other.touch()
        path.rename(disk / "events.json.1")
        reader.send_signal(signal.SIGHUP)
        assert "events.json cannot grow: No space left on device" in reader.stderr.readline()
        other.unlink()
        wait_for(path.exists, "the file, also while nothing happens")
        ballast.write_bytes(bytes(16 * PAGE - PAGE // 2))
        stage.accepted(1)
        synward.expect(0, "detach", "--all")
        assert reader.wait(20) == 1, "events were not written"


def test_what_is_no_file_is_refused(stage, synward, tmp_path):
    for path in ("/dev/null", tmp_path, tmp_path / "none" / "events"):
        done = synward.run("events", "--output", path, "--timeout", "0")
        assert done.returncode == 1 and str(path) in done.stderr and not done.stdout, done


@contextlib.contextmanager
def journald():
    """A socket where systemd's would be, in this world."""
    JOURNAL.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as fake:
        fake.bind(str(JOURNAL))
        fake.settimeout(20)
        try:
            yield lambda: dict(line.split("=", 1) for line in fake.recv(65536).decode().splitlines())
        finally:
            JOURNAL.unlink()


def test_the_journal_gets_fields_and_is_waited_for(stage, lab, synward):
    done = synward.run("events", "--journal", "--timeout", "0")
    assert done.returncode == 1 and "systemd's journal is not there" in done.stderr
    both = synward.run("events", "--journal", "--output", "x")
    assert both.returncode == 2 and "exclude each other" in both.stderr
    with journald() as entry:
        reader = lab.process([BINARY, "events", "--journal"], env=synward.environment(),
                             stderr=subprocess.PIPE)
        notice = entry()
        assert notice["SYNWARD_EVENT"] == "interface" and notice["PRIORITY"] == "5"
        assert notice["MESSAGE"].startswith("interface attached s0 uid=0")
        stage.accepted(1)
        ended = entry()
    near, far = (end.address(socket.AF_INET) for end in (stage.near, stage.far))
    assert ended["MESSAGE"].startswith(f"accepted {near}:")
    assert ended["PRIORITY"] == "6" and ended["SYSLOG_IDENTIFIER"] == "synward"
    assert ended["SYNWARD_OUTCOME"] == "accepted" and ended["SYNWARD_INTERFACE"] == "s0"
    assert (ended["SYNWARD_SRC"], ended["SYNWARD_DEST"]) == (near, far)
    assert ended["SYNWARD_COMMUNITY_ID"].startswith("1:")
    stage.rejected(1)
    assert "has gone away" in reader.stderr.readline()
    with journald() as entry:
        assert entry()["SYNWARD_OUTCOME"] == "rejected"
        assert "is back" in reader.stderr.readline()


def test_a_journal_that_takes_nothing_keeps_nobody(stage, lab, synward):
    """Events wait where they are, and none is lost before others are in its place."""
    stage.accepted(40)  # of which a socket takes some ten unread (net.unix.max_dgram_qlen)
    wait_for(lambda: synward.stats()["tallies"]["events_sent"] == 40, "all events")
    with journald():
        done = synward.run("events", "--journal", "--timeout", "500ms")
        assert done.returncode == 1 and "systemd's journal takes no events" in done.stderr
    with journald() as entry:
        lab.process([BINARY, "events", "--journal"], env=synward.environment())
        ports = [entry().get("SYNWARD_SRC_PORT") for _ in range(41)]
    assert len(set(ports)) == 41


def test_a_place_is_kept(stage, lab, synward, tmp_path):
    """However a reader ends, the next one repeats nothing and leaves nothing out."""
    cursor = tmp_path / "cursor"
    options = ("-j", "events", "--cursor-file", cursor)

    def told(*more):
        done = synward.expect(0, *options, "--timeout", "0", *more)
        return [json.loads(line)["event_type"] for line in done.stdout.splitlines()]

    assert told() == ["interface"] and told() == []
    reader = lab.process([BINARY, *options], env=synward.environment(), stdout=subprocess.PIPE)
    stage.accepted(2)
    assert [json.loads(reader.stdout.readline())["event_type"] for _ in range(2)] == ["handshake"] * 2
    place = cursor.read_text()
    other = synward.run(*options)
    assert other.returncode == 1 and "another process keeps its place" in other.stderr
    reader.kill()
    reader.wait(20)
    synward.expect(0, "block", "add", "192.0.2.7")
    assert told() == ["list"] and told() == []
    first, _ = place.split()
    for text in ("nonsense\n", place[:-1], f"{place}{place}", "\0" * len(place), f"{place[:-1]}\0"):
        cursor.write_text(text)
        assert "is not a cursor file of" in synward.expect(1, *options, "--timeout", "0").stderr
        assert cursor.read_text() == text, "it is somebody's"
    cursor.write_text(f"{int(first) - 1:020} {2:020}\n")  # of another attachment
    assert told("--new") == ["interface", "handshake", "handshake", "list"]
    cursor.unlink()
    assert told("--new") == []
    synward.expect(0, "block", "del", "192.0.2.7")
    assert told("--new") == ["list"]  # which came after the first of them had begun
    with small_disk(tmp_path / "disk", 1) as disk:
        (disk / "ballast").write_bytes(bytes(PAGE))
        done = synward.run("events", "--cursor-file", disk / "cursor", "--timeout", "0")
        assert done.returncode == 1 and not done.stdout, "what is told would be told again"
        assert "cannot keep the place in" in done.stderr and "No space left" in done.stderr


def test_files_that_are_removed_are_noticed(stage, lab, synward, tmp_path):
    """While the reader runs; at the next event, which is told, and the next reader goes on behind it."""
    place = tmp_path / "place"
    place.mkdir()
    cursor, output = place / "cursor", tmp_path / "events"
    options = ("-j", "events", "--cursor-file", cursor)
    reader = lab.process([BINARY, *options, "--output", output], env=synward.environment(), stderr=subprocess.PIPE)
    wait_for(lambda: "interface" in output.read_text() if output.exists() else False, "the first event")
    for path in (cursor, output):
        path.unlink()
    synward.expect(0, "block", "add", "192.0.2.7")
    assert f"{output} was removed: it was made again" in reader.stderr.readline()
    assert f"{cursor} was removed: a new one was made, with the place to go on from" in reader.stderr.readline()
    wait_for(lambda: output.read_text().endswith("}\n"), "the event")
    place.rename(tmp_path / "elsewhere")
    synward.expect(0, "block", "del", "192.0.2.7")
    assert f"cannot keep the place in {cursor}: No such file or directory" in reader.communicate(timeout=20)[1]
    assert reader.returncode == 1
    told = [json.loads(line)["list"]["action"] for line in output.read_text().splitlines()]
    assert told == ["added", "removed"]
    cursor = tmp_path / "elsewhere" / "cursor"
    reader = lab.process([BINARY, "events", "--cursor-file", cursor], env=synward.environment(),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert "192.0.2.7" in reader.stdout.readline()  # that was told, and its place was not kept
    cursor.rename(tmp_path / "other")
    cursor.write_text("")
    synward.expect(0, "block", "add", "192.0.2.7")
    assert f"{cursor} was replaced by another file" in reader.communicate(timeout=20)[1]


def test_what_cannot_be_written_is_not_waited_with(synward, tmp_path):
    for option, path in (("--cursor-file", tmp_path / "none" / "cursor"), ("--output", "/dev/null")):
        done = synward.run("events", "--wait", option, path, "--timeout", "0")
        assert done.returncode == 1 and str(path) in done.stderr, done


def test_events_are_waited_for(pair, lab, synward, tmp_path):
    """By one process, from the first attach on and through a detach."""
    reader = lab.process([BINARY, "-j", "events", "--wait", "--cursor-file", tmp_path / "cursor"],
                         env=synward.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def heard():
        return json.loads(reader.stdout.readline())

    assert "waiting for events" in reader.stderr.readline()
    synward.attach(pair[1], options=QUICK)
    assert heard()["interface"]["action"] == "attached"
    synward.expect(0, "detach", "--all")
    synward.attach(pair[1], options=(*QUICK, "--handshakes", 8192, "--mode", "tc"))
    assert [heard()["interface"]["action"] for _ in range(2)] == ["detached", "attached"]
    synward.expect(0, "detach", "--all")
    assert heard()["interface"]["action"] == "detached"
    reader.terminate()
    assert reader.communicate(timeout=20)[0] == "" and reader.returncode == 0


def test_the_cursor_has_a_file_of_its_own(synward, tmp_path):
    """By whatever names: what is there keeps its content, and what is not there yet is known by its name."""
    output, link, hard = (tmp_path / name for name in ("events", "link", "hard"))
    for made in (False, True):
        if made:
            output.write_text("a line\n")
            link.symlink_to(output)
            hard.hardlink_to(output)
        for cursor in (output, link, hard) if made else (output,):
            done = synward.run("events", "--output", output, "--cursor-file", cursor)
            assert done.returncode == 2 and "choose another one for the cursor" in done.stderr, done
        assert output.exists() == made
    assert output.read_text() == "a line\n"
    output.unlink()
    beside, again = tmp_path / "beside", tmp_path / "again"
    beside.symlink_to(tmp_path)
    again.symlink_to("link")
    for cursor in (link, again, beside / "events", beside / "link"):  # to what is not there yet
        for two in ((output, cursor), (cursor, output)):
            done = synward.run("events", "--wait", "--output", two[0], "--cursor-file", two[1], "--timeout", "0")
            assert done.returncode == 2 and "choose another one for the cursor" in done.stderr, done
            assert not output.exists()
