-- SPDX-License-Identifier: MIT
PRAGMA user_version = 2;

CREATE TABLE injections (
	run_id INTEGER NOT NULL REFERENCES runs (id),
	scenario TEXT NOT NULL,
	stack TEXT NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (run_id, scenario, stack)
) STRICT, WITHOUT ROWID;

INSERT INTO injections (run_id, scenario, stack, count)
SELECT r.run_id, r.scenario, s.value, sum(json_extract(i.value, '$.count'))
FROM results r JOIN documents d ON d.result_id = r.id
JOIN json_each(d.document, '$.stacks') s JOIN json_each(d.document, '$.stack_info') i
	ON i.key = s.key
WHERE r.injected_on > 0 AND json_extract(i.value, '$.on_target')
GROUP BY 1, 2, 3;
