# SPDX-License-Identifier: GPL-2.0-or-later
"""Nobody attacks: many honest clients come and stay."""

import tcp
from causes import FAMILIES
from cells import ADAPTIVE
from segments import MSS_1460, SYN, Port, Segment

MANY = 30  # of each family; of both together more than are called a flood, if they are unfinished
MARKER = 9  # a port of another service


class HonestLoad:
    """
    For a place, which says where nobody answers: its clients are no flood, whatever they look like
    where they are counted.
    """

    columns = (ADAPTIVE,)
    live = 0

    def policy(self, files, column):
        path = super().policy(files, column)
        text = path.read_text()
        if "services:" not in text:
            text += "services:\n"
        return files.write(text + f"  - {{name: marker, ports: [{MARKER}], mode: enforce, "
                                  f"syn_flood: adaptive, flood: {{half_open: 1}}}}\n")

    def strike(self, trial, open_ones):
        """
        A flood is looked for a few times a second, at all services in turn. One that surely has one
        by then shows that the clients' was looked at, too.
        """
        lives = trial.connect(open_ones, MANY)
        family = FAMILIES["ipv4"]
        with Port(self.near) as sender:
            sender.send(Segment(self.near.address(family), self.nowhere(family), 1024, MARKER, SYN,
                                options=MSS_1460))
        self.wait_for_defence(trial.synward, "marker")
        return lives
