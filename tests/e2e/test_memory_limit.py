# SPDX-License-Identifier: GPL-2.0-or-later
"""Under a memory limit of a cgroup, an attach is whole, or says what it lacks, and leaves nothing."""

import contextlib
import os
import signal

import pytest

from causes import QUICK
from cli import BINARY
from hooks import xdp_program
from net import run

MB = 1 << 20
LIMITS = (8 * MB, 16 * MB, 20 * MB, 26 * MB, 32 * MB, 64 * MB, 256 * MB)
KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)  # by the kernel, which has no memory for itself then


def mount_groups(where):
    """Where limits of memory are set, of cgroup v1 or v2. The name of the file for them; None if nowhere."""
    if not run("mount", "-t", "cgroup", "-o", "memory", "none", where, check=False).returncode:
        return "memory.limit_in_bytes"
    if run("mount", "-t", "cgroup2", "none", where, check=False).returncode:
        return None
    return "memory.max" if "memory" in (where / "cgroup.subtree_control").read_text().split() else None


@pytest.fixture
def group(tmp_path):
    """A context of a group with so many bytes, of which it is the directory."""
    root = tmp_path / "groups"
    root.mkdir()
    limit = mount_groups(root)

    @contextlib.contextmanager
    def limited(size):
        made = root / f"synward-test-{os.getpid()}"
        made.mkdir()
        try:
            (made / limit).write_text(f"{size}\n")
            yield made
        finally:
            made.rmdir()
    try:
        if not limit:
            pytest.skip("no cgroup here limits memory")
        yield limited
    finally:
        run("umount", root, check=False)


def test_attach_is_whole_or_nothing(pair, synward, group):
    far, ended = pair[1], []
    while not ended or ended[-1]:
        with group(LIMITS[len(ended)]) as made:
            done = far.namespace.run(
                "sh", "-c", f"echo $$ >{made}/cgroup.procs && exec \"$0\" \"$@\"", BINARY, "attach", *QUICK, "s0",
                check=False, env=synward.environment())
        ended.append(done.returncode)
        if done.returncode in KILLED:
            synward.expect(0, "detach", "--all")
        elif done.returncode:
            assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done
            assert "memory" in done.stderr, done
        if done.returncode:
            assert not synward.pin_dir.exists() and xdp_program(far) is None, done
    assert ended.count(1), "one of them was told"
    synward.expect(0, "status")
