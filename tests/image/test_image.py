# SPDX-License-Identifier: GPL-2.0-or-later
"""The OCI image, as `make image` has left it: made anew it is the same, and there is no more in it than runs."""

import json
import os
import pathlib
import shutil
import stat
import tarfile

import pytest

from cli import BUILD, ROOT
from net import Failed, run

VERSION = (ROOT / "VERSION").read_text().strip()
LAYOUT = BUILD / "image"
NOBODY = 65534
FILES = {"usr/sbin/synward", "usr/sbin/synward-exporter", "usr/bin/dash", "var/lib/dpkg/status.d/libbpf1",
         "usr/share/doc/synward/copyright", "etc/passwd", "etc/group"}
MOST = 20 << 20


def blob(digest):
    return LAYOUT / "blobs" / digest.replace(":", "/")


def content(digest):
    return json.loads(blob(digest).read_text())


@pytest.fixture(scope="module")
def manifest():
    [one] = json.loads((LAYOUT / "index.json").read_text())["manifests"]
    assert one["annotations"]["org.opencontainers.image.ref.name"] == VERSION
    return content(one["digest"])


@pytest.fixture(scope="module")
def members(manifest):
    [layer] = manifest["layers"]
    with tarfile.open(blob(layer["digest"])) as tar:
        return {one.name.removeprefix("./"): one for one in tar}


def test_made_anew_by_nobody_it_is_the_same(tmp_path):
    """By somebody without privileges, too, in another place."""
    [package] = BUILD.glob(f"synward_{VERSION}_*.deb")
    for path in (package, ROOT / "packaging/make-image"):
        shutil.copy(path, tmp_path)
    for place in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        place.chmod(0o755)
    os.chown(tmp_path, NOBODY, NOBODY)
    try:
        run("setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--bounding-set=-all", "--no-new-privs",
            "env", f"HOME={tmp_path}", f"TMPDIR={tmp_path}", "./make-image", package.name, "image", cwd=tmp_path,
            seconds=300)
    except Failed as why:
        if "could not fetch" in str(why) or "apt-get" in str(why):
            pytest.skip(str(why))
        raise
    assert (tmp_path / "image/index.json").read_text() == (LAYOUT / "index.json").read_text()


def test_what_is_in_it(members):
    assert FILES <= members.keys()
    assert not [name for name in members if name.endswith((".log", ".cache", ".pyc")) or "/cache/" in name]
    assert {(one.uid, one.gid) for one in members.values()} == {(0, 0)}
    assert len({one.mtime for one in members.values()}) == 1
    assert sum(one.size for one in members.values()) < MOST
    programs = {name for name, one in members.items()
                if name.startswith(("usr/bin/", "usr/sbin/")) and one.isfile()}
    assert programs == {"usr/sbin/synward", "usr/sbin/synward-exporter", "usr/bin/dash"}
    for name, one in members.items():
        assert not one.mode & (stat.S_ISUID | stat.S_ISGID), name
        assert one.issym() or not one.mode & 0o022 or name == "tmp", name


def test_all_libraries_are_in_it(members):
    said = run("ldd", BUILD / "synward", BUILD / "synward-exporter").stdout
    names = {pathlib.PurePosixPath(name).name for name in members}
    assert {line.split()[0] for line in said.splitlines() if line.strip().startswith("lib")} <= names


def test_how_it_is_described(manifest):
    config = content(manifest["config"]["digest"])
    assert config["os"] == "linux" and config["config"]["Labels"]["org.opencontainers.image.version"] == VERSION
    assert config["created"] == config["history"][0]["created"] and len(config["history"]) == 1
