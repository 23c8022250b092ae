# SPDX-License-Identifier: GPL-2.0-or-later
"""The oracle on one short exchange for every outcome and every anomaly that needs state.

An exchange is a list of steps: c(...) and s(...) are segments of the client, whose ISN is C, and
of the server, whose ISN is S. A case says everything that must come out of it.
"""

import pytest

import packets
from names import OUTCOMES, STATEFUL
from oracle import judge_file
from packets import CLIENT, IPV4, IPV6, OPT_TFO_COOKIE, OPT_TFO_EXPERIMENT, SERVER

C, S = 1000, 0xFFFFFFF0  # the server's wraps around
C2, S2 = 900_000, 5_000_000
WINDOW = 8192


def c(flags, seq, ack=0, **more):
    return "client", flags, seq, ack, more


def s(flags, seq, ack=0, **more):
    ports = {"sport": packets.SERVER_PORT, "dport": packets.CLIENT_PORT}
    return "server", flags, seq, ack, more | ports


def wait(seconds):
    return "wait", seconds


def icmp(seq, **more):
    return "icmp", seq, more


SYN, SYNACK, FINAL = c("S", C), s("SA", S, C + 1), c("A", C + 1, S + 1)
OPEN = [SYN, SYNACK, FINAL]
TFO = c("S", C, data=b"GET", options=OPT_TFO_COOKIE)

