# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that are refused: each with the very line, what stands there and what was expected."""

import json
import random

import pytest

from checking import check, refusal, run

HERE = "#!"  # at the end of the line that is to be named

ONLY = "version: 1\n"
ACTIONS = ONLY + "default:\n  actions:\n"
RATE = ONLY + "default:\n  limits:\n    syn_rate:\n"
WEB = ONLY + "services:\n  - name: web\n"
TOP = "expected version, default, services, auto_block, flood_defence or gateway"
DURATION = "such as 500ms, 30s or 1h"
HINT = "; check the indentation (spaces, no tabs), quotes and brackets"
ADDRESS = "expected an address or a prefix, such as 192.0.2.10, 192.0.2.0/24 or 2001:db8::/64"
PORT = "expected a port from 1 to 65535, or a range such as 8000-8100"

STRUCTURE = (
    # the file as a whole
    ("hello #!\n", "the file: expected keys with values, indented below it, got hello"),
    ("- a #!\n- b\n", "the file: expected keys with values, indented below it, got a list"),
    ("# nothing\n\ndefault: #!\n  mode: monitor\n", "the file: has no key version; add it"),
    (ONLY + "default: {}\n--- #!\nversion: 1\n",
     "a second document begins here; expected one: take the --- away"),
    ("version: 2 #!\n", "version: 2: expected 1, the only one that this synward knows"),
    ("version: 1.0 #!\n", "version: 1.0: expected 1, the only one that this synward knows"),
    ("version: #!\ndefault: {}\n",
     "version: nothing: expected 1, the only one that this synward knows"),
    ("version: [1] #!\n", "version: expected one value, got a list"),
    # keys
    (ONLY + "servces: [] #!\n", "unknown key servces in the file: did you mean services?"),
    (ONLY + "firewall: yes #!\n", f"unknown key firewall in the file: {TOP}"),
    (ONLY + "<<: {mode: enforce} #!\n", f"unknown key << in the file: {TOP}"),
    (ONLY + "? [a, b] #!\n: c\n",
     "the file: a key is a list or has keys itself; expected a word"),
    (ONLY + '"default\\0": {} #!\n', "unknown key default in the file: did you mean default?"),
    (ONLY + "default: {mode: monitor}\n\ndefault: {strict: no} #!\n",
     "default: given a second time, after line 2; take one of them away"),
    (ONLY + "default:\n  mode: monitor\n  strict: no\n  mode: enforce #!\n",
     "default.mode: given a second time, after line 3; take one of them away"),
    (ONLY + "default:\n  strict: no\n  name: web #!\n",
     "unknown key name in default: expected mode, strict, warm_up, syn_flood, flood, actions, "
     "limits or timeouts"),
    (ONLY + "default:\n  strikt: no #!\n", "unknown key strikt in default: did you mean strict?"),
    (ONLY + "default:\n  limits:\n    half_open: {per_source: 1,\n      per_sorvice: 3} #!\n",
     "unknown key per_sorvice in default.limits.half_open: did you mean per_service?"),
    (ONLY + "default:\n  timeouts:\n    syn-sent: 1m #!\n",
     "unknown key syn-sent in default.timeouts: did you mean syn_sent?"),
    (WEB + "    port: [80] #!\n", "unknown key port in services[0]: did you mean ports?"),
    (ONLY + "auto_block:\n  offenses: 3 #!\n",
     "unknown key offenses in auto_block: did you mean offences?"),
    (ACTIONS + "    flags_null: drop\n    synack_badack: drop #!\n",
     "unknown key synack_badack in default.actions: did you mean synack_bad_ack?"),
    (ACTIONS + "    christmas_tree: drop #!\n",
     "unknown key christmas_tree in default.actions: expected the name of an anomaly; "
     "'synward explain' lists them"),
    # values of the wrong kind
    (ONLY + "default: monitor #!\n",
     "default: expected keys with values, indented below it, got monitor"),
    (ONLY + "default: #!\nservices: []\n",
     "default: expected keys with values, indented below it, got nothing"),
    (ONLY + "default:\n  actions: [flags_null] #!\n",
     "default.actions: expected keys with values, indented below it, got a list"),
    (ONLY + "default:\n  mode: #!\n    monitor: yes\n", "default.mode: expected one value, got keys"),
    (ONLY + "services: web #!\n", "services: expected a list, such as [a, b], got web"),
    (ONLY + "services: #!\n  web:\n    ports: [80]\n",
     "services: expected a list, such as [a, b], got keys"),
    (ONLY + "services:\n  - web #!\n",
     "services[0]: expected keys with values, indented below it, got web"),
    (WEB + "    ports: 80 #!\n", "services[0].ports: expected a list, such as [a, b], got 80"),
    (WEB + "    ports:\n      - 80\n      - [443] #!\n",
     "services[0].ports[1]: expected one value, got a list"),
    (WEB + "    addresses: [] #!\n", "services[0].addresses: the list is empty; name at least one, "
     "or leave the key out, which means all"),
    (ONLY + 'default: {mode: "monitor\\0"} #!\n',
     "default.mode: a NUL character in the value; write it without"),
    (ONLY + "default: {mode: " + 150 * "x" + "} #!\n",
     "default.mode: " + 60 * "x" + "...: expected at most 128 characters, got 150"),
    # an alias has the line of what it stands for
    (ONLY + "default:\n  limits: &mine\n    half_open: {per_source: -1} #!\nservices:\n"
     "  - name: web\n    limits: *mine\n",
     "default.limits.half_open.per_source: -1: expected a whole number from 0 to 16,777,216"),
)

