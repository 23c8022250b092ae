# SPDX-License-Identifier: GPL-2.0-or-later
"""The units, as systemd understands them."""

import re

import pytest

from net import run

# {unit: the file that it is made of, and how much it may do, of 10; systemd calls up to 4 "ok"}
UNITS = {"synward@eth0.service": ("synward@.service", 3.0),
         "synward-exporter.service": ("synward-exporter.service", 1.6),
         "synward-events.service": ("synward-events.service", 1.6)}


@pytest.fixture(scope="module")
def root(package, tmp_path_factory):
    """What systemd's tools take for a machine on which the package is installed."""
    top = tmp_path_factory.mktemp("root")
    run("dpkg-deb", "-x", package, top)
    return top


@pytest.mark.parametrize("unit", UNITS)
def test_it_is_sound(root, unit):
    done = run("systemd-analyze", f"--root={root}", "--man=no", "--recursive-errors=no", "verify",
               root / "lib/systemd/system" / UNITS[unit][0], check=False)
    assert not done.returncode and not done.stderr, done.stderr


@pytest.mark.parametrize("unit, worst", [(unit, worst) for unit, (_, worst) in UNITS.items()])
def test_what_it_may_do(root, unit, worst):
    done = run("systemd-analyze", f"--root={root}", "--offline=true", "--no-pager", "security",
               f"--threshold={int(worst * 10)}", unit, check=False)
    exposure = re.search(r"Overall exposure level.*: ([\d.]+)", done.stdout)
    assert exposure and float(exposure[1]) < worst, done.stdout + done.stderr
