# SPDX-License-Identifier: GPL-2.0-or-later
"""There is a manual page for each command and for the policy file, and nothing is missing in it."""

import re
import subprocess

import pytest

from cli import BUILD, ROOT
from told import HELP, OPTIONS, VERBS


def page(name):
    """As it is shown, without bold and the like."""
    return subprocess.run(("groff", "-man", "-Tascii", "-P-c", "-P-bou", BUILD / "man" / name),
                          capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("command", VERBS[""])
def test_every_command_has_one_with_its_verbs_and_options(command):
    text = page(f"synward-{command}.8")
    for name in [name for name in HELP if name.split(" ")[0] == command]:
        assert name in VERBS and (VERBS[name] or f"synward {name}" in text)
        own = OPTIONS[name].keys() - OPTIONS[""].keys()
        assert own <= set(re.findall(r"--([a-z-]+)", text))


def test_the_policy_file_has_one_with_every_key():
    documented = set(re.findall(r"^\| `([\w.]+)` \|", (ROOT / "docs" / "policy.md").read_text(), re.M))
    assert {"mode", "services", "limits.syn_rate.burst", "evidence", "unheard"} < documented
    assert documented <= set(re.findall(r"^ {7}([\w.]+)$", page("synward.yaml.5"), re.M))
