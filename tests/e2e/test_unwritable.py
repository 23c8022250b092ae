# SPDX-License-Identifier: GPL-2.0-or-later
"""What cannot be written is said, in one line and by the exit code, and nothing is half-done for it."""

import json
import os
import shutil
import socket
import subprocess

import pytest

from causes import QUICK, Stage
from cli import BINARY, ROOT, fresh
from hooks import xdp_program
from net import Lab, run
from versions import another_version

FAILURE, DEGRADED = 1, 3
WEB = ROOT / "docs" / "examples" / "web-server.yaml"
SYNCOOKIES = "net.ipv4.tcp_syncookies"
KERNEL = """version: 1
flood_defence: {way: kernel, set_syncookies: yes}
services: [{name: web, ports: [8080], syn_flood: always}]
"""


@pytest.fixture
def attached(pair, synward):
    synward.attach(pair[1], options=QUICK)
    return synward


@pytest.fixture(scope="module")
def kept(bpffs, tmp_path_factory):
    """One that is attached, for all tests that leave it as it is. Its end, too."""
    with Lab() as lab, fresh(bpffs / "kept", tmp_path_factory.mktemp("kept") / "state") as made:
        ends = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        made.attach(ends[1], options=QUICK)
        yield made, ends


def said(synward, out, *argv):
    return subprocess.run([BINARY, *argv], env=synward.environment(), stdout=out, check=False,
                          stderr=subprocess.PIPE, text=True, timeout=20)


def into(path, synward, *argv):
    """Prints what it says into a file, which may be a device."""
    with open(path, "wb") as out:
        return said(synward, out, *argv)


def mounted_read_only(synward, end, *argv):
    """Where the bpffs cannot be written, in a mount namespace of its own."""
    script = 'mount -o remount,bind,ro "$0" && exec "$@"'
    return end.namespace.run("unshare", "--mount", "sh", "-c", script, synward.pin_dir.parent, BINARY,
                             *argv, check=False, env=synward.environment())


@pytest.mark.parametrize("argv", (("status",), ("-j", "stats"), ("stats", "--watch", "100ms"),
                                  ("-j", "stats", "--watch", "100ms"), ("top", "--watch", "100ms"),
                                  ("-j", "top", "--watch", "100ms"), ("policy", "show"), ("help",)),
                         ids=" ".join)
def test_a_full_device(kept, argv):
    done = into("/dev/full", kept[0], *argv)
    assert done.returncode == FAILURE, done
    assert done.stderr == "synward: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("options", ((), ("-j",)), ids=("text", "json"))
def test_events_into_a_full_device(kept, options):
    """A reader that goes away is no failure."""
    attached, pair = kept
    Stage(*pair, socket.AF_INET).rejected(2)
    done = into("/dev/full", attached, *options, "events", "--timeout", "5s")
    assert done.returncode == FAILURE and "cannot write to standard output" in done.stderr, done
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as out:
        done = said(attached, out, *options, "events", "--timeout", "5s")
    assert done.returncode == 0 and not done.stderr, done


@pytest.mark.parametrize("verb", ("disarm", "arm"))
def test_without_an_instance_the_mark_is_all_there_is(synward, tmp_path, verb):
    """Where it cannot be written, or taken away, nothing was done."""
    place = tmp_path / "place"
    place.mkdir()
    (place / "disarmed.mark").mkdir()
    done = synward.run("--state-dir", place, verb)
    assert (done.returncode, done.stdout) == (FAILURE, ""), done
    assert len(done.stderr.splitlines()) == 1 and "disarmed.mark" in done.stderr
    assert "done" not in done.stderr
    failed = synward.run("-j", "--state-dir", place, verb)
    assert failed.returncode == FAILURE and "disarmed.mark" in json.loads(failed.stdout)["error"]


def test_a_sysctl_that_cannot_be_restored(attached, pair, tmp_path):
    """The last detach is the last that could: its exit code says so, too."""
    space = pair[1].namespace
    space.sysctl(SYNCOOKIES, 1)
    policy = tmp_path / "kernel.yaml"
    policy.write_text(KERNEL)
    attached.expect(0, "policy", "apply", policy, namespace=space)
    if space.read_sysctl(SYNCOOKIES) != "2":
        pytest.skip("the kernel has no raw cookies")
    script = "mount -o remount,bind,ro /proc/sys 2>/dev/null || mount --bind -o ro /proc/sys /proc/sys " \
        "&& mount -o remount,bind,ro /proc/sys && exec \"$@\""
    done = run(*space.command("unshare", "--mount", "sh", "-c", script, "sh", BINARY, "detach", "--all"),
               check=False, env=attached.environment())
    assert done.returncode == DEGRADED, done
    assert "s0: detached" in done.stdout and "could not be restored" in done.stderr, done
    assert not attached.pin_dir.exists() and space.read_sysctl(SYNCOOKIES) == "2"


