#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
synward at work, in half a minute: a client and a server in namespaces of their own. A flood on the server
alone: nobody gets in. Then synward only watches: handshakes of which we know how they end because we end them,
and the flood. Then a policy: a scan is dropped, and the flood is answered, while real clients get in; and a
firewall breaks that, which is noticed. Meanwhile the exporter has a page, which --keep leaves on. In the end what
became of the clients, what synward and its page saw, and the proof that nothing is left. Exit code 1: a number is not what it should be.
"""

import contextlib
import os
import pathlib
import signal
import socket
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import tcp  # noqa: E402
from alone import SYNCOOKIES, Alone  # noqa: E402
from aside import Aside  # noqa: E402
from causes import Stage  # noqa: E402
from cli import BINARY, Synward, private_bpffs  # noqa: E402
from flood import FLOOD, lead_nowhere, spoof  # noqa: E402
from floods import Crowd  # noqa: E402
from guard import Guard  # noqa: E402
from on_page import OnPage  # noqa: E402
from net import NETNS, Failed, Lab, sweep_leftovers, wait_for  # noqa: E402
from objects import all_objects, expect_gone  # noqa: E402
from screen import Screen  # noqa: E402

CAUSED = {"accepted": 1000, "rejected": 50, "no_response": 50, "half_open": 50}
HOW = {  # in the report, and while it happens
    "accepted": ("a client connects, a server accepts", "handshakes"),
    "rejected": ("a client connects to a closed port", "refusals"),
    "no_response": ("a client's SYN falls into a black hole", "unanswered SYNs"),
    "half_open": ("a client is gone when the SYN-ACK comes", "vanished clients"),
}
TIMEOUTS = {"syn_sent": "4s", "syn_received": "4s", "rst_grace": "500ms"}  # the defaults: minutes
FLOOD_PARTS = 20


def build(lab):
    """Two namespaces and a wire, on which every SYN of the flood has its way there and back."""
    client, server = lab.namespace("client"), lab.namespace("server")
    near, far = lab.wire(client, "c0", server, "s0")
    lead_nowhere(near, far)
    return near, far


def attach(synward, far):
    options = [word for name, value in TIMEOUTS.items() for word in ("-t", f"{name}={value}")]
    print(f"  $ synward attach {far.name} {' '.join(options)}")
    print(f"  {synward.attach(far, options=options).stdout.strip()}")


def cause(screen, near, far):
    """Each handshake of the report, by the kernels' own TCP."""
    for outcome, count in CAUSED.items():
        done = 0

        def each():
            nonlocal done
            done += 1
            screen.bar(HOW[outcome][1], done, count)
        getattr(Stage(near, far, socket.AF_INET, on_each=each), outcome)(count)


def wait_until_silent(screen, synward, text):
    """The kernel ends what silence has ended; we only watch."""
    highest = most = synward.stats()["half_open"]

    def settled():
        nonlocal most
        now = synward.stats()["half_open"]
        most = min(most, now)
        if highest:
            screen.bar(text, highest - most, highest)
        return now == 0
    wait_for(settled, "every handshake to end", seconds=60)
    return synward.stats()


def unfinished(stats):
    """Half-open handshakes, those included of which the table has no entry: nobody completes any of them here."""
    return stats["half_open"] + stats["estimated"]["attempts"]


