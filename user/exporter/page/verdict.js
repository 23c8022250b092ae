// SPDX-License-Identifier: GPL-2.0-or-later
// Is it well? One of: ok, flood, bad (something is not as it should be), gone (nobody says so), wait.
import { duration, number, plain, several } from "./words.js";

const REASONS = {
	hook: "A hook is not in its place: run synward status, and attach again, which repairs it.",
	defence: "Floods are not kept off as the policy asks: see synward status.",
	stepped_aside: "The defence of a service has stepped aside, since it locked clients out: SYNs pass there.",
	nothing_watched: "What was attached has ended with its network namespace.",
	sweeper: "The sweeper has stopped: unfinished handshakes are not ended. Run synward attach, which starts it.",
};

// What a flood looks like all in all: a fifth of a second of it may be quiet.
export function looks({ flood }) {
	return flood.on && flood.last ? flood.last.whole : flood.now;
}

// A service whose SYNs are always answered has no flood by that.
export function isFlooded(service) {
	return service.flood.on && (service.flood.reason !== "always" || /^attack/.test(service.flood.verdict));
}

const COUNTED = ["syns", "answered", "completed", "by_cookie"];
const NAMES = 3, SENTENCES = 6; // of floods; the table has them all
const wholes = new Map(); // what was counted of each service's flood at the last look, and of which flood

// Is what was counted then a part of what is counted now? Between two looks one flood may end and another one begin.
function isPart(then, now) {
	return then.flood === now.flood && then.period_ms < now.period_ms && COUNTED.every((name) => then[name] <= now[name]);
}

// What comes to each service a second: since the last look while a flood is on, whose sum is told; else in the last
// fifth of a second.
export function measure(services) {
	for (const service of services) {
		const { now, last, floods } = service.flood;
		const whole = service.flood.on && last ? { ...last.whole, flood: floods } : undefined;
		const before = wholes.get(service.name);
		const since = before && whole && isPart(before, whole) ? before : undefined;
		const ms = since ? whole.period_ms - since.period_ms : now.period_ms;

		service.rates = Object.fromEntries(COUNTED.map((name) => {
			const count = since ? whole[name] - since[name] : now[name];

			return [name, ms ? count * 1000 / ms : 0];
		}));
		wholes.set(service.name, whole);
	}
}

function floodWords(service) {
	const { name, flood, rates } = service;

	const answers = flood.deed === "watched" ? "which pass: the service is only watched" :
						  `of which ${number(rates.answered)} are answered`;

	return `${name}: ${number(rates.syns)} SYNs a second, ${answers}; ` +
	       `${number(rates.completed)} clients a second get in, ${number(rates.by_cookie)} of them by cookie; ` +
	       `on for ${duration(flood.changed_ms)}; ${looks(service).words}.`;
}

export function judge(seen, gone) {
	const { status } = seen;

	if (seen.heard === null && !gone)
		return { level: "wait", short: "Asking", words: "Asking the exporter" };
	if (gone)
		return { level: "gone", short: "No answer",
			 words: seen.heard === null ? "The exporter does not answer" : "The exporter does not answer any more",
			 detail: "What is shown below is old. What is attached goes on by itself: on the host, synward status." };
	if (!status)
		return { level: "bad", short: "Not readable", words: "What is attached cannot be read", detail: seen.error };
	if (!status.attached)
		return { level: "bad", short: "Nothing attached", words: "Nothing is attached",
			 detail: "No handshake is watched and no flood is kept off. On the host: synward attach IFACE." };

	const floods = status.policy.services.filter(isFlooded);
	const sentences = floods.slice(0, SENTENCES).map(floodWords);
	const reasons = status.degraded_reasons.filter((reason) => reason !== "hook_unknown");

	if (reasons.length)
		return { level: "bad", short: "Degraded", words: floods.length ? "Degraded, and under a flood" : "Degraded",
			 reasons: [...reasons.map((reason) => REASONS[reason] ?? plain(reason)), ...sentences] };
	if (floods.length)
		return { level: "flood", short: "Flood", words: `A flood is on: ${several(floods.map((one) => one.name), NAMES)}`,
			 reasons: sentences };
	return { level: "ok", short: "Well", words: "All is well",
		 detail: status.policy.drops ? "No flood is on. What the policy forbids is dropped." :
					       "No flood is on. Everything is watched, and nothing is dropped." };
}
