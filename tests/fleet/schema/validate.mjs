// SPDX-License-Identifier: GPL-2.0-or-later
// Compares objects, a list of them in JSON on standard input, with the schema of their kind: a line for each that is wrong.
import { readFileSync } from 'node:fs';
import * as core from 'kubernetes-models/v1';
import * as apps from 'kubernetes-models/apps/v1';
import * as monitoring from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';

const groups = { 'v1': core, 'apps/v1': apps, 'monitoring.coreos.com/v1': monitoring };

for (const object of JSON.parse(readFileSync(0, 'utf8'))) {
	try {
		new groups[object.apiVersion][object.kind](object).validate();
	} catch (error) {
		console.log(`${object.kind}: ${error.message}`);
		process.exitCode = 1;
	}
}
