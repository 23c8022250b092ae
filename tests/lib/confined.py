# SPDX-License-Identifier: GPL-2.0-or-later
"""
A program under the filters of system calls that its unit has for it, made as systemd makes them: by libseccomp, from
SystemCallFilter= and RestrictAddressFamilies=. It takes no systemd that runs, only its lists.
"""

import ctypes
import errno
import os
import pathlib
import re
import shutil
import socket
import sys

LIBRARY = "libseccomp.so.2"
ALLOW, ERRNO = 0x7fff0000, 0x00050000  # SCMP_ACT_...
EQUAL = 4  # SCMP_CMP_EQ
FAMILIES = range(46)  # of addresses; AF_MAX of Linux 6.x


class Compared(ctypes.Structure):
    """struct scmp_arg_cmp"""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def lacking():
    """What this machine lacks for it, or None."""
    if not shutil.which("systemd-analyze"):
        return "systemd-analyze"
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return LIBRARY
    return None


def _calls_of(words, run):
    """Of names of calls and of sets of them."""
    calls = {word for word in words if not word.startswith("@")}
    for group in (word for word in words if word.startswith("@")):
        lines = [line.strip() for line in run("systemd-analyze", "syscall-filter", group).stdout.splitlines()[1:]]
        calls |= _calls_of([line for line in lines if line and not line.startswith("#")], run)
    return calls


def command(unit, run):
    """Words to put before a command that is to run as the unit says; it may be anybody's."""
    text = pathlib.Path(unit).read_text()
    allowed = _calls_of(["@default"], run)
    for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.M):
        if line.startswith("~"):
            allowed -= _calls_of(line[1:].split(), run)
        else:
            allowed |= _calls_of(line.split(), run)
    families = re.search(r"^RestrictAddressFamilies=(AF_.*)$", text, re.M)[1].split()
    # the text, and not the file, which not everybody may read
    return (sys.executable, "-B", "-c", pathlib.Path(__file__).read_text(), ",".join(sorted(allowed)),
            ",".join(str(int(getattr(socket, family))) for family in families))


class Filter:
    def __init__(self, action):
        self.library = ctypes.CDLL(LIBRARY)
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.seccomp_init(ctypes.c_uint32(action)))

    def add(self, action, call, *compared):
        number = self.library.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return  # of another architecture, or newer than the library
        rules = (Compared * len(compared))(*compared)
        assert not self.library.seccomp_rule_add_array(self.context, ctypes.c_uint32(action), number, len(compared), rules)

    def load(self):
        assert not self.library.seccomp_load(self.context)


def main(calls, families, *words):
    addresses = Filter(ALLOW)
    for family in sorted(set(FAMILIES) - set(map(int, families.split(",")))):
        for call in ("socket", "socketpair"):
            addresses.add(ERRNO | errno.EAFNOSUPPORT, call, Compared(0, EQUAL, family, 0))
    allowed = Filter(ERRNO | errno.EPERM)
    for call in calls.split(","):
        allowed.add(ALLOW, call)
    addresses.load()
    allowed.load()
    os.execvp(words[0], words)


if __name__ == "__main__":
    main(*sys.argv[1:])
