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
