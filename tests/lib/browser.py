# SPDX-License-Identifier: GPL-2.0-or-later
"""Chromium without a screen, as far as tests of the page need it."""

import base64
import contextlib
import json
import pathlib
import shutil

import pytest

from cli import BUILD
from net import wait_for

CHROMIUM, DRIVER = "chromium", "chromedriver"
AXE = BUILD / "axe"  # where tests/page/fetch-axe puts it
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")


class Browser(contextlib.ExitStack):
    """One window."""

    def __init__(self):
        super().__init__()
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        for option in OPTIONS:
            options.add_argument(option)
        options.binary_location = shutil.which(CHROMIUM)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(shutil.which(DRIVER)), options=options)
        self.callback(self.driver.quit)

    def go(self, address):
        self.driver.get("about:blank")
        self.complaints()
        self.driver.get(address)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def module(self, name, script, *arguments):
        """Runs a script with what a module of the page exports as `of`."""
        found = self.driver.execute_async_script(
            "const [name, ...given] = arguments, done = given.pop();"
            f"import(`/page/${{name}}`).then(async (of) => done({{is: await (() => {{ {script} }})()}}))"
            ".catch((error) => done({error: String(error)}))", name, *arguments)
        assert "error" not in found, found
        return found["is"]

    def text(self, selector):
        """Of an element, as it is there: not as CSS shows it."""
        return self.run("return document.querySelector(arguments[0])?.textContent", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)", selector)

    def level(self):
        return self.run("return document.body.dataset.level")

    def wait(self, level, words=""):
        """Until the page's verdict is that."""
        wait_for(lambda: self.level() == level and words in self.text("#verdict"),
                 lambda: f"{level} {words}: {self.level()}, {self.text('.verdict')}")

    def press(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def look(self, width, *, dark=False, still=False, height=900):
        """Makes the window so wide, and has the system prefer that."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"}]})

    def complaints(self):
        """What the console has, but for a request that nobody has answered."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING") and "net::ERR_" not in entry["message"]
                and "503 (Service Unavailable)" not in entry["message"]]

    def picture(self, path):
        """Of the whole page, as PNG."""
        width = self.run("return innerWidth")
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": self.run("return document.documentElement.scrollHeight"),
            "deviceScaleFactor": 1, "mobile": False})
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))

    def serious(self):
        """What axe finds that is serious or worse: [(its rule, where)]."""
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run(document).then(done, (error) => done({error: String(error)}))")
        assert "error" not in found, found
        return [(one["id"], [json.dumps(node["target"]) for node in one["nodes"]]) for one in found["violations"]
                if one["impact"] in ("serious", "critical")]


def axe():
    """The script of axe-core, as the lock has it; the test is skipped if it cannot be had."""
    script = AXE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        why = AXE / "why"
        pytest.skip(f"no axe-core: {why.read_text().strip() if why.exists() else 'make test-page fetches it'}")
    return script.read_text()
