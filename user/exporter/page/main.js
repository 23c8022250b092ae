// SPDX-License-Identifier: GPL-2.0-or-later
// Asks the exporter, every so often and when an event says that something has happened, and shows what it says.
import { draw, latest, restyle } from "./charts.js";
import { follow } from "./events.js";
import { judge, measure } from "./verdict.js";
import { showDrops, showInterfaces, showServices, showSources } from "./tables.js";
import { duration, find, latency, make, number, say } from "./words.js";

const OFTEN_MS = 3000, SELDOM_MS = 6000;
const OLD_MS = 10000; // who has heard nothing for so long shows what was
const seen = { status: null, history: null, stats: null, heard: 0, seldom: 0, error: "" };
let asking = false, again = false;

async function ask(path) {
	const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(8000) });
	const body = await answer.json();

	if (!answer.ok)
		throw Object.assign(new Error(body.error), { told: true, failure: body.failure });
	return body;
}

// ---- the history: what is new behind what is there

function append(to, from, most) {
	for (const [name, value] of Object.entries(from)) {
		if (Array.isArray(value))
			to[name] = to[name].concat(value).slice(-most);
		else if (typeof value === "object" && value)
			append(to[name], value, most);
		else if (name !== "first")
			to[name] = value;
	}
}

async function askHistory() {
	const known = seen.history?.next;
	const found = await ask(`api/v1/history?from=${known ?? 0}`);

	if (known === undefined)
		seen.history = found;
	else if (found.first !== known) // the exporter was started anew, or kept no more of it
		seen.history = found.first ? await ask("api/v1/history") : found;
	else
		append(seen.history, found, found.kept);
}

// ---- what is shown

function showVerdict() {
	const gone = Date.now() - seen.heard > OLD_MS;
	const found = judge(seen, gone);

	document.body.dataset.level = found.level;
	say("verdict", found.words);
	find("detail").textContent = found.detail ?? "";
	find("reasons").replaceChildren(...(found.reasons ?? []).map((reason) => make("li", reason)));
	document.title = `${found.short} – synward`;
	say("mode", seen.status?.attached ? seen.status.policy.drops ? "enforcing" : "monitoring only" : "");
	find("fresh").textContent = gone ? "not live" : "live";
}

function showTiles() {
	const now = seen.history && latest(seen.history), up = seen.status?.attached;
	const tiles = up && now ? now : {};

	find("tile-rate").textContent = number(tiles.rate);
	find("tile-accepted").textContent = tiles.ended ? `${number(tiles.accepted * 100 / tiles.ended)} %` : "–";
	find("tile-half").textContent = number(up ? seen.status.half_open : undefined);
	find("tile-connections").textContent = number(up ? seen.status.connections : undefined);
	find("tile-server").textContent = latency(tiles.server);
	find("tile-client").textContent = latency(tiles.client);
	find("tile-answered").textContent = number(tiles.answered);
	find("tile-dropped").textContent = number(tiles.dropped);
}

function show() {
	showVerdict();
	showTiles();
	if (seen.status) {
		showServices(seen.status);
		showInterfaces(seen.status);
	}
	if (seen.history)
		draw(seen.history);
}

// ---- asking

async function askSeldom() {
	if (Date.now() - seen.seldom < SELDOM_MS || !seen.status?.attached)
		return;
	seen.seldom = Date.now();
	const [stats, top] = await Promise.all([ask("api/v1/stats"), ask("api/v1/top?limit=10")]);

	seen.stats = stats;
	showDrops(stats, seen.status);
	showSources(top);
}

async function look() {
	if (asking) {
		again = true;
		return;
	}
	asking = true;
	again = false;
	try {
		[seen.status] = await Promise.all([ask("api/v1/status?tables=no"), askHistory()]);
		measure(seen.status.attached ? seen.status.policy.services : []);
		seen.error = "";
		seen.heard = Date.now();
		await askSeldom();
	} catch (error) {
		if (error.told) { // it lives, and says what is wrong
			seen.status = null;
			seen.error = error.message;
			seen.heard = Date.now();
		}
	}
	asking = false;
	show();
	if (again)
		look();
}

// ---- the theme: that of the system, or the one that was chosen

const THEMES = ["system", "light", "dark"];
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function stored() {
	try {
		return localStorage.getItem("synward-theme");
	} catch {
		return null; // it may be forbidden
	}
}

let theme = THEMES.includes(stored()) ? stored() : "system";

function dress() {
	document.documentElement.dataset.theme = theme === "system" ? prefersDark.matches ? "dark" : "light" : theme;
	find("theme").textContent = `Theme: ${theme}`;
	restyle();
}

find("theme").addEventListener("click", () => {
	theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
	try {
		localStorage.setItem("synward-theme", theme);
	} catch { /* then it is for this time only */ }
	dress();
});
prefersDark.addEventListener("change", dress);

// ---- begin

say("host", location.host);
dress();
look();
setInterval(() => document.hidden || look(), OFTEN_MS);
setInterval(() => {
	showVerdict();
	if (Date.now() - seen.heard > OLD_MS && seen.heard)
		find("fresh").textContent = `old by ${duration(Date.now() - seen.heard)}`;
}, 1000);
document.addEventListener("visibilitychange", () => document.hidden || look());
follow(look);
