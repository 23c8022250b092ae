// SPDX-License-Identifier: GPL-2.0-or-later
// Asks the exporter, every so often and when an event says that something has happened, and shows what it says.
import { draw, latest, restyle } from "./charts.js";
import { follow } from "./events.js";
import { append, follows } from "./history.js";
import { judge, measure } from "./verdict.js";
import { showDrops, showInterfaces, showServices, showSources } from "./tables.js";
import { become, duration, find, latency, make, number, say } from "./words.js";

const OFTEN_MS = 3000, SELDOM_MS = 6000;
const SOON_MS = 250; // between two looks, however many events there are
const OLD_MS = 10000; // whom nobody answers for so long shows what was
/*
 * Times are those of performance.now(), which goes on whatever is done to the time of day. heard: the last answer; asked:
 * since when there is none, which is not the same, since a tab that is not looked at does not ask.
 */
const seen = { status: null, history: null, heard: null, asked: null, seldom: -Infinity, error: "" };
let asking = false, again = false, began = -Infinity, timer = null;

async function ask(path) {
	const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(8000) });
	const body = await answer.json();

	if (!answer.ok)
		throw Object.assign(new Error(body.error), { told: true, failure: body.failure });
	return body;
}

async function askHistory() {
	const known = seen.history;
	const found = await ask(`api/v1/history?from=${known?.next ?? 0}`);

	if (known && follows(found, known))
		append(known, found, found.kept);
	else
		seen.history = found.first ? await ask("api/v1/history") : found;
}

// ---- what is shown

function showVerdict() {
	const gone = seen.asked !== null && performance.now() - seen.asked > OLD_MS;
	const found = judge(seen, gone);

	document.body.dataset.level = found.level;
	say("verdict", found.words);
	say("detail", found.detail ?? "");
	become(find("reasons"), (found.reasons ?? []).map((reason) => make("li", reason)));
	document.title = `${found.short} – synward`;
	say("mode", seen.status?.attached ? seen.status.policy.drops ? "enforcing" : "monitoring only" : "");
	say("fresh", found.level === "wait" ? "connecting" : !gone ? "live" :
		     seen.heard === null ? "not live" : `old by ${duration(performance.now() - seen.heard)}`);
}

function showTiles() {
	const now = seen.history && latest(seen.history), up = seen.status?.attached;
	const tiles = up && now ? now : {};

	// when those end that were only counted is not known
	const about = tiles.estimated ? "~" : "";

	find("tile-rate").textContent = about + number(tiles.rate);
	find("tile-accepted").textContent = tiles.ended ? `${about}${number(tiles.accepted * 100 / tiles.ended)} %` : "–";
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
		draw(seen.history, performance.now() - seen.heard);
}

// ---- asking

async function askSeldom() {
	if (performance.now() - seen.seldom < SELDOM_MS || !seen.status?.attached)
		return;
	seen.seldom = performance.now();
	const [stats, top] = await Promise.all([ask("api/v1/stats"), ask("api/v1/top?limit=10")]);

	showDrops(stats, seen.status);
	showSources(top);
}

function hear() {
	seen.heard = performance.now();
	seen.asked = null;
}

async function look() {
	if (asking) {
		again = true;
		return;
	}
	asking = true;
	again = false;
	began = performance.now();
	seen.asked ??= began;
	try {
		[seen.status] = await Promise.all([ask("api/v1/status?tables=no"), askHistory()]);
		measure(seen.status.attached ? seen.status.policy.services : []);
		seen.error = "";
		hear();
		await askSeldom();
	} catch (error) {
		if (error.told) { // it lives, and says what is wrong
			seen.status = null;
			seen.error = error.message;
			hear();
		}
	}
	asking = false;
	show();
	if (again)
		lookSoon();
}

function lookSoon() {
	timer ??= setTimeout(() => {
		timer = null;
		look();
	}, Math.max(0, began + SOON_MS - performance.now()));
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
setInterval(() => document.hidden && seen.asked === null || look(), OFTEN_MS);
setInterval(showVerdict, 1000);
document.addEventListener("visibilitychange", () => document.hidden || look());
follow(lookSoon);
