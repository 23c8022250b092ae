// SPDX-License-Identifier: GPL-2.0-or-later
// The charts of the last 15 minutes, drawn by uPlot, each with a key that says the values under the pointer, or
// the last ones.
import { find, make, number, latency } from "./words.js";

const MINUTES = 15;
const OUTCOMES = [
	["Accepted", "s0", ["accepted", "accepted_simopen"]],
	["Rejected", "s1", ["rejected", "rejected_unverified"]],
	["No response", "s2", ["no_response", "resp_no_synack"]],
	["Half-open", "s3", ["half_open"]],
	["Given up", "s4", ["aborted_orig", "aborted_resp", "cancelled", "fin_in_handshake"]],
	["Not seen from its beginning", "s5", ["one_sided", "midstream", "synack_pickup", "unsolicited_synack"]],
	["Malformed", "s6", ["bad_synack", "illegal_first", "undecodable"]],
];
// Of a flood: in the kernel no entry was made of them, and no segment has told how they ended.
const ONLY_COUNTED = ["Only counted", "s7"];
const QUANTILES = [["p99", "s3", "p99_us"], ["p90", "s1", "p90_us"], ["p50", "s0", "p50_us"]];

const rate = (column, history) => column.map((count, i) =>
	count === null || !history.duration_ms[i] ? null : count * 1000 / history.duration_ms[i]);
const sum = (columns) => columns[0].map((first, i) =>
	first === null ? null : columns.reduce((all, one) => all + one[i], 0));

// Some of one sample may be recognised in the next one.
function onlyCounted(history) {
	const { attempts_unfollowed: counted, attempts_recognised: recognised } = history.tallies;

	return counted.map((count, i) => count === null ? null : Math.max(0, count - recognised[i]));
}

function outcomes(history) {
	return [...OUTCOMES.map(([, , names]) => rate(sum(names.map((name) => history.handshakes[name])), history)),
		rate(onlyCounted(history), history)];
}

function quantiles(which) {
	return (history) => {
		const of = history.latency[which];

		return QUANTILES.map(([, , name]) => of[name].map((us, i) => of.count[i] ? us : null));
	};
}

// Each: where, its series as [name, colour], what they are of a history, how a value is said.
const CHARTS = [
	{ id: "chart-outcomes", series: [...OUTCOMES, ONLY_COUNTED], values: outcomes, say: number, stacked: true },
	{ id: "chart-server", series: QUANTILES, values: quantiles("syn_to_synack"), say: latency, log: true },
	{ id: "chart-client", series: QUANTILES, values: quantiles("synack_to_ack"), say: latency, log: true },
	{ id: "chart-half", series: [["Half-open", "s3"]], values: (history) => [history.half_open], say: number, filled: true },
	{ id: "chart-kept", series: [["Answered", "s5"], ["Dropped", "s6"], ["Would be dropped", "s1"]], say: number,
	  values: (history) => [
		  rate(sum([history.tallies.cookies_sent, history.tallies.challenges_sent]), history),
		  rate(history.packets.dropped, history), rate(history.would_drop, history)] },
];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// The sum of each and those before it.
function stack(values) {
	const sums = values.map(() => []);

	values[0].forEach((_, at) => {
		let total = 0;

		values.forEach((column, i) => {
			total += column[at] ?? 0;
			sums[i][at] = column[at] === null ? null : total;
		});
	});
	return sums;
}

class Chart {
	constructor(how) {
		this.how = how;
		this.box = find(how.id);
		this.key = make("ul", null, "key");
		this.cells = how.series.map(([name, tone]) => {
			const mark = make("i"), value = make("b", "–");

			mark.style.background = `var(--${tone})`;
			this.key.append(make("li", null, null, mark, make("span", name), value));
			return value;
		});
		this.plot = make("div");
		this.plot.setAttribute("role", "img");
		this.box.append(this.key, this.plot);
		this.values = how.series.map(() => []);
		new ResizeObserver(() => this.resize()).observe(this.box);
	}

	size() {
		const wide = this.box.closest(".wide");

		return { width: Math.max(200, this.box.clientWidth), height: wide ? (innerWidth < 761 ? 190 : 230) : 160 };
	}

