# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of tests/e2e on the hooks of a wire's ends."""

import json

from cli import BUILD, bpftool


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