# name: (steps, outcomes, anomalies)
CASES = {
    "handshake": (OPEN, "accepted", ""),
    "final ack with data": ([SYN, SYNACK, c("PA", C + 1, S + 1, data=b"x")], "accepted", ""),
    "final ack with fin": ([SYN, SYNACK, c("FA", C + 1, S + 1)], "accepted", ""),
    "final ack at the window's end": (
        [SYN, SYNACK, c("A", C + 1 + WINDOW, S + 1)], "accepted", ""),
    "ecn setup": ([c("SEC", C), s("SAE", S, C + 1), c("AN", C + 1, S + 1)], "accepted", ""),
    "data on the syn, partly acked": (
        [TFO, s("SA", S, C + 3), c("PA", C + 3, S + 1, data=b"T")], "accepted", "syn_data_tfo"),
    "data on the syn, no cookie": (
        [c("S", C, data=b"GET"), s("SA", S, C + 4), c("A", C + 4, S + 1)],
        "accepted", "syn_data_no_tfo"),
    "experimental tfo option": (
        [c("S", C, data=b"GET", options=OPT_TFO_EXPERIMENT), s("SA", S, C + 4, data=b"200"),
         c("A", C + 4, S + 4)], "accepted", "syn_data_tfo synack_data"),
    "tfo server sends data and fin": (
        [TFO, s("SAF", S, C + 4, data=b"200"), c("A", C + 4, S + 5)],
        "accepted", "syn_data_tfo synack_data"),
    "tfo server sends data before the final ack": (
        [TFO, s("SA", S, C + 4), s("PA", S + 1, C + 4, data=b"200"), c("A", C + 4, S + 4)],
        "accepted", "syn_data_tfo"),
    "syn-ack with fin without tfo": (
        [SYN, s("SAF", S, C + 1), SYNACK, FINAL], "accepted", "flags_syn_fin"),
    "crossed syns": (
        [SYN, s("S", S), c("SA", C, S + 1), s("SA", S, C + 1)],
        "accepted_simopen", "simultaneous_open"),
    "split handshake": (
        [SYN, s("S", S), c("SA", C, S + 1), s("A", S + 1, C + 1)],
        "accepted_simopen", "simultaneous_open"),
    "crossed syns, wrong ack": (
        [SYN, s("S", S), c("SA", C, S + 2), c("SA", C, S + 1), s("SA", S, C + 1)],
        "accepted_simopen", "simultaneous_open simopen_bad_ack"),
    "crossed syns, repeated": (
        [SYN, s("S", S), s("S", S), SYN, c("SA", C, S + 1), c("SA", C, S + 1)],
        "half_open", "simultaneous_open syn_retransmit*2 synack_retransmit"),
    "refused": ([SYN, s("RA", 0, C + 1)], "rejected", ""),
    "unreachable": ([SYN, icmp(C)], "rejected", ""),
    "unreachable, another seq": ([SYN, icmp(C + 1)], "no_response", ""),
    "reset without ack": ([SYN, s("R", 0)], "rejected_unverified", "rst_not_acking_syn"),
    "reset acking too much": (
        [SYN, s("RA", 0, C + 2)], "rejected_unverified", "rst_not_acking_syn"),
    "silence": ([SYN, wait(1), SYN], "no_response", "syn_retransmit"),
    "two syns in a timeout": ([SYN, wait(127), SYN], "no_response", "syn_retransmit"),
    "a syn after its attempt": (
        [SYN, wait(128), SYN, wait(119), SYN], "no_response", "syn_retransmit*2"),
    "a syn that nobody remembers": ([SYN, wait(248), SYN], "no_response*2", ""),
    "another syn after an attempt": ([SYN, wait(128), c("S", C2)], "no_response*2", ""),
    "refused, long ago": (
        [SYN, s("RA", 0, C + 1), wait(128), SYN], "rejected", "syn_retransmit"),
    "no final ack": ([SYN, SYNACK, wait(1), SYNACK], "half_open", "synack_retransmit"),
    "final ack too late": (
        [SYN, SYNACK, wait(64), FINAL], "half_open midstream", "midstream"),
    "syn scan": ([SYN, SYNACK, c("R", C + 1)], "aborted_orig", ""),
    "opener's reset in the window": (
        [SYN, SYNACK, c("R", C + 50)], "aborted_orig", "rst_bad_seq"),
    "opener's reset out of the window": (
        [SYN, SYNACK, c("R", C - 1)], "half_open", "rst_bad_seq"),
    "responder gives up": ([SYN, SYNACK, s("RA", S + 1, C + 1)], "aborted_resp", ""),
    "responder's blind reset": ([SYN, SYNACK, s("R", S - 9)], "half_open", "rst_bad_seq"),
    "cancelled": ([SYN, c("R", C + 1)], "cancelled", ""),
    "reset after an ack is no cancel": (
        [SYN, c("A", C + 1, 77), c("R", C + 1)], "one_sided", ""),
    "fin in syn-sent": ([SYN, c("FA", C + 1, 9)], "fin_in_handshake", "fin_in_handshake"),
    "fin alone": ([SYN, c("F", C + 1)], "fin_in_handshake", "flags_fin_noack"),
    "fin in syn-received": (
        [SYN, SYNACK, s("FA", S + 1, C + 1)], "fin_in_handshake",
        "fin_in_handshake resp_data_before_final_ack"),
    "one side": (
        [SYN, c("A", C + 1, 9), c("PA", C + 1, 9, data=b"x"), c("FA", C + 2, 9)],
        "one_sided", "fin_in_handshake"),
    "challenge ack": ([SYN, s("A", 77, 88)], "resp_no_synack", "resp_segment_in_syn_sent"),
    "both sides, no syn-ack": (
        [SYN, c("A", C + 1, 9), s("A", 9, C + 1)],
        "resp_no_synack", "resp_segment_in_syn_sent"),
    "syn-ack for another syn": ([SYN, s("SA", S, C + 2)], "bad_synack", "synack_bad_ack"),
    "bad syn-ack after a good one": (
        [SYN, SYNACK, s("SA", S, C + 2), FINAL], "accepted", "synack_bad_ack"),
    "backscatter": (
        [SYNACK, SYNACK, c("R", C + 1)], "unsolicited_synack",
        "unsolicited_synack*2 rst_no_session"),
    "from the syn-ack on": (
        [SYNACK, FINAL, s("PA", S + 1, C + 1, data=b"x"), SYNACK], "synack_pickup",
        "unsolicited_synack synack_retransmit"),
    "syn-ack, then another ack": (
        [SYNACK, c("A", C + 1, S + 2)], "unsolicited_synack", "unsolicited_synack midstream"),
    "syn and syn-ack swapped": ([SYNACK, SYN, FINAL], "accepted", "unsolicited_synack"),
    "syn-ack of another syn, then a syn": (
        [s("SA", S, C + 9), SYN, SYNACK, FINAL], "unsolicited_synack accepted",
        "unsolicited_synack"),
    "midstream": (
        [c("PA", 5, 6, data=b"x"), s("A", 6, 6), s("FA", 6, 6)], "midstream", "midstream*3"),
    "reset without a session": ([s("R", 5), s("R", 5)], "midstream", "rst_no_session*2"),
    "midstream, then a handshake": (
        [c("A", 5, 6), *OPEN], "midstream accepted", "midstream"),
    "null scan": ([c("", 5), c("A", 5, 6)], "illegal_first", "flags_null midstream"),
    "xmas scan": ([c("FPU", 5)], "illegal_first", "flags_xmas"),
    "syn+fin": ([c("SF", C)], "illegal_first", "flags_syn_fin"),
    "illegal sets move nothing": (
        [SYN, s("SR", 1), SYNACK, c("FRA", C + 1, S + 1), c("P", C + 1), FINAL],
        "accepted", "flags_syn_rst flags_fin_rst flags_no_syn_ack_rst"),
    "bad offset": ([c("S", C, doff=4)] * 2, "undecodable", "tcp_bad_doff*2"),
    "bad offset in a connection": ([*OPEN, c("A", C, doff=4)], "accepted", "tcp_bad_doff"),
    "offset past the end": ([c("S", C, doff=6)], "undecodable", "tcp_doff_past_end"),
    "another isn, the newer answered": (
        [SYN, c("S", C2), s("SA", S, C2 + 1), c("A", C2 + 1, S + 1)],
        "accepted no_response", "syn_isn_changed"),
    "another isn, the older answered": (
        [SYN, c("S", C2), *OPEN[1:]], "accepted no_response", "syn_isn_changed"),
    "a third isn": (
        [SYN, c("S", C2), c("S", C2 + 99), SYNACK],
        "no_response*2 bad_synack", "syn_isn_changed*2 synack_bad_ack"),
    "another isn of the responder, the older acked": (
        [SYN, SYNACK, s("SA", S2, C + 1), FINAL], "accepted", "synack_isn_changed"),
    "a third isn of the responder": (
        [SYN, SYNACK, s("SA", S2, C + 1), s("SA", S2 + 99, C + 1), FINAL],
        "half_open", "synack_isn_changed*2 final_ack_bad"),
    "final ack of something else": (
        [SYN, SYNACK, c("A", C + 1, S + 2), FINAL], "accepted", "final_ack_bad"),
    "keepalive instead of the final ack": (
        [SYN, SYNACK, c("A", C, S + 1)], "half_open", "final_ack_bad_seq"),
    "bad final ack with fin": (
        [SYN, SYNACK, c("FA", C + 1, S)], "fin_in_handshake", "final_ack_bad fin_in_handshake"),
    "responder's data acked by the final ack": (
        [SYN, SYNACK, s("PA", S + 1, C + 1, data=b"hello"), c("A", C + 1, S + 6)],
        "accepted", "resp_data_before_final_ack"),
    "syn-ack again after the final ack": ([*OPEN, SYNACK], "accepted", "synack_retransmit"),
    "another syn-ack after the final ack": (
        [*OPEN, s("SA", S2, C + 1)], "accepted", "synack_isn_changed"),
    "syn again on a connection": (
        [*OPEN, SYN], "accepted", "syn_on_established syn_retransmit"),
    "spoofed syn on a connection": (
        [*OPEN, c("S", C2), s("A", S + 1, C + 1)], "accepted resp_no_synack",
        "syn_on_established resp_segment_in_syn_sent"),
    "fin of a connection beside a spoofed syn": (
        [*OPEN, c("S", C2), s("FA", S + 1, C + 1)], "accepted resp_no_synack",
        "syn_on_established resp_segment_in_syn_sent"),
    "new handshake on a connection": (
        [*OPEN, c("S", C2), s("SA", S2, C2 + 1), c("A", C2 + 1, S2 + 1), c("A", C2 + 1, S2 + 1)],
        "accepted*2", "syn_on_established"),
    "responder opens on a connection": (
        [*OPEN, s("S", S2), c("SA", C2, S2 + 1), s("A", S2 + 1, C2 + 1)],
        "accepted*2", "syn_on_established syn_from_responder"),
    "responder opens in syn-received": (
        [SYN, SYNACK, s("S", S2)], "half_open no_response", "syn_from_responder"),
    "reuse after fin": (
        [*OPEN, c("FA", C + 1, S + 1), s("FA", S + 1, C + 2), c("A", C + 2, S + 2), wait(119),
         c("A", C + 2, S + 2), c("S", C2)], "accepted no_response", "syn_reuse"),
    "straggler too late": (
        [*OPEN, c("FA", C + 1, S + 1), s("FA", S + 1, C + 2), wait(121), c("A", C + 2, S + 2)],
        "accepted midstream", "midstream"),
    "reuse after a reset": ([*OPEN, s("R", S + 1), c("S", C2)], "accepted no_response",
                            "syn_reuse"),
    "forged reset of a connection": (
        [*OPEN, s("R", S + 1), s("A", S + 1, C + 1), wait(3600), c("A", C + 1, S + 1)],
        "accepted", ""),
    "idle connection": ([*OPEN, wait(432_000), FINAL], "accepted", ""),
    "idle for too long": (
        [*OPEN, wait(432_001), FINAL], "accepted midstream", "midstream"),
    "new isn after a refusal": (
        [SYN, s("RA", 0, C + 1), c("S", C2)], "rejected no_response", "syn_reuse"),
    "syn-ack of the opener": ([SYN, c("SA", C, 9)], "no_response", "synack_from_originator"),
    "forged refusal": (
        [SYN, s("RA", 0, C + 1), SYNACK, FINAL], "accepted", "completed_after_rst"),
    "forged cancel": ([SYN, c("R", C + 1), SYNACK, FINAL], "accepted", "completed_after_rst"),
    "forged abort": ([SYN, SYNACK, c("R", C + 1), FINAL], "accepted", "completed_after_rst"),
    "refusal, then half open": ([SYN, s("RA", 0, C + 1), SYNACK], "rejected", ""),
    "time runs backwards": ([SYN, wait(-500), SYNACK, wait(-500), FINAL], "accepted", ""),
}

