# SPDX-License-Identifier: GPL-2.0-or-later
"""
A machine that boots with systemd: what is attached comes and goes with its interface, is there again
after a reboot with policy and lists, and an upgrade of the package does not touch it.
"""

import pathlib
import subprocess

import pytest

import debian
from bare_root import NotHere
from cli import ROOT

HERE = pathlib.Path(__file__).resolve().parent
VM = ROOT / "tests" / "vm" / "vm"
NO_KERNEL = 77

# eth0, as a card would be there, and behind it a network namespace.
WIRE = """#!/bin/sh -e
ip netns add far 2>/dev/null || true
ip link add eth0 type veth peer name c0 netns far
ip addr add 192.0.2.1/24 dev eth0
ip link set eth0 up
ip -n far addr add 192.0.2.2/24 dev c0
ip -n far link set c0 up
"""
UNITS = {"wire": "[Unit]\nBefore=network-pre.target\nWants=network-pre.target\n[Service]\nType=oneshot\n"
                 "RemainAfterExit=yes\nExecStart=/usr/local/sbin/wire\n",
         "listener": "[Unit]\nAfter=network.target\n[Service]\nExecStart=nc -l -k 80\n"}
POLICY = """version: 1
flood_defence: {way: kernel, set_syncookies: yes}
services: [{name: web, ports: [80], mode: enforce, syn_flood: adaptive}]
"""

FIRST_BOOT = r"""
want "nothing is attached by itself" says "not attached" synward status
want "enabled and started" systemctl enable --now synward@eth0
want "attached in the driver" says "eth0 .*native .*tcx .*ok" synward status
want "a member of the group reads" says "half-open" reader --groups "$(getent group synward | cut -d: -f3)"
want "others do not" not reader --clear-groups
want "nothing serves by itself" not exporter /healthz
want "the exporter is started" systemctl enable --now synward-exporter
want "and may read" says "^synward_up 1" exporter /metrics
want "in both families" says alive sh -c "printf 'GET /healthz HTTP/1.0\r\n\r\n' | nc -w 5 ::1 9945"
want "events are sent to the journal" systemctl enable --now synward-events
want "what was attached before, too" told interface 1
want "clients get in" connects
want "which is told" told handshake
want "once more" systemctl restart synward-events
want "what comes then" synward block add 203.0.113.9
want "is told" told list 1
want "and nothing twice" told interface 1
want "and are counted" says '"accepted":[1-9]' synward -j stats
want "another namespace's interface, by hand" ip netns exec far synward attach c0
want "reloaded" systemctl reload synward@eth0
want "the policy is active" says "mode: enforce" synward policy show
want "the sysctl is as it asks" grep -qx 2 /proc/sys/net/ipv4/tcp_syncookies
want "there, too" ip netns exec far grep -qx 2 /proc/sys/net/ipv4/tcp_syncookies
want "by hand again" synward detach c0
want "a prefix is blocked" synward block add 203.0.113.0/24 --reason feed

program=$(program) accepted=$(accepted)
want "upgraded" dpkg -i /root/synward.deb
want "the same program" [ "$(program)" = "$program" ]
want "the exporter was started anew" says "^synward_up 1" exporter /metrics
want "the same counters" [ "$(accepted)" = "$accepted" ]
want "clients still get in" connects

ip link del eth0
want "stops with its interface" is inactive
want "is detached" says "not attached" synward status
want "the exporter says so" says 'reason="not_attached"} 1' exporter /metrics
/usr/local/sbin/wire
want "starts when it comes again" is active
want "with the policy" says "mode: enforce" synward policy show
want "with the list" says 203.0.113.0/24 synward block list
want "the exporter reads it" says "^ready" exporter /readyz

systemctl stop synward@eth0
want "stopped" says "not attached" synward status
want "the sysctl is what it was" grep -qx 1 /proc/sys/net/ipv4/tcp_syncookies
mkdir -p /run/systemd/system/synward@eth0.service.d
for capability in CAP_NET_ADMIN CAP_SYS_ADMIN; do
	printf '[Service]\nCapabilityBoundingSet=~%s\n' $capability >/run/systemd/system/synward@eth0.service.d/less.conf
	systemctl daemon-reload
	want "not without $capability" not systemctl start synward@eth0
done
printf '[Service]\nCapabilityBoundingSet=\nCapabilityBoundingSet=CAP_BPF CAP_NET_ADMIN CAP_PERFMON CAP_CHOWN\n' \
	>/run/systemd/system/synward@eth0.service.d/less.conf
systemctl daemon-reload
want "with other capabilities instead" systemctl start synward@eth0
systemctl stop synward@eth0
rm -r /run/systemd/system/synward@eth0.service.d
cp /etc/synward/attach.yaml /tmp
echo "mode: fast" >>/etc/synward/attach.yaml
systemctl daemon-reload
want "not with a bad file" not systemctl start synward@eth0
want "and the journal says why" says "attach.yaml:[0-9]*: mode: fast: expected auto, native, generic or tc" \
	journalctl -b -u synward@eth0
cp /tmp/attach.yaml /etc/synward/attach.yaml
cp /var/lib/synward/policy.yaml /tmp
echo "version: 2" >/var/lib/synward/policy.yaml
want "though a saved policy cannot be read" systemctl start synward@eth0
want "which is told" says "the saved policy is not valid" journalctl -b -u synward@eth0
systemctl stop synward@eth0
cp /tmp/policy.yaml /var/lib/synward
want "and again" systemctl start synward@eth0
exit $failures
"""

