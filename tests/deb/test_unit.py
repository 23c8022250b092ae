# SPDX-License-Identifier: GPL-2.0-or-later
"""The unit, as systemd understands it."""

import re

import pytest

from net import run

UNIT = "synward@eth0.service"
WORST = 3.0  # of 10; systemd calls up to 4 "ok"


@pytest.fixture(scope="module")
def root(package, tmp_path_factory):
    """What systemd's tools take for a machine on which the package is installed."""
    top = tmp_path_factory.mktemp("root")
    run("dpkg-deb", "-x", package, top)
    return top


def test_it_is_sound(root):
    done = run("systemd-analyze", f"--root={root}", "--man=no", "--recursive-errors=no", "verify",
               root / "lib/systemd/system/synward@.service", check=False)
    assert not done.returncode and not done.stderr, done.stderr


def test_what_it_may_do(root):
    done = run("systemd-analyze", f"--root={root}", "--offline=true", "--no-pager", "security",
               f"--threshold={int(WORST * 10)}", UNIT, check=False)
    exposure = re.search(r"Overall exposure level.*: ([\d.]+)", done.stdout)
    assert exposure and float(exposure[1]) < WORST, done.stdout + done.stderr