VALUES = (
    (ONLY + "default:\n  mode: enforced #!\n",
     "default.mode: enforced: expected monitor or enforce"),
    (ONLY + "default:\n  mode: #!\n  strict: no\n",
     "default.mode: nothing: expected monitor or enforce"),
    (ONLY + "default:\n  mode:\n    Enforce #!\n  strict: no\n",
     "default.mode: Enforce: expected monitor or enforce"),
    (ONLY + 'default:\n  mode: "a\\nb" #!\n', "default.mode: a b: expected monitor or enforce"),
    (ONLY + "default:\n  strict: maybe #!\n", "default.strict: maybe: expected no or yes"),
    (ONLY + "default:\n  strict: 1 #!\n", "default.strict: 1: expected no or yes"),
    (ONLY + "default:\n  warm_up: 169h #!\n",
     f"default.warm_up: 169h: expected a duration from 0s to 7d, {DURATION}"),
    (ONLY + "default:\n  warm_up: soon #!\n",
     f"default.warm_up: soon: expected a duration from 0s to 7d, {DURATION}"),
    (ONLY + "default:\n  timeouts: {syn_sent: 9ms} #!\n",
     f"default.timeouts.syn_sent: 9ms: expected a duration from 10ms to 23d3h, {DURATION}"),
    (ONLY + "default:\n  timeouts:\n    closed: 24d #!\n",
     f"default.timeouts.closed: 24d: expected a duration from 10ms to 23d3h, {DURATION}"),
    (ACTIONS + "    flags_null: pass #!\n",
     "default.actions.flags_null: pass: expected count, drop or strict"),
    (ONLY + "default:\n  limits:\n    source_prefix: {ipv4: 33} #!\n",
     "default.limits.source_prefix.ipv4: 33: expected a whole number from 8 to 32"),
    (ONLY + "default:\n  limits:\n    source_prefix: {ipv4: 7} #!\n",
     "default.limits.source_prefix.ipv4: 7: expected a whole number from 8 to 32"),
    (ONLY + "default:\n  limits:\n    source_prefix: {ipv6: 129} #!\n",
     "default.limits.source_prefix.ipv6: 129: expected a whole number from 16 to 128"),
    (RATE + "      per_second: 1e6 #!\n", "default.limits.syn_rate.per_second: 1e6: "
     "expected a whole number from 0 to 1,000,000"),
    (RATE + "      per_second: 0100 #!\n", "default.limits.syn_rate.per_second: 0100: "
     "expected a whole number from 0 to 1,000,000"),
    (RATE + "      per_second: 1000001 #!\n", "default.limits.syn_rate.per_second: 1000001: "
     "expected a whole number from 0 to 1,000,000"),
    (RATE + "      per_second: 99999999999999999999 #!\n", "default.limits.syn_rate.per_second: "
     "99999999999999999999: expected a whole number from 0 to 1,000,000"),
    (RATE + "      per_second: 1\n      burst: 0 #!\n", "default.limits.syn_rate.burst: 0: "
     "expected a whole number from 1 to 4,000,000"),
    (RATE + "      burst: 10 #!\n", "default.limits.syn_rate.burst: 10 without a rate; expected a "
     "per_second beside it that is not 0"),
    (RATE + "      per_second: 9\n" + WEB[len(ONLY):] +
     "    limits:\n      syn_rate: {per_second: 0,\n        burst: 8} #!\n",
     "services[0].limits.syn_rate.burst: 8 without a rate; expected a per_second beside it that "
     "is not 0"),
    (ONLY + "default:\n  limits:\n    half_open:\n      per_service: 16777217 #!\n",
     "default.limits.half_open.per_service: 16777217: expected a whole number from 0 to "
     "16,777,216"),
    (ONLY + "default:\n  syn_flood: on #!\n",
     "default.syn_flood: on: expected off, adaptive or always"),
    (ONLY + "default:\n  flood: {half_open: 0} #!\n",
     "default.flood.half_open: 0: expected a whole number from 1 to 16,777,216"),
    (ONLY + "default:\n  flood: {calm: 999ms} #!\n",
     "default.flood.calm: 999ms: expected a duration from 1s to 1d, such as 1.5s, 30s or 1h"),
    (WEB + "    timeouts: {closed: 1m} #!\n",
     "services[0].timeouts.closed: all services have the same one; say it in default"),
    (WEB + "    timeouts:\n      syn_sent: 1m\n      established: 1m #!\n",
     "services[0].timeouts.established: all services have the same one; say it in default"),
    (ONLY + "auto_block:\n  enabled: yes\n  window: 1500ms #!\n", "auto_block.window: 1500ms: "
     "expected a duration of whole seconds from 1s to 1d, such as 30s or 1h"),
    (ONLY + "auto_block:\n  expiry: 0 #!\n", "auto_block.expiry: 0: "
     "expected a duration of whole seconds from 1s to 7d, such as 30s or 1h"),
    (ONLY + "auto_block:\n  maximum: 65537 #!\n",
     "auto_block.maximum: 65537: expected a whole number from 1 to 65,536"),
    (ONLY + "auto_block:\n  evidence: both #!\n",
     "auto_block.evidence: both: expected source or flow"),
    (ONLY + "flood_defence:\n  way: cookies #!\n",
     "flood_defence.way: cookies: expected auto, handover, kernel or challenge"),
    (ONLY + "flood_defence:\n  set_syncookies: 2 #!\n",
     "flood_defence.set_syncookies: 2: expected no or yes"),
    (ONLY + "flood_defence:\n  set_syncookie: yes #!\n",
     "unknown key set_syncookie in flood_defence: did you mean set_syncookies?"),
    (ONLY + "gateway:\n  hairpin: maybe #!\n", "gateway.hairpin: maybe: expected auto, yes or no"),
)

