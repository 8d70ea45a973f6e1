-- SPDX-License-Identifier: MIT
--
-- Regressions: finding them, what is run because of them, their lives.

-- name: compare_due
SELECT id FROM submissions WHERE state = 'done' AND compared_us IS NULL
ORDER BY ended_us, id LIMIT 1

-- name: compare_put
UPDATE submissions SET compared_us = ?2 WHERE id = ?1 AND compared_us IS NULL

-- name: compare_cases
-- Every case that fails at some commit of a submission, at every commit: its results there by kind,
-- and its first failure. A sweep is one case, whatever its points came to. That a kernel was built
-- is a case too; only its failure is a result.
WITH answers AS (
	SELECT DISTINCT sj.position, sj.config, sj.commit_id, j.final_run_id AS run_id
	FROM submission_jobs sj JOIN jobs j ON j.id = sj.job_id
	WHERE sj.submission_id = ?1 AND j.final_run_id IS NOT NULL
), outcomes AS (
	SELECT a.position, a.config, a.commit_id, r.id, r.scenario, r.status, r.duration_us,
		CASE WHEN r.scenario = 'build' THEN '{}'
			WHEN json_extract(r.fault, '$.mode') IS 'sweep'
			THEN json_remove(r.fault, '$.nth') ELSE r.fault END AS fault,
		r.status = 'FAIL' AND r.signature IS NOT NULL AS failed,
		r.status IN ('PASS', 'DONE', 'SKIP') AND (r.closing
			OR json_extract(r.fault, '$.mode') IS NOT 'sweep') AS held
	FROM answers a JOIN results r ON r.run_id = a.run_id
	UNION ALL
	SELECT sj.position, sj.config, sj.commit_id, 0, 'build', 'PASS', 0, '{}', 0, 1
	FROM submission_jobs sj JOIN jobs j ON j.id = sj.job_id AND j.kind = 'build'
	JOIN builds b ON b.id = j.build_id WHERE sj.submission_id = ?1 AND b.status = 'PASS'
), failing AS (
	SELECT DISTINCT config, scenario, fault FROM outcomes WHERE failed
)
SELECT o.config, o.scenario, o.fault, o.position, o.commit_id, max(o.failed),
	max(o.held) AND NOT max(o.failed), min(CASE WHEN o.failed THEN o.id END),
	sum(o.duration_us)
FROM outcomes o JOIN failing f USING (config, scenario, fault)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4

-- name: compare_failure
SELECT r.signature, r.reason, d.document FROM results r JOIN documents d ON d.result_id = r.id
WHERE r.id = ?1

-- name: regression_same
-- An open one of this line of history that has this case already, or the same one found again.
SELECT g.id FROM regressions g
JOIN submissions s ON s.id = ?1 AND s.repo_id = g.repo_id AND s.ref = g.ref
WHERE g.signature = ?2 AND (g.bad_id = ?6 OR (g.ended_us IS NULL AND EXISTS (
	SELECT 1 FROM regression_cases c WHERE c.regression_id = g.id
		AND c.config = ?3 AND c.scenario = ?4 AND c.fault = ?5)))
ORDER BY g.id DESC LIMIT 1

-- name: regression_add
INSERT INTO regressions (repo_id, ref, branch_id, submission_id, signature, title, reason, state,
	good_id, bad_id, config_id, config, arch, compiler, cpus, memory_mib, scenario, fault,
	result_id, created_us, changed_us)
SELECT s.repo_id, s.ref, s.branch_id, s.id, ?2, ?3, ?4, 'new', ?5, ?6, b.config_id, ?7, b.arch,
	b.compiler, coalesce(cl.cpus, 0), coalesce(cl.memory_mib, 0), ?8, ?9, r.id, ?11, ?11
FROM results r JOIN runs u ON u.id = r.run_id JOIN jobs j ON j.id = u.job_id
JOIN builds b ON b.id = j.build_id JOIN submissions s ON s.id = ?1
LEFT JOIN tests t ON t.id = j.test_id LEFT JOIN case_lists cl ON cl.id = t.case_list_id
WHERE r.id = ?10 RETURNING id

-- name: regression_case_put
INSERT INTO regression_cases (regression_id, config, scenario, fault, result_id)
VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING

-- name: regression_change_add
INSERT INTO regression_changes (regression_id, at_us, state, evidence) VALUES (?1, ?2, ?3, ?4)

