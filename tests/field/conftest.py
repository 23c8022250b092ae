# SPDX-License-Identifier: GPL-2.0-or-later
"""The fixtures of tests/e2e, a cell for each set-up and column of a file, and the table in the end."""

import importlib.util
import itertools
import pathlib
import sys

import pytest

E2E = pathlib.Path(__file__).resolve().parents[1] / "e2e"
sys.path.insert(0, str(E2E))
spec = importlib.util.spec_from_file_location("e2e_fixtures", E2E / "conftest.py")
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)
machine, bpffs = fixtures.machine, fixtures.bpffs
pytest_runtest_makereport = fixtures.pytest_runtest_makereport

from cells import COLUMNS, Trial  # noqa: E402
from cli import fresh  # noqa: E402
from net import Lab  # noqa: E402

NUMBERS = itertools.count()
CELLS = {}  # by set-up and column, as text
NAME_WIDTH, CELL_WIDTH = 52, 30


def pytest_generate_tests(metafunc):
    """Set-ups are what a file has as SETUPS: names and classes."""
    if "trial" in metafunc.fixturenames:
        metafunc.parametrize(
            ("place", "column"),
            [pytest.param(setup, column, id=f"{setup}, {column}")
             for setup, made in metafunc.module.SETUPS.items() for column in made.columns],
            indirect=["place"], scope="module")


@pytest.fixture(scope="module")
def place(request, machine):
    with Lab() as lab:
        yield request.module.SETUPS[request.param](lab)


@pytest.fixture
def trial(request, place, column, bpffs, tmp_path):
    """Of which the cell is noted for the table, and has to be right."""
    setup = request.node.callspec.params["place"]
    with fresh(bpffs / f"t{next(NUMBERS)}", tmp_path / "state") as synward:
        made = Trial(place, column, synward, tmp_path)

        def expect_right():
            cell = made.run()
            CELLS[setup, column] = str(cell)
            assert cell.is_right, f"{setup}, {column}: {cell}"
        yield expect_right


def rows():
    if CELLS:
        yield "set-up", COLUMNS
    for setup in dict.fromkeys(name for name, _ in CELLS):
        yield setup, [CELLS.get((setup, column), "-") for column in COLUMNS]


def pytest_terminal_summary(terminalreporter):
    """Each file has its part of the table; the run puts them together."""
    for name, cells in rows():
        line = f"{name:<{NAME_WIDTH}}" + "".join(f"{cell:<{CELL_WIDTH}}" for cell in cells)
        terminalreporter.write_line(f"note: {line.rstrip()}")
