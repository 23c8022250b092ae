# SPDX-License-Identifier: GPL-2.0-or-later
"""The exporter: as nobody it says what the commands say, whatever becomes of what it reads."""

import concurrent.futures
import contextlib
import dataclasses
import errno
import json
import pathlib
import shutil
import socket

import pytest

import confined
from causes import FAMILIES, Stage
from cli import BINARY, ROOT, Synward, fresh
from exporter import HOST, PROGRAM, Exporter, parse, said, silent
from identity import plant_identity
from net import End, Lab, run, wait_for
from policies import WEB, Files
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from readers import GROUP, READER, STRANGER, groups, with_groups

PEAK_KIB = 32 * 1024
SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
# As Prometheus asks.
SCRAPER = ("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
           "text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
UNIT = ROOT / "packaging" / "systemd" / "synward-exporter.service.in"
TRIES = """
import os, socket
for work in lambda: socket.socket(socket.AF_UNIX), lambda: os.setuid(1), lambda: socket.socket(socket.AF_INET):
    try:
        work()
    except OSError as error:
        print(error.errno)
"""
GET_METRICS = f"GET /metrics HTTP/1.1\r\n{HOST}\r\n".encode()
GET_EVENTS = f"GET /api/v1/events HTTP/1.1\r\n{HOST}\r\n".encode()
# {path: the command that says the same}
COMMANDS = {
    "/api/v1/status": ("status",),
    "/api/v1/stats": ("stats",),
    "/api/v1/handshakes?limit=3": ("list", "--limit", "3"),
    "/api/v1/top": ("top",),
    "/api/v1/top?view=services&by=syns": ("top", "services", "--by", "syns"),
    "/api/v1/top?view=anomalies&limit=1": ("top", "anomalies", "--limit", "1"),
    "/api/v1/policy": ("policy", "show"),
}


@dataclasses.dataclass
class Site:
    """An interface that is attached, and where nobody gets to: both programs."""

    lab: Lab
    synward: Synward
    near: End
    far: End
    programs: pathlib.Path

    def exporter(self, who=READER):
        return Exporter(self.lab, self.synward.environment(), who=who,
                        program=self.programs / PROGRAM.name)

    def command(self, *words):
        """What the command says to the same user: what may not be opened costs memory, too."""
        return run(*READER, self.programs / BINARY.name, *words, check=False, cwd="/",
                   env=self.synward.environment()).stdout


@contextlib.contextmanager
def site(pin_dir, directory):
    """With a group of readers, and a policy with a service."""
    programs = pathlib.Path("/run", pin_dir.name)
    programs.mkdir()
    for program in (PROGRAM, BINARY):
        shutil.copy(program, programs)
    with Lab() as lab, fresh(pin_dir, directory / "state") as synward:
        near, far = lab.wire(lab.namespace("client"), "c0", lab.namespace("server"), "s0")
        with_groups(synward, groups(directory, f"synward:x:{GROUP}:"), "attach", "s0",
                    namespace=far.namespace)
        synward.expect(0, "policy", "apply", Files(directory).services(
            f"name: web, ports: [{WEB}], syn_flood: adaptive"))
        yield Site(lab, synward, near, far, programs)
    shutil.rmtree(programs)


@pytest.fixture(scope="module")
def here(bpffs, tmp_path_factory):
    """One for all that leave it as it is."""
    with site(bpffs / "exported", tmp_path_factory.mktemp("exported")) as made:
        yield made


@pytest.fixture(scope="module")
def exporter(here):
    return here.exporter()


def without_times(value):
    """Of JSON: all but what goes on by itself."""
    if isinstance(value, dict):
        return {name: without_times(one) for name, one in value.items()
                if name != "timestamp" and not name.endswith("_ms")}
    return [without_times(one) for one in value] if isinstance(value, list) else value


def still(lines):
    """The metrics that do not go on by themselves."""
    return [line for line in lines if "flood_seconds" not in line]


def test_it_has_no_capability_and_needs_none(exporter, here):
    assert [int(exporter.status(name), 16) for name in SETS] == [0] * len(SETS)
    assert exporter.status("NoNewPrivs") == "1" and exporter.status("Uid").split() == ["65534"] * 4
    assert exporter.why_down() is None and exporter.ask("/readyz").body == "ready\n"
    of_root = here.exporter(who=())
    assert [int(of_root.status(name), 16) for name in (*SETS, "CapBnd")] == [0] * 5
    assert of_root.why_down() is None


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_it_says_what_the_commands_say(exporter, here, family):
    before = here.synward.stats()
    stage = Stage(here.near, here.far, family)
    stage.accepted(5)
    stage.half_open(4)

    def same_metrics():
        theirs = here.command("stats", "--prometheus").splitlines()
        ours = exporter.ask("/metrics").body.splitlines()
        begin = ours.index(theirs[0])
        return still(ours[begin:]) == still(theirs) and "synward_up 1" in ours[:begin]

    def same_json(path, words):
        answer = exporter.ask(path, family=socket.AF_INET6)
        assert (answer.code, answer.form) == (200, "application/json"), path
        return without_times(json.loads(answer.body)) == without_times(
            json.loads(here.command("-j", *words)))

    # what is counted by the fifth of a second comes to rest
    wait_for(same_metrics, "the metrics to be those of the command")
    for path, words in COMMANDS.items():
        wait_for(lambda path=path, words=words: same_json(path, words), f"{path} to be as {words}")
    stats = json.loads(exporter.ask("/api/v1/stats").body)
    found = exporter.metrics()
    for name, count in stats["handshakes"].items():
        assert found[f'synward_handshakes_total{{outcome="{name}"}}'] == count
    assert stats["handshakes"]["accepted"] == before["handshakes"]["accepted"] + 5
    assert found["synward_half_open"] == stats["half_open"] == before["half_open"] + 4
    cut = json.loads(exporter.ask("/api/v1/handshakes?limit=3").body)
    assert (cut["total"], cut["shown"], cut["truncated"]) == (stats["half_open"], 3, True)
    assert not json.loads(exporter.ask("/api/v1/handshakes").body)["truncated"]


def test_the_history_adds_up_to_what_was_counted(exporter, here):
    """Also to who asks for what is new only; what was before the first look is not known."""
    history = json.loads(exporter.ask("/api/v1/history").body)
    start = history["next"]
    before = wait_for(lambda: sums(exporter, start), "a sample")
    stats = here.synward.stats()
    stage = Stage(here.near, here.far, socket.AF_INET)
    stage.accepted(3)
    stage.rejected(2)

    def counted():
        found = sums(exporter, start)
        return {name: found[name] - before[name] for name in found}

    wait_for(lambda: counted()["accepted"] == 3 and counted()["rejected"] == 2, lambda: f"the samples: {counted()}")
    history = json.loads(exporter.ask("/api/v1/history").body)
    assert (history["interval_ms"], history["kept"], history["first"]) == (3000, 300, 0)
    columns = [*history["handshakes"].values(), *history["tallies"].values(), *history["packets"].values(),
               *[column for one in history["latency"].values() for column in one.values()]]
    assert {len(column) for column in columns} == {len(history["time_ms"])} == {history["next"]}
    assert history["duration_ms"][0] == 0 and history["half_open"][0] is None
    assert history["half_open"][-1] >= stats["half_open"]
    latest = json.loads(exporter.ask(f"/api/v1/history?from={history['next'] - 1}").body)
    assert latest["first"] == history["next"] - 1 and latest["time_ms"][0] == history["time_ms"][-1]
    assert json.loads(exporter.ask("/api/v1/history?from=18446744073709551615").body)["time_ms"] == []


def sums(exporter, start):
    """Of each outcome, from a sample on; none if there is no such sample."""
    found = json.loads(exporter.ask(f"/api/v1/history?from={start}").body)
    return {name: sum(filter(None, column)) for name, column in found["handshakes"].items()} if found["time_ms"] else None


def test_both_forms_of_metrics(exporter):
    text, openmetrics = exporter.ask("/metrics"), exporter.ask("/metrics", accept=OPENMETRICS)
    assert text.form == "text/plain; version=0.0.4; charset=utf-8"
    assert openmetrics.form == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    for asked, form in ((SCRAPER, openmetrics), ("*/*", text), ("text/plain", text), ("image/png", text)):
        assert exporter.ask("/metrics", accept=asked).form == form.form, asked
    checked = run("promtool", "check", "metrics", input=text.body, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    families = {family.name: family for family in text_string_to_metric_families(openmetrics.body)}
    assert families["synward_handshakes"].type == "counter"
    assert families["synward_handshake_duration_seconds"].type == "histogram"
    samples = {sample.name for family in families.values() for sample in family.samples}
    assert samples == {line.split("{")[0].split(" ")[0] for line in text.body.splitlines()
                       if not line.startswith("#")}


def test_it_goes_on_whatever_becomes_of_what_it_reads(bpffs, tmp_path):
    with site(bpffs / "changing", tmp_path) as made:
        follow_changes(made, made.exporter(), made.synward)


def follow_changes(made, exporter, synward):
    def expect(reason, words):
        wait_for(lambda: exporter.why_down() == reason, f"it to be {reason or 'up'}")
        ready = exporter.ask("/readyz")
        assert (ready.code, words in ready.body) == (503 if reason else 200, True), ready
        failed = exporter.ask("/api/v1/stats")
        assert failed.code == ready.code and json.loads(failed.body).get("failure") == reason
        assert exporter.ask("/healthz").code == 200
        status = exporter.ask("/api/v1/status")
        assert status.code == (200 if reason in (None, "not_attached") else 503)
        assert words in exporter.heard() or not reason

    expect(None, "ready")
    maps = synward.pin_dir / "maps"
    maps.chmod(0o700)
    expect("not_allowed", "or as a member of the group synward")
    maps.chmod(0o750)
    expect(None, "ready")
    (maps / "traffic").rename(maps / "elsewhere")
    expect("damaged", "traffic cannot be opened")
    (maps / "elsewhere").rename(maps / "traffic")
    expect(None, "ready")
    synward.expect(0, "detach", "--all")
    expect("not_attached", "nothing is attached")
    pin = plant_identity(synward, 99, 64)
    for path in (synward.pin_dir, pin.parent, pin):
        path.chmod(0o755 if path.is_dir() else 0o644)
    expect("other_version", "ABI version 99")
    synward.expect(0, "detach", "--all", "--force")
    synward.attach(made.far)
    expect("not_allowed", "no permission")  # without a group in /etc/group it is root's alone
    assert exporter.heard().count("can be read") == 3


@pytest.fixture
def filters():
    """What its unit lets it call."""
    if confined.lacking():
        pytest.skip(f"there is no {confined.lacking()}")
    return confined.command(UNIT, run)


def test_its_filters_are_in_force(filters):
    done = run(*filters, "/usr/bin/python3", "-c", TRIES)
    assert done.stdout.split() == [str(errno.EAFNOSUPPORT), str(errno.EPERM)]


def test_under_its_units_filters_it_is_ready_while_status_knows_of_no_fault(here, filters):
    space, synward = here.far.namespace, here.synward
    with space.entered():
        # whoever is no root sees whether there is a program, and not whose it is
        exporter = here.exporter(who=(*READER, *filters))
        for path in ("/", "/page/main.js", "/metrics", "/healthz", "/api/v1/history", *COMMANDS):
            assert exporter.ask(path).code == 200, path
        with exporter.connect() as peer:
            peer.sendall(GET_EVENTS)
            stream = b""
            while b'"event_type":"interface"' not in stream:
                stream += (part := peer.recv(65536))
                assert part, stream
        assert all("flood" in one for one in json.loads(exporter.ask("/api/v1/status").body)["interfaces"])
        ready = exporter.ask("/readyz")
        assert (ready.code, ready.body) == (200, "ready\n")
        assert "hook_unknown" in "".join(name for name, value in exporter.metrics().items()
                                         if "degraded_reason" in name and value)
        run("bpftool", "link", "detach", "pinned", synward.pin_dir / "links" / "0" / "xdp")
        ready = exporter.ask("/readyz")
        assert (ready.code, ready.body) == (
            503, "degraded: s0: a hook is missing; to restore it: synward attach s0\n")
        synward.expect(0, "attach", "s0", namespace=space)
        assert exporter.ask("/readyz").body == "ready\n"


def test_who_may_not_read_is_told_and_served(here):
    exporter = here.exporter(who=STRANGER)
    assert "no permission" in exporter.heard() and exporter.why_down() == "not_allowed"
    assert "member of the group synward" in json.loads(exporter.ask("/api/v1/policy").body)["error"]


def test_a_hundred_at_once_and_others_that_do_not_take_their_answers(exporter):
    slow = [exporter.connect(room=1) for _ in range(20)]
    for peer in slow:
        peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: [::1]:9945\r\n\r\n")
    with concurrent.futures.ThreadPoolExecutor(100) as many:
        answers = list(many.map(lambda _: exporter.ask("/metrics"), range(100)))
    assert {answer.code for answer in answers} == {200}
    for answer in answers:
        assert answer.body.endswith("\n") and len(answer.body) == int(answer.fields["content-length"])
    wholes = [said(peer) for peer in slow]
    assert all(whole.startswith(b"HTTP/1.1 200 OK\r\n") for whole in wholes)
    assert exporter.peak_kib() < PEAK_KIB


def test_who_says_that_he_has_asked_all_gets_the_whole_answer(exporter):
    with exporter.connect() as peer:
        peer.sendall(GET_METRICS)
        peer.shutdown(socket.SHUT_WR)
        answer = parse(said(peer))
    assert len(answer.body) == int(answer.fields["content-length"])


@pytest.fixture()
def small_buffers():
    """An answer waits in the program instead of in the kernel."""
    sizes = pathlib.Path("/proc/sys/net/ipv4/tcp_wmem")
    before = sizes.read_text()
    sizes.write_text("4096 4096 4096")
    yield
    sizes.write_text(before)


def test_who_sends_on_instead_of_taking_his_answer_is_not_read(small_buffers, here):
    exporter = here.exporter()
    with exporter.connect(room=1) as peer:
        peer.sendall(GET_METRICS)
        wait_for(lambda: not silent(peer), "the answer to begin")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        peer.settimeout(1)
        with pytest.raises((TimeoutError, ConnectionError)):
            peer.sendall(bytes(2 * PEAK_KIB * 1024))
        assert exporter.peak_kib() < PEAK_KIB
        assert exporter.ask("/healthz").body == "alive\n"


def test_it_ends_when_it_is_asked_to_and_prints_nothing(here):
    exporter = here.exporter()
    with exporter.connect() as open_one:
        open_one.sendall(b"GET /met")
        assert exporter.end() == (0, "")


@pytest.mark.parametrize("words, code, said_so", (
    (("--listen", "9945"), 2, "expected an address and a port"),
    (("--listen", "::1:9945"), 2, "expected an address and a port"),
    (("--listen", "127.0.0.1:65536"), 2, "expected an address and a port"),
    (("--listen", "localhost:9945"), 2, "expected an address and a port"),
    (("--listen", "224.0.0.1:9945"), 2, "an address of a group"),
    (("--listen", "255.255.255.255:9945"), 2, "an address of a group"),
    (("--listen", "[ff02::1]:9945"), 2, "an address of a group"),
    (("--allow-host", "web1.example:9945"), 2, "expected a name, such as web1.example"),
    (("--allow-host", "*.example"), 2, "expected a name, such as web1.example"),
    (("--allow-host", ""), 2, "expected a name, such as web1.example"),
    (("status",), 2, "expected no arguments, got status"),
    (("--no-such",), 2, "unknown or ambiguous option --no-such"),
    (("--listen", "192.0.2.77:9945"), 1, "cannot listen on 192.0.2.77:9945"),
))
def test_what_it_cannot_do(words, code, said_so):
    done = run(PROGRAM, *words, check=False)
    assert (done.returncode, done.stdout) == (code, "") and said_so in done.stderr, done


def test_an_address_in_use():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run(PROGRAM, "--listen", f"127.0.0.1:{port}", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"synward: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize("address", ("127.0.0.1", "[::1]"))
def test_a_port_of_the_privileged(address):
    done = run("setpriv", "--bounding-set=-net_bind_service", PROGRAM, "--listen", f"{address}:80", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"synward: cannot listen on {address}:80: Permission denied; a port below 1024 takes "
                           "CAP_NET_BIND_SERVICE: choose another one, such as 9945\n")


def test_help_and_version():
    shown = run(PROGRAM, "--help")
    assert "--listen ADDRESS:PORT" in shown.stdout and "Examples:" in shown.stdout and not shown.stderr
    assert run(PROGRAM, "--version").stdout.startswith("synward-exporter ")
