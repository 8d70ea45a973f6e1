-- SPDX-License-Identifier: MIT
PRAGMA user_version = 9;

CREATE TABLE run_values (
	run_id INTEGER NOT NULL REFERENCES runs (id),
	kind TEXT NOT NULL CHECK (kind IN ('counter', 'injected', 'metric')),
	scenario TEXT NOT NULL,
	fault TEXT NOT NULL,
	name TEXT NOT NULL,
	unit TEXT NOT NULL,
	value REAL NOT NULL,
	PRIMARY KEY (run_id, kind, scenario, fault, name, unit)
) STRICT, WITHOUT ROWID;

INSERT INTO run_values (run_id, kind, scenario, fault, name, unit, value)
SELECT r.run_id, 'counter', '', '', c.key, '', sum(json_extract(c.value, '$.delta'))
FROM results r JOIN documents d ON d.result_id = r.id, json_each(d.document, '$.counters') c
WHERE NOT r.closing GROUP BY r.run_id, c.key;

INSERT INTO run_values (run_id, kind, scenario, fault, name, unit, value)
SELECT run_id, 'injected', '', '', 'on_target', '', sum(injected_on)
FROM results WHERE NOT closing AND scenario <> 'build' GROUP BY run_id
UNION ALL
SELECT run_id, 'injected', '', '', 'off_target', '', sum(injected_off)
FROM results WHERE NOT closing AND scenario <> 'build' GROUP BY run_id;

INSERT INTO run_values (run_id, kind, scenario, fault, name, unit, value)
WITH v AS (
	SELECT r.run_id, r.scenario, r.fault, m.name, m.unit, m.value,
		row_number() OVER (PARTITION BY r.run_id, r.scenario, r.fault, m.name, m.unit
			ORDER BY m.value) AS i,
		count(*) OVER (PARTITION BY r.run_id, r.scenario, r.fault, m.name, m.unit) AS n
	FROM measurements m JOIN results r ON r.id = m.result_id
)
SELECT run_id, 'metric', scenario, fault, name, unit, avg(value) FROM v
WHERE i IN ((n + 1) / 2, (n + 2) / 2) GROUP BY run_id, scenario, fault, name, unit;
