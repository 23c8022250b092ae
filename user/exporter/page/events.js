// SPDX-License-Identifier: GPL-2.0-or-later
// The last events, as the exporter tells them.
import { describe, find, make } from "./words.js";

const FIRST = 500; // of what was before
const SHOWN = 60;
const LOUD = 6; // floods and changes are not to be pushed out by handshakes
const RATE_MS = 250; // a list that changes more often can be read by nobody
const COME_AGAIN_MS = 10000;
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

function take(event) {
	const told = describe(event), { [told.loud ? "loud" : "events"]: to } = waiting;

	to.push(told);
	if (to.length > 4 * SHOWN)
		to.splice(0, to.length - SHOWN);
	timer ??= setTimeout(show, RATE_MS);
}

// Calls changed() when an event says that something other than a handshake has happened.
export function follow(changed) {
	const stream = new EventSource(`api/v1/events?last=${FIRST}`);

	stream.onmessage = (message) => {
		const event = JSON.parse(message.data);

		take(event);
		if (TELLING.test(event.event_type))
			changed();
	};
	stream.addEventListener("up", () => {
		find("events-note").textContent = "As they happen.";
		changed();
	});
	stream.addEventListener("down", (message) => {
		find("events-note").textContent = JSON.parse(message.data).error;
		changed();
	});
	stream.onerror = () => {
		find("events-note").textContent = "Not connected: the exporter is gone, or too many follow the events.";
		if (stream.readyState === EventSource.CLOSED)
			setTimeout(() => follow(changed), COME_AGAIN_MS);
	};
	stream.onopen = () => {
		find("events-note").textContent = "As they happen.";
	};
}
