# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics: they say what `stats -j` and `status -j` say, no counter falls, and no page is half a one."""

import contextlib
import pathlib
import socket

import pytest

import tcp
from causes import QUICK, Stage
from cli import bpftool
from floods import ALWAYS, answerable, apply, defend, flood_of, spoofed, talk, wait_for_flood
from net import run, wait_for
from policies import Files, wait_rolled_back
from prometheus import Page, asked, beside, documented, expressions, fallen, page_of
from segments import FIN, SYN

DEGRADED = 3
TC_HOOK = 28  # where it is in struct sw_interface, in bytes
BPF_STATS = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")
ADAPTIVE = f"name: web, ports: [{tcp.PORT}], syn_flood: adaptive, flood: {{half_open: 50, calm: 1s}}"
SSH = "name: ssh, ports: [22]"


@contextlib.contextmanager
def counted_costs():
    before = BPF_STATS.read_text()
    BPF_STATS.write_text("1\n")
    try:
        yield
    finally:
        BPF_STATS.write_text(before)


# ---- what they say

def check_totals(page, stats):
    for name, count in stats["handshakes"].items():
        assert page.value("synward_handshakes_total", outcome=name) == count, name
    for name, one in stats["anomalies"].items():
        parts = {verdict: page.value("synward_anomalies_total", anomaly=name, verdict=verdict)
                 for verdict in ("passed", "would_drop", "dropped")}
        assert sum(parts.values()) == one["seen"], (name, parts, one)
        assert (parts["would_drop"], parts["dropped"]) == (one["would_drop"], one["dropped"])
    for name, one in stats["limits"].items():
        for verdict in ("would_drop", "dropped"):
            assert page.value("synward_limits_total", limit=name, verdict=verdict) == one[verdict]
    for name, one in stats["latency"].items():
        assert page.value("synward_handshake_duration_seconds_count", stage=name) == one["count"]
        assert page.value("synward_handshake_duration_seconds_bucket", stage=name, le="+Inf") == \
            one["count"]
        assert page.value("synward_handshake_duration_seconds_sum", stage=name) == \
            pytest.approx(one["sum_us"] / 1e6)
    assert page.value("synward_half_open") == stats["half_open"]
    assert page.value("synward_connections") == stats["connections"]


TALLIES = {
    "cookies_sent": ("synward_cookies_sent_total", {}),
    "cookies_accepted": ("synward_cookies_accepted_total", {}),
    "cookies_unsent": ("synward_cookies_unsent_total", {}),
    "challenges_sent": ("synward_challenges_sent_total", {}),
    "handovers": ("synward_handovers_total", {"result": "taken"}),
    "handovers_failed": ("synward_handovers_total", {"result": "failed"}),
    "handovers_replayed": ("synward_handovers_total", {"result": "replayed"}),
    "handovers_held_back": ("synward_handovers_held_back_total", {}),
    "connections_adopted": ("synward_connections_adopted_total", {}),
    "segments_skipped": ("synward_segments_skipped_total", {}),
    "attempts_evicted": ("synward_evictions_total", {"table": "handshakes"}),
    "connections_evicted": ("synward_evictions_total", {"table": "connections"}),
    "events_sent": ("synward_events_total", {"result": "sent"}),
    "events_suppressed": ("synward_events_total", {"result": "suppressed"}),
    "events_lost": ("synward_events_total", {"result": "lost"}),
    "auto_blocks": ("synward_auto_blocks_total", {"result": "blocked"}),
    "auto_blocks_refused": ("synward_auto_blocks_total", {"result": "refused"}),
}


def check_parts(page, stats):
    for name, (metric, labels) in TALLIES.items():
        assert page.value(metric, **labels) == stats["tallies"][name], name
    for one in stats["services"]:
        for name in ("syns", "completed", "anomalies", "dropped", "answered", "cookies_sent",
                     "cookies_unsent", "challenges_sent", "challenges_answered"):
            assert page.value(f"synward_service_{name}_total", service=one["name"]) == one[name]
        for limit, count in one["limits"].items():
            assert page.value("synward_service_limits_total", service=one["name"],
                              limit=limit) == count
    for one in stats["interfaces"]:
        labels = {"interface": one["name"], "netns": str(one["netns"])}
        for direction in ("ingress", "egress"):
            for verdict in ("passed", "dropped", "answered"):
                assert page.value("synward_packets_total", **labels, direction=direction,
                                  verdict=verdict) == one[direction][verdict]
            assert page.value("synward_bytes_total", **labels, direction=direction) == \
                one[direction]["bytes"]


