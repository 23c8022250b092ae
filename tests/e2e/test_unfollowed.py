# SPDX-License-Identifier: GPL-2.0-or-later
"""A flood that is only watched: most of its SYNs are counted and not followed, and who is honest is counted all the same."""

import contextlib
import re

import tcp
from net import wait_for
from policies import Files
from spoofed import flooded

OTHERS = {"half_open", "no_response", "rejected_unverified", "bad_synack"}


def lead_back(end, family):
    """The server answers whoever is invented, too: by its wire."""
    end.peer.route("default" if family == tcp.socket.AF_INET else "::/0", via=end.address(family))


def tallies(synward):
    return synward.stats()["tallies"]


def test_honest_handshakes_are_counted_to_the_last_one(pair, synward, family, tmp_path):
    client, server = pair
    synward.attach(server)
    synward.expect(0, "policy", "apply", Files(tmp_path).services(f"name: web, ports: [{tcp.PORT}]"))
    lead_back(client, family)
    made, peers = 0, contextlib.ExitStack()
    with tcp.listener(server, family, backlog=64) as listener, flooded(client, family, tcp.PORT), peers:
        wait_for(lambda: tallies(synward)["attempts_unfollowed"] > 10000, "a flood")
        while made < 20 or tallies(synward)["attempts_recognised"] < 5:
            end = peers.enter_context(
                tcp.connect(client.namespace, listener.getsockname()[:2], family))
            # the server answers with cookies: if the ACK is lost, only what the client says brings it back
            end.sendall(b"hello")
            peer = peers.enter_context(listener.accept()[0])
            assert peer.recv(5) == b"hello"
            made += 1
        assert synward.stats()["connections"] == made
    stats = synward.stats()
    assert stats["handshakes"]["accepted"] == made, stats["handshakes"]
    assert {one["name"]: one["completed"] for one in stats["services"]} == {"web": made, "default": 0}
    assert stats["conservation"]["holds"]
    assert stats["tallies"]["attempts_closed"] == (
        sum(stats["handshakes"].values()) - stats["handshakes"]["midstream"] +
        stats["tallies"]["attempts_evicted"])


def test_the_rest_is_estimated_and_says_so(pair, synward, family):
    client, server = pair
    synward.attach(server, options=("--handshakes", 4096))
    lead_back(client, family)
    with tcp.listener(server, family, backlog=64), flooded(client, family, tcp.PORT):
        wait_for(lambda: tallies(synward)["attempts_unfollowed"] > 100000 and
                 tallies(synward)["attempts_evicted"], "a flood")
    stats = synward.stats()
    estimated = stats["estimated"]
    assert estimated["attempts"] > 100000
    told = {name for name, count in estimated["handshakes"].items() if count}
    assert told and told <= OTHERS, estimated
    assert abs(sum(estimated["handshakes"].values()) - estimated["attempts"]) <= len(told)
    text = synward.expect(0, "stats").stdout
    assert re.search(r"OUTCOME +HANDSHAKES +SHARE +ESTIMATED", text), text
    assert "were counted and not followed" in text
    metrics = synward.expect(0, "stats", "--prometheus").stdout
    assert f'synward_handshakes_estimated{{outcome="{min(told)}"}}' in metrics
    assert "synward_attempts_unfollowed_total " in metrics
