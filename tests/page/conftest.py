# SPDX-License-Identifier: GPL-2.0-or-later
"""The exporter's page in Chromium, where that is installed; in a world of its own, as tests of e2e are."""

import pathlib
import shutil
import socket
import sys

import pytest

LIB = pathlib.Path(__file__).resolve().parents[1] / "lib"
sys.path.insert(0, str(LIB))
pytest.register_assert_rewrite(*(path.stem for path in LIB.glob("*.py")))

import tcp  # noqa: E402
from browser import CHROMIUM, DRIVER, Browser  # noqa: E402
from causes import QUICK, Stage  # noqa: E402
from cli import fresh  # noqa: E402
from exporter import Exporter  # noqa: E402
from floods import answerable, apply  # noqa: E402
from net import Lab  # noqa: E402

NEEDED = (CHROMIUM, DRIVER)


@pytest.fixture(scope="session")
def browser():
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed: packaging/install-deps page")
    pytest.importorskip("selenium", reason="python3-selenium is not installed: packaging/install-deps page")
    with Browser() as made:
        yield made


@pytest.fixture
def lab():
    with Lab() as made:
        yield made


@pytest.fixture
def synward(lab, tmp_path):
    with fresh(pathlib.Path("/sys/fs/bpf/page"), tmp_path / "state") as made:
        yield made


@pytest.fixture
def wire(lab):
    near, far = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
    answerable(near)
    return near, far


@pytest.fixture
def stage(wire, synward, tmp_path):
    """Attached, with a service that is defended."""
    synward.attach(wire[1], options=QUICK)
    apply(synward, tmp_path, f"name: web, ports: [{tcp.PORT}], syn_flood: adaptive")
    return Stage(*wire, socket.AF_INET)


@pytest.fixture
def exporter(browser, lab, synward):
    return Exporter(lab, synward.environment())


@pytest.fixture
def page(browser, exporter):
    """The browser, at the page."""
    browser.go(f"http://127.0.0.1:{exporter.ports[0]}/")
    yield browser
    assert browser.complaints() == []
