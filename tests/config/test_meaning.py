# SPDX-License-Identifier: GPL-2.0-or-later
"""What a file means: every key, what is inherited, and which service goes first, by a reading of
docs/policy.md that has nothing of the program."""

import copy
import ipaddress
import json
import random
import re

import pytest

from checking import EXAMPLES, ROOT, check, meaning, run

ACTIONS = {"pass": "count", "count": "count", "drop": "drop", "drop_sym": "drop",
           "strict": "strict"}
PAGE = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
TABLE = PAGE.split("<!-- begin anomalies -->")[1].split("<!-- end anomalies -->")[0]
ANOMALIES = {name: ACTIONS[action]
             for name, action in re.findall(r"^\| \[`(\w+)`\]\S* \| `(\w+)` ", TABLE, re.M)}

DEFAULT = {
    "mode": "monitor", "strict": False, "warm_up_ms": 3600000, "syn_flood": "off",
    "flood": {"half_open": 1024, "syn_rate": 5000, "calm_ms": 10000, "self_check": True}, "actions": ANOMALIES,
    "limits": {"source_prefix": {"ipv4": 32, "ipv6": 64},
               "syn_rate": {"per_second": 0, "burst": 0},
               "half_open": {"per_source": 0, "per_service": 0}},
    "timeouts_ms": {"syn_sent": 127000, "syn_received": 63000, "rst_grace": 2000,
                    "established": 432000000, "closed": 120000},
}
AUTO_BLOCK = {"enabled": False, "offences": 100, "window_s": 60, "expiry_s": 600,
              "maximum": 1000, "evidence": "source"}
