# SPDX-License-Identifier: GPL-2.0-or-later
"""
One cell of the table: a set-up in a column. Honest clients come, each from an address of its own, since
who has proven himself passes for a while; and whoever was connected before goes on talking.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import errno
import json
import random
import time

from causes import FAMILIES
from floods import receive
from net import wait_for

WATCHING, ADAPTIVE, ALWAYS = COLUMNS = ("watching", "adaptive", "always")
GIVE_UP_SOON = 2  # seconds, where nobody is expected to get in, however busy the machine is
STEPS_ASIDE = 2  # seconds
DEGRADED = 3  # the exit code of `status`
OPTIONS = ("--handshakes", "8192", "--connections", "8192")

# What becomes of a client.
IN, REFUSED, SILENCE = "in", "refused", "timeout"
HANGS, RESET, CLOSED, GARBLED = "hangs", "reset", "closed", "garbled"


def remaining(deadline):
    return max(0.1, deadline - time.monotonic())


def visit(client, address, deadline, banner=b""):
    """A client connects, says something and hears it said back, or hears the banner. How that ends."""
    words, is_connected = banner or random.randbytes(8), False
    try:
        client.settimeout(remaining(deadline))
        client.connect(address)
        is_connected = True
        if not banner:
            client.sendall(words)
        client.settimeout(remaining(deadline))
        heard = receive(client, len(words))
    except ConnectionRefusedError:
        return REFUSED
    except ConnectionResetError:
        return RESET
    except TimeoutError:
        return HANGS if is_connected else SILENCE
    except OSError as error:
        return errno.errorcode[error.errno]
    return IN if heard == words else GARBLED if heard else CLOSED


class Live:
    """A connection that stays. What it says has to be heard, if late."""

    def __init__(self, client, address, deadline):
        self.client, self.unheard = client, 0
        self.became = visit(client, address, deadline)

    def talks(self, deadline):
        if self.became != IN:
            return False
        words = b"still there?"
        self.unheard += len(words)
        with contextlib.suppress(OSError):
            self.client.settimeout(remaining(deadline))
            self.client.sendall(words)
            while self.unheard and (heard := self.client.recv(self.unheard)):
                self.unheard -= len(heard)
        return not self.unheard


def at_once(tasks):
    """What each of them returns."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(tasks))) as pool:
        return [one.result() for one in [pool.submit(*task) for task in tasks]]


# ---- what synward says of it

def status(synward):
    """Its exit code, and what it says."""
    done = synward.run("-j", "status")
    return done.returncode, json.loads(done.stdout)


def self_check(synward, service):
    """What a service's defence has found out of itself; None if it does not look."""
    rows = status(synward)[1]["policy"]["services"]
    return next((row["flood"].get("self_check") for row in rows
                 if row["name"] == service and "flood" in row), None)


def stepped_aside(synward, service="web"):
    """Has a service's defence found out that it locks clients out, and stopped?"""
    found = self_check(synward, service)
    return bool(found and found["stepped_aside"])


@dataclasses.dataclass
class Cell:
    """What was seen."""

    expected: dict  # of each family
    counts: dict  # of each family, a Counter of what became of its clients
    lost: int = 0
    is_aside: bool = False
    is_told: bool = False  # the exit code of `status` is true

    @property
    def is_open(self):
        """Everybody fares as without synward."""
        return not self.lost and all(
            set(count) == {self.expected[family]} for family, count in self.counts.items())

    @property
    def is_right(self):
        return self.is_open and self.is_told

    def _of(self, family):
        count, expected = self.counts[family], self.expected[family]
        others = [name for name, _ in count.most_common() if name != expected]
        return " ".join([f"{count[expected]}/{count.total()}", *others[:1]])

    def __str__(self):
        found = map(self._of, self.counts)
        words = ["aside"] * self.is_aside + [", ".join(dict.fromkeys(found))]
        words += [f"lost {self.lost}"] * bool(self.lost) + ["!"] * (not self.is_told)
        return " ".join(words)


@dataclasses.dataclass
class Trial:
    """A set-up is put up in a column, and looked at."""

    place: object
    column: str
    synward: object
    directory: object

    def run(self):
        place = self.place
        with contextlib.ExitStack() as open_ones:
            lives = self.connect(open_ones, place.live)
            self.synward.attach(*place.ends, options=(*OPTIONS, *place.options))
            lives += self.connect(open_ones, place.live)
            assert {one.became for one in lives} <= {IN}, "nothing is defended yet"
            if self.column != WATCHING:
                place.apply(self)
                lives += place.strike(self, open_ones)
            with place.changed():
                return self._judge(lives)

    def connect(self, open_ones, count):
        """So many live connections of each family that gets in."""
        place, deadline = self.place, time.monotonic() + self.place.patience()
        return at_once([
            (Live, open_ones.enter_context(place.client(family)), place.address(family), deadline)
            for family in FAMILIES.values() if place.expects(family) == IN for _ in range(count)])

    def _judge(self, lives):
        cell = self._look(lives)
        if not cell.is_open and self._steps_aside():
            cell = self._look(lives)
        cell.is_aside = self._is_aside()
        code, _ = status(self.synward)
        harmless = cell.is_open and not cell.is_aside
        cell.is_told = code in self.place.codes if harmless else code == DEGRADED
        return cell

    def _look(self, lives):
        """How clients fare, while those who are in talk."""
        place, families = self.place, FAMILIES.values()
        deadline = time.monotonic() + place.patience()
        with contextlib.ExitStack() as open_ones:
            visits = [(place.visit, open_ones.enter_context(place.client(family)), family, deadline)
                      for family in families for _ in range(place.clients)]
            found = at_once(visits + [(one.talks, deadline) for one in lives])
        counts = {family: collections.Counter() for family in families}
        for (_, _, family, _), how in zip(visits, found):
            counts[family][how] += 1
        return Cell({family: place.expects(family) for family in families}, counts,
                    lost=found[len(visits):].count(False))

    def _is_aside(self):
        return stepped_aside(self.synward, self.place.service)

    def _steps_aside(self):
        """Waits for it, where that can be."""
        if self_check(self.synward, self.place.service):
            with contextlib.suppress(AssertionError):
                return wait_for(self._is_aside, "the defence to step aside", STEPS_ASIDE)
        return False
