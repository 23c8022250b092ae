# SPDX-License-Identifier: GPL-2.0-or-later
"""The flood defence in the field: synward is at both ends, and the clients' has nothing to defend."""

import pathlib
import tempfile

from cells import OPTIONS
from cli import fresh
from places import Wire
from policies import Files

PIN_DIR = pathlib.Path("/sys/fs/bpf/clients")


class Guarded(Wire):
    """The clients' host drops what nobody honest sends."""

    def connect_wire(self):
        path = self.lab.enter_context(tempfile.TemporaryDirectory())
        guard = self.lab.enter_context(fresh(PIN_DIR, pathlib.Path(path, "state")))
        guard.attach(self.near, options=OPTIONS)
        guard.expect(0, "policy", "apply", Files(path).default("enforce"))


class Handover(Guarded):
    options = ("--flood-way", "handover")


class Challenge(Guarded):
    options = ("--flood-way", "challenge")


SETUPS = {
    "synward at both ends, handover": Handover,
    "synward at both ends, challenge": Challenge,
}


def test_clients_get_in(trial):
    trial()
