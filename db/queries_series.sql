-- SPDX-License-Identifier: MIT
--
-- Charts (view_series.c) and the history of a case (view_case.c).

-- name: run_value_add
INSERT INTO run_values (run_id, kind, scenario, fault, name, unit, value)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING

-- name: run_values
-- ?2: only of this name, ?3: only of metrics of this scenario; NULL: whichever.
SELECT kind, scenario, fault, name, unit, value FROM run_values
WHERE run_id = ?1 AND (?2 IS NULL OR name = ?2)
	AND (?3 IS NULL OR (kind = 'metric' AND scenario = ?3))

-- name: series_branch
SELECT b.id, b.repo_id, r.name AS repo, b.ref
FROM branches b JOIN repos r ON r.id = b.repo_id WHERE r.name = ?1 AND b.ref = ?2

-- name: series_runs
-- The commits of a submission, head first, each with the newest answers to its tests.
SELECT c.sha, c.subject, sj.config, r.id, coalesce(json_extract(r.machine, '$.accel'), '')
FROM submission_commits sc JOIN commits c ON c.id = sc.commit_id
LEFT JOIN submission_jobs sj
	ON sj.submission_id = sc.submission_id AND sj.position = sc.position
LEFT JOIN jobs j ON j.id = sj.job_id AND j.kind = 'test'
LEFT JOIN runs r ON r.id = j.final_run_id
WHERE sc.submission_id = ?1 ORDER BY sc.position DESC, sj.config, sj.job_id

-- name: series_regressions
-- The newest of a line of history, and where each begins: at its first bad commit, or as long as that
-- is not known where it was seen.
SELECT g.id, c.sha, g.title FROM regressions g
JOIN commits c ON c.id = coalesce(g.culprit_id, g.bad_id)
WHERE g.repo_id = ?1 AND g.ref = ?2 ORDER BY g.id DESC LIMIT ?3

-- name: case_ever
SELECT run_id FROM cells WHERE scenario = ?1 LIMIT 1

-- name: case_runs
-- The runs that had a case, newest first. ?3, ?4: whether it was asked for by a submission of this
-- repository and ref; NULL: of whichever.
SELECT x.run_id AS run, x.status AS worst, c.sha AS "commit", c.sha AS "short:short", c.subject, rp.name AS repo,
	b.config, coalesce(json_extract(r.machine, '$.accel'), '') AS accel, r.ended_us AS "at:time",
	?4 IS NULL OR EXISTS (SELECT 1 FROM submission_jobs sj
		JOIN submissions s ON s.id = sj.submission_id
		WHERE sj.job_id = r.job_id AND s.ref = ?4
			AND (?3 IS NULL OR s.repo_id = b.repo_id)) AS "of_ref:bool"
FROM cells x CROSS JOIN runs r ON r.id = x.run_id JOIN jobs j ON j.id = r.job_id
JOIN builds b ON b.id = j.build_id JOIN commits c ON c.id = b.commit_id
JOIN repos rp ON rp.id = b.repo_id
WHERE x.scenario = ?1 AND x.run_id <= ?2 ORDER BY x.run_id DESC

-- name: case_results
-- Those of one run, in its order; ?3: only with this mode of fault, or NULL.
SELECT status, json_extract(fault, '$.mode') AS mode, closing, injected_on, injected_off, duration_us,
	id AS result, reason, coalesce(splat_title, detail) AS detail, fault AS "fault:json"
FROM results WHERE scenario = ?1 AND run_id = ?2
	AND status IN ('FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP')
	AND (?3 IS NULL OR json_extract(fault, '$.mode') = ?3)
ORDER BY id