SERVICES = (
    # names
    (ONLY + "services:\n  - ports: [80] #!\n", "services[0]: has no key name; add it"),
    (WEB + "  -\n    ports: [80] #!\n", "services[1]: has no key name; add it"),
    (ONLY + "services:\n  - name: #!\n", "services[0].name: nothing: expected 1 to 31 letters, "
     "digits, _ and -, of which - not first"),
    (ONLY + "services:\n  - name: we.b #!\n", "services[0].name: we.b: expected 1 to 31 letters, "
     "digits, _ and -, of which - not first"),
    (ONLY + "services:\n  - name: " + 32 * "n" + " #!\n", f"services[0].name: {32 * 'n'}: expected "
     "1 to 31 letters, digits, _ and -, of which - not first"),
    (ONLY + "services:\n  - name: default #!\n",
     "services[0].name: default is the name of all traffic that belongs to no service; choose another name"),
    (WEB + "    ports: [80]\n  - ports: [81]\n    name: web #!\n",
     "services[1].name: web is the name of the service on line 3; choose another name"),
    # addresses
    (WEB + "    addresses: [192.0.2.10/24] #!\n", "192.0.2.10/24: has bits set behind its length; "
     "write 192.0.2.0/24 for the prefix, or the address without a length"),
    (WEB + "    addresses:\n      - 192.0.2.10\n      - 2001:db8::1/64 #!\n",
     "2001:db8::1/64: has bits set behind its length; write 2001:db8::/64 for the prefix, or the "
     "address without a length"),
    (WEB + "    addresses: [192.0.2.0/33] #!\n",
     "192.0.2.0/33: expected a length from 0 to 32 behind the slash"),
    (WEB + "    addresses: [2001:db8::/129] #!\n",
     "2001:db8::/129: expected a length from 0 to 128 behind the slash"),
    (WEB + '    addresses: ["::ffff:192.0.2.1"] #!\n', "::ffff:192.0.2.1: is an IPv4 address in "
     "the notation of IPv6; write it as 192.0.2.1 or 192.0.2.0/24"),
    (WEB + "    addresses: [example.org] #!\n", f"example.org: {ADDRESS}"),
    (WEB + '    addresses: [""] #!\n', f"nothing: {ADDRESS}"),
    (WEB + "    addresses:\n      - 192.0.2.1\n      - 192.0.2.2\n      - 192.0.2.1/32 #!\n",
     "192.0.2.1/32: the list has it already; take one of them away"),
    (WEB + "    addresses:\n" + "".join(f"      - 192.0.2.{i}\n" for i in range(16)) +
     "      - 192.0.2.16 #!\n", "services[0].addresses: there are 17 of them; expected at most "
     "16"),
    # family
    (WEB + "    family: ipv5 #!\n", "services[0].family: ipv5: expected any, ipv4 or ipv6"),
    (WEB + "    family: ipv4 #!\n    addresses: [192.0.2.1]\n", "services[0].family: ipv4 stands "
     "beside addresses, which say it already; take one of the two away"),
    # ports
    (WEB + "    ports: [0] #!\n", f"0: {PORT}"),
    (WEB + "    ports: [65536] #!\n", f"65536: {PORT}"),
    (WEB + "    ports: [80,\n      http] #!\n", f"http: {PORT}"),
    (WEB + "    ports: [80-] #!\n", f"80-: {PORT}"),
    (WEB + "    ports: [-80] #!\n", f"-80: {PORT}"),
    (WEB + "    ports: [80-90-100] #!\n", f"80-90-100: {PORT}"),
    (WEB + "    ports: [8100-8000] #!\n",
     "8100-8000: the range ends before it begins; write 8000-8100"),
    (WEB + "    ports: [80, 443, 80-80] #!\n",
     "80-80: the list has it already; take one of them away"),
    (WEB + "    ports:\n" + "".join(f"      - {i}\n" for i in range(1, 17)) + "      - 17 #!\n",
     "services[0].ports: there are 17 of them; expected at most 16"),
    # two of the same
    (WEB + "    ports: [80, 443]\n  - name: tls #!\n    ports: [1-79, 443]\n",
     "services[1]: tls claims ports 443 of addresses that web, on line 3, claims as well; give "
     "them to one of the two"),
    (WEB + "  - name: rest #!\n", "services[1]: rest claims ports 1-65535 of addresses that web, "
     "on line 3, claims as well; give them to one of the two"),
    (WEB + "    family: ipv4\n  - name: four #!\n    addresses: [0.0.0.0/0]\n",
     "services[1]: four claims ports 1-65535 of addresses that web, on line 3, claims as well; "
     "give them to one of the two"),
    (WEB + "    addresses: [192.0.2.1, 2001:db8::/32]\n    ports: [1-65535]\n"
     "  - name: six #!\n    addresses: [2001:db8::/32, 2001:db9::/32]\n",
     "services[1]: six claims ports 1-65535 of addresses that web, on line 3, claims as well; "
     "give them to one of the two"),
    (ONLY + "services:\n" + "".join(f"  - {{name: s{i}, ports: [{i + 1}]}}\n" for i in range(63)) +
     "  - {name: s63, ports: [64]} #!\n", "services: there are 64 of them; expected at most 63"),
)