	resize() {
		if (this.drawn && this.drawn.width !== this.size().width)
			this.drawn.setSize(this.size());
	}

	options() {
		const { how } = this, soft = colour("soft"), grid = { stroke: colour("grid"), width: 1 };
		const axis = { stroke: soft, grid, ticks: { show: false }, font: "12px system-ui, sans-serif" };
		const series = how.series.map(([label, tone]) => {
			const stroke = colour(tone);
			const full = how.stacked ? stroke : how.filled ? `${stroke}44` : undefined;

			return { label, stroke, fill: full, width: how.stacked ? 1 : 2, points: { show: false }, spanGaps: false };
		});
		const range = how.log ? (u, low, high) => high ? [10 ** Math.floor(Math.log10(Math.max(1, low))),
								 10 ** Math.ceil(Math.log10(high + 1))] : [10, 1000] :
					(u, low, high) => [0, Math.max(5, high * 1.1)];
		const decades = (u, splits) => splits.map((one) => Number.isInteger(Math.log10(one)) ? one : null);

		return {
			...this.size(), series: [{}, ...(how.stacked ? series.reverse() : series)], legend: { show: false }, padding: [8, 8, 0, 0],
			scales: { x: { time: true, range: () => [this.until - MINUTES * 60, this.until] },
				  y: { range, distr: how.log ? 3 : 1 } },
			axes: [{ ...axis, size: 30, space: 70, incrs: [60, 120, 300, 900], values: "{HH}:{mm}" },
			       { ...axis, size: 62, ...(how.log && { filter: decades, grid: { ...grid, filter: decades } }), values: (u, at) => at.map((one) => one === null ? "" : how.say(one)) }],
			cursor: { sync: { key: "time" }, drag: { x: false, y: false }, points: { show: !how.stacked }, y: false },
			hooks: { setCursor: [(u) => this.tell(u.cursor.idx)] },
		};
	}

	// The values at a place, or the last ones.
	tell(at) {
		const last = this.values[0].length - 1;

		this.values.forEach((column, i) => {
			this.cells[i].textContent = this.how.say(column[at ?? last] ?? null);
		});
		if (at === null || at === undefined)
			this.plot.setAttribute("aria-label", this.how.series.map(([name], i) =>
				`${name} ${this.cells[i].textContent}`).join(", "));
	}

	show(history, until) {
		this.until = until;
		this.values = this.how.values(history);
		// uPlot draws one over the other: so the largest sum comes first
		this.data = [history.time_ms.map((ms) => ms / 1000),
			     ...(this.how.stacked ? stack(this.values).reverse() : this.values)];
		if (this.drawn)
			this.drawn.setData(this.data);
		else
			this.drawn = new uPlot(this.options(), this.data, this.plot);
		this.tell(this.drawn.cursor.idx);
	}

	restyle() {
		this.drawn?.destroy();
		if (this.data)
			this.drawn = new uPlot(this.options(), this.data, this.plot);
	}
}

const charts = CHARTS.map((how) => new Chart(how));

// Times are those of the exporter's clock, whatever that of this browser says; old_ms is for how long nothing was heard.
export function draw(history, old_ms) {
	const until = ((history.time_ms.at(-1) ?? Date.now()) + old_ms) / 1000;

	for (const chart of charts)
		chart.show(history, until);
}

export function restyle() {
	for (const chart of charts)
		chart.restyle();
}

// Of the last sample of which anything is known: what the tiles say.
export function latest(history) {
	const at = history.duration_ms.findLastIndex((ms) => ms);

	if (at < 0)
		return null;
	const per = (column) => column[at] * 1000 / history.duration_ms[at];
	const counted = onlyCounted(history)[at];
	const ended = Object.values(history.handshakes).reduce((all, one) => all + one[at], counted);
	const accepted = history.handshakes.accepted[at] + history.handshakes.accepted_simopen[at];
	const quantile = (which) => history.latency[which].count[at] ? history.latency[which].p99_us[at] : null;

	return { rate: ended * 1000 / history.duration_ms[at], ended, accepted, estimated: counted > 0, server: quantile("syn_to_synack"),
		 client: quantile("synack_to_ack"), dropped: per(history.packets.dropped),
		 answered: per(history.tallies.cookies_sent) + per(history.tallies.challenges_sent) };
}