def flood(screen, synward, near, far):
    """SYNs from addresses that are not ours. Returns how many were half-open as it went on."""
    far.namespace.sysctl(SYNCOOKIES, 2)
    half_open = []

    def each(number):
        if number % (FLOOD // FLOOD_PARTS) == 0:
            half_open.append(unfinished(synward.stats()))
            screen.bar("half-open in the flood", half_open[-1], FLOOD, last=number == FLOOD)
    with tcp.listener(far, socket.AF_INET):
        spoof(near, far, each)
    return half_open


def difference(after, before):
    return {name: count - before[name] for name, count in after.items() if count != before[name]}


def report_outcomes(screen, stats):
    found = stats["handshakes"]
    screen.title("HANDSHAKES                                                CAUSED      SEEN")
    for outcome, count in CAUSED.items():
        print(f"  {outcome:<12}{HOW[outcome][0]:<42}{count:>8,}{found[outcome]:>10,}  "
              f"{screen.verdict(found[outcome] == count)}")
    others = sum(found.values()) - sum(found[name] for name in CAUSED)
    print(f"  {'others':<12}{'any other outcome':<42}{0:>8}{others:>10,}  "
          f"{screen.verdict(others == 0)}")


def microseconds(value):
    return f"{value:,} us"


def report_latencies(screen, stats):
    screen.title("LATENCY, measured on the wire          MEASURED       P50       P90       P99")
    answered = CAUSED["accepted"] + CAUSED["half_open"]
    for name, text, count in (("syn_to_synack", "SYN to SYN-ACK: the server", answered),
                              ("synack_to_ack", "SYN-ACK to ACK: the client",
                               CAUSED["accepted"])):
        one = stats["latency"][name]
        values = "".join(f"{microseconds(one[p]):>10}" for p in ("p50_us", "p90_us", "p99_us"))
        print(f"  {text:<36}{one['count']:>9,}{values}  {screen.verdict(one['count'] == count)}")


def report_flood(screen, before, after, half_open):
    """Each spoofed SYN has an end, and its end a name."""
    ends = difference(after["handshakes"], before["handshakes"])
    tallies = difference(after["tallies"], before["tallies"])
    ends["evicted"] = tallies.get("attempts_evicted", 0)
    # a SYN pushed out of a full line before its SYN-ACK came: that one then makes a new entry
    expected = FLOOD + ends.get("unsolicited_synack", 0)
    # of more SYNs than the table can remember, a sample is followed
    ends["counted only"] = (tallies.get("attempts_unfollowed", 0) -
                            tallies.get("attempts_recognised", 0))
    opened = tallies.get("attempts_opened", 0) + ends["counted only"]
    screen.title("SPOOFED SYN FLOOD")
    quarters = half_open[FLOOD_PARTS // 4 - 1::FLOOD_PARTS // 4]
    print(f"  {FLOOD:,} SYNs; half-open after each quarter of them: "
          f"{', '.join(f'{count:,}' for count in quarters)}")
    text = ", ".join(f"{count:,} {name}" for name, count in ends.items() if count)
    print(f"  ended: {text:<61}{opened:>7,}  "
          f"{screen.verdict(opened == expected == sum(ends.values()))}")


NOTHING = "no program, no map, no link, no pin, no sysctl, no namespace"


def what_is_left(ours, synward, namespaces, syncookies):
    with contextlib.suppress(AssertionError):
        expect_gone(ours)
    left = []
    if all_objects() & ours:
        left.append(str(all_objects() & ours))
    if synward.pin_dir.exists():
        left.append(f"pins in {synward.pin_dir}")
    if syncookies != "0":
        left.append(f"{SYNCOOKIES}={syncookies}")
    left += [str(NETNS / name) for name in namespaces if (NETNS / name).exists()]
    return "; ".join(left) or NOTHING


def perform(screen, keep):
    with private_bpffs() as bpffs, contextlib.ExitStack() as stack:
        lab = stack.enter_context(Lab())
        synward = Synward(bpffs / "demo", stack.enter_context(tempfile.TemporaryDirectory()))
        near, far = build(lab)
        stack.callback(synward.run, "detach", "--all")
        crowd = Crowd(near, far)
        print(f"  client {near.name} <-> {far.name} server, in two network namespaces")
        alone = Alone(screen, near, far, crowd)
        alone.perform()
        live = OnPage(screen, lab, synward)
        attach(synward, far)
        ours = synward.objects()

        cause(screen, near, far)
        quiet = wait_until_silent(screen, synward, "ended by silence")
        half_open = flood(screen, synward, near, far)
        after = wait_until_silent(screen, synward, "ended by silence")
        guard = Guard(screen, synward, near, far, crowd, live)
        guard.perform()
        aside = Aside(screen, guard)
        aside.perform()
        live.end()
        if keep:
            live.keep(guard)
        synward.expect(0, "detach", "--all")
        print("  $ synward detach --all")
        syncookies = far.namespace.read_sysctl(SYNCOOKIES)
        lab.close()
        left = what_is_left(ours, synward, (near.namespace.name, far.namespace.name), syncookies)

    report_outcomes(screen, quiet)
    report_latencies(screen, quiet)
    report_flood(screen, quiet, after, half_open)
    guard.report(max(half_open))
    guard.report_clients(alone)
    aside.report()
    live.report()
    screen.title("BOOKS")
    guard.report_books()
    screen.words(f"left behind: {left}", left == NOTHING)


def main():
    screen = Screen()
    if sys.argv[1:] not in ([], ["--keep"]):
        sys.exit("demo: there is only --keep, which leaves the page on until it is interrupted")
    if os.geteuid():
        sys.exit("demo: needs root, for network namespaces and BPF: sudo make demo")
    if not BINARY.exists():
        sys.exit(f"demo: {BINARY} is not there: make")
    for one in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, lambda *_: sys.exit(1))
    sweep_leftovers()
    began = time.monotonic()
    screen.title("synward: every TCP handshake followed and named")
    try:
        perform(screen, "--keep" in sys.argv)
    except (Failed, AssertionError, OSError) as error:
        sys.exit(f"\ndemo: {error}")
    except KeyboardInterrupt:
        sys.exit("\ndemo: interrupted; everything is taken down again")
    result = "all as it should be" if screen.good else "something is wrong: see MISMATCH above"
    print(f"\n{screen.paint(result, '1;32' if screen.good else '1;31')}, "
          f"in {time.monotonic() - began:.0f} s")
    return not screen.good


if __name__ == "__main__":
    sys.exit(main())
