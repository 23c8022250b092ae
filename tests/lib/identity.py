# SPDX-License-Identifier: GPL-2.0-or-later
"""State of another synward, as a pin directory may hold it."""

import contextlib
import struct

from cli import bpftool
from net import run


def plant_identity(synward, version, size):
    """State of another synward: a version word, and the rest may mean anything. Who reads meanwhile finds none, or all."""
    (synward.pin_dir / "maps").mkdir(parents=True)
    unwritten = synward.pin_dir / "maps" / "identity_next"
    run("bpftool", "map", "create", unwritten, "type", "array", "key", 4, "value", size, "entries", 1,
        "name", "identity")
    value = struct.pack("<I", version).ljust(size, b"\x01")
    run("bpftool", "map", "update", "pinned", unwritten, "key", 0, 0, 0, 0, "value", *value)
    return unwritten.rename(unwritten.with_name("identity"))


@contextlib.contextmanager
def pretend_version(synward, version):
    """What is attached is of that version, for as long as this lasts; below 256, since it is one byte."""
    identity = synward.pin_dir / "maps" / "identity"
    row, = bpftool("map", "dump", "pinned", identity)
    own, *rest = row["value"]

    def write(first):
        run("bpftool", "map", "update", "pinned", identity, "key", 0, 0, 0, 0, "value", first, *rest)
    write(version)
    try:
        yield
    finally:
        write(own)