-- name: regression_change
-- The first bad commit, the good one and the search stay as they are when they are not given.
UPDATE regressions SET state = ?2, changed_us = CASE WHEN ?6 THEN ?3 ELSE changed_us END,
	ended_us = CASE WHEN ?2 IN ('fixed', 'flaky', 'infrastructure', 'stale') THEN ?3 END,
	culprit_id = coalesce((SELECT id FROM commits WHERE sha = ?4), culprit_id),
	fixed_id = coalesce((SELECT id FROM commits WHERE sha = ?5), fixed_id),
	good_id = coalesce((SELECT id FROM commits WHERE sha = ?7), good_id)
WHERE id = ?1 AND ended_us IS NULL

-- name: regression_search
UPDATE regressions SET search = ?2 WHERE id = ?1

-- name: regressions_due
-- Nothing is under way, and something is to be decided: a bisected one only waits for a commit that
-- seems to mend it.
SELECT g.id FROM regressions g WHERE g.ended_us IS NULL
	AND NOT EXISTS (SELECT 1 FROM regression_probes p JOIN jobs j ON j.id = p.job_id
		WHERE p.regression_id = g.id AND j.state IN ('waiting', 'queued', 'leased'))
	AND (g.state <> 'bisected' OR EXISTS (SELECT 1 FROM regression_probes p
		WHERE p.regression_id = g.id AND p.purpose = 'fix' AND p.created_us >= g.changed_us))
ORDER BY g.id

-- name: regressions_of_line
-- Open ones that a submission of the same line of history may have mended.
SELECT g.id FROM regressions g
JOIN submissions s ON s.repo_id = g.repo_id AND s.ref = g.ref AND s.id > g.submission_id
WHERE s.id = ?1 AND g.ended_us IS NULL AND g.state <> 'new' ORDER BY g.id

-- name: regressions_lost
-- Open ones whose branch nobody looks at any more, or that is gone.
SELECT g.id, b.followed, b.gone_us FROM regressions g JOIN branches b ON b.id = g.branch_id
WHERE g.ended_us IS NULL AND (NOT b.followed OR b.gone_us IS NOT NULL) ORDER BY g.id

-- name: regressions_without
-- Open ones of the line of submission ?1 whose case, or one much like it, is in none of the newest ?2
-- submissions of that line, all of them younger than what showed it first.
SELECT g.id FROM submissions s
JOIN regressions g ON g.repo_id = s.repo_id AND g.ref = s.ref AND g.submission_id < s.id
WHERE s.id = ?1 AND g.ended_us IS NULL AND (
	SELECT count(*) = ?2 AND NOT max(has) FROM (
		SELECT EXISTS (SELECT 1 FROM submission_jobs sj JOIN jobs j ON j.id = sj.job_id
			LEFT JOIN tests t ON t.id = j.test_id
			LEFT JOIN case_lists cl ON cl.id = t.case_list_id
			WHERE sj.submission_id = n.id AND sj.config = g.config
				AND (g.scenario = 'build' OR EXISTS (
					SELECT 1 FROM json_each(cl.cases) e
					WHERE json_extract(e.value, '$.scenario') = g.scenario
						AND json_extract(e.value, '$.fault.mode') IS json_extract(g.fault, '$.mode')
						AND json_extract(e.value, '$.fault.site') IS json_extract(g.fault, '$.site'))))
			AS has
		FROM submissions n WHERE n.repo_id = g.repo_id AND n.ref = g.ref AND n.state = 'done'
			AND n.id > g.submission_id AND n.id <= ?1
		ORDER BY n.id DESC LIMIT ?2))
ORDER BY g.id

-- name: regression_in_submission
-- What its case came to at the commits of a submission, head first. Of builds only the failures are
-- results.
SELECT sj.position, c.sha, c.tree, c.parent, c.author, c.subject, c.committed_us,
	max(r.status = 'FAIL'), max(r.status IN ('PASS', 'DONE') AND (r.closing
		OR json_extract(r.fault, '$.mode') IS NOT 'sweep'))
FROM regressions g JOIN submission_jobs sj ON sj.submission_id = ?2 AND sj.config = g.config
JOIN commits c ON c.id = sj.commit_id JOIN jobs j ON j.id = sj.job_id
JOIN results r ON r.run_id = j.final_run_id AND r.scenario = g.scenario
	AND CASE WHEN json_extract(r.fault, '$.mode') IS 'sweep'
		THEN json_remove(r.fault, '$.nth') ELSE r.fault END = g.fault
