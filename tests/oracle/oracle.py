#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Judge the TCP handshakes of a capture; an independent check of `synward replay -j`."""

import json
import socket
import sys

from capture import CaptureError, records
from decode import KNOWN_LINKS, decode
from judge import Judge

SCHEMA = 1


def judge_file(path):
    """The report on the capture at `path`. Raises OSError and CaptureError."""
    judge = Judge()
    packets = 0
    links = set()
    for time, link, frame, wire_len in records(path):
        packets += 1
        links.add(link)
        judge.feed(time, decode(link, frame, wire_len))
    if links and not links & KNOWN_LINKS:
        raise CaptureError(f"unsupported link types: {links}")
    judge.flows.finish()
    return {
        "schema": SCHEMA,
        "packets": packets,
        "handshakes": judge.flows.outcomes,
        "anomalies": {name: {"seen": count} for name, count in judge.seen.items()},
        "attempts": [attempt(*each) for each in judge.flows.ended],
    }


def attempt(src, dst, outcome):
    return {"src": address(src), "sport": port(src), "dst": address(dst), "dport": port(dst),
            "outcome": outcome}


def address(end):
    return socket.inet_ntop(socket.AF_INET if len(end) == 6 else socket.AF_INET6, end[:-2])


def port(end):
    return int.from_bytes(end[-2:], "big")


def main(arguments):
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        print("usage: oracle.py FILE", file=sys.stderr)
        return 2
    try:
        report = judge_file(arguments[0])
    except (OSError, CaptureError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 1
    json.dump(report, sys.stdout)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