NEVER = {"syn_flood", "half_open_pressure", "scan",  # they need thresholds
         "martian_source", "wrong_side"}  # and these a place to be seen from


def counted(text):
    """"a b*2" as {"a": 1, "b": 2}."""
    return {name: int(number or 1)
            for name, _, number in (word.partition("*") for word in text.split())}


def frames(family, steps):
    time = 1_000_000.0
    for kind, *values in steps:
        if kind == "wait":
            time += values[0]
        elif kind == "icmp":
            quoted = packets.ip(family, CLIENT[family], SERVER[family],
                                packets.tcp("S", values[0]))
            yield time, packets.unreachable(family, quoted, **values[1])
        else:
            flags, seq, ack, more = values
            build = packets.from_client if kind == "client" else packets.from_server
            yield time, build(family, packets.tcp(flags, seq, ack, **more))


def judged(tmp_path, capture):
    path = tmp_path / "capture"
    path.write_bytes(capture)
    return judge_file(str(path))


def nonzero(report):
    return ({name: count for name, count in report["handshakes"].items() if count},
            {name: each["seen"] for name, each in report["anomalies"].items() if each["seen"]})


@pytest.mark.parametrize("family", (IPV4, IPV6))
@pytest.mark.parametrize("name", CASES)
def test_exchange(tmp_path, name, family):
    steps, outcomes, anomalies = CASES[name]
    report = judged(tmp_path, packets.pcap(frames(family, steps)))
    assert nonzero(report) == (counted(outcomes), counted(anomalies))
    assert len(report["attempts"]) == sum(counted(outcomes).values())


