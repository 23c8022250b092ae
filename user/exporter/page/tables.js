// SPDX-License-Identifier: GPL-2.0-or-later
// The tables: services, sources, rules that drop or would, interfaces.
import { isFlooded, looks } from "./verdict.js";
import { become, duration, find, make, number, plain } from "./words.js";

const WAYS = { handover: "cookies, handed over", kernel: "the kernel's cookies", challenge: "challenges" };

function fill(id, rows, columns, nothing) {
	const cell = make("td", nothing, "none");

	cell.colSpan = columns;
	become(find(id), rows.length ? rows : [make("tr", null, null, cell)]);
}

function row(name, ...cells) {
	const head = make("th", name);

	head.scope = "row";
	return make("tr", null, null, head, ...cells);
}

const count = (value) => make("td", number(value), "n");

function state(service) {
	const { flood } = service, check = flood.self_check;

	if (check.phase === "aside" || check.phase === "tries")
		return make("td", check.phase === "tries" ? "steps aside, tries again" : "has stepped aside", "lost");
	if (isFlooded(service))
		return make("td", `on for ${duration(flood.changed_ms)}`, "on");
	if (flood.defence === "off")
		return make("td", "not kept off", "none");
	if (flood.on)
		return make("td", "none; always answered", "fine");
	return make("td", flood.floods ? `none for ${duration(flood.changed_ms)}` : "none", "fine");
}

export function showServices(status) {
	const services = status.attached ? status.policy.services : [];

	fill("services", services.map((service) => {
		const { flood, rates } = service;

		return row(service.name, state(service), make("td", looks(service).words), count(rates.syns), count(rates.answered),
			   count(rates.completed), count(flood.half_open), count(flood.sources));
	}), 8, "Nothing is attached.");
}

export function showSources(top) {
	fill("sources", top.sources.map((source) =>
		row(source.source, count(source.syns.count), count(source.anomalies.count))), 3, "Nobody has sent anything.");
}

export function showDrops(stats, status) {
	const rows = [...Object.entries(stats.anomalies), ...Object.entries(stats.limits)]
		.filter(([, rule]) => rule.dropped || rule.would_drop)
		.sort(([, a], [, b]) => b.dropped + b.would_drop - a.dropped - a.would_drop);

	find("drops-note").textContent = status.policy.drops ? "By rule, since the attach: segments." :
		"By rule, since the attach: segments. Nothing is dropped now, only watched.";
	fill("drops", rows.map(([name, rule]) =>
		row(plain(name), count(rule.seen), count(rule.would_drop), count(rule.dropped))), 4,
	     "Nothing was, and nothing would have been.");
}

function health(one) {
	const lost = ["ingress", "egress"].filter((hook) => !["ok", "unknown"].includes(one[hook].health));

	if (lost.length)
		return make("td", lost.map((hook) => `${hook} ${one[hook].health}`).join(", "), "lost");
	return one.flood && !one.flood.ok ? make("td", "floods are not kept off as the policy asks", "lost") :
					    make("td", "in place", "fine");
}

export function showInterfaces(status) {
	fill("interfaces", (status.attached ? status.interfaces : []).map((one) =>
		row(one.name, make("td", one.mode), make("td", WAYS[one.flood?.way ?? status.policy.flood_way] ?? "each its own way"),
		    health(one))), 4, "None is attached.");
}
