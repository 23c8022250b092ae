// SPDX-License-Identifier: GPL-2.0-or-later
// One stream of events for all pages of this browser. Each takes a connection for as long as it is open, of which a browser has
// six to a host: with six pages open no seventh would be loaded, and none would get an answer any more.
import { FIRST, listen } from "./stream.js";

const pages = new Set();
const told = []; // the last events, for a page that comes later
let state = null;

function tell(message) {
	if (message.kind === "event")
		told.push(message);
	else
		state = message;
	if (told.length > FIRST)
		told.shift();
	for (const page of pages)
		page.postMessage(message);
}

onconnect = ({ ports: [page] }) => {
	pages.add(page);
	page.onmessage = () => pages.delete(page); // it says only that it goes
	for (const message of state ? [...told, state] : told)
		page.postMessage(message);
};

listen(tell);
