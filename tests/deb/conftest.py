# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package, as `make deb` has left it, and the place where it is installed."""

import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "lib"))

from cli import BUILD, ROOT  # noqa: E402

VERSION = (ROOT / "VERSION").read_text().strip()


@pytest.fixture(scope="session")
def package():
    found = list(BUILD.glob(f"synward_{VERSION}_*.deb"))
    assert len(found) == 1, "there is no package, or more than one: make deb"
    return found[0]
