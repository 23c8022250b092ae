# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of tests/e2e on the hooks of a wire's ends."""

import contextlib
import json
import os
import shutil
import socket

from cli import BUILD, bpftool
from net import run
from objects import LIBBPF

RTMGRP_LINK = 1  # of linux/rtnetlink.h


def bpf_object(name):
    return BUILD / "bpf" / f"{name}.bpf.o"


def filter_packets(end, direction, name, program, priority=1):
    """Has a program see what an end sends (egress) or receives, by a clsact filter."""
    space = end.namespace
    if "clsact" not in space.run("tc", "qdisc", "show", "dev", end.name).stdout:
        space.tc("qdisc", "add", "dev", end.name, "clsact")
    space.tc("filter", "add", "dev", end.name, direction, "prio", priority, "bpf",
             "direct-action", "object-file", bpf_object(name), "program", program)


def tag_frames(ends, tags):
    """VLAN for one tag, QinQ for two, on all that goes between the ends; offloads go off."""
    for end in ends:
        end.offloads(False)
        filter_packets(end, "egress", "vlan", {1: "push_one", 2: "push_two"}[tags])
        filter_packets(end, "ingress", "vlan", "pop_all")


TCX = {"ingress": 46, "egress": 47}  # BPF_TCX_INGRESS and BPF_TCX_EGRESS of linux/bpf.h


def put_on_tcx(end, direction, name):
    """
    Puts the program of an object on a TCX hook of an end, behind those that are there; it stays as
    long as the end. By libbpf, whose name for it is older than the hook: bpftool may not know it.
    """
    pin = f"/sys/fs/bpf/{name}-{end.name}-{direction}"
    run("bpftool", "prog", "load", bpf_object(name), pin)
    try:
        program = LIBBPF.bpf_obj_get(pin.encode())
    finally:
        os.unlink(pin)
    try:
        with end.namespace.entered():
            failed = LIBBPF.bpf_prog_attach(program, end.ifindex, TCX[direction], 0)
        assert not failed, f"{name} on {end.name}: {failed}"
    finally:
        os.close(program)


def put_into_link(link, name, program):
    """Replaces the program of somebody's pinned link by one of an object."""
    pins = f"/sys/fs/bpf/{name}-programs"
    run("bpftool", "prog", "loadall", bpf_object(name), pins)
    opened = [LIBBPF.bpf_obj_get(os.fsencode(path)) for path in (link, f"{pins}/{program}")]
    try:
        assert not LIBBPF.bpf_link_update(*opened, None), f"{program} into {link}"
    finally:
        for fd in opened:
            os.close(fd)
        shutil.rmtree(pins)


def put_on_xdp(end, program="count_tags"):
    """Puts a program of vlan.bpf.c on an end's XDP hook by netlink, and returns its id."""
    end.namespace.ip("link", "set", "dev", end.name, "xdpdrv", "object", bpf_object("vlan"),
                     "program", program)
    return xdp_program(end)


def xdp_program(end):
    """The id of the program on the XDP hook; None if there is none."""
    link = json.loads(end.namespace.ip("-j", "-d", "link", "show", "dev", end.name).stdout)
    return link[0].get("xdp", {}).get("prog", {}).get("id")


def clear_xdp(end):
    end.namespace.ip("link", "set", "dev", end.name, "xdpdrv", "off")


def tag_counts(program):
    """What count_tags has counted: frames without a tag, with one, with two."""
    counts, = bpftool("prog", "show", "id", program)["map_ids"]
    return [row["formatted"]["value"] for row in bpftool("map", "dump", "id", counts)]


class LinkNews:
    """What the kernel says of the links in some namespaces: whenever anything about one has changed."""

    def __init__(self, *namespaces):
        self.sockets = [space.socket(socket.AF_NETLINK, socket.SOCK_RAW) for space in namespaces]
        for one in self.sockets:
            one.bind((0, RTMGRP_LINK))
            one.setblocking(False)

    def take(self):
        """How many messages have come since the last time. They are there when what they tell of is done."""
        count = 0
        for one in self.sockets:
            with contextlib.suppress(BlockingIOError):
                while one.recv(65536):
                    count += 1
        return count

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.sockets:
            one.close()
