# SPDX-License-Identifier: GPL-2.0-or-later
"""
What every test has: a lab that takes itself down, and a synward whose state is its own. All of them
run in a world of their own (tests/world), so nothing here looks after what a killed run has left.
"""

import itertools
import os
import pathlib
import signal
import sys

import pytest

LIB = pathlib.Path(__file__).resolve().parents[1] / "lib"
sys.path.insert(0, str(LIB))
# what an assertion there was about is said, too
pytest.register_assert_rewrite(*(path.stem for path in LIB.glob("*.py")))

from causes import FAMILIES, QUICK, Stage  # noqa: E402
from cli import BINARY, fresh, what_they_say  # noqa: E402
from floods import answerable  # noqa: E402
from net import Lab  # noqa: E402

BPFFS = pathlib.Path("/sys/fs/bpf")
NUMBERS = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def machine():
    """Refuses what cannot work, and has a killed session clean up like one that was interrupted."""
    if os.geteuid():
        pytest.exit("these tests need root: network namespaces and BPF", 1)
    if "SYNWARD_TEST_WORLD" not in os.environ:
        pytest.exit("these tests need a world of their own: tests/run e2e, or put tests/world before "
                    "the command", 1)
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: make", 1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What has failed has every synward that is still attached say how it stands."""
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        report.sections += [(f"what {command} says", said) for command, said in what_they_say()]


@pytest.fixture(scope="session")
def bpffs(machine):
    return BPFFS


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


@pytest.fixture
def wire(pair):
    """One on which a client hears what the server's driver sends."""
    answerable(pair[0])
    return pair


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.fixture
def stage(pair, family):
    """Where handshakes are caused, over IPv4 and over IPv6."""
    return Stage(*pair, family)


@pytest.fixture(scope="module", params=FAMILIES)
def shared(request, bpffs, tmp_path_factory):
    """
    A stage and a synward that watches the server's end, for all tests of a file. What takes most of the
    time of a test is that the kernel looks through the programs once more; here it does so once.
    """
    with Lab() as lab, fresh(bpffs / f"t{next(NUMBERS)}", tmp_path_factory.mktemp("state")) as made:
        ends = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        made.attach(ends[1], options=QUICK)
        yield Stage(*ends, FAMILIES[request.param]), made


@pytest.fixture
def watched(shared):
    """These two for one test: what is said of counters is of this test alone."""
    stage, synward = shared
    return stage, synward.begin()