WHERE g.id = ?1 AND g.scenario <> 'build' GROUP BY sj.position
UNION ALL
SELECT sj.position, c.sha, c.tree, c.parent, c.author, c.subject, c.committed_us,
	b.status = 'FAIL', b.status = 'PASS'
FROM regressions g JOIN submission_jobs sj ON sj.submission_id = ?2 AND sj.config = g.config
JOIN commits c ON c.id = sj.commit_id JOIN jobs j ON j.id = sj.job_id AND j.kind = 'build'
JOIN builds b ON b.id = j.build_id AND b.status IS NOT NULL
WHERE g.id = ?1 AND g.scenario = 'build'
ORDER BY 1 DESC

-- name: regression_older
-- Commits of its line of history at which its case held, older than the one that is taken for good:
-- newest first.
WITH line AS (
	SELECT s.id FROM regressions g
	JOIN submissions s ON s.repo_id = g.repo_id AND s.ref = g.ref AND s.id <= g.submission_id
	WHERE g.id = ?1 AND s.state = 'done' ORDER BY s.id DESC LIMIT 256
), seen AS (
	SELECT sj.commit_id, sj.config, sj.job_id, sj.submission_id << 20 | sj.position AS age
	FROM line JOIN submission_jobs sj ON sj.submission_id = line.id
)
SELECT c.sha FROM regressions g JOIN seen ON seen.config = g.config
JOIN commits c ON c.id = seen.commit_id JOIN jobs j ON j.id = seen.job_id
JOIN results r ON r.run_id = j.final_run_id AND r.scenario = g.scenario
	AND CASE WHEN json_extract(r.fault, '$.mode') IS 'sweep'
		THEN json_remove(r.fault, '$.nth') ELSE r.fault END = g.fault
WHERE g.id = ?1
	AND seen.age < (SELECT min(age) FROM seen x WHERE x.commit_id = g.good_id)
	AND NOT EXISTS (SELECT 1 FROM regression_probes p WHERE p.regression_id = g.id
		AND p.commit_id = seen.commit_id AND p.purpose = 'good')
GROUP BY c.id HAVING max(r.status = 'FAIL') = 0
	AND max(r.status IN ('PASS', 'DONE', 'SKIP') AND (r.closing
		OR json_extract(r.fault, '$.mode') IS NOT 'sweep'))
ORDER BY max(seen.age) DESC LIMIT 64

-- name: regression_get
SELECT g.id, g.repo_id, g.submission_id, g.ref, g.signature, g.title, g.reason, g.state,
	gc.sha, bc.sha, cc.sha, g.config, g.arch, g.compiler, g.cpus, g.memory_mib, g.scenario,
	g.fault, g.search, cf.hash, repos.name, m.name, m.unit, m.worse, m.accel
FROM regressions g JOIN commits gc ON gc.id = g.good_id JOIN commits bc ON bc.id = g.bad_id
LEFT JOIN commits cc ON cc.id = g.culprit_id JOIN configs cf ON cf.id = g.config_id
JOIN repos ON repos.id = g.repo_id LEFT JOIN regression_metrics m ON m.regression_id = g.id
WHERE g.id = ?1

-- name: probes_of
-- In the order in which they were asked for. ?2: the regression's signature, ?3: its case has a
-- fault, so the runs without one are a control. A run is one repeat of a case: it failed when a
-- point of it did, and held when it came to its end and none did.
WITH repeats AS (
	SELECT p.id, ?3 AND json_extract(r.fault, '$.mode') IS 'none' AS control, r.repeat,
		max(r.status = 'FAIL' AND r.signature IS ?2) AS same,
		max(r.status = 'FAIL' AND r.signature IS NOT NULL AND r.signature IS NOT ?2) AS other,
		max(r.status IN ('PASS', 'DONE', 'SKIP') AND (r.closing
			OR json_extract(r.fault, '$.mode') IS NOT 'sweep')) AS held,
		min(CASE WHEN r.status = 'FAIL' THEN r.signature END) AS signature
	FROM regression_probes p JOIN jobs j ON j.id = p.job_id
	JOIN results r ON r.run_id = j.final_run_id
	WHERE p.regression_id = ?1 GROUP BY p.id, 2, r.repeat
)
SELECT p.id, p.purpose, c.sha, j.state, b.status,
	coalesce(sum(NOT x.control AND x.same), 0),
	coalesce(sum(NOT x.control AND (x.same OR (x.held AND NOT x.other))), 0),
	coalesce(sum(NOT x.control AND x.other AND NOT x.same), 0),
	coalesce(sum(x.control AND (x.same OR x.other)), 0),
	coalesce(sum(x.control AND (x.same OR x.other OR x.held)), 0),
	min(CASE WHEN NOT x.control AND x.other AND NOT x.same THEN x.signature END),
	(SELECT a.sha256 FROM artifacts a JOIN jobs k ON k.id = a.job_id
		WHERE k.build_id = j.build_id AND k.kind = 'build' AND a.name = 'bzImage')
