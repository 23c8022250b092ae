# SPDX-License-Identifier: GPL-2.0-or-later
"""Killed at any of their steps, attach, detach and upgrade leave what the next command puts right."""

import pytest

import stopped
from causes import QUICK
from cli import BINARY, bpftool
from hooks import xdp_program
from objects import expect_gone
from versions import another_version

POLICY = "version: 1\nservices: [{name: web, ports: [8080], mode: enforce, syn_flood: always}]\n"
SAMPLE = 1 if stopped.THOROUGH else 10  # every so many steps


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return stopped.build(tmp_path_factory.mktemp("stopped"))


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return another_version(tmp_path_factory.mktemp("other") / "synward")


class Subject:
    """An interface that is attached by one hook or the other, with all there is to it."""

    def __init__(self, pair, synward, library, hook):
        self.pair, self.far, self.synward, self.library = pair, pair[1], synward, library
        self.attach_words = ("attach", *QUICK, "--tc", hook, "s0")
        synward.state_dir.mkdir(parents=True)
        (synward.state_dir / "policy.yaml").write_text(POLICY)
        self.clean = self.outside()
        self.attach()
        synward.expect(0, "block", "add", "192.0.2.0/24")
        self.whole = self.inside()
        self.detach()

    def stops(self, *command, program=BINARY):
        return stopped.Stops(self.library, self.synward, self.far.namespace, command, program)

    def attach(self):
        self.synward.expect(0, *self.attach_words, namespace=self.far.namespace)

    def detach(self):
        self.synward.expect(0, "detach", "--all")

    def outside(self):
        """What is to be seen of it without synward."""
        space = self.far.namespace
        return (space.run("tc", "qdisc", "show", "dev", "s0").stdout,
                space.run("tc", "filter", "show", "dev", "s0", "egress").stdout,
                xdp_program(self.far), list(self.synward.pin_dir.parent.glob(f"{self.synward.pin_dir.name}*")))

    def inside(self):
        """All that there is when it is attached, but for numbers that are others each time."""
        synward = self.synward
        status = synward.json("status")
        interface, = status["interfaces"]
        for health in (interface["ingress"], interface["egress"], interface["flood"].get("handover", {})):
            health.pop("program_id", None)
        pins = sorted(str(path.relative_to(synward.pin_dir))
                      for path in synward.pin_dir.rglob("*") if not path.name.endswith("_next"))
        attached = len(bpftool("map", "dump", "pinned", synward.pin_dir / "maps" / "attached"))
        return ({name: interface[name] for name in interface if name not in ("since", "since_unix_ms", "age_ms")},
                pins, attached, status["policy"]["lists"],
                [row["name"] for row in status["policy"]["services"]])

    def expect_whole(self):
        assert self.inside() == self.whole

    def expect_nothing(self, *ours):
        assert self.outside() == self.clean
        for one in ours:
            expect_gone(one)


@pytest.fixture(params=("tcx", "clsact"))
def subject(request, pair, synward, library):
    return Subject(pair, synward, library, request.param)


def programs(subject):
    interface, = subject.synward.json("status")["interfaces"]
    return [interface[hook]["program_id"] for hook in ("ingress", "egress")]


def at_each(subject, stops, steps, before, after):
    """
    Kills a command at some of its steps, of each hook others, where before() has led to. after() is told the
    step's number. A detach leaves nothing of what there was at any time.
    """
    first = 0 if "tcx" in subject.attach_words else SAMPLE // 2
    for number, step in enumerate(steps[first::SAMPLE]):
        before()
        ours = [subject.synward.objects()]
        stops.kill(step)
        after(number)
        ours.append(subject.synward.objects())
        subject.detach()
        subject.expect_nothing(*ours)


def test_attach(subject, tmp_path):
    stops = subject.stops(*subject.attach_words)
    steps = stops.steps(tmp_path)
    subject.detach()

    def again(_):
        subject.attach()
        subject.expect_whole()

    at_each(subject, stops, steps, lambda: None, again)
    if stopped.THOROUGH:
        at_each(subject, stops, steps, lambda: None, lambda _: None)


def test_detach(subject, tmp_path):
    stops = subject.stops("detach", "--all")
    subject.attach()
    steps = stops.steps(tmp_path)

    def sometimes_again(number):
        if number % 2 == 0:
            subject.attach()
            subject.expect_whole()

    at_each(subject, stops, steps, subject.attach, sometimes_again)


def test_upgrade(subject, other, tmp_path):
    stops = subject.stops("upgrade", program=other)
    subject.attach()
    steps = stops.steps(tmp_path)
    subject.detach()

    def upgrade():
        return subject.far.namespace.run(other, "upgrade", env=subject.synward.environment()).stdout

    def sometimes_again(number):
        subject.expect_whole()
        if number % 2 == 0:
            upgrade()
            assert "already at this version" in upgrade()
            subject.expect_whole()

    at_each(subject, stops, steps, subject.attach, sometimes_again)


def test_upgrade_that_fails_leaves_the_old_programs(subject, other, tmp_path):
    stops = subject.stops("upgrade", program=other)
    subject.attach()
    steps = stops.steps(tmp_path)
    subject.synward.expect(0, "upgrade")
    before = programs(subject)
    # among them the filter's new pin, and what starts the sweeper
    for step in steps if stopped.THOROUGH else (*steps[4::SAMPLE], steps[-1]):
        done = stops.fail(step)
        assert programs(subject) == before, (step, done)
        assert done.returncode == 1 and done.stderr, (step, done)
        assert "already" in subject.synward.expect(0, "upgrade").stdout
        subject.expect_whole()
