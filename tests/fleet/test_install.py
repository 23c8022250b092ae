# SPDX-License-Identifier: GPL-2.0-or-later
"""The package comes to a host by the playbook that is shipped: this machine is the host, and keeps nothing of it."""

import pathlib
import re
import shutil

import pytest

from cli import BUILD, ROOT
from net import Lab, run

HERE = pathlib.Path(__file__).resolve().parent
VERSION = (ROOT / "VERSION").read_text().strip()
PROGRAMS = ("ansible-playbook", "apt-get", "dpkg")
LACKING = [name for name in PROGRAMS if not shutil.which(name)]
pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"there is no {', '.join(LACKING)}: packaging/install-deps fleet")

PLAY = """
export HOME=/root LC_ALL=C.UTF-8 ANSIBLE_NOCOLOR=1 ANSIBLE_LOCAL_TEMP=/tmp/local ANSIBLE_REMOTE_TEMP=/tmp/remote
play() {
	echo "== $1"
	shift
	ansible-playbook -i localhost, -c local -e ansible_python_interpreter=/usr/bin/python3 -e synward_become=false \\
		-e synward_package=/srv/synward.deb "$@" /srv/install.yml || echo "it failed"
}
play 'looked at' --check
play 'done'
play 'done again'
play 'looked at again' --check
echo '== what there is'
synward status
synward detach --all
"""
RECAP = re.compile(r"ok=(\d+) +changed=(\d+) +unreachable=0 +failed=0")


def test_it_installs_attaches_and_changes_nothing_the_second_time(tmp_path):
    place = tmp_path / "srv"
    place.mkdir()
    package = BUILD / f"synward_{VERSION}_{run('dpkg', '--print-architecture').stdout.strip()}.deb"
    assert package.exists(), f"{package} is not there: make deb"
    shutil.copy(package, place / "synward.deb")
    shutil.copy(ROOT / "packaging" / "ansible" / "install.yml", place)
    with Lab() as lab:
        _, end = lab.wire(lab.namespace("far"), "far0", lab.namespace("host"), "eth0")
        done = end.namespace.run(HERE / "machine", tmp_path, "sh", "-c", PLAY, check=False, seconds=300)
    said = done.stdout + done.stderr
    assert "it failed" not in said, said
    # {what was done: tasks that were ok, and those that changed something}
    parts = {part.split("\n", 1)[0]: tuple(map(int, RECAP.search(part).groups()))
             for part in done.stdout.split("== ") if RECAP.search(part)}
    assert parts == {"looked at": (1, 1), "done": (6, 4), "done again": (6, 0), "looked at again": (4, 0)}, said
    assert re.search(r"eth0 .*native .*tcx .*ok", done.stdout), said
    assert (place / "done").read_text().splitlines() == [
        f"{verb} {unit}.service" for unit in ("synward@eth0", "synward-exporter") for verb in ("enable", "start")]
