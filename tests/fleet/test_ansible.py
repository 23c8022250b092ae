# SPDX-License-Identifier: GPL-2.0-or-later
"""
A policy goes to three hosts in stages, by the playbook that is shipped: ansible-core comes to an sshd in each
namespace, as it would to machines.
"""

import contextlib
import os
import shutil
import socket
import textwrap

import pytest

from cli import BUILD, ROOT, fresh
from floods import answerable
from net import Lab, run, wait_for

PLAYBOOKS = ROOT / "packaging" / "ansible"
PROGRAMS = ("ansible-playbook", "ssh", "ssh-keygen", "sshd")
LACKING = [name for name in PROGRAMS if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")]
pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"there is no {', '.join(LACKING)}: packaging/install-deps fleet")

HOSTS = ("web1", "web2", "web3")
# Whoever leaves one handshake unfinished locks out all others. It is a limit that somebody may well have meant.
BAD = """version: 1
services: [{name: ssh, ports: [22], mode: enforce, limits: {half_open: {per_service: 1}}}]
"""
GOOD = BAD.replace("per_service: 1}", "per_service: 1000}")

SSHD = """\
Port 22
HostKey {top}/host_key
AuthorizedKeysFile {top}/key.pub
PidFile none
PermitRootLogin yes
StrictModes no
UsePAM no
UseDNS no
Subsystem sftp internal-sftp
SetEnv SYNWARD_PIN_DIR={pins} SYNWARD_STATE_DIR={state} PATH={build}:/usr/sbin:/usr/bin
"""
ANSIBLE = """\
[defaults]
inventory = {top}/hosts
host_key_checking = false
timeout = 2
local_tmp = {top}/local
retry_files_enabled = false
[ssh_connection]
pipelining = true
control_path_dir = {top}/cp
"""


