# SPDX-License-Identifier: GPL-2.0-or-later
"""
What is known to be wrong: set-up and column, and why. Whoever mends one of them takes its line out; until
then its test fails, since it must be wrong.
"""

from cells import ADAPTIVE, ALWAYS

BOTH = (ADAPTIVE, ALWAYS)

WRONG = (
    ("veth whose other end has no NAPI", BOTH, "what XDP sends back never arrives"),
    ("MPTCP listener", BOTH, "its socket takes no handshake from us"),
    ("VLAN, offload on", BOTH, "the tag beside the frame is not sent back"),
    ("synward at both ends, challenge", BOTH, "the clients' end drops the challenge as a forgery"),
    ("guest on a bridge, nothing is forwarded", BOTH,
     "the guest's address is taken for the host's"),
    ("guest by macvlan", BOTH, "the guest's address is taken for the host's"),
    ("conntrack, not loose", BOTH,
     "the firewall has not seen the SYN of a connection that is handed over"),
    ("a new connection that is no SYN is dropped", BOTH, "what is handed over is no SYN"),
    ("gateway, clients with conntrack", BOTH,
     "the challenge is no part of a connection, so nothing answers it"),
    ("port that a firewall drops", BOTH, "it is answered before the firewall is asked"),
    ("DNAT to a container", BOTH, "the host answers for it"),
    ("DNAT to a container, host listens there, too", BOTH, "the host answers for it"),
    ("REDIRECT to another port", BOTH, "nobody listens on the port that is answered for"),
    ("REDIRECT from a port where somebody listens", BOTH,
     "another one listens on the port that is answered for"),
    ("direct server return, on the server", BOTH, "the answer leaves by the wire of the SYN"),
    ("another TCX program was first and ends the chain", BOTH, "the hand-over is behind it"),
    ("full accept queue, server speaks first", BOTH, "who finds no room believes to be connected"),
    ("nmap -sS", BOTH, "ports are answered for whatever is behind them"),
    ("nmap -sT", BOTH, "ports are answered for whatever is behind them"),
    ("closed port", BOTH, "it is answered though nobody listens"),
    ("listener for IPv6 only", BOTH, "IPv4 is answered though nobody listens"),
    ("masquerading gateway", BOTH, "answers to those behind it are taken for cookies"),
    ("masquerading gateway, many honest clients", (ADAPTIVE,),
     "they look unfinished, and then as above"),
    ("masquerading gateway, outer side only", BOTH,
     "connections older than the attach are taken for cookies"),
    ("forwarding, after the attach", BOTH,
     "addresses of others are taken for the router's until the next attach"),
    ("address that leaves for a host behind", BOTH,
     "it is taken for the router's until the next attach"),
    ("tcp_timestamps=0 after the attach", BOTH, "it is read again with the next attach"),
    ("tcp_sack=0 after the attach", BOTH, "it is read again with the next attach"),
    ("tcp_window_scaling=0 after the attach", BOTH, "it is read again with the next attach"),
    ("tcp_syncookies=0 after the attach", BOTH, "the listener takes no hand-over then"),
)
KNOWN = {(setup, column): why for setup, columns, why in WRONG for column in columns}
