# SPDX-License-Identifier: GPL-2.0-or-later
"""
By the way `kernel`, a listener that has just begun honours no cookie, until it has sent one itself
(tcp_synq_no_recent_overflow() in include/net/tcp.h): nobody is answered for it before that.
"""

import pytest

import tcp
from defended import Yard
from floods import UNHEARD

SYNCOOKIES = "net.ipv4.tcp_syncookies"


@pytest.mark.parametrize("value, policy", ((2, ""), (1, UNHEARD)), ids=("as it was", "unheard, and 1 now"))
def test_a_listener_that_is_restarted(lab, wire, synward, family, tmp_path, value, policy):
    far = wire[1]
    far.namespace.sysctl(SYNCOOKIES, 2)
    yard = Yard(lab, wire, family, synward, tmp_path, policy=policy, way="kernel")
    yard.talks()
    yard.server.close()
    far.namespace.sysctl(SYNCOOKIES, value)
    yard.server = lab.enter_context(tcp.listener(far, family))
    assert yard.check()["times"] == 0  # which takes longer than a tick, as any restart does
    yard.talks()
    assert yard.check()["times"] == 0