def test_every_name_has_a_case():
    outcomes = {each for _, text, _ in CASES.values() for each in counted(text)}
    anomalies = {each for _, _, text in CASES.values() for each in counted(text)}
    assert outcomes == set(OUTCOMES)
    assert set(STATEFUL) - anomalies == NEVER


@pytest.mark.parametrize("name, opener", [
    ("handshake", "client"), ("crossed syns", "client"), ("backscatter", "client"),
    ("from the syn-ack on", "client"), ("reset without a session", "server"),
    ("midstream", "client"), ("null scan", "client"), ("bad offset", "client"),
])
def test_who_opened(tmp_path, name, opener):
    report = judged(tmp_path, packets.pcap(frames(IPV6, CASES[name][0])))
    ends = [(CLIENT[IPV6], packets.CLIENT_PORT), (SERVER[IPV6], packets.SERVER_PORT)]
    if opener == "server":
        ends.reverse()
    attempt = report["attempts"][0]
    assert [(attempt["src"], attempt["sport"]), (attempt["dst"], attempt["dport"])] == ends


def test_report_is_whole(tmp_path):
    report = judged(tmp_path, packets.pcap([]))
    assert report["schema"] == 1 and report["packets"] == 0 and report["attempts"] == []
    assert list(report["handshakes"]) == list(OUTCOMES)