FLOOD_DEFENCE = {"way": "auto", "set_syncookies": False, "unheard": "pass", "shared_secret": False}
SWITCH = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}
UNITS = {"ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000}


def milliseconds(text):
    number, unit = re.fullmatch(r"([0-9.]+)(\w*)", text).groups()
    return round(float(number) * UNITS[unit or "s"])


# ---- the model

def apply_rules(said, base):
    """A row of the policy: what is said of it over what it inherits."""
    row = copy.deepcopy(base)
    for key in ("mode", "strict", "syn_flood"):
        if key in said:
            row[key] = SWITCH[said[key]] if key == "strict" else said[key]
    for key, value in said.get("flood", {}).items():
        if key == "calm":
            row["flood"]["calm_ms"] = milliseconds(value)
        elif key == "self_check":
            row["flood"][key] = SWITCH[value]
        else:
            row["flood"][key] = int(value)
    if "warm_up" in said:
        row["warm_up_ms"] = milliseconds(said["warm_up"])
    row["actions"].update(said.get("actions", {}))
    for group, limits in said.get("limits", {}).items():
        row["limits"][group].update({key: int(value) for key, value in limits.items()})
    rate = said.get("limits", {}).get("syn_rate", {})
    if "per_second" in rate and "burst" not in rate:
        row["limits"]["syn_rate"]["burst"] = int(rate["per_second"])
    row["timeouts_ms"].update({key: milliseconds(value)
                               for key, value in said.get("timeouts", {}).items()})
    return row


def prefix_key(text):
    net = ipaddress.ip_network(text)
    return net.version, net.network_address.packed, net.prefixlen


def rank(service):
    """The longer prefix first, then the narrower range of ports."""
    nets = [ipaddress.ip_network(text) for text in service.get("addresses", [])]
    longest = max((net.prefixlen + (96 if net.version == 4 else 0) for net in nets),
                  default={"ipv4": 96, "ipv6": 0}.get(service.get("family"), -1))
    ranges = [[int(port) for port in str(one).split("-")] for one in service.get("ports", [])]
    return -longest, min((one[-1] - one[0] for one in ranges), default=65535)


def canonical_prefix(text):
    net = ipaddress.ip_network(text)
    return str(net.network_address) if net.prefixlen == net.max_prefixlen else str(net)


def canonical_ports(text):
    first, _, last = str(text).partition("-")
    return first if last in ("", first) else f"{first}-{last}"


def port_key(text):
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def model(file):
    others = apply_rules(file.get("default", {}), DEFAULT)
    services = []
    for said in sorted(file.get("services", []), key=rank):
        row = apply_rules(said, others)
        row["name"] = said["name"]
        row["family"] = "any" if "addresses" in said else said.get("family", "any")
        row["addresses"] = sorted(map(canonical_prefix, said.get("addresses", [])),
                                  key=prefix_key)
        row["ports"] = sorted(map(canonical_ports, said.get("ports", [])), key=port_key)
        services.append(row)
    block = dict(AUTO_BLOCK)
    for key, value in file.get("auto_block", {}).items():
        if key == "enabled":
            block[key] = SWITCH[value]
        elif key in ("window", "expiry"):
            block[key + "_s"] = milliseconds(value) // 1000
        else:
            block[key] = value if key == "evidence" else int(value)
    defence = dict(FLOOD_DEFENCE)
    for key, value in file.get("flood_defence", {}).items():
        defence[key] = SWITCH[value] if key in ("set_syncookies", "shared_secret") else value
    return {"schema": 1, "services": services, "default": others, "auto_block": block,
            "flood_defence": defence,
            "gateway": {"hairpin": file.get("gateway", {}).get("hairpin", "auto")}}


# ---- random files

def some(dice, choices, most=None):
    choices = list(choices)
    return dice.sample(choices, dice.randint(1, min(len(choices), most or len(choices))))


def draw_duration(dice, low, high):
    value = dice.choice((low, high, dice.randint(low, high)))
    units = [unit for unit, ms in UNITS.items() if value % ms == 0]
    unit = dice.choice(units)
    number = value // UNITS[unit]
    return str(number) if unit == "s" and dice.random() < 0.3 else f"{number}{unit}"


def draw_number(dice, low, high):
    return str(dice.choice((low, high, dice.randint(low, high), min(high, low + 1))))


def draw_rules(dice, timeouts):
    keys = {
        "mode": lambda: dice.choice(("monitor", "enforce")),
        "strict": lambda: dice.choice(list(SWITCH)),
        "warm_up": lambda: draw_duration(dice, 0, 7 * 86400000),
        "syn_flood": lambda: dice.choice(("off", "adaptive", "always")),
        "flood": lambda: {key: {"half_open": lambda: draw_number(dice, 1, 16777216),
                                "syn_rate": lambda: draw_number(dice, 1, 100000000),
                                "calm": lambda: draw_duration(dice, 1000, 86400000),
                                "self_check": lambda: dice.choice(list(SWITCH))}[key]()
                          for key in some(dice, ("half_open", "syn_rate", "calm", "self_check"))},
        "actions": lambda: {name: dice.choice(("drop", "count", "strict"))
                            for name in some(dice, ANOMALIES)},
        "timeouts": lambda: {name: draw_duration(dice, 10, 2000000000)
                             for name in some(dice, timeouts)},
        "limits": lambda: draw_limits(dice),
    }
    return {key: keys[key]() for key in some(dice, keys)} if dice.random() < 0.8 else {}


def draw_limits(dice):
    groups = {
        "source_prefix": {"ipv4": (8, 32), "ipv6": (16, 128)},
        "half_open": {"per_source": (0, 16777216), "per_service": (0, 16777216)},
    }
    limits = {group: {key: draw_number(dice, *groups[group][key])
                      for key in some(dice, groups[group])}
              for group in some(dice, groups)}
    if dice.random() < 0.6:
        limits["syn_rate"] = {"per_second": draw_number(dice, 0, 1000000)}
        if limits["syn_rate"]["per_second"] != "0" and dice.random() < 0.6:
            limits["syn_rate"]["burst"] = draw_number(dice, 1, 4000000)
    return limits


def draw_prefix(dice):
    if dice.random() < 0.5:
        net = ipaddress.ip_network((dice.getrandbits(32), dice.choice((8, 24, 31, 32))), False)
    else:
        net = ipaddress.ip_network(
            (dice.getrandbits(120) | 0x20 << 120, dice.choice((20, 64, 127, 128))), False)
    return dice.choice((str(net), canonical_prefix(str(net))))


def draw_ports(dice):
    first = dice.randint(1, 65535)
    last = min(65535, first + dice.choice((0, 1, 10, 1000)))
    return str(first) if first == last and dice.random() < 0.5 else f"{first}-{last}"


def draw_service(dice, number):
    service = {"name": dice.choice((f"service-{number}", f"s_{number}", str(number)))}
    if dice.random() < 0.5:
        service["addresses"] = sorted({draw_prefix(dice) for _ in range(dice.randint(1, 5))})
        service["addresses"] = list({canonical_prefix(one): one
                                     for one in service["addresses"]}.values())
    elif dice.random() < 0.5:
        service["family"] = dice.choice(("any", "ipv4", "ipv6"))
    # at random two services hardly ever have the same range, nor one that stands for all
    ports = {canonical_ports(one): one for one in (draw_ports(dice) for _ in range(3))}
    service["ports"] = dice.sample(list(ports.values()), len(ports))
    service.update(draw_rules(dice, ("syn_sent", "syn_received", "rst_grace")))
    return service


def draw_file(dice):
    parts = {
        "version": "1",
        "default": draw_rules(dice, DEFAULT["timeouts_ms"]),
        "services": [draw_service(dice, i) for i in range(dice.choice((0, 1, 3, 12)))],
        "auto_block": {"enabled": dice.choice(list(SWITCH)),
                       "offences": draw_number(dice, 1, 1000000),
                       "window": f"{draw_number(dice, 1, 86400)}s",
                       "expiry": draw_number(dice, 1, 604800),
                       "maximum": draw_number(dice, 1, 65536),
                       "evidence": dice.choice(("source", "flow"))},
        "flood_defence": {"way": dice.choice(("auto", "handover", "kernel", "challenge")),
                          "set_syncookies": dice.choice(list(SWITCH)),
                          "unheard": dice.choice(("pass", "answer")),
                          "shared_secret": dice.choice(list(SWITCH))},
        "gateway": {"hairpin": dice.choice(("auto", "yes", "no"))},
    }
    keys = ["version"] + [key for key in parts if key != "version" and dice.random() < 0.8]
    dice.shuffle(keys)
    return {key: parts[key] for key in keys}


# ---- and how they are written down

def scalar(dice, value):
    """Plain where YAML takes that for sure, or quoted."""
    quoted = not re.fullmatch(r"[\w./-]+", value) or dice.random() < 0.2
    return dice.choice(('"{}"', "'{}'")).format(value) if quoted else value


def flow(dice, value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(dice, one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(dice, one) for one in value) + "]"
    return scalar(dice, value)


def block(dice, value, indent):
    """Lines below a key."""
    margin = " " * indent
    if isinstance(value, dict) and value:
        for key, one in value.items():
            if dice.random() < 0.1:
                yield f"{margin}# {key}: is a comment"
            yield from entry(dice, f"{margin}{key}:", one, indent)
    elif isinstance(value, list) and value:
        for one in value:
            lines = list(block(dice, one, indent + 2)) if isinstance(one, dict) else \
                [margin + "  " + scalar(dice, one)]
            first = next(i for i, line in enumerate(lines) if not line.strip().startswith("#"))
            yield from lines[:first]
            yield margin + "- " + lines[first].strip()
            yield from lines[first + 1:]
    else:
        raise ValueError(value)


def entry(dice, head, value, indent):
    if isinstance(value, str) or not value or dice.random() < 0.4:
        yield f"{head} {flow(dice, value)}"
        return
    yield head
    yield from block(dice, value, indent + dice.choice((1, 2, 4)))


def write(dice, file):
    if dice.random() < 0.2:
        return json.dumps(file, indent=dice.choice((None, 1)))  # which is YAML, too
    return "\n".join(block(dice, file, 0)) + "\n"


@pytest.mark.parametrize("seed", range(300))
def test_random_files(tmp_path, seed):
    dice = random.Random(seed)
    file = draw_file(dice)
    path = tmp_path / "policy.yaml"
    path.write_text(write(dice, file))
    expected = model(file)
    found = meaning(path)
    assert found.pop("file") == str(path)
    del found["does_nothing"]  # unit/test_policy_text
    assert found == expected
    # what it shows means the same again, and is shown the same again
    shown = check(path, "--show")
    again = tmp_path / "again.yaml"
    again.write_bytes(shown.stdout)
    found = meaning(again)
    del found["file"], found["does_nothing"]
    assert found == expected
    assert check(again, "--show").stdout == shown.stdout


# ---- by hand

def loaded(tmp_path, text):
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\n" + text)
    found = meaning(path)
    return found, {one["name"]: one for one in found["services"]}


def test_the_shortest_file(tmp_path):
    found, _ = loaded(tmp_path, "")
    assert found["default"] == DEFAULT
    assert found["auto_block"] == AUTO_BLOCK
    assert found["flood_defence"] == FLOOD_DEFENCE
    assert found["gateway"] == {"hairpin": "auto"}
    assert found["services"] == []


def test_a_rate_without_burst_has_one_of_its_own(tmp_path):
    _, services = loaded(tmp_path, """
default: {limits: {syn_rate: {per_second: 100, burst: 200}}}
services:
  - {name: inherits, ports: [1]}
  - {name: rate, ports: [2], limits: {syn_rate: {per_second: 1000}}}
  - {name: burst, ports: [3], limits: {syn_rate: {burst: 1000}}}
  - {name: none, ports: [4], limits: {syn_rate: {per_second: 0}}}
""")
    rates = {name: one["limits"]["syn_rate"] for name, one in services.items()}
    assert rates == {"inherits": {"per_second": 100, "burst": 200},
                     "rate": {"per_second": 1000, "burst": 1000},
                     "burst": {"per_second": 100, "burst": 1000},
                     "none": {"per_second": 0, "burst": 0}}


def test_default_may_stand_last(tmp_path):
    _, services = loaded(tmp_path, "services: [{name: web}]\ndefault: {mode: enforce}\n")
    assert services["web"]["mode"] == "enforce"


def test_aliases_stand_for_what_they_name(tmp_path):
    _, services = loaded(tmp_path, """
services:
  - {name: a, ports: &ports [1, 2], family: ipv4, limits: &limits {half_open: {per_source: 7}}}
  - {name: b, ports: *ports, family: ipv6, limits: *limits}
""")
    assert services["a"]["ports"] == services["b"]["ports"] == ["1", "2"]
    assert services["b"]["limits"]["half_open"]["per_source"] == 7


def test_all_of_a_family_in_two_ways(tmp_path):
    _, services = loaded(tmp_path, """
services:
  - {name: a, family: ipv4}
  - {name: b, addresses: ["::/0"]}
  - {name: c, ports: [80]}
""")
    assert list(services) == ["a", "b", "c"]
    assert services["b"]["addresses"] == ["::/0"]


# ---- the examples

@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path):
    found = meaning(path)
    assert found["services"]
    # nothing may be dropped by a file that was copied and not thought about
    assert {one["mode"] for one in [*found["services"], found["default"]]} == {"monitor"}
    text = check(path).stdout.decode()
    assert text.startswith(f"{path}: valid, {len(found['services'])} service")
    for service in found["services"]:
        assert re.search(rf"^  {service['name']} +monitor ", text, re.M)


def test_there_are_examples():
    assert {path.stem for path in EXAMPLES} == {"web-server", "bastion", "gateway", "game-server",
                                                "mail-host"}


def test_a_service_goes_first_wherever_it_stands(tmp_path):
    services = ["{name: wide, ports: [1-1000]}", "{name: one, ports: [22]}",
                "{name: net, addresses: [192.0.2.0/24]}", "{name: host, addresses: [192.0.2.1]}"]
    for seed in range(24):
        random.Random(seed).shuffle(services)
        _, found = loaded(tmp_path, f"services: [{', '.join(services)}]\n")
        assert list(found) == ["host", "net", "one", "wide"]


def test_the_summary(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("""version: 1
default: {actions: {flags_null: count, scan: drop}}
services:
  - name: web
    addresses: [192.0.2.1]
    ports: [80, 443]
    mode: enforce
    strict: yes
    warm_up: 90m
    syn_flood: adaptive
    actions: {flags_null: drop, flags_xmas: count, land: strict, midstream: count}
    limits: {syn_rate: {per_second: 1000, burst: 5000}, half_open: {per_source: 8}}
auto_block: {enabled: yes}
flood_defence: {way: kernel, set_syncookies: yes}
""")
    shown = json.loads(run("check-config", "-j", path).stdout)
    assert [one["key"] for one in shown["does_nothing"]] == ["default.actions.scan"]
    text = check(path).stdout.decode()
    words = " ".join(text.split())
    assert "web enforce yes 1,000/s, 5,000 at once 8 / - adaptive 80, 443 192.0.2.1" in words
    assert "default monitor no - - off others others" in words
    assert "default would drop: tcp_short, tcp_bad_doff, tcp_doff_past_end, flags_xmas," in words
    assert "web passes, unlike default: flags_xmas" in words
    assert "web drops: flags_null " in words
    assert ("web drops where both directions are seen, after a warm-up of 90m: final_ack_bad_seq, "
            "synack_from_originator, simultaneous_open, unsolicited_synack, "
            "resp_data_before_final_ack") in words
    assert ("auto_block: 100 offences within 1m block a source for 10m; at most 1,000 of them at a "
            "time") in words
    assert ("floods are kept off by kernel; net.ipv4.tcp_syncookies may be set for it") in words
    assert "default.actions.scan does nothing: this version does not look for this anomaly" in words
    assert max(map(len, text.splitlines()[4:])) <= 80


def test_help_mentions_the_file():
    text = run("help", "check-config").stdout.decode()
    assert "Usage: synward check-config [OPTION...] FILE" in text
