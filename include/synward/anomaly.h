/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_ANOMALY_H
#define SYNWARD_ANOMALY_H

#include "base.h"

/*
 * What is done about an anomaly unless the policy says otherwise: X(ID, name, meaning). Each
 * anomaly is counted, and only an enforcing policy drops anything.
 */
#define SW_DEFAULT_ACTIONS(X)                                                                      \
	X(PASS, pass, "Passed on, as ordinary traffic; counted all the same.")                     \
	X(COUNT, count, "Counted and passed on: suspicious, but honest traffic does it too.")      \
	X(DROP, drop, "Dropped: no honest traffic is known to do it.")                             \
	X(STRICT, strict, "Counted and passed on; dropped only where the policy is strict.")       \
	X(DROP_SYM, drop_sym,                                                                      \
	  "Dropped where both directions of the flow and its SYN were seen; elsewhere counted "    \
	  "and passed on.")

enum sw_default_action {
#define X(id, name, meaning) SW_ACTION_##id,
	SW_DEFAULT_ACTIONS(X)
#undef X
		SW_DEFAULT_ACTION_COUNT
};

/*
 * What can be wrong or remarkable about a segment:
 * X(ID, name, ACTION, meaning, condition, false_positives, reference).
 *
 * A segment can show several. The opener is the end that sent the SYN, the responder the other;
 * SYN-SENT and SYN-RECEIVED say how far the attempt has come: a SYN, or a valid SYN-ACK too.
 * Sequence numbers compare modulo 2^32 and every range includes both of its ends. The texts are
 * what users read: keep them plain, and free of quotes and backslashes.
 */
