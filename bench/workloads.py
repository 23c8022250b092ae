# SPDX-License-Identifier: GPL-2.0-or-later
"""
What a server that nobody attacks has to do, each by a tool that people know: iperf3, nginx and wrk. A
workload is given a settled stage and tells how many operations went a second, and what core time each
cost at the server's end: of its process, and of the thread that empties its queue.
"""

import contextlib
import json
import re
import resource
import shutil
import socket
import time

from stage import PORT, Failed, cpu_time_ns, own_directory, wait_for

TOOLS = ("iperf3", "nginx", "wrk")
MIB = 1 << 20
MESSAGE = 1400
CONNECTIONS = 32
IDLE = 10000

NGINX = """
daemon off; master_process off; user root; pid {directory}/pid; error_log stderr crit;
events {{ worker_connections 16384; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
    client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
    uwsgi_temp_path {directory}; scgi_temp_path {directory};
    server {{ listen {listen} backlog=4096; location / {{ return 200 "ok"; }} }}
}}
"""


def missing_tools():
    return [tool for tool in TOOLS if not shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin")]


def listens(stage):
    """Does anybody in the server's namespace listen on the port?"""
    return stage.victim.run("ss", "-Hltn", f"sport = :{PORT}").stdout.strip()


def started(stage, *argv, **options):
    server = stage.start(stage.victim, stage.cores.victim, *argv, **options)
    wait_for(lambda: server.poll() is not None or listens(stage), f"{argv[0]} to listen")
    if server.poll() is not None:
        raise Failed(f"{argv[0]}: {server.stderr.read().strip()}")
    return server


@contextlib.contextmanager
def costs(stage, server):
    """Yields a dictionary that has in the end what core time the server's end has had meanwhile."""
    found = {}

    def now():
        return cpu_time_ns(server.pid) + cpu_time_ns(stage.thread)

    before, began = now(), time.monotonic()
    yield found
    found["server_ns"], found["seconds"] = now() - before, time.monotonic() - began


def per_operation(count, found):
    if not count:
        raise Failed("not one operation came through")
    return {"per_s": count / found["seconds"], "server_ns": found["server_ns"] / count}


class Bulk:
    """One stream, as fast as it goes; an operation is a MiB."""

    unit = "MiB"

    def __init__(self, name, title, *options, size=MIB):
        self.name, self.title, self.options, self.size = name, title, options, size

    def run(self, stage, seconds):
        server = started(stage, "iperf3", "-s", "-p", PORT)
        with costs(stage, server) as found:
            done = stage.client.run("taskset", "-c", stage.cores.wire, "iperf3", "-c", stage.address, "-p",
                                    PORT, "-t", seconds, "-J", *self.options, check=False,
                                    seconds=seconds + 60)
        report = json.loads(done.stdout)
        if "error" in report:
            raise Failed(f"iperf3: {report['error']}")
        return per_operation(report["end"]["sum_received"]["bytes"] / self.size, found)


class Messages(Bulk):
    """Writes of 1,400 bytes that are sent at once; an operation is a message."""

    unit = "message"

    def __init__(self, name, title, *options):
        super().__init__(name, title, "-l", MESSAGE, "-N", *options, size=MESSAGE)


class Requests:
    """nginx, and wrk with 32 connections; an operation is a request."""

    unit = "request"

    def __init__(self, name, title, *options, idle=0):
        self.name, self.title, self.options, self.idle = name, title, options, idle

    def run(self, stage, seconds):
        directory = stage.enter_context(own_directory())
        path = directory / "nginx.conf"
        listen = f"{PORT}" if stage.family == 4 else f"[::]:{PORT}"
        path.write_text(NGINX.format(directory=directory, listen=listen))
        stage.client.sysctl("net.ipv4.ip_local_port_range", "1024 65535")
        server = started(stage, "/usr/sbin/nginx", "-c", path, "-e", "stderr")
        host = stage.address if stage.family == 4 else f"[{stage.address}]"
        with contextlib.ExitStack() as idle:
            for _ in range(self.idle):
                idle.enter_context(self.connection(stage))
            with costs(stage, server) as found:
                done = stage.client.run("taskset", "-c", stage.cores.wire, "wrk", "-t1", f"-c{CONNECTIONS}",
                                        f"-d{seconds}s", *self.options, f"http://{host}:{PORT}/",
                                        seconds=seconds + 60)
        count = re.search(r"(\d+) requests in", done.stdout)
        if not count:
            raise Failed(f"wrk: {done.stdout}{done.stderr}")
        return per_operation(int(count[1]), found)

    @staticmethod
    def connection(stage):
        family = socket.AF_INET if stage.family == 4 else socket.AF_INET6
        client = stage.client.socket(family)
        client.settimeout(20)
        client.connect((stage.address, PORT))
        return client


def many_files():
    """As many descriptors as this process, and what it starts, may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def built_in():
    return [Bulk("bulk-in", "a stream to the server"),
            Bulk("bulk-out", "a stream from the server", "-R"),
            Messages("messages-in", "messages of 1,400 bytes to the server"),
            Messages("messages-out", "messages of 1,400 bytes from the server", "-R"),
            Requests("kept", "requests on kept connections"),
            Requests("closed", "connect, request, close", "-H", "Connection: close"),
            Requests("idle", f"requests on kept connections beside {IDLE:,} idle ones", idle=IDLE)]