# What is not YAML cannot have a comment at its end: the line, as a number.
BROKEN = (
    ("", 1, "the file is empty; expected at least: version: 1"),
    ("# only a comment\n\n", 1, "the file is empty; expected at least: version: 1"),
    ("---\n", 1, "the file is empty; expected at least: version: 1"),
    ("version: 1\ndefault: {mode: monitor\nservices: []\n", 3, "not YAML: did not find expected "
     f"',' or '}}' (while parsing a flow mapping, line 2){HINT}"),
    ("version: 1\nservices: [\n", 2, "not YAML: did not find expected node content (while parsing "
     f"a flow node, line 2){HINT}"),
    ("version: 1\ndefault\n  mode: monitor\n", 3, "not YAML: could not find expected ':' (while "
     f"scanning a simple key, line 2){HINT}"),
    ("version: 1\ndefault:\n  mode: monitor\n\tstrict: no\n", 4, "not YAML: found a tab character "
     f"that violates indentation (while scanning a plain scalar, line 3){HINT}"),
    ("version: 1\ndefault: *nothing\n", 2, f"not YAML: found undefined alias{HINT}"),
    ("version: 1\n\ndefault: {mode: 'monitor}\n", 3, "not YAML: found unexpected end of stream "
     f"(while scanning a quoted scalar, line 3){HINT}"),
    ("version: 1\n---\n[\n", 3, "not YAML: did not find expected node content (while parsing a "
     f"flow node, line 3){HINT}"),
    (b"version: 1\n\n\xff\n", 3, "not text in UTF-8: invalid leading UTF-8 octet; expected a policy "
     "file"),
    (b"version: 1\n\0\n", 2, "not text in UTF-8: control characters are not allowed; expected a "
     "policy file"),
    ("version: 1\n".encode("utf-16"), 1, "not text in UTF-8: invalid leading UTF-8 octet; expected "
     "a policy file"),
    (b"\x7fELF\2\1\1\0\0", 1, "not text in UTF-8: control characters are not allowed; expected a "
     "policy file"),
)

