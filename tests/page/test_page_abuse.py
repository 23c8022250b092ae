# SPDX-License-Identifier: GPL-2.0-or-later
"""The page among names that lie, clocks that jump, many tabs, and an exporter that comes and goes."""

import contextlib

import pytest

from causes import QUICK
from exporter import Exporter
from floods import apply
from identity import plant_identity
from net import run, wait_for
from prometheus import beside
from versions import another_version

TABS = 8  # a browser has six connections to a host
MOST = 63  # services
SERVICES = [f"name: {'service-with-a-long-name-'[:27]}{i:02}, ports: [{1000 + i}], syn_flood: adaptive" for i in range(MOST)]
TURNED = "a\u202e\x1b\u200b<b>"  # of an interface: the kernel takes it
HOUR_MS = 3600 * 1000

# Both clocks of a page run ahead by what `ahead` says, and it is looked at as long as `away` is not true.
FAKE = """
    for (const [of, name] of [[Date, "now"], [performance, "now"]]) {
        const real = of[name].bind(of);
        of[name] = () => real() + (window.ahead?.[of === Date ? "date" : "even"] ?? 0);
    }
    Object.defineProperty(document, "hidden", {get: () => !!window.away});
    window.levels = [];
    addEventListener("DOMContentLoaded", () => new MutationObserver(() => levels.push(document.body.dataset.level))
        .observe(document.body, {attributes: true}));
"""
HUES = """
    const canvas = document.querySelector("#chart-outcomes canvas"), {width, height} = canvas;
    const made = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
    made.drawImage(canvas, 0, 0);
    const {data} = made.getImageData(0, 0, width, height), [r, g, b] = arguments[0];
    for (let i = 0; i < data.length; i += 4)
        if (data[i] === r && data[i + 1] === g && data[i + 2] === b)
            return true;
    return false;
"""
ACCEPTED = (0x15, 0x95, 0x70)


def looks(page, more=3):
    """Until it has looked so many times more."""
    before = page.run("return performance.getEntriesByType('resource').length")
    wait_for(lambda: page.run("return performance.getEntriesByType('resource').length") >= before + 2 * more, "it to look")


def handshakes(page):
    return page.texts("#events b").count("accepted")


