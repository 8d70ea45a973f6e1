// SPDX-License-Identifier: MIT
//
// node validate.cjs MODULES SCHEMA FILE...: holds JSON documents against a draft-07 schema, with
// format checks. One line for each thing that is wrong: "FILE: /path/in/it keyword message". Exit
// status 1 if there is any, 2 when it cannot be told.
'use strict';
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

const [modules, schemaFile, ...files] = process.argv.slice(2);
if (!files.length) {
	console.error('usage: node validate.cjs MODULES SCHEMA FILE...');
	process.exit(2);
}
const load = createRequire(path.join(path.resolve(modules), 'x.cjs'));
const Ajv = load('ajv').default;
const ajv = new Ajv({ allErrors: true, strict: true });
load('ajv-formats').default(ajv, { mode: 'full' });
const validate = ajv.compile(JSON.parse(fs.readFileSync(schemaFile, 'utf8')));
let wrong = 0;
for (const file of files) {
	if (validate(JSON.parse(fs.readFileSync(file, 'utf8'))))
		continue;
	for (const e of validate.errors)
		console.log(`${file}: ${e.instancePath || '/'} ${e.keyword} ${e.message}`);
	wrong = 1;
}
process.exit(wrong);
