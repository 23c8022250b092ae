# SPDX-License-Identifier: GPL-2.0-or-later
"""
The file of the secret that hosts share: what is refused, by its line and without a word of a key; and what
`synward genkey` makes. Nothing is attached: a file that is taken gets as far as to miss that.
"""

import base64
import os
import subprocess

import pytest

from checking import BINARY, refusal, run

POLICY = ("version: 1\ndefault: {mode: enforce, syn_flood: adaptive}\n"
          "flood_defence: {shared_secret: yes}\n")
MAKE = "make one: (umask 077; synward genkey > FILE)"
GENKEY = "; 'synward genkey' makes one"
NOT_BASE64 = "not base64: character {} of the key cannot be in it" + GENKEY
ENDS_OTHERWISE = "not base64: 44 characters of it end with one '='" + GENKEY
LENGTH = "the key is too {}: {} characters of base64 instead of 44" + GENKEY
FEW_VALUES = ("the key is not random: its 32 bytes have only {} different values, so it can be guessed" +
              GENKEY)
KEYS = [base64.b64encode(bytes((i * 37 + of) % 256 for i in range(32))).decode() for of in range(3)]
FEW = base64.b64encode(bytes(i % 15 for i in range(32))).decode()


def genkey(*words):
    return run("genkey", *words)


@pytest.fixture
def apply(tmp_path):
    """Applies a policy that wants the secret which is in a file of this text and mode."""
    file, policy = tmp_path / "cookie.key", tmp_path / "policy.yaml"

    def apply(text, mode=0o600, policy_text=POLICY):
        policy.write_text(policy_text)
        if text is not None:
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
            file.chmod(mode)
        environment = {**os.environ, "SYNWARD_SECRET_FILE": str(file),
                       "SYNWARD_PIN_DIR": "/nonexistent/synward"}
        return run("policy", "apply", policy, env=environment), file
    return apply


def is_taken(done):
    return done.returncode == 1 and b"cookie.key" not in done.stderr


@pytest.mark.parametrize("text", (
    KEYS[0] + "\n", KEYS[0], f"\n# the one of May\n\n  {KEYS[0]}\t\r\n", f"{KEYS[0]}\n{KEYS[1]}\n",
    f"{KEYS[0]}\n#{KEYS[1]}\n{KEYS[2]}"))
def test_taken(apply, text):
    done, _ = apply(text)
    assert is_taken(done), done


REFUSED = [
    ("", None, f"no key in it; {MAKE}"),
    ("# nothing\n\n", None, f"no key in it; {MAKE}"),
    ("secret\n", 1, LENGTH.format("short", 6)),
    (KEYS[0][:-1], 1, LENGTH.format("short", 43)),
    (KEYS[0] + "=", 1, LENGTH.format("long", 45)),
    (f"# one\n{KEYS[0]} x\n", 2, NOT_BASE64.format(45)),
    (f"{KEYS[0]} {KEYS[1]}\n", 1, NOT_BASE64.format(45)),
    ("!" * 44, 1, NOT_BASE64.format(1)),
    (f"{KEYS[0][:20]}-{KEYS[0][21:]}", 1, NOT_BASE64.format(21)),
    ("A" * 44, 1, ENDS_OTHERWISE),
    ("=" + KEYS[0][:-1], 1, ENDS_OTHERWISE),
    ("A" * 43 + "=", 1, FEW_VALUES.format(1)),
    (f"{KEYS[0]}\n{FEW}\n", 2, FEW_VALUES.format(15)),
    (f"{KEYS[0]}\n\n{KEYS[0]}\n", 3, "the same key again; take one of them away"),
    ("\n".join(KEYS), 3, "a third key; expected at most two: the one that cookies are made with, "
     "and one that is honoured as well"),
    (KEYS[0].encode() + b"\0", None, f"a NUL character in it; {MAKE}"),
    ("#" * 4096, None, "larger than 4095 bytes, which no secret is"),
]


# by number: the name of a test is a part of its file's path
@pytest.mark.parametrize("text, line, expected", REFUSED, ids=range(len(REFUSED)))
def test_refused(apply, text, line, expected):
    done, file = apply(text)
    said = refusal(done, file)
    assert said == (line, expected.replace("FILE", str(file)))
    assert KEYS[0][:8].encode() not in done.stderr


@pytest.mark.parametrize("mode", (0o640, 0o604, 0o620, 0o601, 0o777))
def test_readable_by_others(apply, mode):
    done, file = apply(KEYS[0], mode)
    line, said = refusal(done, file)
    assert said.startswith(f"mode {mode:04o}: expected one that only its owner can read: chmod 600")


def test_not_there(apply, tmp_path):
    done, file = apply(None)
    assert "cannot read this secret: no such file" in refusal(done, file)[1].lower()
    file.mkdir()
    assert refusal(apply(None)[0], file)[1].startswith("expected a file; make one")


def test_nobody_asks_for_it_without_a_defence(apply):
    """Neither a policy without the key, nor one that answers no SYNs."""
    for text in ("version: 1\n", POLICY.replace("adaptive", "off")):
        assert is_taken(apply("no secret", policy_text=text)[0])


def test_genkey():
    made = {genkey().stdout for _ in range(20)}
    assert len(made) == 20
    assert all(len(base64.b64decode(one)) == 32 and one.endswith(b"\n") for one in made)
    assert genkey("now").returncode == 2


def test_genkey_says_if_others_can_read_it(tmp_path):
    for mode, said in ((0o600, b""), (0o644, b"others can read it, so it is no secret")):
        file = tmp_path / f"{mode:o}"
        file.touch()
        file.chmod(mode)
        with open(file, "wb") as out:
            done = subprocess.run([BINARY, "genkey"], stdout=out, stderr=subprocess.PIPE, check=True)
        assert said in done.stderr and bool(said) == bool(done.stderr)
        assert len(base64.b64decode(file.read_bytes())) == 32