def check_status(page, status, degraded):
    assert page.value("synward_degraded") == degraded
    assert sum(value for (name, _), value in page.samples.items()
               if name == "synward_degraded_reason") == degraded
    for one in status["interfaces"]:
        labels = {"interface": one["name"], "netns": str(one["netns"])}
        assert page.value("synward_interface_info", **labels, mode=one["mode"],
                          egress_hook=one["egress_hook"]) == 1
        for hook, health in (("ingress", one["ingress"]["health"]), ("egress", one["egress"]["health"])):
            assert page.value("synward_hook_health", **labels, hook=hook, health=health) == 1
    for table in ("handshakes", "connections"):
        assert page.value("synward_table_capacity", table=table) == status["tables"][table]["capacity"]
        assert page.value("synward_table_entries", table=table) == status["tables"][table]["used"]
    flood = next(row["flood"] for row in status["policy"]["services"] if row["name"] == "web")
    assert page.value("synward_floods_total", service="web") == flood["floods"]
    assert page.value("synward_flood_active", service="web") == flood["on"]
    assert page.value("synward_flood_reason", service="web", reason=flood["reason"]) == 1


OF_THE_EXPORTER = {"synward_up", "synward_down_reason"}
OF_SHARED_SECRETS = {"synward_cookie_secret_info", "synward_clock_synchronised"}  # there only with such a policy: test_shared_secret
COUNTED = ("handshakes", "anomalies", "limits", "latency", "half_open", "connections", "tallies", "services", "interfaces")


def of_one_moment(synward):
    """A page between two stats that say the same: silence ends handshakes whenever it likes."""
    def agreed():
        before = synward.await_books()
        page, after = page_of(synward), synward.stats()
        return (after, page) if all(before[name] == after[name] for name in COUNTED) else None
    return wait_for(agreed, "nothing to be counted while a page is read")


def test_they_are_what_stats_and_status_say(wire, synward, family, tmp_path):
    near, far = wire
    with counted_costs():
        synward.attach(far, options=(*QUICK, "--flood-way", "handover"))
        apply(synward, tmp_path, ADAPTIVE, SSH, more="")
        stage = Stage(near, far, family)
        for outcome in ("accepted", "rejected", "half_open", "aborted_orig"):
            getattr(stage, outcome)(3)
        spoofed(near, far, family, FIN, 5)
        with tcp.listener(far, family) as server:
            spoofed(near, far, family, SYN, 200)
            wait_for(lambda: flood_of(synward, "web")["floods"] == 1, "a flood")
            talk(near.namespace, server, b"hello")
            wait_for_flood(synward, "web", False)
            stats, page = of_one_moment(synward)
        check_totals(page, stats)
        check_parts(page, stats)
        check_status(page, synward.json("status"), 0)
        labels = {"interface": far.name, "netns": str(far.namespace.inode)}
        assert page.value("synward_program_runs_total", **labels, hook="ingress") > 200
        assert page.value("synward_program_run_seconds_total", **labels, hook="ingress") > 0
        assert page.value("synward_link_drops_total", **labels, counter="rx_missed_errors") == 0
        assert page.value("synward_flood_seconds_total", service="web") > 0
        assert page.value("synward_accept_queue_listeners", service="web") == 1
        assert page.value("synward_accept_queue_listeners", service="ssh") == 0
        assert documented() == page.types.keys() | OF_SHARED_SECRETS | OF_THE_EXPORTER
        for where, expression in expressions():
            assert {name for name in asked(expression) if ":" not in name} <= page.names() | OF_SHARED_SECRETS, where
    checked = run("promtool", "check", "metrics", check=False,
                  input=synward.expect(0, "stats", "--prometheus").stdout)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_no_label_holds_an_address(wire, synward, tmp_path):
    near, far = wire
    defend(synward, tmp_path, far)
    synward.expect(0, "block", "add", "192.0.2.77")
    with tcp.listener(far, socket.AF_INET) as server:
        talk(near.namespace, server, b"hello")
        text = synward.expect(0, "stats", "--prometheus").stdout
    for address in ("10.77.", "fd77:", "192.0.2"):
        assert address not in text


