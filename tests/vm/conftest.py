# SPDX-License-Identifier: GPL-2.0-or-later
"""In the emulated machine: the fixtures of tests/e2e, whose tests run here, too."""

import importlib.util
import pathlib
import sys

E2E = pathlib.Path(__file__).resolve().parents[1] / "e2e"
sys.path.insert(0, str(E2E))
spec = importlib.util.spec_from_file_location("e2e_fixtures", E2E / "conftest.py")
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)
machine, bpffs, family = fixtures.machine, fixtures.bpffs, fixtures.family
lab, synward, pair = fixtures.lab, fixtures.synward, fixtures.pair
