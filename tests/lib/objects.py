# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in the kernel of BPF. libbpf is asked: bpftool takes a process for each map."""

import contextlib
import ctypes
import dataclasses
import os
import struct

from net import wait_for

LIBBPF = ctypes.CDLL("libbpf.so.1", use_errno=True)
INFO_BYTES = 256
# Where in struct bpf_prog_info, bpf_map_info and bpf_link_info (linux/bpf.h) a thing is.
ID, PROGRAM_OF_LINK, MAP_COUNT, MAP_IDS, VERIFIED = 4, 8, 52, 56, 216


class Gone(Exception):
    """It was freed meanwhile, or is just being freed."""


def _got(result):
    if result < 0:
        raise Gone(os.strerror(ctypes.get_errno()))
    return result


def _word(info, offset):
    return struct.unpack_from("=I", info, offset)[0]


def _info(fd, fill=lambda info: None):
    """What the kernel says of an object; fill puts into it what it asks for."""
    info, size = ctypes.create_string_buffer(INFO_BYTES), ctypes.c_uint32(INFO_BYTES)
    fill(info)
    _got(LIBBPF.bpf_obj_get_info_by_fd(fd, info, ctypes.byref(size)))
    return info


@contextlib.contextmanager
def _opened(kind, number):
    fd = _got(getattr(LIBBPF, f"bpf_{kind}_get_fd_by_id")(number))
    try:
        yield fd
    finally:
        os.close(fd)


def _ids(kind):
    """Of all there are: prog, map or link."""
    number = ctypes.c_uint32(0)
    while getattr(LIBBPF, f"bpf_{kind}_get_next_id")(number, ctypes.byref(number)) == 0:
        yield number.value


def _maps_of(program):
    with _opened("prog", program) as fd:
        count = _word(_info(fd), MAP_COUNT)
        maps = (ctypes.c_uint32 * count)()

        def fill(info):
            struct.pack_into("=I", info, MAP_COUNT, count)
            struct.pack_into("=Q", info, MAP_IDS, ctypes.addressof(maps))
        _info(fd, fill)
        return frozenset(maps)


def _program_of(link):
    with _opened("link", link) as fd:
        return _word(_info(fd), PROGRAM_OF_LINK)


def _known(ids, ask):
    """What ask says of each, but for those that have gone."""
    found = {}
    for number in ids:
        with contextlib.suppress(Gone):
            found[number] = ask(number)
    return found


def id_of_pin(path):
    fd = _got(LIBBPF.bpf_obj_get(os.fsencode(path)))
    try:
        return _word(_info(fd), ID)
    finally:
        os.close(fd)


def verified(program):
    """How many instructions of a program, by its id, the verifier has processed."""
    with _opened("prog", program) as fd:
        return _word(_info(fd), VERIFIED)


@dataclasses.dataclass(frozen=True)
class Objects:
    """Ids of what is in the kernel."""

    programs: frozenset
    maps: frozenset
    links: frozenset

    def __and__(self, other):
        return Objects(self.programs & other.programs, self.maps & other.maps,
                       self.links & other.links)

    def __bool__(self):
        return bool(self.programs or self.maps or self.links)

    def __str__(self):
        return ", ".join(f"{field.name} {sorted(getattr(self, field.name))}"
                         for field in dataclasses.fields(self))


def all_objects():
    """Everything of BPF on this machine."""
    return Objects(*(frozenset(_ids(kind)) for kind in ("prog", "map", "link")))


def objects_of(pins):
    """All that lives by some pinned maps: also what has no pin of its own."""
    pinned = frozenset(id_of_pin(path) for path in pins)
    programs = {number: maps for number, maps in _known(_ids("prog"), _maps_of).items()
                if pinned & maps}
    links = _known(_ids("link"), _program_of)
    return Objects(frozenset(programs), pinned.union(*programs.values()),
                   frozenset(link for link, program in links.items() if program in programs))


def expect_gone(objects):
    """The kernel frees programs and maps a moment after their last user has gone."""
    wait_for(lambda: not all_objects() & objects, lambda: f"the end of {all_objects() & objects}")
