# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody else's programs on the hooks of TC were there first, and behind them comes nobody."""

import socket

import pytest

import tcp
from causes import QUICK, Stage
from floods import defend, talk
from hooks import filter_packets, put_on_tcx


def before(synward):
    interface, = synward.json("status")["interfaces"]
    return ([one["name"] for one in interface["egress"]["before"]],
            [one["name"] for one in interface["flood"]["handover"].get("before", ())])


@pytest.mark.parametrize("egress", ("tcx", "clsact"))
def test_the_hand_over_goes_before_them(wire, family, synward, tmp_path, egress):
    near, far = wire
    for direction in ("ingress", "egress"):
        put_on_tcx(far, direction, "last")
    defend(synward, tmp_path, far, more=("--tc", egress))
    with tcp.listener(far, family) as server:
        talk(near.namespace, server, data=b"hello")
    assert synward.stats()["tallies"]["handovers"] == 1
    assert before(synward) == (["end_chain"], [])


@pytest.mark.parametrize("hook", ("tcx", "clsact"))
def test_who_cuts_egress_off_is_told(pair, synward, hook):
    """By name and id."""
    near, far = pair
    if hook == "tcx":
        put_on_tcx(far, "egress", "last")
    else:
        filter_packets(far, "egress", "last", "end_chain")
    synward.attach(far, options=(*QUICK, "--tc", hook))
    Stage(near, far, socket.AF_INET).accepted(2)
    assert synward.stats()["interfaces"][0]["egress"]["seen"] == 0
    other = synward.json("status")["interfaces"][0]["egress"]["before"][0]
    assert other["name"] == "end_chain"
    told = synward.expect(0, "status").stdout
    assert f"s0: program end_chain (id {other['program_id']}) runs before synward on what leaves" in told


def test_nobody_before(pair, synward):
    synward.attach(pair[1], options=QUICK)
    put_on_tcx(pair[1], "egress", "last")
    assert before(synward) == ([], [])
