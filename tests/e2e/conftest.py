# SPDX-License-Identifier: GPL-2.0-or-later
"""What every test has: a lab that takes itself down, and a synward whose state is its own."""

import itertools
import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from causes import FAMILIES, Stage  # noqa: E402
from cli import BINARY, fresh, private_bpffs  # noqa: E402
from net import Lab, sweep_leftovers  # noqa: E402

NUMBERS = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def machine():
    """Refuses what cannot work, and has a killed session clean up like one that was interrupted."""
    if os.geteuid():
        pytest.exit("these tests need root: network namespaces and BPF", 1)
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: make", 1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sweep_leftovers()


@pytest.fixture(scope="session")
def bpffs(machine):
    with private_bpffs() as path:
        yield path


@pytest.fixture
def lab(machine):
    with Lab() as made:
        yield made


@pytest.fixture
def synward(lab, bpffs, tmp_path):
    with fresh(bpffs / f"t{next(NUMBERS)}", tmp_path / "state") as made:
        yield made


@pytest.fixture
def pair(lab):
    """The two ends of a wire, of a client and of a server."""
    return lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.fixture
def stage(pair, family):
    """Where handshakes are caused, over IPv4 and over IPv6."""
    return Stage(*pair, family)
