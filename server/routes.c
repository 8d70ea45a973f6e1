// SPDX-License-Identifier: MIT
/* Every address that the server answers, with its documentation (also /api/v1/openapi.json and
 * docs/api.md). */
#include "lib/limits.h"
#include "server/api.h"
#include "server/events.h"
#include "server/git_http.h"
#if __has_include("server/pages.h")
#include "server/pages.h" /* HTTP_PAGE_ROUTES: rows of the dashboard */
#endif

#define JSON_BYTES LIMIT_HTTP_BODY_BYTES
#define GIT_REQUEST_BYTES (8 << 20) /* haves of a fetch with a long common history */
#define EMPTY_BYTES 1024 /* "{}", for calls that say all by their address */

/* clang-format off */
const struct http_route http_routes[] = {
	/* method, pattern, role, body, to file, handler, summary, open */
	{ "POST", "/api/v1/submissions", ROLE_MAINTAINER, JSON_BYTES, false, api_submission_post,
	  "Submit a range: {\"git\":URL | \"repo\":NAME, \"ref\":…, \"base\":…, \"plan\":…}", false },
	{ "GET", "/api/v1/submissions", ROLE_NONE, 0, false, api_submissions,
	  "Submissions, newest first (?limit=&cursor=)", false },
	{ "GET", "/api/v1/submissions/{id}", ROLE_NONE, 0, false, api_submission,
	  "One submission with its commits, jobs and matrix of results", false },
	{ "GET", "/api/v1/branches", ROLE_NONE, 0, false, api_branches,
	  "Followed branches with their state", false },
	{ "POST", "/api/v1/branches/poll", ROLE_MAINTAINER, EMPTY_BYTES, false, api_branches_poll,
	  "Ask every followed repository now", false },
	{ "GET", "/api/v1/branches/{repo}/{path*}", ROLE_NONE, 0, false, api_branch,
	  "One branch with the matrix of its newest commits (?limit=)", false },
	{ "GET", "/api/v1/series", ROLE_NONE, 0, false, api_series,
	  "Counters and metrics of a branch's newest commits (?repo=&ref=&metric=&limit=)", false },
	{ "GET", "/api/v1/cases/{scenario}", ROLE_NONE, 0, false, api_case,
	  "A case over time, newest run first (?repo=&ref=&config=&fault=&status=&limit=&cursor=)", false },
	{ "GET", "/api/v1/commits/{sha}", ROLE_NONE, 0, false, api_commit,
	  "One commit with its builds and runs", false },
	{ "GET", "/api/v1/commits/{sha}/coverage", ROLE_NONE, 0, false, api_coverage,
	  "Which known injection sites a commit's tests reached, by configuration", false },
	{ "GET", "/api/v1/coverage", ROLE_NONE, 0, false, api_coverage_line,
	  "Which known injection sites a branch's newest commits reached (?repo=&ref=&limit=)", false },
	{ "GET", "/api/v1/compare", ROLE_NONE, 0, false, api_compare,
	  "Two commits side by side (?a=&b=, each a hash, REPO/BRANCH or submission:N)", false },
	{ "GET", "/api/v1/builds", ROLE_NONE, 0, false, api_builds,
	  "Builds, newest first (?status=PASS, FAIL, MISS or open&warnings=1&limit=&cursor=)", false },
	{ "GET", "/api/v1/builds/{id}", ROLE_NONE, 0, false, api_build,
	  "One build with warnings, errors and artifacts", false },
	{ "GET", "/api/v1/builds/{id}/artifacts/{name}", ROLE_NONE, 0, false, api_artifact,
	  "A build's artifact (bzImage, System.map, …)", false },
	{ "GET", "/api/v1/runs/{id}", ROLE_NONE, 0, false, api_run,
	  "One run with its progress and results", false },
	{ "GET", "/api/v1/runs/{id}/log", ROLE_NONE, 0, false, api_run_log,
	  "A run's raw log (Range, ?offset=, ?follow=1 until it ends, also as text/event-stream)", false },
	{ "GET", "/api/v1/runs/{id}/log/find", ROLE_NONE, 0, false, api_run_log_find,
	  "Where a run's log has a text (?q=&offset=&back=1), or a result its splat or injection "
	  "(?result=&mark=splat or inject)",
	  false },
	{ "GET", "/api/v1/results", ROLE_NONE, 0, false, api_results,
	  "Results (?submission=&run=&scenario=&status=&commit=&full=&limit=&cursor=&format=json, "
	  "csv, txt, ktap, junit or kcidb)",
	  false },
	{ "GET", "/api/v1/results/{id}", ROLE_NONE, 0, false, api_result,
	  "One result with checks, stacks, counters and splat", false },
	{ "GET", "/api/v1/regressions", ROLE_NONE, 0, false, api_regressions,
	  "Regressions, newest first (?state=open|new|…&repo=&ref=&submission=&limit=&cursor=)", false },
	{ "GET", "/api/v1/regressions/{id}", ROLE_NONE, 0, false, api_regression,
	  "One regression: cases, states with their evidence, tests, search; .txt and .mbox: its "
	  "report", false },
	{ "GET", "/api/v1/agents", ROLE_NONE, 0, false, api_agents,
	  "Agents and what they are doing", false },
	{ "GET", "/api/v1/search", ROLE_NONE, 0, false, api_search,
	  "Commits, regressions, branches, submissions, failures, cases that a text names (?q=)", false },
	{ "GET", "/api/v1/stats", ROLE_NONE, 0, false, api_stats,
	  "Depth of the queue, verdicts, agents", false },
	{ "GET", "/api/v1/plans", ROLE_NONE, 0, false, api_plans, "Plans that can be named", false },
	{ "GET", "/api/v1/scenarios", ROLE_NONE, 0, false, api_scenarios,
	  "The catalogue of scenarios", false },
	{ "GET", "/api/v1/events", ROLE_NONE, 0, false, api_events,
	  "Server-sent events (Last-Event-ID, ?after=ID or ?since=TIME)", false },

	{ "POST", "/api/v1/jobs/claim", ROLE_AGENT, JSON_BYTES, false, api_job_claim,
	  "Take a job (?wait=SECONDS, up to 60): 200 with job and lease, or 204", false },
	{ "POST", "/api/v1/jobs/{id}/heartbeat", ROLE_AGENT, JSON_BYTES, false, api_job_heartbeat,
	  "Extend the lease and tell the progress; 409 when it is lost", false },
	{ "POST", "/api/v1/jobs/{id}/log", ROLE_AGENT, LIMIT_HTTP_LOG_CHUNK_BYTES, false, api_job_log,
	  "Append raw bytes (?offset=): {\"size\":M}; 416 with the size for a gap", false },
	{ "PUT", "/api/v1/jobs/{id}/artifacts/{name}", ROLE_AGENT, LIMIT_ARTIFACT_BYTES, true,
	  api_job_artifact, "Upload an artifact (header Faultline-SHA256)", false },
	{ "POST", "/api/v1/jobs/{id}/result", ROLE_AGENT, LIMIT_HTTP_RESULT_BYTES, false,
	  api_job_result, "End the job with its result; may be repeated", false },
	{ "POST", "/api/v1/jobs/{id}/release", ROLE_AGENT, EMPTY_BYTES, false, api_job_release,
	  "Give the job back unharmed", false },

	{ "POST", "/api/v1/tokens", ROLE_ADMIN, JSON_BYTES, false, api_token_add,
	  "Make a token: {\"name\":…, \"role\":…}; shown once", false },
	{ "GET", "/api/v1/tokens", ROLE_ADMIN, 0, false, api_tokens, "Tokens (without secrets)",
	  false },
	{ "POST", "/api/v1/tokens/{name}/revoke", ROLE_ADMIN, EMPTY_BYTES, false, api_token_revoke,
	  "Make a token worthless", false },
	{ "GET", "/api/v1/backup", ROLE_ADMIN, 0, false, api_backup,
	  "A consistent copy of the database", false },
	{ "GET", "/api/v1/outbox", ROLE_ADMIN, 0, false, api_outbox,
	  "What was told about regressions, to whom, and what came of it (?state=&limit=&cursor=)",
	  false },
	{ "GET", "/api/v1/openapi.json", ROLE_NONE, 0, false, api_openapi, "This description", true },

	{ "GET", "/healthz", ROLE_NONE, 0, false, api_healthz, "The process answers", true },
	{ "GET", "/readyz", ROLE_NONE, 0, false, api_readyz, "The database takes writes", true },
	{ "GET", "/metrics", ROLE_NONE, 0, false, api_metrics, "Prometheus", false },

	{ "GET", "/feeds/regressions.atom", ROLE_NONE, 0, false, feed_regressions,
	  "Atom feed of regressions (?repo=&ref=&state=)", false },
	{ "GET", "/badge/{repo}/{file*}", ROLE_NONE, 0, false, badge_branch,
	  "Badge of a branch, {repo}/{branch}.svg: N regressions, testing, no regressions, unknown",
	  false },
	{ "GET", "/git/{repo}.git/info/refs", ROLE_NONE, 0, false, git_info_refs,
	  "Smart HTTP (?service=git-upload-pack)", false },
	{ "POST", "/git/{repo}.git/git-upload-pack", ROLE_NONE, GIT_REQUEST_BYTES, false,
	  git_upload_pack, "Smart HTTP: fetch", false },
	{ "POST", "/git/{repo}.git/git-receive-pack", ROLE_NONE, GIT_REQUEST_BYTES, false,
	  git_receive_pack, "Smart HTTP: push, which is refused", false },
	{ "GET", "/static/{file*}", ROLE_NONE, 0, false, static_file_get, "Styles and scripts", true },
#ifdef HTTP_PAGE_ROUTES
	HTTP_PAGE_ROUTES
#endif
};
/* clang-format on */

const size_t http_n_routes = sizeof(http_routes) / sizeof(http_routes[0]);
