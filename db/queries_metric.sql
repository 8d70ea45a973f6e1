-- SPDX-License-Identifier: MIT
--
-- Metrics, and those that get worse (store_metric.c).

-- name: measurement_add
INSERT INTO measurements (result_id, name, unit, value) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT DO NOTHING

-- name: compare_metrics
-- Every value that the commits of a submission measured, those of one series together and in the
-- commits' order. Commits with the same source share their jobs: the values count once, where they
-- come first.
WITH tests AS (
	SELECT sj.config, sj.job_id, min(sj.position) AS position, sj.commit_id
	FROM submission_jobs sj WHERE sj.submission_id = ?1 GROUP BY sj.config, sj.job_id
)
SELECT t.config, r.scenario, r.fault, coalesce(json_extract(u.machine, '$.accel'), ''), m.name,
	m.unit, t.position, t.commit_id, m.result_id, m.value
FROM tests t JOIN jobs j ON j.id = t.job_id JOIN runs u ON u.id = j.final_run_id
JOIN results r ON r.run_id = u.id JOIN measurements m ON m.result_id = r.id
ORDER BY 1, 2, 3, 4, 5, 6, 7, 9

-- name: regression_metric_put
INSERT INTO regression_metrics (regression_id, name, unit, worse, accel)
VALUES (?1, ?2, ?3, ?4, ?5)

-- name: probe_values
-- What the tests that were asked for measured, in their order.
SELECT p.id, m.value
FROM regressions g JOIN regression_metrics x ON x.regression_id = g.id
JOIN regression_probes p ON p.regression_id = g.id JOIN jobs j ON j.id = p.job_id
JOIN runs u ON u.id = j.final_run_id AND coalesce(json_extract(u.machine, '$.accel'), '') = x.accel
JOIN results r ON r.run_id = u.id AND r.scenario = g.scenario AND r.fault = g.fault
JOIN measurements m ON m.result_id = r.id AND m.name = x.name AND m.unit = x.unit
WHERE g.id = ?1 ORDER BY p.id, r.id

-- name: metric_between
-- What the submission that showed a regression measured at the commits between its ends. The ends'
-- own values are what made it suspected.
SELECT c.sha, m.value
FROM regressions g JOIN regression_metrics x ON x.regression_id = g.id
JOIN submission_jobs sj ON sj.submission_id = g.submission_id AND sj.config = g.config
	AND sj.commit_id NOT IN (g.good_id, g.bad_id)
JOIN commits c ON c.id = sj.commit_id JOIN jobs j ON j.id = sj.job_id
JOIN runs u ON u.id = j.final_run_id AND coalesce(json_extract(u.machine, '$.accel'), '') = x.accel
JOIN results r ON r.run_id = u.id AND r.scenario = g.scenario AND r.fault = g.fault
JOIN measurements m ON m.result_id = r.id AND m.name = x.name AND m.unit = x.unit
WHERE g.id = ?1 ORDER BY sj.position, r.id

-- name: metric_in_submission
-- The same columns as regression_in_submission: a commit fails where not most of its values are on
-- the good side of the threshold (?3).
SELECT sj.position, c.sha, c.tree, c.parent, c.author, c.subject, c.committed_us,
	2 * sum(CASE x.worse WHEN 'more' THEN m.value > ?3 ELSE m.value < ?3 END) >= count(*), 1
FROM regressions g JOIN regression_metrics x ON x.regression_id = g.id
JOIN submission_jobs sj ON sj.submission_id = ?2 AND sj.config = g.config
JOIN commits c ON c.id = sj.commit_id JOIN jobs j ON j.id = sj.job_id
JOIN runs u ON u.id = j.final_run_id AND coalesce(json_extract(u.machine, '$.accel'), '') = x.accel
JOIN results r ON r.run_id = u.id AND r.scenario = g.scenario AND r.fault = g.fault
JOIN measurements m ON m.result_id = r.id AND m.name = x.name AND m.unit = x.unit
WHERE g.id = ?1 GROUP BY sj.position ORDER BY sj.position DESC
