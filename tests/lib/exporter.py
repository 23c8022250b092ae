# SPDX-License-Identifier: GPL-2.0-or-later
"""The exporter at work, and who asks it: by hand, so that anything can be asked."""

import dataclasses
import os
import pathlib
import re
import select
import socket
import subprocess
import tempfile

from cli import BUILD
from net import Failed, wait_for

PROGRAM = pathlib.Path(os.environ.get("SYNWARD_EXPORTER", BUILD / "synward-exporter"))
ANY_PORTS = ("--listen", "127.0.0.1:0", "--listen", "[::1]:0")
SERVING = re.compile(r"serving http://(.*):(\d+)/")
HOST = "Host: localhost\r\n"


@dataclasses.dataclass
class Answer:
    code: int
    fields: dict  # by name, in lower case
    body: str

    @property
    def form(self):
        return self.fields.get("content-type", "")


def parse(text):
    """What one connection has answered, or None if it said nothing."""
    if not text:
        return None
    head, _, body = text.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    return Answer(int(first.split()[1]), {name.lower(): value for name, value in fields.items()}, body)


def said(peer):
    """All that comes until the other side has ended; what a reset cut off is lost, and is no failure."""
    parts = []
    try:
        while part := peer.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


class Exporter:
    """The program, run by somebody: setpriv and its options, or nobody else than the test."""

    def __init__(self, lab, environment, *options, who=(), program=PROGRAM, listen=ANY_PORTS):
        self.log = lab.enter_context(tempfile.TemporaryFile("w+"))
        self.process = lab.process((*who, program, *listen, *options), env=environment, cwd="/",
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)
        # it notes whether it can read when it listens everywhere
        wait_for(lambda: "be read" in self.heard(), lambda: f"the exporter to serve: {self.heard()}")
        self.ports = [int(port) for _, port in SERVING.findall(self.heard())]

    def heard(self):
        """All that it has said on stderr until now."""
        self.log.seek(0)
        text = self.log.read()
        if self.process.poll() is not None:
            raise Failed(f"the exporter has ended: {text}")
        return text

    def status(self, name):
        """A line of /proc/PID/status."""
        text = pathlib.Path("/proc", str(self.process.pid), "status").read_text()
        return re.search(rf"^{name}:\s*(.*)$", text, re.M)[1]

    def peak_kib(self):
        return int(self.status("VmHWM").split()[0])

    def descriptors(self):
        return len(list(pathlib.Path("/proc", str(self.process.pid), "fd").iterdir()))

    def connect(self, family=socket.AF_INET, room=None):
        peer = socket.socket(family, socket.SOCK_STREAM)
        peer.settimeout(60)
        if room:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        is_v4 = family == socket.AF_INET
        peer.connect(("127.0.0.1" if is_v4 else "::1", self.ports[0 if is_v4 else 1]))
        return peer

    def say_raw(self, text, family=socket.AF_INET):
        """Sends bytes, or text, and returns all bytes that come back."""
        with self.connect(family) as peer:
            try:
                peer.sendall(text if isinstance(text, bytes) else text.encode())
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has heard enough
            return said(peer)

    def say(self, text, family=socket.AF_INET):
        """The same, and returns what is answered."""
        return parse(self.say_raw(text, family))

    def ask(self, target, *, method="GET", accept=None, more="", host=HOST, family=socket.AF_INET):
        wanted = f"Accept: {accept}\r\n" if accept else ""
        return self.say(f"{method} {target} HTTP/1.1\r\n{host}{wanted}{more}\r\n", family)

    def metrics(self):
        """{name with its labels: value}"""
        lines = self.ask("/metrics").body.splitlines()
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}

    def why_down(self):
        """The reason, or None if it is up."""
        found = self.metrics()
        reasons = [re.search('"(.*)"', name)[1] for name, value in found.items()
                   if name.startswith("synward_down_reason") and value]
        assert found["synward_up"] == (not reasons) and len(reasons) < 2, found
        return reasons[0] if reasons else None

    def end(self):
        """By SIGTERM; its exit code, and what it printed."""
        self.process.terminate()
        printed, _ = self.process.communicate(timeout=60)
        return self.process.returncode, printed


def silent(peer):
    """Has nothing come yet?"""
    return not select.select([peer], [], [], 0)[0]

