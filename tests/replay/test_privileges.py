# SPDX-License-Identifier: GPL-2.0-or-later
"""What the process that reads a capture may do; needs root."""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "oracle"), str(ROOT / "tests" / "lib")]

from net import wait_for  # noqa: E402
from packets import CLIENT, IPV4, SERVER, ipv4, pcap, tcp  # noqa: E402

BINARY = pathlib.Path(os.environ.get("SYNWARD", ROOT / os.environ.get("B", "build") / "synward"))
UP, DOWN = (CLIENT[IPV4], SERVER[IPV4]), (SERVER[IPV4], CLIENT[IPV4])
HANDSHAKE = (ipv4(*UP, tcp("S", 1000)), ipv4(*DOWN, tcp("SA", 5000, 1001, sport=443, dport=40000)),
             ipv4(*UP, tcp("A", 1001, 5001)))


def test_whoever_reads_the_file_may_do_nothing_else():
    """Also to standard input, whose first bytes must not be looked at by one who has privileges."""
    with subprocess.Popen([BINARY, "-j", "replay", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        def given_up():
            of = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}")
            for pid in (of / "children").read_text().split():
                status = dict(line.split(":\t", 1) for line in
                              pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
                rights = {status[f"Cap{which}"] for which in ("Inh", "Prm", "Eff", "Bnd", "Amb")}
                if rights == {"0" * 16} and status["NoNewPrivs"] == "1":
                    return True
            return False

        wait_for(given_up, "the process that reads to give up its capabilities")
        out, _ = process.communicate(pcap([(1, each) for each in HANDSHAKE], 101), timeout=60)
        assert process.returncode == 0 and json.loads(out)["handshakes"]["accepted"] == 1
