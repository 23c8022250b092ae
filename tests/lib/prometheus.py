# SPDX-License-Identifier: GPL-2.0-or-later
"""Prometheus' side of the metrics: pages, the files that ask for them, and a Prometheus of a test's own."""

import contextlib
import dataclasses
import json
import pathlib
import re
import threading
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / "packaging" / "prometheus"
SAMPLE = re.compile(r'^(?P<name>[a-z_:]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
ASKED = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
# The exporter's word on itself, and Prometheus' own.
OTHERS = {"synward_up"}


@dataclasses.dataclass(frozen=True)
class Page:
    """What was written: {(name, labels): value}, and each family's type."""

    samples: dict
    types: dict

    @classmethod
    def of(cls, text):
        samples, types, families = {}, {}, []
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name not in types, f"{name} is in two places"
                types[name] = kind
                families.append(name)
            elif not line.startswith("#"):
                match = SAMPLE.match(line)
                assert match, line
                assert _family(match["name"], types) == families[-1], f"{line}: under {families[-1]}"
                key = (match["name"], frozenset(LABEL.findall(match["labels"] or "")))
                assert key not in samples, f"{line}: is there twice"
                samples[key] = float(match["value"])
        return cls(samples, types)

    def value(self, name, **labels):
        return self.samples[name, frozenset(labels.items())]

    def labels(self, name):
        """Of each of its samples."""
        return [dict(labels) for sample, labels in self.samples if sample == name]

    def names(self):
        return {name for name, _ in self.samples}

    def counters(self):
        """What must never fall."""
        return {key: value for key, value in self.samples.items()
                if key[0].endswith(("_total", "_bucket", "_count", "_sum"))}


def _family(name, types):
    if name in types:
        return name
    short = re.sub(r"_(bucket|count|sum|total)$", "", name)
    assert short in types, f"{name} has no type"
    return short


def fallen(before, after):
    """Counters that are less than they were, of those that are in both."""
    return {key: (value, after.samples[key]) for key, value in before.counters().items()
            if key in after.samples and after.samples[key] < value}


def recorded():
    text = (PLACE / "synward.rules.yml").read_text()
    return set(re.findall(r"^ +- record: (\S+)$", text, re.MULTILINE))


def expressions():
    """All that the rules and the dashboard ask, with where."""
    for path in PLACE.glob("*.yml"):
        for match in re.finditer(r"^( +)expr: (?:>-\n)?((?:.*\n)(?:\1 .*\n)*)", path.read_text(),
                                 re.MULTILINE):
            yield path.name, match[2]
    dashboard = json.loads((PLACE / "synward-dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield f"panel {panel['title']}", target["expr"]
    for variable in dashboard["templating"]["list"]:
        yield f"variable {variable['name']}", variable.get("definition", "")
    for annotation in dashboard["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["expr"]


def documented():
    """Of docs/metrics.md, what a page may have."""
    rows = re.findall(r"^\| (`synward_.*?) \| (?:counter|gauge|histogram) \|", (ROOT / "docs" / "metrics.md").read_text(), re.M)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def asked(expression):
    """The metrics of synward that an expression names."""
    bare = re.sub(r'"[^"]*"', "", expression)
    return {name for name in ASKED.findall(bare) if "synward_" in name} - OTHERS


@dataclasses.dataclass
class Prometheus:
    """One that answers on a namespace's loopback."""

    namespace: object
    port: int

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(query)}"
        with self.namespace.entered():
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                    url, timeout=10) as answer:
                return json.loads(answer.read())["data"]

    def is_ready(self):
        with contextlib.suppress(OSError):
            return self.get("/api/v1/status/buildinfo")
        return None

    def value(self, expression):
        """Of one series; None if there is none."""
        found = self.get("/api/v1/query", query=expression)["result"]
        return float(found[0]["value"][1]) if found else None

    def firing(self, name):
        for alert in self.get("/api/v1/alerts")["alerts"]:
            if alert["labels"]["alertname"] == name and alert["state"] == "firing":
                return alert
        return None


def page_of(synward):
    return Page.of(synward.expect(0, "stats", "--prometheus").stdout)


@contextlib.contextmanager
def beside(work):
    """Does that over and over in a thread of its own."""
    ended = threading.Event()

    def repeat():
        while not ended.is_set():
            work()
    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
