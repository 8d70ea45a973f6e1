-- SPDX-License-Identifier: MIT
--
-- What the server remembers. This file is the current schema; migrations/ leads to it from every
-- older version, and tools/queries.c fails the build when the two differ.
--
-- Conventions: instants `*_us` are µs UTC since the epoch, durations `*_us` are µs, sizes are
-- bytes. `sha` is 40 lower-case hex digits of git, `hash` 64 of SHA-256 or keyed BLAKE2b. Words
-- (states, statuses, reasons) are stored as the words of jobs/verdict.h, never as numbers, so that
-- the order of an enum may change. JSON columns hold compact text that this program wrote.

PRAGMA user_version = 10;

-- Who may talk to the server. The token itself is never stored.
CREATE TABLE tokens (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL, -- what people call it; unique among the live ones
	role TEXT NOT NULL CHECK (role IN ('reader', 'agent', 'maintainer', 'admin')),
	hash TEXT NOT NULL UNIQUE CHECK (length(hash) >= 32), -- keyed BLAKE2b of the token, hex
	created_us INTEGER NOT NULL,
	revoked_us INTEGER -- NULL: live
) STRICT;
CREATE UNIQUE INDEX tokens_live_name ON tokens (name) WHERE revoked_us IS NULL;

-- Git repositories that are fetched from.
CREATE TABLE repos (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE, -- safe name: also the folder git/<name>.git
	url TEXT NOT NULL, -- where it is fetched from
	configured INTEGER NOT NULL CHECK (configured IN (0, 1)), -- 1: by the administrator
	created_us INTEGER NOT NULL
) STRICT;

-- Refs that are followed.
CREATE TABLE branches (
	id INTEGER PRIMARY KEY,
	repo_id INTEGER NOT NULL REFERENCES repos (id),
	ref TEXT NOT NULL, -- "lazy-pgtable"
	base_ref TEXT, -- ranges start at the merge base with it; NULL: at the old tip
	plan TEXT NOT NULL, -- name of the plan for its submissions
	tip TEXT CHECK (length(tip) = 40), -- newest sha seen; NULL: never seen
	message TEXT, -- what was wrong at the last fetch; NULL: nothing
	checked_us INTEGER, -- last fetch; NULL: never
	followed INTEGER NOT NULL DEFAULT 1 CHECK (followed IN (0, 1)), -- 0: not configured any more
	gone_us INTEGER, -- since when the repository has no such branch; NULL: it has
	UNIQUE (repo_id, ref)
) STRICT;

-- A range base..head that somebody wants tested.
CREATE TABLE submissions (
	id INTEGER PRIMARY KEY,
	repo_id INTEGER NOT NULL REFERENCES repos (id),
	branch_id INTEGER REFERENCES branches (id), -- NULL: not a followed branch's movement
	token_id INTEGER REFERENCES tokens (id), -- who asked; NULL: the tracker
	ref TEXT NOT NULL, -- as asked for: branch, tag or sha
	base TEXT, -- as asked for; NULL: merge base or first parent
	plan TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('new', 'fetching', 'planned', 'done', 'refused')),
	message TEXT, -- why it was refused, or what is being waited for
	head_sha TEXT CHECK (length(head_sha) = 40), -- known when planned, or the branch's new tip
	base_sha TEXT CHECK (length(base_sha) = 40), -- known when planned
	created_us INTEGER NOT NULL,
	ended_us INTEGER, -- when it became done or refused
	-- What came of it, kept up whenever one of its jobs ends. The base commit is not counted:
	-- what fails there is not the submission's doing.
	n_jobs INTEGER NOT NULL DEFAULT 0,
	open_jobs INTEGER NOT NULL DEFAULT 0, -- waiting, queued or leased
	n_fail INTEGER NOT NULL DEFAULT 0, -- results by status
	n_error INTEGER NOT NULL DEFAULT 0,
	n_miss INTEGER NOT NULL DEFAULT 0,
	n_pass INTEGER NOT NULL DEFAULT 0,
	n_done INTEGER NOT NULL DEFAULT 0,
	n_skip INTEGER NOT NULL DEFAULT 0,
	compared_us INTEGER -- when it was looked at for regressions; NULL: not yet
) STRICT;
-- One submission for one movement of a branch, however often the tracker reports it.
CREATE UNIQUE INDEX submissions_branch_head ON submissions (branch_id, head_sha)
	WHERE branch_id IS NOT NULL;
