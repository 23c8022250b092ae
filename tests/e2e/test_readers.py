# SPDX-License-Identifier: GPL-2.0-or-later
"""The members of a group may read what is counted. They may change nothing, and others may not even read."""

import json
import pathlib
import shutil
import stat

import pytest

from cli import BINARY, ROOT
from net import run
from prometheus import Page
from readers import GROUP, READER, STRANGER, groups, with_groups

POLICY = ROOT / "docs" / "examples" / "web-server.yaml"
SECRETS = {"maps/cookie_keys", "maps/cookie_secrets", "programs/sw_switch", "programs/sw_arm",
           "programs/sw_tell"}


@pytest.fixture
def asked(pair, synward, tmp_path):
    """Asks as somebody: (who, verb...). What is attached was so where the group is known."""
    file, here = groups(tmp_path, f"synward:x:{GROUP}:"), pathlib.Path("/run/readers")
    here.mkdir()
    program = shutil.copy(BINARY, here)  # where anybody gets to
    shutil.copy(POLICY, here)
    with_groups(synward, file, "attach", "s0", namespace=pair[1].namespace)
    with_groups(synward, file, "block", "add", "192.0.2.7")
    yield lambda who, *words: run(*who, program, *words, check=False, env=synward.environment(),
                                  cwd=here)
    shutil.rmtree(here)


READ = (("stats",), ("stats", "--prometheus"), ("list",), ("top", "--once"), ("policy", "show"),
        ("policy", "score"), ("status", "-j"), ("events", "--timeout", "0"))
CHANGE = (("disarm",), ("block", "add", "192.0.2.8"), ("policy", "apply", POLICY.name), ("policy", "reset"),
          ("detach", "--all"), ("attach", "lo"))


def test_a_member_reads_what_root_reads(asked, synward, stage):
    stage.accepted(5)
    synward.expect_outcomes(accepted=5)
    stats = json.loads(asked(READER, "-j", "stats").stdout)
    assert stats["handshakes"]["accepted"] == 5
    for words in READ:
        done = asked(READER, *words)
        assert done.returncode == (3 if words[0] == "status" else 0), done.stdout + done.stderr
        assert done.stdout
    assert "this user may not read its hooks; as root: synward status" in asked(READER, "status").stdout
    page = Page.of(asked(READER, "stats", "--prometheus").stdout)
    assert page.value("synward_degraded_reason", reason="hook_unknown") == 1
    assert page.value("synward_degraded_reason", reason="hook") == 0


def test_a_member_sees_that_there_is_no_program(asked, pair, synward):
    """Whose it is, where there is one, only root sees."""
    space, labels = pair[1].namespace, {"interface": "s0", "netns": str(pair[1].namespace.inode)}

    def health(is_):
        page = Page.of(asked(space.command(*READER), "stats", "--prometheus").stdout)
        return page.value("synward_hook_health", **labels, hook="ingress", health=is_)
    assert health("unknown") == 1
    run("bpftool", "link", "detach", "pinned", synward.pin_dir / "links" / "0" / "xdp")
    assert health("detached") == 1
    assert "degraded:" in asked(space.command(*READER), "status").stdout


def test_a_member_changes_nothing(asked, synward):
    before = synward.expect(0, "policy", "show").stdout.splitlines()[1:3]
    for words in CHANGE:
        done = asked(READER, *words)
        assert done.returncode == 1 and "no permission" in done.stderr, (words, done)
    status = synward.json("status")
    assert [one["name"] for one in status["interfaces"]] == ["s0"] and status["policy"]["armed"]
    assert status["policy"]["lists"]["block"] == 1
    assert synward.expect(0, "policy", "show").stdout.splitlines()[2:3] == before[1:]


def test_others_may_not_read(asked):
    for words in READ:
        done = asked(STRANGER, *words)
        assert done.returncode == 1, done.stdout
        assert "run as root, or as a member of the group synward" in done.stderr


def test_others_may_not_change_either(asked, synward):
    """Nor hear that there is nothing to change."""
    for words in CHANGE:
        done = asked(STRANGER, *words)
        assert done.returncode == 1 and "no permission" in done.stderr, (words, done)
        assert not done.stdout
    assert synward.json("status")["policy"]["armed"]
    assert not (synward.state_dir / "disarmed.mark").exists()


@pytest.mark.parametrize("there", (True, False), ids=("attached", "nothing"))
def test_who_may_not_look_hears_not_that_nothing_is_there(asked, synward, there):
    """systemd mounts the bpffs for root alone: there, too, it is not known what is attached."""
    if not there:
        synward.expect(0, "detach", "--all")
    bpffs = synward.pin_dir.parent
    mode = stat.S_IMODE(bpffs.stat().st_mode)
    bpffs.chmod(0o700)
    try:
        for words in (("status",), *READ, *CHANGE[:-1]):
            done = asked(STRANGER, *words)
            assert done.returncode == 1 and "no permission" in done.stderr, (words, done)
        failed = json.loads(asked(STRANGER, "-j", "disarm").stdout)
    finally:
        bpffs.chmod(mode)
    assert failed["failure"] == "not_allowed" and "run as root" in failed["error"]
    assert not (synward.state_dir / "disarmed.mark").exists()


def test_what_makes_cookies_and_policies_stays_roots(asked, synward):
    """As do the hooks: who holds a link takes it away."""
    for path in synward.pin_dir.rglob("*"):
        name, about = str(path.relative_to(synward.pin_dir)), path.stat()
        wanted = (0, 0o600) if name in SECRETS or path.is_file() and name.startswith("links/") else \
            (GROUP, 0o750 if path.is_dir() else 0o640)
        assert (about.st_gid, stat.S_IMODE(about.st_mode)) == wanted, name


def test_without_a_group_it_is_roots_alone(pair, synward, tmp_path):
    with_groups(synward, groups(tmp_path), "attach", "s0", namespace=pair[1].namespace)
    for path in [synward.pin_dir, *synward.pin_dir.rglob("*")]:
        assert path.stat().st_gid == 0 and not path.stat().st_mode & 0o027, path