def test_clocks_that_jump_and_a_tab_that_is_not_looked_at(browser, exporter, stage):
    """The browser's clock may say anything: what is shown is what the exporter's says, and how old it is a matter of time."""
    stage.accepted(5)
    script = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {
        "source": f"window.ahead = {{date: {-HOUR_MS}, even: 0}}; {FAKE}"})
    try:
        browser.look(1280)
        browser.go(f"http://127.0.0.1:{exporter.ports[0]}/")
        browser.wait("ok", "All is well")
        wait_for(lambda: browser.run(HUES, ACCEPTED), "the chart to have them, though they are to come by this browser's clock")
        browser.run("ahead.date = arguments[0]; levels.length = 0", HOUR_MS)
        looks(browser)
        browser.run("window.away = true; ahead.even = arguments[0]", HOUR_MS)  # for an hour
        stage.accepted(2)
        wait_for(lambda: handshakes(browser) == 7, "events to come all the same")
        browser.run("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
        looks(browser)
        assert set(browser.run("return levels")) <= {"ok"}
        assert browser.text("#fresh") == "live" and browser.complaints() == []
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_many_tabs_have_one_stream(browser, exporter, stage):
    first = browser.driver.current_window_handle
    address = f"http://127.0.0.1:{exporter.ports[0]}/"
    try:
        for _ in range(TABS):
            browser.driver.switch_to.new_window("tab")
            browser.go(address)
            browser.wait("ok", "All is well")
        stage.accepted(1)
        tabs = [tab for tab in browser.driver.window_handles if tab != first]
        for tab in tabs:
            browser.driver.switch_to.window(tab)
            wait_for(lambda: handshakes(browser) == 1, "each to be told")
        browser.driver.switch_to.window(tabs[0])
        browser.driver.refresh()  # the others hold what was before
        wait_for(lambda: handshakes(browser) == 1, "who comes again to be told of it")
    finally:
        for tab in browser.driver.window_handles:
            if tab != first:
                browser.driver.switch_to.window(tab)
                browser.driver.close()
        browser.driver.switch_to.window(first)


@contextlib.contextmanager
def never_down(exporter):
    reasons = set()
    with beside(lambda: reasons.add(exporter.why_down())):
        yield
    assert reasons == {None}


def test_the_exporter_and_what_it_reads_come_and_go(browser, lab, wire, stage, synward, exporter, tmp_path):
    port = exporter.ports[0]
    browser.go(f"http://127.0.0.1:{port}/")
    browser.wait("ok")
    stage.accepted(3)
    wait_for(lambda: handshakes(browser) == 3, "the events")
    assert exporter.end() == (0, "")
    wait_for(lambda: "Not connected" in browser.text("#events-note"), "it to say that there are no events")
    exporter = Exporter(lab, synward.environment(), listen=("--listen", f"127.0.0.1:{port}"))
    wait_for(lambda: browser.text("#events-note") == "As they happen.", "it to come again")
    stage.accepted(1)
    wait_for(lambda: handshakes(browser) > 3, "the next event")
    assert handshakes(browser) == 4  # nothing twice
    browser.wait("ok")
    # other programs in the hooks
    with never_down(exporter):
        done = run(another_version(tmp_path / "synward"), "upgrade", env=synward.environment())
        assert "upgraded (ingress: program" in done.stdout, done
        stage.accepted(1)
        wait_for(lambda: handshakes(browser) == 5, "what happens then")
        looks(browser)
    assert browser.level() == "ok"
    # another ABI version beneath it, and back
    synward.expect(0, "detach", "--all")
    browser.wait("bad", "Nothing is attached")
    pin = plant_identity(synward, 99, 64)
    browser.wait("bad", "What is attached cannot be read")
    assert "ABI version 99" in browser.text("#detail") and browser.text("#tile-half") == "–"
    pin.unlink()
    for path in (pin.parent, synward.pin_dir):
        path.rmdir()
    synward.attach(wire[1], options=QUICK)
    browser.wait("ok", "All is well")
    stage.accepted(1)
    wait_for(lambda: handshakes(browser) == 6, "what happens now")
    columns = browser.run("return fetch('/api/v1/history').then((answer) => answer.json())")
    numbers = [one for column in (*columns["handshakes"].values(), *columns["tallies"].values()) for one in column]
    assert None in numbers and all(one is None or one >= 0 for one in numbers)
    assert browser.complaints() == []


def test_names_that_lie_and_as_many_services_as_there_may_be(wire, synward, tmp_path, page):
    near, far = wire
    far.namespace.ip("link", "set", far.name, "down")
    far.namespace.ip("link", "set", far.name, "name", TURNED)
    far.name = TURNED
    far.namespace.ip("link", "set", TURNED, "up")
    synward.attach(far)
    apply(synward, tmp_path, *SERVICES, more="")
    shown = "a\\u{202e}\\u{1b}\\u{200b}<b>"
    wait_for(lambda: shown in page.texts("#interfaces th"), lambda: str(page.texts("#interfaces th")))
    wait_for(lambda: any(shown in text for text in page.texts("#loud span")), lambda: str(page.texts("#loud span")))
    wait_for(lambda: len(page.texts("#services tr")) == MOST + 1, "all services")
    # each of them flooded
    said = page.module("verdict.js", """
        return fetch("/api/v1/status?tables=no").then((answer) => answer.json()).then((status) => {
            for (const service of status.policy.services)
                service.flood = {...service.flood, on: true, reason: "half_open", last: {whole: service.flood.now}};
            of.measure(status.policy.services);
            return of.judge({status, heard: 1}, false);
        })""")
    assert said["words"].endswith(f"and {MOST + 1 - 3} more") and len(said["words"]) < 150 and len(said["reasons"]) <= 6
    for width in (360, 2560):
        page.look(width)
        wait_for(lambda width=width: page.run("return innerWidth") == width, "the window")
        assert page.run("return document.documentElement.scrollWidth <= innerWidth"), width
    page.look(1280)
    reached = []
    page.run("document.activeElement.blur()")
    for _ in range(12):
        page.press("\ue004")  # Tab
        reached.append(page.run("return document.activeElement.id || document.activeElement.className || "
                                "document.activeElement.getAttribute('href')"))
    assert reached[:2] == ["skip", "theme"] and reached.count("scroll") == 5, reached
    assert "metrics" in reached and "page/uplot.txt" in reached, reached


def test_what_the_page_makes_of_what_it_is_told(page):
    """A flood that is another one than at the last look, a history that does not follow, events that come twice."""
    def flood(period, syns, floods):
        whole = {"period_ms": period, "syns": syns, "answered": syns, "completed": 0, "by_cookie": 0}
        return [{"name": "x", "flood": {"on": True, "floods": floods, "now": {**whole, "period_ms": 0}, "last": {"whole": whole}}}]

    rates = [page.module("verdict.js", "of.measure(given[0]); return given[0][0].rates.syns", flood(*state))
             for state in ((1000, 5000, 1), (2000, 7000, 1), (9000, 100, 2), (10000, 200, 2), (60000, 50, 2))]
    assert rates == [0, 2000, 0, 100, 0]
    known = {"next": 3, "time_ms": [0, 3000, 6000]}
    follows = [page.module("history.js", "return of.follows(given[0], given[1])",
                           {"first": first, "time_ms": times, "interval_ms": 3000}, known)
               for first, times in ((3, [9000]), (3, []), (0, [9000]), (3, [5000]), (3, [600000]), (4, [9000]))]
    assert follows == [True, True, False, False, False, False]
    told = page.module("stream.js", """
        const real = EventSource, made = [], told = [], later = setTimeout;
        window.EventSource = class { static CLOSED = 2; constructor() { made.push(this); } addEventListener() {} };
        window.setTimeout = (what) => what();
        const event = (id) => made.at(-1).onmessage({data: JSON.stringify(id), lastEventId: id});
        of.listen((message) => told.push(message.event ?? message.kind));
        ["9-1", "9-2"].forEach(event);
        made[0].readyState = 2;
        made[0].onerror();
        ["9-1", "9-2", "9-3", "8-1"].forEach(event);
        [window.EventSource, window.setTimeout] = [real, later];
        return told;""")
    assert told == ["9-1", "9-2", "lost", "9-3", "8-1"]


def test_without_scripts_it_says_where_else_to_look(browser, exporter):
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.go(f"http://127.0.0.1:{exporter.ports[0]}/")
        shown = browser.driver.find_element("css selector", ".verdict").text
        assert "Nothing is known yet" in shown and "needs JavaScript" in shown
        links = browser.driver.find_elements("css selector", ".verdict a")
        for target in [link.get_attribute("href") for link in links]:
            assert exporter.ask("/" + target.split("/", 3)[3]).code in (200, 503), target
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
