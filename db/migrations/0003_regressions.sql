-- SPDX-License-Identifier: MIT
PRAGMA user_version = 3;

ALTER TABLE results ADD COLUMN signature TEXT;

CREATE TABLE regressions (
	id INTEGER PRIMARY KEY,
	repo_id INTEGER NOT NULL REFERENCES repos (id),
	ref TEXT NOT NULL,
	branch_id INTEGER REFERENCES branches (id),
	submission_id INTEGER NOT NULL REFERENCES submissions (id),
	signature TEXT NOT NULL CHECK (length(signature) = 16),
	title TEXT NOT NULL,
	reason TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN (
		'new',
		'confirmed',
		'bisected',
		'fixed',
		'flaky',
		'infrastructure',
		'stale')),
	good_id INTEGER NOT NULL REFERENCES commits (id),
	bad_id INTEGER NOT NULL REFERENCES commits (id),
	culprit_id INTEGER REFERENCES commits (id),
	fixed_id INTEGER REFERENCES commits (id),
	config_id INTEGER NOT NULL REFERENCES configs (id),
	config TEXT NOT NULL,
	arch TEXT NOT NULL,
	compiler TEXT NOT NULL,
	cpus INTEGER NOT NULL,
	memory_mib INTEGER NOT NULL,
	scenario TEXT NOT NULL,
	fault TEXT NOT NULL,
	result_id INTEGER REFERENCES results (id),
	search TEXT,
	created_us INTEGER NOT NULL,
	changed_us INTEGER NOT NULL,
	ended_us INTEGER
) STRICT;
CREATE INDEX regressions_line ON regressions (repo_id, ref, signature);
CREATE INDEX regressions_open ON regressions (id) WHERE ended_us IS NULL;

CREATE TABLE regression_cases (
	regression_id INTEGER NOT NULL REFERENCES regressions (id),
	config TEXT NOT NULL,
	scenario TEXT NOT NULL,
	fault TEXT NOT NULL,
	result_id INTEGER NOT NULL REFERENCES results (id),
	PRIMARY KEY (regression_id, config, scenario, fault)
) STRICT, WITHOUT ROWID;

CREATE TABLE regression_changes (
	id INTEGER PRIMARY KEY,
	regression_id INTEGER NOT NULL REFERENCES regressions (id),
	at_us INTEGER NOT NULL,
	state TEXT NOT NULL,
	evidence TEXT NOT NULL
) STRICT;
CREATE INDEX regression_changes_of ON regression_changes (regression_id, id);

CREATE TABLE regression_probes (
	id INTEGER PRIMARY KEY,
	regression_id INTEGER NOT NULL REFERENCES regressions (id),
	purpose TEXT NOT NULL CHECK (purpose IN ('bad', 'good', 'search', 'fix')),
	commit_id INTEGER NOT NULL REFERENCES commits (id),
	job_id INTEGER NOT NULL REFERENCES jobs (id),
	created_us INTEGER NOT NULL,
	UNIQUE (regression_id, purpose, job_id)
) STRICT;
CREATE INDEX regression_probes_job ON regression_probes (job_id);

-- What was there before is nobody's news.
ALTER TABLE submissions ADD COLUMN compared_us INTEGER;
UPDATE submissions SET compared_us = coalesce(ended_us, created_us) WHERE state = 'done';
CREATE INDEX submissions_compare ON submissions (ended_us, id)
	WHERE state = 'done' AND compared_us IS NULL;

CREATE TEMP TABLE events_before AS SELECT * FROM events;
DROP TABLE events;
CREATE TABLE events (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	type TEXT NOT NULL
		CHECK (type IN
			('submission', 'job', 'run', 'result', 'branch', 'agent', 'regression')),
	at_us INTEGER NOT NULL,
	data TEXT NOT NULL
) STRICT;
INSERT INTO events SELECT * FROM events_before;
DROP TABLE events_before;