class Host:
    """One machine of the fleet: a namespace with an sshd, and synward attached."""

    def __init__(self, lab, control, name, number, top):
        self.name, self.top = name, top / name
        self.top.mkdir()
        self.space = lab.namespace(name)
        self.far, self.end = lab.wire(control, f"to{number}", self.space, "eth0", subnet=number)
        answerable(self.far)
        self.address = self.end.address(socket.AF_INET)
        self.synward = lab.enter_context(fresh(f"/sys/fs/bpf/{name}", self.top / "state"))
        self.synward.attach(self.end)
        config = self.top / "sshd_config"
        config.write_text(SSHD.format(top=top, pins=self.synward.pin_dir, state=self.synward.state_dir, build=BUILD))
        lab.process(self.space.command("/usr/sbin/sshd", "-D", "-e", "-f", config),
                    stderr=open(self.top / "log", "w", encoding="utf-8"))
        wait_for(lambda: "listening" in (self.top / "log").read_text().lower(), "sshd to listen")

    def policy(self):
        return self.synward.json("status")["policy"]

    def file(self, suffix=""):
        return self.top / f"synward.yaml{suffix}"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    top = tmp_path_factory.mktemp("fleet")
    os.makedirs("/run/sshd", exist_ok=True)
    for name in ("host_key", "key"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", top / name)
    with Lab() as lab:
        control = lab.namespace("control")
        hosts = [Host(lab, control, name, number, top) for number, name in enumerate(HOSTS, 1)]
        options = (f"ansible_user=root ansible_ssh_private_key_file={top}/key ansible_remote_tmp={top}/remote "
                   "ansible_python_interpreter=/usr/bin/python3 "
                   "ansible_ssh_common_args='-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR'")
        (top / "hosts").write_text("".join(
            f"{host.name} ansible_host={host.address} synward_file={host.file()} {options}\n" for host in hosts))
        (top / "ansible.cfg").write_text(ANSIBLE.format(top=top))
        yield control, hosts, top


def play(fleet, text, **variables):
    control, _, top = fleet
    policy = top / "policy.yaml"
    policy.write_text(text)
    words = {"synward_policy": policy, "synward_become": "false", **variables}
    environment = {**os.environ, "ANSIBLE_CONFIG": str(top / "ansible.cfg"), "HOME": str(top), "LC_ALL": "C.UTF-8",
                   "ANSIBLE_NOCOLOR": "1"}
    try:
        return control.run("ansible-playbook", PLAYBOOKS / "synward.yml",
                           *[word for name, value in words.items() for word in ("-e", f"{name}={value}")],
                           check=False, env=environment, seconds=300)
    finally:
        for path in (top / "cp").glob("*"):  # connections that would be used again
            run("ssh", "-o", f"ControlPath={path}", "-O", "exit", "nobody", check=False)


@contextlib.contextmanager
def unfinished(host):
    """Somebody begins handshakes with this host's ssh, and finishes none."""
    program = textwrap.dedent(f"""
        import sys, time
        sys.path.insert(0, {str(ROOT / 'tests/lib')!r})
        from scapy.all import Ether, IP, TCP, conf, raw
        out = conf.L2socket(iface={host.far.name!r})
        port = 1024
        while True:
            port = 1024 + (port + 1) % 60000
            out.send(Ether(src={host.far.mac!r}, dst={host.end.mac!r}) /
                     IP(src={host.far.address(socket.AF_INET, 99)!r}, dst={host.address!r}) /
                     TCP(sport=port, dport=22, flags="S", seq=port))
            time.sleep(0.02)
        """)
    with Lab() as lab:
        lab.process(host.far.namespace.command("/usr/bin/python3", "-B", "-c", program))
        wait_for(lambda: host.synward.stats()["half_open"], "a handshake that nobody finishes")
        yield


@pytest.mark.parametrize("name", sorted(path.name for path in PLAYBOOKS.glob("*.yml")))
def test_syntax(name, tmp_path):
    done = run("ansible-playbook", "--syntax-check", "-i", "localhost,", PLAYBOOKS / name,
               env={**os.environ, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"})
    assert "WARNING" not in done.stderr and "ERROR" not in done.stderr


def test_a_bad_policy_goes_no_further_than_the_first_host(fleet):
    _, hosts, _ = fleet
    first, *others = hosts
    before = [host.policy()["generation"] for host in hosts]
    with unfinished(first):
        done = play(fleet, BAD, synward_confirm="10s", synward_patience=3)
    said = done.stdout + done.stderr
    assert done.returncode and "changed: [web1]" in said.split("It is applied")[1], said
    assert "fatal: [web1]" in said.split("A new one is let in")[1] and "It is confirmed" not in said, said
    # nobody has told it to
    wait_for(lambda: first.policy()["rolled_back"] == 1, "the kernel to go back", seconds=30)
    assert first.policy()["mode"] == "monitor" and not first.policy()["pending"]
    assert not first.file().exists()
    for host, generation in zip(others, before[1:]):
        assert host.policy()["generation"] == generation and host.policy()["rolled_back"] == 0
        assert not host.file(".next").exists()


def test_a_file_with_a_mistake_changes_nothing(fleet):
    _, hosts, _ = fleet
    done = play(fleet, "version: 1\ndefault: {mode: fast}\n")
    assert done.returncode and "expected monitor or enforce" in done.stdout, done.stdout + done.stderr
    assert not any(host.policy()["pending"] or host.policy()["service_count"] for host in hosts)


def test_a_good_one_goes_through_all_stages(fleet):
    _, hosts, top = fleet
    done = play(fleet, GOOD)
    assert not done.returncode, done.stdout + done.stderr
    assert done.stdout.count("PLAY [") == len(HOSTS)  # one, a tenth which is one, and the rest
    for host in hosts:
        state = host.policy()
        assert state["service_count"] == 1 and not state["pending"], state
        assert host.file().read_text() == GOOD and not host.file(".next").exists()
        assert (host.synward.state_dir / "policy.yaml").exists()
    again = play(fleet, GOOD)
    assert not again.returncode and "changed=0" in again.stdout, again.stdout
