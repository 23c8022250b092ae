// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers and events in words, and elements that hold text. Nothing here is ever taken for HTML: a name of an
// interface may be anything.

export function find(id) {
	return document.getElementById(id);
}

// What has no width, or turns round the text about it, is shown by its number: else a name could look like another one.
export function visible(text) {
	return String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);
}

// An element with a text, a class and what is inside.
export function make(tag, text, kind, ...inside) {
	const made = document.createElement(tag);

	if (text !== undefined && text !== null)
		made.textContent = visible(text);
	if (kind)
		made.className = kind;
	made.append(...inside);
	return made;
}

// Only what has changed is touched: a screen reader is told no more than that, and what is selected stays so.
export function say(id, text) {
	const at = find(id), shown = visible(text);

	if (at.textContent !== shown)
		at.textContent = shown;
}

// Gives an element these children, in the same manner.
export function become(parent, children) {
	children.forEach((child, i) => {
		const old = parent.children[i];

		if (!old)
			parent.append(child);
		else if (old.isEqualNode(child))
			return;
		else if (child.children.length && child.children.length === old.children.length)
			become(old, [...child.children]);
		else
			old.replaceWith(child);
	});
	while (parent.children.length > children.length)
		parent.lastElementChild.remove();
}

// The first names of many.
export function several(names, most) {
	const more = names.length - most;

	return more > 0 ? `${names.slice(0, most).join(", ")} and ${more} more` : names.join(", ");
}

export function number(value) {
	if (value === null || value === undefined || Number.isNaN(value))
		return "–";
	if (value !== 0 && Math.abs(value) < 9.95)
		return value.toLocaleString("en", { maximumFractionDigits: 1 });
	if (value >= 1e6)
		return `${(value / 1e6).toLocaleString("en", { maximumFractionDigits: value < 1e7 ? 2 : 1 })}\u00a0M`;
	return Math.round(value).toLocaleString("en");
}

// Of microseconds.
export function latency(us) {
	if (us === null || us === undefined)
		return "–";
	if (us < 1000)
		return `${Math.round(us)}\u00a0µs`;
	return us < 1e6 ? `${number(us / 1e3)}\u00a0ms` : `${number(us / 1e6)}\u00a0s`;
}

// Of milliseconds.
export function duration(ms) {
	const seconds = Math.floor(ms / 1000);

	if (seconds < 60)
		return `${seconds} s`;
	if (seconds < 3600)
		return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
	return seconds < 172800 ? `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min` :
				  `${Math.floor(seconds / 86400)} days`;
}

// When something was, as this browser's clock has it, like the charts: today the time, before that the day, too.
export function moment(ms) {
	const at = new Date(ms), time = at.toLocaleTimeString("en-GB");

	return at.toDateString() === new Date().toDateString() ? time :
	       `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${time.slice(0, 5)}`;
}

export function plain(name) {
	return String(name).replaceAll("_", " ");
}

function end(address, port) {
	return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

function ends(event) {
	if (!event.src_ip)
		return "";
	return event.dest_ip ? `${end(event.src_ip, event.src_port)} → ${end(event.dest_ip, event.dest_port)}` :
			       event.src_ip;
}

function of(event, own) {
	switch (event.event_type) {
	case "handshake":
		return [own.outcome, own.reason && `by ${own.reason}`,
			own.latency_us?.syn_to_synack !== undefined && `server ${latency(own.latency_us.syn_to_synack)}`];
	case "anomaly":
		return ["anomaly", own.names.map(plain).join(", "), own.verdict === "dropped" && "dropped"];
	case "limit":
		return [own.name, own.service, own.verdict === "dropped" && "dropped"];
	case "missed":
		return ["missed", `${number(own.count)} events: they came too fast`];
	case "list":
		return [`${own.name} list`, own.action, own.prefix ?? `${number(own.count)} prefixes`];
	case "policy": case "arming": case "interface":
		return [event.event_type, own.action, own.name];
	default:
		return [event.event_type, own.service, own.evidence?.words ?? own.words];
	}
}

const LOUD = /^(flood_|missed|blocked|policy|arming|interface|list)/;

export function describe(event) {
	const [word, ...rest] = of(event, event[event.event_type] ?? {});
	const parts = [ends(event), event.in_iface, ...rest].filter(Boolean);

	return { word: plain(word), text: parts.join("  "), loud: LOUD.test(event.event_type),
		 time: moment(event.timestamp_unix_ms) };
}