FROM regression_probes p JOIN commits c ON c.id = p.commit_id JOIN jobs j ON j.id = p.job_id
JOIN builds b ON b.id = j.build_id LEFT JOIN repeats x ON x.id = p.id
WHERE p.regression_id = ?1 GROUP BY p.id ORDER BY p.id

-- name: probe_repeats
-- How many repeats of the case this commit was asked for so far.
SELECT coalesce(max(json_extract(e.value, '$.repeat')), 0)
FROM regression_probes p JOIN jobs j ON j.id = p.job_id JOIN tests t ON t.id = j.test_id
JOIN case_lists cl ON cl.id = t.case_list_id JOIN commits c ON c.id = p.commit_id,
	json_each(cl.cases) e
WHERE p.regression_id = ?1 AND c.sha = ?2

-- name: probe_build
-- The build of a regression's configuration at a commit.
INSERT INTO builds (key, repo_id, commit_id, config_id, config, arch, compiler, boot, created_us)
SELECT ?1, g.repo_id, ?3, g.config_id, g.config, g.arch, g.compiler, 1, ?4
FROM regressions g WHERE g.id = ?2
ON CONFLICT (key) DO UPDATE SET boot = 1 RETURNING id

-- name: probe_add
INSERT INTO regression_probes (regression_id, purpose, commit_id, job_id, created_us)
VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING

-- name: event_regression
INSERT INTO events (type, at_us, data)
SELECT 'regression', ?2, json_object('id', id, 'state', state, 'title', title)
FROM regressions WHERE id = ?1

-- name: regressions_view
-- ?3: in this state ("open": not ended yet), ?4 and ?5: of this repository and line of history, ?6:
-- first shown by this submission, ?7: of this case among others; NULL and 0: whichever.
SELECT g.id, r.name AS repo, g.ref, br.ref AS branch, g.state, g.ended_us IS NULL AS "open:bool", g.title, g.reason,
	g.signature, g.submission_id AS submission, gc.sha AS good, bc.sha AS bad, cc.sha AS culprit,
	cc.sha AS "culprit_short:short", cc.subject AS culprit_subject,
	cc.author AS culprit_author, fc.sha AS fixed, g.config, g.arch, g.scenario,
	g.fault AS "fault:json", g.result_id AS result,
	(SELECT count(*) FROM regression_cases x WHERE x.regression_id = g.id) AS cases_total,
	g.created_us AS "created:time", g.changed_us AS "changed:time", g.ended_us AS "ended:time"
FROM regressions g JOIN repos r ON r.id = g.repo_id
JOIN commits gc ON gc.id = g.good_id JOIN commits bc ON bc.id = g.bad_id
LEFT JOIN commits cc ON cc.id = g.culprit_id LEFT JOIN commits fc ON fc.id = g.fixed_id
LEFT JOIN branches br ON br.id = g.branch_id
WHERE g.id <= ?1 AND (?3 IS NULL OR g.state = ?3 OR (?3 = 'open' AND g.ended_us IS NULL))
	AND (?4 IS NULL OR r.name = ?4) AND (?5 IS NULL OR g.ref = ?5)
	AND (?6 = 0 OR g.submission_id = ?6)
	AND (?7 IS NULL OR g.scenario = ?7 OR EXISTS (SELECT 1 FROM regression_cases k
		WHERE k.regression_id = g.id AND k.scenario = ?7))
ORDER BY g.id DESC LIMIT ?2

-- name: regression_cases_view
SELECT c.config, c.scenario, c.fault AS "fault:json", c.result_id AS result, r.status, r.reason,
	r.detail
FROM regression_cases c JOIN results r ON r.id = c.result_id
WHERE c.regression_id = ?1 ORDER BY c.config, c.scenario, c.fault