def test_a_lost_hook(pair, synward):
    near, far = pair
    synward.attach(far, options=QUICK)
    run("bpftool", "link", "detach", "pinned", synward.pin_dir / "links" / "0" / "xdp")
    assert synward.run("status").returncode == DEGRADED
    page = page_of(synward)
    assert page.value("synward_degraded") == page.value("synward_degraded_reason", reason="hook") == 1
    assert page.value("synward_hook_health", interface=far.name, netns=str(far.namespace.inode),
                      hook="ingress", health="detached") == 1
    assert [labels["egress_hook"] for labels in page.labels("synward_interface_info")] == ["tcx"]
    unfinished(synward)
    assert page_of(synward).labels("synward_interface_info") == []


def unfinished(synward):
    """Has the first record be as it is while an attach is under way."""
    pin = ("pinned", synward.pin_dir / "maps" / "interfaces")
    value = bpftool("map", "lookup", *pin, "key", 0, 0, 0, 0)["value"]
    value[TC_HOOK:TC_HOOK + 2] = ["0x00"] * 2
    run("bpftool", "map", "update", *pin, "key", *"0000", "value", *value)


def test_a_full_accept_queue(wire, synward, family, tmp_path):
    near, far = wire
    synward.attach(far, options=QUICK)
    apply(synward, tmp_path, f"name: web, ports: [{tcp.PORT}]", SSH, more="")
    with contextlib.ExitStack() as open_, tcp.listener(far, family, backlog=1) as server:
        assert page_of(synward).value("synward_accept_queues_full", service="web") == 0
        for _ in range(2):
            open_.enter_context(tcp.connect(near.namespace, server.getsockname()[:2], family))
        page = page_of(synward)
        assert page.value("synward_accept_queue_length", service="web") == 2
        assert page.value("synward_accept_queue_limit", service="web") == 1
        assert page.value("synward_accept_queues_full", service="web") == 1
        assert page.value("synward_accept_queues_full", service="ssh") == 0


def test_a_listener_of_any_address(pair, synward, tmp_path):
    far = pair[1]
    synward.attach(far, options=QUICK)
    apply(synward, tmp_path, "name: six, ports: [23], family: ipv6",
          "name: ssh, ports: [22], addresses: [192.0.2.0/24]", more="")
    # an IPv6 socket may be bound to any address of IPv4
    for addr, of_four, of_six in (("0.0.0.0", 1, 0), ("::ffff:0.0.0.0", 1, 0), ("::", 1, 1)):
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        with contextlib.ExitStack() as open_:
            for port in (22, 23):
                server = open_.enter_context(far.namespace.socket(family, socket.SOCK_STREAM))
                server.bind((addr, port))
                server.listen(1)
            page = page_of(synward)
        assert page.value("synward_accept_queue_limit", service="ssh") == of_four, addr
        assert page.value("synward_accept_queue_limit", service="six") == of_six, addr


def test_a_policy_that_waits(pair, synward, tmp_path):
    synward.attach(pair[1], options=QUICK)
    path = Files(tmp_path).default()
    assert page_of(synward).value("synward_policy_pending_left_seconds") == 0
    synward.expect(0, "policy", "apply", "--confirm", "30s", path)
    page = page_of(synward)
    assert page.value("synward_policy_pending") == 1
    assert 0 < page.value("synward_policy_pending_left_seconds") <= 30
    synward.expect(0, "policy", "confirm")
    assert page_of(synward).value("synward_policy_pending_left_seconds") == 0


def test_two_interfaces_of_one_name(lab, synward):
    """The first one was renamed, and another one has its name now: equal series would void the page."""
    near, far = lab.namespace("near"), lab.namespace("far")
    first = lab.wire(near, "c0", far, "s0")[1]
    synward.attach(first, options=QUICK)
    far.ip("link", "set", "s0", "down")
    far.ip("link", "set", "s0", "name", "old0")
    second = lab.wire(near, "c1", far, "s0", subnet=2)[1]
    synward.attach(second, options=QUICK)
    page = page_of(synward)
    assert page.value("synward_interface_info", interface="s0", netns=str(far.inode), mode="native",
                      egress_hook="tcx") == 1


# ---- counters never fall

class Scrapes:
    """Pages one after the other; what fell is told with what was done before."""

    def __init__(self, synward):
        self.synward, self.last, self.count = synward, page_of(synward), 1
        self.highest = dict(self.last.counters())

    def look(self, what=""):
        page = page_of(self.synward)
        assert not fallen(self.last, page), (what, fallen(self.last, page))
        for key, value in page.counters().items():
            before = self.highest.get(key, 0)
            assert value >= before, (what, key, before, value)
            self.highest[key] = value
        self.last, self.count = page, self.count + 1
        return page


