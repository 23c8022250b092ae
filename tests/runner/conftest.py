# SPDX-License-Identifier: GPL-2.0-or-later
"""
What runs the tests is itself run here, in worlds within this one's, with made-up test programs.
None of these tests asserts a time: whatever waits does so for what the test does.
"""

import os
import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from made import Tree  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def machine():
    if os.geteuid() or "SYNWARD_TEST_WORLD" not in os.environ:
        pytest.exit("these tests need root and a world of their own: tests/run runner, or put "
                    "tests/world before the command", 1)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path / "tree")


@pytest.fixture
def everyones_tree():
    """One that other users can read."""
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        yield Tree(pathlib.Path(top))
