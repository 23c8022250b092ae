# SPDX-License-Identifier: GPL-2.0-or-later
"""What anybody may send to the exporter: it answers with an error, stays small, and serves others."""

import json

import contextlib

import pytest

from exporter import HOST, Exporter, parse, said, silent
from net import wait_for

MIB = 1 << 20
PEAK_KIB = 32 * 1024
ROOM = 128  # connections that it serves at once
GET = f"GET /healthz HTTP/1.1\r\n{HOST}\r\n"


@pytest.fixture(scope="module")
def exporter():
    """One for all of them: whoever comes after whatever somebody sent is served as ever."""
    from net import Lab

    with Lab() as lab:
        yield Exporter(lab, {"SYNWARD_PIN_DIR": "/sys/fs/bpf/none"}, "--allow-host", "web1.example")


@pytest.fixture(autouse=True)
def unharmed(exporter):
    yield
    assert exporter.ask("/healthz").body == "alive\n"
    assert exporter.peak_kib() < PEAK_KIB


def expect_error(answer, code):
    assert (answer.code, answer.form) == (code, "application/json"), answer
    assert json.loads(answer.body).keys() == {"schema", "error"}
    assert answer.fields["x-content-type-options"] == "nosniff"
    assert answer.fields["cache-control"] == "no-store"


@pytest.mark.parametrize("path", (
    "/../etc/passwd", "/metrics/", "//metrics", "/metrics/../healthz", "/%6detrics", "/healthz%00", "/METRICS",
    "/api/v1", "/api/v1/../../etc/passwd", "/..%2f..%2fetc/passwd", "/api/v1/events/"))
def test_there_is_nothing_but_what_there_is(exporter, path):
    expect_error(exporter.ask(path), 404)


@pytest.mark.parametrize("query", ("limit=0", "limit=1001", "limit=x", "limit", "=", "limit=1&x=2", "limit=" + "9" * 500))
def test_queries_that_make_no_sense(exporter, query):
    expect_error(exporter.ask(f"/api/v1/handshakes?{query}"), 400)


def test_a_path_that_takes_no_query(exporter):
    expect_error(exporter.ask("/metrics?a=b"), 400)
    assert exporter.ask("/metrics?").code == 200


