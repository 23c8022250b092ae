# SPDX-License-Identifier: GPL-2.0-or-later
"""The image, as `make image` has left it, unpacked; and nodes that run it."""

import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from cli import BUILD, ROOT  # noqa: E402
from net import Lab, run  # noqa: E402
from pods import Node  # noqa: E402

VERSION = (ROOT / "VERSION").read_text().strip()


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    if not shutil.which("umoci"):
        pytest.skip("there is no umoci: packaging/install-deps image")
    layout = BUILD / "image"
    assert layout.is_dir(), "there is no image: make image"
    bundle = tmp_path_factory.mktemp("image") / "bundle"
    run("umoci", "unpack", "--image", f"{layout}:{VERSION}", bundle)
    # others than root are to get in
    for place in (bundle, *bundle.parents):
        if place.stat().st_uid == os.getuid() and place.stat().st_mode & 0o777 == 0o700:
            place.chmod(0o711)
    return bundle / "rootfs"


@pytest.fixture(scope="module")
def node(image, tmp_path_factory):
    with Lab() as lab:
        yield Node(lab, image, "node1", tmp_path_factory.mktemp("node1"))
