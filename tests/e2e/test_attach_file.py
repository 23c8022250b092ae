# SPDX-License-Identifier: GPL-2.0-or-later
"""What the file of `synward attach --config` says holds, unless the command line says otherwise."""

TEXT = """version: 1
interfaces: [s0]
mode: generic
handshakes: 2048
connections: 4096
events_per_second: 7
timeouts: {syn_sent: 30s, closed: 1s}
"""


def attach(synward, end, tmp_path, *options):
    file = tmp_path / "attach.yaml"
    file.write_text(TEXT)
    synward.expect(0, "attach", "--config", file, *options, namespace=end.namespace)
    return synward.json("status")


def capacities(status):
    return [status["tables"][name]["capacity"] for name in ("handshakes", "connections")]


def test_interfaces_and_options(pair, synward, tmp_path):
    status = attach(synward, pair[1], tmp_path)
    assert [(one["name"], one["mode"]) for one in status["interfaces"]] == [("s0", "generic")]
    assert capacities(status) == [2048, 4096]
    assert status["events_per_second"] == 7
    timeouts = status["timeouts_ms"]
    assert timeouts["syn_sent"] == 30000 and timeouts["closed"] == 1000
    assert timeouts["syn_received"] == 63000, "what is not named is as ever"


def test_the_command_line_goes_first(pair, synward, tmp_path):
    status = attach(synward, pair[1], tmp_path, "--handshakes", 1024, "-t", "syn_sent=5s", "lo")
    assert [one["name"] for one in status["interfaces"]] == ["lo"]
    assert capacities(status) == [1024, 4096]
    assert status["timeouts_ms"]["syn_sent"] == 5000 and status["timeouts_ms"]["closed"] == 1000