@pytest.mark.parametrize("host, code", (
    ("localhost", 200), ("LocalHost:9945", 200), ("127.0.0.1", 200), ("[::1]:9945", 200), ("[2001:db8::1]", 200),
    ("192.0.2.1:80", 200), ("web1.example:9945", 200), ("WEB1.example", 200),
    ("evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("", 421),
    ("127.1", 421), ("[::1", 421), ("[::1]x", 421), ("localhost:99x", 421), ("web2.example", 421), ("@", 421)))
def test_hosts(exporter, host, code):
    answer = exporter.ask("/metrics", host=f"Host: {host}\r\n")
    assert answer.code == code, answer
    if code != 200:
        expect_error(answer, code)
    assert "access-control-allow-origin" not in answer.fields


def test_hosts_in_other_places(exporter):
    expect_error(exporter.ask("http://evil.example/metrics"), 421)
    assert exporter.ask("http://127.0.0.1:9945/metrics", host="Host: evil.example\r\n").code == 200
    expect_error(exporter.ask("/metrics", host=""), 400)
    expect_error(exporter.ask("/metrics", host=f"{HOST}Host: evil.example\r\n"), 400)
    assert exporter.say("GET /metrics HTTP/1.0\r\n\r\n").code == 200


@pytest.mark.parametrize("method", ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"))
def test_other_methods(exporter, method):
    answer = exporter.ask("/metrics", method=method)
    expect_error(answer, 405)
    assert answer.fields["allow"] == "GET, HEAD"


def test_methods_that_nobody_knows(exporter):
    expect_error(exporter.ask("/metrics", method="BREW"), 501)
    expect_error(exporter.ask("/metrics", method="get"), 501)


@pytest.mark.parametrize("path, code", (("/metrics", 200), ("/healthz", 200), ("/readyz", 503), ("/no", 404)))
def test_head_is_get_without_a_body(exporter, path, code):
    got, head = exporter.ask(path), exporter.ask(path, method="HEAD")
    assert (got.code, head.code, head.body) == (code, code, "")
    for answer in (got, head):
        answer.fields.pop("date")
    assert got.fields == head.fields and int(head.fields["content-length"]) == len(got.body)


def test_what_is_too_long(exporter):
    expect_error(exporter.ask("/" + "a" * 3000), 414)
    expect_error(exporter.ask("/metrics", more=f"X: {'a' * 9000}\r\n"), 431)
    expect_error(exporter.ask("/metrics", more="".join(f"X{i}: {'a' * 100}\r\n" for i in range(100))), 431)
    expect_error(exporter.ask("/metrics", more=f"X: {'a' * MIB}\r\n"), 431)
    expect_error(exporter.ask("/" + "a" * MIB), 414)


@pytest.mark.parametrize("method", ("GET", "POST"))
def test_a_body_of_1_mib(exporter, method):
    body = b"x" * MIB
    begin = f"{method} /metrics HTTP/1.1\r\n{HOST}"
    expect_error(exporter.say(f"{begin}Content-Length: {MIB}\r\n\r\n".encode() + body), 413)
    chunk = f"{begin}Transfer-Encoding: chunked\r\n\r\n{MIB:x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    expect_error(exporter.say(chunk), 413)


@pytest.mark.parametrize("field, code", (
    (f"Content-Length: {MIB}", 413), ("Content-Length: 99999999999999999999999", 413), ("Content-Length: -1", 400),
    ("Content-Length: 5x", 400), ("Content-Length:", 400), ("Transfer-Encoding: chunked", 413), ("Expect: a-miracle", 417),
    (f"Expect: 100-continue\r\nContent-Length: {MIB}", 413)))
def test_who_has_more_to_say_is_told_before_he_does(exporter, field, code):
    """And before the head is whole, as soon as that field has come."""
    for ending in ("\r\n", "\r\n\r\n", "\n"):
        expect_error(exporter.say(f"POST /metrics HTTP/1.1\r\n{HOST}{field}{ending}"), code)
    assert exporter.say(f"HEAD /metrics HTTP/1.1\r\n{HOST}{field}\r\n").body == ""


def test_what_promises_no_body(exporter):
    for field in ("Content-Length: 0", "Content-Length: 000", "Expect: 100-Continue", "X-Expect: a-miracle"):
        assert exporter.ask("/healthz", more=f"{field}\r\n").body == "alive\n", field


def test_pipelining(exporter):
    """One connection has one answer, and says so: what follows is not even read as a request."""
    answer = exporter.say(GET * 50)
    assert answer.body == "alive\n" and answer.fields["connection"] == "close"
    answer = exporter.say(f"HEAD /healthz HTTP/1.1\r\n{HOST}\r\n" + GET)
    assert answer.body == ""


@pytest.mark.parametrize("before", (
    f"CONNECT evil.example:80 HTTP/1.1\r\n{HOST}\r\n", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"))
def test_nothing_keeps_a_connection(exporter, before):
    with exporter.connect() as peer:
        peer.sendall((before + GET).encode())
        answers = said(peer)
    assert answers.count(b"HTTP/1.") == 1 and answers.count(b"\r\nConnection: ") == 1, answers
    assert b"\r\nConnection: close\r\n" in answers


@pytest.mark.parametrize("garbage", (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), b"\r\n" * 10, bytes(5000), b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\n : x\r\n\r\n", b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
    b"GET metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b"CONNECT evil.example:80 HTTP/1.1\r\nHost: localhost\r\n\r\n"))
def test_garbage(exporter, garbage):
    with exporter.connect() as peer:
        peer.sendall(garbage)
        peer.shutdown(1)
        answer = parse(said(peer))
    if answer:
        expect_error(answer, answer.code)
        assert answer.code in (400, 404, 405, 501), answer


def test_who_never_finishes_a_request_makes_room(exporter):
    """Half-open HTTP connections, twice as many as there may be, each with a byte now and then."""
    exporter.ask("/metrics")  # from then on it keeps a socket by which it asks for names
    before = exporter.descriptors()
    peers = [exporter.connect() for _ in range(2 * ROOM)]
    try:
        for peer in peers:
            peer.sendall(b"GET /metr")
        assert exporter.ask("/healthz").body == "alive\n"
        assert exporter.descriptors() <= before + ROOM
        wait_for(lambda: not silent(peers[0]), "the first of them to be let go")
        assert said(peers[0]) == b""
    finally:
        for peer in peers:
            peer.close()
    wait_for(lambda: exporter.descriptors() == before, "all of them to be gone")


def test_it_outlives_its_last_descriptor():
    from net import Lab

    with Lab() as lab:
        exporter = Exporter(lab, {"SYNWARD_PIN_DIR": "/sys/fs/bpf/none"}, who=("prlimit", "--nofile=24"))
        peers = [exporter.connect() for _ in range(24)]
        wait_for(lambda: "cannot accept connections for now: Too many open files" in exporter.heard(), "them to run out")
        for peer in peers:
            peer.close()
        assert exporter.ask("/healthz").body == "alive\n"


def test_who_is_silent_is_let_go_sooner_where_descriptors_are_lacking():
    """Sooner than where they are not: by one, to which somebody was silent before."""
    from net import Lab

    with Lab() as lab:
        nothing = {"SYNWARD_PIN_DIR": "/sys/fs/bpf/none"}
        roomy, short = Exporter(lab, nothing), Exporter(lab, nothing, who=("prlimit", "--nofile=24"))
        patient = roomy.connect()
        peers = [short.connect() for _ in range(24)]
        wait_for(lambda: "Too many open files" in short.heard(), "them to run out")
        assert short.ask("/healthz").body == "alive\n" and silent(patient)
        for peer in (patient, *peers):
            peer.close()


def test_who_never_takes_an_answer_makes_room(exporter):
    peers = [exporter.connect(room=1) for _ in range(ROOM)]
    for peer in peers:
        peer.sendall(f"GET /metrics HTTP/1.1\r\n{HOST}\r\n".encode())
    assert exporter.ask("/healthz").body == "alive\n"
    for peer in peers:
        peer.close()


def test_a_chunk_whose_length_has_no_end(exporter):
    """It is not read for ever, nor kept: who sends it keeps his place until the time for asking is up."""
    before = exporter.peak_kib()
    with exporter.connect() as peer:
        peer.sendall(f"GET /metrics HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n".encode())
        peer.settimeout(1)
        with contextlib.suppress(OSError):
            peer.sendall(b"0" * (64 * MIB))
    assert exporter.ask("/healthz").body == "alive\n"
    assert exporter.peak_kib() < before + 2048
