# SPDX-License-Identifier: GPL-2.0-or-later
"""What the counters must add up to: of interfaces, of the tables, and of the policy's services."""

STRAYS = ("midstream", "illegal_first", "undecodable")  # these never had an entry that was open
COMPLETED = ("accepted", "accepted_simopen", "synack_pickup")


def check_conservation(stats):
    """Nothing is counted twice and nothing forgotten. Exact only when no packet is under way."""
    for interface in stats["interfaces"]:
        for direction in ("ingress", "egress"):
            one = interface[direction]
            where = f"{interface['name']} {direction}: {one}"
            assert one["seen"] == one["passed"] + one["dropped"] + one["answered"], where
            assert one["seen"] == sum(one["kinds"].values()) + one["forwarded"], where
            assert one["conserved"], where
    for name, limit in stats["limits"].items():
        assert limit["seen"] == limit["would_drop"] + limit["dropped"], (name, limit)
    tallies, outcomes = stats["tallies"], stats["handshakes"]
    judged = sum(count for name, count in outcomes.items() if name not in STRAYS)
    assert tallies["attempts_closed"] == judged + tallies["attempts_evicted"], tallies
    assert tallies["attempts_opened"] == tallies["attempts_closed"] + stats["half_open"], tallies
    assert stats["conservation"]["holds"], stats["conservation"]


def services_and_totals(stats):
    """What is counted for services: of all of them together, and without regard to services."""
    rows = stats["services"]
    pairs = {name: (sum(row[name] for row in rows), stats["conservation"][name])
             for name in ("dropped", "answered")}
    pairs["completed"] = (sum(row["completed"] for row in rows),
                          sum(stats["handshakes"][name] for name in COMPLETED))
    for name in ("cookies_sent", "cookies_unsent", "challenges_sent"):
        pairs[name] = (sum(row[name] for row in rows), stats["tallies"][name])
    pairs["challenges_answered"] = (sum(row["challenges_answered"] for row in rows),
                                    stats["limits"]["challenge_answer"]["seen"])
    for name, limit in stats["limits"].items():
        pairs[name] = (sum(row["limits"][name] for row in rows), limit["seen"])
    return pairs


class ServiceBooks:
    """
    Whether the services' counts are of all packets: then they add up to the totals exactly. They are
    not if there were packets before the policy had services, or if a service has gone, its counts
    with it. A segment may show several anomalies, so those are only bounded.
    """

    def __init__(self):
        self.whole, self.interfaces_left = True, False
        self.names, self.change = frozenset(), None

    @staticmethod
    def _change(stats):
        return stats["policy"]["generation"], stats["policy"]["rolled_back"]

    def note(self, stats):
        """Another policy may be active than before. All counts only grow: 0 now was 0 then."""
        change, names = self._change(stats), frozenset(row["name"] for row in stats["services"])
        if change == self.change:
            return
        seen_all = self.change is None or change == (self.change[0] + 1, self.change[1])
        if not seen_all or not names >= self.names:
            self.whole = False
        elif not self.names:
            before = [total for _, total in services_and_totals(stats).values()]
            before += [one["seen"] for one in stats["anomalies"].values()]
            self.whole = self.whole and not any(before)
        self.names, self.change = names, change

    def check(self, stats):
        if not stats["services"]:
            return
        whole = self.whole and self._change(stats) == self.change
        for name, (services, total) in services_and_totals(stats).items():
            if self.interfaces_left and name in ("dropped", "answered"):
                continue  # the total is of the interfaces that are still there
            assert services == total if whole else services <= total, (name, services, total)
        anomalous = sum(row["anomalies"] for row in stats["services"])
        seen = [one["seen"] for one in stats["anomalies"].values()]
        assert anomalous <= sum(seen), (anomalous, seen)
        assert not whole or anomalous >= max(seen), (anomalous, seen)
