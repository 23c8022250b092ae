// SPDX-License-Identifier: GPL-2.0-or-later
// The history: what is new behind what is there.

// Does it? The exporter may have been started anew meanwhile, or its clock set: then all of it has to be asked for.
export function follows(found, known) {
	const step = found.time_ms[0] - known.time_ms.at(-1);

	return found.first === known.next && (!found.time_ms.length || (step > 0 && step < 2 * found.interval_ms));
}

// Each array is a column, and has so many samples at most.
export function append(to, from, most) {
	for (const [name, value] of Object.entries(from)) {
		if (Array.isArray(value))
			to[name] = to[name].concat(value).slice(-most);
		else if (typeof value === "object" && value)
			append(to[name], value, most);
		else if (name !== "first")
			to[name] = value;
	}
}
