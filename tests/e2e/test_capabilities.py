# SPDX-License-Identifier: GPL-2.0-or-later
"""What each command takes of root: with these capabilities alone it works, and without one of them it says which."""

import pytest

from causes import QUICK
from cli import BINARY

BPF, NET, PERF = "CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"
ALL = (BPF, NET, PERF)
POLICY = "version: 1\nservices: [{name: web, ports: [8080], mode: enforce}]\n"
# Whoever owns the pins takes none for these, in this order, while an interface is attached.
NONE = (("status",), ("stats",), ("list",), ("top", "--once"), ("events", "--timeout", "0"), ("policy", "score"),
        ("policy", "apply", "FILE"), ("policy", "rollback"), ("policy", "apply", "FILE", "--confirm", "60s"),
        ("policy", "confirm"), ("policy", "show"), ("policy", "diff", "FILE"), ("policy", "reset"), ("disarm",), ("arm",),
        ("block", "check", "192.0.2.1"), ("block", "list"), ("allow", "list"), ("block", "del", "192.0.2.0/24"),
        ("check-config", "FILE"), ("explain", "scan"), ("genkey",), ("version",), ("help",))


@pytest.fixture
def only(pair, synward):
    """Runs a command there as root whose capabilities are these alone."""
    def run(capabilities, *argv):
        keep = ",".join(("-all", *(f"+{name[4:].lower()}" for name in capabilities)))
        return pair[1].namespace.run("setpriv", f"--bounding-set={keep}", f"--inh-caps={keep}", "--no-new-privs", BINARY,
                                     *argv, check=False, env=synward.environment())
    return run


def expect_each_needed(only, needed, *argv):
    for one in needed:
        done = only([name for name in needed if name != one], *argv)
        assert done.returncode == 1 and one in done.stderr, (one, done)
        assert not any(name in done.stderr for name in ALL if name != one), done
    done = only(needed, *argv)
    assert done.returncode == 0, done


def test_attach_and_detach(only, synward):
    expect_each_needed(only, ALL, "attach", *QUICK, "s0")
    expect_each_needed(only, ALL, "detach", "s0")
    assert not synward.pin_dir.exists()


def test_an_upgrade_takes_the_programs_of_all_by_their_ids(only, pair, synward):
    synward.attach(pair[1], options=QUICK)
    done = only(ALL, "upgrade")
    assert done.returncode == 1 and "an upgrade needs root" in done.stderr, done
    done = only(("CAP_SYS_ADMIN", NET), "upgrade")
    assert done.returncode == 0 and "already at this version" in done.stdout, done


def test_a_list_that_grows(only, pair, synward, tmp_path):
    synward.attach(pair[1], options=QUICK)
    feed = tmp_path / "feed"
    feed.write_text("".join(f"198.51.{i}.0/24\n" for i in range(256)))
    expect_each_needed(only, (BPF,), "block", "add", "192.0.2.0/24")
    expect_each_needed(only, (BPF,), "allow", "load", feed)


def test_all_others_take_none(only, pair, synward, tmp_path):
    synward.attach(pair[1], options=QUICK)
    synward.expect(0, "block", "add", "192.0.2.0/24")
    (tmp_path / "policy").write_text(POLICY)
    for words in NONE:
        done = only((), *(str(tmp_path / "policy") if word == "FILE" else word for word in words))
        assert done.returncode == 0, (words, done)


def test_a_doctor_says_what_it_lacks(only):
    for one in ALL:
        done = only([name for name in ALL if name != one], "doctor", "s0")
        assert done.returncode == 1 and f"this process lacks {one}" in done.stdout, done
    assert "lacks" not in only(ALL, "doctor", "s0").stdout


def test_a_replay(only, tmp_path):
    (tmp_path / "capture").write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    expect_each_needed(only, ALL, "replay", tmp_path / "capture")
