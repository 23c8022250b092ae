# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian 12 with systemd that an emulated machine boots from, with the package installed."""

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bare"))

from bare_root import bare_root, take_settings  # noqa: E402

PACKAGES = ("systemd-sysv", "udev", "ifupdown", "iproute2", "netcat-openbsd")
INSTALL = """
mount -t proc proc /proc
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q -y install --no-install-recommends "$@"
"""


def make(directory, package):
    """Fills a directory that is not there yet. Raises NotHere where no bare Debian can be had."""
    subprocess.run(("cp", "-a", bare_root(), directory), check=True)
    take_settings(directory)
    shutil.copy(package, directory / "root" / "synward.deb")
    # with mounts and processes that end with it
    done = subprocess.run(("unshare", "--mount", "--pid", "--fork", "--kill-child", "chroot", directory,
                           "sh", "-ec", INSTALL, "sh", *PACKAGES, "/root/synward.deb"),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert not done.returncode, done.stdout + done.stderr
