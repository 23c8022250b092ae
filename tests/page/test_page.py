# SPDX-License-Identifier: GPL-2.0-or-later
"""The exporter's page: it says at one look how it is, to everybody, and when it does not know it says that."""

import signal
import socket

import pytest

import tcp
from browser import axe
from net import wait_for
from segments import MSS_1460, SYN, Segment
from spoofed import Flood

MOST_SCRIPT = 100 * 1024
WIDTHS = (360, 768, 1280, 2560)
ODD_NAME = "<i>x<b>&amp;\"'"  # of an interface: the kernel takes it


def rows(page, name):
    return page.run("return [...document.querySelectorAll(`#${arguments[0]} tr`)]"
                    ".map((row) => [...row.children].map((cell) => cell.textContent))", name)


def test_it_says_how_it_is_and_a_flood_when_it_begins(stage, page, wire):
    page.wait("ok", "All is well")
    assert page.text("#mode") == "enforcing"
    stage.accepted(5)
    stage.rejected(2)
    wait_for(lambda: page.text("#chart-outcomes .key").count("0") < 8, "the chart to have them")
    wait_for(lambda: page.texts("#events b").count("accepted") == 5, lambda: str(page.texts("#events li")))
    wait_for(lambda: [row[0] for row in rows(page, "sources")] == [wire[0].address(socket.AF_INET)], "the source")
    assert [row[0] for row in rows(page, "services")] == ["web", "default"]
    assert rows(page, "interfaces") == [["s0", "native", "cookies, handed over", "in place"]]
    near, far = wire
    flood = Flood(near, [Segment(f"198.18.{i >> 8}.{i & 255}", far.address(socket.AF_INET), 1024 + i, tcp.PORT, SYN,
                                 seq=i, options=MSS_1460) for i in range(2000)])
    with flood.port, flood:
        page.wait("flood", "A flood is on: web")
        assert "SYNs a second" in page.text("#reasons") and page.driver.title.startswith("Flood")
        wait_for(lambda: rows(page, "services")[0][1].startswith("on for"), "the table to have it")
        wait_for(lambda: "flood begins" in page.texts("#loud b"), "the event")
        wait_for(lambda: page.text("#tile-answered") not in ("0", "–"), "who is answered")


def test_who_was_only_counted_of_a_flood_is_among_all_that_end(stage, page):
    """Of a watched one: what is told of it is about as many."""
    none = [0]
    history = {
        "duration_ms": [3000], "handshakes": {"accepted": [30], "accepted_simopen": none, "no_response": [60]},
        "tallies": {"attempts_unfollowed": [310], "attempts_recognised": [10], "cookies_sent": none, "challenges_sent": none},
        "latency": {name: {"count": none} for name in ("syn_to_synack", "synack_to_ack")}, "packets": {"dropped": none}}
    page.wait("ok")
    found = page.module("charts.js", "return of.latest(given[0])", history)
    assert (found["rate"], found["ended"], found["accepted"], found["estimated"]) == (130, 390, 30, True)
    history["tallies"]["attempts_recognised"] = [320]  # some of the sample before
    found = page.module("charts.js", "return of.latest(given[0])", history)
    assert (found["rate"], found["ended"], found["estimated"]) == (30, 90, False)


def test_all_of_it_is_from_here_and_small(stage, page, exporter):
    page.wait("ok")
    loaded = page.run("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert loaded and all(name.startswith(f"http://127.0.0.1:{exporter.ports[0]}/") for name in loaded)
    scripts = {name.split("/", 3)[3] for name in loaded if name.endswith(".js")}
    assert len(scripts) == 9
    assert sum(len(exporter.ask(f"/{name}").body) for name in scripts) < MOST_SCRIPT
    answer = exporter.ask("/", accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert answer.form == "text/html; charset=utf-8" and "<main" in answer.body
    assert answer.fields["content-security-policy"].startswith("default-src 'self';")
    assert exporter.ask("/", accept="*/*").body.startswith("synward-exporter ")


def test_a_name_is_never_html(wire, synward, page):
    near, far = wire
    far.namespace.ip("link", "set", far.name, "down")
    far.namespace.ip("link", "set", far.name, "name", ODD_NAME)
    far.name = ODD_NAME
    far.namespace.ip("link", "set", ODD_NAME, "up")
    synward.attach(far)
    wait_for(lambda: rows(page, "interfaces")[0][0] == ODD_NAME, lambda: str(rows(page, "interfaces")))
    wait_for(lambda: any(ODD_NAME in text for text in page.texts("#loud span")), "the event")
    assert page.run("return document.querySelectorAll('main i:not(.key i), main b:not(.tiles b, .key b, .told b)').length") == 0


def test_when_it_does_not_know_it_says_that(stage, page, synward, exporter):
    page.wait("ok")
    synward.expect(0, "detach", "--all")
    page.wait("bad", "Nothing is attached")
    assert rows(page, "services") == [["Nothing is attached."]]
    exporter.process.send_signal(signal.SIGSTOP)
    page.wait("gone", "does not answer any more")
    wait_for(lambda: page.text("#fresh").startswith("old by"), "it to say how old it is")
    exporter.process.send_signal(signal.SIGCONT)
    synward.attach(stage.far)
    page.wait("ok", "All is well")
    assert page.text("#fresh") == "live"


def test_it_fits(stage, page):
    page.wait("ok")
    for width in WIDTHS:
        page.look(width)
        wait_for(lambda width=width: page.run("return innerWidth") == width, "the window")
        wait_for(lambda: page.run("return document.documentElement.scrollWidth <= innerWidth"), f"it to fit {width}")


def test_keys_themes_and_motion(stage, page):
    from selenium.webdriver.common.keys import Keys

    def style(name, of=":root"):
        return page.run("return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]", of, name)

    page.wait("ok")
    page.look(1280, dark=True, still=True)
    wait_for(lambda: style("colorScheme") == "dark", "the system's theme")
    assert style("animationName", ".dot") == "none"
    page.look(1280)
    wait_for(lambda: style("colorScheme") == "light", "the system's theme")
    assert style("animationName", ".dot") == "beat"
    page.press(Keys.TAB)
    assert page.run("return document.activeElement.className") == "skip"
    page.press(Keys.ENTER)
    assert page.run("return document.activeElement.id") == "main"
    page.run("document.querySelector('#theme').focus()")
    for theme in ("light", "dark"):
        page.press(Keys.ENTER)
        assert page.text("#theme") == f"Theme: {theme}" and style("colorScheme") == theme
    page.driver.refresh()
    wait_for(lambda: page.text("#theme") == "Theme: dark", "the choice to be kept")
    assert style("colorScheme") == "dark"
    page.run("localStorage.clear()")


def test_axe_finds_nothing_serious(stage, page):
    script = axe()
    page.wait("ok")
    stage.accepted(1)
    wait_for(lambda: rows(page, "sources") and page.texts("#events li"), "something to be there")
    page.driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})  # only for axe to be let in
    page.run(script)
    for width in (360, 1280):
        for dark in (False, True):
            page.look(width, dark=dark, still=True)
            assert page.serious() == [], (width, dark)
    page.run("document.body.dataset.level = 'gone'")
    assert page.serious() == []
