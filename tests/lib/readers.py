# SPDX-License-Identifier: GPL-2.0-or-later
"""Users who are nobody: members of the group that may read, and others."""

import pathlib

from cli import BINARY
from net import run

GROUP = 54321
ANYBODY = ("setpriv", "--reuid=65534", "--regid=65534")
READER = (*ANYBODY, f"--groups={GROUP}")
STRANGER = (*ANYBODY, "--clear-groups")
# Where there is a group, which is nobody's business but that of this command.
WITH_GROUP = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/group && exec "$@"')


def groups(directory, *more):
    """A file of groups: the machine's, without that one, and others."""
    file = directory / "group"
    lines = [line for line in pathlib.Path("/etc/group").read_text().splitlines()
             if not line.startswith("synward:")]
    file.write_text("\n".join([*lines, *more, ""]))
    return file


def with_groups(synward, file, *words, namespace=None):
    command = (*WITH_GROUP, file, BINARY, *words)
    run(*(namespace.command(*command) if namespace else command), env=synward.environment())