def test_policies_that_come_and_go(wire, synward, tmp_path):
    """Also a name that is away for as long as its slot is written anew, and a policy that is taken back."""
    near, far = wire
    family = socket.AF_INET
    files = Files(tmp_path)
    synward.attach(far, options=(*QUICK, "--flood-way", "handover"))
    flood = f"name: web, ports: [{tcp.PORT}], syn_flood: always"
    policies = [files.services(flood, SSH), files.services(SSH, flood, "name: first, ports: [1]"),
                files.services(SSH), files.default(), files.services(SSH, "name: first, ports: [2]")]
    with tcp.listener(far, family) as server, \
            beside(lambda: spoofed(near, far, family, SYN, 20)):
        synward.expect(0, "policy", "apply", policies[0])
        wait_for_flood(synward, "web", True)
        talk(near.namespace, server, b"hello")
        scrapes = Scrapes(synward)
        for policy in (1, 2, 3, 4, 0, 1, 4, 0):
            synward.expect(0, "policy", "apply", policies[policy])
            scrapes.look(f"policy {policy}")
            scrapes.look(f"after policy {policy}")
        for policy in (2, 3):
            synward.expect(0, "policy", "apply", "--confirm", "10s", policies[policy])
            scrapes.look(f"policy {policy} waits")
            synward.expect(0, "policy", "rollback")
            page = scrapes.look(f"policy {policy} was taken back")
        assert page.value("synward_service_completed_total", service="web") >= 1
        assert page.value("synward_floods_total", service="web") >= 1


def test_readers_beside_a_policy_that_is_written(wire, synward, tmp_path):
    """Its rows and its names do not belong together while that lasts."""
    near, far = wire
    family = socket.AF_INET
    files = Files(tmp_path)
    synward.attach(far, options=QUICK)
    web = f"name: web, ports: [{tcp.PORT}]"
    policies = [files.services(web, SSH), files.services("name: a, ports: [1]", SSH, web)]
    synward.expect(0, "policy", "apply", policies[0])
    with tcp.listener(far, family) as server:
        tcp.accepted(near.namespace, server, 20)
    turn = [0]

    def flip():
        turn[0] += 1
        synward.run("policy", "apply", policies[turn[0] % 2])
    scrapes = Scrapes(synward)
    with beside(flip):
        wait_for(lambda: scrapes.look() and turn[0] >= 12, "the policies to change")
    assert scrapes.look().value("synward_service_completed_total", service="web") == 20


def test_another_interface_comes_and_goes(lab, synward, family):
    near, far = lab.namespace("near"), lab.namespace("far")
    wires = [lab.wire(near, f"c{n}", far, f"s{n}", subnet=n + 1) for n in range(2)]
    synward.attach(wires[0][1], options=QUICK)
    scrapes = Scrapes(synward)
    for _ in range(2):
        synward.attach(wires[1][1])
        scrapes.look("attached")
        for _, end in wires:
            with tcp.listener(end, family) as server:
                tcp.accepted(near, server, 2)
        own = ("interface", wires[1][1].name)
        page = scrapes.look("attached")
        assert any(own in labels for _, labels in page.samples)
        synward.expect(0, "detach", wires[1][1].name, namespace=far)
        # its own counters go with it, and begin anew
        scrapes.highest = {key: value for key, value in scrapes.highest.items() if own not in key[1]}
        scrapes.look("detached")
    assert page.value("synward_handshakes_total", outcome="accepted") == 8


def test_a_rollback_by_the_kernel(pair, synward, tmp_path):
    near, far = pair
    files = Files(tmp_path)
    synward.attach(far, options=QUICK)
    web = f"name: web, ports: [{tcp.PORT}]"
    for policy in (files.services(web), files.services(web, SSH), files.services(web)):
        synward.expect(0, "policy", "apply", policy)
        with tcp.listener(far, socket.AF_INET) as server:
            tcp.accepted(near.namespace, server, 2)
    scrapes = Scrapes(synward)
    synward.expect(0, "policy", "apply", "--confirm", "1s", files.services(SSH))
    scrapes.look("it waits")
    wait_rolled_back(synward)
    page = scrapes.look("it was taken back")
    assert page.value("synward_policy_rollbacks_total") == 1
    assert page.value("synward_service_completed_total", service="web") == 6