#define SW_ANOMALIES(X)                                                                            \
	X(TCP_SHORT, tcp_short, DROP, "An unfragmented packet is too short to hold a TCP header.", \
	  "Not a fragment, and fewer than 20 bytes of TCP by the IP header's length, padding "     \
	  "of the frame not counted.",                                                             \
	  "None known. Inside a host, TSO and BIG TCP leave the IP length 0: then the frame's "    \
	  "length decides.",                                                                       \
	  "RFC 9293 3.1; Snort 116:45; Suricata tcp.pkt_too_small; Zeek truncated_header; "        \
	  "conntrack short packet")                                                                \
	X(TCP_BAD_DOFF, tcp_bad_doff, DROP,                                                        \
	  "The data offset claims a header shorter than the smallest TCP header.",                 \
	  "Data offset below 5 (20 bytes).", "None known.",                                        \
	  "RFC 9293 3.1; Snort 116:46; Suricata tcp.hlen_too_small; Zeek bad_TCP_header_len; "     \
	  "conntrack malformed packet")                                                            \
	X(TCP_DOFF_PAST_END, tcp_doff_past_end, DROP,                                              \
	  "The data offset claims a header longer than the packet.",                               \
	  "Not a fragment, and data offset * 4 is more than the TCP bytes that the IP header's "   \
	  "length leaves.",                                                                        \
	  "None known. Where the IP length is 0 inside a host, the frame's length decides.",       \
	  "RFC 9293 3.1; Snort 116:47; Zeek bad_TCP_header_len; conntrack malformed packet")       \
	X(FLAGS_NULL, flags_null, DROP, "None of the six classic flags is set.",                   \
	  "None of URG, ACK, PSH, RST, SYN and FIN is set, whatever the ECN flags are.",           \
	  "None: no stack sends it.",                                                              \
	  "RFC 9293 3.10.7; nmap -sN; Snort 116:423; conntrack INVALID")                           \
	X(FLAGS_XMAS, flags_xmas, DROP,                                                            \
	  "FIN, PSH and URG together, without a flag that gives them sense.",                      \
	  "FIN, PSH and URG set; SYN, ACK and RST clear.", "None: no stack sends it.",             \
	  "RFC 9293 3.10.7; nmap -sX; Snort 116:401; conntrack INVALID")                           \
	X(FLAGS_FIN_NOACK, flags_fin_noack, DROP, "A FIN without ACK.",                            \
	  "FIN set; SYN, ACK and RST clear; not flags_xmas.",                                      \
	  "None: an open connection ignores segments without ACK, so no stack closes like "        \
	  "this.",                                                                                 \
	  "RFC 9293 3.10.7.4; nmap -sF; Snort 116:422; conntrack INVALID")                         \
	X(FLAGS_NO_SYN_ACK_RST, flags_no_syn_ack_rst, DROP,                                        \
	  "PSH or URG alone: nothing opens, acknowledges, closes or resets.",                      \
	  "PSH, URG or both set; FIN, SYN, ACK and RST clear.",                                    \
	  "None: an open connection ignores segments without ACK.",                                \
	  "RFC 9293 3.10.7.4; Snort 116:423; conntrack INVALID")                                   \
	X(FLAGS_SYN_FIN, flags_syn_fin, DROP, "Opens and closes at once.",                         \
	  "SYN and FIN set without ACK; with ACK, only if the flow's SYN was seen without a "      \
	  "Fast Open option.",                                                                     \
	  "A Fast Open SYN-ACK may carry a FIN, which is why it is exempt. T/TCP, which used "     \
	  "SYN with FIN, is historic.",                                                            \
	  "RFC 7413 4.2.2; RFC 6247 (T/TCP is historic); Snort 116:420; Suricata FIN_SYN; Zeek "   \
	  "history Q; nmap OS probe T3")                                                           \
	X(FLAGS_SYN_RST, flags_syn_rst, DROP, "Opens and resets at once.", "SYN and RST set.",     \
	  "None: no stack sends it.",                                                              \
	  "RFC 9293 3.10.7; Snort 116:421; Zeek TCP_christmas; conntrack INVALID")                 \
	X(FLAGS_FIN_RST, flags_fin_rst, DROP, "Closes and resets at once.", "FIN and RST set.",    \
	  "Met only in fuzzed traffic. If one was meant as a teardown, dropping it leaves the "    \
	  "connection to its timeout.",                                                            \
	  "RFC 9293 3.10.7; Zeek history I; conntrack INVALID")                                    \
	X(FLAGS_SYN_URG, flags_syn_urg, COUNT, "A SYN that claims urgent data.",                   \
	  "SYN and URG set.", "Pointless but not forbidden; conntrack lists it as valid.",         \
	  "RFC 9293 3.8.5; Zeek baroque_SYN")                                                      \
	X(RESERVED_BITS, reserved_bits, COUNT, "A reserved bit of the TCP header is set.",         \
	  "One of the three bits after the data offset is set. The fourth, AE, is in use and "     \
	  "does not count.",                                                                       \
	  "Receivers must ignore these bits, and a future standard may use them.",                 \
	  "RFC 9293 3.1; RFC 9768 (AE); nmap ECN probe")                                           \
	X(PORT_ZERO, port_zero, DROP, "The source or destination port is 0.",                      \
	  "Source port 0 or destination port 0.",                                                  \
	  "None known: the port is reserved and cannot be bound.", "RFC 6335; Snort 116:446")      \
	X(LAND, land, DROP, "The packet claims to come from the very socket that it is sent to.",  \
	  "Equal addresses and equal ports, on a device other than loopback.",                     \
	  "A socket that connects to itself is a legal simultaneous open, but that stays on "      \
	  "loopback.",                                                                             \
	  "CVE-1999-0016; Snort 116:151 (addresses only)")                                         \
	X(LAND_ADDR_ONLY, land_addr_only, COUNT,                                                   \
	  "The packet claims to come from the host that it is sent to.",                           \
	  "Equal addresses but different ports, on a device other than loopback.",                 \
	  "Hairpin NAT and a host's own traffic looped through a virtual device.",                 \
	  "Snort 116:151")                                                                         \
	X(MULTICAST, multicast, DROP, "TCP to or from a multicast or broadcast address.",          \
	  "The source or destination is an IPv4 or IPv6 multicast address or the IPv4 "            \
	  "broadcast address.",                                                                    \
	  "None: TCP has exactly two ends. A subnet's own broadcast address cannot be told "       \
	  "from a host's and is not matched.",                                                     \
	  "RFC 9293 3.9.2.3 (MUST-57, MUST-63); RFC 1122 4.2.3.10; Snort 116:403")                 \
	X(SYN_DATA_NO_TFO, syn_data_no_tfo, COUNT,                                                 \
	  "A SYN carries data without a Fast Open option.",                                        \
	  "SYN without ACK, with payload, with neither option 34 nor option 254 with "             \
	  "identifier F989.",                                                                      \
	  "Data on a SYN is legal; Fast Open without cookies, in a trusted network, looks like "   \
	  "this.",                                                                                 \
	  "RFC 9293 3.5; RFC 7413; Snort 129:2; Zeek SYN_with_data")                               \
	X(SYN_DATA_TFO, syn_data_tfo, PASS, "A SYN carries data with a Fast Open option.",         \
	  "SYN without ACK, with payload and option 34, or option 254 with identifier F989.",      \
	  "Ordinary Fast Open; counted to show how much it is used.", "RFC 7413 4.2.2; RFC 6994")  \
	X(SYNACK_DATA, synack_data, PASS, "A SYN-ACK carries data.",                               \
	  "SYN and ACK set, with payload.",                                                        \
	  "Ordinary for a Fast Open server, which may answer at once.",                            \
	  "RFC 7413 4.2.2; Suricata SYNACK_TFO_DATA_IGNORED")                                      \
	X(RST_DATA, rst_data, COUNT, "A reset carries data.", "RST set, with payload.",            \
	  "Allowed: some stacks and middleboxes put the reason there as text.",                    \
	  "RFC 9293 3.5.3; Suricata RST_WITH_DATA")                                                \
	X(ACK_FIELD_WITHOUT_ACK, ack_field_without_ack, COUNT,                                     \
	  "The acknowledgement field is filled although ACK is clear.",                            \
	  "ACK clear and acknowledgement number not 0.",                                           \
	  "Common in ordinary traffic: some stacks do not clear the field in a SYN or RST.",       \
	  "RFC 9293 3.1; Suricata PKT_BROKEN_ACK")                                                 \
	X(URGPTR_WITHOUT_URG, urgptr_without_urg, COUNT,                                           \
	  "The urgent pointer is filled although URG is clear.",                                   \
	  "URG clear and urgent pointer not 0.",                                                   \
	  "Seen now and then in ordinary traffic; receivers ignore the field.", "RFC 9293 3.1")    \
	X(OPT_BAD_LEN, opt_bad_len, COUNT, "A TCP option has an impossible length.",               \
	  "An option's length is below 2, runs past the header, or is wrong for MSS (4), "         \
	  "window scale (3), SACK permitted (2) or timestamps (10).",                              \
	  "Old or broken stacks. Receivers must cope with it.",                                    \
	  "RFC 9293 (MUST-7); Snort 116:54, 116:55; Suricata tcp.opt_invalid_len")                 \
	X(MSS_TINY, mss_tiny, COUNT,                                                               \
	  "A SYN announces a segment size so small that it costs the sender dearly.",              \
	  "SYN with an MSS option below 64.",                                                      \
	  "Some embedded stacks. Tiny segments are also a way to exhaust a server.",               \
	  "RFC 9293 3.7.1; CVE-2019-11479")                                                        \
	X(WSCALE_BIG, wscale_big, COUNT, "A window scale larger than the standard allows.",        \
	  "A window scale option with a shift above 14.",                                          \
	  "Receivers must treat it as 14, so it does no harm by itself.",                          \
	  "RFC 7323 2.3; Snort 116:59; Zeek TCP_scale_range")                                      \
	X(FRAG_TINY_FIRST, frag_tiny_first, DROP,                                                  \
	  "A first fragment is too small to hold the TCP header.",                                 \
	  "Protocol TCP, fragment offset 0, more fragments to come, and fewer than 20 bytes of "   \
	  "TCP.",                                                                                  \
	  "None known: every link carries far more. The classic way to slip ports or flags "       \
	  "past a filter.",                                                                        \
	  "RFC 1858; RFC 3128; RFC 7112; Snort 123:13; Zeek excessively_small_fragment")           \
	X(FRAG_OVERLAPS_HEADER, frag_overlaps_header, DROP,                                        \
	  "A later fragment starts inside the TCP header and could rewrite it.",                   \
	  "Protocol TCP and a fragment offset of more than 0 but less than 20 bytes.",             \
	  "None known: no honest sender cuts there.",                                              \
	  "RFC 1858; RFC 3128; conntrack defragmentation")                                         \
	X(FRAG_HDR_SPLIT, frag_hdr_split, COUNT,                                                   \
	  "A first fragment holds the fixed TCP header but not all of its options.",               \
	  "Protocol TCP, fragment offset 0, more fragments to come, at least 20 bytes of TCP "     \
	  "but fewer than data offset * 4.",                                                       \
	  "Rare but seen in real captures of fragmented SYNs. In IPv6 it breaks RFC 7112.",        \
	  "RFC 7112; RFC 1858")                                                                    \
	X(IPV6_MANY_EXTENSIONS, ipv6_many_extensions, DROP,                                        \
	  "An IPv6 packet hides what it carries behind very many extension headers.",              \
	  "More than eight extension headers, whatever is behind them; fragments after the "       \
	  "first are not looked into.",                                                            \
	  "None known: each kind occurs once, destination options twice. Kernels take any "        \
	  "number, so TCP would get past every other rule.",                                       \
	  "RFC 8200 4.1; RFC 7045; RFC 9098")                                                      \
	X(BAD_TCP_CSUM, bad_tcp_csum, COUNT, "The TCP checksum is wrong.",                         \
	  "The checksum over pseudo-header, header and payload does not match. Not checked "       \
	  "unless asked for.",                                                                     \
	  "Checksum offload: segments of the same host are seen before the card fills the "        \
	  "checksum in.",                                                                          \
	  "RFC 9293 3.1; checked too by Suricata, Zeek, Snort and conntrack")                      \
	X(BAD_IP_CSUM, bad_ip_csum, COUNT, "The IPv4 header checksum is wrong.",                   \
	  "The checksum over the IPv4 header does not match. Not checked unless asked for.",       \
	  "Checksum offload: packets of the same host are seen before the card fills the "         \
	  "checksum in.",                                                                          \
	  "RFC 791 3.1; checked too by Suricata, Zeek and Snort")                                  \
	X(SYN_RETRANSMIT, syn_retransmit, PASS, "The opener repeated its SYN.",                    \
	  "A SYN with an ISN that is already remembered for the attempt.",                         \
	  "Ordinary loss or a slow server; many of them point to a filter that drops silently "    \
	  "or to a full listen queue.",                                                            \
	  "RFC 9293 3.8.1; RFC 6298")                                                              \
	X(SYNACK_RETRANSMIT, synack_retransmit, PASS, "The responder repeated its SYN-ACK.",       \
	  "A SYN-ACK with an ISN of the responder that is already remembered for the attempt.",    \
	  "Ordinary: a lost ACK, TCP_DEFER_ACCEPT or a full accept queue, also after the "         \
	  "handshake has completed.",                                                              \
	  "RFC 9293 3.8.1; RFC 6298")                                                              \
	X(SYN_ISN_CHANGED, syn_isn_changed, COUNT,                                                 \
	  "A new SYN of the opener has another ISN while its older one is unanswered.",            \
	  "A SYN from the opener in SYN-SENT or SYN-RECEIVED whose ISN is not among those "        \
	  "remembered. It opens another attempt; the older ISN stays answerable.",                 \
	  "A reboot, or a NAT that used the port again for another client.",                       \
	  "RFC 9293 3.5 (old duplicate SYN); Suricata SYN_RESEND_DIFF_SEQ; Zeek SYN_seq_jump; "    \
	  "Snort bad_syn_seq")                                                                     \
	X(SYNACK_ISN_CHANGED, synack_isn_changed, COUNT,                                           \
	  "A valid SYN-ACK has another ISN than the one before.",                                  \
	  "A SYN-ACK that acknowledges the SYN, but whose own ISN is not among those "             \
	  "remembered.",                                                                           \
	  "SYN cookies change with time and with each SYN; anycast and load balancers may let "    \
	  "two servers answer.",                                                                   \
	  "RFC 4987 3.6; Suricata SYNACK_RESEND_WITH_DIFF_SEQ")                                    \
	X(SYNACK_BAD_ACK, synack_bad_ack, COUNT, "A SYN-ACK does not acknowledge the SYN.",        \
	  "In SYN-SENT, a SYN-ACK whose acknowledgement fits no remembered ISN of the opener, "    \
	  "with none, some or all of that SYN's data.",                                            \
	  "A server, or what guards it, challenges its client like this: the RST is the proof, "   \
	  "and who drops the question locks the client out. Or an answer to an older SYN that "    \
	  "is no longer remembered.",                                                              \
	  "RFC 9293 3.10.7.3; Suricata 3WHS_SYNACK_WITH_WRONG_ACK; Zeek bad_SYN_ack; conntrack "   \
	  "INVALID")                                                                               \
	X(RESP_SEGMENT_IN_SYN_SENT, resp_segment_in_syn_sent, PASS,                                \
	  "The responder answered a SYN with a segment that is neither SYN-ACK nor RST.",          \
	  "In SYN-SENT, a segment from the responder with ACK, without SYN and without RST.",      \
	  "A challenge ACK of a host that still holds an older connection: dropping it would "     \
	  "break port reuse and recovery after a reboot.",                                         \
	  "RFC 9293 3.5.1; RFC 5961 4.2; conntrack ignores it")                                    \
	X(RST_NOT_ACKING_SYN, rst_not_acking_syn, COUNT,                                           \
	  "A reset of an unanswered SYN does not acknowledge it.",                                 \
	  "In SYN-SENT, a RST from the responder's side without ACK or with an acknowledgement "   \
	  "that fits no remembered SYN.",                                                          \
	  "Broken middleboxes, and those that challenge a client by a RST which they expect it "   \
	  "to ignore. A correct client does ignore it.",                                           \
	  "RFC 9293 3.10.7.3; RFC 5961 3; Snort 129:15; Suricata RST_INVALID_ACK")                 \
	X(FINAL_ACK_BAD, final_ack_bad, DROP_SYM,                                                  \
	  "The opener's ACK acknowledges something that the responder never sent.",                \
	  "In SYN-RECEIVED, an ACK from the opener whose acknowledgement is, for every "           \
	  "remembered ISN of the responder, outside the range from that ISN + 1 to the end of "    \
	  "all that the responder has sent.",                                                      \
	  "A SYN-ACK that did not pass here, or a SYN proxy that rewrites one direction only. "    \
	  "Otherwise a forged completion or a guess at a cookie.",                                 \
	  "RFC 9293 3.10.7.4; RFC 4987; Suricata RIGHT_SEQ_WRONG_ACK_EVASION")                     \
	X(FINAL_ACK_BAD_SEQ, final_ack_bad_seq, STRICT,                                            \
	  "The opener's ACK acknowledges the SYN-ACK from a sequence number outside the "          \
	  "window.",                                                                               \
	  "In SYN-RECEIVED, an ACK from the opener with the right acknowledgement but a "          \
	  "sequence number outside the SYN-ACK's window from the opener's ISN + 1.",               \
	  "Keepalives, which use the sequence number of the SYN, and late retransmissions.",       \
	  "RFC 9293 3.10.7.4; RFC 5961 5; Linux answers with a challenge ACK")                     \
	X(RST_BAD_SEQ, rst_bad_seq, DROP_SYM,                                                      \
	  "A reset during the handshake lies outside the window, or not where it should.",         \
	  "In SYN-RECEIVED, a RST from the opener whose sequence number is neither its ISN nor "   \
	  "what it sends next (the ISN + 1, and + the SYN's data), or one from the responder "     \
	  "with neither a sequence number in the window nor an acknowledgement that fits the "     \
	  "SYN. One from the opener inside the SYN-ACK's window is counted, takes effect, and "    \
	  "is never dropped.",                                                                     \
	  "A reset for an older use of the same ports. A correct receiver ignores it.",            \
	  "RFC 9293 3.10.7.4; RFC 5961 3.2; Snort 129:15; conntrack INVALID")                      \
	X(SYN_ON_ESTABLISHED, syn_on_established, COUNT,                                           \
	  "A SYN arrived on a connection that is established.",                                    \
	  "A SYN without ACK, of any sequence number, on the 5-tuple of an established "           \
	  "connection. The connection's entry changes only when a SYN-ACK acknowledges the new "   \
	  "SYN.",                                                                                  \
	  "A client that rebooted, or a NAT that used the port again. The host answers with a "    \
	  "challenge ACK.",                                                                        \
	  "RFC 5961 4.2; RFC 9293 3.10.7.4; Snort 129:1; Suricata EST_SYN_RESEND; Zeek "           \
	  "active_connection_reuse; conntrack ignores it")                                         \
	X(SYN_REUSE, syn_reuse, PASS, "A SYN reuses the 5-tuple of a connection that has ended.",  \
	  "A SYN without ACK after the connection on its 5-tuple ended by FIN or RST. It opens "   \
	  "a new attempt.",                                                                        \
	  "Ordinary: ports are used again, also out of TIME-WAIT.",                                \
	  "RFC 1122 4.2.2.13; RFC 6191; Zeek premature_connection_reuse; Suricata "                \
	  "SHUTDOWN_SYN_RESEND")                                                                   \
	X(SYNACK_FROM_ORIGINATOR, synack_from_originator, STRICT,                                  \
	  "The end that sent the SYN now sends a SYN-ACK.",                                        \
	  "A SYN-ACK from the opener, without a SYN of the other end having crossed its own.",     \
	  "The crossed SYN of a simultaneous open may have been lost or have taken another "       \
	  "path.",                                                                                 \
	  "RFC 9293 3.5; Suricata SYNACK_IN_WRONG_DIRECTION; conntrack INVALID")                   \
	X(SYN_FROM_RESPONDER, syn_from_responder, COUNT, "The responder sent a SYN of its own.",   \
	  "A SYN without ACK from the responder in SYN-RECEIVED or on an established "             \
	  "connection.",                                                                           \
	  "The 5-tuple is used again with the roles swapped.",                                     \
	  "RFC 9293 3.10.7.4; Suricata SYN_TOCLIENT; conntrack INVALID")                           \
	X(SIMULTANEOUS_OPEN, simultaneous_open, STRICT, "Two SYNs crossed each other.",            \
	  "In SYN-SENT, a SYN without ACK from the other end. Not where both came in and this "    \
	  "host is one of the ends, since then one of them was forged; and where both came in "    \
	  "by one interface, or the first one is beside another attempt of the same flow, "        \
	  "nothing is dropped for it.",                                                            \
	  "Legal, and what peer-to-peer hole punching relies on. A split handshake looks the "     \
	  "same.",                                                                                 \
	  "RFC 9293 3.5; Snort 129:13; Suricata 4WHS; Zeek simultaneous_open; conntrack "          \
	  "SYN_SENT2")                                                                             \
	X(SIMOPEN_BAD_ACK, simopen_bad_ack, DROP_SYM,                                              \
	  "In a simultaneous open, an end acknowledges something other than the crossed SYN.",     \
	  "After crossed SYNs, an acknowledgement that is not the other end's ISN + 1.",           \
	  "A segment of an older use of the same ports.",                                          \
	  "RFC 9293 3.10.7.4; Suricata 4WHS_SYNACK_WITH_WRONG_ACK")                                \
	X(UNSOLICITED_SYNACK, unsolicited_synack, STRICT,                                          \
	  "A SYN-ACK arrived for which no SYN is known.",                                          \
	  "A SYN-ACK without an entry for its flow.",                                              \
	  "The first moments after attaching, an evicted entry, or a SYN that took another "       \
	  "path.",                                                                                 \
	  "RFC 9293 3.10.7.1; Zeek unsolicited_SYN_response; conntrack INVALID; nmap SYN-ACK "     \
	  "probes")                                                                                \
	X(MIDSTREAM, midstream, STRICT,                                                            \
	  "A segment arrived from the middle of a connection that is not known.",                  \
	  "A segment with ACK, with or without FIN or data, without SYN and RST, and without "     \
	  "an entry for its flow. Under strict rules also a RST that answers one which passed "    \
	  "because it was repeated.",                                                              \
	  "Connections older than the attach, evicted entries, route changes. ACK, window and "    \
	  "Maimon scans (nmap -sA, -sW, -sM) are the same on the wire.",                           \
	  "RFC 9293 3.10.7.1; Snort 129:20; Suricata FIN_BUT_NO_SESSION; conntrack "               \
	  "nf_conntrack_tcp_loose=0")                                                              \
	X(RST_NO_SESSION, rst_no_session, PASS, "A reset arrived for a flow that is not known.",   \
	  "RST set, without an entry for its flow.",                                               \
	  "Backscatter of floods that spoof your addresses, and resets that come late.",           \
	  "RFC 9293 3.10.7.1; Zeek spontaneous_RST; Suricata RST_BUT_NO_SESSION")                  \
	X(RESP_DATA_BEFORE_FINAL_ACK, resp_data_before_final_ack, STRICT,                          \
	  "The responder sent data or a FIN before the opener's ACK.",                             \
	  "In SYN-RECEIVED, payload or FIN from the responder in a segment without SYN, "          \
	  "although the SYN had no Fast Open option.",                                             \
	  "Two receive queues that put the ACK behind the data. Otherwise injection: some "        \
	  "inspectors miss such data.",                                                            \
	  "RFC 9293 3.10.7; CVE-2018-6794; Suricata 3WHS_ACK_DATA_INJECT")                         \
	X(COMPLETED_AFTER_RST, completed_after_rst, COUNT,                                         \
	  "The handshake completed although a valid reset had been seen.",                         \
	  "A valid completion after a RST that was accepted as the end of the attempt "            \
	  "(rejected, cancelled or aborted).",                                                     \
	  "Either the reset was injected, or the one that it was meant for never got it.",         \
	  "RFC 5961 3; Suricata SUSPECTED_RST_INJECT")                                             \
	X(FIN_IN_HANDSHAKE, fin_in_handshake, COUNT,                                               \
	  "A FIN arrived before the handshake was complete.",                                      \
	  "FIN with ACK, from either end, before a valid completion. A FIN without ACK is "        \
	  "flags_fin_noack or flags_xmas.",                                                        \
	  "Very short connections whose ACK was lost or put behind the FIN; Fast Open.",           \
	  "RFC 9293 3.6, 3.10.7.4; Zeek inappropriate_FIN; conntrack INVALID")                     \
	X(MARTIAN_SOURCE, martian_source, DROP,                                                    \
	  "A segment comes in whose source is an address of this host.",                           \
	  "A SYN-ACK, RST or ACK that an interface receives from an address that is this "         \
	  "host's own, or a SYN from there that would cross one of the other end; and that is "    \
	  "neither for a connection that the host has with another "                               \
	  "one under that address nor one that it would send there. It is never followed, and "    \
	  "dropped only if it is for this host. Not looked for on a live connection, which only "  \
	  "a FIN, RST or SYN can change.",                                                         \
	  "A mirror port that shows the host its own traffic; a bridge behind which another host " \
	  "has the same address. The kernel drops what is for itself, unless "                     \
	  "net.ipv4.conf.*.accept_local lets it in.",                                              \
	  "RFC 1812 5.3.7; RFC 2827; the kernel's martian source")                                 \
	X(WRONG_SIDE, wrong_side, COUNT,                                                           \
	  "A segment comes in by the interface behind which the other end of its handshake is.",   \
	  "A segment of the responder comes in by the interface by which the SYN came in, or one " \
	  "of the opener by that by which the SYN left. It is not followed: it completes, "        \
	  "rejects and ends nothing. Not where the routes to both ends lead to that interface, "   \
	  "nor where nothing is forwarded to, as on a mirror port.",                               \
	  "Two equal links, or something before the kernel that sends SYNs back (see hairpin in "  \
	  "the policy). Otherwise somebody who spoofs both ends.",                                 \
	  "RFC 2827; RFC 3704")                                                                    \
	X(SYN_FLOOD, syn_flood, COUNT,                                                             \
	  "A destination receives unfinished handshakes faster than its threshold.",               \
	  "The rate of unfinished attempts to one destination is over its threshold. SYN "         \
	  "cookies or drops are opt-in.",                                                          \
	  "Flash crowds, and a service that restarts under load.",                                 \
	  "RFC 4987; Suricata 3WHS_SYN_FLOOD (of one flow)")                                       \
	X(HALF_OPEN_PRESSURE, half_open_pressure, COUNT,                                           \
	  "A destination has more unfinished handshakes than its threshold.",                      \
	  "The number of unfinished attempts to one destination is over its threshold. SYN "       \
	  "cookies or drops are opt-in.",                                                          \
	  "Flash crowds, a return path that loses SYN-ACKs, and many clients behind one NAT.",     \
	  "RFC 4987")                                                                              \
	X(SCAN, scan, COUNT, "A source has more failed attempts than its threshold.",              \
	  "For one source, rejected, no_response and aborted_orig outcomes together are over "     \
	  "the threshold.",                                                                        \
	  "Resolvers, health checks, monitoring, and many clients behind one NAT.",                \
	  "Zeek and Snort port scan detection; nmap -sS, -sT")

