// SPDX-License-Identifier: GPL-2.0-or-later
// The events, as the exporter streams them: once for a page alone, or for all pages of this browser, in shared.js.

export const FIRST = 500; // of what was before
const COME_AGAIN_MS = 10000;

// The id of an event is INSTANCE-NUMBER. Who begins anew is told again what was before.
function isNew(id, last) {
	const [instance, number] = id.split("-");

	if (instance === last.instance && Number(number) <= last.number)
		return false;
	last.instance = instance;
	last.number = Number(number);
	return true;
}

// Calls tell() with each: {kind: "event", event}, {kind: "up"}, {kind: "down", error}, {kind: "lost"}.
export function listen(tell, last = { instance: "", number: 0 }) {
	const stream = new EventSource(new URL(`../api/v1/events?last=${FIRST}`, import.meta.url));

	stream.onmessage = ({ data, lastEventId }) => {
		if (isNew(lastEventId, last))
			tell({ kind: "event", event: JSON.parse(data) });
	};
	stream.addEventListener("up", () => tell({ kind: "up" }));
	stream.addEventListener("down", ({ data }) => tell({ kind: "down", error: JSON.parse(data).error }));
	stream.onerror = () => {
		tell({ kind: "lost" });
		if (stream.readyState === EventSource.CLOSED)
			setTimeout(() => listen(tell, last), COME_AGAIN_MS);
	};
}
