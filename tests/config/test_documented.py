# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/policy.md says of every key what the program expects and what it is without."""

import re
import subprocess

import pytest

from checking import EXAMPLES, ROOT, check, meaning, refusal

PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([\w.]+)` \| ([^|]+) \| ([^|]+) \|$", PAGE, re.M)
RULES = PAGE.split("\n## Keys of default")[1].split("\n### Actions")[0]
SECTIONS = {name: PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]
            for name in ("auto_block", "flood_defence", "gateway")}
KEYS = [("default", *row) for row in ROWS if f"| `{row[0]}` | {row[1]} |" in RULES] + \
       [(name, *row) for name, text in SECTIONS.items() for row in ROWS
        if f"| `{row[0]}` | {row[1]} |" in text]


def nested(path, value):
    for word in reversed(path.split(".")):
        value = f"{{{word}: {value}}}"
    return value


def leaves(value, path=""):
    """Paths of JSON as those of the file: without units, and anomalies as one."""
    if not isinstance(value, dict):
        yield re.sub(r"_(m?s)$", "", path)
        return
    for key, inner in value.items():
        key = "timeouts" if key == "timeouts_ms" else key
        yield from leaves(inner, f"{path}.{key}" if path else key)


@pytest.mark.parametrize("part, path, expected, default", KEYS)
def test_what_is_expected_and_the_default(tmp_path, part, path, expected, default):
    file, shown = tmp_path / "policy.yaml", tmp_path / "shown.yaml"
    real = path.replace("NAME", "flags_null")
    file.write_text(f"version: 1\n{part}: {nested(real, 'wrong')}\n")
    assert refusal(check(file), file) == (2, f"{part}.{real}: wrong: expected {expected}")
    if default.startswith("see") or default == "per_second":
        return
    file.write_text("version: 1\n")
    shown.write_text(f"version: 1\n{part}: {nested(real, default)}\n")
    assert check(file, "--show").stdout == check(shown, "--show").stdout


def test_all_keys_are_there(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_text("version: 1\n")
    found = meaning(file)
    for part in ("default", *SECTIONS):
        paths = {re.sub(r"^actions\..*", "actions.NAME", path) for path in leaves(found[part])}
        assert paths == {path for where, path, *_ in KEYS if where == part}


def test_its_examples_are_sound(tmp_path):
    blocks = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)
    assert blocks
    for block in blocks:
        file = tmp_path / "policy.yaml"
        file.write_text(block)
        assert meaning(file)["services"]


def test_examples_are_installed(tmp_path):
    """Who is on call has the manual and the examples, and not the source."""
    def make(target):
        subprocess.run(["make", "-s", target, f"DESTDIR={tmp_path}", "PREFIX=/usr"], cwd=ROOT,
                       check=True, capture_output=True, timeout=300)

    make("install")
    installed = tmp_path / "usr/share/doc/synward/examples"
    found = sorted(installed.glob("*.yaml"))
    assert [path.name for path in found] == [path.name for path in EXAMPLES] and found
    assert all(check(path).returncode == 0 for path in found)
    assert [path.name for path in set(installed.iterdir()) - set(found)] == ["logrotate"]
    make("uninstall")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
