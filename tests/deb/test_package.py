# SPDX-License-Identifier: GPL-2.0-or-later
"""What the package is made of, and that it is installed, works and is gone again on a bare Debian."""

import re
import subprocess

import pytest

from cli import ROOT
from net import run

BARE = ROOT / "tests" / "bare" / "bare"
NOT_HERE = 77
# What the program is linked with, and what makes a group. Nothing is run by it, so nothing else is needed.
LIBRARIES = {"passwd", "libbpf1", "libc6", "libcap-ng0", "libcyaml1", "libevent-core-2.1-7",
             "libevent-extra-2.1-7", "libjansson4", "libmnl0", "libncursesw6", "libnettle8",
             "libpcap0.8", "libtinfo6", "libyaml-0-2", "zlib1g"}
FILES = ("etc/synward/attach.yaml", "lib/systemd/system/synward@.service", "usr/sbin/synward",
         "lib/systemd/system/synward-exporter.service", "usr/sbin/synward-exporter",
         "usr/share/man/man8/synward-exporter.8.gz", "lib/systemd/system/synward-events.service",
         "usr/lib/sysusers.d/synward.conf", "usr/lib/tmpfiles.d/synward.conf",
         "usr/share/bash-completion/completions/synward", "usr/share/bash-completion/completions/synward-exporter",
         "usr/share/doc/synward/copyright", "usr/share/doc/synward/examples/web-server.yaml",
         "usr/share/synward/prometheus/synward.alerts.yml", "usr/share/doc/synward/operating.md.gz",
         "usr/share/man/man5/synward.yaml.5.gz", "usr/share/man/man5/synward-attach.yaml.5.gz",
         "usr/share/man/man8/synward.8.gz", "usr/share/man/man8/synward-policy.8.gz",
         "usr/share/zsh/vendor-completions/_synward")

# The package is what comes in on standard input. Other packages leave copies of the accounts. What is attached is lo of a network of its own.
LIFE = r"""
exec 2>&1
cat >/tmp/synward.deb
apt-get -q update >/dev/null
files() { find / -xdev '(' -path /proc -o -path /sys -o -path /tmp -o -path /root -o -path /run \
	-o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/log ')' -prune -o -print; }
files | sort >/tmp/before
export DEBIAN_FRONTEND=noninteractive
apt-get install -q -y /tmp/synward.deb || exit 10
synward version || exit 11
synward check-config /usr/share/doc/synward/examples/web-server.yaml || exit 12
unshare --net sleep infinity &
apart="nsenter --net=/proc/$!/ns/net"
until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.01; done
$apart synward attach --config /etc/synward/attach.yaml -m generic lo || exit 13
synward block add 192.0.2.7 || exit 14
synward policy apply /usr/share/doc/synward/examples/web-server.yaml || exit 15
echo "version: 1" >/etc/synward/synward.yaml
apt-get install -q -y --reinstall /tmp/synward.deb | grep -A1 ^synward:
synward status || exit 16
dpkg --remove synward
kill %1
[ ! -e /sys/fs/bpf/synward ] || { ls -R /sys/fs/bpf; exit 17; }
ls -R /etc/synward /var/lib/synward
apt-get purge -q -y synward >/dev/null || exit 18
apt-get autoremove -q -y --purge >/dev/null || exit 19
files | grep -v '^/etc/g\?shadow-$' | sort >/tmp/after
diff /tmp/before /tmp/after && ! grep synward /etc/group && echo "nothing is left"
"""


def field(package, name):
    return run("dpkg-deb", "-f", package, name).stdout.strip()


def test_lintian_has_nothing_to_say(package):
    changes = package.with_suffix(".changes")
    done = run("lintian", "--allow-root", "--display-info", "--pedantic", "--tag-display-limit", "0",
               "--fail-on", "error,warning,info,pedantic,experimental", changes, check=False,
               seconds=300)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_it_depends_on_what_it_runs_with_and_on_nothing_else(package):
    depends = field(package, "Depends").split(", ")
    assert {re.match(r"\S+", one)[0] for one in depends} == LIBRARIES
    assert not field(package, "Recommends") and not field(package, "Pre-Depends")


def test_contents(package):
    lines = run("dpkg-deb", "-c", package).stdout.splitlines()
    found = {line.split()[5].removeprefix("./"): line.split()[:2] for line in lines}
    assert set(FILES) <= found.keys()
    assert {owner for _, owner in found.values()} == {"root/root"}
    assert {mode for mode, _ in found.values()} == {"drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"}
    programs = [name for name, (mode, _) in found.items() if mode == "-rwxr-xr-x"]
    assert programs == ["usr/sbin/synward", "usr/sbin/synward-exporter"]
    control = run("dpkg-deb", "-I", package, "conffiles").stdout
    assert control.split() == ["/etc/synward/attach.yaml"]


def test_everything_that_make_install_installs_is_in_it(package, tmp_path):
    run("make", "-s", "install", f"DESTDIR={tmp_path}", "PREFIX=/usr", cwd=ROOT, seconds=600)
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    lines = run("dpkg-deb", "-c", package).stdout.splitlines()
    assert names <= {line.split("/")[-1].removesuffix(".gz") for line in lines}


def test_on_a_bare_debian(package):
    """Installed by apt, used, removed, which detaches, and purged."""
    with open(package, "rb") as stdin:
        done = subprocess.run((BARE, "--", "bash", "-c", LIFE), stdin=stdin,
                              capture_output=True, text=True, timeout=600)
    if done.returncode == NOT_HERE:
        pytest.skip(done.stderr.strip())
    said = done.stdout
    assert done.returncode == 0, said + done.stderr
    assert "lo: attached (generic XDP, tcx)" in said
    assert "synward: upgrading what is attached:\nalready at this version" in said
    assert "synward: detaching what is attached:\nlo: detached" in said
    assert re.search(r"^attach.yaml$", said, re.M) and re.search(r"^lists.state$", said, re.M)
    assert said.endswith("\nnothing is left\n")
