# SPDX-License-Identifier: GPL-2.0-or-later
"""Damaged examples: whatever stands in a file, it is sound or refused with one line, and no more."""

import random
import re

import pytest

from checking import EXAMPLES, check, refusal

MUTANTS = 150  # of each example and kind

# What means something to YAML or to a policy, where it may not belong.
WORDS = [b"-", b"- ", b": ", b"{", b"}", b"[", b"]", b",", b"&a ", b"*a", b"&a", b"<<: *a", b"!!int ",
         b"!x ", b"'", b'"', b"|\n", b">\n", b"---\n", b"...\n", b"%YAML 1.1\n---\n", b"#", b"\t",
         b"\r", b"\0", b"\xff", b"\xc2\x85", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"? ", b"~", b"null",
         b"0", b"-1", b"1e9", b"0x10", b"18446744073709551616", b"4294967296", b"1d", b"999999999d",
         b".5s", b"nan", b"inf", b"10.0.0.0/8", b"::/0", b"::ffff:1.2.3.4", b"fe80::1%lo", b"/",
         b"1-65535", b"65535", b"version", b"default", b"services", b"name", b"enforce", b"drop",
         b"%s%n", b"x" * 300, b"\\0", b"\xe6\xbc\xa2" * 50]


def damage_bytes(dice, data):
    data = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data))
        kind = dice.randrange(5)
        if kind == 0:
            data[at] = dice.randrange(256)
        elif kind == 1:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 2:
            del data[at:at + dice.choice((1, 2, 20))]
        elif kind == 3:
            data[at:at] = dice.choice(WORDS)
        else:
            data[at:at] = data[at:at + dice.randrange(200)]
        data = data or bytearray(b"\n")
    return bytes(data[:dice.randrange(len(data))] if dice.random() < 0.1 else data)


def damage_lines(dice, data):
    lines = data.split(b"\n")
    for _ in range(dice.randint(1, 4)):
        at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        kind = dice.randrange(5)
        if kind == 0 and len(lines) > 2:
            del lines[at]
        elif kind == 1:
            lines[at:at] = lines[other:other + dice.randint(1, 12)]
        elif kind == 2:
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 3:
            lines[at] = b" " * dice.randrange(9) + lines[at].lstrip()
        else:
            lines[at] += dice.choice((b" ", b"")) + dice.choice(WORDS)
    return b"\n".join(lines)


def damage_values(dice, data):
    """Sound YAML mostly, so that what comes behind YAML is met, too."""
    values = list(re.finditer(rb"(?<=[ \[{])[\w./:-]+(?=[],}\n])", re.sub(rb"#[^\n]*", lambda match:
                              b" " * len(match[0]), data)))
    for match in sorted(dice.sample(values, dice.randint(1, 3)), key=lambda match: -match.start()):
        word = dice.choice((dice.choice(WORDS), dice.choice(values)[0], match[0] + b"0",
                            str(dice.getrandbits(dice.randrange(1, 70))).encode()))
        data = data[:match.start()] + word + data[match.end():]
    return data


@pytest.mark.parametrize("damage", (damage_bytes, damage_lines, damage_values))
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_mutants(tmp_path, example, damage):
    dice = random.Random(f"{example.stem} {damage.__name__}")
    path, again = tmp_path / "policy.yaml", tmp_path / "again.yaml"
    refused = 0
    for _ in range(MUTANTS):
        data = damage(dice, example.read_bytes())
        path.write_bytes(data)
        done = check(path)
        if done.returncode:
            line, _ = refusal(done, path)
            assert line is None or line <= max(1, len(data.splitlines()))
            assert line is not None, data
            refused += 1
            continue
        assert done.stderr == b""
        shown = check(path, "--show").stdout
        again.write_bytes(shown)
        assert check(again, "--show").stdout == shown
    assert 0 < refused < MUTANTS  # of both there are some


def test_none_is_too_deep_or_too_much(tmp_path):
    path = tmp_path / "policy.yaml"
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 64))
    for text in ("[" * 100000, "{a: " * 100000, "- " * 100000, "? " * 100000, "a: &a [*a]\n", bomb,
                 "version: 1\ndefault: &a {limits: *a}\n", "version: 1\ndefault: &a\n  *a\n",
                 "version: 1\nservices: &a [*a]\n", "version: 1\nservices:\n" + "- {}\n" * 100000,
                 "&a version: 1\n*a : 2\n", "version: &a 1\n*a : 2\n", "version: 1\n*b : 2\n",
                 "version: 1\ndefault: {mode: &a monitor, strict: &a no}\n",
                 "version: 1\nservices: [&a {name: x}, *a]\n"):
        path.write_text(text)
        refusal(check(path), path)
