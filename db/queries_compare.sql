-- SPDX-License-Identifier: MIT
--
-- Two commits side by side (view_compare.c).

-- name: compare_commit
-- By the first digits of its hash; a second row says that they are not enough.
SELECT id, sha, subject FROM commits WHERE sha >= ?1 AND sha < ?1 || 'g' ORDER BY sha LIMIT 2

-- name: compare_submission
SELECT c.id, c.sha, c.subject FROM submissions s JOIN commits c ON c.sha = s.head_sha
WHERE s.id = ?1 AND s.state IN ('planned', 'done')

-- name: compare_branch
-- The newest submission of it that has ended; until one has, the newest.
SELECT id FROM (SELECT coalesce(
	(SELECT max(s.id) FROM submissions s JOIN repos r ON r.id = s.repo_id
		WHERE r.name = ?1 AND s.ref = ?2 AND s.state = 'done'),
	(SELECT max(s.id) FROM submissions s JOIN repos r ON r.id = s.repo_id
		WHERE r.name = ?1 AND s.ref = ?2 AND s.state = 'planned')) AS id)
WHERE id IS NOT NULL

-- name: compare_builds
-- ?2: of one submission, or NULL. What passed and made no image to boot was not tested either.
SELECT DISTINCT sj.config, b.arch, j.final_run_id, x.id, b.detail,
	CASE WHEN b.status = 'PASS' AND b.boot AND NOT b.image THEN 'ERROR' ELSE b.status END,
	CASE WHEN b.status = 'PASS' AND b.boot AND NOT b.image THEN 'harness' ELSE b.reason END
FROM submission_jobs sj JOIN jobs j ON j.id = sj.job_id JOIN builds b ON b.id = j.build_id
LEFT JOIN results x ON x.run_id = j.final_run_id
WHERE sj.commit_id = ?1 AND (?2 IS NULL OR sj.submission_id = ?2) AND j.kind = 'build'
	AND b.status IS NOT NULL
ORDER BY sj.config, b.id

-- name: compare_runs
-- The newest answer to each test.
SELECT DISTINCT sj.config, b.arch, r.id, json_extract(r.machine, '$.accel')
FROM submission_jobs sj JOIN jobs j ON j.id = sj.job_id JOIN builds b ON b.id = j.build_id
JOIN runs r ON r.id = j.final_run_id
WHERE sj.commit_id = ?1 AND (?2 IS NULL OR sj.submission_id = ?2) AND j.kind = 'test'
ORDER BY sj.config, r.id

-- name: compare_results
-- Of the document only what tells failures apart and what was measured.
SELECT x.id, x.scenario, x.fault, x.repeat, x.closing, x.status, x.reason, x.splat_kind,
	x.splat_title, x.fingerprint,
	CASE WHEN x.status IN ('FAIL', 'DONE') THEN json_object(
		'checks', json_extract(d.document, '$.checks'),
		'metrics', json_extract(d.document, '$.metrics')) END
FROM results x LEFT JOIN documents d ON d.result_id = x.id
WHERE x.run_id = ?1 ORDER BY x.id
