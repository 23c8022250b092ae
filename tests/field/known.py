# SPDX-License-Identifier: GPL-2.0-or-later
"""
What is known to be wrong: set-up and column, and why. Whoever mends one of them takes its line out; until
then its test may fail.
"""

from cells import ADAPTIVE, ALWAYS

BOTH = (ADAPTIVE, ALWAYS)

WRONG = (
    ("veth whose other end has no NAPI", BOTH, "what XDP sends back never arrives"),
    ("conntrack, not loose", BOTH,
     "the firewall has not seen the SYN of a connection that is handed over"),
    ("a new connection that is no SYN is dropped", BOTH, "what is handed over is no SYN"),
    ("gateway, clients with conntrack", BOTH,
     "the challenge is no part of a connection, so nothing answers it"),
)
KNOWN = {(setup, column): why for setup, columns, why in WRONG for column in columns}
