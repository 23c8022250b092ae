# SPDX-License-Identifier: GPL-2.0-or-later
"""Other people's scripts about the kernel's TCP, if they are here: what passes, passes under us."""

import pytest

import packetdrill
import tcp
from causes import FAMILIES, QUICK
from cli import Synward
from policies import Files

PLAYERS = 6
AGAIN = 3  # scripts are about milliseconds: one that fails may have met a busy machine
GIVEN = packetdrill.program()
pytestmark = pytest.mark.skipif(
    not GIVEN, reason="PACKETDRILL and PACKETDRILL_SCRIPTS do not say where packetdrill is")


@pytest.fixture
def enforced(lab, bpffs, tmp_path):
    """Attaches a player's host, with everything in force that can drop, and lets it warm up."""
    made = []

    def enforce(player):
        synward = Synward(bpffs / f"player{len(made)}", tmp_path / f"state{len(made)}")
        made.append(synward)
        lab.callback(synward.run, "detach", "--all", "--force")
        synward.attach(player.far, options=QUICK)
        player.gro_off()
        synward.expect(0, "policy", "apply", Files(tmp_path).default(
            "enforce", "  strict: yes\n  warm_up: 0s\n  syn_flood: adaptive\n"))
        with tcp.listener(player.far, player.family) as server:
            tcp.accepted(player.near.namespace, server, 8)
        row, = synward.json("status")["policy"]["services"]
        assert row["strict"] == "ready"

    yield enforce
    for synward in made:
        synward.await_books()


@pytest.mark.parametrize("name", FAMILIES)
def test_what_passes_without_us_passes_under_strict_rules(lab, enforced, name):
    binary, scripts = GIVEN

    def play(label, prepare):
        """Each time from the start: some scripts leave settings behind."""
        players = [packetdrill.Player(lab, binary, FAMILIES[name], f"{label}{i}")
                   for i in range(PLAYERS)]
        for player in players:
            prepare(player)
        return packetdrill.play_all(players, scripts), players

    alone, _ = play("a", lambda player: None)
    assert alone, "none passes: is PACKETDRILL the program?"
    guarded, players = play("b", enforced)
    for _ in range(AGAIN):
        guarded |= packetdrill.play_all(players[:1], sorted(alone - guarded))
    print(f"{name}: of {len(scripts)} scripts {len(alone)} pass, {len(guarded)} with synward")
    assert sorted(map(str, alone - guarded)) == []