-- name: regression_changes_view
SELECT at_us AS "at:time", state, evidence AS "evidence:json"
FROM regression_changes WHERE regression_id = ?1 ORDER BY id

-- name: report_facts
-- An address of another kind may be a path of this machine: nobody else needs to know it. The good
-- side is that of the submission that first showed it.
SELECT CASE WHEN r.url LIKE 'https://%' OR r.url LIKE 'git://%' THEN r.url END AS repo_url,
	g.compiler, cf.hash AS config_hash,
	(SELECT s.plan FROM submissions s WHERE s.id = g.submission_id) AS plan,
	(SELECT j.build_id FROM runs u JOIN jobs j ON j.id = u.job_id
		WHERE u.id = (SELECT run_id FROM results WHERE id = g.result_id)) AS build,
	(SELECT j.build_id FROM submission_jobs sj JOIN jobs j ON j.id = sj.job_id
		WHERE sj.submission_id = g.submission_id AND sj.commit_id = g.good_id
			AND sj.config = g.config AND j.kind = 'build' LIMIT 1) AS build_before,
	(SELECT x.id FROM submission_jobs sj JOIN jobs j ON j.id = sj.job_id
		JOIN results x ON x.run_id = j.final_run_id JOIN results y ON y.id = g.result_id
		WHERE sj.submission_id = g.submission_id AND sj.commit_id = g.good_id
			AND sj.config = g.config AND x.scenario = y.scenario AND x.fault = y.fault
			AND x.closing = y.closing AND x.status IN ('PASS', 'DONE')
		ORDER BY x.id DESC LIMIT 1) AS result_before
FROM regressions g JOIN repos r ON r.id = g.repo_id
LEFT JOIN configs cf ON cf.id = g.config_id WHERE g.id = ?1

-- name: report_commits
-- Every commit that a report may name.
SELECT sha, parent, author, subject FROM commits WHERE id IN (
	SELECT good_id FROM regressions WHERE id = ?1
	UNION SELECT bad_id FROM regressions WHERE id = ?1
	UNION SELECT culprit_id FROM regressions WHERE id = ?1
	UNION SELECT fixed_id FROM regressions WHERE id = ?1
	UNION SELECT commit_id FROM regression_probes WHERE regression_id = ?1
	UNION SELECT sc.commit_id FROM submission_commits sc JOIN regressions g
		ON g.submission_id = sc.submission_id WHERE g.id = ?1)

-- name: stats_regressions
SELECT coalesce(sum(state = 'new'), 0) AS new, coalesce(sum(state = 'confirmed'), 0) AS confirmed,
	coalesce(sum(state = 'bisected'), 0) AS bisected, coalesce(sum(state = 'fixed'), 0) AS fixed,
	coalesce(sum(state = 'flaky'), 0) AS flaky,
	coalesce(sum(state = 'infrastructure'), 0) AS infrastructure,
	coalesce(sum(state = 'stale'), 0) AS stale
FROM regressions

-- name: stats_probes
-- From the open ones on, which are few.
SELECT count(*) AS under_way
FROM regressions g CROSS JOIN regression_probes p ON p.regression_id = g.id
JOIN jobs j ON j.id = p.job_id
WHERE g.ended_us IS NULL AND j.state IN ('queued', 'waiting', 'leased')

-- name: branch_badge
-- What a branch's badge says. Its newest submission decides; one that is done is still to be looked at
-- for regressions.
SELECT
	(SELECT count(*) FROM regressions g WHERE g.repo_id = b.repo_id AND g.ref = b.ref
		AND g.state IN ('confirmed', 'bisected')) AS regressions,
	(SELECT count(*) FROM regressions g WHERE g.repo_id = b.repo_id AND g.ref = b.ref
		AND g.state = 'new') AS unconfirmed,
	coalesce(s.state IN ('new', 'fetching', 'planned')
		OR (s.state = 'done' AND s.compared_us IS NULL), 0) AS under_way,
	coalesce(s.state = 'done' AND s.n_pass + s.n_done + s.n_fail > 0, 0) AS judged
FROM branches b JOIN repos r ON r.id = b.repo_id
LEFT JOIN submissions s
	ON s.id = (SELECT max(n.id) FROM submissions n WHERE n.branch_id = b.id)
WHERE r.name = ?1 AND b.ref = ?2 AND b.followed