# Whatever stands before and however lines end, they are counted as an editor counts them.
SETTINGS = {
    "as it is": lambda text: text,
    "after comments": lambda text: "# one\n\n# three\n" + text,
    "after wide characters": lambda text: "# \u00e9\u6f22\U0001f600 " * 9 + "\n" + text,
    "after what ends lines elsewhere": lambda text: "# \u2028\n# \u0085\n" + text,
    "with a byte order mark": lambda text: "\ufeff" + text,
    "with CRLF": lambda text: text.replace("\n", "\r\n"),
}


def shifted(text, by):
    """The numbers of other lines in a message, so many lines further down."""
    words = text.split(" ")
    for at, word in enumerate(words[:-1]):
        number = words[at + 1].rstrip(",;)" if at + 1 else "")
        if word == "line" and number.isdigit():
            words[at + 1] = words[at + 1].replace(number, str(int(number) + by), 1)
    return " ".join(words)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("text, expected", STRUCTURE + VALUES + SERVICES,
                         ids=lambda value: value[-40:].strip())
def test_the_line_and_what_was_expected(tmp_path, text, expected, setting):
    path = tmp_path / "policy.yaml"
    whole = setting(text)
    path.write_bytes(whole.encode())
    marked = [number for number, line in enumerate(whole.split("\n"), 1) if HERE in line]
    assert len(marked) == 1
    before = whole.split(text.split("\n", 1)[0].rstrip("\r"), 1)[0].count("\n")
    assert refusal(check(path), path) == (marked[0], shifted(expected, before))


