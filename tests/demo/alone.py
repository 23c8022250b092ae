# SPDX-License-Identifier: GPL-2.0-or-later
"""
The beginning of the demo: the flood on a server that has no synward yet, and clients who want to get in. First
the kernel has no SYN cookies, either: its queue is soon full, and stays so. Then it has, and that helps, too.
"""

from flood import spoof
from net import Failed
from visitors import Visitors, serve

SYNCOOKIES = "net.ipv4.tcp_syncookies"
SYN_QUEUE = 1024  # a stranger's SYN finds it full when three quarters are


class Alone:
    def __init__(self, screen, near, far, crowd):
        self.screen, self.near, self.far, self.crowd = screen, near, far, crowd

    def flood(self, cookies, sign, text):
        """
        How many get in. cookies: net.ipv4.tcp_syncookies; sign: what the kernel counts if it does as
        we say that it does.
        """
        space = self.far.namespace
        space.sysctl(SYNCOOKIES, cookies)
        before = space.counter("TcpExt", sign)
        with serve(self.far), Visitors(self.screen, text, self.near, self.far, self.crowd) as visitors:
            spoof(self.near, self.far, visitors.behind)
            visitors.see_through()
        if space.counter("TcpExt", sign) == before:
            raise Failed(f"with {SYNCOOKIES} = {cookies} the kernel has counted no {sign}")
        return visitors.got_in

    def perform(self):
        self.far.namespace.sysctl("net.ipv4.tcp_max_syn_backlog", SYN_QUEUE)
        self.without_cookies = self.flood(0, "ListenDrops", "in, without cookies")
        self.with_cookies = self.flood(1, "SyncookiesSent", "in, kernel's cookies")
