-- SPDX-License-Identifier: MIT
PRAGMA user_version = 5;

CREATE TABLE measurements (
	result_id INTEGER NOT NULL REFERENCES results (id),
	name TEXT NOT NULL,
	unit TEXT NOT NULL,
	value REAL NOT NULL,
	PRIMARY KEY (result_id, name, unit)
) STRICT, WITHOUT ROWID;
INSERT INTO measurements (result_id, name, unit, value)
SELECT r.id, json_extract(m.value, '$.name'), coalesce(json_extract(m.value, '$.unit'), ''),
	json_extract(m.value, '$.value')
FROM results r JOIN documents d ON d.result_id = r.id, json_each(d.document, '$.metrics') m
WHERE r.status = 'DONE' AND NOT r.closing
	AND json_type(m.value, '$.value') IN ('integer', 'real')
ON CONFLICT DO NOTHING;

CREATE TABLE regression_metrics (
	regression_id INTEGER PRIMARY KEY REFERENCES regressions (id),
	name TEXT NOT NULL,
	unit TEXT NOT NULL,
	worse TEXT NOT NULL CHECK (worse IN ('more', 'less')),
	accel TEXT NOT NULL
) STRICT;
