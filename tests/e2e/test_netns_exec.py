# SPDX-License-Identifier: GPL-2.0-or-later
"""
The default pin directory, also by `ip netns exec`, which puts another /sys over the one with the
bpffs. Each test is a machine of its own, with its own mounts and first process, so what is really
attached on this one is not touched.
"""

import json
import socket

import pytest

import tcp
from causes import QUICK
from cli import BINARY
from hooks import xdp_program
from net import run, stop, wait_for

V4 = socket.AF_INET
BPFFS = "/sys/fs/bpf"


class Machine:
    """Processes that share a mount and a pid namespace, and nothing of it is this machine's."""

    def __init__(self, lab, bpffs):
        mounts = f"umount -l {BPFFS} 2>/dev/null; true"
        if bpffs:
            mounts = f"mount -t bpf bpf {BPFFS}"
        self.init = lab.process(["unshare", "--mount", "--pid", "--fork", "--mount-proc",
                                 "--kill-child", "sh", "-c", f"{mounts}; exec sleep infinity"])
        self.lab = lab
        child = f"/proc/{self.init.pid}/task/{self.init.pid}/children"
        self.pid = wait_for(lambda: open(child).read().split(), "the machine to start")[0]
        # the shell that mounts says "sleep infinity", too, among its own words
        wait_for(lambda: open(f"/proc/{self.pid}/cmdline", "rb").read() == b"sleep\0infinity\0",
                 "its mounts")

    def run(self, *argv, code=0):
        done = run("nsenter", f"--target={self.pid}", "--mount", "--pid", "env",
                   "-u", "SYNWARD_PIN_DIR", *argv, check=False)
        assert done.returncode == code, (argv, done.stdout, done.stderr)
        return done.stdout


@pytest.mark.parametrize("bpffs", (True, False), ids=("mounted", "not mounted"))
def test_attach_by_ip_netns_exec_is_seen_outside(pair, lab, bpffs):
    """Also on a machine where nobody has mounted a bpffs: attach does, where all can see it."""
    machine = Machine(lab, bpffs)
    near, far = pair
    machine.run("ip", "netns", "exec", far.namespace.name, BINARY, "attach", *QUICK, far.name)
    with tcp.listener(far, V4) as server:
        tcp.accepted(near.namespace, server, 10)
    stats = json.loads(machine.run(BINARY, "-j", "stats"))
    assert stats["handshakes"]["accepted"] == 10
    assert [one["name"] for one in stats["interfaces"]] == [far.name]
    status = json.loads(machine.run(BINARY, "-j", "status"))
    assert status["pin_dir"] == f"{BPFFS}/synward" and status["interfaces"][0]["ok"]

    inside = machine.run("ip", "netns", "exec", far.namespace.name, BINARY, "-j", "stats")
    assert json.loads(inside)["handshakes"]["accepted"] == 10
    machine.run(BINARY, "detach", far.name)
    machine.run("ip", "netns", "exec", far.namespace.name, BINARY, "stats", code=1)
    machine.run("test", "!", "-e", f"{BPFFS}/synward")


def test_attach_by_nsenter_is_seen_by_ip_netns_exec(pair, lab):
    """The other way round: attached by who sees /sys, and looked at by who does not."""
    machine = Machine(lab, True)
    far = pair[1]
    machine.run("nsenter", f"--net={far.namespace.path}", BINARY, "attach", *QUICK, far.name)
    status = machine.run("ip", "netns", "exec", far.namespace.name, BINARY, "-j", "status")
    assert json.loads(status)["interfaces"][0]["ok"]
    machine.run("ip", "netns", "exec", far.namespace.name, BINARY, "detach", "--all")
    assert not json.loads(machine.run(BINARY, "-j", "status"))["attached"]


def test_what_is_attached_ends_with_its_bpffs(pair, lab):
    """Pins are what keeps it: a machine that goes takes all with it, and this is no leak."""
    machine = Machine(lab, False)
    far = pair[1]
    machine.run("ip", "netns", "exec", far.namespace.name, BINARY, "attach", *QUICK, far.name)
    assert xdp_program(far)
    stop(machine.init)
    wait_for(lambda: xdp_program(far) is None, "the program to be gone")
