-- SPDX-License-Identifier: MIT
PRAGMA user_version = 1;

CREATE TABLE tokens (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	role TEXT NOT NULL CHECK (role IN ('reader', 'agent', 'maintainer', 'admin')),
	hash TEXT NOT NULL UNIQUE CHECK (length(hash) >= 32),
	created_us INTEGER NOT NULL,
	revoked_us INTEGER
) STRICT;
CREATE UNIQUE INDEX tokens_live_name ON tokens (name) WHERE revoked_us IS NULL;

CREATE TABLE repos (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	url TEXT NOT NULL,
	configured INTEGER NOT NULL CHECK (configured IN (0, 1)),
	created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE branches (
	id INTEGER PRIMARY KEY,
	repo_id INTEGER NOT NULL REFERENCES repos (id),
	ref TEXT NOT NULL,
	base_ref TEXT,
	plan TEXT NOT NULL,
	tip TEXT CHECK (length(tip) = 40),
	message TEXT,
	checked_us INTEGER,
	UNIQUE (repo_id, ref)
) STRICT;

CREATE TABLE submissions (
	id INTEGER PRIMARY KEY,
	repo_id INTEGER NOT NULL REFERENCES repos (id),
	branch_id INTEGER REFERENCES branches (id),
	token_id INTEGER REFERENCES tokens (id),
	ref TEXT NOT NULL,
	base TEXT,
	plan TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('new', 'fetching', 'planned', 'done', 'refused')),
	message TEXT,
	head_sha TEXT CHECK (length(head_sha) = 40),
	base_sha TEXT CHECK (length(base_sha) = 40),
	created_us INTEGER NOT NULL,
	ended_us INTEGER,

	n_jobs INTEGER NOT NULL DEFAULT 0,
	open_jobs INTEGER NOT NULL DEFAULT 0,
	n_fail INTEGER NOT NULL DEFAULT 0,
	n_error INTEGER NOT NULL DEFAULT 0,
	n_miss INTEGER NOT NULL DEFAULT 0,
	n_pass INTEGER NOT NULL DEFAULT 0,
	n_done INTEGER NOT NULL DEFAULT 0,
	n_skip INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX submissions_branch_head ON submissions (branch_id, head_sha)
	WHERE branch_id IS NOT NULL;
CREATE INDEX submissions_branch ON submissions (branch_id, id);
CREATE INDEX submissions_open ON submissions (id) WHERE state IN ('new', 'fetching');

CREATE TABLE commits (
	id INTEGER PRIMARY KEY,
	sha TEXT NOT NULL UNIQUE CHECK (length(sha) = 40),
	tree TEXT NOT NULL CHECK (length(tree) = 40),
	parent TEXT CHECK (length(parent) = 40),
	author TEXT NOT NULL,
	subject TEXT NOT NULL,
	committed_us INTEGER NOT NULL
) STRICT;

CREATE TABLE submission_commits (
	submission_id INTEGER NOT NULL REFERENCES submissions (id),
	position INTEGER NOT NULL CHECK (position >= 0),
	commit_id INTEGER NOT NULL REFERENCES commits (id),
	PRIMARY KEY (submission_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX submission_commits_commit ON submission_commits (commit_id);

CREATE TABLE configs (
	id INTEGER PRIMARY KEY,
	hash TEXT NOT NULL UNIQUE,
	fragments TEXT NOT NULL
) STRICT;

CREATE TABLE builds (
	id INTEGER PRIMARY KEY,
	key TEXT NOT NULL UNIQUE,
	repo_id INTEGER NOT NULL REFERENCES repos (id),
	commit_id INTEGER NOT NULL REFERENCES commits (id),
	config_id INTEGER NOT NULL REFERENCES configs (id),
	config TEXT NOT NULL,
	arch TEXT NOT NULL,
	compiler TEXT NOT NULL,
	boot INTEGER NOT NULL CHECK (boot IN (0, 1)),
	created_us INTEGER NOT NULL,
	status TEXT CHECK (status IN ('PASS', 'FAIL', 'MISS')),
	reason TEXT,
	release TEXT,
	detail TEXT,
	warnings TEXT,
	errors TEXT,
	image INTEGER NOT NULL DEFAULT 0 CHECK (image IN (0, 1)),
	duration_us INTEGER
) STRICT;
CREATE INDEX builds_commit ON builds (commit_id);

CREATE TABLE case_lists (
	id INTEGER PRIMARY KEY,
	hash TEXT NOT NULL UNIQUE,
	cpus INTEGER NOT NULL,
	memory_mib INTEGER NOT NULL,
	cases TEXT NOT NULL,
	scenarios TEXT NOT NULL
) STRICT;

CREATE TABLE tests (
	id INTEGER PRIMARY KEY,
	build_id INTEGER NOT NULL REFERENCES builds (id),
	case_list_id INTEGER NOT NULL REFERENCES case_lists (id),
	plan TEXT NOT NULL,
	UNIQUE (build_id, case_list_id)
) STRICT;

CREATE TABLE jobs (
	id INTEGER PRIMARY KEY,
	kind TEXT NOT NULL CHECK (kind IN ('build', 'test')),
	build_id INTEGER NOT NULL REFERENCES builds (id),
	test_id INTEGER UNIQUE REFERENCES tests (id),
	state TEXT NOT NULL CHECK (state IN
		('waiting', 'queued', 'leased', 'done', 'failed', 'cancelled')),
	priority INTEGER NOT NULL,
	attempt INTEGER NOT NULL DEFAULT 0,
	lease_hash TEXT,
	deadline_us INTEGER,
	run_id INTEGER REFERENCES runs (id),
	final_run_id INTEGER REFERENCES runs (id),
	created_us INTEGER NOT NULL,
	ended_us INTEGER,
	CHECK ((kind = 'test') = (test_id IS NOT NULL)),
	CHECK ((state = 'leased') = (lease_hash IS NOT NULL)),
	CHECK ((lease_hash IS NULL) = (deadline_us IS NULL))
) STRICT;
CREATE UNIQUE INDEX jobs_build ON jobs (build_id) WHERE kind = 'build';
CREATE INDEX jobs_build_tests ON jobs (build_id) WHERE kind = 'test';
CREATE INDEX jobs_queue ON jobs (kind, priority, id) WHERE state = 'queued';
CREATE INDEX jobs_leases ON jobs (deadline_us) WHERE state = 'leased';
CREATE INDEX jobs_states ON jobs (kind, state);

CREATE TABLE submission_jobs (
	submission_id INTEGER NOT NULL REFERENCES submissions (id),
	position INTEGER NOT NULL,
	config TEXT NOT NULL,
	job_id INTEGER NOT NULL REFERENCES jobs (id),
	commit_id INTEGER NOT NULL REFERENCES commits (id),
	PRIMARY KEY (submission_id, position, config, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX submission_jobs_job ON submission_jobs (job_id);
CREATE INDEX submission_jobs_commit ON submission_jobs (commit_id);

CREATE TABLE agents (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	token_id INTEGER REFERENCES tokens (id),
	version TEXT NOT NULL,
	slots INTEGER NOT NULL,
	can_build INTEGER NOT NULL CHECK (can_build IN (0, 1)),
	can_test INTEGER NOT NULL CHECK (can_test IN (0, 1)),
	first_seen_us INTEGER NOT NULL,
	last_seen_us INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
	id INTEGER PRIMARY KEY,
	job_id INTEGER NOT NULL REFERENCES jobs (id),
	attempt INTEGER NOT NULL,
	agent_id INTEGER REFERENCES agents (id),
	lease_hash TEXT NOT NULL,
	started_us INTEGER NOT NULL,
	heartbeat_us INTEGER NOT NULL,
	ended_us INTEGER,
	outcome TEXT CHECK (outcome IN (
		'done',
		'miss',
		'lost',
		'released')),
	status TEXT CHECK (status IN ('FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP')),
	reason TEXT,
	detail TEXT,
	progress TEXT,
	log_size INTEGER NOT NULL DEFAULT 0,
	kernel TEXT,
	machine TEXT,
	n_fail INTEGER NOT NULL DEFAULT 0,
	n_error INTEGER NOT NULL DEFAULT 0,
	n_miss INTEGER NOT NULL DEFAULT 0,
	n_pass INTEGER NOT NULL DEFAULT 0,
	n_done INTEGER NOT NULL DEFAULT 0,
	n_skip INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_job ON runs (job_id);
CREATE INDEX runs_agent ON runs (agent_id) WHERE outcome IS NULL;

CREATE TABLE artifacts (
	job_id INTEGER NOT NULL REFERENCES jobs (id),
	name TEXT NOT NULL,
	sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
	size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
	created_us INTEGER NOT NULL,
	PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE results (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES runs (id),
	scenario TEXT NOT NULL,
	fault TEXT NOT NULL,
	repeat INTEGER NOT NULL,
	closing INTEGER NOT NULL CHECK (closing IN (0, 1)),
	points INTEGER NOT NULL,
	status TEXT NOT NULL CHECK (status IN ('FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP')),
	reason TEXT NOT NULL,
	detail TEXT,
	injected_on INTEGER NOT NULL,
	injected_off INTEGER NOT NULL,
	errno INTEGER NOT NULL,
	splat_kind TEXT,
	splat_title TEXT,
	fingerprint TEXT,
	duration_us INTEGER NOT NULL,
	console_offset INTEGER NOT NULL,
	console_len INTEGER NOT NULL
) STRICT;

CREATE INDEX results_run ON results (run_id DESC);
CREATE INDEX results_status ON results (status, run_id DESC);
CREATE INDEX results_scenario ON results (scenario, status, run_id DESC);
CREATE INDEX results_fingerprint ON results (fingerprint, run_id DESC)
	WHERE fingerprint IS NOT NULL;

CREATE TABLE documents (
	result_id INTEGER PRIMARY KEY REFERENCES results (id),
	document TEXT NOT NULL
) STRICT;

CREATE TABLE cells (
	run_id INTEGER NOT NULL REFERENCES runs (id),
	scenario TEXT NOT NULL,
	status TEXT NOT NULL,
	reason TEXT NOT NULL,
	injected INTEGER NOT NULL,
	results INTEGER NOT NULL,
	result_id INTEGER NOT NULL REFERENCES results (id),
	PRIMARY KEY (run_id, scenario)
) STRICT, WITHOUT ROWID;
CREATE INDEX cells_scenario ON cells (scenario, run_id DESC);

CREATE TABLE totals (
	status TEXT PRIMARY KEY
		CHECK (status IN ('FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP')),
	results INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	type TEXT NOT NULL
		CHECK (type IN ('submission', 'job', 'run', 'result', 'branch', 'agent')),
	at_us INTEGER NOT NULL,
	data TEXT NOT NULL
) STRICT;

CREATE TABLE health (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	checked_us INTEGER NOT NULL
) STRICT;
