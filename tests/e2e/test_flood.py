# SPDX-License-Identifier: GPL-2.0-or-later
"""SYN floods: real clients get in by each of the ways, with their options, and nobody else does."""

import re
import socket

import tcp
from causes import QUICK
from floods import (ALL_OPTIONS, ALWAYS, UNHEARD, answerable, apply, defend, flood_of, spoofed, talk,
                    wait_for_flood)
from net import wait_for
from policies import Files
from segments import ACK, SYN
from test_gateway import Gateway

ELSEWHERE = 8090


def test_a_host_hands_over(wire, synward, family, tmp_path):
    near, far = wire
    defend(synward, tmp_path, far, policy="")
    with tcp.listener(far, family) as server:
        for _ in range(3):
            assert talk(near.namespace, server).client.options == ALL_OPTIONS
    stats = synward.expect_outcomes(accepted=3)
    tallies = stats["tallies"]
    assert tallies["cookies_sent"] == tallies["cookies_accepted"] == tallies["handovers"] > 0
    assert tallies["handovers_failed"] == tallies["cookies_unsent"] == 0
    assert stats["conservation"]["answered"] == tallies["cookies_sent"]
    assert stats["anomalies"]["midstream"]["seen"] == 0


def test_the_kernel_checks_its_own(wire, synward, family, tmp_path):
    near, far = wire
    refused = synward.attach(far, options=(*QUICK, "--flood-way", "kernel"), code=1)
    assert "tcp_syncookies" in refused.stderr
    far.namespace.sysctl("net.ipv4.tcp_syncookies", 2)
    defend(synward, tmp_path, far, way="kernel", policy="")
    with tcp.listener(far, family) as server:
        for _ in range(3):
            talk(near.namespace, server)
    tallies = synward.expect_outcomes(accepted=3)["tallies"]
    assert tallies["cookies_sent"] == tallies["cookies_accepted"] > 0
    assert tallies["handovers"] == 0


def test_a_gateway_challenges(lab, synward, family, tmp_path):
    gateway = Gateway(lab)
    answerable(gateway.c0)
    synward.attach(gateway.g0, gateway.g1, options=QUICK)
    apply(synward, tmp_path, ALWAYS, more="")
    wait_for_flood(synward, "web", True)
    with tcp.listener(gateway.s0, family) as server:
        for _ in range(3):
            assert talk(gateway.client, server).client.options == ALL_OPTIONS
    stats = synward.expect_outcomes(accepted=3)
    assert stats["tallies"]["challenges_sent"] == 1, "its source is known from then on"
    assert stats["limits"]["challenge_answer"]["dropped"] == 1
    web = stats["services"][0]
    assert (web["challenges_sent"], web["challenges_answered"]) == (1, 1)
    assert web["cookies_sent"] == web["cookies_unsent"] == 0
    text = synward.expect(0, "stats").stdout
    assert re.search(r"SERVICE +COOKIES +CHALLENGES +ANSWERED +UNSENT\n +web +0 +1 +1 +0\n", text)
    metrics = synward.expect(0, "stats", "--prometheus").stdout
    for name in ("sent", "answered"):
        assert f'synward_service_challenges_{name}_total{{service="web"}} 1\n' in metrics
    assert stats["tallies"]["cookies_sent"] == 0


def test_on_with_a_flood_and_off_with_calm(wire, synward, family, tmp_path):
    near, far = wire
    synward.attach(far, options=(*QUICK, "--flood-way", "handover"))
    apply(synward, tmp_path,
          "name: web, ports: [8080], syn_flood: adaptive, flood: {half_open: 50, calm: 1s}",
          f"name: other, ports: [{ELSEWHERE}], syn_flood: adaptive", more="")
    with tcp.listener(far, family) as server, tcp.listener(far, family, ELSEWHERE) as other:
        assert talk(near.namespace, server).client.options == ALL_OPTIONS
        assert synward.stats()["tallies"]["cookies_sent"] == 0, "there is no flood"
        spoofed(near, far, family, SYN, 100)
        wait_for(lambda: flood_of(synward, "web")["floods"] == 1, "the flood to be noticed")
        assert flood_of(synward, "web")["reason"] == "half_open"
        assert flood_of(synward, "other")["floods"] == 0
        assert talk(near.namespace, other).client.options == ALL_OPTIONS
        wait_for_flood(synward, "web", False)
        before = synward.stats()["tallies"]["cookies_sent"]
        assert talk(near.namespace, server).client.options == ALL_OPTIONS
        assert synward.stats()["tallies"]["cookies_sent"] == before
        assert flood_of(synward, "web")["floods"] == 1, "what it left is no new flood"
    assert synward.outcomes()["accepted"] == 3


def test_acks_without_a_cookie_die(wire, synward, family, tmp_path):
    near, far = wire
    defend(synward, tmp_path, far, policy="")
    with tcp.listener(far, family) as server:
        tcp.accepted(near.namespace, server, 1)
        spoofed(near, far, family, ACK, 50, ack=12345)
        wait_for(lambda: synward.stats()["limits"]["bad_cookie"]["dropped"] == 50,
                 lambda: str(synward.stats()["limits"]["bad_cookie"]))
        tcp.accepted(near.namespace, server, 1)
    stats = synward.expect_outcomes(accepted=2)
    assert stats["limits"]["bad_cookie"]["dropped"] == 50


def test_stats_tell_of_cookies_where_the_policy_has_no_services(pair, synward, tmp_path):
    near, far = pair
    answerable(near)
    synward.attach(far, options=QUICK)
    files = Files(tmp_path)
    said = "  default: {} \\(reason: the policy says always\\){}\n".format

    def is_said(what):
        wait_for(lambda: re.search(what, synward.run("status").stdout), lambda: synward.run("status").stdout)
    synward.expect(0, "policy", "apply", files.default("enforce", "  syn_flood: always\n"))
    is_said(said("the defence has been on for \\S+", ", and has answered no SYN yet"))
    spoofed(near, far, socket.AF_INET6, SYN, 5)
    is_said(said("the defence has been on for \\S+", ", but no server was heard answering, so SYNs pass"))
    synward.expect(0, "policy", "apply", files.default("enforce", f"  syn_flood: always\n{UNHEARD}"))
    wait_for_flood(synward, "default", True)
    spoofed(near, far, socket.AF_INET, SYN, 5)
    is_said(said("SYNs have been answered here for \\S+", ""))
    wait_for(lambda: synward.stats()["tallies"]["cookies_sent"] == 5, lambda: str(synward.stats()["tallies"]))
    assert re.search(r"SERVICE +COOKIES.*\n +default +5 ", synward.expect(0, "stats").stdout)
    synward.expect(0, "disarm")
    watched = said("the defence has been on for \\S+", ", but only watches: SYNs pass")
    is_said(watched)
    assert flood_of(synward, "default")["deed"] == "watched"
    synward.expect(0, "arm")
    assert flood_of(synward, "default")["deed"] == "answered"
    synward.expect(0, "policy", "apply", files.default("monitor", "  syn_flood: always\n"))
    is_said(watched)