SECOND_BOOT = r"""
want "attached after a reboot" is active
want "before the listener" [ "$(systemctl show -P ActiveEnterTimestampMonotonic synward@eth0)" -lt \
	"$(systemctl show -P ActiveEnterTimestampMonotonic listener)" ]
want "a member of the group reads" says "half-open" reader --groups "$(getent group synward | cut -d: -f3)"
want "the exporter, too" says "^synward_up 1" exporter /metrics
want "in the driver" says "eth0 .*native .*clsact .*ok" synward status
want "with the policy" says "mode: enforce" synward policy show
want "with the list" says 203.0.113.0/24 synward block list
want "clients get in" connects
want "removed" dpkg --remove synward
want "nothing is in the kernel" not ls /sys/fs/bpf/synward
want "the sysctl is what it was" grep -qx 1 /proc/sys/net/ipv4/tcp_syncookies
want "purged" dpkg --purge synward
want "no unit is left" not says synward systemctl list-units --all 'synward*'
want "no group is left" not getent group synward
want "the bpffs is root's alone" says "^1700 root" stat -c "%a %G" /sys/fs/bpf
want "no file is left" [ -z "$(find /etc /var/lib /usr /run -name '*synward*')" ]
exit $failures
"""


@pytest.fixture(scope="module")
def machine(package, tmp_path_factory):
    """The directory of one, whose files outlive a boot."""
    top = tmp_path_factory.mktemp("machine") / "root"
    try:
        debian.make(top, package)
    except NotHere as why:
        pytest.skip(str(why))
    wire = top / "usr/local/sbin/wire"
    wire.write_text(WIRE)
    wire.chmod(0o755)
    for name, text in UNITS.items():
        (top / f"etc/systemd/system/{name}.service").write_text(text)
        (top / f"etc/systemd/system/multi-user.target.wants/{name}.service").symlink_to(
            f"../{name}.service")
    (top / "etc/synward/synward.yaml").write_text(POLICY)
    (top / "root/guest.sh").write_text((HERE / "guest.sh").read_text())
    return top


def boot(machine, series, script):
    (machine / "root/script.sh").write_text(f". /root/guest.sh\n{script}")
    done = subprocess.run((VM, "--debian", machine, series, "sh", "/root/script.sh"), text=True,
                          capture_output=True, timeout=900)
    if done.returncode == NO_KERNEL:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0 and "NOT: " not in done.stdout, done.stdout + done.stderr
    print(done.stdout)


def test_two_boots(machine):
    """The second one is under an older kernel, whose egress hook is another one."""
    boot(machine, "6.12", FIRST_BOOT)
    boot(machine, "6.1", SECOND_BOOT)
