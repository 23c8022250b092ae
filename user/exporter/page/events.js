// SPDX-License-Identifier: GPL-2.0-or-later
// The last events, as the exporter tells them.
import { listen } from "./stream.js";
import { describe, find, make, say } from "./words.js";

const SHOWN = 60;
const LOUD = 6; // floods and changes are not to be pushed out by handshakes
const RATE_MS = 250; // a list that changes more often can be read by nobody
// These change what the rest of the page says.
const TELLING = /^(flood_|policy|arming|interface|list)/;

const waiting = { loud: [], events: [] };
let timer = null;

function row({ word, text, time }) {
	return make("li", null, null, make("time", time), make("b", word), make("span", text));
}

function show() {
	timer = null;
	for (const [name, most] of [["loud", LOUD], ["events", SHOWN]]) {
		const list = find(name);

		list.prepend(...waiting[name].splice(0).slice(-most).reverse().map(row));
		while (list.children.length > most)
			list.lastChild.remove();
	}
}

function keep(told) {
	const { [told.loud ? "loud" : "events"]: to } = waiting;

	to.push(told);
	if (to.length > 4 * SHOWN)
		to.splice(0, to.length - SHOWN);
	timer ??= setTimeout(show, RATE_MS);
}

function take(message, changed) {
	const { kind, event, error } = message;

	if (kind === "event")
		keep(describe(event));
	else
		say("events-note", kind === "up" ? "As they happen." : error ??
			"Not connected: the exporter is gone, or too many follow the events.");
	if (kind !== "event" || TELLING.test(event.event_type))
		changed();
}

// Calls changed() when an event says that something other than a handshake has happened, and when there is no stream any more.
export function follow(changed) {
	const tell = (message) => take(message, changed);

	if (!window.SharedWorker) { // some telephones
		listen(tell);
		return;
	}
	const worker = new SharedWorker(new URL("shared.js", import.meta.url), { type: "module" }), { port } = worker;

	worker.onerror = () => listen(tell); // it could not be loaded
	port.onmessage = ({ data }) => tell(data);
	addEventListener("pagehide", () => port.postMessage("bye"));
	addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
}