enum sw_anomaly {
#define X(id, name, action, meaning, condition, false_positives, reference) SW_ANOMALY_##id,
	SW_ANOMALIES(X)
#undef X
		SW_ANOMALY_COUNT
};

SW_STATIC_ASSERT(SW_ANOMALY_COUNT <= 64, "a set of anomalies is one __u64");

#define SW_BIT(id) (1ULL << SW_ANOMALY_##id)

/* One term for each row: its bit if the row has the wanted default, else 0. */
#define SW_TERM_IF(wanted, id, action)                                                             \
	| ((unsigned long long)(SW_ACTION_##action == SW_ACTION_##wanted) << SW_ANOMALY_##id)
#define SW_TERM_DROP(id, name, action, ...)	SW_TERM_IF(DROP, id, action)
#define SW_TERM_STRICT(id, name, action, ...)	SW_TERM_IF(STRICT, id, action)
#define SW_TERM_DROP_SYM(id, name, action, ...) SW_TERM_IF(DROP_SYM, id, action)

#define SW_MASK_DROP	 (0ULL SW_ANOMALIES(SW_TERM_DROP))
#define SW_MASK_STRICT	 (0ULL SW_ANOMALIES(SW_TERM_STRICT))
#define SW_MASK_DROP_SYM (0ULL SW_ANOMALIES(SW_TERM_DROP_SYM))

/* What a policy can be asked to drop without further ado: the score is about these. */
#define SW_MASK_SCORED (SW_MASK_DROP | SW_MASK_DROP_SYM | SW_MASK_STRICT)

/* Those that have their names already but that no program looks for yet; make-semantics holds it against bpf. */
#define SW_MASK_UNRAISED (SW_BIT(SYN_FLOOD) | SW_BIT(HALF_OPEN_PRESSURE) | SW_BIT(SCAN))

/* A first segment with one of these has the outcome illegal_first. */
#define SW_ILLEGAL_FLAGS                                                                           \
	(SW_BIT(FLAGS_NULL) | SW_BIT(FLAGS_XMAS) | SW_BIT(FLAGS_FIN_NOACK) |                       \
	 SW_BIT(FLAGS_NO_SYN_ACK_RST) | SW_BIT(FLAGS_SYN_FIN) | SW_BIT(FLAGS_SYN_RST) |            \
	 SW_BIT(FLAGS_FIN_RST))

/* A segment with one of these has the outcome undecodable. */
#define SW_UNDECODABLE                                                                             \
	(SW_BIT(TCP_SHORT) | SW_BIT(TCP_BAD_DOFF) | SW_BIT(TCP_DOFF_PAST_END) |                    \
	 SW_BIT(FRAG_TINY_FIRST))

#endif
