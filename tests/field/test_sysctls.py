# SPDX-License-Identifier: GPL-2.0-or-later
"""The flood defence in the field: somebody sets what its answers go by, while it is on."""

import contextlib

from cells import DEGRADED
from places import Wire


SYSCTLS = ("tcp_timestamps", "tcp_sack", "tcp_window_scaling", "tcp_syncookies")


class Off(Wire):
    """Clients come while some are off."""

    codes = (0, DEGRADED)  # it may be told, though nobody is harmed by it
    sysctls = SYSCTLS

    def set_all(self, value):
        for name in self.sysctls:
            self.far.namespace.sysctl(f"net.ipv4.{name}", value)

    @contextlib.contextmanager
    def changed(self):
        self.set_all(0)
        try:
            yield
        finally:
            self.set_all(1)


class OnAgain(Off):
    """Clients come when all are as they were."""

    @contextlib.contextmanager
    def changed(self):
        with super().changed():
            pass
        yield


def off(name):
    return type("Off", (Off,), {"sysctls": (name,)})


SETUPS = {
    **{f"{name}=0 after the attach": off(name) for name in SYSCTLS},
    "all of these, put back": OnAgain,
}


def test_clients_get_in(trial):
    trial()
