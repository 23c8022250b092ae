/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SYNWARD_OUTCOME_H
#define SYNWARD_OUTCOME_H

#include "base.h"

/*
 * How a handshake ended: X(ID, name, meaning, condition, caveat, reference).
 *
 * Each attempt has exactly one outcome. An attempt is a 5-tuple, the end that opened it (the
 * opener; the other end is the responder) and the opener's initial sequence number (ISN).
 * Sequence numbers compare modulo 2^32 and every range includes both of its ends. The texts are
 * what users read: keep them plain, and free of quotes and backslashes.
 */
#define SW_OUTCOMES(X)                                                                             \
	X(ACCEPTED, accepted,                                                                      \
	  "The three-way handshake completed with every sequence number right.",                   \
	  "A SYN; a SYN-ACK that acknowledges it, with none, some or all of its data; then "       \
	  "from the opener an ACK without SYN or RST whose acknowledgement is from the "           \
	  "responder's ISN + 1 up to the end of all that the responder has sent, and whose "       \
	  "sequence number is within the SYN-ACK's unscaled window from the opener's ISN + 1.",    \
	  "The stacks agreed; the application need not have accepted yet. SYN-ACKs repeated "      \
	  "after this point are normal: a lost ACK, TCP_DEFER_ACCEPT or a full accept queue.",     \
	  "RFC 9293 3.5; Zeek S1, S2, S3, SF, RSTO, RSTR (no final ACK needed); conntrack "        \
	  "ESTABLISHED, ASSURED; Suricata ESTABLISHED; Arkime tcpSynAckValidated")                 \
	X(ACCEPTED_SIMOPEN, accepted_simopen,                                                      \
	  "Both ends sent a SYN at the same time and the connection came up.",                     \
	  "A SYN crossed by a SYN from the other end, after which each ISN was acknowledged by "   \
	  "the end that received it.",                                                             \
	  "A server that answers a SYN with a bare SYN (a split handshake) looks the same. "       \
	  "Legal, and used by peer-to-peer hole punching.",                                        \
	  "RFC 9293 3.5 (simultaneous connection synchronization); Zeek two records; conntrack "   \
	  "SYN_SENT2, then SYN_RECV; Suricata 4WHS; Snort 129:13")                                 \
	X(REJECTED, rejected,                                                                      \
	  "The responder's side refused the connection, in answer to this very SYN.",              \
	  "A RST with ACK that acknowledges the SYN, with none, some or all of its data, or an "   \
	  "ICMP destination-unreachable error that quotes the SYN with its sequence number "       \
	  "(reason icmp); no valid completion afterwards.",                                        \
	  "A closed port and a firewall that answers with RST look the same, and anyone on the "   \
	  "path who saw the SYN can forge either answer. If the handshake completes after all, "   \
	  "the outcome is accepted and completed_after_rst is counted.",                           \
	  "RFC 9293 3.5.2, 3.10.7.3; RFC 1122 4.2.3.9; Zeek REJ (any RST); conntrack CLOSE")       \
	X(REJECTED_UNVERIFIED, rejected_unverified,                                                \
	  "Only resets that do not acknowledge the SYN came back.",                                \
	  "From the responder's side, at least one RST without ACK or with an acknowledgement "    \
	  "that does not fit the SYN; no valid answer.",                                           \
	  "A correct client ignores such a RST and retries, so for it this ends as a timeout. "    \
	  "Blind resets and broken middleboxes both cause it.",                                    \
	  "RFC 9293 3.10.7.3; RFC 5961 3; Zeek REJ; conntrack CLOSE")                              \
	X(NO_RESPONSE, no_response, "Nothing ever came back for the SYN.",                         \
	  "One or more SYNs of the same ISN and no other segment of either end until the "         \
	  "SYN-SENT timeout.",                                                                     \
	  "A filter that drops silently, a dead host, a full listen queue and answers that "       \
	  "take another path all look the same.",                                                  \
	  "RFC 9293 3.10.7.3, 3.8.3; Zeek S0; conntrack SYN_SENT timeout")                         \
	X(HALF_OPEN, half_open,                                                                    \
	  "The responder answered, but the opener never completed or aborted the handshake.",      \
	  "A SYN, a valid SYN-ACK, then no valid final ACK and no valid RST until the "            \
	  "SYN-RECEIVED timeout.",                                                                 \
	  "SYN floods from spoofed sources end like this, and so do clients that vanish and "      \
	  "paths that lose the SYN-ACK or the ACK.",                                               \
	  "RFC 4987; Zeek S1 with history Sh; conntrack SYN_RECV timeout")                         \
	X(ABORTED_ORIG, aborted_orig,                                                              \
	  "The opener reset the connection after the SYN-ACK and before its own ACK.",             \
	  "A SYN, a valid SYN-ACK, then a valid RST from the opener instead of the final ACK.",    \
	  "The trace that a half-open port scan (nmap -sS) leaves on an open port. A client "      \
	  "that gave up, a host whose address was spoofed and some health checks leave the "       \
	  "same one.",                                                                             \
	  "RFC 9293 3.5.3; Zeek RSTO with history ShR; conntrack CLOSE")                           \
	X(ABORTED_RESP, aborted_resp, "The responder reset the connection after its own SYN-ACK.", \
	  "A SYN, a valid SYN-ACK, then a valid RST from the responder before the final ACK.",     \
	  "A listener that closed in between, or a middlebox that resets in the server's name.",   \
	  "RFC 9293 3.5.3; Zeek RSTR with history Shr; conntrack CLOSE")                           \
	X(CANCELLED, cancelled, "The opener took its own SYN back before any answer.",             \
	  "A SYN, then a RST from the same end with the sequence number of the SYN or one "        \
	  "more; never completed.",                                                                \
	  "Such a RST may also be the opener's correct reply to a stray segment that the "         \
	  "responder sent, and its retried SYN may still succeed: only the end of the attempt "    \
	  "tells.",                                                                                \
	  "RFC 9293 3.5.1, 3.10.7.3; Zeek RSTOS0; conntrack CLOSE")                                \
	X(FIN_IN_HANDSHAKE, fin_in_handshake,                                                      \
	  "One end closed with a FIN before the handshake was complete, and it never "             \
	  "completed.",                                                                            \
	  "A SYN, then a FIN from either end before a valid completion, and none afterwards.",     \
	  "Capture loss or a route on which only some segments pass here can hide the "            \
	  "completion.",                                                                           \
	  "RFC 9293 3.6; Zeek SH, SHR; conntrack INVALID")                                         \
	X(ONE_SIDED, one_sided,                                                                    \
	  "The opener went on as if connected, but the responder was never seen.",                 \
	  "A SYN, then an ACK or data from its sender, without any segment of the responder.",     \
	  "Almost always a return path that does not pass here (asymmetric routing, direct "       \
	  "server return), not an attack.",                                                        \
	  "RFC 9293 3.5; Zeek S0, SH with history SAD; conntrack SYN_SENT")                        \
	X(RESP_NO_SYNACK, resp_no_synack,                                                          \
	  "The responder answered the SYN with neither a SYN-ACK nor a RST.",                      \
	  "A SYN, then from the responder only segments without SYN and without RST until the "    \
	  "SYN-SENT timeout.",                                                                     \
	  "Usually a challenge ACK: the responder still holds an older connection on the same "    \
	  "ports.",                                                                                \
	  "RFC 9293 3.5.1; RFC 5961 4.2; Zeek S0 with history Sa; conntrack SYN_SENT, segment "    \
	  "ignored")                                                                               \
	X(BAD_SYNACK, bad_synack, "SYN-ACKs came back, but none of them acknowledged the SYN.",    \
	  "A SYN, then from the responder one or more SYN-ACKs, each with an acknowledgement "     \
	  "that fits no remembered ISN of the opener, and no valid one.",                          \
	  "An answer to an older SYN whose ISN is no longer remembered looks the same; so do "     \
	  "forgeries and SYN proxies that were set up on one direction only.",                     \
	  "RFC 9293 3.10.7.3; Zeek S1 with weird bad_SYN_ack; conntrack INVALID; Suricata "        \
	  "3WHS_SYNACK_WITH_WRONG_ACK")                                                            \
	X(UNSOLICITED_SYNACK, unsolicited_synack,                                                  \
	  "A SYN-ACK arrived for a SYN that was never seen, and nothing completed it.",            \
	  "The first segment seen is a SYN-ACK, and no matching ACK of the other end follows.",    \
	  "Backscatter of a flood that spoofs your addresses, SYN-ACK scans, and real "            \
	  "connections whose SYN took another path all look the same.",                            \
	  "RFC 9293 3.10.7.1; Zeek OTH, RSTRH, SHR; conntrack INVALID")                            \
	X(SYNACK_PICKUP, synack_pickup, "A handshake whose SYN was not seen was completed.",       \
	  "The first segment seen is a SYN-ACK, then comes an ACK of the other end that "          \
	  "matches it.",                                                                           \
	  "Expected just after attaching, and where the SYN takes another path. Without the "      \
	  "SYN, its side of the numbers rests on the SYN-ACK's word.",                             \
	  "RFC 9293 3.5; Zeek history ^h; conntrack INVALID")                                      \
	X(MIDSTREAM, midstream, "The first segment seen of the flow belongs to no handshake.",     \
	  "The first segment seen has no SYN, is otherwise legal, and no connection is known "     \
	  "for it.",                                                                               \
	  "Connections older than the attach, route changes and evicted entries are the usual "    \
	  "causes. ACK, window and Maimon scans are the same on the wire.",                        \
	  "RFC 9293 3.10.7.1, 3.10.7.2; Zeek OTH; conntrack ESTABLISHED "                          \
	  "(nf_conntrack_tcp_loose=1)")                                                            \
	X(ILLEGAL_FIRST, illegal_first,                                                            \
	  "The first segment seen has a combination of flags that no stack sends.",                \
	  "The first segment seen shows one of the illegal-flag anomalies: flags_null, "           \
	  "flags_xmas, flags_fin_noack, flags_no_syn_ack_rst, flags_syn_fin, flags_syn_rst or "    \
	  "flags_fin_rst.",                                                                        \
	  "Nearly always a scan or fingerprinting; damaged packets are the rare exception.",       \
	  "RFC 9293 3.10.7; Zeek OTH; conntrack INVALID")                                          \
	X(UNDECODABLE, undecodable,                                                                \
	  "The TCP header cannot be used, so the segment belongs to no handshake.",                \
	  "The segment shows tcp_short, tcp_bad_doff, tcp_doff_past_end or frag_tiny_first.",      \
	  "Counted once for each flow, apart from what else the flow shows.",                      \
	  "RFC 9293 3.1; RFC 1858; Zeek OTH; conntrack INVALID")

enum sw_outcome {
#define X(id, name, meaning, condition, caveat, reference) SW_OUTCOME_##id,
	SW_OUTCOMES(X)
#undef X
		SW_OUTCOME_COUNT
};

SW_STATIC_ASSERT(SW_OUTCOME_COUNT == 18, "an outcome was added or lost: see SW_ABI_VERSION");

#endif