@pytest.mark.parametrize("data, line, expected", BROKEN)
def test_what_is_not_yaml(tmp_path, data, line, expected):
    path = tmp_path / "policy.yaml"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    assert refusal(check(path), path) == (line, expected)


def test_what_cannot_be_read(tmp_path):
    path = tmp_path / "policy.yaml"
    assert refusal(check(path), path) == (
        None, "cannot read this policy file: No such file or directory")
    assert refusal(check(tmp_path), tmp_path) == (
        None, "cannot read this policy file: Is a directory")
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    assert refusal(check(path), path) == (None, "larger than 1 MiB, which no policy file is")


def test_standard_input_is_as_good():
    """Both as text and with a mistake; nothing there is nothing said."""
    done = run("check-config", "-", input=b"version: 1\nservices:\n  - {name: web, ports: [80]}\n")
    assert done.returncode == 0 and done.stderr == b""
    assert done.stdout.startswith(b"standard input: valid, 1 service\n")
    done = run("check-config", "-", input=b"version: 1\nservces: []\n")
    assert refusal(done, "standard input") == (
        2, "unknown key servces in the file: did you mean services?")
    assert refusal(run("check-config", "-", input=b""), "standard input") == (
        1, "the file is empty; expected at least: version: 1")


def test_a_file_may_have_any_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_text(ONLY)
    done = run("check-config", "./-", input=b"nonsense")
    assert done.returncode == 0 and done.stdout.startswith(b"./-: valid, 0 services\n")


def test_ports_cut_into_too_many_classes(tmp_path):
    # each range begins one class and ends one: 1,009 of them for 8 ranges of each of 63 services,
    # and nearly twice that for 16
    def text(ranges):
        dice = random.Random(1)
        lines = ["version: 1", "default: {mode: monitor}", "services:"]
        for i in range(63):
            firsts = [dice.randrange(1, 60000) for _ in range(ranges)]
            ports = ", ".join(f"{first}-{first + dice.randrange(5000)}" for first in firsts)
            lines.append(f"  - {{name: s{i}, ports: [{ports}]}}")
        return "\n".join(lines) + "\n"

    path = tmp_path / "policy.yaml"
    path.write_text(text(8))
    assert check(path).returncode == 0
    path.write_text(text(16))
    assert refusal(check(path), path) == (
        3, "the services cut the ports into more than 1024 classes; give fewer ranges, or the same "
        "ones to more services")


def test_the_line_as_json(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nservces: []\n")
    done = check(path, "-j")
    text = f"{path}:2: unknown key servces in the file: did you mean services?"
    assert done.returncode == 2
    assert done.stderr.decode() == f"synward: {text}\n"
    assert json.loads(done.stdout) == {"schema": 1, "error": text}


@pytest.mark.parametrize("argv", ([], ["a", "b"]))
def test_one_file_is_expected(argv):
    done = run("check-config", *argv)
    assert done.returncode == 2
    assert done.stderr.decode() == (f"synward: check-config: expected one FILE, got {len(argv)}\n")
