-- SPDX-License-Identifier: MIT
--
-- Every statement that the store runs, by name; tools/queries.c makes the table of them and
-- checks each against schema.sql. Views name their columns as the JSON shows them, see
-- query_row() in db/db.h.

-- name: user_version
SELECT user_version FROM pragma_user_version

-- name: begin_write
BEGIN IMMEDIATE

-- name: begin_read
BEGIN

-- name: commit
COMMIT

-- name: rollback
ROLLBACK

-- name: savepoint
SAVEPOINT one

-- name: savepoint_keep
RELEASE one

-- name: savepoint_undo
ROLLBACK TO one

-- name: health_write
INSERT INTO health (id, checked_us) VALUES (1, ?1)
ON CONFLICT (id) DO UPDATE SET checked_us = excluded.checked_us

-- name: health_read
SELECT checked_us FROM health WHERE id = 1

-- name: token_add
INSERT INTO tokens (name, role, hash, created_us) VALUES (?1, ?2, ?3, ?4) RETURNING id

-- name: token_revoke
UPDATE tokens SET revoked_us = ?2 WHERE name = ?1 AND revoked_us IS NULL

-- name: token_find
SELECT id, role FROM tokens WHERE hash = ?1 AND revoked_us IS NULL

-- name: tokens_view
SELECT id, name, role, created_us AS "created:time", revoked_us AS "revoked:time"
FROM tokens ORDER BY id DESC LIMIT 1000

-- name: repo_put
-- No row: a submission (configured 0) named a repository of the administrator's.
INSERT INTO repos (name, url, configured, created_us) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (name) DO UPDATE SET url = excluded.url, configured = excluded.configured
	WHERE excluded.configured >= configured OR excluded.url = url
RETURNING id

-- name: repo_get
SELECT id, name, url, configured FROM repos WHERE id = ?1

-- name: repo_by_name
SELECT id, name, url, configured FROM repos WHERE name = ?1

-- name: branch_put
INSERT INTO branches (repo_id, ref, base_ref, plan) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (repo_id, ref) DO UPDATE SET base_ref = excluded.base_ref, plan = excluded.plan,
	followed = 1
RETURNING id

-- name: branches_unfollow
UPDATE branches SET followed = 0

-- name: branches
SELECT id, repo_id, ref, base_ref, plan, tip FROM branches ORDER BY id

-- name: branch_tip
UPDATE branches SET tip = ?2 WHERE id = ?1

-- name: branch_checked
-- ?4: the repository answered, and has no such branch.
UPDATE branches SET message = ?2, checked_us = ?3, gone_us = CASE
	WHEN ?4 THEN coalesce(gone_us, ?3) WHEN ?2 IS NOT NULL THEN gone_us END
WHERE id = ?1

-- name: branch_submission
SELECT id FROM submissions WHERE branch_id = ?1 AND head_sha = ?2

-- name: branch_submit
INSERT INTO submissions (repo_id, branch_id, ref, base, plan, state, head_sha, created_us)
SELECT repo_id, id, ref, ?2, plan, 'new', ?3, ?4 FROM branches WHERE id = ?1
RETURNING id

-- name: submission_add
INSERT INTO submissions (repo_id, ref, base, plan, token_id, state, created_us)
VALUES (?1, ?2, ?3, ?4, ?5, 'new', ?6) RETURNING id

-- name: submission_get
SELECT id, repo_id, branch_id, ref, base, plan, head_sha, base_sha, state
FROM submissions WHERE id = ?1

-- name: submissions_open
SELECT id FROM submissions WHERE state IN ('new', 'fetching') ORDER BY id

-- name: submission_state
UPDATE submissions SET state = ?2, message = ?3,
	ended_us = CASE WHEN ?2 IN ('done', 'refused') THEN ?4 END
WHERE id = ?1 AND state NOT IN ('done', 'refused')

-- name: submission_planned
UPDATE submissions SET state = 'planned', message = NULL, base_sha = ?2, head_sha = ?3
WHERE id = ?1 AND state IN ('new', 'fetching')