CREATE INDEX submissions_branch ON submissions (branch_id, id);
CREATE INDEX submissions_line ON submissions (repo_id, ref, state, id);
CREATE INDEX submissions_open ON submissions (id) WHERE state IN ('new', 'fetching');
CREATE INDEX submissions_planned ON submissions (id) WHERE state = 'planned';
CREATE INDEX submissions_refused ON submissions (id) WHERE state = 'refused';
CREATE INDEX submissions_compare ON submissions (ended_us, id)
	WHERE state = 'done' AND compared_us IS NULL;

CREATE TABLE commits (
	id INTEGER PRIMARY KEY,
	sha TEXT NOT NULL UNIQUE CHECK (length(sha) = 40),
	tree TEXT NOT NULL CHECK (length(tree) = 40),
	parent TEXT CHECK (length(parent) = 40), -- first parent's sha; NULL: a root
	author TEXT NOT NULL,
	subject TEXT NOT NULL,
	committed_us INTEGER NOT NULL
) STRICT;

-- The commits of a submission's range, in order.
CREATE TABLE submission_commits (
	submission_id INTEGER NOT NULL REFERENCES submissions (id),
	position INTEGER NOT NULL CHECK (position >= 0), -- 0 is the base, the last is the head
	commit_id INTEGER NOT NULL REFERENCES commits (id),
	PRIMARY KEY (submission_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX submission_commits_commit ON submission_commits (commit_id);

-- Kernel configurations by content.
CREATE TABLE configs (
	id INTEGER PRIMARY KEY,
	hash TEXT NOT NULL UNIQUE, -- of architecture and fragments
	fragments TEXT NOT NULL -- JSON [{"name","text"}]
) STRICT;

-- One tree × configuration × compiler: built once, whoever asks.
CREATE TABLE builds (
	id INTEGER PRIMARY KEY,
	key TEXT NOT NULL UNIQUE, -- build_key() of jobs/job.h
	repo_id INTEGER NOT NULL REFERENCES repos (id), -- where the source can be had
	commit_id INTEGER NOT NULL REFERENCES commits (id), -- the first commit with this tree
	config_id INTEGER NOT NULL REFERENCES configs (id),
	config TEXT NOT NULL, -- name of the configuration in the plan that asked first
	arch TEXT NOT NULL,
	compiler TEXT NOT NULL,
	boot INTEGER NOT NULL CHECK (boot IN (0, 1)), -- 1: meant to be booted
	created_us INTEGER NOT NULL,
	status TEXT CHECK (status IN ('PASS', 'FAIL', 'MISS')), -- NULL: not ended
	reason TEXT, -- "" with PASS
	release TEXT, -- "6.12.117"
	detail TEXT, -- one sentence
	warnings TEXT, -- JSON array of strings
	errors TEXT, -- JSON array of strings
	image INTEGER NOT NULL DEFAULT 0 CHECK (image IN (0, 1)), -- 1: a bootable image was made
	duration_us INTEGER -- of the attempt that ended it
) STRICT;
CREATE INDEX builds_commit ON builds (commit_id);

-- What a test runs, by content.
CREATE TABLE case_lists (
	id INTEGER PRIMARY KEY,
	hash TEXT NOT NULL UNIQUE, -- cases_hash of jobs/plan.h
	cpus INTEGER NOT NULL, -- of the virtual machine
	memory_mib INTEGER NOT NULL, -- of the virtual machine, MiB
	cases TEXT NOT NULL, -- JSON, plan_cases_to_json()
	scenarios TEXT NOT NULL -- JSON array: the distinct scenario names in the plan's order
) STRICT;

-- One build × list of cases: tested once, whoever asks.
CREATE TABLE tests (
	id INTEGER PRIMARY KEY,
	build_id INTEGER NOT NULL REFERENCES builds (id),
	case_list_id INTEGER NOT NULL REFERENCES case_lists (id),
	plan TEXT NOT NULL, -- name of the plan that asked first
	UNIQUE (build_id, case_list_id)
) STRICT;

-- One unit that an agent claims: the making of a build or a test.
-- waiting (test: for its build) → queued → leased → done: there is an answer, good or bad;
-- failed: given up after JOB_MAX_ATTEMPTS (MISS); cancelled: there is no image to test.
CREATE TABLE jobs (
	id INTEGER PRIMARY KEY,
	kind TEXT NOT NULL CHECK (kind IN ('build', 'test')),
	build_id INTEGER NOT NULL REFERENCES builds (id), -- test: the build that it boots
	test_id INTEGER UNIQUE REFERENCES tests (id),
	state TEXT NOT NULL CHECK (state IN
		('waiting', 'queued', 'leased', 'done', 'failed', 'cancelled')),
	priority INTEGER NOT NULL, -- lower goes first
	attempt INTEGER NOT NULL DEFAULT 0, -- leases given and not handed back
	lease_hash TEXT, -- of the live lease's token
	deadline_us INTEGER, -- of the live lease
	run_id INTEGER REFERENCES runs (id), -- newest attempt; NULL: never claimed
	final_run_id INTEGER REFERENCES runs (id), -- newest run that gave an answer
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

-- Which jobs answer which submission: jobs are shared between submissions, and between commits
-- with the same tree.
CREATE TABLE submission_jobs (
	submission_id INTEGER NOT NULL REFERENCES submissions (id),
	position INTEGER NOT NULL, -- of the commit in the range
	config TEXT NOT NULL, -- name of the configuration in this submission's plan
	job_id INTEGER NOT NULL REFERENCES jobs (id),
	commit_id INTEGER NOT NULL REFERENCES commits (id),
	PRIMARY KEY (submission_id, position, config, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX submission_jobs_job ON submission_jobs (job_id);
CREATE INDEX submission_jobs_commit ON submission_jobs (commit_id);

CREATE TABLE agents (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	token_id INTEGER REFERENCES tokens (id), -- that it used last
	version TEXT NOT NULL,
	slots INTEGER NOT NULL, -- jobs at once
	can_build INTEGER NOT NULL CHECK (can_build IN (0, 1)),
	can_test INTEGER NOT NULL CHECK (can_test IN (0, 1)),
	first_seen_us INTEGER NOT NULL,
	last_seen_us INTEGER NOT NULL
) STRICT;

-- One attempt at a job.
CREATE TABLE runs (
	id INTEGER PRIMARY KEY,
	job_id INTEGER NOT NULL REFERENCES jobs (id),
	attempt INTEGER NOT NULL, -- 1..
	agent_id INTEGER REFERENCES agents (id), -- NULL: ended without one (its build is missing)
	lease_hash TEXT NOT NULL, -- "" without an agent
	started_us INTEGER NOT NULL,
	heartbeat_us INTEGER NOT NULL,
	ended_us INTEGER,
	outcome TEXT CHECK (outcome IN ( -- NULL: running
		'done', -- answered
		'miss', -- the agent said that infrastructure failed
		'lost', -- the lease ran out
		'released')), -- given back unharmed
	status TEXT CHECK (status IN ('FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP')), -- worst
	reason TEXT,
	detail TEXT,
	progress TEXT, -- JSON, as the agent last said
	log_size INTEGER NOT NULL DEFAULT 0, -- bytes of its log that are acknowledged
	kernel TEXT, -- JSON: the result document's "kernel"
	machine TEXT, -- JSON: the result document's "machine"
	n_fail INTEGER NOT NULL DEFAULT 0, -- its results by status
	n_error INTEGER NOT NULL DEFAULT 0,
	n_miss INTEGER NOT NULL DEFAULT 0,
	n_pass INTEGER NOT NULL DEFAULT 0,
	n_done INTEGER NOT NULL DEFAULT 0,
	n_skip INTEGER NOT NULL DEFAULT 0,
	-- Its cells as one text: the first letter of each status in the order of its list of cases, '.'
	-- where there is none. A page of 200 commits reads as many rows, not as many as it has cells.
	-- NULL: not ended, or it has cells that its list does not name.
	strip TEXT
) STRICT;
CREATE INDEX runs_job ON runs (job_id);
CREATE INDEX runs_agent ON runs (agent_id) WHERE outcome IS NULL;

-- Files that a job left in the blob store.
CREATE TABLE artifacts (
	job_id INTEGER NOT NULL REFERENCES jobs (id),
	name TEXT NOT NULL, -- safe name
	sha256 TEXT NOT NULL CHECK (length(sha256) = 64), -- of its bytes: its place in the blob store
	size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
	created_us INTEGER NOT NULL,
	PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;

-- One case in one run: what is filtered and listed. The whole document is in `documents`, so that
-- lists read few pages.
CREATE TABLE results (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES runs (id),
	scenario TEXT NOT NULL, -- "split.mprotect"; "build": the making of the kernel
	fault TEXT NOT NULL, -- JSON, fault_to_json(); "{}" for a build
	repeat INTEGER NOT NULL, -- 1..
	closing INTEGER NOT NULL CHECK (closing IN (0, 1)), -- 1: a sweep's closing result
	points INTEGER NOT NULL, -- closing: how many points there were
	status TEXT NOT NULL CHECK (status IN ('FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP')),
	reason TEXT NOT NULL, -- "" with PASS and DONE
	detail TEXT, -- one sentence
	injected_on INTEGER NOT NULL, -- faults injected on target
	injected_off INTEGER NOT NULL, -- and elsewhere
	errno INTEGER NOT NULL, -- of the operation under test
	splat_kind TEXT, -- NULL: no splat
	splat_title TEXT,
	fingerprint TEXT, -- of the splat, 16 hex digits
	duration_us INTEGER NOT NULL,
	console_offset INTEGER NOT NULL, -- byte in the run's console; -1: none
	console_len INTEGER NOT NULL, -- bytes; -1: none
	signature TEXT -- of a FAIL, signature_of() of jobs/signature.h; NULL: none
) STRICT;
-- Lists show the newest run first and a run's results in its own order.
CREATE INDEX results_run ON results (run_id DESC);
CREATE INDEX results_status ON results (status, run_id DESC);
CREATE INDEX results_scenario ON results (scenario, status, run_id DESC);
CREATE INDEX results_fingerprint ON results (fingerprint, run_id DESC)
	WHERE fingerprint IS NOT NULL;
-- What the search goes through, side by side.
CREATE INDEX results_splats ON results (status, run_id DESC, fingerprint, splat_title)
	WHERE fingerprint IS NOT NULL;

CREATE TABLE documents (
	result_id INTEGER PRIMARY KEY REFERENCES results (id),
	document TEXT NOT NULL -- JSON, result_to_json()
) STRICT;

-- What was measured, kept at insert time. Only DONE measures (jobs/metric.h).
CREATE TABLE measurements (
	result_id INTEGER NOT NULL REFERENCES results (id),
	name TEXT NOT NULL, -- "pgtables.per_thp"
	unit TEXT NOT NULL, -- "kB"; "": none
	value REAL NOT NULL, -- finite
	PRIMARY KEY (result_id, name, unit)
) STRICT, WITHOUT ROWID;

-- What charts show of a run, kept at insert time: a page of 200 commits reads some dozen rows a run
-- instead of all its documents.
CREATE TABLE run_values (
	run_id INTEGER NOT NULL REFERENCES runs (id),
	kind TEXT NOT NULL CHECK (kind IN (
		'counter', -- how far one of the kernel's moved, summed over the run's results
		'injected', -- faults, by the same sum: 'on_target', 'off_target'
		'metric')), -- median of the values that its repeats measured
	scenario TEXT NOT NULL, -- of a metric; '': all of them
	fault TEXT NOT NULL, -- of a metric, JSON; '': all of them
	name TEXT NOT NULL, -- "thp_split_pmd"
	unit TEXT NOT NULL, -- of a metric; '': none
	value REAL NOT NULL, -- finite
	PRIMARY KEY (run_id, kind, scenario, fault, name, unit)
) STRICT, WITHOUT ROWID;

-- The matrix, kept at insert time: one row for each run and scenario.
CREATE TABLE cells (
	run_id INTEGER NOT NULL REFERENCES runs (id),
	scenario TEXT NOT NULL,
	status TEXT NOT NULL, -- of the result with the least result_rank()
	reason TEXT NOT NULL, -- of the worst
	injected INTEGER NOT NULL, -- on target, summed over its results
	results INTEGER NOT NULL, -- how many there are
	result_id INTEGER NOT NULL REFERENCES results (id), -- the worst, the first of equals
	PRIMARY KEY (run_id, scenario)
) STRICT, WITHOUT ROWID;
CREATE INDEX cells_scenario ON cells (scenario, run_id DESC);
-- What a page says of a run besides its strip, without going through all of its cells.
CREATE INDEX cells_told ON cells (run_id, scenario, status, reason, result_id, injected)
	WHERE status IN ('FAIL', 'ERROR', 'MISS');

-- Where a run's faults were injected, on target only: the distinct stacks, kept at insert time. What
-- of the catalogue they reach is judged when it is looked at, since the catalogue grows.
CREATE TABLE injections (
	run_id INTEGER NOT NULL REFERENCES runs (id),
	scenario TEXT NOT NULL,
	stack TEXT NOT NULL, -- JSON array of functions, innermost first
	count INTEGER NOT NULL, -- allocations that failed there, summed over the run's results
	PRIMARY KEY (run_id, scenario, stack)
) STRICT, WITHOUT ROWID;

-- How many results of each status there are, so that nobody counts a million rows.
CREATE TABLE totals (
	status TEXT PRIMARY KEY
		CHECK (status IN ('FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP')),
	results INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What got worse, and its life: one row for one signature (jobs/signature.h) that began between two
-- commits of one line of history. Its states follow one another in `regression_changes`; the row has
-- the newest.
CREATE TABLE regressions (
	id INTEGER PRIMARY KEY,
	repo_id INTEGER NOT NULL REFERENCES repos (id),
	ref TEXT NOT NULL, -- line of history: what its submissions asked for
	branch_id INTEGER REFERENCES branches (id), -- NULL: not a followed branch's
	submission_id INTEGER NOT NULL REFERENCES submissions (id), -- that first showed it
	signature TEXT NOT NULL CHECK (length(signature) = 16),
	title TEXT NOT NULL, -- "kernel BUG in remove_migration_pte"
	reason TEXT NOT NULL, -- of FAIL
	state TEXT NOT NULL CHECK (state IN (
		'new', -- seen once; to be confirmed
		'confirmed', -- it fails again, and does not where it was good
		'bisected', -- the first bad commit is known, or between which ones it is
		'fixed', -- a later commit of the line is good again
		'flaky', -- nobody can say which commit brought it
		'infrastructure', -- it could not be tested again
		'stale')), -- the line of history or the case is gone
	good_id INTEGER NOT NULL REFERENCES commits (id), -- the last one without it
	bad_id INTEGER NOT NULL REFERENCES commits (id), -- the first one with it that was tested
	culprit_id INTEGER REFERENCES commits (id), -- NULL: not known
	fixed_id INTEGER REFERENCES commits (id), -- NULL: not fixed
	-- The one case that is repeated to find out more: the quickest of its cases.
	config_id INTEGER NOT NULL REFERENCES configs (id),
	config TEXT NOT NULL, -- its name
	arch TEXT NOT NULL,
	compiler TEXT NOT NULL,
	cpus INTEGER NOT NULL, -- of the virtual machine
	memory_mib INTEGER NOT NULL,
	scenario TEXT NOT NULL,
	fault TEXT NOT NULL, -- JSON, fault_to_json()
	result_id INTEGER REFERENCES results (id), -- the failure that is shown
	search TEXT, -- JSON: what is known about the commits between, bisect_to_json(); NULL: nothing yet
	created_us INTEGER NOT NULL,
	changed_us INTEGER NOT NULL,
	ended_us INTEGER -- fixed, flaky, infrastructure or stale; NULL: open
) STRICT;
CREATE INDEX regressions_line ON regressions (repo_id, ref, signature);
CREATE INDEX regressions_open ON regressions (id) WHERE ended_us IS NULL;

-- Where it shows.
CREATE TABLE regression_cases (
	regression_id INTEGER NOT NULL REFERENCES regressions (id),
	config TEXT NOT NULL,
	scenario TEXT NOT NULL,
	fault TEXT NOT NULL, -- JSON; a sweep's without its point
	result_id INTEGER NOT NULL REFERENCES results (id), -- its first failure
	PRIMARY KEY (regression_id, config, scenario, fault)
) STRICT, WITHOUT ROWID;

-- Which metric a regression is of. One that has no row here is of failures.
CREATE TABLE regression_metrics (
	regression_id INTEGER PRIMARY KEY REFERENCES regressions (id),
	name TEXT NOT NULL, -- "pgtables.per_thp"
	unit TEXT NOT NULL, -- "kB"; "": none
	worse TEXT NOT NULL CHECK (worse IN ('more', 'less')), -- metric_worse_name()
	accel TEXT NOT NULL -- values of others say nothing about it; "": not known
) STRICT;

-- Its life, never overwritten: each state that it got into, and why.
CREATE TABLE regression_changes (
	id INTEGER PRIMARY KEY,
	regression_id INTEGER NOT NULL REFERENCES regressions (id),
	at_us INTEGER NOT NULL,
	state TEXT NOT NULL,
	evidence TEXT NOT NULL -- JSON object
) STRICT;
CREATE INDEX regression_changes_of ON regression_changes (regression_id, id);

-- What is run to find out more about it: one test of one commit, with the case and beside it the
-- same one without a fault.
CREATE TABLE regression_probes (
	id INTEGER PRIMARY KEY,
	regression_id INTEGER NOT NULL REFERENCES regressions (id),
	purpose TEXT NOT NULL CHECK (purpose IN ('bad', 'good', 'search', 'fix')),
	commit_id INTEGER NOT NULL REFERENCES commits (id),
	job_id INTEGER NOT NULL REFERENCES jobs (id), -- of a test
	created_us INTEGER NOT NULL,
	UNIQUE (regression_id, purpose, job_id)
) STRICT;
CREATE INDEX regression_probes_job ON regression_probes (job_id);

-- What is to be told about regressions: an entry is made with the state that it tells of.
CREATE TABLE outbox (
	id INTEGER PRIMARY KEY,
	regression_id INTEGER NOT NULL REFERENCES regressions (id),
	kind TEXT NOT NULL CHECK (kind IN ('report', 'fixed')),
	channel TEXT NOT NULL CHECK (channel IN ('mail', 'hook')),
	recipient TEXT NOT NULL, -- addresses with commas between; an URL
	state TEXT NOT NULL CHECK (state IN (
		'waiting',
		'sending', -- its first byte is about to leave, or has left
		'sent',
		'refused', -- for good
		'doubtful')), -- the server ended while it was being sent: never sent again
	attempts INTEGER NOT NULL DEFAULT 0, -- that failed
	next_us INTEGER NOT NULL, -- not before
	message TEXT, -- what the other side said last
	created_us INTEGER NOT NULL,
	ended_us INTEGER,
	UNIQUE (regression_id, kind, channel, recipient)
) STRICT;
CREATE INDEX outbox_due ON outbox (next_us) WHERE state = 'waiting';

-- What happened, for pages that stay open. The newest 10000 are kept.
CREATE TABLE events (
	id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: it is the stream's position
	type TEXT NOT NULL
		CHECK (type IN
			('submission', 'job', 'run', 'result', 'branch', 'agent', 'regression')),
	at_us INTEGER NOT NULL,
	data TEXT NOT NULL -- JSON object
) STRICT;

-- One row that store_check() writes.
CREATE TABLE health (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	checked_us INTEGER NOT NULL
) STRICT;
