# SPDX-License-Identifier: GPL-2.0-or-later
"""Another version of synward: a copy whose programs differ in a constant that nothing looks at."""

import struct

from cli import BINARY

EM_BPF = 247
SECTION = struct.Struct("<IIQQQQIIQQ")  # Elf64_Shdr
SYMBOL = struct.Struct("<IBBHQQ")  # Elf64_Sym
PADDING = 1  # the last byte of struct load_constants


def _bpf_objects(data):
    """Where an object for BPF begins in the file."""
    at = data.find(b"\x7fELF", 1)
    while at >= 0:
        if struct.unpack_from("<H", data, at + 18)[0] == EM_BPF:
            yield at
        at = data.find(b"\x7fELF", at + 1)


def _text(data, at):
    return data[at:data.index(b"\0", at)].decode()


def _place_of(data, base, wanted):
    """Where a variable lies, and its size; None: the object has none of that name."""
    offset, = struct.unpack_from("<Q", data, base + 40)
    count, = struct.unpack_from("<H", data, base + 60)
    sections = [SECTION.unpack_from(data, base + offset + i * SECTION.size) for i in range(count)]
    symbols = next(one for one in sections if one[1] == 2)  # SHT_SYMTAB
    names = base + sections[symbols[6]][4]
    for at in range(base + symbols[4], base + symbols[4] + symbols[5], SYMBOL.size):
        name, _, _, section, value, size = SYMBOL.unpack_from(data, at)
        if _text(data, names + name) == wanted:
            return base + sections[section][4] + value, size
    return None


def another_version(path, number=1, program=BINARY):
    """Writes it there, and returns the path."""
    data = bytearray(program.read_bytes())
    places = [_place_of(data, base, "load") for base in _bpf_objects(data)]
    assert any(places), "no object with constants"
    for at, size in filter(None, places):
        data[at + size - PADDING] = number
    path.write_bytes(data)
    path.chmod(0o755)
    return path