def test_a_detach_from_a_bpffs_that_is_read_only(kept):
    attached, pair = kept
    for argv in (("detach", "s0"), ("detach", "--all"), ("detach", "--all", "--force")):
        done = mounted_read_only(attached, pair[1], *argv)
        assert done.returncode == FAILURE and not done.stdout, done
        assert len(done.stderr.splitlines()) == 1 and "mounted read-only" in done.stderr, done
    assert xdp_program(pair[1])
    assert attached.expect(0, "status").stdout


def test_an_attach_on_a_bpffs_that_is_read_only(attached, pair):
    """Nor is there a record of what was not attached."""
    done = mounted_read_only(attached, pair[1], "attach", "lo")
    assert done.returncode == FAILURE and "mounted read-only" in done.stderr, done
    assert [one["name"] for one in attached.json("status")["interfaces"]] == ["s0"]
    attached.expect(0, "detach", "--all")
    done = mounted_read_only(attached, pair[1], "attach", "s0")
    assert done.returncode == FAILURE and "mounted read-only" in done.stderr, done
    assert xdp_program(pair[1]) is None and not attached.pin_dir.exists()


def test_a_bpffs_that_is_read_only_by_itself_is_not_damaged(pair, synward):
    """No pin can be opened for writing then: a mount of its own, which nobody else has."""
    commands = ("upgrade", "attach s0", "detach --all", "policy reset", "disarm")
    script = 'mount -t bpf bpf "$0" && "$1" attach s0 >&2 && mount -o remount,ro "$0" || exit; synward=$1; shift; ' \
        'for words; do echo "$words:" $("$synward" $words 2>&1; echo $?); done'
    told = pair[1].namespace.run("unshare", "--mount", "sh", "-c", script, synward.pin_dir.parent, BINARY, *commands,
                                 env=synward.environment()).stdout.splitlines()
    assert [line.split(": ")[0] for line in told] == list(commands)
    for line in told:
        assert line.endswith(f" {FAILURE}") and "mounted read-only" in line and "damaged" not in line, told


# ---- pins that are gone


def test_programs_that_commands_run_are_put_back(attached, pair, tmp_path):
    """What to do about it is said, and works."""
    programs = attached.pin_dir / "programs"

    def expect(missing, argv):
        done = attached.run(*argv)
        assert done.returncode == FAILURE and f"is damaged: programs/{missing}" in done.stderr
        assert "to put it back: synward attach IFACE" in done.stderr

    (programs / "sw_switch").unlink()
    expect("sw_switch", ("policy", "apply", WEB))
    assert "repaired" in attached.attach(pair[1]).stdout
    attached.expect(0, "policy", "apply", WEB)
    assert "already attached" in attached.attach(pair[1]).stdout
    shutil.rmtree(programs)
    expect("sw_clock", ("policy", "reset"))
    run(another_version(tmp_path / "other"), "upgrade", env=attached.environment())
    attached.expect(0, "policy", "reset")
    assert sorted(path.name for path in programs.iterdir()) == ["sw_arm", "sw_clock", "sw_switch", "sw_tell"]


def test_links_that_are_gone_are_put_back(attached, pair):
    """As status says: its advice works."""
    links = attached.pin_dir / "links"
    for path in sorted(links.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    links.rmdir()
    assert "synward attach s0" in attached.expect(DEGRADED, "status").stdout
    assert "repaired" in attached.attach(pair[1]).stdout
    attached.expect(0, "status")
    assert xdp_program(pair[1])


@pytest.mark.parametrize("verb", ("rollback", "reset", "apply"))
def test_a_change_that_could_not_be_told_is_not_begun(kept, verb):
    attached, _ = kept
    attached.expect(0, "policy", "apply", WEB)
    saved = (attached.state_dir / "policy.yaml").read_text()
    shown = run("bpftool", "-j", "map", "dump", "pinned", attached.pin_dir / "maps" / "policy_state",
                check=False).stdout
    floods = attached.pin_dir / "maps" / "floods"
    aside = attached.pin_dir / "maps" / "aside"
    floods.rename(aside)
    argv = ("policy", verb, *((WEB,) if verb == "apply" else ()))
    done = attached.run(*argv)
    assert done.returncode == FAILURE and "maps/floods" in done.stderr, done
    assert (attached.state_dir / "policy.yaml").read_text() == saved
    assert run("bpftool", "-j", "map", "dump", "pinned", attached.pin_dir / "maps" / "policy_state",
               check=False).stdout == shown
    aside.rename(floods)