-- name: commit_put
INSERT INTO commits (sha, tree, parent, author, subject, committed_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (sha) DO UPDATE SET sha = sha RETURNING id

-- name: submission_commit_put
INSERT INTO submission_commits (submission_id, position, commit_id) VALUES (?1, ?2, ?3)

-- name: config_put
INSERT INTO configs (hash, fragments) VALUES (?1, ?2)
ON CONFLICT (hash) DO UPDATE SET hash = hash RETURNING id

-- name: case_list_put
INSERT INTO case_lists (hash, cpus, memory_mib, cases, scenarios) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (hash) DO UPDATE SET hash = hash RETURNING id

-- name: build_put
INSERT INTO builds (key, repo_id, commit_id, config_id, config, arch, compiler, boot, created_us)
SELECT ?1, repo_id, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM submissions WHERE id = ?2
ON CONFLICT (key) DO UPDATE SET boot = max(boot, excluded.boot) RETURNING id

-- name: test_put
INSERT INTO tests (build_id, case_list_id, plan) VALUES (?1, ?2, ?3)
ON CONFLICT (build_id, case_list_id) DO UPDATE SET plan = plan RETURNING id

-- name: job_put_build
INSERT INTO jobs (kind, build_id, state, priority, created_us)
VALUES ('build', ?1, 'queued', ?2, ?3)
ON CONFLICT (build_id) WHERE kind = 'build'
DO UPDATE SET priority = min(priority, excluded.priority) RETURNING id

-- name: job_put_test
-- What the test's build came to decides where it starts.
INSERT INTO jobs (kind, build_id, test_id, state, priority, created_us, ended_us)
SELECT 'test', ?1, ?2,
	CASE WHEN j.state <> 'done' THEN 'waiting' WHEN b.image THEN 'queued' ELSE 'cancelled' END,
	?3, ?4, CASE WHEN j.state = 'done' AND NOT b.image THEN ?4 END
FROM jobs j JOIN builds b ON b.id = j.build_id WHERE j.build_id = ?1 AND j.kind = 'build'
ON CONFLICT (test_id) DO UPDATE SET priority = min(priority, excluded.priority) RETURNING id

-- name: job_revive_build
-- Given up for want of infrastructure: whoever asks again gets another try.
UPDATE jobs SET state = 'queued', attempt = 0, ended_us = NULL
WHERE id = ?1 AND kind = 'build' AND state = 'failed'

-- name: build_forget
UPDATE builds SET status = NULL, reason = NULL, detail = NULL WHERE id = ?1

-- name: job_revive_test
UPDATE jobs SET attempt = 0, ended_us = NULL, state = (
	SELECT CASE WHEN j.state = 'done' THEN 'queued' ELSE 'waiting' END
	FROM jobs j WHERE j.build_id = jobs.build_id AND j.kind = 'build')
WHERE id = ?1 AND state IN ('failed', 'cancelled') AND NOT EXISTS (
	SELECT 1 FROM jobs j JOIN builds b ON b.id = j.build_id
	WHERE j.build_id = jobs.build_id AND j.kind = 'build' AND j.state = 'done' AND NOT b.image)

-- name: submission_job_put
INSERT INTO submission_jobs (submission_id, position, config, job_id, commit_id)
VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING

-- name: submissions_of_job
SELECT DISTINCT submission_id FROM submission_jobs WHERE job_id = ?1

-- name: submission_refresh
-- What came of a submission's jobs so far. The base commit's results do not count.
UPDATE submissions SET (n_jobs, open_jobs, n_fail, n_error, n_miss, n_pass, n_done, n_skip) = (
	SELECT count(DISTINCT j.id),
		count(DISTINCT CASE WHEN j.state IN ('waiting', 'queued', 'leased') THEN j.id END),
		coalesce(sum(r.n_fail), 0), coalesce(sum(r.n_error), 0),
		coalesce(sum(r.n_miss), 0), coalesce(sum(r.n_pass), 0),
		coalesce(sum(r.n_done), 0), coalesce(sum(r.n_skip), 0)
	FROM submission_jobs sj JOIN jobs j ON j.id = sj.job_id
	LEFT JOIN runs r ON r.id = j.final_run_id
		AND (sj.position > 0 OR submissions.base_sha IS submissions.head_sha)
	WHERE sj.submission_id = submissions.id)
WHERE id = ?1 AND state IN ('planned', 'done')

-- name: submission_finish
UPDATE submissions SET state = 'done', ended_us = ?2
WHERE id = ?1 AND state = 'planned' AND open_jobs = 0

-- name: submission_job_ended
-- submission_refresh in small: job ?1 ended for the first time, run ?2 is its answer.
UPDATE submissions SET open_jobs = open_jobs - 1,
	n_fail = submissions.n_fail + k.times * k.n_fail,
	n_error = submissions.n_error + k.times * k.n_error,
	n_miss = submissions.n_miss + k.times * k.n_miss,
	n_pass = submissions.n_pass + k.times * k.n_pass,
	n_done = submissions.n_done + k.times * k.n_done,
	n_skip = submissions.n_skip + k.times * k.n_skip
FROM (SELECT s.id, sum(sj.position > 0 OR s.base_sha IS s.head_sha) AS times, r.n_fail, r.n_error,
		r.n_miss, r.n_pass, r.n_done, r.n_skip
	FROM submission_jobs sj JOIN submissions s ON s.id = sj.submission_id
	JOIN runs r ON r.id = ?2
	WHERE sj.job_id = ?1 AND s.state IN ('planned', 'done') GROUP BY s.id) AS k
WHERE submissions.id = k.id

-- name: submissions_finished
UPDATE submissions SET state = 'done', ended_us = ?2
WHERE id IN (SELECT submission_id FROM submission_jobs WHERE job_id = ?1)
	AND state = 'planned' AND open_jobs = 0
RETURNING id

-- name: agent_last_seen
SELECT last_seen_us FROM agents WHERE name = ?1

-- name: agent_seen
INSERT INTO agents (name, token_id, version, slots, can_build, can_test,
	first_seen_us, last_seen_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
ON CONFLICT (name) DO UPDATE SET token_id = excluded.token_id, version = excluded.version,
	slots = excluded.slots, can_build = excluded.can_build, can_test = excluded.can_test,
	last_seen_us = excluded.last_seen_us
RETURNING id

-- name: agent_touch
UPDATE agents SET last_seen_us = ?2 WHERE id = (SELECT agent_id FROM runs WHERE id = ?1)

-- name: queue_peek
SELECT 1 WHERE (?1 AND EXISTS (SELECT 1 FROM jobs WHERE state = 'queued' AND kind = 'build'))
	OR (?2 AND EXISTS (SELECT 1 FROM jobs WHERE state = 'queued' AND kind = 'test'))

-- name: claim_job
-- The first of each kind by the index, then the first of the two.
UPDATE jobs SET state = 'leased', attempt = attempt + 1, lease_hash = ?1, deadline_us = ?2
WHERE id = (
	SELECT id FROM (
		SELECT * FROM (SELECT id, priority FROM jobs INDEXED BY jobs_queue
			WHERE state = 'queued' AND kind = 'build' AND ?3
			ORDER BY priority, id LIMIT 1)
		UNION ALL
		SELECT * FROM (SELECT id, priority FROM jobs INDEXED BY jobs_queue
			WHERE state = 'queued' AND kind = 'test' AND ?4
			ORDER BY priority, id LIMIT 1))
	ORDER BY priority, id LIMIT 1)
RETURNING id, attempt

-- name: run_add
INSERT INTO runs (job_id, attempt, agent_id, lease_hash, started_us, heartbeat_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?5) RETURNING id

-- name: job_run
UPDATE jobs SET run_id = ?2 WHERE id = ?1

-- name: job_load
SELECT j.id, j.run_id, j.kind, j.attempt, repos.name, c.sha, c.tree, b.config, b.arch, b.compiler,
	b.boot, cf.hash, cf.fragments, j.build_id, cl.cpus, cl.memory_mib, cl.cases
FROM jobs j JOIN builds b ON b.id = j.build_id JOIN repos ON repos.id = b.repo_id
JOIN commits c ON c.id = b.commit_id JOIN configs cf ON cf.id = b.config_id
LEFT JOIN tests t ON t.id = j.test_id LEFT JOIN case_lists cl ON cl.id = t.case_list_id
WHERE j.id = ?1

-- name: build_artifacts
SELECT a.name, a.sha256, a.size_bytes FROM artifacts a JOIN jobs j ON j.id = a.job_id
WHERE j.build_id = ?1 AND j.kind = 'build' ORDER BY a.name

-- name: lease_find
-- answered: what the run of this lease came to, when its agent ended it.
SELECT j.kind, j.build_id, j.test_id, j.attempt, r.id,
	j.state = 'leased' AND j.lease_hash = ?2, r.outcome, j.final_run_id
FROM jobs j LEFT JOIN runs r ON r.job_id = j.id AND r.lease_hash = ?2 AND ?2 <> ''
WHERE j.id = ?1 ORDER BY r.id DESC LIMIT 1

-- name: lease_extend
UPDATE jobs SET deadline_us = ?2 WHERE id = ?1

-- name: run_heartbeat
UPDATE runs SET heartbeat_us = ?2, progress = coalesce(?3, progress) WHERE id = ?1

-- name: leases_expired
SELECT id FROM jobs WHERE state = 'leased' AND deadline_us < ?1 ORDER BY deadline_us

-- name: job_live
SELECT kind, build_id, test_id, attempt, run_id, final_run_id FROM jobs WHERE id = ?1

-- name: job_requeue
-- attempt - ?2: a job given back unharmed does not count the attempt.
UPDATE jobs SET state = 'queued', attempt = attempt - ?2, lease_hash = NULL, deadline_us = NULL
WHERE id = ?1

-- name: job_end
UPDATE jobs SET state = ?2, lease_hash = NULL, deadline_us = NULL, ended_us = ?3,
	run_id = coalesce(?4, run_id), final_run_id = coalesce(?4, final_run_id)
WHERE id = ?1

-- name: run_end
UPDATE runs SET ended_us = ?2, outcome = ?3, status = ?4, reason = ?5, detail = ?6 WHERE id = ?1

-- name: run_header
UPDATE runs SET kernel = ?2, machine = ?3 WHERE id = ?1

-- name: run_counts
UPDATE runs SET n_fail = ?2, n_error = ?3, n_miss = ?4, n_pass = ?5, n_done = ?6, n_skip = ?7
WHERE id = ?1

-- name: build_end
UPDATE builds SET status = ?2, reason = ?3, release = ?4, detail = ?5, warnings = ?6, errors = ?7,
	image = ?8, duration_us = ?9
WHERE id = ?1

-- name: tests_waiting
SELECT id FROM jobs WHERE build_id = ?1 AND kind = 'test' AND state = 'waiting'

-- name: tests_queue
UPDATE jobs SET state = 'queued' WHERE build_id = ?1 AND kind = 'test' AND state = 'waiting'

-- name: tests_cancel
UPDATE jobs SET state = 'cancelled', ended_us = ?2
WHERE build_id = ?1 AND kind = 'test' AND state = 'waiting'

-- name: job_cases
SELECT cl.cases FROM jobs j JOIN tests t ON t.id = j.test_id
JOIN case_lists cl ON cl.id = t.case_list_id WHERE j.id = ?1

-- name: log_size
UPDATE runs SET log_size = max(log_size, ?2) WHERE id = ?1

-- name: artifact_put
INSERT INTO artifacts (job_id, name, sha256, size_bytes, created_us) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (job_id, name) DO UPDATE SET sha256 = excluded.sha256,
	size_bytes = excluded.size_bytes, created_us = excluded.created_us

-- name: artifact_get
SELECT a.name, a.sha256, a.size_bytes FROM artifacts a JOIN jobs j ON j.id = a.job_id
WHERE j.build_id = ?1 AND j.kind = 'build' AND a.name = ?2

-- name: result_add
INSERT INTO results (run_id, scenario, fault, repeat, closing, points, status, reason, detail,
	injected_on, injected_off, errno, splat_kind, splat_title, fingerprint, duration_us,
	console_offset, console_len, signature)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)

-- name: document_add
INSERT INTO documents (result_id, document) VALUES (?1, ?2)

-- name: cell_add
INSERT INTO cells (run_id, scenario, status, reason, injected, results, result_id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)

-- name: run_strip
UPDATE runs SET strip = (
	SELECT CASE WHEN count(x.status) = (SELECT count(*) FROM cells n WHERE n.run_id = runs.id)
		THEN group_concat(coalesce(substr(x.status, 1, 1), '.'), '') END
	FROM (SELECT c.status FROM jobs j JOIN tests t ON t.id = j.test_id
		JOIN case_lists cl ON cl.id = t.case_list_id JOIN json_each(cl.scenarios) e
		LEFT JOIN cells c ON c.run_id = runs.id AND c.scenario = e.value
		WHERE j.id = runs.job_id ORDER BY e.key) x)
WHERE id = ?1

-- name: injection_add
INSERT INTO injections (run_id, scenario, stack, count) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (run_id, scenario, stack) DO UPDATE SET count = count + excluded.count

-- name: total_add
INSERT INTO totals (status, results) VALUES (?1, ?2)
ON CONFLICT (status) DO UPDATE SET results = results + excluded.results

-- name: events_trim
DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?1

-- name: event_submission
INSERT INTO events (type, at_us, data)
SELECT 'submission', ?2, json_object('id', id, 'state', state, 'message', message,
	'jobs', n_jobs, 'open', open_jobs)
FROM submissions WHERE id = ?1

-- name: event_branch
INSERT INTO events (type, at_us, data)
SELECT 'branch', ?2, json_object('id', b.id, 'repo', r.name, 'ref', b.ref, 'tip', b.tip,
	'message', b.message)
FROM branches b JOIN repos r ON r.id = b.repo_id WHERE b.id = ?1

-- name: event_branch_message
-- Only when the message is another one than before.
INSERT INTO events (type, at_us, data)
SELECT 'branch', ?2, json_object('id', b.id, 'repo', r.name, 'ref', b.ref, 'tip', b.tip,
	'message', ?3)
FROM branches b JOIN repos r ON r.id = b.repo_id WHERE b.id = ?1 AND b.message IS NOT ?3

-- name: event_job
INSERT INTO events (type, at_us, data)
SELECT 'job', ?2, json_object('id', id, 'kind', kind, 'state', state, 'attempt', attempt,
	'build', build_id, 'run', run_id)
FROM jobs WHERE id = ?1

-- name: event_run
INSERT INTO events (type, at_us, data)
SELECT 'run', ?2, json_object('id', r.id, 'job', r.job_id, 'attempt', r.attempt, 'agent', a.name,
	'outcome', r.outcome, 'status', r.status, 'reason', r.reason,
	'progress', json(r.progress))
FROM runs r LEFT JOIN agents a ON a.id = r.agent_id WHERE r.id = ?1

-- name: event_result
INSERT INTO events (type, at_us, data)
SELECT 'result', ?2, json_object('run', id, 'job', job_id, 'status', status, 'summary',
	json_object('FAIL', n_fail, 'ERROR', n_error, 'MISS', n_miss, 'PASS', n_pass,
		'DONE', n_done, 'SKIP', n_skip))
FROM runs WHERE id = ?1

-- name: event_agent
INSERT INTO events (type, at_us, data)
SELECT 'agent', ?2, json_object('id', id, 'name', name) FROM agents WHERE id = ?1

-- name: events_view
SELECT id, type, at_us AS "at:time", data AS "data:json"
FROM events WHERE id > ?1 ORDER BY id LIMIT ?2

-- name: event_before
-- Walks back from the newest, through those that are kept.
SELECT id FROM events
WHERE id > (SELECT max(id) FROM events) - ?2 AND at_us < ?1 ORDER BY id DESC LIMIT 1

-- name: submissions_view
SELECT s.id, r.name AS repo, s.ref, b.ref AS branch, s.base, s.plan, s.state, s.message,
	s.base_sha, s.head_sha, s.head_sha AS "short:short", c.subject, c.author,
	t.name AS submitter, s.created_us AS "created:time", s.ended_us AS "ended:time",
	s.n_jobs AS jobs_total, s.open_jobs AS jobs_open,
	CASE WHEN s.n_fail THEN 'FAIL' WHEN s.n_error THEN 'ERROR' WHEN s.n_miss THEN 'MISS'
		WHEN s.n_pass THEN 'PASS' WHEN s.n_done THEN 'DONE' WHEN s.n_skip THEN 'SKIP'
		WHEN s.state = 'done' AND s.n_jobs THEN 'PASS' END AS status,
	s.n_fail AS "summary.FAIL", s.n_error AS "summary.ERROR", s.n_miss AS "summary.MISS",
	s.n_pass AS "summary.PASS", s.n_done AS "summary.DONE", s.n_skip AS "summary.SKIP"
FROM submissions s JOIN repos r ON r.id = s.repo_id
LEFT JOIN branches b ON b.id = s.branch_id LEFT JOIN tokens t ON t.id = s.token_id
LEFT JOIN commits c ON c.sha = s.head_sha
WHERE s.id <= ?1 AND s.id >= ?2 ORDER BY s.id DESC LIMIT ?3

-- name: submission_commits_view
-- Head first. Until everything of a commit ended, its status is that of what is known.
SELECT c.sha, c.sha AS "short:short", c.subject, c.author, c.committed_us AS "committed:time",
	sc.position, sc.position = 0 AS "base:bool",
	count(DISTINCT CASE WHEN j.state IN ('waiting', 'queued', 'leased') THEN j.id END)
		AS jobs_open,
	CASE WHEN sum(r.n_fail) THEN 'FAIL' WHEN sum(r.n_error) THEN 'ERROR'
		WHEN sum(r.n_miss) THEN 'MISS' WHEN sum(r.n_pass) THEN 'PASS'
		WHEN sum(r.n_done) THEN 'DONE' WHEN sum(r.n_skip) THEN 'SKIP'
		WHEN count(j.id) AND sum(j.state = 'done') = count(j.id) THEN 'PASS' END AS status,
	coalesce(sum(r.n_fail), 0) AS "summary.FAIL", coalesce(sum(r.n_error), 0) AS "summary.ERROR",
	coalesce(sum(r.n_miss), 0) AS "summary.MISS", coalesce(sum(r.n_pass), 0) AS "summary.PASS",
	coalesce(sum(r.n_done), 0) AS "summary.DONE", coalesce(sum(r.n_skip), 0) AS "summary.SKIP"
FROM submission_commits sc JOIN commits c ON c.id = sc.commit_id
LEFT JOIN submission_jobs sj ON sj.submission_id = sc.submission_id AND sj.position = sc.position
LEFT JOIN jobs j ON j.id = sj.job_id LEFT JOIN runs r ON r.id = j.final_run_id
WHERE sc.submission_id = ?1 GROUP BY sc.position ORDER BY sc.position DESC

-- name: submission_jobs_view
SELECT coalesce(sum(state = 'queued'), 0) AS queued, coalesce(sum(state = 'waiting'), 0) AS waiting,
	coalesce(sum(state = 'leased'), 0) AS leased, coalesce(sum(state = 'done'), 0) AS done,
	coalesce(sum(state = 'failed'), 0) AS failed,
	coalesce(sum(state = 'cancelled'), 0) AS cancelled
FROM jobs WHERE id IN (SELECT job_id FROM submission_jobs WHERE submission_id = ?1)

-- name: progress_jobs
SELECT kind, count(*) AS total, sum(state IN ('done', 'failed', 'cancelled')) AS ended,
	sum(state = 'leased') AS running, sum(state IN ('queued', 'waiting')) AS waiting
FROM jobs WHERE id IN (SELECT job_id FROM submission_jobs WHERE submission_id = ?1)
GROUP BY kind

-- name: progress_running
SELECT r.id AS run, j.kind, c.sha AS "commit", c.sha AS "short:short", c.subject, b.config,
	a.name AS agent, r.started_us AS "started:time", ?2 - r.started_us AS for_us,
	r.progress AS "progress:json"
FROM jobs j JOIN runs r ON r.id = j.run_id JOIN builds b ON b.id = j.build_id
JOIN commits c ON c.id = b.commit_id LEFT JOIN agents a ON a.id = r.agent_id
WHERE j.state = 'leased' AND j.id IN (SELECT job_id FROM submission_jobs WHERE submission_id = ?1)
ORDER BY r.id LIMIT 200

-- name: progress_took
-- How long jobs of a kind took that this submission shares or has made.
SELECT r.ended_us - r.started_us
FROM submission_jobs sj JOIN jobs j ON j.id = sj.job_id JOIN runs r ON r.id = j.final_run_id
WHERE sj.submission_id = ?1 AND j.kind = ?2 AND r.outcome = 'done' LIMIT 200

-- name: progress_took_lately
-- The same of any submission, with a configuration that this one has, and of tests its plan: among the
-- newest 500 runs.
SELECT r.ended_us - r.started_us
FROM runs r JOIN jobs j ON j.id = r.job_id JOIN builds b ON b.id = j.build_id
LEFT JOIN tests t ON t.id = j.test_id
WHERE r.id > (SELECT max(id) FROM runs) - 500 AND r.outcome = 'done' AND j.kind = ?2
	AND b.config_id IN (SELECT ob.config_id FROM submission_jobs sj JOIN jobs oj ON oj.id = sj.job_id
		JOIN builds ob ON ob.id = oj.build_id WHERE sj.submission_id = ?1)
	AND (t.id IS NULL OR t.plan = (SELECT plan FROM submissions WHERE id = ?1))

-- name: progress_slots
SELECT coalesce(sum(slots), 0) FROM agents
WHERE last_seen_us >= ?1 AND CASE ?2 WHEN 'build' THEN can_build ELSE can_test END

-- name: matrix_of_submission
-- A row's build comes right before its test: its job was made first. The commits lead, so that what
-- is read is in order already.
SELECT sj.position, sj.config, j.kind, j.id, j.state, j.build_id, b.status, j.run_id,
	j.final_run_id, t.case_list_id, c.sha, c.subject, sj.submission_id,
	r.strip, r.n_fail + r.n_error + r.n_miss
FROM submission_commits sc CROSS JOIN submission_jobs sj
	ON sj.submission_id = sc.submission_id AND sj.position = sc.position
JOIN jobs j ON j.id = sj.job_id JOIN builds b ON b.id = j.build_id
JOIN commits c ON c.id = sj.commit_id LEFT JOIN tests t ON t.id = j.test_id
LEFT JOIN runs r ON r.id = j.final_run_id
WHERE sc.submission_id = ?1 ORDER BY sc.position DESC, sj.config, sj.job_id

-- name: matrix_of_commit
SELECT sj.position, sj.config, j.kind, j.id, j.state, j.build_id, b.status, j.run_id,
	j.final_run_id, t.case_list_id, c.sha, c.subject, sj.submission_id,
	r.strip, r.n_fail + r.n_error + r.n_miss
FROM submission_jobs sj JOIN jobs j ON j.id = sj.job_id JOIN builds b ON b.id = j.build_id
JOIN commits c ON c.id = sj.commit_id LEFT JOIN tests t ON t.id = j.test_id
LEFT JOIN runs r ON r.id = j.final_run_id
WHERE sj.commit_id = ?1
ORDER BY sj.submission_id DESC, sj.position DESC, sj.config, j.kind, j.id

-- name: case_list_scenarios
SELECT scenarios FROM case_lists WHERE id = ?1

-- name: cells_of_run
SELECT scenario, status, reason, result_id, injected FROM cells WHERE run_id = ?1

-- name: cells_told
-- Those of a run that say more than a letter does.
SELECT scenario, status, reason, result_id, injected FROM cells INDEXED BY cells_told
WHERE run_id = ?1 AND status IN ('FAIL', 'ERROR', 'MISS')

-- name: branches_view
SELECT b.id, r.name AS repo, b.ref, b.base_ref, b.tip, b.tip AS "short:short", b.plan, b.message,
	b.checked_us AS "checked:time", s.id AS submission, s.state, s.open_jobs AS jobs_open,
	c.subject,
	CASE WHEN s.n_fail THEN 'FAIL' WHEN s.n_error THEN 'ERROR' WHEN s.n_miss THEN 'MISS'
		WHEN s.n_pass THEN 'PASS' WHEN s.n_done THEN 'DONE' WHEN s.n_skip THEN 'SKIP'
		WHEN s.state = 'done' AND s.n_jobs THEN 'PASS' END AS status,
	(SELECT group_concat(letter, '') FROM (SELECT
		CASE WHEN n.n_fail THEN 'F' WHEN n.n_error THEN 'E' WHEN n.n_miss THEN 'M'
			WHEN n.n_pass THEN 'P' WHEN n.n_done THEN 'D' WHEN n.n_skip THEN 'S'
			WHEN n.state = 'done' AND n.n_jobs THEN 'P' ELSE '.' END AS letter
		FROM submissions n WHERE n.branch_id = b.id ORDER BY n.id DESC LIMIT 20)) AS lately,
	coalesce(s.n_fail, 0) AS "summary.FAIL", coalesce(s.n_error, 0) AS "summary.ERROR",
	coalesce(s.n_miss, 0) AS "summary.MISS", coalesce(s.n_pass, 0) AS "summary.PASS",
	coalesce(s.n_done, 0) AS "summary.DONE", coalesce(s.n_skip, 0) AS "summary.SKIP"
FROM branches b JOIN repos r ON r.id = b.repo_id
LEFT JOIN submissions s
	ON s.id = (SELECT max(n.id) FROM submissions n WHERE n.branch_id = b.id)
LEFT JOIN commits c ON c.sha = b.tip
WHERE (?1 IS NULL OR (r.name = ?1 AND b.ref = ?2))
ORDER BY r.name, b.ref

-- name: branch_submissions
SELECT id FROM submissions WHERE branch_id = ?1 ORDER BY id DESC LIMIT ?2

-- name: commit_view
SELECT id, sha, sha AS "short:short", tree, parent, author, subject,
	committed_us AS "committed:time",
	parent IN (SELECT p.sha FROM commits p) AS "parent_known:bool"
FROM commits WHERE sha = ?1

-- name: coverage_commit
SELECT id, sha, sha AS "short:short", subject FROM commits WHERE sha = ?1

-- name: coverage_runs
-- The newest answer to each test of a commit.
SELECT DISTINCT sj.config, r.id, r.kernel
FROM submission_jobs sj JOIN jobs j ON j.id = sj.job_id JOIN runs r ON r.id = j.final_run_id
WHERE sj.commit_id = ?1 AND j.kind = 'test' ORDER BY sj.config, r.id

-- name: coverage_line
-- The commits of a submission, head first.
SELECT sc.commit_id, c.sha, c.subject
FROM submission_commits sc JOIN commits c ON c.id = sc.commit_id
WHERE sc.submission_id = ?1 ORDER BY sc.position DESC

-- name: coverage_scenarios
-- Whether a scenario ran with a fault, and why it was skipped, "" if it was not.
SELECT scenario,
	max(status NOT IN ('SKIP', 'MISS') AND json_extract(fault, '$.mode') <> 'none') AS ran,
	max(CASE WHEN status = 'SKIP' THEN reason ELSE '' END) AS skip
FROM results WHERE run_id = ?1 GROUP BY scenario

-- name: coverage_injections
SELECT scenario, stack, count FROM injections WHERE run_id = ?1

-- name: commit_submissions
SELECT s.id, r.name AS repo, s.ref, b.ref AS branch, s.plan, s.state, sc.position,
	s.created_us AS "created:time"
FROM submission_commits sc JOIN submissions s ON s.id = sc.submission_id
JOIN repos r ON r.id = s.repo_id LEFT JOIN branches b ON b.id = s.branch_id
WHERE sc.commit_id = ?1 ORDER BY s.id DESC LIMIT 100

-- name: build_view
-- An address of another kind may be a path of this machine: nobody else needs to know it.
SELECT b.id, b.key, r.name AS repo,
	CASE WHEN r.url LIKE 'https://%' THEN r.url END AS repo_url, c.sha AS "commit", c.sha AS "short:short", c.tree, c.subject,
	b.config, cf.hash AS config_hash, b.arch, b.compiler, b.boot AS "boot:bool",
	j.state, b.status, b.reason, b.release, b.detail, b.image AS "image:bool", b.duration_us,
	b.warnings AS "warnings:json", b.errors AS "errors:json",
	b.created_us AS "created:time", j.ended_us AS "ended:time", j.id AS job, j.attempt,
	j.run_id AS run
FROM builds b JOIN repos r ON r.id = b.repo_id JOIN commits c ON c.id = b.commit_id
JOIN configs cf ON cf.id = b.config_id JOIN jobs j ON j.build_id = b.id AND j.kind = 'build'
WHERE b.id = ?1

-- name: builds_view
-- Newest first, among the 500 from ?1 down. ?2: a status, 'open' for those that have not ended, NULL:
-- any; ?3: only those with warnings.
SELECT b.id, b.status, b.reason, j.state, r.name AS repo,
	c.sha AS "commit", c.sha AS "short:short", c.subject, b.config, b.arch, b.compiler,
	coalesce(json_array_length(b.warnings), 0) AS warnings,
	coalesce(json_array_length(b.errors), 0) AS errors, b.image AS "image:bool", b.duration_us,
	b.created_us AS "created:time", j.run_id AS run
FROM builds b JOIN repos r ON r.id = b.repo_id JOIN commits c ON c.id = b.commit_id
JOIN jobs j ON j.build_id = b.id AND j.kind = 'build'
WHERE b.id <= ?1 AND b.id > ?1 - 500 AND (?2 IS NULL OR coalesce(b.status, 'open') = ?2)
	AND (NOT ?3 OR json_array_length(b.warnings) > 0)
ORDER BY b.id DESC LIMIT ?4

-- name: builds_last
SELECT coalesce(max(id), 0) FROM builds

-- name: build_artifacts_view
SELECT a.name, a.sha256, a.size_bytes FROM artifacts a JOIN jobs j ON j.id = a.job_id
WHERE j.build_id = ?1 AND j.kind = 'build' ORDER BY a.name

-- name: build_tests_view
SELECT j.id AS job, t.plan, j.state, j.attempt, j.run_id AS run, j.final_run_id AS final_run,
	r.status, r.reason
FROM jobs j JOIN tests t ON t.id = j.test_id LEFT JOIN runs r ON r.id = j.final_run_id
WHERE j.build_id = ?1 AND j.kind = 'test' ORDER BY j.id DESC

-- name: job_runs_view
SELECT r.id, r.attempt, a.name AS agent, r.started_us AS "started:time",
	r.ended_us AS "ended:time", r.outcome, r.status, r.reason, r.detail
FROM runs r LEFT JOIN agents a ON a.id = r.agent_id
WHERE r.job_id = ?1 ORDER BY r.id DESC LIMIT 100

-- name: run_view
SELECT r.id, r.job_id AS job, j.kind, j.state, j.build_id AS build, rp.name AS repo,
	c.sha AS "commit", c.sha AS "short:short", c.subject, b.config, b.arch, b.compiler, t.plan,
	r.attempt, a.name AS agent, r.started_us AS "started:time",
	r.heartbeat_us AS "heartbeat:time", r.ended_us AS "ended:time",
	coalesce(r.ended_us, r.heartbeat_us) - r.started_us AS duration_us,
	r.outcome, r.status, r.reason, r.detail, r.progress AS "progress:json", r.log_size,
	r.kernel AS "kernel:json", r.machine AS "machine:json",
	r.n_fail AS "summary.FAIL", r.n_error AS "summary.ERROR", r.n_miss AS "summary.MISS",
	r.n_pass AS "summary.PASS", r.n_done AS "summary.DONE", r.n_skip AS "summary.SKIP"
FROM runs r JOIN jobs j ON j.id = r.job_id JOIN builds b ON b.id = j.build_id
JOIN repos rp ON rp.id = b.repo_id JOIN commits c ON c.id = b.commit_id
LEFT JOIN tests t ON t.id = j.test_id LEFT JOIN agents a ON a.id = r.agent_id
WHERE r.id = ?1

-- name: run_submissions
SELECT s.id, s.state, rp.name AS repo, s.ref, b.ref AS branch
FROM submissions s JOIN repos rp ON rp.id = s.repo_id LEFT JOIN branches b ON b.id = s.branch_id
WHERE s.id IN (SELECT submission_id FROM submission_jobs WHERE job_id = ?1)
ORDER BY s.id DESC LIMIT 100

-- name: run_results_view
SELECT id, scenario AS "case", fault AS "fault:json", repeat, closing AS "closing:bool", points,
	status, reason, detail, injected_on AS "injected.on_target",
	injected_off AS "injected.off_target", errno, splat_kind AS "splat.kind",
	splat_title AS "splat.title", fingerprint AS "splat.fingerprint", duration_us,
	console_offset AS "console.offset", console_len AS "console.length"
FROM results WHERE run_id = ?1 ORDER BY id

-- name: run_log
SELECT log_size, ended_us IS NOT NULL FROM runs WHERE id = ?1

-- name: result_part
SELECT console_offset, console_len FROM results WHERE id = ?1 AND run_id = ?2 AND console_offset >= 0

-- name: run_results_at
-- Those whose part of the log begins within [?2, ?3).
SELECT id, scenario AS "case", status, reason, console_offset AS offset
FROM results WHERE run_id = ?1 AND console_offset >= ?2 AND console_offset < ?3
ORDER BY console_offset, id LIMIT 1000

-- name: run_bad_results
-- What failed first, then what broke, each in the run's order; of what is alike the first and how many.
-- A sweep's closing result repeats what its points did: it is told where none of them went wrong.
SELECT min(id), count(*) FROM results r WHERE run_id = ?1 AND status IN ('FAIL', 'ERROR')
	AND (NOT closing OR NOT EXISTS (SELECT 1 FROM results p WHERE p.scenario = r.scenario
		AND p.status IN ('FAIL', 'ERROR') AND p.run_id = ?1 AND NOT p.closing))
GROUP BY status, scenario, reason, coalesce(signature, detail, '')
ORDER BY status DESC, min(id) LIMIT ?2

-- name: result_row_view
SELECT r.id, r.run_id AS run, c.sha AS "commit", c.sha AS "short:short", c.subject, b.config,
	r.scenario AS "case", r.fault AS "fault:json", r.repeat, r.closing AS "closing:bool",
	r.points, r.status, r.reason, r.detail, r.injected_on AS "injected.on_target",
	r.injected_off AS "injected.off_target", r.errno, r.splat_kind AS "splat.kind",
	r.splat_title AS "splat.title", r.fingerprint AS "splat.fingerprint", r.duration_us,
	r.console_offset AS "console.offset", r.console_len AS "console.length",
	u.ended_us AS "at:time"
FROM results r JOIN runs u ON u.id = r.run_id JOIN jobs j ON j.id = u.job_id
JOIN builds b ON b.id = j.build_id JOIN commits c ON c.id = b.commit_id WHERE r.id = ?1

-- name: result_view
SELECT r.id, r.run_id AS run, u.job_id AS job, j.build_id AS build, rp.name AS repo,
	c.sha AS "commit", c.sha AS "short:short", c.subject, b.config, b.arch, b.compiler,
	a.name AS agent, u.attempt, u.started_us AS "started:time", u.ended_us AS "at:time",
	u.kernel AS "kernel:json", u.machine AS "machine:json", r.points, d.document
FROM results r JOIN runs u ON u.id = r.run_id JOIN jobs j ON j.id = u.job_id
JOIN builds b ON b.id = j.build_id JOIN commits c ON c.id = b.commit_id
JOIN repos rp ON rp.id = b.repo_id JOIN documents d ON d.result_id = r.id
LEFT JOIN agents a ON a.id = u.agent_id WHERE r.id = ?1

-- name: results_all
-- Newest run first, a run's results in its own order; ?1, ?2: run and result of the last one seen.
SELECT run_id, id FROM results
WHERE run_id <= ?1 AND (run_id < ?1 OR id > ?2) ORDER BY run_id DESC, id LIMIT ?3

-- name: results_by_status
SELECT run_id, id FROM results
WHERE status = ?4 AND run_id <= ?1 AND (run_id < ?1 OR id > ?2)
ORDER BY run_id DESC, id LIMIT ?3

-- name: results_by_scenario_status
SELECT run_id, id FROM results
WHERE scenario = ?5 AND status = ?4 AND run_id <= ?1 AND (run_id < ?1 OR id > ?2)
ORDER BY run_id DESC, id LIMIT ?3

-- name: results_of_run
SELECT run_id, id FROM results
WHERE run_id = ?1 AND id > ?2 AND (?4 IS NULL OR status = ?4) AND (?5 IS NULL OR scenario = ?5)
ORDER BY id LIMIT ?3

-- name: runs_of_submission
-- ?4: a status, or NULL: only runs that have such results.
SELECT DISTINCT r.id FROM submission_jobs sj JOIN runs r ON r.job_id = sj.job_id
WHERE sj.submission_id = ?1 AND r.id <= ?2
	AND (?3 IS NULL OR sj.commit_id = (SELECT id FROM commits WHERE sha = ?3))
	AND CASE ?4 WHEN 'FAIL' THEN r.n_fail WHEN 'ERROR' THEN r.n_error WHEN 'MISS' THEN r.n_miss
		WHEN 'PASS' THEN r.n_pass WHEN 'DONE' THEN r.n_done WHEN 'SKIP' THEN r.n_skip
		ELSE ?4 IS NULL END
ORDER BY r.id DESC

-- name: runs_of_commit
-- ?3: a status, or NULL: only runs that have such results.
SELECT DISTINCT r.id FROM submission_jobs sj JOIN runs r ON r.job_id = sj.job_id
WHERE sj.commit_id = (SELECT id FROM commits WHERE sha = ?1) AND r.id <= ?2
	AND CASE ?3 WHEN 'FAIL' THEN r.n_fail WHEN 'ERROR' THEN r.n_error WHEN 'MISS' THEN r.n_miss
		WHEN 'PASS' THEN r.n_pass WHEN 'DONE' THEN r.n_done WHEN 'SKIP' THEN r.n_skip
		ELSE ?3 IS NULL END
ORDER BY r.id DESC

-- name: runs_of_scenario
SELECT run_id FROM cells WHERE scenario = ?1 AND run_id <= ?2 ORDER BY run_id DESC

-- name: agents_view
SELECT a.id, a.name, a.version, a.slots, a.can_build AS "can_build:bool",
	a.can_test AS "can_test:bool", a.first_seen_us AS "first_seen:time",
	a.last_seen_us AS "last_seen:time", a.last_seen_us >= ?1 AS "live:bool",
	CASE WHEN a.last_seen_us >= ?2 THEN 'live' WHEN a.last_seen_us >= ?1 THEN 'late' ELSE 'gone' END
		AS health, max(?3 - a.last_seen_us, 0) AS silent_us
FROM agents a ORDER BY a.last_seen_us DESC, a.id

-- name: agent_runs
SELECT r.id AS run, r.job_id AS job, j.kind, c.sha AS "commit", c.sha AS "short:short", c.subject,
	b.config, r.started_us AS "started:time", max(?2 - r.started_us, 0) AS for_us,
	r.progress AS "progress:json"
FROM runs r JOIN jobs j ON j.id = r.job_id JOIN builds b ON b.id = j.build_id
JOIN commits c ON c.id = b.commit_id
WHERE r.agent_id = ?1 AND r.outcome IS NULL ORDER BY r.id DESC

-- name: stats_jobs
-- Nothing is ever deleted: the last id says how many there are, and each build and each test has one
-- job. Those that are done are what is left when the few others are counted.
WITH n AS (SELECT
	(SELECT count(*) FROM jobs WHERE kind = ?1 AND state = 'queued') AS queued,
	(SELECT count(*) FROM jobs WHERE kind = ?1 AND state = 'waiting') AS waiting,
	(SELECT count(*) FROM jobs WHERE kind = ?1 AND state = 'leased') AS leased,
	(SELECT count(*) FROM jobs WHERE kind = ?1 AND state = 'failed') AS failed,
	(SELECT count(*) FROM jobs WHERE kind = ?1 AND state = 'cancelled') AS cancelled,
	coalesce(CASE WHEN ?1 = 'build' THEN (SELECT max(id) FROM builds)
		ELSE (SELECT max(id) FROM tests) END, 0) AS total)
SELECT queued, waiting, leased, total - queued - waiting - leased - failed - cancelled AS done,
	failed, cancelled
FROM n

-- name: stats_results
SELECT coalesce(sum(CASE WHEN status = 'FAIL' THEN results END), 0) AS FAIL,
	coalesce(sum(CASE WHEN status = 'ERROR' THEN results END), 0) AS ERROR,
	coalesce(sum(CASE WHEN status = 'MISS' THEN results END), 0) AS MISS,
	coalesce(sum(CASE WHEN status = 'PASS' THEN results END), 0) AS PASS,
	coalesce(sum(CASE WHEN status = 'DONE' THEN results END), 0) AS DONE,
	coalesce(sum(CASE WHEN status = 'SKIP' THEN results END), 0) AS SKIP
FROM totals

-- name: stats_submissions
-- As stats_jobs: those that are done are what is left.
WITH n AS (SELECT
	(SELECT count(*) FROM submissions INDEXED BY submissions_open
		WHERE state IN ('new', 'fetching') AND state = 'new') AS new,
	(SELECT count(*) FROM submissions INDEXED BY submissions_open
		WHERE state IN ('new', 'fetching') AND state = 'fetching') AS fetching,
	(SELECT count(*) FROM submissions WHERE state = 'planned') AS planned,
	(SELECT count(*) FROM submissions WHERE state = 'refused') AS refused,
	(SELECT coalesce(max(id), 0) FROM submissions) AS total)
SELECT new, fetching, planned, total - new - fetching - planned - refused AS done, refused FROM n

-- name: stats_agents
SELECT count(*) AS known, coalesce(sum(last_seen_us >= ?1), 0) AS live FROM agents

-- name: stats_counts
-- As stats_jobs: the last ids.
SELECT (SELECT coalesce(max(id), 0) FROM runs) AS runs,
	(SELECT coalesce(max(id), 0) FROM commits) AS commits,
	(SELECT coalesce(max(id), 0) FROM builds) AS builds,
	(SELECT page_count * page_size FROM pragma_page_count, pragma_page_size) AS database_bytes
