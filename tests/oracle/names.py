# SPDX-License-Identifier: GPL-2.0-or-later
"""The names of outcomes and anomalies, in the order in which they are printed."""

OUTCOMES = (
    "accepted", "accepted_simopen", "rejected", "rejected_unverified", "no_response",
    "half_open", "aborted_orig", "aborted_resp", "cancelled", "fin_in_handshake",
    "one_sided", "resp_no_synack", "bad_synack", "unsolicited_synack", "synack_pickup",
    "midstream", "illegal_first", "undecodable",
)

# Decided on one packet.
STATELESS = (
    "tcp_short", "tcp_bad_doff", "tcp_doff_past_end",
    "flags_null", "flags_xmas", "flags_fin_noack", "flags_no_syn_ack_rst",
    "flags_syn_fin", "flags_syn_rst", "flags_fin_rst", "flags_syn_urg",
    "reserved_bits", "port_zero", "land", "land_addr_only", "multicast",
    "syn_data_no_tfo", "syn_data_tfo", "synack_data", "rst_data",
    "ack_field_without_ack", "urgptr_without_urg",
    "opt_bad_len", "mss_tiny", "wscale_big",
    "frag_tiny_first", "frag_overlaps_header", "frag_hdr_split", "ipv6_many_extensions",
    "bad_tcp_csum", "bad_ip_csum",
)

# Decided on a packet and what its flow did before.
STATEFUL = (
    "syn_retransmit", "synack_retransmit", "syn_isn_changed", "synack_isn_changed",
    "synack_bad_ack", "resp_segment_in_syn_sent", "rst_not_acking_syn",
    "final_ack_bad", "final_ack_bad_seq", "rst_bad_seq",
    "syn_on_established", "syn_reuse", "synack_from_originator", "syn_from_responder",
    "simultaneous_open", "simopen_bad_ack", "unsolicited_synack", "midstream",
    "rst_no_session", "resp_data_before_final_ack", "completed_after_rst",
    "fin_in_handshake", "martian_source", "wrong_side", "syn_flood", "half_open_pressure", "scan",
)

ANOMALIES = STATELESS + STATEFUL
